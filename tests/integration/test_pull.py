"""HTTP sources against a real local server that misbehaves (faults HT1–HT14 of the test catalogue).

Belongs here: everything that needs a connection. Does not belong here: URL and address rules or
body rules on their own (unit tests).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import random
import re
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import xlwt

from assets.submissions.pulling.pull import (
    HttpSource,
    Pulled,
    PullFailed,
    PullState,
    Result,
    SourceError,
    Unchanged,
    pull,
)
from tests.support import misbehaving_server as bad
from tests.support.certificates import Authority
from tests.support.misbehaving_server import MisbehavingServer, Script, reply

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2020, 7, 12, 9, 30, tzinfo=UTC)
SEEDS = int(os.environ.get("PARKWATCH_HTTP_SEEDS", "100"))


def make_xlsx(rows: int = 60) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2020, 1, 1)})
        sheet = book.add_worksheet("月报")
        for row in range(rows):
            sheet.write_row(row, 0, [f"模拟园区{row}", row * 12.5, row * row])
    return buffer.getvalue()


def make_xls(rows: int = 60) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("月报")
    for row in range(rows):
        for column, value in enumerate((f"模拟园区{row}", row * 12.5, row * row)):
            sheet.write(row, column, value)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def make_csv(rows: int = 60) -> bytes:
    lines = ["园区,营业收入,用电量", *(f"模拟园区{n},{n * 12.5},{n * n}" for n in range(rows))]
    return "\n".join(lines).encode("gb18030")


XLSX, XLS, CSV = make_xlsx(), make_xls(), make_csv()
XLSX2 = make_xlsx(61)


@pytest.fixture(scope="module")
def server() -> Iterator[MisbehavingServer]:
    with MisbehavingServer() as running:
        yield running


def source_for(server: MisbehavingServer, path: str, **options: Any) -> HttpSource:
    values: dict[str, Any] = {
        "source_id": "sn_portal",
        "url": server.url(path),
        "allow_hosts": (server.endpoint,),
        "allow_private": (server.endpoint,),
        "allow_http": True,
        "total_seconds": 10,
    }
    return HttpSource(**(values | options))


def get(
    source: HttpSource, previous: PullState | None = None, now: datetime = NOW, **options: Any
) -> Result:
    return pull(source, previous, clock=lambda: now, **({"sleep": lambda _: None} | options))


def good(result: Result) -> Pulled:
    assert isinstance(result, Pulled), result
    return result


def refused(result: Result, code: str) -> PullFailed:
    assert isinstance(result, PullFailed), result
    assert result.code == code, result
    assert re.search("[\u4e00-\u9fff]", result.message)
    assert result.found
    assert result.expected
    assert result.remedy
    return result


# --- the plain case --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expect", "extension"),
    [
        (XLSX, "workbook", "xlsx"),
        (XLS, "workbook", "xls"),
        (CSV, "csv", "csv"),
        (CSV, "any", "csv"),
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        reply,
        bad.chunked,
        lambda body: reply(gzip.compress(body), content_encoding="gzip"),
        lambda body: reply(
            gzip.compress(body[:100]) + gzip.compress(body[100:]), content_encoding="x-gzip"
        ),
        lambda body: bad.until_close(gzip.compress(body), content_encoding="gzip"),
    ],
    ids=["length", "chunked", "gzip", "gzip members", "gzip until close"],
)
def test_a_whole_file_arrives_byte_for_byte(
    server: MisbehavingServer,
    body: bytes,
    expect: str,
    extension: str,
    wrap: Callable[[bytes], Script],
) -> None:
    server.on("/whole", wrap(body))
    result = good(get(source_for(server, "/whole", expect=expect)))
    assert result.data == body
    assert result.sha256 == hashlib.sha256(body).hexdigest()
    assert result.file_name == f"sn_portal-{result.sha256[:12]}.{extension}"
    assert result.state.size == len(body)
    assert result.state.full_at == NOW
    assert result.notices == ()


def test_a_server_that_keeps_the_connection_open_is_no_fault(server: MisbehavingServer) -> None:
    server.on("/open", bad.kept_open(XLSX, 3))
    assert good(get(source_for(server, "/open"))).data == XLSX


def test_informational_answers_before_the_file_do_not_count(server: MisbehavingServer) -> None:
    first = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nlink: </a>\r\n\r\n"
    server.on("/early", bad.raw(first + bad.head(content_length=len(XLSX)) + XLSX))
    assert good(get(source_for(server, "/early"))).data == XLSX
    server.on("/early", bad.raw(first + bad.head(content_length=len(CSV) - 9) + CSV))
    refused(get(source_for(server, "/early", expect="csv")), "length_exceeded")


def test_the_request_asks_for_identity_and_no_range(server: MisbehavingServer) -> None:
    server.on("/asked", reply(XLSX))
    get(source_for(server, "/asked", headers=(("Authorization", "Bearer geheim"),)))
    request = server.asked("/asked")[-1]
    assert request.header("accept-encoding") == "identity"
    assert request.header("connection") == "close"
    assert request.header("host") == server.endpoint
    assert request.header("authorization") == "Bearer geheim"
    assert request.header("range") is None
    assert request.header("if-none-match") is None


# --- HT1, HT2: time --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "script"),
    [
        ("/ht1-body-drip", bad.drip_body(XLSX, 0.02)),
        ("/ht2-head-drip", bad.drip_head(XLSX, 0.02, 4000)),
        ("/ht2-silent", bad.silent(30)),
        ("/ht2-informational", lambda line, _: [
            (line.send(b"HTTP/1.1 103 X\r\n\r\n"), line.wait(0.02)) for _ in range(1500)
        ]),
    ],
)  # fmt: skip
def test_a_drip_ends_at_the_total_deadline(
    server: MisbehavingServer, path: str, script: Script
) -> None:
    server.on(path, script)
    result = refused(get(source_for(server, path, total_seconds=0.3)), "timeout")
    assert result.retry_at is not None
    # the whole script would take half a minute; the client left long before
    assert server.sent.get(path, 0) < 2000


def test_a_name_server_that_never_answers_ends_at_the_deadline(server: MisbehavingServer) -> None:
    never, answered = threading.Event(), []

    def slow(*_: object) -> list[str]:
        never.wait(1)
        answered.append("127.0.0.1")
        return answered

    source = HttpSource("s", "https://data.example.cn/a", ("data.example.cn",), total_seconds=0.2)
    refused(get(source, resolver=slow), "timeout")
    assert answered == []
    never.set()


def test_a_handshake_that_never_ends_is_cut_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # accepts in the kernel, says nothing
        endpoint = f"127.0.0.1:{listener.getsockname()[1]}"
        source = HttpSource(
            "s",
            f"https://{endpoint}/a",
            (endpoint,),
            allow_private=(endpoint,),
            total_seconds=0.3,
        )
        refused(get(source), "timeout")


# --- HT3–HT5: damaged bodies -----------------------------------------------------------------

GZ = gzip.compress(CSV, mtime=0)


@pytest.mark.parametrize("kept", [0, 1, 5, 10, 11, 50, len(GZ) // 2, len(GZ) - 8, len(GZ) - 1])
def test_ht3_gzip_cut_with_matching_length(server: MisbehavingServer, kept: int) -> None:
    server.on("/ht3", reply(GZ[:kept], content_encoding="gzip"))
    code = "gzip_damaged" if kept else "empty_body"
    refused(get(source_for(server, "/ht3", expect="csv")), code)


@pytest.mark.parametrize(
    ("body", "expect", "code"),
    [
        (XLSX[:-1], "workbook", "container_damaged"),
        (XLSX[: len(XLSX) // 2], "workbook", "container_damaged"),
        (XLSX[:4], "workbook", "container_damaged"),
        (XLS[:-1], "workbook", "container_damaged"),
        (XLS[: len(XLS) // 2], "workbook", "container_damaged"),
        (XLS[:600], "workbook", "container_damaged"),
        (CSV[: len(CSV) // 2], "csv", "end_not_proven"),
        (CSV, "csv", "end_not_proven"),
        (b"", "any", "empty_body"),
    ],
)
def test_ht4_cut_where_the_connection_ends(
    server: MisbehavingServer, body: bytes, expect: str, code: str
) -> None:
    server.on("/ht4", bad.until_close(body))
    refused(get(source_for(server, "/ht4", expect=expect)), code)


def test_ht4_without_length_a_whole_workbook_or_a_digest_is_proof(
    server: MisbehavingServer,
) -> None:
    server.on("/ht4-xlsx", bad.until_close(XLSX))
    server.on("/ht4-xls", bad.until_close(XLS))
    sha = base64.b64encode(hashlib.sha256(CSV).digest()).decode()
    server.on("/ht4-csv", bad.until_close(CSV, repr_digest=f"sha-256=:{sha}:"))
    assert good(get(source_for(server, "/ht4-xlsx"))).data == XLSX
    assert good(get(source_for(server, "/ht4-xls"))).data == XLS
    assert good(get(source_for(server, "/ht4-csv", expect="csv"))).data == CSV


CHARACTERS = len(CSV.decode("gb18030"))


@pytest.mark.parametrize(
    ("name", "script", "code"),
    [
        ("chunk cut", bad.chunked(CSV, end=False), "cut_short"),
        ("chunk cut inside", bad.chunked(CSV, cut=300), "cut_short"),
        ("end mark cut", bad.chunked(CSV, cut=2), "cut_short"),
        ("chunk size not a number", bad.raw(
            bad.head(transfer_encoding="chunked") + b"zz\r\nabc\r\n"), "protocol_error"),
        ("length longer than body", bad.announced(CSV, len(CSV) + 1), "cut_short"),
        ("length in characters", bad.announced(CSV, CHARACTERS), "length_exceeded"),
        ("rest comes later", bad.late_extra(CSV, CHARACTERS, 0.1), "length_exceeded"),
        ("two lengths", bad.raw(
            b"HTTP/1.1 200 X\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef"),
            "protocol_error"),
        ("bad CRC", reply(GZ[:-8] + b"\0\0\0\0" + GZ[-4:], content_encoding="gzip"),
            "gzip_damaged"),
        ("bad gzip length", reply(GZ[:-4] + b"\0\0\0\0", content_encoding="gzip"), "gzip_damaged"),
        ("gzip in name only", reply(CSV, content_encoding="gzip"), "gzip_damaged"),
        ("reset in the body", bad.broken_off(CSV, len(CSV), 300), "connection_lost"),
        ("no answer at all", bad.raw(b""), "connection_lost"),
        ("not HTTP", bad.raw(b"\x00\x01\x02 rubbish\r\n\r\n"), "protocol_error"),
        ("digest differs", reply(CSV, content_md5="AAAAAAAAAAAAAAAAAAAAAA=="), "digest_mismatch"),
        ("other coding", reply(CSV, content_encoding="br"), "encoding_refused"),
        ("two codings", reply(GZ, content_encoding="gzip, gzip"), "encoding_refused"),
        ("partial answer", reply(CSV, 206, content_range="bytes 0-9/10"), "unexpected_status"),
        ("no content", bad.raw(bad.head(204)), "unexpected_status"),
    ],
)  # fmt: skip
def test_ht5_a_damaged_exchange_is_refused(
    server: MisbehavingServer, name: str, script: Script, code: str
) -> None:
    server.on("/ht5", script)
    refused(get(source_for(server, "/ht5", expect="csv")), code)


def test_ht5_a_passing_fault_is_healed_by_asking_for_the_whole_again(
    server: MisbehavingServer,
) -> None:
    path = "/ht5-heals"
    server.on(path, bad.broken_off(XLSX, len(XLSX), 900), bad.announced(b"x", 99), reply(XLSX))
    pauses: list[float] = []
    assert good(get(source_for(server, path), sleep=pauses.append)).data == XLSX
    assert len(pauses) == 2
    assert 0.5 <= pauses[0] <= 1 <= pauses[1] <= 2
    assert all(request.header("range") is None for request in server.asked(path))


def test_ht5_tries_are_few_and_stay_inside_the_deadline(server: MisbehavingServer) -> None:
    server.on("/ht5-always", bad.announced(b"x", 99))
    refused(get(source_for(server, "/ht5-always")), "cut_short")
    assert len(server.asked("/ht5-always")) == 3
    pauses: list[float] = []
    refused(
        get(source_for(server, "/ht5-always", total_seconds=0.4), sleep=pauses.append), "cut_short"
    )
    assert pauses == []  # the first pause is longer than what is left


# Every way of damaging a body in which the bytes or the exchange can tell. Each gets a random
# generator and a body, and returns the answer on the wire.
DAMAGES: dict[str, tuple[Callable[[random.Random, bytes], Script], str]] = {
    "length announced, cut": (
        lambda r, b: bad.announced(b[: r.randrange(len(b))], len(b)), "xlsx xls csv"),
    "length too short": (
        lambda r, b: bad.announced(b, r.randrange(1, len(b))), "xlsx xls csv"),
    "chunked, cut": (
        lambda r, b: bad.chunked(b, size=r.randrange(1, 3000), cut=r.randrange(1, len(b))),
        "xlsx xls csv"),
    "chunked, chunk lost": (lambda r, b: _chunk_lost(r, b), "xlsx"),
    "reset": (lambda r, b: bad.broken_off(b, len(b), r.randrange(len(b))), "csv"),
    "gzip cut, length matches": (
        lambda r, b: reply(_cut(r, gzip.compress(b)), content_encoding="gzip"), "xlsx xls csv"),
    "gzip cut, until close": (
        lambda r, b: bad.until_close(_cut(r, gzip.compress(b)), content_encoding="gzip"),
        "xlsx xls csv"),
    "gzip data flipped": (
        lambda r, b: reply(_flipped(r, gzip.compress(b), 10, 0), content_encoding="gzip"),
        "xlsx xls csv"),
    "until close, cut": (lambda r, b: bad.until_close(_cut(r, b)), "xlsx xls csv"),
    "cut at the source, length matches": (lambda r, b: reply(_cut(r, b)), "xlsx xls"),
    "member data flipped": (
        lambda r, b: reply(_flipped(r, b, *_first_member(b))), "xlsx"),
    "slice lost, length matches": (lambda r, b: reply(_sliced(r, b)), "xlsx"),
    "page appended": (
        lambda r, b: reply(b + b"<br />\n<b>Warning</b>: line %d" % r.randrange(999)), "xlsx"),
    "digest declared, changed": (
        lambda r, b: reply(_flipped(r, b, 0, 0), content_md5=_md5(b)), "xlsx xls csv"),
}  # fmt: skip


def _cut(rng: random.Random, body: bytes) -> bytes:
    return body[: rng.randrange(1, len(body))]


def _flipped(rng: random.Random, body: bytes, start: int, end: int) -> bytes:
    at = rng.randrange(start, end or len(body))
    return body[:at] + bytes([body[at] ^ (1 << rng.randrange(8))]) + body[at + 1 :]


def _sliced(rng: random.Random, body: bytes) -> bytes:
    at = rng.randrange(len(body) - 1)
    return body[:at] + body[at + rng.randrange(1, 600) :]


def _chunk_lost(rng: random.Random, body: bytes) -> Script:
    at = rng.randrange(len(body) - 500)
    return bad.chunked(body[:at] + body[at + rng.randrange(1, 500) :])


def _first_member(body: bytes) -> tuple[int, int]:
    """Start and end of the packed data of the first member: all of it is under its CRC."""
    packed = int.from_bytes(body[18:22], "little")
    start = 30 + int.from_bytes(body[26:28], "little") + int.from_bytes(body[28:30], "little")
    return start, start + packed


def _content(body: bytes) -> object:
    if not body.startswith(b"PK"):
        return body
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_damaged_body_is_ever_taken_as_good(server: MisbehavingServer, damage: str) -> None:
    make, kinds = DAMAGES[damage]
    bodies = {"xlsx": XLSX, "xls": XLS, "csv": CSV}
    for seed in range(SEEDS):
        rng = random.Random(f"{damage}/{seed}")
        kind = rng.choice(kinds.split())
        expect = "csv" if kind == "csv" else "workbook"
        server.on("/damaged", make(rng, bodies[kind]))
        result = get(source_for(server, "/damaged", expect=expect))
        if isinstance(result, Pulled):
            # a few bits of a deflate stream mean nothing (padding): nothing is lost then
            assert damage in ("gzip data flipped", "member data flipped"), seed
            assert _content(result.data) == _content(bodies[kind]), seed
        else:
            assert isinstance(result, PullFailed), seed


# --- HT6, HT7: size --------------------------------------------------------------------------

CHILD = """
import sys
from datetime import UTC, datetime
import httpcore, httpx
from assets.submissions.pulling.pull import HttpSource, pull

