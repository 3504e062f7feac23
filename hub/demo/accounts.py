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
from hub.settings import Settings

__all__ = ["LANGUAGES", "account_of", "console_accounts"]

LANGUAGES: Final = {
    "az-fhn": "az",
    "az-centre": "en",
    "ir-ndmo": "fa",
    "kz-mes": "kk",
    "ru-mchs": "ru",
    "tm-emergency": "tk",
}
"""In which language each agency's officer finds the console."""


def account_of(agency: str) -> str:
    """Return the name under which an agency's officer signs in."""
    return f"officer.{agency}"


def console_accounts(settings: Settings) -> str:
    """Make an account for each officer, and return the one password that all of them have.

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
                _add(log, agency, person, password)
    finally:
        log.close()
    return password


def _add(log: Log, agency: str, person: str, password: str) -> None:
    try:
        accounts.add(
            log,
            name=account_of(agency),
            person=person,
            roles=("officer",),
            agency=agency,
            language=LANGUAGES[agency],
            password=password,
            now=datetime.now(UTC),
        )
    except Rejected as refusal:
        if refusal.code != "account-exists":
            raise
