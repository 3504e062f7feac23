"""What the examples of ``caspian template`` say, in the six languages of the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["EQUIPMENT", "WIND", "Words"]


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
