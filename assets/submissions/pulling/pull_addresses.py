"""Which URL may be asked, and which network address may be connected to.

Belongs here: the strict URL grammar of HTTP sources, the allow-list, and the classes of special
addresses. Pure: no name is resolved and nothing is connected here. Does not belong here: the
exchange itself (``pull``), or what came back (``pull_bodies``).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
AddressKind = Literal[
    "public",
    "private",
    "loopback",
    "link_local",
    "multicast",
    "unspecified",
    "embedded_ipv4",
    "reserved",
]

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL = 2000
MAX_HOST = 253

KIND_ZH: dict[AddressKind, str] = {
    "public": "公网地址",
    "private": "内网地址",
    "loopback": "本机地址",
    "link_local": "链路本地地址",
    "multicast": "组播地址",
    "unspecified": "未指定地址",
    "embedded_ipv4": "嵌套 IPv4 的 IPv6 地址",
    "reserved": "保留地址",
}

# IANA special-purpose registries (RFC 6890 and updates), first match wins. Written out rather than
# taken from `ipaddress.is_global`, whose answers differ between Python patch releases.
_SPECIAL_V4: tuple[tuple[str, AddressKind], ...] = (
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "reserved"),  # carrier NAT; also a cloud's metadata service
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "reserved"),  # a cloud's host agent on a public-looking address
    ("169.254.0.0/16", "link_local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "reserved"),
    ("192.31.196.0/24", "reserved"),
    ("192.52.193.0/24", "reserved"),
    ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "reserved"),
    ("198.18.0.0/15", "reserved"),
    ("198.51.100.0/24", "reserved"),
    ("203.0.113.0/24", "reserved"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
)
_SPECIAL_V6: tuple[tuple[str, AddressKind], ...] = (
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::/96", "embedded_ipv4"),  # deprecated IPv4-compatible
    ("::ffff:0:0/96", "embedded_ipv4"),  # IPv4-mapped
    ("::ffff:0:0:0/96", "embedded_ipv4"),  # IPv4-translated
    ("64:ff9b::/96", "embedded_ipv4"),  # NAT64
    ("64:ff9b:1::/48", "embedded_ipv4"),  # local NAT64
    ("2001::/23", "reserved"),  # Teredo (embeds IPv4), ORCHID, benchmarking …
    ("2001:db8::/32", "reserved"),
    ("2002::/16", "embedded_ipv4"),  # 6to4
    ("2620:4f:8000::/48", "reserved"),
    ("3fff::/20", "reserved"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link_local"),
    ("fec0::/10", "reserved"),
    ("ff00::/8", "multicast"),
)
_V4_TABLE = tuple((ipaddress.IPv4Network(net), kind) for net, kind in _SPECIAL_V4)
_V6_TABLE = tuple((ipaddress.IPv6Network(net), kind) for net, kind in _SPECIAL_V6)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")  # the only range IANA has handed out for unicast

# RFC 3986 characters only: no space, control, backslash, quote, brace or non-ASCII anywhere.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)"
    r"(?P<target>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)"
)
_AUTHORITY = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[1-9][0-9]{0,4}))?"
)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_OCTET = r"(?:0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
_QUAD = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")


class AddressError(Exception):
    """A URL or address that must not be used. Texts are Chinese, for the bureau.

    ``code`` is ``url_refused``, ``host_not_allowed`` or ``address_refused``.
    """

    def __init__(self, code: str, found: str, expected: str) -> None:
        super().__init__(f"{code}: {found}")
        self.code = code
        self.found = found
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that passed the grammar and the allow-list; ``path`` includes the query."""

    scheme: str
    host: str
    port: int
    path: str
    literal: str | None
    """The address when the host is written as one, in canonical form; else ``None``."""

    @property
    def authority(self) -> str:
        """Host as written in a URL and the ``Host`` header; the port only when not the default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL rebuilt from its checked parts; this, not the configured text, is asked."""
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: who is asked."""
        return self.scheme, self.host, self.port

    @property
    def shown(self) -> str:
        """For messages: without the query, which may hold a secret."""
        return f"{self.scheme}://{self.authority}{self.path.partition('?')[0]}"


def address_kind(address: IPAddress) -> AddressKind:
    """Class of an address; only ``public`` may be connected to without an explicit permission."""
    if isinstance(address, ipaddress.IPv4Address):
        return next((kind for net, kind in _V4_TABLE if address in net), "public")
    if address.scope_id is not None:
        return "link_local"
    kind: AddressKind = "public" if address in _GLOBAL_V6 else "reserved"
    return next((special for net, special in _V6_TABLE if address in net), kind)


def parse_host(text: str) -> tuple[str, str | None]:
    """Host of a URL → (canonical host, address if it is written as one).

    Only three spellings exist: four canonical decimal octets, a bracketed IPv6 address without
    zone, or a DNS name. Everything that some resolver reads as an address in another way (decimal,
    octal, hexadecimal, short forms, trailing dot) is refused, so what is checked is what is meant.
    """
    if text.startswith("[") and text.endswith("]"):
        return _parse_ipv6(text)
    host = text.lower()
    if _QUAD.fullmatch(host):
        return host, host
    labels = host.split(".")
    if len(host) > MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise _bad_url(f"主机名写法不合规：{text[:80]}")
    # "ends in a number" (WHATWG URL, host parsing): resolvers read such names as IPv4 addresses
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        raise _bad_url(f"主机用数字变形写法：{text[:80]}")
    return host, None


def parse_endpoint(text: str) -> tuple[str, int | None]:
    """An allow-list entry ``host`` or ``host:port`` → (canonical host, port or ``None``)."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        raise _bad_url(f"名单条目写法不合规：{text[:80]}")
    return parse_host(match["host"])[0], _parse_port(match["port"])