def peak():
    return int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])

url, endpoint = sys.argv[1:]
source = HttpSource('s', url, (endpoint,), allow_private=(endpoint,), allow_http=True, expect='csv')
before = peak()
result = pull(source, None, clock=lambda: datetime(2020, 7, 12, tzinfo=UTC))
print(result.code, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory needs /proc")
def test_ht6_a_gigabyte_in_a_megabyte_of_gzip_stays_small(server: MisbehavingServer) -> None:
    bomb = bad.gzip_bomb(1 << 30)
    assert len(bomb) < 1_100_000
    url = server.on("/ht6", reply(bomb, content_encoding="gzip"))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, url, server.endpoint],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    code, kilobytes = done.stdout.split()
    assert code == "too_large"
    assert int(kilobytes) < 32 * 1024


@pytest.mark.parametrize(
    ("name", "script", "code"),
    [
        ("endless chunks", bad.endless(
            bad.head(transfer_encoding="chunked"), b"400\r\n" + b"z" * 1024 + b"\r\n"),
            "too_large"),
        ("endless until close", bad.endless(bad.head(), b"z" * 4096), "too_large"),
        ("endless empty gzip blocks", bad.endless(
            bad.head(content_encoding="gzip") + gzip.compress(b"")[:10],
            b"\x00\x00\x00\xff\xff" * 200), "too_large"),
        ("endless empty gzip members", bad.endless(
            bad.head(content_encoding="gzip"), gzip.compress(b"") * 50), "too_large"),
        ("announced too large", bad.announced(b"x", 10**15), "too_large"),
        ("endless headers", bad.endless(b"HTTP/1.1 200 X\r\n", b"x-a: " + b"y" * 990 + b"\r\n"),
            "protocol_error"),
        ("endless header line", bad.endless(b"HTTP/1.1 200 X\r\nx-a: ", b"y" * 990),
            "protocol_error"),
        ("endless informational", bad.endless(b"", b"HTTP/1.1 100 X\r\n\r\n" * 50),
            "protocol_error"),
        ("endless chunk extension", bad.endless(
            bad.head(transfer_encoding="chunked") + b"1;", b"y" * 990), "protocol_error"),
    ],
)  # fmt: skip
def test_ht7_what_never_ends_is_cut_off(
    server: MisbehavingServer, name: str, script: Script, code: str
) -> None:
    server.on("/ht7", script)
    refused(get(source_for(server, "/ht7", expect="any", max_bytes=500_000)), code)
    assert server.sent.get("/ht7", 0) < 32 * 1024 * 1024


