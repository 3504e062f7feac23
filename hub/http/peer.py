"""Where a request comes from: which address, whether over TLS, and on whose word."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from hub.settings import Settings

__all__ = ["Peer", "peer_of", "same_origin"]

Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a request."""

    address: str
    """The client's own where trusted proxies passed it on; empty where it is not known."""
    proxied: bool
    """Whether the connection itself is a trusted proxy's."""
    secure: bool
    """Whether the browser speaks TLS, as far as the hub can know."""
    local: bool
    """Whether the browser runs on this machine and speaks to this machine."""


def peer_of(request: HTTPConnection, settings: Settings) -> Peer:
    """Return where a request comes from. Anybody else's forwarding headers are not looked at."""
    direct = request.client.host if request.client else ""
    proxies = settings.proxies
    proxied = _within(direct, proxies)
    headers = request.headers
    address = direct
    if proxied:
        # Each proxy adds at the right; the first from there that is none of ours is the client.
        for hop in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            if _readable(hop.strip()):
                address = hop.strip()
            if not _within(hop.strip(), proxies):
                break
    https = bool(settings.public_url and settings.public_url.startswith("https://"))
    told = headers.get("x-forwarded-proto", "") == "https"
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    return Peer(
        address,
        proxied,
        secure=https or (proxied and told),
        local=not proxied and _loopback(direct) and (_loopback(host) or host == "localhost"),
    )


def same_origin(request: HTTPConnection, settings: Settings) -> bool:
    """Return whether a browser that sends this shows one of the hub's own pages.

    A browser tells at least one of ``Sec-Fetch-Site`` and ``Origin`` with everything that
    can change something; other programs tell neither.
    """
    headers = request.headers
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    return origin == settings.public_url or (
        origin.partition("://")[2] == headers.get("host", "") != ""
    )


def _within(address: str, networks: Networks) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def _loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _readable(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True
