"""Which peers may say who the client is, and what they say."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """The peers whose forwarding headers are believed.

    Args:
        declared: addresses and networks, as in `Preference(trusted_proxies=...)`.
    """

    def __init__(self, declared: Sequence[str] = ()) -> None:
        self._networks: tuple[Network, ...] = tuple(
            ipaddress.ip_network(item, strict=False) for item in declared
        )
        self._trusts = lru_cache(maxsize=1024)(self._look_up)

    def trusts(self, peer: str | None) -> bool:
        """Return whether a socket's peer is a declared proxy.

        A unix socket, whose peer is None, counts as declared: only a proxy on this machine that
        was given access to it can be at its other end.
        """
        return not peer or self._trusts(peer)

    def _look_up(self, peer: str) -> bool:
        address = parse_address(peer)
        return address is not None and any(address in network for network in self._networks)

    def client(self, peer: str | None, forwarded_for: str | None) -> str | None:
        """Return the client's address: the peer, or the right-most untrusted forwarded one.

        A malformed entry ends the walk: what stands left of it cannot be believed.
        """
        if not forwarded_for or not self.trusts(peer):
            return peer
        found = peer
        for entry in reversed(forwarded_for.split(",")):
            address = parse_address(entry.strip())
            if address is None:
                return found
            found = str(address)
            if not self.trusts(found):
                return found
        return found


def parse_address(text: str) -> Address | None:
    """Return an address written with or without port or brackets, None when it is none.

    IPv4 addresses mapped into IPv6 are returned as IPv4.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
