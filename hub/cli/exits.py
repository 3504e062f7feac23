"""What a command's end says: the exit code, and one clear block for a person.

====  ==========================================================================
code  meaning
====  ==========================================================================
0     done
1     a fault of the program itself; a traceback follows
2     the command was called wrongly: an unknown option, a file that is not there
3     a part of the hub is unavailable; the same command will work later
4     not allowed: no token, a wrong one, or one without the right
5     refused: the message or the record must be changed; or the log is broken
130   stopped with Ctrl-C
====  ==========================================================================
"""

from __future__ import annotations

from typing import Final

from hub.errors import HubError, Rejected, Unavailable

__all__ = [
    "DONE",
    "FORBIDDEN",
    "INTERRUPTED",
    "REFUSED",
    "UNAVAILABLE",
    "UNEXPECTED",
    "USAGE",
    "exit_code",
    "usage",
    "worst",
]

DONE: Final = 0
UNEXPECTED: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 3
FORBIDDEN: Final = 4
REFUSED: Final = 5
INTERRUPTED: Final = 130

_FORBIDDEN_CODES: Final = frozenset(
    {
        "token-missing",
        "token-invalid",
        "token-expired",
        "certificate-refused",
        "certificate-unknown",
        "not-allowed",
        "scope-missing",
    }
)

_GRAVITY: Final = (DONE, REFUSED, USAGE, FORBIDDEN, UNAVAILABLE, UNEXPECTED)
"""Where several things failed the last of these is told: it is the one to mend first."""


def usage(detail: str, *, remedy: str) -> Rejected:
    """Return the error of a command that was called wrongly."""
    return Rejected("usage", detail, remedy=remedy)


def exit_code(error: HubError) -> int:
    """Return the exit code that tells of an error."""
    if error.code in _FORBIDDEN_CODES:
        return FORBIDDEN
    if error.code in {"usage", "settings-invalid"}:
        return USAGE
    return UNAVAILABLE if isinstance(error, Unavailable) else REFUSED


def worst(one: int, other: int) -> int:
    """Return the exit code that tells of two things done by one command."""
    return max(one, other, key=_GRAVITY.index)
