"""What the examples of ``caspian template`` say, in the six languages of the hub."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schemas.polrep import Polfac, Polinf, Polrep, Polwarn, Serial
from schemas.polrep.moment import moment_of

__all__ = ["EQUIPMENT", "WIND", "Words", "pollution"]


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of an alert in one language."""

    event: str
    headline: str
    description: str
    instruction: str
    area: str


WIND: Final = {
    "az": Words(
        "Dənizdə güclü külək",
        "Orta Xəzərdə güclü külək gözlənilir",
        "Küləyin sürəti 20–25 m/s olacaq.",
        "Dənizə çıxmayın.",
        "Orta Xəzər",
    ),
    "kk": Words(
        "Теңізде қатты жел",
        "Орта Каспийде қатты жел күтіледі",
        "Желдің жылдамдығы секундына 20–25 метр болады.",
        "Теңізге шықпаңыз.",
        "Орта Каспий",
    ),
    "ru": Words(
        "Сильный ветер на море",
        "На Среднем Каспии ожидается сильный ветер",
        "Скорость ветра составит 20–25 м/с.",
        "Не выходите в море.",
        "Средний Каспий",
    ),
    "fa": Words(
        "باد شدید در دریا",
        "باد شدید در خزر میانی پیش‌بینی می‌شود",
        "سرعت باد به ۲۰ تا ۲۵ متر بر ثانیه می‌رسد.",
        "به دریا نروید.",
        "خزر میانی",
    ),
    "tk": Words(
        "Deňizde güýçli ýel",
        "Orta Hazarda güýçli ýel garaşylýar",
        "Ýeliň tizligi sekuntda 20–25 metr bolar.",
        "Deňze çykmaň.",
        "Orta Hazar",
    ),
    "en": Words(
        "Strong wind at sea",
        "Strong wind is expected on the middle Caspian",
        "The wind will reach 20 to 25 m/s.",
        "Do not go out to sea.",
        "Middle Caspian",
    ),
}

EQUIPMENT: Final = {
    "az": "Neft dağılmasına qarşı avadanlıq",
    "kk": "Мұнай төгілуіне қарсы жабдық",
    "ru": "Оборудование для ликвидации разлива нефти",
    "fa": "تجهیزات مقابله با آلودگی نفتی",
    "tk": "Nebit dökülmesine garşy enjamlar",
    "en": "Equipment against an oil spill",
}
"""What is asked for or offered, by language."""


def pollution(agency: str, name: str, at: datetime) -> Polrep:
    """Return a report of all three parts, an exercise; POLREP is written in English."""
    then = moment_of(at - timedelta(minutes=30))
    return Polrep(
        exercise=True,
        sender=name,
        recipients=("AZ", "IR", "KZ", "RU", "TM"),
        sent=moment_of(at),
        identification="POLREP CASPIAN",
        serial=Serial(state=agency[:2].upper(), incident="EXAMPLE"),
        polwarn=Polwarn(
            date_time=then,
            position="40-21.0N 049-52.2E, 2 NM SE OF BAKU",
            incident="TANKER GROUNDING",
            outflow="CRUDE OIL, 50 TONNES",
            acknowledge="ACKNOWLEDGE",
        ),
        polinf=Polinf(
            position="40-21.0N 049-52.2E, LENGTH 1 NM, WIDTH 0.2 NM",
            characteristics="CRUDE OIL, BLACK, LIQUID",
            wind="315 DEG 10 M/S",
            drift="135 DEG 0.5 KNOTS",
        ),
        polfac=Polfac(
            request="2000 M OFFSHORE BOOM; 2 SKIMMERS",
            where="PORT OF BAKU, VHF CHANNEL 16",
        ),
    )
