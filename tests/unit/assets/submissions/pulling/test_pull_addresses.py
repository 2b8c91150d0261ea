"""URL grammar, allow-list and address classes of HTTP sources, without a network."""

from __future__ import annotations

import ipaddress

import pytest

from assets.submissions.pulling.pull_addresses import (
    AddressError,
    Target,
    address_kind,
    check_addresses,
    check_url,
    parse_endpoint,
    without_secrets,
)

ALLOWED = (
    "data.example.cn",
    "data.example.cn:8443",
    "xn--fiqs8s.example",
    "8.8.8.8",
    "[2400:3200::1]:8080",
)


@pytest.mark.parametrize(
    ("url", "rebuilt", "host", "port"),
    [
        ("https://data.example.cn", "https://data.example.cn/", "data.example.cn", 443),
        ("HTTPS://DATA.Example.CN/A", "https://data.example.cn/A", "data.example.cn", 443),
        ("https://data.example.cn:443/a", "https://data.example.cn/a", "data.example.cn", 443),
        ("https://data.example.cn:8443/a?b=1&c=%E6%9C%88", None, "data.example.cn", 8443),
        ("http://data.example.cn/%E6%9C%88.xlsx", None, "data.example.cn", 80),
        ("https://data.example.cn/?q=//x@y", None, "data.example.cn", 443),
        ("https://data.example.cn/a/../b", None, "data.example.cn", 443),
        ("https://xn--fiqs8s.example/", None, "xn--fiqs8s.example", 443),
        ("https://8.8.8.8/", None, "8.8.8.8", 443),
        ("https://[2400:3200:0::1]:8080/x", "https://[2400:3200::1]:8080/x", "2400:3200::1", 8080),
    ],
)  # fmt: skip
def test_a_proper_url_is_taken_apart_and_rebuilt(
    url: str, rebuilt: str | None, host: str, port: int
) -> None:
    target = check_url(url, ALLOWED, allow_http=True)
    assert (target.host, target.port) == (host, port)
    assert target.url == (rebuilt or url)
    assert check_url(target.url, ALLOWED, allow_http=True) == target


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://data.example.cn/", "url_refused"),  # http is not declared
        ("ftp://data.example.cn/", "url_refused"),
        ("file:///etc/passwd", "url_refused"),
        ("data.example.cn/", "url_refused"),
        ("//data.example.cn/", "url_refused"),
        ("https:/data.example.cn/", "url_refused"),
        ("https:///data.example.cn/", "url_refused"),
        ("https://user@data.example.cn/", "url_refused"),
        ("https://user:pass@data.example.cn/", "url_refused"),
        ("https://evil.example\\@data.example.cn/", "url_refused"),
        ("https://data.example.cn\\.evil.example/", "url_refused"),
        ("https://data.example.cn/a b", "url_refused"),
        ("https://data.example.cn/a\r\nHost: x", "url_refused"),
        ("https://data.example.cn/\n", "url_refused"),
        ("https://data.example.cn/\x00", "url_refused"),
        ("https://data.example.cn/月.xlsx", "url_refused"),
        ("https://data。example。cn/", "url_refused"),
        ("https://ｄata.example.cn/", "url_refused"),
        ("https://data.example.cn/#top", "url_refused"),
        ("https://data.example.cn/%zz", "url_refused"),
        ("https://data.example.cn/%", "url_refused"),
        ("https://data.example.cn/{period}", "url_refused"),
        ("https://data.example.cn:/", "url_refused"),
        ("https://data.example.cn:0/", "url_refused"),
        ("https://data.example.cn:0443/", "url_refused"),
        ("https://data.example.cn:65536/", "url_refused"),
        ("https://data.example.cn:443:443/", "url_refused"),
        ("https://data.example.cn./", "url_refused"),
        ("https://.data.example.cn/", "url_refused"),
        ("https://data..example.cn/", "url_refused"),
        ("https://-data.example.cn/", "url_refused"),
        ("https://%64ata.example.cn/", "url_refused"),
        ("https://" + "a" * 64 + ".example.cn/", "url_refused"),
        ("https://" + ".".join(["abcdefgh"] * 30) + "/", "url_refused"),
        ("https://data.example.cn/" + "a" * 2000, "url_refused"),
        ("https://134744072/", "url_refused"),  # 8.8.8.8 in other spellings
        ("https://0x08080808/", "url_refused"),
        ("https://010.8.8.8/", "url_refused"),
        ("https://8.8.8/", "url_refused"),
        ("https://8.8.8.8./", "url_refused"),
        ("https://8.8.8.0x8/", "url_refused"),
        ("https://8.8.8.256/", "url_refused"),
        ("https://example.0x/", "url_refused"),
        ("https://[8.8.8.8]/", "url_refused"),
        ("https://[2400:3200::1%25eth0]:8080/", "url_refused"),
        ("https://[2400:3200::1]x:8080/", "url_refused"),
        ("https://2400:3200::1:8080/", "url_refused"),
        ("", "url_refused"),
        ("https://evil.example/", "host_not_allowed"),
        ("https://data.example.cn.evil.example/", "host_not_allowed"),
        ("https://sub.data.example.cn/", "host_not_allowed"),
        ("https://data.example.cn:444/", "host_not_allowed"),
        ("https://data.example.cn:80/", "host_not_allowed"),
        ("https://8.8.4.4/", "host_not_allowed"),
        ("https://[2400:3200::1]/", "host_not_allowed"),
    ],
)
def test_anything_else_is_refused(url: str, code: str) -> None:
    with pytest.raises(AddressError) as refused:
        check_url(url, ALLOWED)
    assert refused.value.code == code
    assert refused.value.found
    assert refused.value.expected


