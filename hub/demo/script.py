"""What happens in the demonstration, step by step, all of it through the public interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["STEPS", "Acknowledge", "Publish", "Step"]


@dataclass(frozen=True, slots=True)
class Publish:
    """An agency sends a message of the scenario."""

    agency: str
    message: str
    says: str
    by: Literal["http", "xadd"] = "http"
    refused: str = ""
    """The code it is expected to be refused with."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A duty officer takes notice, by name."""

    agency: str
    message: str
    note: str = ""


Step = Publish | Acknowledge

STEPS: Final[tuple[Step, ...]] = (
    Publish("az-fhn", "oil-1", "Oil spill off Absheron (az, ru, en)"),
    Acknowledge("ru-mchs", "oil-1", "Приняли, следим за дрейфом."),
    Acknowledge("tm-emergency", "oil-1", "Kabul etdik."),
    Publish("kz-hydromet", "surge-1", "Storm surge on the northern coast (kk, ru, en)", by="xadd"),
    Publish("az-fhn", "mistake-1", "the same agency makes a mistake", refused="structure-invalid"),
    Publish("az-fhn", "oil-2", "Update: the slick drifts south (az, fa, en)"),
    Publish("ir-ndmo", "ack-1", "Ack of the update, as a CAP message"),
    Publish("az-fhn", "aid-request-1", "Request: 2,000 m of boom, 4 skimmers"),
    Publish("kz-mes", "aid-response-1", "Answer: 1,200 m of boom from Aktau"),
    Publish("tm-emergency", "aid-offer-1", "Offer: two oil recovery vessels"),
    Publish("az-fhn", "aid-accept-1", "Accepted: 800 m of the boom from Aktau"),
    Publish("kz-mes", "aid-commit-1", "Committed: 800 m of boom, gone to sea"),
    Publish("kz-hydromet", "surge-2", "Update: the surge will reach 1.6 m", by="xadd"),
    Acknowledge("ru-mchs", "surge-2", "Оповещены посёлки в дельте."),
    Publish("tm-emergency", "quake-1", "Earthquake near Türkmenbaşy (tk, ru, fa, en)"),
    Acknowledge("az-fhn", "quake-1", "Qəbul edildi."),
    Acknowledge("ir-ndmo", "quake-1", "دریافت شد."),
    Publish("tm-emergency", "quake-2", "Restricted to Azerbaijan and Kazakhstan: port entry"),
    Publish("ru-mchs", "private-1", "Private, to the Azerbaijani ministry alone"),
    Publish("ru-mchs", "exercise-1", "EXERCISE: seen on exercise feeds only"),
    Publish("kz-hydromet", "surge-3", "Cancel: the surge warning is lifted", by="xadd"),
)
