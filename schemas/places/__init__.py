"""Which places a message is about: states, their units, and whose Caspian coast it touches.

A *place* is written ``AZ`` (land of a state, ISO 3166-1), ``AZ-BA`` (one of its units,
ISO 3166-2) or ``AZ-coast`` (its shore and the sea before it).
"""

from schemas.places.outlines import place_names
from schemas.places.places import Places, checked_places, touched

__all__ = ["Places", "checked_places", "place_names", "touched"]