def test_ht7_caps_on_the_wire_and_on_the_decoded_body_are_exact(server: MisbehavingServer) -> None:
    server.on("/plain", reply(CSV))
    server.on("/gz", reply(GZ, content_encoding="gzip"))
    for path in ("/plain", "/gz"):
        fits = source_for(server, path, expect="csv", max_bytes=len(CSV))
        assert good(get(fits)).data == CSV
        refused(get(replace(fits, max_bytes=len(CSV) - 1)), "too_large")


# --- HT8: asked to wait ----------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("120", 120, 132),
        ("0", 60, 66),
        (format_datetime(NOW + timedelta(hours=1), usegmt=True), 3600, 3960),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 60, 66),
        ("21600", 21600, 21600),
        ("99999999999", 21600, 21600),
        ("9" * 40, 21600, 21600),
        (format_datetime(NOW + timedelta(days=4000), usegmt=True), 21600, 21600),
        ("-5", 225, 300),
        ("soon", 225, 300),
        ("9" * 5000, 225, 300),
        ("Wed, 99 Foo 2020 99:99:99 GMT", 225, 300),
        (None, 225, 300),
    ],
)
def test_ht8_retry_after_is_honoured_and_capped(
    server: MisbehavingServer, status: int, value: str | None, low: int, high: int
) -> None:
    headers = {} if value is None else {"retry_after": value}
    server.on("/ht8", reply(b"busy", status, **headers))
    before = len(server.asked("/ht8"))
    result = refused(get(source_for(server, "/ht8")), "busy")
    assert result.retry_at is not None
    assert timedelta(seconds=low) <= result.retry_at - NOW <= timedelta(seconds=high)
    assert len(server.asked("/ht8")) == before + 1  # not asked again within the call


