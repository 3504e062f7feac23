"""What others have written may hold anything: how it comes to stand among words of ours."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["DANGEROUS", "ISOLATED", "apart", "safe"]

DANGEROUS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: escape sequences begin with one of these
    "\u2028\u2029"  # line ends that are not seen as such
    "\u202a-\u202e\u2066-\u2069"  # overrides and isolates of direction; \u200e and \u200f stay
    "\ud800-\udfff]"  # halves of characters, which cannot be written at all
)
ISOLATED: Final = ("\u2068", "\u2069")
"""What begins and ends a piece with a reading direction of its own (UAX #9, FSI and PDI)."""


def safe(value: object) -> str:
    r"""Return *value* as text that does nothing to a terminal but stand in it.

    Control characters are written out (``\x1b``), also line ends: one value is one line.
    """
    return DANGEROUS.sub(lambda m: _written_out(m[0]), str(value))


def apart(text: str) -> str:
    """Return a safe text with a reading direction of its own, whatever is around it."""
    return f"{ISOLATED[0]}{text}{ISOLATED[1]}" if text.strip() else text


def _written_out(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
