"""``caspian tokens``: access tokens, made and ended directly in the hub's own store.

The first token has nobody to ask for it: whoever can open the store may make one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from hub.cli.by import By, name_of
from hub.cli.exits import usage
from hub.cli.files import read_input
from hub.cli.frames import tabled
from hub.cli.options import AsJson
from hub.cli.store import check_member, open_log
from hub.cli.terminal import emit, note, say, styled, verbatim
from hub.cli.terms import term
from hub.cli.times import read_ahead, shown
from hub.cli.words import t
from hub.members import certificates, credentials
from hub.members.credentials import Credential, Role
from hub.members.roles import MAY, Scope
from hub.settings import Settings

__all__ = ["app"]

app: Final = App(name="tokens", help="Issue and revoke access tokens.")


@app.command(name=("add", "issue"))
def add(
    role: Role,
    /,
    *,
    agency: Annotated[
        str, Parameter(help="Whose it is: az-fhn. For roles agency and officer.")
    ] = "",
    state: Annotated[
        str,
        Parameter(help="Whose it is: AZ. For an auditor, registrar, witness or mirror of a state."),
    ] = "",
    person: Annotated[str, Parameter(help="Who acts with it. An officer acts by name.")] = "",
    scope: Annotated[
        tuple[Scope, ...],
        Parameter(negative="", help="Only this of what the role may; may be repeated."),
    ] = (),
    expires: Annotated[
        str | None, Parameter(help="When it ends: 90d, or a time (UTC). Never, if left out.")
    ] = None,
    certificate: Annotated[
        Path | None,
        Parameter(help="No token: this client certificate, as the front sees it (PEM or DER)."),
    ] = None,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Make a token and print it, once: the hub keeps only its hash.

    Parameters
    ----------
    role: Role
        agency: publishes, acknowledges and reads. officer: the same, in one person's name.
        auditor: reads the log; that of a state or agency, what these may read. registrar:
        registers members. operator: reads all and looks after dead letters. witness: cosigns
        the log for a state. mirror: copies all entries of the log for a state.

    """
    now, by = datetime.now(UTC), name_of(by)
    until = read_ahead(expires, now=now) if expires is not None else None
    if certificate is not None:
        if role != "agency" or state or person:
            raise usage(
                t("a certificate is of an agency's system"),
                remedy=t("Give role agency and --agency, with no person or state."),
            )
        _register(
            certificate, agency=agency, scopes=scope, until=until, now=now, by=by, as_json=json
        )
        return
    if role == "operator":
        person = person or by  # whatever it does is in the log in somebody's name
    with open_log(Settings.from_environment(), make=True) as log:
        if agency:
            check_member(log, agency)
        token = credentials.issue(
            log,
            role=role,
            agency=agency,
            state=state,
            person=person,
            scopes=scope,
            expires=until,
            now=now,
            by=by,
        )
    if json:
        emit(
            {
                "token": token,
                "role": role,
                "agency": agency,
                "of_state": state or agency[:2].upper(),
                "person": person,
                "scopes": sorted(scope or MAY[role]),
                "expires": until.isoformat() if until else None,
            }
        )
        return
    say(verbatim(token))
    note(styled(t("keep it: it is shown this once. Use it as CASPIAN_TOKEN."), "dim"))


def _register(
    file: Path,
    *,
    agency: str,
    scopes: tuple[Scope, ...],
    until: datetime | None,
    now: datetime,
    by: str,
    as_json: bool,
) -> None:
    found = certificates.read(read_input(str(file)))
    with open_log(Settings.from_environment(), make=True) as log:
        if agency:
            check_member(log, agency)
        prefix = credentials.register(
            log, found, agency=agency, scopes=scopes, expires=until, now=now, by=by
        )
    if as_json:
        emit(
            {
                "prefix": prefix,
                "fingerprint": found.fingerprint.hex(),
                "subject": found.subject,
                "agency": agency,
            }
        )
        return
    say(styled(f"{prefix}  {found.fingerprint.hex()}  {found.subject}"))


@app.command
def ls(*, json: AsJson = False) -> None:
    """List all tokens ever made, without their secrets."""
    with open_log(Settings.from_environment()) as log:
        found = credentials.listed(log)
    columns = (
        *(t("TOKEN"), t("IS"), t("ROLE"), t("OF"), t("PERSON"), t("SCOPES")),
        *(t("MADE"), t("EXPIRES"), t("LAST USED")),
    )
    now = datetime.now(UTC)
    tabled(found, columns, partial(_row, now=now), json=json, record=partial(_object, now=now))


def _row(c: Credential, *, now: datetime) -> tuple[object, ...]:
    return (
        c.prefix if c.fingerprint else f"csp_{c.prefix}_…",
        styled(term(_state(c, now)), "" if _state(c, now) == "valid" else "dim"),
        c.role,
        c.agency or c.state or "-",
        c.person or "-",
        t("all") if c.scopes == MAY[c.role] else " ".join(sorted(c.scopes)),
        shown(c.created),
        shown(c.expires) if c.expires else t("never"),
        shown(c.used) if c.used else t("never"),
    )


def _state(c: Credential, now: datetime) -> str:
    if c.revoked is not None:
        return "revoked"
    return "expired" if c.expires is not None and c.expires <= now else "valid"


def _object(c: Credential, now: datetime) -> dict[str, Any]:
    return {
        "prefix": c.prefix,
        "fingerprint": c.fingerprint or None,
        "state": _state(c, now),
        "role": c.role,
        "agency": c.agency,
        "of_state": c.state,
        "person": c.person,
        "scopes": sorted(c.scopes),
        "created": c.created.isoformat(),
        "expires": c.expires.isoformat() if c.expires else None,
        "revoked": c.revoked.isoformat() if c.revoked else None,
        "used": c.used.isoformat() if c.used else None,
    }


@app.command
def revoke(token: str, /, *, by: By = "") -> None:
    """End a token; the API forgets it within five seconds.

    Parameters
    ----------
    token: str
        Its prefix, as listed (also a certificate's), or the whole token.

    """
    prefix = token.removeprefix("csp_").partition("_")[0]
    with open_log(Settings.from_environment()) as log:
        credentials.revoke(log, prefix, now=datetime.now(UTC), by=name_of(by))
    say(
        styled(t("{token} is revoked", token=token if token.startswith("x") else f"csp_{prefix}_…"))
    )
