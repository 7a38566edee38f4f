"""Who really calls, when proxies of ours stand in between: their word is taken, nearest first, and nobody else's.

Only one header is read, the one that our proxies write: a proxy passes on what it does not know, so a second one would be the
caller's own invention.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Header = Literal["x-forwarded-for", "forwarded"]
PEER: Final = "trivium.peer"  # in the scope: the (address, port) that is connected to us, where it is not the caller
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*("[^"]*"|[^;"]*)', re.IGNORECASE)  # RFC 7239 section 4
_NODE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+)(?::[0-9]{1,5})?|([0-9A-Fa-f:.]+)")


class Proxies:
    """Our own proxies, by network."""

    def __init__(self, networks: Iterable[str], header: Header = "x-forwarded-for") -> None:
        """Raises ValueError for what is no network."""
        self._networks = tuple(network(text) for text in networks)
        self._header = header.encode()
        self._hops = _forwarded if header == "forwarded" else _listed

    def unmask(self, scope: Scope) -> None:
        """Where a proxy of ours is connected, puts the caller's address into `client`; None where it does not tell."""
        peer = scope.get("client")
        found = address(peer[0]) if peer else None
        if found is None or not within(found, self._networks):
            return
        scope[PEER] = peer
        scope["client"] = self._caller(found, scope["headers"])

    def _caller(self, nearest: Address, headers: Sequence[tuple[bytes, bytes]]) -> tuple[str, int] | None:
        told = b",".join(value for name, value in headers if name == self._header)
        hops = self._hops(told.decode("latin-1"))
        found: Address | None = nearest
        for hop in reversed(hops):
            found = _node(hop)
            if found is None or not within(found, self._networks):
                break
        return None if found is None else (str(found), 0)


def address(text: str) -> Address | None:
    """The address, an IPv4 one that is mapped into IPv6 (RFC 4291 section 2.5.5.2) as what it is; None for anything else."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def network(text: str) -> Network:
    """The network, a mapped one as the IPv4 network it is. Raises ValueError, in words, for what is none."""
    try:
        found = ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no network such as 192.0.2.0/24 or 2001:db8::/48: {error}") from None
    return plain(found)


def plain(found: Network) -> Network:
    """A network of mapped addresses as the IPv4 network it is."""
    mapped = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    return found if mapped is None or found.prefixlen < 96 else IPv4Network((mapped, found.prefixlen - 96))


def within(found: Address, networks: Iterable[Network]) -> bool:
    return any(found in candidate for candidate in networks)


def _listed(told: str) -> list[str]:
    return [part.strip() for part in told.split(",") if part.strip()]


def _forwarded(told: str) -> list[str]:
    """RFC 7239: one element a hop. One that does not say `for` hides its caller, and so ends the search."""
    elements = [part.strip() for part in told.split(",") if part.strip()]
    found = [_FOR.search(element) for element in elements]
    return [one[1].strip().strip('"') if one else "unknown" for one in found]


def _node(text: str) -> Address | None:
    """An address with or without its port; None for `unknown` and for the hidden names of RFC 7239 section 6.3."""
    found = _NODE.fullmatch(text)
    return address(found[1] or found[2] or found[3]) if found else None
