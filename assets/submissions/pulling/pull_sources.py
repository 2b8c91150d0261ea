"""How an HTTP source is declared: address, limits, what is expected, and the name its file gets.

Belongs here: the declaration and its checks, reading it from a catalogue entry, secrets by
reference, file names. Does not belong here: network input or output (``pull``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path

from assets.submissions.pulling.pull_addresses import AddressError, parse_endpoint
from assets.submissions.pulling.pull_bodies import Expect
from assets.submissions.reading.limits import DEFAULT_LIMITS

MAX_NAME = 120
MAX_SECONDS = 3600.0
MAX_REDIRECTS = 5

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAMED = frozenset({"source_id", "date", "sha", "ext", "period", "year", "month"})
_SAFE_NAME = re.compile(r'[^\x00-\x1f\x7f/\\:*?"<>|{}.][^\x00-\x1f\x7f/\\:*?"<>|{}]*')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,4000}[\x21-\x7e])?")
# set by the exchange itself, or able to change what is fetched or how it is framed
_OWN_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade"}
    | {"expect", "range", "if-range", "if-match", "if-none-match"}
    | {"if-modified-since", "if-unmodified-since", "accept-encoding"}
)


class SourceError(ValueError):
    """A declaration that cannot be used. The text is Chinese and names source and field."""


@dataclass(frozen=True, slots=True)
class HttpSource:
    """One address that is asked for one file. Raises ``SourceError`` when it cannot be right.

    ``allow_hosts``: ``host`` or ``host:port``, exact. ``allow_private``: ``host:port`` that may lie
    in a private network. ``max_bytes`` caps the bytes on the wire and, separately, the decoded
    body. ``total_seconds`` covers the whole call: name look-up, every try and pause.
    ``file_name_template`` may use ``{source_id} {date} {sha} {ext}`` and, filled by
    ``for_period``, ``{period} {year} {month}``. ``recheck_days``: after this time the body is
    fetched even if the server would call it unchanged. ``ca_file``: the only certificate
    authorities this source may use. ``headers`` may hold secrets and is kept out of ``repr``.
    """

    source_id: str
    url: str
    allow_hosts: tuple[str, ...]
    max_bytes: int = DEFAULT_LIMITS.file_bytes
    total_seconds: float = 60.0
    file_name_template: str = "{source_id}-{sha}.{ext}"
    expect: Expect = "workbook"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    allow_http: bool = False
    allow_private: tuple[str, ...] = ()
    max_redirects: int = 0
    ca_file: str | None = None
    recheck_days: int = 7

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_endpoints()
        self._check_name()
        for name, value in self.headers:
            if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
                raise self._error("headers", f"不能设置请求头 {name[:60]!r}")
            if not _HEADER_VALUE.fullmatch(value):
                raise self._error("headers", f"请求头 {name} 的值为空、过长或含控制字符")

    def _check_numbers(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", self.source_id):
            raise self._error("source_id", "只能用英文字母、数字、下划线和连字符")
        if self.expect not in ("workbook", "csv", "any"):
            raise self._error("expect", "只能是 workbook、csv 或 any")
        for name, low, high in (
            ("max_bytes", 1, DEFAULT_LIMITS.file_bytes),
            ("total_seconds", 0.05, MAX_SECONDS),
            ("max_redirects", 0, MAX_REDIRECTS),
            ("recheck_days", 0, 366),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not low <= value <= high:
                raise self._error(name, f"应在 {low:g} 到 {high:g} 之间")

    def _check_endpoints(self) -> None:
        if not self.allow_hosts:
            raise self._error("allow_hosts", "至少要登记一个允许的主机")
        for name, entries in (
            ("allow_hosts", self.allow_hosts),
            ("allow_private", self.allow_private),
        ):
            for entry in entries:
                try:
                    _, port = parse_endpoint(entry)
                except AddressError as refused:
                    raise self._error(name, refused.found) from None
                if name == "allow_private" and port is None:
                    raise self._error(name, f"内网例外必须写明端口（主机：端口）：{entry}")

    def _check_name(self) -> None:
        unknown = sorted(set(_PLACEHOLDER.findall(self.file_name_template)) - _NAMED)
        if unknown:
            raise self._error("file_name_template", f"不认识的占位符 {{{unknown[0][:30]}}}")
        if not is_safe_name(_PLACEHOLDER.sub("0", self.file_name_template)):
            raise self._error("file_name_template", "不是合规的文件名")

    def _error(self, name: str, problem: str) -> SourceError:
        return SourceError(f"数据源“{self.source_id[:60]}”的 {name} 有误：{problem}")


def is_safe_name(name: str) -> bool:
    """A plain file name on any system: no path, no control or reserved character, no device."""
    return (
        len(name) <= MAX_NAME
        and _SAFE_NAME.fullmatch(name) is not None
        and _DEVICE.fullmatch(name) is None
        and name[-1] not in " ."
    )


def file_name(source: HttpSource, *, sha256: str, extension: str, now: datetime) -> str:
    """The file's name, from the declaration and the content only; raises ``SourceError``.

    ``{date}`` is the day of ``now`` in its own time zone, ``{sha}`` the first 12 hex digits.
    """
    values = {
        "source_id": source.source_id,
        "date": now.strftime("%Y%m%d"),
        "sha": sha256[:12],
        "ext": extension,
    }
    name = _PLACEHOLDER.sub(lambda m: values.get(m[1], m[0]), source.file_name_template)
    if not is_safe_name(name):
        raise SourceError(f"数据源“{source.source_id}”的文件名不合规：{name[:80]!r}")
    return name


def for_period(source: HttpSource, period: str) -> HttpSource:
    """The source for one reporting period ``YYYY-MM``: fills address and file name."""
    match = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", period)
    if match is None:
        raise SourceError(f"报告期写法有误：{period[:20]!r}，应为 YYYY-MM")
    values = {"period": period, "year": match[1], "month": match[2]}

    def filled(text: str) -> str:
        return _PLACEHOLDER.sub(lambda m: values.get(m[1], m[0]), text)

    return replace(
        source,
        url=filled(source.url),
        file_name_template=filled(source.file_name_template),
    )


def read_source(
    source_id: str,
    url: str,
    options: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    folder: Path,
) -> HttpSource:
    """A source from its catalogue entry; ``options`` are the other fields of ``HttpSource``.

    A header's value is text, ``{env: NAME}`` or ``{file: PATH}``; ``ca_file`` and secret files are
    relative to ``folder``. Raises ``SourceError``.
    """
    shown = f"数据源“{source_id[:60]}”"
    known = {item.name for item in fields(HttpSource)} - {"source_id", "url"}
    unknown = [str(key)[:40] for key in options if key not in known]
    if unknown or "allow_hosts" not in options:
        problem = f"多出的项 {unknown[0]!r}" if unknown else "缺少 allow_hosts"
        raise SourceError(f"{shown}登记有误：{problem}")
    values: dict[str, object] = {}
    for name, value in options.items():
        if name == "headers":
            values[name] = _read_headers(value, environ, folder, shown)
        else:
            values[name] = _read_value(name, value, shown)
    if "ca_file" in values:
        values["ca_file"] = str(folder / str(values["ca_file"]))
    return HttpSource(source_id, url, **values)  # type: ignore[arg-type]  # see _read_value


_TYPES: dict[str, type | tuple[type, ...]] = {
    "max_bytes": int,
    "total_seconds": (int, float),
    "max_redirects": int,
    "recheck_days": int,
    "allow_http": bool,
}


def _read_value(name: str, value: object, shown: str) -> object:
    if name in ("allow_hosts", "allow_private"):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise SourceError(f"{shown}的 {name} 应为主机名列表")
        return tuple(value)
    expected = _TYPES.get(name, str)
    number_as_flag = isinstance(value, bool) and expected is not bool
    if not isinstance(value, expected) or number_as_flag:
        raise SourceError(f"{shown}的 {name} 类型有误：{str(value)[:40]!r}")
    return value


def _read_headers(
    value: object, environ: Mapping[str, str], folder: Path, shown: str
) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise SourceError(f"{shown}的 headers 应为“名称： 值”")
    return tuple(
        (str(name), _read_secret(given, environ, folder, f"{shown}的请求头 {str(name)[:60]}"))
        for name, given in value.items()
    )


def _read_secret(given: object, environ: Mapping[str, str], folder: Path, shown: str) -> str:
    """The secret's text; messages name where it was looked for, never what it is."""
    if isinstance(given, str):
        return given
    if isinstance(given, dict) and set(given) == {"env"}:
        text = environ.get(str(given["env"]))
        if text is None:
            raise SourceError(f"{shown}需要环境变量 {given['env']}，但没有设置")
        return text
    if isinstance(given, dict) and set(given) == {"file"}:
        try:
            return (folder / str(given["file"])).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SourceError(f"{shown}需要文件 {given['file']}，但无法读取") from None
    raise SourceError(f"{shown}应为文字、env 或 file")
