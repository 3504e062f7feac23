"""Which messages of a feed are wanted: the options that `tail` and `subs add` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from hub.cli.exits import usage
from hub.cli.words import t
from schemas.places.outlines import LATEST
from schemas.scales import Severity

__all__ = ["Wanted", "read_box"]


def read_box(written: str | None) -> list[float] | None:
    """Return the box that is written; None where none is.

    Raises:
        Rejected: ``usage``; it is none.
    """
    if written is None:
        return None
    try:
        south, west, north, east = (float(x) for x in written.split(","))
    except ValueError:
        south, west, north, east = 1.0, 0.0, 0.0, 0.0
    # Written so that no comparison with NaN passes.
    if not (-90 <= south <= north <= 90 and -180 <= west <= east <= 180):
        raise usage(
            t("{written} is no box", written=repr(written)),
            remedy=t("Write SOUTH,WEST,NORTH,EAST: 36.5,46,47.2,54.7."),
        )
    return [south, west, north, east]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter (`hub.core.registry.Filter`), as options."""

    state: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="State of the sender: AZ. May be repeated.", group="Filter"),
    ] = ()
    severity: Annotated[
        Severity | None,
        Parameter(help="The mildest severity; Unknown always stays.", group="Filter"),
    ] = None
    kind: Annotated[
        tuple[Literal["alert", "aid", "ack", "error", "acknowledgement"], ...],
        Parameter(negative="", help="What a message is for.", group="Filter"),
    ] = ()
    event: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="Event text, or code as OET:v1.2=OET-138.", group="Filter"),
    ] = ()
    language: Annotated[
        tuple[str, ...],
        Parameter(negative="", help="Language of the text; az also means az-Latn.", group="Filter"),
    ] = ()
    bbox: Annotated[
        str | None,
        Parameter(
            help="SOUTH,WEST,NORTH,EAST in degrees; a message without a shape stays.",
            group="Filter",
            allow_leading_hyphen=True,
        ),
    ] = None
    touches: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            help="A place that its areas touch: AZ, AZ-BA or AZ-coast. May be repeated.",
            group="Filter",
        ),
    ] = ()

    def as_filter(self) -> dict[str, Any]:
        """Return it as the filter of a subscription's record."""
        found = {
            "states": [s.upper() for s in self.state],
            "kinds": list(self.kind),
            "severity": self.severity,
            "events": list(self.event),
            "languages": list(self.language),
            "bbox": read_box(self.bbox),
            "outlines": LATEST if self.touches else "",
            "touches": list(self.touches),
        }
        return {name: value for name, value in found.items() if value}

    def as_query(self) -> dict[str, Any]:
        """Return it as the parameters of a request."""
        box = read_box(self.bbox)
        found = {
            "state": list(self.state),
            "kind": list(self.kind),
            "severity": self.severity,
            "event": list(self.event),
            "language": list(self.language),
            "bbox": ",".join(map(str, box)) if box else None,
            "touches": list(self.touches),
        }
        return {name: value for name, value in found.items() if value}
