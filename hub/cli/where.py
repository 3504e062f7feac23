"""``caspian where``: which states, units and coasts a message or a position is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from hub.cli.exits import DONE, exit_code, usage, worst
from hub.cli.files import read_input
from hub.cli.options import AsJson
from hub.cli.terminal import emit, fields, report, say, styled
from hub.cli.words import joined, t
from hub.errors import Rejected
from schemas.cap import Alert
from schemas.cap.facts import alert_facts
from schemas.facts import Area
from schemas.judgement import Judgement, judge
from schemas.places import Places, touched
from schemas.polrep import Polrep
from schemas.polrep.to_cap import to_alert
from schemas.rm.facts import aid_facts

__all__ = ["where"]


def where(
    *what: Annotated[str, Parameter(allow_leading_hyphen=True)],
    json: AsJson = False,
) -> int:
    """Show which states, which of their units and whose Caspian coasts areas touch.

    Borders are those of Natural Earth 1:10m: near one the neighbour may be named too.
    Exit code 0: all is told; 5: a message is not valid; 2: a file cannot be read.

    Parameters
    ----------
    what: str
        Messages in XML or JSON, also feeds and pollution reports; - reads standard input.
        Or a position: latitude and longitude in degrees.

    """
    if not what:
        raise usage(
            t("there is nothing to look for"), remedy=t("Name files, or a latitude and longitude.")
        )
    position = _position(what)
    if position is not None:
        _tell(" ".join(what), touched([position]), json=json)
        return DONE
    if unknown := [name for name in what if name.startswith("-") and name != "-"]:
        raise usage(
            t("unknown option {option}", option=unknown[0]),
            remedy=t("See `caspian where --help`; ./ before a file."),
        )
    if what.count("-") > 1:
        raise usage(t("standard input can be read once"), remedy=t("Name - once."))
    code = DONE
    for name in what:
        try:
            judgements = judge(read_input(name))
        except Rejected as error:
            report(error)
            code = worst(code, exit_code(error))
            continue
        for judgement in judgements:
            code = worst(code, _look(name, judgement, json=json))
    return code


def _position(what: tuple[str, ...]) -> Area | None:
    """Return two numbers as a position.

    Raises:
        Rejected: ``usage``; they are not on Earth.
    """
    try:
        lat, lon = map(float, what)
    except ValueError:
        return None
    # Written so that no comparison with NaN passes.
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise usage(
            t("{lat} {lon} is no position", lat=what[0], lon=what[1]),
            remedy=t("Write LATITUDE LONGITUDE: 40.4 49.9."),
        )
    return Area(circles=((lat, lon, 0.0),))


def _look(name: str, judgement: Judgement, *, json: bool) -> int:
    label = name if judgement.alert is None else t("{name} alert {n}", name=name, n=judgement.alert)
    if judgement.refusal is not None:
        report(judgement.refusal)
        return exit_code(judgement.refusal)
    try:
        areas = _areas(judgement)
    except Rejected as error:
        report(error)
        return exit_code(error)
    _tell(label, touched(areas), json=json)
    return DONE


def _areas(judgement: Judgement) -> tuple[Area, ...]:
    """Return the areas of a message, of a pollution report those of the alert it would be.

    Raises:
        Rejected: ``not-convertible``; the report is of help alone.
    """
    message = judgement.message
    assert message is not None  # noqa: S101 - what is not refused was read
    if isinstance(message, Polrep):
        # Who reports, and when, makes no difference to where it is.
        message = to_alert(message, sender="where", at=datetime.now(UTC)).message
    facts = alert_facts(message) if isinstance(message, Alert) else aid_facts(message)
    return facts.areas


def _tell(label: str, places: Places, *, json: bool) -> None:
    if json:
        told: dict[str, Any] = {
            "of": label,
            "states": places.states,
            "subdivisions": places.subdivisions,
            "coasts": places.coasts,
            "located": places.located,
        }
        emit(told)
        return
    say(styled(joined("", (label, ":")), "bold"))
    if not places.located:
        say(Text("  ") + styled(t("it has no shape and no code of ISO 3166")))
        return
    found = (
        (t("states"), places.states),
        (t("subdivisions"), places.subdivisions),
        (t("coasts"), places.coasts),
    )
    fields(((what, ", ".join(names) or t("none")) for what, names in found), width=13, indent=2)
