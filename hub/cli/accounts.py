"""``caspian accounts``: persons who sign in, looked after directly in the hub's own store."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from getpass import getpass
from typing import Annotated, Any, Final, Literal

from cyclopts import App, Parameter
from rich.text import Text

from hub.cli.by import By, name_of
from hub.cli.exits import usage
from hub.cli.frames import tabled
from hub.cli.options import AsJson
from hub.cli.store import check_member, open_log
from hub.cli.terminal import emit, fields, note, say, styled, verbatim
from hub.cli.terms import term
from hub.cli.times import shown
from hub.cli.words import t
from hub.errors import Rejected
from hub.log.store import Log
from hub.members import accounts, attempts, passwords, sessions, sign_on
from hub.members.accounts import Account, Secrets
from hub.members.sessions import Session
from hub.settings import Settings

__all__ = ["app"]

PersonalRole = Literal["officer", "auditor", "registrar", "operator"]
Ask = Annotated[
    bool,
    Parameter(
        name="--ask",
        negative="",
        help="Read the password from the terminal (or standard input); else one is made.",
    ),
]

app: Final = App(name="accounts", help="Persons who sign in: officers, auditors, registrars.")


@app.command
def add(
    name: str,
    /,
    *,
    person: Annotated[str, Parameter(help="The person's name, as the log will have it.")],
    role: Annotated[
        tuple[PersonalRole, ...],
        Parameter(negative="", help="What the person may; may be repeated."),
    ],
    agency: Annotated[str, Parameter(help="Whose person it is: az-fhn.")] = "",
    state: Annotated[str, Parameter(help="Whose person it is: AZ. Not for officers.")] = "",
    language: Annotated[str, Parameter(help="In which the hub speaks to the person.")] = "en",
    ask: Ask = False,
    totp: Annotated[bool, Parameter(help="With a second factor, as everybody should.")] = True,
    subject: Annotated[
        str,
        Parameter(help="Who it is to the state's own sign-on. Then there is no password here."),
    ] = "",
    by: By = "",
    json: AsJson = False,
) -> None:
    """Make an account; its password and its second factor are shown this once.

    Parameters
    ----------
    name: str
        What the person signs in with: letters a-z, digits, . _ @ -

    """
    now, by = datetime.now(UTC), name_of(by)
    settings = Settings.from_environment()
    issuer = _issuer_of(settings, state or agency[:2].upper()) if subject else ""
    password = _asked() if ask else "" if subject else passwords.invented()
    totp = totp and bool(password)
    with open_log(settings, make=True) as log:
        if agency:
            check_member(log, agency)
        accounts.add(
            log,
            name=name,
            person=person,
            roles=role,
            agency=agency,
            state=state,
            language=language,
            password=password,
            issuer=issuer,
            subject=subject,
            now=now,
            by=by,
        )
        # Part of the same doing: it is not told of again.
        second = (
            accounts.set_totp(log, name, issuer=_title(settings), now=now) if totp else Secrets()
        )
    _show(
        name,
        Secrets("" if ask else password, second.otpauth, second.recovery_codes),
        as_json=json,
    )


@app.command
def ls(*, json: AsJson = False) -> None:
    """List all accounts, without their secrets."""
    with open_log(Settings.from_environment()) as log:
        found = accounts.listed(log)
    columns = (
        *(t("NAME"), t("IS"), t("PERSON"), t("ROLES"), t("OF")),
        *(t("SECOND FACTOR"), t("LANGUAGE"), t("SIGNED IN")),
    )
    tabled(found, columns, _row, json=json, record=_object)


def _row(a: Account) -> tuple[object, ...]:
    return (
        a.name,
        styled(term(_state(a)), "dim" if a.disabled else ""),
        a.person,
        " ".join(a.roles),
        a.agency or a.state or "-",
        t("yes") if a.has_totp else styled(t("no"), "yellow"),
        a.language,
        shown(a.signed_in) if a.signed_in else t("never"),
    )


@app.command
def passwd(name: str, /, *, ask: Ask = False, by: By = "", json: AsJson = False) -> None:
    """Give somebody another password; all their sessions end."""
    password = _asked() if ask else passwords.invented()
    with open_log(Settings.from_environment()) as log:
        accounts.set_password(log, name, password, now=datetime.now(UTC), by=name_of(by))
    _show(name, Secrets("" if ask else password), as_json=json)


@app.command
def totp(
    name: str,
    /,
    *,
    off: Annotated[bool, Parameter(negative="", help="Take the second factor away.")] = False,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Give somebody a new second factor and recovery codes; all their sessions end."""
    settings = Settings.from_environment()
    with open_log(settings) as log:
        second = accounts.set_totp(
            log,
            name,
            issuer=_title(settings),
            on=not off,
            now=datetime.now(UTC),
            by=name_of(by),
        )
    _show(name, second, as_json=json)


