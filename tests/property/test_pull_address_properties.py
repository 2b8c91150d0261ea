"""Properties of the address rules: no two parsers disagree on who is asked, whatever the text."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assets.submissions.pulling.pull_addresses import (
    AddressError,
    Target,
    address_kind,
    check_addresses,
    check_url,
    parse_endpoint,
    parse_host,
    without_secrets,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
PIECES = st.lists(
    st.sampled_from(
        ["http", "https", "://", ":", "/", "//", "\\", "@", "#", "?", "%", "%00", "%2e", "[", "]",
         "127.0.0.1", "0x7f", "017700000001", "2130706433", "::1", "::ffff:127.0.0.1", "localhost",
         "a.cn", "xn--fiqs8s", ".", "0", "1", "443", "80", "-", "_", "\t", "\r\n", "\x00", " ",
         "。", "１", "ｈ", "①", "‮", "é", "e", "x", "user", "*"]
    ),
    max_size=12,
).map("".join)  # fmt: skip
V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)


def checked(url: str) -> Target | None:
    """The target of a URL whose own host is allowed: only grammar can refuse it."""
    try:
        netloc = urlsplit(url).netloc.rpartition("@")[2]
        return check_url(url, (netloc,), allow_http=True)
    except (AddressError, ValueError):
        return None


@settings(max_examples=600, deadline=None)
@given(PIECES.map("https://".__add__) | PIECES | TEXT)
@example("https://a.cn:443/a?b#c")
@example("https://a.cn\\@127.0.0.1/")
def test_what_passes_means_the_same_to_the_standard_library_and_to_httpx(url: str) -> None:
    target = checked(url)
    if target is None:
        return
    split, asked = urlsplit(target.url), httpx.URL(target.url)
    assert split.hostname == target.host
    assert split.port in (None, target.port)
    assert asked.raw_host == target.host.encode()
    assert asked.port in (None, target.port)
    assert asked.raw_scheme == target.scheme.encode()
    assert split.username is None
    assert asked.userinfo == b""
    assert target.url.isascii()
    assert target.url.isprintable()
    assert check_url(target.url, (target.authority,), allow_http=True) == target


@settings(max_examples=600, deadline=None)
@given(PIECES | TEXT)
@example("0x7f.1")
@example("127.0.0.1.")
@example("1.2.3.08")
def test_a_name_that_passes_is_never_an_address_to_the_system(host: str) -> None:
    """``inet_aton`` reads all the odd spellings that resolvers read."""
    try:
        name, literal = parse_host(host)
    except AddressError:
        return
    if literal is None:
        try:
            socket.inet_aton(name)
        except OSError:
            return
        raise AssertionError(f"{host!r} passed as a name and is an address")
    assert str(ipaddress.ip_address(literal)) == name == literal


@given(V4)
def test_every_ipv4_address_has_one_spelling(address: ipaddress.IPv4Address) -> None:
    assert parse_host(str(address)) == (str(address), str(address))
    number = int(address)
    octets = address.packed
    for spelling in (
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(f"{octet:#x}" for octet in octets),
        ".".join(f"0{octet:o}" for octet in octets),
        f"{octets[0]}.{number & 0xFFFFFF}",
        f"{octets[0]}.{octets[1]}.{number & 0xFFFF}",
        f"{address}.",
    ):
        if spelling == str(address):
            continue
        try:
            parse_host(spelling)
        except AddressError:
            continue
        raise AssertionError(f"{spelling!r} passed")


@given(V4 | V6)
def test_only_addresses_python_too_calls_global_are_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address_kind(address) == "public":
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@given(V4, st.sampled_from(["::ffff:0:0", "::", "64:ff9b::", "::ffff:0:0:0"]))
def test_an_ipv4_address_inside_ipv6_is_never_public(
    inner: ipaddress.IPv4Address, prefix: str
) -> None:
    address = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(inner))
    assert address_kind(address) != "public"
    assert address_kind(ipaddress.IPv6Address((0x2002 << 112) | (int(inner) << 80))) != "public"


@given(st.lists(V4 | V6, min_size=1, max_size=6), st.booleans())
def test_a_host_passes_only_if_every_address_does(
    addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address], opened: bool
) -> None:
    target = Target("https", "a.cn", 443, "/", None)
    permitted = {"public", "private"} if opened else {"public"}
    kinds = {address_kind(address) for address in addresses}
    try:
        pinned = check_addresses(target, [str(a) for a in addresses], ("a.cn:443",) * opened)
    except AddressError:
        assert not kinds <= permitted
    else:
        assert kinds <= permitted
        assert set(pinned) == {str(address) for address in addresses}


@given(PIECES | TEXT)
def test_entries_either_parse_to_themselves_or_are_refused(text: str) -> None:
    try:
        host, port = parse_endpoint(text)
    except AddressError:
        return
    shown = f"[{host}]" if ":" in host else host
    assert parse_endpoint(shown if port is None else f"{shown}:{port}") == (host, port)


@given(PIECES | TEXT)
def test_messages_are_plain_and_short(url: str) -> None:
    shown = without_secrets(url + "?key=geheim")
    assert shown.isascii()
    assert shown.isprintable()
    assert "geheim" not in shown
    assert len(shown) <= 800