def test_an_entry_without_a_port_means_the_default_port_of_the_scheme() -> None:
    assert check_url("http://data.example.cn:80/", ALLOWED, allow_http=True).port == 80
    with pytest.raises(AddressError):
        check_url("http://data.example.cn:443/", ALLOWED, allow_http=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Data.Example.CN", ("data.example.cn", None)),
        ("data.example.cn:8443", ("data.example.cn", 8443)),
        ("10.0.0.8:80", ("10.0.0.8", 80)),
        ("[::1]:80", ("::1", 80)),
        ("[0:0::1]", ("::1", None)),
    ],
)
def test_list_entries(text: str, expected: tuple[str, int | None]) -> None:
    assert parse_endpoint(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.example.cn", "https://data.example.cn", "data.example.cn/", "a b", "a:0", "::1",
     "a:99999", "127.1", "2130706433", "data.example.cn."],
)  # fmt: skip
def test_list_entries_name_exactly_one_host(text: str) -> None:
    with pytest.raises(AddressError):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", "public"), ("1.1.1.1", "public"), ("223.5.5.5", "public"),
        ("9.255.255.255", "public"), ("11.0.0.0", "public"), ("100.63.255.255", "public"),
        ("100.128.0.0", "public"), ("172.15.255.255", "public"), ("172.32.0.0", "public"),
        ("223.255.255.255", "public"),
        ("0.0.0.0", "unspecified"), ("0.255.255.255", "unspecified"),
        ("10.0.0.0", "private"), ("10.255.255.255", "private"), ("172.16.0.0", "private"),
        ("172.31.255.255", "private"), ("192.168.0.0", "private"), ("192.168.255.255", "private"),
        ("100.64.0.0", "reserved"), ("100.127.255.255", "reserved"), ("168.63.129.16", "reserved"),
        ("192.0.0.170", "reserved"), ("192.88.99.1", "reserved"), ("198.19.255.255", "reserved"),
        ("127.0.0.0", "loopback"), ("127.255.255.255", "loopback"),
        ("169.254.0.0", "link_local"), ("169.254.169.254", "link_local"),
        ("224.0.0.0", "multicast"), ("239.255.255.255", "multicast"),
        ("240.0.0.0", "reserved"), ("255.255.255.255", "reserved"),
        ("2400:3200::1", "public"), ("2606:4700:4700::1111", "public"), ("2001:200::", "public"),
        ("::", "unspecified"), ("::1", "loopback"), ("::2", "embedded_ipv4"),
        ("::7f00:1", "embedded_ipv4"), ("::ffff:8.8.8.8", "embedded_ipv4"),
        ("::ffff:0:8.8.8.8", "embedded_ipv4"), ("64:ff9b::808:808", "embedded_ipv4"),
        ("64:ff9b:1::1", "embedded_ipv4"), ("2002:808:808::", "embedded_ipv4"),
        ("2001::", "reserved"), ("2001:1ff:ffff::", "reserved"), ("2001:db8::1", "reserved"),
        ("3fff:fff::", "reserved"), ("100::1", "reserved"), ("4000::", "reserved"),
        ("fc00::", "private"), ("fdff::1", "private"), ("fe80::1", "link_local"),
        ("febf::1", "link_local"), ("fec0::1", "reserved"), ("ff02::1", "multicast"),
        ("fe80::1%eth0", "link_local"), ("2400:3200::1%eth0", "link_local"),
    ],
)  # fmt: skip
def test_address_classes_and_their_borders(address: str, kind: str) -> None:
    assert address_kind(ipaddress.ip_address(address)) == kind


