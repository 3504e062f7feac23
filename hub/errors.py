"""The two branches of failure: the sender must change something, or the hub must recover.

::

    HubError
    |- Rejected             the sender must change something (schemas.errors)
    `- Unavailable          the hub must recover; the same request will work later
       `- LogMoved          another ledger appended first: reload and decide again

``code`` is stable and the same in HTTP, on the receipt stream, in the command
line and in the log; docs/errors.md lists every one.
"""

from __future__ import annotations

from schemas.errors import Finding, HubError, Rejected

__all__ = ["Finding", "HubError", "LogMoved", "Rejected", "Unavailable"]


class Unavailable(HubError):
    """A part of the hub is down or behind. Nothing is wrong with the request: send it again."""

    def __init__(self, code: str, detail: str, *, remedy: str = "", retry_after_s: int = 1) -> None:
        super().__init__(code, detail, remedy=remedy or "Send the same again a little later.")
        self.retry_after_s = retry_after_s


class LogMoved(Unavailable):
    """The log is longer than its writer believed: nothing was written, decide again."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__("log-moved", f"the log has {actual} entries, not {expected}")
        self.expected = expected
        self.actual = actual
