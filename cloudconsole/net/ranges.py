"""Which addresses are nobody's business from here. Judged by numbers alone, so that no spelling and no name matters.

The table is that of Microsoft's AntiSSRF library (config/IPAddressRanges.json, recommended_v1), which follows IANA's
special-purpose registries, and what it leaves out: IPv4 in its IPv6 disguises, and everything outside of 2000::/3.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from cloudconsole.net.refusals import Cause

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

DENIED_V4: tuple[IPv4Network, ...] = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
DENIED_V6: tuple[IPv6Network, ...] = tuple(
    map(
        IPv6Network,
        (
            "::/96",
            "::ffff:0:0:0/96",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "100:0:0:1::/64",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "2620:4f:8000::/48",
            "3fff::/20",
            "5f00::/16",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
        ),
    )
)
GLOBAL_V6 = IPv6Network("2000::/3")

# Where machines hand out their own credentials, and what no setting opens: AWS, ECS, EKS, Google, Alibaba, Oracle, Azure,
# Tencent, Scaleway, Akamai (Linode), OpenStack.
METADATA: frozenset[IPAddress] = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",
            "169.254.169.123",
            "169.254.169.253",
            "169.254.170.2",
            "169.254.170.23",
            "169.254.0.23",
            "169.254.42.42",
            "fd00:ec2::23",
            "fd00:ec2::123",
            "fd00:ec2::253",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:42::42",
            "fd00:a9fe:a9fe::1",
            "fe80::a9fe:a9fe",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
        ),
    )
)
LAMBDA_RUNTIME = (IPv4Address("127.0.0.1"), 9001)  # hands out a function's events, and takes answers in its name

# Not places but wildcards and crowds: no setting opens these either.
_NOBODY: tuple[IPNetwork, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("224.0.0.0/4"),
    IPv4Network("255.255.255.255/32"),
    IPv6Network("::/128"),
    IPv6Network("ff00::/8"),
)

_NAT64 = IPv6Network("64:ff9b::/96")
_MAPPED = IPv6Network("::ffff:0:0/96")
_LOW_32_BITS = (IPv6Network("::/96"), _MAPPED, IPv6Network("::ffff:0:0:0/96"), _NAT64)
_ISATAP = (0x00005EFE, 0x02005EFE)
# Whoever translates here chooses how long the prefix is, and with it where the IPv4 address stands (RFC 6052, 2.2).
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_LOCAL_NAT64_BYTES = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))


def embedded_v4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, compatible, SIIT, NAT64, 6to4 or ISATAP."""
    number = int(address)
    if number <= 1:  # "any" and this machine itself
        return None
    if any(address in network for network in _LOW_32_BITS) or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(number & 0xFFFFFFFF)
    return address.sixtofour


def _translated_near(address: IPv6Address) -> list[IPv4Address]:
    """What a translator of this network may make of the address."""
    if address not in _LOCAL_NAT64:
        return []
    return [IPv4Address(bytes(address.packed[place] for place in places)) for places in _LOCAL_NAT64_BYTES]


def denied(address: IPAddress, port: int, allowed: Sequence[IPNetwork]) -> Cause | None:
    """Why nothing is sent to this address; None when it may be. `allowed` are the operator's exceptions."""
    inner = embedded_v4(address) if isinstance(address, IPv6Address) else None
    faces = [address] if inner is None else [address, inner]
    near = _translated_near(address) if isinstance(address, IPv6Address) else []
    if any(face in METADATA or (face, port) == LAMBDA_RUNTIME for face in (*faces, *near)):
        return Cause.METADATA
    if any(face in network for face in faces for network in _NOBODY):
        return Cause.ADDRESS_DENIED
    if isinstance(address, IPv6Address) and address in _MAPPED and inner is not None:
        return denied(inner, port, allowed)
    return None if _is_allowed(faces, allowed) or _is_public(address) else Cause.ADDRESS_DENIED


def is_excepted(address: IPAddress, allowed: Sequence[IPNetwork]) -> bool:
    """Whether the operator named the network of this address. A network of every address is no exception but a mistake."""
    plain = address.ipv4_mapped if isinstance(address, IPv6Address) and address.ipv4_mapped else address
    return any(network.prefixlen and plain in network for network in allowed)


def _is_allowed(faces: Sequence[IPAddress], allowed: Sequence[IPNetwork]) -> bool:
    # A disguise counts as what it stands for as well: allowing NAT64 as such does not open private IPv4 behind it.
    outer, *inner = faces
    return is_excepted(outer, allowed) and all(is_excepted(face, allowed) or _is_public(face) for face in inner)


def _is_public(address: IPAddress) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in DENIED_V4)
    if embedded_v4(address) is not None:
        return False
    return address in GLOBAL_V6 and not any(address in network for network in DENIED_V6)
