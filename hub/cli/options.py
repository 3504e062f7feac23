"""Options that several commands share, so that each is called and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["AsJson", "ByAgency", "From", "FromBundle", "FromStore", "Kinds", "To"]

AsJson = Annotated[
    bool, Parameter(name="--json", negative="", help="One JSON object a line, for programs.")
]
From = Annotated[
    str | None,
    Parameter(name="--from", help="First entry: an index, a time (UTC), or how long ago: 2h."),
]
To = Annotated[
    str | None, Parameter(name="--to", help="Last entry, itself included; written likewise.")
]
Kinds = Annotated[
    tuple[str, ...], Parameter(name="--kind", negative="", help="Only this kind; may be repeated.")
]
ByAgency = Annotated[str | None, Parameter(name="--agency", help="Only what this agency did.")]
FromBundle = Annotated[
    Path | None, Parameter(name="--bundle", help="Read this bundle, not the hub's own store.")
]
FromStore = Annotated[
    str | None,
    Parameter(
        name="--store",
        help="Read this store, a mirror or a backup: a file, or postgresql://… It is only read.",
    ),
]