@app.command
def bind(
    name: str,
    subject: str = "",
    /,
    *,
    by: By = "",
) -> None:
    """Let somebody sign in with their own state's sign-on; without a subject: not any more.

    Parameters
    ----------
    name: str
        The account.
    subject: str
        Who the person is to the state's sign-on: the claim that CASPIAN_SIGN_ON names.

    """
    settings = Settings.from_environment()
    with open_log(settings) as log:
        account = accounts.found(log, name)
        issuer = _issuer_of(settings, account.state) if subject else ""
        accounts.bind(
            log, name, issuer=issuer, subject=subject, now=datetime.now(UTC), by=name_of(by)
        )
    say(
        styled(
            t(
                "{name} signs in as {subject} with {issuer}",
                name=name,
                subject=subject,
                issuer=issuer,
            )
            if subject
            else t("{name} is unbound", name=name)
        )
    )


@app.command
def disable(name: str, /, *, by: By = "") -> None:
    """Let somebody in no more; their sessions end within five seconds."""
    with open_log(Settings.from_environment()) as log:
        accounts.disable(log, name, now=datetime.now(UTC), by=name_of(by))
    say(styled(t("{name} is disabled", name=name)))


@app.command
def enable(name: str, /, *, by: By = "") -> None:
    """Let somebody in again."""
    with open_log(Settings.from_environment()) as log:
        accounts.enable(log, name, now=datetime.now(UTC), by=name_of(by))
    say(styled(t("{name} is enabled", name=name)))


@app.command
def unlock(name: str, /, *, by: By = "") -> None:
    """Forget somebody's failed attempts, so that the next needs no wait."""
    with open_log(Settings.from_environment()) as log:
        accounts.found(log, name)
        attempts.unlock(log, name)
        accounts.note(log, name, "account-unlocked", by=name_of(by), now=datetime.now(UTC))
    say(styled(t("{name} is unlocked", name=name)))


@app.command(name="sessions")
def ls_sessions(
    name: str,
    /,
    *,
    end: Annotated[str, Parameter(help="End the session of this handle.")] = "",
    by: By = "",
    json: AsJson = False,
) -> None:
    """List where somebody is signed in; or end one of these sessions."""
    settings, now = Settings.from_environment(), datetime.now(UTC)
    with open_log(settings) as log:
        accounts.found(log, name)
        if end:
            _end(log, name, end, now)
            accounts.note(log, name, "session-ended", by=name_of(by), now=now)
        found = sessions.listed(log, name, now=now, idle=settings.session_idle)
    columns = (
        *(t("SESSION"), t("WAY"), t("ADDRESS"), t("SINCE"), t("SEEN"), t("EXPIRES")),
        t("PROGRAM"),
    )
    tabled(found, columns, _session_row, json=json, record=_session)


def _session_row(s: Session) -> tuple[object, ...]:
    return (
        s.handle,
        s.way,
        s.address,
        shown(s.created),
        shown(s.seen),
        shown(s.expires),
        s.agent,
    )


def _session(s: Session) -> dict[str, Any]:
    return {
        "session": s.handle,
        "way": s.way,
        "address": s.address,
        "agent": s.agent,
        "created": s.created.isoformat(),
        "seen": s.seen.isoformat(),
        "expires": s.expires.isoformat(),
    }


def _end(log: Log, name: str, handle: str, now: datetime) -> None:
    if not sessions.end(log, handle, account=name, now=now):
        raise Rejected(
            "session-unknown",
            t("{name} has no open session {handle}", name=name, handle=handle[:16]),
        )


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass(t("password:") + " ")
    if getpass(t("once more:") + " ") != password:
        raise usage(t("the two passwords differ"), remedy=t("Type the same twice."))
    return password


def _issuer_of(settings: Settings, state: str) -> str:
    found = sign_on.read(settings.sign_on)
    if state not in found:
        raise Rejected(
            "sign-on-unknown",
            t("{state} has no sign-on of its own", state=state or t("the hub")),
            remedy=t("Write its table into the file that CASPIAN_SIGN_ON names."),
        )
    return found[state].issuer


def _title(settings: Settings) -> str:
    """Return the name under which an authenticator app lists the hub."""
    return settings.origin.partition("/")[0]


def _show(name: str, given: Secrets, *, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "name": name,
                "password": given.password or None,
                "otpauth": given.otpauth or None,
                "recovery_codes": list(given.recovery_codes),
            }
        )
        return
    rows: list[tuple[str, Text]] = []
    if given.password:
        rows.append((t("password"), verbatim(given.password)))
    if given.otpauth:
        rows.append((t("second factor"), verbatim(given.otpauth)))
    for number, code in enumerate(given.recovery_codes):
        rows.append(("" if number else t("recovery codes"), verbatim(code)))
    fields(rows, width=15)
    if given != Secrets():
        note(styled(t("this is shown once: hand it to the person, by a safe way"), "dim"))
    else:
        note(styled(t("{name}: done", name=name), "dim"))


def _state(a: Account) -> str:
    return "disabled" if a.disabled else "active"


def _object(a: Account) -> dict[str, Any]:
    return {
        "name": a.name,
        "state": _state(a),
        "person": a.person,
        "roles": list(a.roles),
        "agency": a.agency,
        "of_state": a.state,
        "language": a.language,
        "password": a.has_password,
        "totp": a.has_totp,
        "issuer": a.issuer or None,
        "subject": a.subject or None,
        "created": a.created.isoformat(),
        "disabled": a.disabled.isoformat() if a.disabled else None,
        "signed_in": a.signed_in.isoformat() if a.signed_in else None,
    }
