"""Where the hub may be sent: not to itself, nor to what only its own network can reach.

Whoever registers an address makes the hub connect to it. So a name is resolved here, every
address that it stands for is looked at, and the connection goes to the very address that was
looked at: a name that is answered otherwise a moment later (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Final

import httpcore

__all__ = ["Forbidden", "Guard", "GuardedBackend", "is_outside"]

Network = IPv4Network | IPv6Network

_NAT64: Final = ip_network("64:ff9b::/96")
_SIX_TO_FOUR: Final = ip_network("2002::/16")
_TEREDO: Final = ip_network("2001::/32")
_NEVER: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "100.64.0.0/10",
            "192.0.0.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "240.0.0.0/4",
            "64:ff9b:1::/48",
            "100::/64",
            "2001:db8::/32",
            "5f00::/16",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
        ),
    )
)


class Forbidden(Exception):
    """An address is none that the hub connects to."""


def is_outside(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one of the internet, whatever it is wrapped in."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_outside(inner)
        if address in _SIX_TO_FOUR or address in _TEREDO:
            return False  # tunnels of another age: what is behind them is anybody's guess
    if any(address.version == n.version and address in n for n in _NEVER):
        return False
    return address.is_global and not (
        address.is_multicast
        or address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_reserved
        or address.is_unspecified
    )


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or int(address) >> 32 == 0:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


class Guard:
    """Finds the address to connect to, or refuses."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def allows(self, address: IPv4Address | IPv6Address) -> bool:
        """Return whether the operator named a network that the address is in."""
        plain = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        one = plain or address
        return any(one.version == n.version and one in n for n in self._allowed)

    async def addresses_of(self, host: str, port: int, *, encrypted: bool) -> list[str]:
        """Return the addresses of a name, all of them fit to connect to, the best first.

        Raises:
            Forbidden: an address is not outside, and the operator did not allow it; or it is
                to be spoken to in the clear, and the operator did not allow that.
            OSError: the name has no address now.
        """
        host = host.strip("[]")
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as e:
            raise Forbidden(f"{host[:100]} is no name of a host") from e
        addresses = list(dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in found))
        if not addresses:
            raise OSError(f"{host[:100]} has no address")
        for one in addresses:
            self._check(host, ip_address(one), encrypted=encrypted)
        return addresses

    def _check(self, host: str, address: IPv4Address | IPv6Address, *, encrypted: bool) -> None:
        if self.allows(address):
            return
        if not is_outside(address):
            raise Forbidden(f"{host[:100]} is {address}, an address of an inner network")
        if not encrypted:
            raise Forbidden(f"{host[:100]} would be spoken to in the clear")


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects where a guard allows it; the certificate is still held against the name."""

    def __init__(self, guard: Guard, *, encrypted: bool) -> None:
        self._guard = guard
        self._encrypted = encrypted
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's name
        local_address: str | None = None,
        socket_options: Any = None,  # noqa: ARG002  # httpcore's name
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the addresses that were looked at."""
        addresses = await self._guard.addresses_of(host, port, encrypted=self._encrypted)
        for address in addresses[:-1]:
            # One family of addresses may have no way out here.
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._backend.connect_tcp(
                    address, port, timeout=timeout, local_address=local_address
                )
        return await self._backend.connect_tcp(
            addresses[-1], port, timeout=timeout, local_address=local_address
        )

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109  # httpcore's name
        socket_options: Any = None,  # noqa: ARG002  # httpcore's name
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: a file of this machine is no receiver."""
        raise Forbidden(f"{path[:100]} is a file")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