def target(host: str, port: int = 443, literal: str | None = None) -> Target:
    return Target("https", host, port, "/", literal)


@pytest.mark.parametrize(
    ("asked", "address", "allow_private", "passes"),
    [
        (target("a.cn"), "8.8.8.8", (), True),
        (target("a.cn"), "10.0.0.8", (), False),
        (target("a.cn"), "10.0.0.8", ("a.cn:443",), True),
        (target("a.cn"), "8.8.8.8", ("a.cn:443",), True),
        (target("a.cn", 8443), "10.0.0.8", ("a.cn:443",), False),
        (target("b.cn"), "10.0.0.8", ("a.cn:443",), False),
        (target("a.cn"), "fd12::8", ("a.cn:443",), True),
        # somebody's DNS must never lead to this machine, to the cloud's metadata, or nowhere
        (target("a.cn"), "127.0.0.1", ("a.cn:443",), False),
        (target("a.cn"), "::1", ("a.cn:443",), False),
        (target("a.cn"), "169.254.169.254", ("a.cn:443",), False),
        (target("a.cn"), "100.100.100.200", ("a.cn:443",), False),
        (target("a.cn"), "0.0.0.0", ("a.cn:443",), False),
        (target("a.cn"), "::ffff:10.0.0.8", ("a.cn:443",), False),
        (target("a.cn"), "224.0.0.1", ("a.cn:443",), False),
        (target("localhost"), "127.0.0.1", ("localhost:443",), True),
        (target("localhost"), "127.0.0.1", (), False),
        (target("127.0.0.1", 80, "127.0.0.1"), "127.0.0.1", ("127.0.0.1:80",), True),
        (target("127.0.0.1", 80, "127.0.0.1"), "127.0.0.1", ("127.0.0.1:81",), False),
        (target("::1", 80, "::1"), "::1", ("[::1]:80",), True),
        (target("10.0.0.8", 80, "10.0.0.8"), "10.0.0.8", ("10.0.0.8:80",), True),
        (target("0.0.0.0", 80, "0.0.0.0"), "0.0.0.0", ("0.0.0.0:80",), False),
    ],
)
def test_what_a_private_permission_opens(
    asked: Target, address: str, allow_private: tuple[str, ...], passes: bool
) -> None:
    if passes:
        assert check_addresses(asked, [address], allow_private) == (address,)
    else:
        with pytest.raises(AddressError) as refused:
            check_addresses(asked, [address], allow_private)
        assert refused.value.code == "address_refused"


def test_one_bad_address_among_good_ones_refuses_the_host() -> None:
    for answers in (["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "1.1.1.1", "::1"]):
        with pytest.raises(AddressError):
            check_addresses(target("a.cn"), answers, ())


def test_addresses_come_back_canonical_once_and_in_order() -> None:
    answers = ["2400:3200:0::1", "8.8.8.8", "2400:3200::1"]
    assert check_addresses(target("a.cn"), answers, ()) == ("2400:3200::1", "8.8.8.8")


def test_messages_hide_secrets_and_show_odd_characters() -> None:
    assert without_secrets("https://u:geheim@h/a?key=geheim") == "https://***@h/a"
    assert without_secrets("https://h/\r\n\u202e") == "https://h/\\r\\n\\u202e"
