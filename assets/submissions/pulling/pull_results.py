"""What one pull brings: new, unchanged or failed, with the state kept between calls.

Belongs here: result types, the catalogue of failures with their Chinese texts, and when to try
again. Does not belong here: the network, or where the state is stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from assets.submissions.reading.workbook import Notice

MAX_RETRY_AFTER = timedelta(hours=6)
MIN_RETRY_AFTER = timedelta(minutes=1)
FIRST_RETRY = timedelta(minutes=5)
MAX_FAILURES = 8

Again = Literal["now", "later", "never"]

# code → (what is wrong, what was expected, how to mend, when a further try makes sense)
TEXTS: dict[str, tuple[str, str, str, Again]] = {
    "source_invalid": (
        "登记有误，未访问",
        "正确的登记",
        "请修改 sources.yaml 中该数据源的登记",
        "never",
    ),
    "url_refused": ("网址不合规，未访问", "规范的网址", "请核对该数据源的网址后重新登记", "never"),
    "host_not_allowed": (
        "主机不在允许名单内，未访问",
        "登记的允许主机",
        "确属该数据源的主机，请管理员加入 allow_hosts",
        "never",
    ),
    "address_refused": (
        "主机指向不允许访问的网络地址，未访问",
        "公网地址",
        "请核对域名解析；确为内网数据源的，请管理员登记 allow_private（主机：端口）",
        "never",
    ),
    "redirect_refused": (
        "服务器要求转到别的网址，未跟随",
        "直接返回文件",
        "请核对最终网址，确认可信后登记该网址；确需跳转的，登记 max_redirects 和 allow_hosts",
        "never",
    ),
    "dns_failed": ("域名无法解析", "可解析的域名", "请检查网络和域名服务器，稍后将自动重试", "now"),
    "connect_failed": (
        "无法连接服务器",
        "可连接的服务器",
        "请检查网络或联系数据提供方，稍后将自动重试",
        "now",
    ),
    "tls_failed": (
        "服务器证书未通过验证，未下载",
        "与主机名相符、在有效期内、由受信机构签发的证书",
        "请联系数据提供方更换证书；单位自建证书机构的，登记 ca_file。不要关闭验证",
        "never",
    ),
    "timeout": (
        "下载超时，已停止",
        "在登记的总时限内完成",
        "请稍后再试；文件确实较大的，调整 total_seconds",
        "later",
    ),
    "connection_lost": (
        "连接中断",
        "完整的应答",
        "稍后将自动重试；多次出现请联系数据提供方",
        "now",
    ),
    "cut_short": (
        "下载不完整，未采用",
        "与声明长度一致的正文",
        "稍后将自动重试；多次出现请联系数据提供方",
        "now",
    ),
    "protocol_error": (
        "服务器应答不符合 HTTP 规范",
        "规范的 HTTP 应答",
        "请联系数据提供方",
        "later",
    ),
    "too_large": (
        "内容超过大小上限，已停止",
        "不超过登记上限的文件",
        "请核对网址；文件确实较大的，调整 max_bytes",
        "never",
    ),
    "encoding_refused": (
        "正文的压缩方式不受支持",
        "不压缩或 gzip 压缩",
        "请联系数据提供方",
        "never",
    ),
    "gzip_damaged": (
        "压缩正文损坏或不完整，未采用",
        "校验正确的压缩正文",
        "稍后将自动重试；多次出现请联系数据提供方",
        "now",
    ),
    "digest_mismatch": (
        "正文与服务器声明的校验值不符，未采用",
        "与校验值一致的正文",
        "稍后将自动重试；多次出现请联系数据提供方",
        "now",
    ),
    "length_exceeded": (
        "正文比声明的长度长，内容可能被截断，未采用",
        "与声明长度一致的正文",
        "请联系数据提供方改正 Content-Length（常见原因是按字数而不是字节数计算）",
        "later",
    ),
    "end_not_proven": (
        "无法确认下载完整，未采用",
        "服务器给出长度、分块结尾或校验值",
        "请联系数据提供方给出 Content-Length，或改为提供 xlsx 文件",
        "later",
    ),
    "empty_body": ("下载的内容为空，未采用", "有内容的文件", "请核对网址或联系数据提供方", "later"),
    "container_damaged": (
        "文件损坏或不完整，未采用",
        "完整的文件",
        "稍后将自动重试；多次出现请联系数据提供方",
        "later",
    ),
    "not_expected_type": (
        "下载的内容不是约定的文件，未采用",
        "约定的文件",
        "请用浏览器打开网址核对；出现登录页或维护公告的，联系数据提供方或更新访问凭据",
        "later",
    ),
    "busy": (
        "服务器繁忙或维护，要求稍后再来",
        "可用的服务器",
        "将按服务器要求的时间自动重试",
        "later",
    ),
    "not_found": (
        "服务器上没有该文件",
        "文件已发布",
        "尚未发布的请等待；网址已变的，请更新登记",
        "later",
    ),
    "denied": ("服务器拒绝访问", "有权访问的凭据", "请联系数据提供方，更新访问凭据", "never"),
    "server_error": (
        "服务器内部出错",
        "正常的应答",
        "请稍后再试；多次出现请联系数据提供方",
        "later",
    ),
    "unexpected_status": ("服务器应答异常", "状态码 200", "请核对网址或联系数据提供方", "never"),
    "unexpected_not_modified": (
        "服务器称文件未变，但本次没有可比的版本",
        "完整的文件",
        "请联系数据提供方",
        "later",
    ),
    "waiting": ("尚未到约定的重试时间，未访问", "重试时间之后", "请等待自动重试", "later"),
}


@dataclass(frozen=True, slots=True)
class PullState:
    """What the caller keeps between calls, per source and address. Times carry a zone.

    ``sha256`` and ``size`` describe the last good body; ``full_at`` is when it was last seen whole;
    ``failures`` counts failed calls in a row; before ``retry_at`` the server is not asked again.
    """

    url: str = ""
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    size: int | None = None
    full_at: datetime | None = None
    checked_at: datetime | None = None
    failures: int = 0
    retry_at: datetime | None = None

    def to_dict(self) -> dict[str, str | int | None]:
        """Plain values for JSON or a table; times as ISO 8601."""
        values = asdict(self)
        return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PullState:
        """Inverse of ``to_dict``; unknown keys are ignored."""
        known = {item.name: values[item.name] for item in fields(cls) if item.name in values}
        for name in ("full_at", "checked_at", "retry_at"):
            if known.get(name) is not None:
                known[name] = datetime.fromisoformat(known[name])
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Pulled:
    """A new body, whole and of the promised kind. ``notices``: where the server was untruthful."""

    data: bytes
    sha256: str
    file_name: str
    state: PullState
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The content is the one known already, by digest or by the server's word (304)."""

    state: PullState
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class PullFailed:
    """Nothing was taken; what was known before stays valid. Texts are Chinese, for the bureau.

    ``retry_at``: when to try again by itself; ``None``: at the next regular time, or by a person.
    ``state`` is to be kept like that of a success.
    """

    code: str
    message: str
    found: str
    expected: str
    remedy: str
    retry_at: datetime | None
    state: PullState


