"""What persons do at the hub that no other entry of the log tells: tokens, accounts, retries.

Each has an entry of the kind ``action``, with the person's name. It says what was done and
to whom, and never a secret, nor the name that somebody signs in with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from schemas.errors import Rejected

__all__ = ["ABOUT", "ACTIONS", "ActionName", "action_of"]

ActionName = Literal[
    "dead-letter-retried",
    "token-issued",
    "token-revoked",
    "certificate-registered",
    "account-added",
    "account-disabled",
    "account-enabled",
    "account-unlocked",
    "password-changed",
    "second-factor-changed",
    "second-factor-removed",
    "sign-on-bound",
    "sign-on-unbound",
    "session-ended",
    "outlet-added",
    "outlet-changed",
    "outlet-removed",
]
ACTIONS: Final[tuple[ActionName, ...]] = get_args(ActionName)

ABOUT: Final = (
    *("index", "token", "person", "roles", "agency", "state", "scopes", "expires", "at"),
    *("outlet", "feed", "change"),
)
"""What an action may be about, in the order in which its entry says it."""

_LONGEST: Final = 300


def action_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of an action's entry.

    Raises:
        Rejected: ``action-invalid``; the hub itself wrote it, so somebody else did.
    """
    name, about = body.get("action"), body.get("about")
    if name not in ACTIONS or not isinstance(about, Mapping):
        raise _invalid("there is no such action")
    if beyond := set(about) - set(ABOUT):
        raise _invalid(f"it is not about {', '.join(sorted(beyond))[:100]}")
    return {"action": name, "about": {n: _plain(n, about[n]) for n in ABOUT if n in about}}


def _plain(name: str, value: Any) -> Any:
    if name == "index":
        if type(value) is not int or value < 0:
            raise _invalid("an index is a number")
        return value
    if name in {"roles", "scopes"}:
        if not isinstance(value, list) or len(value) > 20:
            raise _invalid(f"{name} are a list")
        return [_text(one) for one in value]
    return _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or "\x00" in value:
        raise _invalid("it holds what is no text")
    return value


def _invalid(why: str) -> Rejected:
    return Rejected(
        "action-invalid",
        f"this is no action of a person: {why}",
        remedy="Nobody sends these; whoever can write the hub's streams should be looked for.",
    )
