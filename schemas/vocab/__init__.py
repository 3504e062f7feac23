"""The code lists that messages use: events, resources, units, places, languages, hazards.

Each is data of one version with its source (docs/vocabularies.md). A message may use
any other list too; of that the hub says nothing.
"""

from schemas.vocab.glide_number import Glide, glide
from schemas.vocab.model import Term, Vocabulary
from schemas.vocab.shelf import is_known, term, vocabularies, vocabulary, vocabulary_of

__all__ = [
    "Glide",
    "Term",
    "Vocabulary",
    "glide",
    "is_known",
    "term",
    "vocabularies",
    "vocabulary",
    "vocabulary_of",
]
