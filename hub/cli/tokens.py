"""``caspian tokens``: access tokens, made and ended directly in the hub's own store.

The first token has nobody to ask for it: whoever can open the store may make one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from hub.cli.options import AsJson
from hub.cli.store import open_log
from hub.cli.terminal import emit, note, say, styled, table
from hub.cli.times import read_ahead, utc
from hub.core.registry import History
from hub.errors import Rejected
from hub.log.store import Log
from hub.members import credentials
from hub.members.credentials import Credential, Role
from hub.settings import Settings

__all__ = ["app"]

app: Final = App(name="tokens", help="Issue and revoke access tokens.")


@app.command
def issue(
    role: Role,
    /,
    *,
    agency: Annotated[
        str, Parameter(help="Whose it is: az-fhn. For roles agency and officer.")
    ] = "",
    person: Annotated[str, Parameter(help="Who acts with it. An officer acts by name.")] = "",
    expires: Annotated[
        str | None, Parameter(help="When it ends: 90d, or a time (UTC). Never, if left out.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a token and print it, once: the hub keeps only its hash.

    Parameters
    ----------
    role: Role
        agency: publishes and reads. officer: also acknowledges, by name. auditor: reads
        the log. operator: registers members and looks after dead letters.

    """
    now = datetime.now(UTC)
    until = read_ahead(expires, now=now) if expires is not None else None
    with open_log(Settings.from_environment(), make=True) as log:
        if agency:
            _check_member(log, agency)
        token = credentials.issue(
            log, role=role, agency=agency, person=person, expires=until, now=now
        )
    if json:
        emit(
            {
                "token": token,
                "role": role,
                "agency": agency,
                "person": person,
                "expires": until.isoformat() if until else None,
            }
        )
        return
    say(styled(token))
    note(styled("keep it: it is shown this once. Use it as CASPIAN_TOKEN.", "dim"))


def _check_member(log: Log, agency: str) -> None:
    members = History(log.registry_entries()).latest.agencies
    if agency not in members:
        raise Rejected(
            "unknown-agency",
            f"{agency} is not a member",
            remedy=f"Members are {', '.join(sorted(members)) or 'none yet'}; "
            "`caspian members add` registers one.",
        )


@app.command
def ls(*, json: AsJson = False) -> None:
    """List all tokens ever made, without their secrets."""
    with open_log(Settings.from_environment()) as log:
        found = credentials.listed(log)
    now = datetime.now(UTC)
    if json:
        for one in found:
            emit(_object(one, now))
        return
    table(
        ("TOKEN", "STATE", "ROLE", "AGENCY", "PERSON", "MADE", "EXPIRES"),
        (
            (
                f"csp_{c.prefix}_…",
                styled(_state(c, now), "" if _state(c, now) == "valid" else "dim"),
                c.role,
                c.agency or "-",
                c.person or "-",
                utc(c.created),
                utc(c.expires) if c.expires else "never",
            )
            for c in found
        ),
    )


def _state(c: Credential, now: datetime) -> str:
    if c.revoked is not None:
        return "revoked"
    return "expired" if c.expires is not None and c.expires <= now else "valid"


def _object(c: Credential, now: datetime) -> dict[str, Any]:
    return {
        "prefix": c.prefix,
        "state": _state(c, now),
        "role": c.role,
        "agency": c.agency,
        "person": c.person,
        "created": c.created.isoformat(),
        "expires": c.expires.isoformat() if c.expires else None,
        "revoked": c.revoked.isoformat() if c.revoked else None,
    }


@app.command
def revoke(token: str, /) -> None:
    """End a token; the API forgets it within five seconds.

    Parameters
    ----------
    token: str
        Its prefix, as listed, or the whole token.

    """
    prefix = token.removeprefix("csp_").partition("_")[0]
    with open_log(Settings.from_environment()) as log:
        credentials.revoke(log, prefix, now=datetime.now(UTC))
    say(styled(f"csp_{prefix}_… is revoked"))