def check_url(url: str, allow_hosts: Sequence[str], *, allow_http: bool = False) -> Target:
    """Checks a URL, configured or redirected to, against the grammar and the allow-list.

    An entry without a port stands for the default port of the scheme. Raises ``AddressError``.
    """
    match = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if match is None or _BAD_PERCENT.search(match["target"]):
        raise _bad_url(f"网址含不允许的字符或缺少部分：{without_secrets(url)}")
    scheme = match["scheme"].lower()
    if scheme not in (("https", "http") if allow_http else ("https",)):
        raise _bad_url(f"协议 {scheme[:20]}")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        raise _bad_url(f"主机部分写法不合规：{without_secrets(match['authority'])}")
    host, literal = parse_host(authority["host"])
    port = _parse_port(authority["port"]) or DEFAULT_PORTS[scheme]
    if not _listed(host, port, allow_hosts, DEFAULT_PORTS[scheme]):
        raise AddressError(
            "host_not_allowed", f"{host}:{port}", "数据源登记的允许主机（allow_hosts）"
        )
    return Target(scheme, host, port, match["target"] or "/", literal)


def check_addresses(
    target: Target, addresses: Sequence[str], allow_private: Sequence[str]
) -> tuple[str, ...]:
    """All addresses a host resolved to → the same in canonical form, if every one may be used.

    ``allow_private`` entries are ``host:port``. Such an entry opens private addresses, and this
    machine's own only where the host is written as ``localhost`` or as a loopback address: a name
    in somebody's DNS must never lead to services of this machine. Link-local, multicast,
    unspecified, reserved and IPv4-in-IPv6 addresses stay closed. Raises ``AddressError``.
    """
    permitted = _permitted_kinds(target, allow_private)
    checked: list[str] = []
    for text in addresses:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise AddressError(
                "address_refused", f"解析结果不是地址：{text[:60]}", "IP 地址"
            ) from None
        kind = address_kind(address)
        if kind not in permitted:
            found = f"{target.host} 指向{KIND_ZH[kind]} {address}"
            raise AddressError("address_refused", found, "、".join(KIND_ZH[k] for k in permitted))
        checked.append(str(address))
    return tuple(dict.fromkeys(checked))


def _permitted_kinds(target: Target, allow_private: Sequence[str]) -> tuple[AddressKind, ...]:
    if (target.host, target.port) not in {parse_endpoint(entry) for entry in allow_private}:
        return ("public",)
    own = target.literal and address_kind(ipaddress.ip_address(target.literal)) == "loopback"
    if own or target.host == "localhost":
        return ("public", "private", "loopback")
    return ("public", "private")


def _listed(host: str, port: int, allow_hosts: Sequence[str], default_port: int) -> bool:
    for entry in allow_hosts:
        allowed_host, allowed_port = parse_endpoint(entry)
        if host == allowed_host and port == (allowed_port or default_port):
            return True
    return False


def _parse_ipv6(text: str) -> tuple[str, str]:
    try:
        canonical = str(ipaddress.IPv6Address(text[1:-1]))
    except ValueError:
        raise _bad_url(f"IPv6 地址写法不合规：{text[:80]}") from None
    return canonical, canonical


def _parse_port(text: str | None) -> int | None:
    if text is None:
        return None
    port = int(text)
    if port > 65535:
        raise _bad_url(f"端口 {text}")
    return port


def _bad_url(found: str) -> AddressError:
    expected = "https://主机名[:端口]/路径，不含用户名、空格、中文、反斜杠和 # 号"
    return AddressError("url_refused", found, expected)


def without_secrets(text: str) -> str:
    """A URL for a message: odd characters made visible, user, password and query left out."""
    bare = re.sub(r"[^/]*@", "***@", text.partition("?")[0])
    return bare[:80].encode("unicode_escape").decode("ascii")