def test_ht8_a_date_is_read_against_the_servers_own_clock(server: MisbehavingServer) -> None:
    theirs = NOW + timedelta(days=3)  # a clock three days fast
    server.on("/ht8-date", reply(
        b"", 503, date=format_datetime(theirs, usegmt=True),
        retry_after=format_datetime(theirs + timedelta(minutes=10), usegmt=True),
    ))  # fmt: skip
    result = refused(get(source_for(server, "/ht8-date")), "busy")
    assert result.retry_at is not None
    assert timedelta(minutes=10) <= result.retry_at - NOW <= timedelta(minutes=11)


def test_ht8_the_server_is_left_alone_until_then(server: MisbehavingServer) -> None:
    server.on("/ht8-wait", reply(b"", 503, retry_after=600), reply(XLSX))
    source = source_for(server, "/ht8-wait")
    busy = refused(get(source), "busy")
    assert busy.retry_at is not None
    early = refused(get(source, busy.state, now=busy.retry_at - timedelta(seconds=1)), "waiting")
    assert early.state == busy.state
    assert len(server.asked("/ht8-wait")) == 1
    result = good(get(source, busy.state, now=busy.retry_at))
    assert (result.state.failures, result.state.retry_at) == (0, None)


def test_ht8_after_eight_failures_in_a_row_nothing_is_retried_by_itself(
    server: MisbehavingServer,
) -> None:
    server.on("/ht8-down", reply(b"", 500))
    source = source_for(server, "/ht8-down")
    state: PullState | None = None
    waits: list[timedelta | None] = []
    now = NOW
    for _ in range(9):
        result = refused(get(source, state, now=now), "server_error")
        state = result.state
        waits.append(result.retry_at - now if result.retry_at else None)
        now = result.retry_at or now
    assert waits[8] is None
    first, *others = [wait for wait in waits[:8] if wait is not None]
    assert timedelta(minutes=3) <= first <= timedelta(minutes=5)
    assert len(others) == 7
    assert max(others) <= timedelta(hours=6)
    assert refused(get(source), "server_error").retry_at == NOW + first  # same every time


# --- HT9: something else than the file -------------------------------------------------------

