"""What each role may do, who asks in which role, and whose eyes they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from hub.errors import Rejected

__all__ = [
    "MAY",
    "ROLES",
    "SCOPES",
    "Principal",
    "Role",
    "Scope",
    "place_of",
    "require",
    "scopes_of",
    "written_scopes",
]

Role = Literal["agency", "officer", "auditor", "registrar", "operator", "witness", "mirror"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

Scope = Literal[
    "read",  # the feeds and messages one is entitled to
    "confirm",  # that a feed has arrived
    "publish",
    "acknowledge",
    "audit",  # the log, dead letters, and all that one's agencies may read
    "register",  # members and subscriptions
    "operate",  # dead letters that are tried again
    "cosign",  # the log's checkpoints, as a witness
    "mirror",  # all entries of the log, without payloads
    "connect",  # outlets, which bring feeds to other systems
]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

MAY: Final[Mapping[Role, frozenset[Scope]]] = {
    "agency": frozenset({"read", "confirm", "publish", "acknowledge", "connect"}),
    "officer": frozenset({"read", "confirm", "publish", "acknowledge"}),
    "auditor": frozenset({"read", "audit"}),
    "registrar": frozenset({"register", "connect"}),
    "operator": frozenset({"read", "audit", "register", "operate", "connect"}),
    "witness": frozenset({"cosign"}),
    "mirror": frozenset({"mirror"}),
}
"""All that a role may. A token or a session has these or fewer."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a system of an agency, or a person by name."""

    role: Role
    agency: str
    """Empty for whoever belongs to a state or to the hub as a whole."""
    person: str
    state: str = ""
    """ISO 3166-1 alpha-2; that of the agency where there is one. Empty: the hub as a whole."""
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    account: str = ""
    """The name of the person's account; empty for a token."""
    session: str = ""
    """The handle of the session; empty for a token."""

    @property
    def by_name(self) -> bool:
        """Whether all that is done is done in this one person's name."""
        return self.role == "officer" or self.account != ""

    @property
    def sees_all(self) -> bool:
        """Whether every message and the whole log is theirs to read."""
        return "audit" in self.scopes and not self.agency and not self.state

    def sees(self, agency: str) -> bool:
        """Return whether what this agency may read is theirs to read too.

        An auditor of a state has the eyes of all its agencies; an agency's id begins
        with its state's code.
        """
        if self.agency:
            return agency == self.agency
        if self.state:
            return "audit" in self.scopes and agency.startswith(f"{self.state.lower()}-")
        return "audit" in self.scopes

    def sees_any(self, agencies: Iterable[str]) -> bool:
        """Return whether what any of these agencies may read is theirs to read."""
        return self.sees_all or any(self.sees(agency) for agency in agencies)


def require(asker: Principal, *scopes: Scope) -> None:
    """Let only those pass who have one of these scopes.

    Raises:
        Rejected: ``not-allowed`` where the role has none of them, ``scope-missing`` where
            only this token has none; logged as a refusal.
    """
    if asker.scopes.intersection(scopes):
        return
    wanted = " or ".join(scopes)
    if MAY[asker.role].intersection(scopes):
        raise Rejected(
            "scope-missing",
            f"this needs the scope {wanted}, which was not given to this token",
            remedy="Ask the operator for a token with that scope.",
        )
    able = " or ".join(role for role in ROLES if MAY[role].intersection(scopes))
    raise Rejected(
        "not-allowed",
        f"this is for the role {able}, not {asker.role}",
        remedy="Use a token of that role.",
    )


def scopes_of(role: Role, written: str) -> frozenset[Scope]:
    """Return the scopes that a row of the store gives; an empty text gives all of the role's.

    What a role may not do (any more) is given by nothing.
    """
    words = written.split()
    return frozenset(s for s in MAY[role] if not words or s in words)


def written_scopes(role: Role, scopes: Iterable[Scope]) -> str:
    """Return scopes as the store keeps them: empty where none are named, which means all.

    Raises:
        Rejected: ``credential-invalid``: a scope that the role has not.
    """
    chosen = set(scopes)
    if beyond := chosen - MAY[role]:
        raise Rejected(
            "credential-invalid",
            f"the role {role} has no scope {', '.join(sorted(beyond))}",
            remedy=f"It has {', '.join(sorted(MAY[role]))}.",
        )
    return " ".join(sorted(chosen))


def place_of(role: Role, agency: str, state: str, person: str) -> str:
    """Return the state that somebody belongs to; empty for the hub as a whole.

    Raises:
        Rejected: ``credential-invalid``: the role needs an agency, a state or a name that
            is not given, or the agency is not of that state.
    """
    if role in {"agency", "officer"} and not agency:
        raise Rejected("credential-invalid", f"the role {role} needs an agency")
    if role in {"officer", "registrar"} and not person.strip():
        raise Rejected("credential-invalid", f"a person acts as {role} by name: give the person")
    own = agency[:2].upper()
    if own and state and state != own:
        raise Rejected("credential-invalid", f"{agency} is of {own}, not of {state}")
    state = state or own
    if state and not (len(state) == 2 and state.isascii() and state.isupper()):
        raise Rejected("credential-invalid", f"{state[:20]} is no code of a state, such as AZ")
    if role in {"witness", "mirror"} and not state:
        raise Rejected("credential-invalid", f"a {role} is a state's: give the state")
    if role == "operator" and state:
        raise Rejected("credential-invalid", "an operator is the hub's, not one state's")
    return state
