"""The agencies of the demonstration. Their addresses are examples; no real agency stands behind."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["MEMBERS", "OFFICERS", "SIGN_ALL", "STATES", "SUBSCRIPTIONS", "UNSIGNED"]

STATES: Final = {
    "AZ": "Azerbaijan",
    "IR": "Iran",
    "KZ": "Kazakhstan",
    "RU": "Russia",
    "TM": "Turkmenistan",
}

SIGN_ALL: Final = frozenset({"ir-ndmo", "kz-mes", "kz-hydromet", "ru-mchs"})
"""Agencies whose policy is that nothing goes out in their name without their signature."""

UNSIGNED: Final = frozenset({"tm-emergency"})
"""Agencies that cannot sign yet; the hub vouches for what they send, and says so."""


def _agency(  # one row of the table below
    id_: str, name: str, own: str, language: str, sender: str
) -> dict[str, Any]:
    return {
        "id": id_,
        "state": id_[:2].upper(),
        "name": name,
        "names": {language: own},
        "senders": [sender],
        "addresses": [sender.partition("@")[2]],
        "languages": [language, "en"],
    }


MEMBERS: Final = (
    _agency(
        "az-fhn",
        "Ministry of Emergency Situations of Azerbaijan",
        "Azərbaycan Respublikası Fövqəladə Hallar Nazirliyi",
        "az",
        "duty@fhn.az.example",
    ),
    _agency(
        "az-centre",
        "Caspian humanitarian response centre, Baku",
        "Xəzər humanitar cavab mərkəzi, Bakı",
        "az",
        "duty@centre.caspian.example",
    ),
    _agency(
        "ir-ndmo",
        "National Disaster Management Organization of Iran",
        "سازمان مدیریت بحران کشور",
        "fa",
        "duty@ndmo.ir.example",
    ),
    _agency(
        "kz-mes",
        "Ministry for Emergency Situations of Kazakhstan",
        "Қазақстан Республикасы Төтенше жағдайлар министрлігі",
        "kk",
        "duty@mes.kz.example",
    ),
    _agency(
        "kz-hydromet",
        "Hydrometeorological service of Kazakhstan",
        "Қазақстанның гидрометеорология қызметі",
        "kk",
        "forecast@hydromet.kz.example",
    ),
    _agency(
        "ru-mchs",
        "EMERCOM of Russia, Astrakhan region",
        "Главное управление МЧС России по Астраханской области",
        "ru",
        "cuks30@mchs.ru.example",
    ),
    _agency(
        "tm-emergency",
        "State Commission of Turkmenistan for Emergency Situations",
        "Türkmenistanyň Adatdan daşary ýagdaýlar boýunça döwlet topary",
        "tk",
        "nobat@emergency.tm.example",
    ),
)

SUBSCRIPTIONS: Final = (
    {"agency": "az-centre", "name": "severe", "filter": {"severity": "Severe"}},
    {
        "agency": "az-centre",
        "name": "oil",
        "filter": {"events": ["OET:v1.2=OET-138"], "kinds": ["alert"]},
    },
)

OFFICERS: Final = {
    "az-fhn": "Leyla Məmmədova",
    "az-centre": "Rəşad Əliyev",
    "ir-ndmo": "مریم احمدی",
    "kz-mes": "Айгүл Нұрланқызы",
    "ru-mchs": "Ольга Смирнова",
    "tm-emergency": "Aman Berdiýew",
}
