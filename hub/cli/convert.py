"""``caspian convert``: a message in another form, for programs that read that one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import Parameter

from hub.cli.exits import usage
from hub.cli.files import read_input
from hub.cli.raw import write_raw
from hub.cli.reports import Means, as_message, as_report
from hub.cli.requisitions import as_requisition
from hub.cli.terminal import note, styled
from hub.cli.words import t, translated
from hub.errors import Rejected
from schemas.cap import Alert, write_alert, write_alert_json
from schemas.cap.geojson import alert_features
from schemas.cap.layout import NAMESPACE_DSIG
from schemas.geometry import write_collection
from schemas.judgement import Judgement, judge
from schemas.polrep import Polrep, write_polrep
from schemas.rm import AidMessage, write_aid, write_aid_json
from schemas.rm.geojson import aid_features

__all__ = ["convert", "write_file"]

Form = Literal["xml", "json", "geojson", "polrep", "cap", "aid", "requisition"]

_BY_NAME: Final[dict[str, Form]] = {
    ".xml": "xml",
    ".json": "json",
    ".geojson": "geojson",
    ".polrep": "polrep",
    ".txt": "polrep",
}
Message = Alert | AidMessage | Polrep

OutFile = Annotated[
    str, Parameter(name=["--output", "-o"], help="Where to write; - is standard output.")
]
Force = Annotated[bool, Parameter(negative="", help="Overwrite the file.")]


def convert(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    to: Annotated[
        Form | None,
        Parameter(
            help="Without it the name of the output says so, else XML and JSON change, and a "
            "pollution report becomes XML. cap and aid: of a report with both, this part, in XML. "
            "requisition: of an acceptance, the order that EDXL-RM has for it, in XML."
        ),
    ] = None,
    sender: Annotated[
        str | None, Parameter(help="Of a pollution report: the sender as it is registered.")
    ] = None,
    state: Annotated[
        str | None, Parameter(help="For a pollution report: the sender's state, in two letters.")
    ] = None,
    answers: Annotated[
        str | None,
        Parameter(
            help="Of a pollution report that offers: the file of the request it answers; of an "
            "acceptance: of the offer it accepts."
        ),
    ] = None,
    funding: Annotated[str | None, Parameter(help="Of an order: who pays, in words.")] = None,
    output: OutFile = "-",
    force: Force = False,
) -> None:
    """Write a message as XML, JSON, GeoJSON or POLREP. What is not valid is not converted.

    Parameters
    ----------
    file: str
        A file in XML or JSON, also a feed, or a pollution report; - reads standard input.

    """
    if file.startswith("-") and file != "-":
        raise usage(
            t("unknown option {option}", option=file), remedy=t("See `caspian convert --help`.")
        )
    means = Means(sender=sender, state=state, answers=answers, funding=funding)
    means.check()
    data = read_input(file)
    judgements = judge(data)
    messages = [_message(judgement) for judgement in judgements]
    form = to or _BY_NAME.get(Path(output).suffix.lower()) or _other(judgements[0])
    write_file(_written(messages, form, means), output, force=force)
    if NAMESPACE_DSIG.encode() in data:
        note(styled(t("a signature is over the bytes as they were: it is left out"), "yellow"))


def write_file(data: bytes, name: str, *, force: bool) -> None:
    """Write *data* where a person said, and overwrite nothing unless told to.

    Raises:
        Rejected: ``usage``.
    """
    if name == "-":
        write_raw(data)
        return
    try:
        with Path(name).open("wb" if force else "xb") as file:
            file.write(data)
    except FileExistsError as e:
        raise usage(
            t("{file} is there already", file=name),
            remedy=t("Choose another name, or add --force."),
        ) from e
    except (OSError, ValueError) as e:
        raise usage(
            t(
                "{file} cannot be written: {why}",
                file=name,
                why=getattr(e, "strerror", None) or e,
            ),
            remedy=t("Make room, or name a file that you may write."),
        ) from e


def _message(judgement: Judgement) -> Message:
    if judgement.refusal is not None:
        raise judgement.refusal
    assert judgement.message is not None  # noqa: S101 - what is not refused was read
    return judgement.message


def _other(judgement: Judgement) -> Form:
    to_xml = judgement.kind.endswith("(JSON)") or isinstance(judgement.message, Polrep)
    return "xml" if to_xml else "json"


def _written(messages: list[Message], form: Form, means: Means) -> bytes:
    if form == "geojson":
        return _on_the_map([_drawn(message, means) for message in messages])
    if len(messages) > 1:
        raise Rejected(
            "several-messages",
            t(
                "there are {count} alerts in it, and one file in {form} holds one",
                count=len(messages),
                form=form,
            ),
            remedy=t("Convert them one at a time, or --to geojson."),
        )
    data = _one(messages[0], form, means)
    again = judge(data)[0].refusal
    if again is not None:
        # The other form takes more bytes, and may be too large.
        raise Rejected(
            "not-convertible",
            t("the result would not be valid: {detail}", detail=translated(again.detail)),
            remedy=t("Change what the findings name; they are of the result."),
            findings=again.findings,
        )
    return data


def _one(message: Message, form: Form, means: Means) -> bytes:
    if form == "polrep":
        return write_polrep(as_report(message, means))
    if form == "requisition":
        return write_aid(as_requisition(message, means.answers, means.funding))
    if isinstance(message, Polrep):
        message = as_message(message, form if form in {"cap", "aid"} else None, means)
    if form == ("aid" if isinstance(message, Alert) else "cap"):
        raise Rejected(
            "not-convertible",
            t("an alert is no aid message, nor an aid message an alert"),
            remedy=t("Only a pollution report can become either."),
        )
    if isinstance(message, Alert):
        # A validated model has its fields in the order of the standard, which people look for.
        message = Alert.model_validate(message.model_dump())
        return write_alert_json(message) + b"\n" if form == "json" else write_alert(message)
    return write_aid_json(message) + b"\n" if form == "json" else write_aid(message)


def _drawn(message: Message, means: Means) -> Alert | AidMessage:
    if not isinstance(message, Polrep):
        return message
    alone = message.polwarn is None and message.polinf is None
    return as_message(message, "aid" if alone else "cap", means)


def _on_the_map(messages: list[Alert | AidMessage]) -> bytes:
    features = [
        feature
        for message in messages
        for feature in (
            alert_features(message) if isinstance(message, Alert) else aid_features(message)
        )
    ]
    if not features:
        raise Rejected(
            "no-place",
            t("the message names no place at all"),
            remedy=t("Convert a message with areas, or with locations of its items."),
        )
    if bare := sum(1 for feature in features if feature["geometry"] is None):
        note(
            styled(
                t(
                    "{bare} of {count} places have no shape, only words or codes",
                    bare=bare,
                    count=len(features),
                )
            )
        )
    return write_collection(features) + b"\n"