LOGIN = """<!DOCTYPE html><html><head><meta charset="gb2312"><title> 统一身份认证 &amp; 登录</title>
</head><body><form action="/login"><input name="user"><input type="password"></form></body>"""
NOTICE = "<html><head><title>公告</title></head><body><table><tr><td>1</td><td>系统维护</td></tr>"
SOFT_404 = "<html><body><h1>页面不存在</h1></body></html>"
REFRESH = '<html><head><meta http-equiv="refresh" content="0;url=/sso"></head></html>'
LAYOUT = "<html><body><table>" + "<tr><td>1</td><td>2</td></tr>" * 9 + "</table>%s</body></html>"


@pytest.mark.parametrize("expect", ["workbook", "csv", "any"])
@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("login page", LOGIN.encode("gb2312"), "统一身份认证 & 登录"),
        ("login page, UTF-8 BOM", b"\xef\xbb\xbf" + LOGIN.encode(), "登录页"),
        ("maintenance", NOTICE.encode("gbk"), "系统维护"),
        ("soft 404", SOFT_404.encode(), "网页"),
        ("redirect by page", REFRESH.encode(), "网页"),
        ("script only", b"<script>location='/captcha'</script>" + b" " * 50, "captcha"),
        ("figures and a login form", (LAYOUT % "<form></form>").encode(), "网页"),
        ("error as JSON", '{"code": 401, "msg": "请先登录"}'.encode(), "文字内容"),
        ("notice as text", "系统维护中,请稍后\n2020,7\n2020,8\n".encode(), "文字内容"),
        ("captcha picture", b"\x89PNG\r\n\x1a\n" + bytes(200), "验证码"),
        ("pdf", b"%PDF-1.7\n" + bytes(200), "PDF"),
        ("other zip", b"", "压缩包"),
        ("word file", b"", "Office"),
    ],
)
def test_ht9_a_login_page_is_not_a_workbook(
    server: MisbehavingServer, expect: str, name: str, body: bytes, says: str
) -> None:
    if name == "other zip":
        body = _zip_of("readme.txt", b"hello")
    if name == "word file":
        body = XLS.replace("Workbook".encode("utf-16-le"), "WordDocx".encode("utf-16-le"))
    known = PullState(
        url=server.url("/ht9"), sha256="ab" * 32, size=9, full_at=NOW - timedelta(days=60)
    )
    server.on("/ht9", reply(body, content_type="application/vnd.ms-excel"))
    result = refused(get(source_for(server, "/ht9", expect=expect), known), "not_expected_type")
    assert says in result.found
    assert result.state.sha256 == known.sha256  # what we had stays
    assert result.state.failures == 1


