"""Fetches one HTTP source: one address, one file, within one deadline, or a clear refusal.

Belongs here: the exchange over the network, its limits and tries, conditional requests, and the
decision new / unchanged / failed. The only module that imports ``httpx``, and only when something
is fetched. Does not belong here: which URL or address is allowed (``pull_addresses``), what a good
body is (``pull_bodies``), how a source is declared (``pull_sources``), storing anything.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin

from assets.submissions.pulling.pull_addresses import (
    AddressError,
    Target,
    check_addresses,
    check_url,
    without_secrets,
)
from assets.submissions.pulling.pull_bodies import (
    EXPECT_ZH,
    BodyError,
    Gzip,
    Plain,
    check_body,
    declared_digest,
)
from assets.submissions.pulling.pull_results import (
    Pulled,
    PullError,
    PullFailed,
    PullState,
    Result,
    Unchanged,
    failed,
    failure,
    spread,
)
from assets.submissions.pulling.pull_sources import (
    HttpSource,
    SourceError,
    file_name,
    for_period,
    read_source,
)
from assets.submissions.pulling.pull_wire import (
    Deadline,
    Resolver,
    Wire,
    resolve,
    system_resolver,
    translated,
)
from assets.submissions.reading.workbook import Notice

if TYPE_CHECKING:
    import httpcore
    import httpx

__all__ = [
    "HttpSource",
    "PullFailed",
    "PullState",
    "Pulled",
    "Result",
    "SourceError",
    "Unchanged",
    "for_period",
    "pull",
    "read_source",
]

TRIES = 3
SPOOL_BYTES = 8 * 1024 * 1024
"""A body larger than this waits on disk until it is known to be acceptable."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a try brought: a checked body, or ``None`` for 304, and the validators with it."""

    etag: str | None
    last_modified: str | None
    data: bytes | None = None
    sha256: str = ""
    extension: str = ""


