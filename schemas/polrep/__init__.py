"""POLREP: reading, judging and writing the pollution reports that are used at sea.

`read_polrep` is the door: bytes in, a `Polrep` with its warnings out, or one
`schemas.errors.Rejected` that says what to change. docs/standards.md lists the rules,
`schemas.polrep.fields` the numbered fields.
"""

from schemas.polrep.model import Polfac, Polinf, Polrep, Polwarn, Serial
from schemas.polrep.moment import Moment
from schemas.polrep.read import ReadPolrep, is_polrep, read_polrep
from schemas.polrep.rulebook import RULES
from schemas.polrep.write import write_polrep

__all__ = [
    "RULES",
    "Moment",
    "Polfac",
    "Polinf",
    "Polrep",
    "Polwarn",
    "ReadPolrep",
    "Serial",
    "is_polrep",
    "read_polrep",
    "write_polrep",
]
