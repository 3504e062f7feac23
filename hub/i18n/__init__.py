"""The six languages: the texts of the console (and of whatever else people read), and dates.

Texts are written in English where they are used, and that is their name. Translations lie
beside this file as ``locale/*.po`` and are read once; `hub.i18n.collect` finds what the code
says and brings the files up to date. A text that a language has not fails a test.
"""

from hub.i18n.dates import DateForms, date_forms, written
from hub.i18n.languages import LANGUAGES, Language, chosen, language
from hub.i18n.texts import Texts, texts, told

__all__ = [
    "LANGUAGES",
    "DateForms",
    "Language",
    "Texts",
    "chosen",
    "date_forms",
    "language",
    "texts",
    "told",
    "written",
]
