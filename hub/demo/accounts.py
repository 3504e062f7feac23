"""The accounts that people sign in to the demonstration's console with, made once and kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

from hub.demo.members import OFFICERS
from hub.demo.tokens import write_private
from hub.errors import Rejected
from hub.log.store import Log
from hub.members import accounts
from hub.members.passwords import invented
from hub.members.roles import Role
from hub.settings import Settings

__all__ = ["LANGUAGES", "OTHERS", "account_of", "console_accounts"]

LANGUAGES: Final = {
    "az-fhn": "az",
    "az-centre": "en",
    "ir-ndmo": "fa",
    "kz-mes": "kk",
    "ru-mchs": "ru",
    "tm-emergency": "tk",
}
"""In which language each agency's officer finds the console."""

OTHERS: Final[dict[str, tuple[Role, str, str]]] = {
    "auditor": ("auditor", "Maral Ataýewa", "tk"),
    "operator": ("operator", "Fərid Həsənov", "az"),
}
"""Of the hub as a whole: by account the role, the person, and the language."""


def account_of(agency: str) -> str:
    """Return the name under which an agency's officer signs in."""
    return f"officer.{agency}"


def console_accounts(settings: Settings) -> str:
    """Make accounts of officers, an auditor and an operator; return the one password of all.

    They have no second factor: the demonstration's hub is on its owner's machine alone.
    """
    path = settings.data / "accounts.json"
    password: str = json.loads(path.read_text())["password"] if path.exists() else invented()
    if not path.exists():
        write_private(path, json.dumps({"password": password}))
    log = Log.open(settings.log_url)
    try:
        known = {one.name for one in accounts.listed(log)}
        for agency, person in OFFICERS.items():
            if account_of(agency) not in known:
                _add(log, account_of(agency), person, ("officer",), agency, password)
        for name, (role, person, _) in OTHERS.items():
            if name not in known:
                _add(log, name, person, (role,), "", password)
    finally:
        log.close()
    return password


def _add(
    log: Log, name: str, person: str, roles: tuple[Role, ...], agency: str, password: str
) -> None:
    try:
        accounts.add(
            log,
            name=name,
            person=person,
            roles=roles,
            agency=agency,
            language=LANGUAGES[agency] if agency else OTHERS[name][2],
            password=password,
            now=datetime.now(UTC),
        )
    except Rejected as refusal:
        if refusal.code != "account-exists":
            raise
