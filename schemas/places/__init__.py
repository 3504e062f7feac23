"""Which places a message is about: states, their units, and whose Caspian coast it touches.

A *place* is written ``AZ`` (land of a state, ISO 3166-1), ``AZ-BA`` (one of its units,
ISO 3166-2) or ``AZ-coast`` (its shore and the sea before it).
"""

from schemas.places.outlines import LATEST, VERSIONS
from schemas.places.places import Places, checked_outlines, checked_places, pinned, touched

__all__ = [
    "LATEST",
    "VERSIONS",
    "Places",
    "checked_outlines",
    "checked_places",
    "pinned",
    "touched",
]
