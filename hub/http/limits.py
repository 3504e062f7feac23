"""How much one address, one agency or one guesser may ask of the hub, so that others are heard."""

from __future__ import annotations

import hashlib
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Final

from hub.errors import Unavailable
from hub.members.roles import Principal
from hub.settings import Settings
from hub.telemetry import process_metrics

__all__ = ["Limits", "Rate", "name_of", "network_of"]

FAILURES_A_MINUTE: Final = 30
_KEPT: Final = 50_000
_KNOWN: Final = 10_000
_MINUTE_S: Final = 60.0


class Rate:
    """So many a minute of each, of which a whole minute's worth may come at once.

    A bucket of tokens, kept as the one time at which it will be full again: what is full is
    forgotten. Of more than 50,000 at once the least recent is forgotten too; it begins anew.
    """

    def __init__(
        self, a_minute: int, *, kept: int = _KEPT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._each_s = _MINUTE_S / a_minute if a_minute else 0.0
        self._kept = kept
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, who: str) -> float:
        """Return how long it is until *who* has one to take; 0 where it has one now."""
        if not self._each_s:
            return 0.0
        now = self._clock()
        missing_s = max(self._full_at.get(who, now), now) - now
        # A billionth, so that the sum of 60 parts of a minute is a minute.
        return max(0.0, missing_s + self._each_s - _MINUTE_S - 1e-9)

    def take(self, who: str) -> float:
        """Take one, and return 0; where there is none, take none and return the time until then."""
        if not self._each_s or (wait := self.wait_s(who)):
            return wait if self._each_s else 0.0
        now = self._clock()
        self._full_at[who] = max(self._full_at.get(who, now), now) + self._each_s
        self._full_at.move_to_end(who)
        while len(self._full_at) > self._kept or next(iter(self._full_at.values())) <= now:
            self._full_at.popitem(last=False)
        return 0.0


class Limits:
    """What one API process counts of those who ask. Each process counts for itself."""

    def __init__(self, settings: Settings) -> None:
        self._addresses = Rate(settings.address_rate)
        self._strangers = Rate(settings.public_rate)
        self._agencies = Rate(settings.agency_rate)
        self._failures = Rate(FAILURES_A_MINUTE)
        self._most_streams = settings.agency_streams
        self._streams: Counter[str] = Counter()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def of_address(self, address: str) -> None:
        """Count a request of an address, before anything else is looked at.

        Raises:
            Unavailable: ``rate-limited``.
        """
        if wait := self._addresses.take(network_of(address)):
            raise _too_often("this address", wait)

    def of_public(self, address: str) -> None:
        """Count a request of somebody who shows no token.

        Raises:
            Unavailable: ``rate-limited``.
        """
        if wait := self._strangers.take(network_of(address)):
            raise _too_often("this address", wait)

    def of_agency(self, asker: Principal) -> None:
        """Count a request of an agency, all its systems and persons together.

        Raises:
            Unavailable: ``rate-limited``.
        """
        if wait := self._agencies.take(name_of(asker)):
            raise _too_often(asker.agency or "this account", wait)

    def before_looking(self, address: str, shown: str) -> None:
        """Look at nothing that an address shows which guesses.

        What was right from there before is still looked at: nobody who shares the address
        of a guesser, or of a proxy that is not named as one, is shut out with it.

        Raises:
            Unavailable: ``rate-limited``.
        """
        wait = self._failures.wait_s(network_of(address))
        if wait and _digest(address, shown) not in self._known:
            raise _too_often("this address, with tokens that are none,", wait)

    def failed(self, address: str) -> None:
        """Count a token, a session's key or a certificate that is none."""
        self._failures.take(network_of(address))

    def right(self, address: str, shown: str) -> None:
        """Remember that an address showed what is right, as a digest; of the latest 10,000."""
        digest = _digest(address, shown)
        self._known[digest] = None
        self._known.move_to_end(digest)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)

    @contextmanager
    def stream(self, asker: Principal) -> Iterator[None]:
        """Count an event stream of an agency for as long as it is open.

        Raises:
            Unavailable: ``too-many-streams``.
        """
        who = name_of(asker)
        if self._streams[who] >= self._most_streams:
            process_metrics().throttled.labels("too-many-streams").inc()
            raise Unavailable(
                "too-many-streams",
                f"{asker.agency or 'this account'} has {self._most_streams} event streams open",
                remedy="Close one, or follow several feeds by polling.",
                retry_after_s=10,
            )
        self._streams[who] += 1
        try:
            yield
        finally:
            self._streams[who] -= 1
            if not self._streams[who]:
                del self._streams[who]


def name_of(asker: Principal) -> str:
    """Return under what name one is counted: the agency's, else one's own."""
    if asker.agency:
        return asker.agency
    return f"{asker.role} {asker.state} {asker.account or asker.person}"


def network_of(address: str) -> str:
    """Return under what name an address is counted: of IPv6 its /64, of which one host has all."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ip_network((found.packed, 64), strict=False))


def _digest(address: str, shown: str) -> bytes:
    return hashlib.sha256(f"{network_of(address)}\n{shown}".encode()).digest()


def _too_often(who: str, wait_s: float) -> Unavailable:
    process_metrics().throttled.labels("rate-limited").inc()
    return Unavailable(
        "rate-limited",
        f"{who} asks more often than it may",
        remedy="Send the same again after Retry-After, and ask less often.",
        retry_after_s=max(1, ceil(wait_s)),
    )
