"""Orders for ``caspian convert``: of an acceptance, and of the offer that it accepts."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.cli.exits import usage
from hub.cli.files import read_input
from hub.cli.words import t
from hub.errors import Rejected
from schemas.judgement import judge
from schemas.rm import AidMessage, Funding, RequisitionResource
from schemas.rm.requisition import requisition_of

__all__ = ["as_requisition"]


def as_requisition(
    message: object, answers: str | None, funding: str | None
) -> RequisitionResource:
    """Return the order of what *message* accepts of the offer in the file *answers*.

    Raises:
        Rejected: ``usage``, ``not-convertible``; whatever is wrong with the offer.
    """
    if answers is None or not (funding or "").strip():
        raise usage(
            t("an order needs the offer, and who pays"),
            remedy=t("Add --answers FILE with the offer, and --funding TEXT."),
        )
    judgement = judge(read_input(answers))[0]
    if judgement.refusal is not None:
        raise judgement.refusal
    if not isinstance(message, AidMessage) or not isinstance(judgement.message, AidMessage):
        raise Rejected(
            "not-convertible",
            t("only an acceptance of an offer of aid becomes an order"),
            remedy=t("Give an AidOfferResponse, and the offer that it accepts."),
        )
    return requisition_of(
        message,
        judgement.message,
        funding=Funding(funding_info=funding),
        at=datetime.now(UTC).replace(microsecond=0),
    )