def _zip_of(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def test_ht9_a_table_saved_as_a_page_passes_only_where_any_kind_is_expected(
    server: MisbehavingServer,
) -> None:
    server.on("/page", reply((LAYOUT % "").encode("gb18030")))
    assert good(get(source_for(server, "/page", expect="any"))).file_name.endswith(".html")
    refused(get(source_for(server, "/page")), "not_expected_type")
    server.on("/csv", reply(CSV))
    refused(get(source_for(server, "/csv")), "not_expected_type")
    server.on("/xlsx", reply(XLSX))
    refused(get(source_for(server, "/xlsx", expect="csv")), "not_expected_type")


# --- HT10, HT11: validators ------------------------------------------------------------------

MONDAY = "Mon, 06 Jul 2020 01:00:00 GMT"
SUNDAY = "Sun, 05 Jul 2020 01:00:00 GMT"


def test_ht11_what_is_known_is_asked_for_conditionally(server: MisbehavingServer) -> None:
    server.on("/ht11", bad.by_validator(
        [('"v1"', bad.raw(bad.head(304, etag='"v1"')))],
        reply(XLSX, etag='"v1"', last_modified=MONDAY),
    ))  # fmt: skip
    source = source_for(server, "/ht11")
    first = good(get(source))
    later = NOW + timedelta(hours=1)
    second = get(source, PullState.from_dict(first.state.to_dict()), now=later)
    assert isinstance(second, Unchanged), second
    assert server.asked("/ht11")[-1].header("if-modified-since") == MONDAY
    assert second.state == replace(first.state, checked_at=later)


def test_ht11_not_modified_is_believed_for_a_week_only(server: MisbehavingServer) -> None:
    lying = bad.by_validator([('"v1"', bad.raw(bad.head(304)))], reply(XLSX2, etag='"v1"'))
    server.on("/ht11-lie", reply(XLSX, etag='"v1"'), lying)
    source = source_for(server, "/ht11-lie")
    state = good(get(source)).state
    believed = get(source, state, now=NOW + timedelta(days=6))
    assert isinstance(believed, Unchanged), believed
    found = good(get(source, believed.state, now=NOW + timedelta(days=7)))
    assert found.data == XLSX2
    assert [notice.code for notice in found.notices] == ["etag_same_content_changed"]


def test_ht11_not_modified_without_having_been_asked_is_a_fault(server: MisbehavingServer) -> None:
    server.on("/ht11-odd", bad.raw(bad.head(304)))
    refused(get(source_for(server, "/ht11-odd")), "unexpected_not_modified")


def test_ht11_validators_belong_to_one_address(server: MisbehavingServer) -> None:
    server.on("/ht11-a", reply(XLSX, etag='"v1"'))
    server.on("/ht11-b", reply(XLSX, etag='"v1"'))
    state = good(get(source_for(server, "/ht11-a"))).state
    good(get(source_for(server, "/ht11-b"), state))
    assert server.asked("/ht11-b")[-1].header("if-none-match") is None


@pytest.mark.parametrize(
    ("name", "body", "headers", "kind", "notices"),
    [
        ("ETag same, bytes changed", XLSX2, {"etag": '"v1"'}, Pulled,
            ["etag_same_content_changed"]),
        ("ETag new, bytes same", XLSX, {"etag": '"v2"'}, Unchanged,
            ["etag_changed_content_same"]),
        ("Last-Modified back, bytes changed", XLSX2, {"last_modified": SUNDAY}, Pulled,
            ["last_modified_went_back"]),
        ("all new", XLSX2, {"etag": '"v2"', "last_modified": MONDAY}, Pulled, []),
        ("nothing said, bytes same", XLSX, {}, Unchanged, []),
    ],
)  # fmt: skip
def test_ht10_the_digest_decides(
    server: MisbehavingServer,
    name: str,
    body: bytes,
    headers: dict[str, str | int],
    kind: type[Result],
    notices: list[str],
) -> None:
    server.on("/ht10", reply(XLSX, etag='"v1"', last_modified=MONDAY), reply(body, 200, **headers))
    source = source_for(server, "/ht10")
    result = get(source, good(get(source)).state, now=NOW + timedelta(days=1))
    assert isinstance(result, kind), result
    assert not isinstance(result, PullFailed)
    assert [notice.code for notice in result.notices] == notices
    assert result.state.sha256 == hashlib.sha256(body).hexdigest()
    assert result.state.etag == headers.get("etag")


@pytest.mark.parametrize("etag", ["v1", '"a" "b"', '"' + "x" * 300 + '"', '"tab\there"'])
def test_ht10_an_odd_validator_is_never_sent_back(server: MisbehavingServer, etag: str) -> None:
    server.on("/ht10-odd", reply(XLSX, etag=etag, last_modified="yesterday"))
    source = source_for(server, "/ht10-odd")
    state = good(get(source)).state
    assert (state.etag, state.last_modified) == (None, None)
    assert isinstance(get(source, replace(state, etag=etag)), Unchanged)
    assert server.asked("/ht10-odd")[-1].header("if-none-match") is None


# --- HT12: addresses -------------------------------------------------------------------------

# P stands for the port of a server on this machine that must not be reached.
PAYLOADS = [
    "http://127.0.0.1:P/", "http://127.1:P/", "http://127.0.1:P/", "http://127.255.255.254:P/",
    "http://2130706433:P/", "http://0x7f000001:P/", "http://0x7f.0.0.1:P/", "http://0x7f.1:P/",
    "http://017700000001:P/", "http://0177.0.0.1:P/", "http://0177.0.0.01:P/",
    "http://127.0.0.1.:P/", "http://127.000.000.001:P/", "http://0:P/", "http://0.0.0.0:P/",
    "http://0x0:P/", "http://[::1]:P/", "http://[::]:P/", "http://[0:0:0:0:0:0:0:1]:P/",
    "http://[::ffff:127.0.0.1]:P/", "http://[::ffff:7f00:1]:P/", "http://[::127.0.0.1]:P/",
    "http://[64:ff9b::127.0.0.1]:P/", "http://[2002:7f00:1::]:P/", "http://[fe80::1%25lo]:P/",
    "http://[::1%lo]:P/", "http://localhost:P/", "http://LOCALHOST:P/", "http://localhost.:P/",
    "http://localtest:P/", "http://127.0.0.1.nip.example:P/",
    "http://data.example.cn@127.0.0.1:P/", "http://data.example.cn:x@127.0.0.1:P/",
    "http://127.0.0.1:P@data.example.cn/", "http://data.example.cn%40127.0.0.1:P/",
    "http://127.0.0.1:P#@data.example.cn/", "http://127.0.0.1:P?@data.example.cn/",
    "http://127.0.0.1:P\\@data.example.cn/", "http:\\\\127.0.0.1:P/", "http:///127.0.0.1:P/",
    "http:127.0.0.1:P/", "//127.0.0.1:P/", "http://%31%32%37.0.0.1:P/", "http://①②⑦.⓪.⓪.①:P/",
    "http://127。0。0。1:P/", "http://ⓛocalhost:P/", "http://127.0.0.1%00.example.cn:P/",
    "http://127.0.0.1%2f.example.cn:P/", "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/", "http://0xa9fea9fe/", "http://[::ffff:a9fe:a9fe]/",
    "http://[fd00:ec2::254]/", "http://100.100.100.200/", "http://168.63.129.16/",
    "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.0.1/", "http://224.0.0.1/",
    "http://255.255.255.255/", "file:///etc/passwd", "file://127.0.0.1/etc/passwd",
    "gopher://127.0.0.1:P/_GET", "ftp://127.0.0.1:P/", "dict://127.0.0.1:P/", "ldap://127.0.0.1:P/",
    "jar:http://127.0.0.1:P!/", "data:text/csv,a,b", "unix:/var/run/docker.sock",
    "http://data.example.cn:P /", "http://data.example.cn\t:P/", "http://data.example.cn:P/\\..",
    "http://data.example.cn:0/", "http://data.example.cn:65536/", "http://data.example.cn:/",
    "http://[127.0.0.1]:P/", "http://[::1]P/", "http:// 127.0.0.1:P/", "", "http://",
    "http://data.example.cn/%0d%0aX:%20y\r\nHost: 127.0.0.1", "http://127.0.0.1:P/\n",
]  # fmt: skip
HOSTILE_ANSWERS = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.8", "192.0.2.1",
    "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.251", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2001::1", "2001:db8::1",
    "2002:7f00:1::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%lo", "fec0::1",
    "ff02::1", "1::1", "4000::1", "5f00::1", "not an address", "2130706433", "0x7f000001", "",
]  # fmt: skip


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address a connection is opened to."""
    calls: list[Any] = []
    original = socket.create_connection

    def recording(address: Any, *rest: Any, **options: Any) -> socket.socket:
        calls.append(address)
        return original(address, *rest, **options)

    monkeypatch.setattr(socket, "create_connection", recording)
    return calls


def _allowing(url: str, base: HttpSource) -> HttpSource:
    """The worst declaration an administrator could write: whatever host the URL names."""
    host = re.sub(r"^[a-z]+:[\\/]*|[/\\?#].*$", "", url, flags=re.DOTALL)
    for entry in (host, host.rpartition("@")[2], host.partition("@")[0]):
        try:
            base = replace(base, allow_hosts=(*base.allow_hosts, entry))
        except SourceError:
            continue
    return base


def _resolves(host: str, _: int) -> list[str]:
    return ["127.0.0.1", "::1"]  # any name leads home


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 80
    assert len(set(HOSTILE_ANSWERS)) >= 40


@pytest.mark.parametrize("generous", [False, True], ids=["strict list", "host listed"])
def test_ht12_no_payload_gets_through_as_a_source(
    server: MisbehavingServer, dialled: list[Any], generous: bool
) -> None:
    before = server.connections
    for payload in PAYLOADS:
        url = payload.replace("P", str(server.port))
        source = HttpSource("s", url, ("data.example.cn",), allow_http=True, total_seconds=5)
        source = _allowing(url, source) if generous else source
        result = get(source, resolver=_resolves)
        assert isinstance(result, PullFailed), payload
        assert result.code in ("url_refused", "host_not_allowed", "address_refused"), payload
        assert result.retry_at is None
    assert dialled == []
    assert server.connections == before


@pytest.mark.parametrize("generous", [False, True], ids=["strict list", "host listed"])
def test_ht12_no_payload_gets_through_as_a_redirect(
    server: MisbehavingServer, dialled: list[Any], generous: bool
) -> None:
    with MisbehavingServer() as front:
        before = server.connections
        for payload in PAYLOADS:
            url = payload.replace("P", str(server.port))
            front.on("/r", bad.redirect(url))
            source = source_for(front, "/r", max_redirects=5)
            source = _allowing(url, source) if generous else source
            result = get(source, resolver=_resolves)
            assert isinstance(result, PullFailed), payload
            # what is relative, or reads as such, leads back to the server that sent it
            assert result.code in (
                "url_refused", "host_not_allowed", "address_refused", "redirect_refused",
                "not_found",
            ), (payload, result)  # fmt: skip
        assert server.connections == before
        assert set(dialled) == {("127.0.0.1", front.port)}


def test_ht12_no_hostile_answer_of_the_name_server_is_connected_to(dialled: list[Any]) -> None:
    source = HttpSource("s", "https://data.example.cn/a.xlsx", ("data.example.cn",))
    for answer in HOSTILE_ANSWERS:
        for answers in ([answer], ["8.8.8.8", answer], [answer, "2400:3200::1"]):
            result = get(source, resolver=lambda *_, given=answers: given)
            refused(result, "address_refused")
    assert dialled == []


def test_ht12_a_name_is_looked_up_once_and_the_checked_address_is_used(
    server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the second answer points elsewhere, and nobody asks for it."""
    asked: list[tuple[str, int]] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    names: list[Any] = []
    original = socket.getaddrinfo

    def recording(host: Any, *rest: Any, **options: Any) -> Any:
        names.append(host)
        return original(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", recording)
    with MisbehavingServer(host="127.0.0.2", port=server.port) as other:
        server.on("/rebind", reply(XLSX))
        endpoint = f"localhost:{server.port}"
        source = source_for(
            server, "/rebind", url=f"http://{endpoint}/rebind",
            allow_hosts=(endpoint,), allow_private=(endpoint,),
        )  # fmt: skip
        assert good(get(source, resolver=rebinding)).data == XLSX
        assert other.connections == 0
    assert asked == [("localhost", server.port)]
    assert set(names) <= {"127.0.0.1"}
    assert server.asked("/rebind")[-1].header("host") == endpoint


def test_ht12_the_next_checked_address_is_tried_when_one_is_down(
    server: MisbehavingServer,
) -> None:
    server.on("/second", reply(XLSX))
    endpoint = f"localhost:{server.port}"
    source = source_for(
        server, "/second", url=f"http://{endpoint}/second",
        allow_hosts=(endpoint,), allow_private=(endpoint,),
    )  # fmt: skip
    result = get(source, resolver=lambda *_: ["127.0.0.3", "127.0.0.1"])
    assert good(result).data == XLSX


def test_ht12_redirects_are_off_unless_declared(server: MisbehavingServer) -> None:
    server.on("/moved", bad.redirect("/target?token=geheim"))
    server.on("/target", reply(XLSX))
    result = refused(get(source_for(server, "/moved")), "redirect_refused")
    assert server.asked("/target?token=geheim") == []
    assert "geheim" not in str(result)
    assert good(get(source_for(server, "/moved", max_redirects=1))).data == XLSX


def test_ht12_a_loop_ends(server: MisbehavingServer) -> None:
    server.on("/loop", bad.redirect("/loop", 307))
    refused(get(source_for(server, "/loop", max_redirects=4)), "redirect_refused")
    assert len(server.asked("/loop")) == 5


def test_ht12_secrets_do_not_travel_to_another_host(server: MisbehavingServer) -> None:
    with MisbehavingServer() as other:
        server.on("/away", bad.redirect(other.on("/file", reply(XLSX))))
        both = (server.endpoint, other.endpoint)
        source = source_for(
            server, "/away", max_redirects=1, allow_hosts=both, allow_private=both,
            headers=(("X-Token", "geheim"), ("User-Agent", "geheim/1")),
        )  # fmt: skip
        assert good(get(source)).data == XLSX
        assert server.asked("/away")[-1].header("x-token") == "geheim"
        assert "geheim" not in str(other.asked("/file")[-1].headers)


# --- HT13: names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "disposition",
    [
        "attachment; filename=../../etc/cron.d/x",
        "attachment; filename*=UTF-8''..%2f..%2fevil.xlsx",
        "inline; filename=C:\\\\windows\\\\x.exe",
    ],
)
def test_ht13_the_name_never_comes_from_the_server(
    server: MisbehavingServer, disposition: str
) -> None:
    path = "/..%2f..%2fetc/passwd;evil.exe"
    server.on(path, reply(XLSX, content_disposition=disposition, content_type="text/html"))
    source = source_for(server, path, file_name_template="陕西-{source_id}-{date}.{ext}")
    assert good(get(source)).file_name == "陕西-sn_portal-20200712.xlsx"