def pull(
    source: HttpSource,
    previous: PullState | None,
    *,
    clock: Callable[[], datetime],
    resolver: Resolver = system_resolver,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Result:
    """Asks a source once and says what came of it; never raises for anything the network does.

    ``clock`` gives the time with its zone. A fault that may pass is tried again up to ``TRIES``
    times with pauses (``sleep``) inside ``source.total_seconds``; after that ``retry_at`` says
    when. Redirects are off unless declared; each hop is checked like the first address. The digest
    of the body decides what is new: validators only save traffic, and not for longer than
    ``source.recheck_days``.
    """
    now = clock()
    state = previous if previous and previous.url == source.url else PullState(url=source.url)
    if state.retry_at is not None and now < state.retry_at:
        return failure(
            source.source_id, PullError("waiting", f"约定 {state.retry_at.isoformat()} 之后"), state
        )
    deadline = Deadline(source.total_seconds, monotonic)
    attempt = 0
    while True:
        attempt += 1
        try:
            answer = _exchange(source, state, deadline, resolver, now)
            return _settle(source, state, answer, now)
        except (PullError, AddressError, BodyError, SourceError) as error:
            fault = _as_fault(error, source)
        pause = 2 ** (attempt - 1) * (0.5 + 0.5 * spread(source.source_id, attempt))
        if fault.again != "now" or attempt == TRIES or pause >= deadline.remaining():
            return failed(source.source_id, fault, state, now)
        sleep(pause)


# --- outcome ---------------------------------------------------------------------------------


def _settle(source: HttpSource, state: PullState, answer: _Answer, now: datetime) -> Result:
    """New or unchanged, by digest; the server's validators are judged, not believed."""
    if answer.data is None:
        return Unchanged(replace(state, checked_at=now, failures=0, retry_at=None))
    fresh = PullState(
        url=source.url,
        etag=answer.etag,
        last_modified=answer.last_modified,
        sha256=answer.sha256,
        size=len(answer.data),
        full_at=now,
        checked_at=now,
    )
    notices = _judge_validators(state, answer)
    if answer.sha256 == state.sha256:
        return Unchanged(fresh, notices)
    name = file_name(source, sha256=answer.sha256, extension=answer.extension, now=now)
    return Pulled(answer.data, answer.sha256, name, fresh, notices)


def _judge_validators(state: PullState, answer: _Answer) -> tuple[Notice, ...]:
    if state.sha256 is None:
        return ()
    same, notices = answer.sha256 == state.sha256, []
    if not same and answer.etag and answer.etag == state.etag:
        text = "服务器的版本标识（ETag）没有变，但内容变了，以内容为准"
        notices.append(Notice("etag_same_content_changed", text))
    if same and answer.etag and state.etag and answer.etag != state.etag:
        text = "服务器的版本标识（ETag）变了，但内容没有变，以内容为准"
        notices.append(Notice("etag_changed_content_same", text))
    before, after = _http_date(state.last_modified), _http_date(answer.last_modified)
    if before and after and after < before:
        text = "服务器的修改时间（Last-Modified）比上次早，以内容为准"
        notices.append(Notice("last_modified_went_back", text))
    return tuple(notices)


def _as_fault(error: Exception, source: HttpSource) -> PullError:
    if isinstance(error, PullError):
        return error
    if isinstance(error, AddressError):
        return PullError(error.code, error.found, expected=error.expected)
    if isinstance(error, BodyError):
        expected = EXPECT_ZH[source.expect] if error.code == "not_expected_type" else ""
        return PullError(error.code, error.found, expected=expected)
    return PullError("source_invalid", str(error))


# --- exchange --------------------------------------------------------------------------------


def _exchange(
    source: HttpSource,
    state: PullState,
    deadline: Deadline,
    resolver: Resolver,
    now: datetime,
) -> _Answer:
    """One try: the declared address and, where allowed, the hops from there."""
    url, origin = source.url, None
    for hop in range(source.max_redirects + 1):
        target = check_url(url, source.allow_hosts, allow_http=source.allow_http)
        origin = origin or target
        if origin.scheme == "https" and target.scheme != "https":
            raise PullError("redirect_refused", f"从 https 转到 {target.shown}")
        addresses = resolve(target, resolver, deadline)
        pinned = check_addresses(target, addresses, source.allow_private)
        headers = _request_headers(source, state, target, origin, now)
        with _opened(source, target, pinned, headers, deadline) as (response, wire):
            if response.status_code not in _REDIRECTS:
                conditional = any(name.startswith("If-") for name, _ in headers)
                return _read_answer(source, response, wire, conditional, now)
            url = _next_url(target, response, last=hop == source.max_redirects)
    raise AssertionError("the last hop either answers or raises")


def _next_url(target: Target, response: httpx.Response, *, last: bool) -> str:
    try:
        url = urljoin(target.url, str(response.headers.get("location", "")))
    except ValueError:
        url = ""
    if last or not url:
        found = f"状态码 {response.status_code}，目标 {without_secrets(url)}"
        raise PullError("redirect_refused", found)
    return url


def _request_headers(
    source: HttpSource, state: PullState, target: Target, origin: Target, now: datetime
) -> list[tuple[str, str]]:
    """``identity`` because files are compressed already and each coding is one more thing to cut;
    ``close`` because the end of the connection shows bytes beyond the announced length."""
    headers = [
        ("User-Agent", "parkwatch"),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]
    if target.origin == origin.origin:  # secrets do not travel to other hosts
        own = {name.lower() for name, _ in source.headers}
        headers = [pair for pair in headers if pair[0].lower() not in own] + list(source.headers)
    seen = state.full_at is not None and now - state.full_at < timedelta(days=source.recheck_days)
    if seen and state.sha256:
        if state.etag and _ETAG.fullmatch(state.etag):
            headers.append(("If-None-Match", state.etag))
        if state.last_modified and _http_date(state.last_modified):
            headers.append(("If-Modified-Since", state.last_modified))
    return headers


def _read_answer(
    source: HttpSource, response: httpx.Response, wire: Wire, conditional: bool, now: datetime
) -> _Answer:
    status = response.status_code
    etag = response.headers.get("etag")
    modified = response.headers.get("last-modified")
    etag = etag if etag and _ETAG.fullmatch(etag) else None
    modified = modified if modified and _http_date(modified) else None
    if status == 304 and conditional:
        return _Answer(etag, modified)
    if status != 200:
        raise _status_fault(response, now)
    data, digest, proven = _read_body(source, response, wire)
    kind = check_body(data, source.expect, end_proven=proven)
    return _Answer(etag, modified, data, digest, kind.extension)


def _status_fault(response: httpx.Response, now: datetime) -> PullError:
    status = response.status_code
    if status in (429, 503):
        asked = _retry_after(response.headers, now)
        shown = "" if asked is None else f"，要求等待 {asked.total_seconds():.0f} 秒"
        return PullError("busy", f"状态码 {status}{shown}", wait=asked)
    codes = {304: "unexpected_not_modified", 404: "not_found", 410: "not_found"}
    codes |= {401: "denied", 403: "denied", 407: "denied"}
    code = codes.get(status, "server_error" if status >= 500 else "unexpected_status")
    return PullError(code, f"状态码 {status}")


def _retry_after(headers: httpx.Headers, now: datetime) -> timedelta | None:
    """RFC 9110 10.2.3: seconds, or a date, which is read against the server's own clock."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,40}", text):
        return timedelta(seconds=min(int(text), 86_400))
    date = _http_date(text)
    if date is None:
        return None
    return max(date - (_http_date(headers.get("date")) or now), timedelta())


def _http_date(text: str | None) -> datetime | None:
    """An HTTP date (RFC 9110 5.6.7) or ``None``."""
    if not text or len(text) > 40 or not text.isascii() or not text.isprintable():
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _read_body(source: HttpSource, response: httpx.Response, wire: Wire) -> tuple[bytes, str, bool]:
    """Decoded body, its SHA-256, and whether the exchange proved that it is complete."""
    decoder = _decoder(source, response)
    declared = declared_digest(response.headers)
    on_wire = hashlib.new(declared[0], usedforsecurity=False) if declared else None
    digest, received = hashlib.sha256(), 0
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
        # not `iter_raw`: it closes the connection, which is still to be asked about what follows
        for chunk in cast("Iterable[bytes]", response.stream):
            received += len(chunk)
            if received > source.max_bytes:
                raise BodyError("too_large", f"超过 {source.max_bytes:,} 字节")
            if on_wire is not None:
                on_wire.update(chunk)
            for piece in decoder.feed(chunk):
                digest.update(piece)
                spool.write(piece)
        framed = _check_framing(response, wire)
        if not received:
            raise BodyError("empty_body", "正文为 0 字节")
        proven = decoder.finish() or framed
        if declared and on_wire and on_wire.digest() != declared[1]:
            raise PullError("digest_mismatch", f"声明的校验算法 {declared[0]}")
        spool.seek(0)
        return spool.read(), digest.hexdigest(), proven or declared is not None


def _decoder(source: HttpSource, response: httpx.Response) -> Plain | Gzip:
    coding = response.headers.get("content-encoding", "").strip().lower()
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > source.max_bytes:
        raise BodyError("too_large", f"声明 {int(length):,} 字节，上限 {source.max_bytes:,} 字节")
    if coding in ("", "identity"):
        return Plain(source.max_bytes)
    if coding in ("gzip", "x-gzip"):
        return Gzip(source.max_bytes)
    raise PullError("encoding_refused", f"Content-Encoding：{coding[:40]!r}")


def _check_framing(response: httpx.Response, wire: Wire) -> bool:
    """Whether length or chunk end proved completeness; h11 has raised if they were not met.

    A length that is too short is not seen by h11, which stops there, so the connection is asked:
    nothing may follow. Programs that count characters instead of bytes do this to Chinese text.
    """
    if "chunked" in response.headers.get("transfer-encoding", "").lower():
        return True
    length = response.headers.get("content-length")
    if length is None:
        return False
    if wire.has_more_than(int(length.partition(",")[0])):
        raise PullError("length_exceeded", f"声明 {length} 字节，实际更长")
    return True


@contextmanager
def _opened(
    source: HttpSource,
    target: Target,
    addresses: Sequence[str],
    headers: list[tuple[str, str]],
    deadline: Deadline,
) -> Iterator[tuple[httpx.Response, Wire]]:
    """The response to one GET, its body not yet read; network errors become ``PullError``."""
    import httpx

    wire = Wire(addresses, deadline)
    context = _tls_context(source) if target.scheme == "https" else None
    with translated(deadline), _transport(wire, context) as transport:
        request = httpx.Request("GET", target.url, headers=headers)
        asked = request.url.raw_scheme, request.url.raw_host, request.url.port or target.port
        if asked != (target.scheme.encode(), target.host.encode(), target.port):
            raise PullError("url_refused", target.shown)  # two parsers must agree on who is asked
        # straight to the transport: a client would log the query, keep cookies, read redirects
        response = transport.handle_request(request)
        try:
            wire.headers_done()
            yield response, wire
        finally:
            response.close()


def _transport(wire: Wire, context: ssl.SSLContext | None) -> httpx.BaseTransport:
    """httpx over a httpcore pool whose network is ``wire``; httpx's own transport takes none."""
    import httpcore
    import httpx

    pool = httpcore.ConnectionPool(
        ssl_context=context,
        max_connections=1,
        max_keepalive_connections=0,
        retries=0,
        network_backend=cast("httpcore.NetworkBackend", wire),
    )

    class Stream(httpx.SyncByteStream):
        def __init__(self, response: httpcore.Response) -> None:
            self._response = response

        def __iter__(self) -> Iterator[bytes]:
            yield from cast("Iterable[bytes]", self._response.stream)

        def close(self) -> None:
            self._response.close()

    class Transport(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            url = httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            )
            asked = httpcore.Request(request.method, url, headers=request.headers.raw)
            answer = pool.handle_request(asked)
            return httpx.Response(answer.status, headers=answer.headers, stream=Stream(answer))

        def close(self) -> None:
            pool.close()

    return Transport()


def _tls_context(source: HttpSource) -> ssl.SSLContext:
    """Certificates are always checked: against the public authorities, or only ``ca_file``'s."""
    import httpx

    if source.ca_file is None:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cafile=source.ca_file)
    except (OSError, ssl.SSLError):
        raise PullError("source_invalid", f"ca_file 无法读取：{source.ca_file}") from None
