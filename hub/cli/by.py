"""Who sits at the hub's machine: the name that the log gives to what is done there."""

from __future__ import annotations

import getpass
import os
from typing import Annotated, Final

from cyclopts import Parameter

from hub.cli.exits import usage
from hub.cli.words import t

__all__ = ["By", "name_of"]

_LONGEST: Final = 200

By = Annotated[
    str,
    Parameter(
        name="--by",
        help="Who does this, for the log: your own name. CASPIAN_PERSON; else your login.",
    ),
]


def name_of(by: str) -> str:
    """Return the name of who sits there: as given, from CASPIAN_PERSON, or of their login.

    Nobody proves it to the hub: whoever reaches the store could write anything. It is for those
    who mean it well, and for whoever asks them later.

    Raises:
        Rejected: ``usage``; it is no name.
    """
    name = (by or os.environ.get("CASPIAN_PERSON", "") or _login()).strip()
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise usage(
            t("it is not known who does this"),
            remedy=t("Give your name with --by, or set CASPIAN_PERSON."),
        )
    return name


def _login() -> str:
    """Return the login; of who became root, the one they came with."""
    try:
        return os.environ.get("SUDO_USER", "") or getpass.getuser()
    except (KeyError, OSError):  # a container's user need not be in any list
        return ""