Result = Pulled | Unchanged | PullFailed


class PullError(Exception):
    """Ends a try; ``code`` is a key of ``TEXTS``."""

    def __init__(self, code: str, found: str, *, expected: str = "", wait: timedelta | None = None):
        super().__init__(f"{code}: {found}")
        self.code = code
        self.found = found
        self.expected = expected
        self.wait = wait

    @property
    def again(self) -> Again:
        """When a further try makes sense."""
        return TEXTS[self.code][3]


def failed(source_id: str, fault: PullError, state: PullState, now: datetime) -> PullFailed:
    """A failure that counts: one more in a row, with the time of the next try."""
    failures = state.failures + 1
    retry_at = None
    if fault.again != "never" and failures <= MAX_FAILURES:
        retry_at = now + _wait(source_id, failures, fault.wait)
    kept = replace(state, checked_at=now, failures=failures, retry_at=retry_at)
    return failure(source_id, fault, kept)


def failure(source_id: str, fault: PullError, state: PullState) -> PullFailed:
    """The catalogue's texts for a fault, with what was found this time."""
    message, expected, remedy, _ = TEXTS[fault.code]
    return PullFailed(
        code=fault.code,
        message=f"数据源“{source_id}”：{message}",
        found=fault.found,
        expected=fault.expected or expected,
        remedy=remedy,
        retry_at=state.retry_at,
        state=state,
    )


def _wait(source_id: str, failures: int, asked: timedelta | None) -> timedelta:
    """Time to the next try: what the server asked for, never less, or doubling; at most 6 h."""
    share = spread(source_id, failures)
    if asked is not None:
        return min(max(asked, MIN_RETRY_AFTER) * (1 + 0.1 * share), MAX_RETRY_AFTER)
    factor: int = 2 ** min(failures - 1, 10)
    doubled = min(FIRST_RETRY * factor, MAX_RETRY_AFTER)
    return doubled * (0.75 + 0.25 * share)


def spread(source_id: str, number: int) -> float:
    """0..1, the same for the same source and try: sources do not all come back at once."""
    digest = hashlib.sha256(f"{source_id}|{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 0xFFFFFFFF