# --- HT14: certificates, proxies -------------------------------------------------------------


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "ours")


def _tls_source(server: MisbehavingServer, ca_file: Path | None) -> HttpSource:
    endpoint = f"localhost:{server.port}"
    return HttpSource(
        "s",
        f"https://{endpoint}/a",
        (endpoint,),
        allow_private=(endpoint,),
        ca_file=None if ca_file is None else str(ca_file),
    )


def _home(*_: object) -> list[str]:
    return ["127.0.0.1"]


def test_ht14_a_right_certificate_passes_and_the_name_is_sent(ours: Authority) -> None:
    with MisbehavingServer(tls=ours.server_context("localhost")) as server:
        server.on("/a", reply(XLSX))
        assert good(get(_tls_source(server, ours.file), resolver=_home)).data == XLSX
        assert server.server_names == ["localhost"]
        assert server.requests[0].header("host") == f"localhost:{server.port}"


@pytest.mark.parametrize(
    ("name", "host", "days", "pin", "says"),
    [
        ("expired", "localhost", -1, "ours", "过期"),
        ("wrong host", "data.example.cn", 30, "ours", "主机名"),
        ("unknown authority", "localhost", 30, "public", "受信"),
        ("another authority than the pinned one", "localhost", 30, "other", "受信"),
    ],
)
def test_ht14_a_wrong_certificate_is_refused(
    ours: Authority, tmp_path: Path, name: str, host: str, days: int, pin: str, says: str
) -> None:
    files = {"ours": ours.file, "public": None, "other": Authority(tmp_path, "other").file}
    with MisbehavingServer(tls=ours.server_context(host, days=days)) as server:
        server.on("/a", reply(XLSX))
        result = refused(get(_tls_source(server, files[pin]), resolver=_home), "tls_failed")
        assert says in result.found
        assert server.requests == []  # not a byte of the request was sent


