"""Whatever way a forbidden address is written, it is refused; whatever is public and plain, is not."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudconsole.net import addresses, ranges
from cloudconsole.net.egress import Cause, Door, PlainHttp, Refused
from cloudconsole.net.ranges import DENIED_V4, DENIED_V6, METADATA, IPAddress

PUBLIC = [ipaddress.ip_address("8.8.4.4"), ipaddress.ip_address("2606:4700::6810:84e5")]
MEANINGS = {
    "private.example.net": ["10.0.0.7"],
    "loopback.example.net": ["127.0.0.1"],
    "mixed.example.net": ["8.8.4.4", "192.168.1.1"],
    "v6-ula.example.net": ["fd12::1"],
    "mapped.example.net": ["::ffff:10.0.0.1"],
    "nat64.example.net": ["64:ff9b::8.8.8.8"],
    "sixtofour.example.net": ["2002:0a00:0001::"],
    "cgnat.example.net": ["100.64.3.3"],
    "multicast.example.net": ["224.0.0.251"],
    "zero.example.net": ["0.0.0.0"],  # noqa: S104 - judged, not bound
    "imds.example.net": ["8.8.4.4", "169.254.169.254"],
    "imds6.example.net": ["fd00:ec2::254"],
    "mapped-imds.example.net": ["::ffff:169.254.169.254"],
    "empty.example.net": [],
}


def resolve(host: str, port: int) -> Sequence[IPAddress]:
    if host == "nothing.example.net":
        raise Refused(Cause.UNRESOLVED)
    return [ipaddress.ip_address(text) for text in MEANINGS[host]] if host in MEANINGS else PUBLIC


DOOR = Door(own_names=("console.example.org", ".tenants.example.org"), resolve=resolve)
LINES = [
    line.split("\t")
    for line in (Path(__file__).parent / "data" / "hostile.txt").read_text().splitlines()
    if not line.startswith("#")
]


def verdict(url: str, door: Door = DOOR) -> str:
    try:
        door.check(url)
    except Refused as refusal:
        return refusal.cause.value
    return "allow"


def test_the_door_tells_every_line_of_the_corpus() -> None:
    wrong = []
    for expected, trick, text in LINES:
        url = json.loads(text)
        found = verdict("https://example.com/" + "a" * addresses.LONGEST if url == "LONG" else url)
        if found != expected:
            wrong.append((trick, url, expected, found))
    assert wrong == []
    assert len([expected for expected, _, _ in LINES if expected != "allow"]) >= 480


def test_every_refusal_has_the_same_words() -> None:
    words = {Refused(cause).detail for cause in Cause}
    assert len(words) == 1


def spellings(address: IPv4Address) -> list[str]:
    """Fourteen ways to write an IPv4 address, each of which some resolver or browser reads."""
    a, b, c, d = address.packed
    number = int(address)
    digits = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
    return [
        f"{a}.{b}.{c}.{d}",
        f"{a}.{b}.{c}.{d}.",
        f"{a}.{b}.{c * 256 + d}",
        f"{a}.{number & 0xFFFFFF}",
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(f"0{part:o}" for part in (a, b, c, d)),
        ".".join(hex(part) for part in (a, b, c, d)),
        f"{a:03}.{b:03}.{c:03}.{d:04}",
        str(address).translate(digits),
        str(address).replace(".", "。"),
        f"[::ffff:{address}]",
        f"[::{number >> 16:x}:{number & 0xFFFF:x}]",
    ]


def inside(network: IPv4Network) -> st.SearchStrategy[IPv4Address]:
    return st.integers(int(network[0]), int(network[-1])).map(IPv4Address)


@given(st.sampled_from(DENIED_V4).flatmap(inside), st.sampled_from(["http", "https"]))
def test_a_denied_address_is_refused_in_every_spelling(address: IPv4Address, scheme: str) -> None:
    door = Door(plain_http=PlainHttp.ANYWHERE, resolve=resolve)
    assert "allow" not in {verdict(f"{scheme}://{spelling}/", door) for spelling in spellings(address)}


@given(st.sampled_from(DENIED_V4).flatmap(inside))
def test_a_denied_address_is_refused_in_every_ipv6_disguise(address: IPv4Address) -> None:
    number = int(address)
    disguises = [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(number),
        IPv6Address(0xFFFF << 48 | number),
        IPv6Address((0x0064FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | number << 80),
        IPv6Address((0x2A00 << 112) | 0x5EFE << 32 | number),
        IPv6Address((0x2A00 << 112) | 0x02005EFE << 32 | number),
    ]
    assert all(ranges.denied(disguise, 443, ()) for disguise in disguises)


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_ipv6_outside_of_the_global_range_is_refused(address: IPv6Address) -> None:
    if address not in ranges.GLOBAL_V6 and address.ipv4_mapped is None:
        assert ranges.denied(address, 443, ())


@given(st.text(max_size=60), st.sampled_from(["", "https://", "https://example.com", "http://[", "https://a.example:"]))
def test_what_is_read_is_written_back_as_the_same(text: str, start: str) -> None:
    try:
        address = addresses.parse(start + text)
    except Refused:
        return
    assert addresses.parse(address.url) == address


@pytest.mark.parametrize("address", sorted(METADATA, key=str))
def test_no_exception_opens_a_metadata_address(address: IPAddress) -> None:
    around = ipaddress.ip_network((address, 8), strict=False)
    exact = ipaddress.ip_network(address)
    host = f"[{address}]" if address.version == 6 else str(address)
    assert verdict(f"https://{host}/", Door(allowed=(around, exact))) == "metadata"


def test_an_exception_opens_its_network_and_nothing_else() -> None:
    door = Door(allowed=(ipaddress.ip_network("192.168.1.0/24"), ipaddress.ip_network("fd12::/16")), resolve=resolve)
    assert verdict("http://192.168.1.7:8080/hook", door) == "allow"
    assert verdict("https://[::ffff:192.168.1.7]/", door) == "allow"
    assert verdict("http://[fd12::7]/", door) == "allow"
    assert verdict("https://192.168.2.7/", door) == "address_denied"
    assert verdict("https://[64:ff9b::192.168.1.7]/", door) == "address_denied"
    assert verdict("http://example.com/", door) == "plain_http"
    assert verdict("https://mixed.example.net/", door) == "allow"
    assert verdict("https://localhost/", door) == "name_denied"


def test_allowing_nat64_does_not_open_what_is_private_behind_it() -> None:
    door = Door(allowed=(ipaddress.ip_network("64:ff9b::/96"),))
    assert verdict("https://[64:ff9b::8.8.8.8]/", door) == "allow"
    assert verdict("https://[64:ff9b::10.0.0.1]/", door) == "address_denied"
    assert verdict("https://[64:ff9b::169.254.169.254]/", door) == "metadata"


def test_allowing_a_translator_of_ones_own_does_not_open_metadata_behind_it() -> None:
    door = Door(allowed=(ipaddress.ip_network("64:ff9b:1::/48"),))
    assert verdict("https://[64:ff9b:1::192.168.1.7]/", door) == "allow"
    behind = ("64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:7:a9:fea9:fe00:0")
    assert {verdict(f"https://[{one}]/", door) for one in behind} == {"metadata"}


@pytest.mark.parametrize("everything", ["0.0.0.0/0", "::/0"])
@pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "https://[fd12::1]/"])
def test_a_network_of_everything_is_no_exception(everything: str, url: str) -> None:
    assert verdict(url, Door(allowed=(ipaddress.ip_network(everything),))) == "address_denied"


@pytest.mark.parametrize("host", ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "[::]", "[ff02::1]"])  # noqa: S104
def test_nobody_and_everybody_are_never_allowed(host: str) -> None:
    text = host.strip("[]")
    assert verdict(f"https://{host}/", Door(allowed=(ipaddress.ip_network(text),))) == "address_denied"


def test_a_functions_runtime_is_never_reached() -> None:
    door = Door(allowed=(ipaddress.ip_network("127.0.0.0/8"),))
    assert verdict("http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", door) == "metadata"
    assert verdict("http://127.0.0.1:9002/", door) == "allow"


def test_no_denied_network_is_written_twice_or_covers_a_public_resolver() -> None:
    assert len({*DENIED_V4, *DENIED_V6}) == len(DENIED_V4) + len(DENIED_V6)
    assert all(
        ranges.denied(ipaddress.ip_address(one), 443, ()) is None for one in ("1.1.1.1", "8.8.8.8", "2606:4700:4700::1111")
    )