def test_ht14_plain_http_behind_https_is_refused(
    server: MisbehavingServer, ours: Authority
) -> None:
    refused(get(_tls_source(server, ours.file), resolver=_home), "tls_failed")
    with MisbehavingServer(tls=ours.server_context("localhost")) as front:
        front.on("/a", bad.redirect(server.on("/plain-target", reply(XLSX))))
        source = replace(
            _tls_source(front, ours.file), allow_http=True, max_redirects=1,
            allow_hosts=(f"localhost:{front.port}", server.endpoint),
        )  # fmt: skip
        refused(get(source, resolver=_home), "redirect_refused")
        assert server.asked("/plain-target") == []


def test_ht14_http_needs_to_be_declared(server: MisbehavingServer) -> None:
    source = replace(source_for(server, "/whatever"), allow_http=False)
    refused(get(source), "url_refused")


def test_ht14_a_proxy_from_the_environment_is_not_used(
    server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MisbehavingServer() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.endpoint}")
            monkeypatch.setenv(name.lower(), f"http://{proxy.endpoint}")
        server.on("/direct", reply(XLSX))
        assert good(get(source_for(server, "/direct"))).data == XLSX
        assert proxy.connections == 0


def test_a_missing_ca_file_is_named(server: MisbehavingServer, tmp_path: Path) -> None:
    result = refused(
        get(_tls_source(server, tmp_path / "no.pem"), resolver=_home), "source_invalid"
    )
    assert "no.pem" in result.found


# --- other answers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        (401, "denied", False), (403, "denied", False), (404, "not_found", True),
        (410, "not_found", True), (400, "unexpected_status", False),
        (418, "unexpected_status", False), (500, "server_error", True),
        (502, "server_error", True), (599, "server_error", True),
        (203, "unexpected_status", False), (300, "unexpected_status", False),
    ],
)  # fmt: skip
def test_every_status_but_200_is_a_clear_refusal(
    server: MisbehavingServer, status: int, code: str, again: bool
) -> None:
    server.on("/status", reply(XLSX, status))
    result = refused(get(source_for(server, "/status")), code)
    assert str(status) in result.found
    assert (result.retry_at is not None) is again


def test_nothing_listening_is_a_refusal_not_an_exception() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"127.0.0.1:{listener.getsockname()[1]}"
    source = HttpSource(
        "s", f"http://{endpoint}/", (endpoint,), allow_private=(endpoint,), allow_http=True
    )
    refused(get(source), "connect_failed")


def test_an_unknown_name_is_a_refusal_not_an_exception() -> None:
    def unknown(*_: object) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    source = HttpSource("s", "https://data.example.cn/", ("data.example.cn",))
    refused(get(source, resolver=unknown), "dns_failed")
    refused(get(source, resolver=lambda *_: []), "dns_failed")


def test_secrets_stay_out_of_every_text(server: MisbehavingServer) -> None:
    server.on("/secret", reply(b"", 403))
    source = source_for(server, "/secret?key=geheim", headers=(("Authorization", "Bearer geheim"),))
    result = refused(get(source), "denied")
    texts = (result.message, result.found, result.expected, result.remedy)
    assert "geheim" not in " ".join(texts)
    assert "Bearer" not in repr(source)
    result = refused(get(replace(source, url="https://u:geheim@h/?k=geheim")), "url_refused")
    assert "geheim" not in result.found


def test_the_command_line_does_not_load_httpx_by_importing_pull() -> None:
    code = "import sys, assets.submissions.pulling.pull; print({'httpx', 'httpcore'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
