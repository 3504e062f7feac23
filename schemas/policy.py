"""A policy (C2SP tlog-policy): whose word counts for a log, and how many witnesses are enough.

::

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name> …
    quorum <name>|none

From it and a checkpoint's note alone follows how far the checkpoint has come:

``signed``
    One of the logs has signed it.
``witnessed``
    The quorum has cosigned it.
``sealed``
    The quorum holds whichever one of those who cosigned is left out: no single witness that
    lies can show two histories. Of a group of 3 among 5 that is when 4 have cosigned.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from schemas.checkpoint import Checkpoint
from schemas.cosignature import CosignerKey
from schemas.ed25519 import VerifierKey, verify
from schemas.errors import Rejected
from schemas.notes import Note

__all__ = ["LEVELS", "Group", "Level", "LogKey", "Policy", "Witness", "read_policy"]

Level = Literal["durable", "signed", "witnessed", "sealed"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""How far an entry has come, the least first. ``durable`` is the receipt alone."""

_NONE: Final = "none"
_MOST: Final = 100
"""Of logs, of witnesses and of groups; the specification asks for 32 of each."""

_MOST_LINES: Final = 1024
_LONGEST: Final = 1 << 18
_FORBIDDEN: Final = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")


@dataclass(frozen=True, slots=True)
class LogKey:
    """A log whose checkpoints count."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody whose cosignature counts."""

    name: str
    """What the policy calls it; its key has a name of its own."""
    key: CosignerKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """So many of these must have cosigned."""

    least: int
    members: tuple[str, ...]
    """Names of witnesses or of other groups."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose word counts, and how many witnesses are enough."""

    logs: tuple[LogKey, ...]
    witnesses: Mapping[str, Witness]
    """By what the policy calls them."""
    groups: Mapping[str, Group]
    quorum: str
    """A witness or a group; ``none`` where no cosignature is asked for."""
    text: str = field(repr=False, compare=False)
    """As it is written; what is no UTF-8 is replaced."""

    def level(self, note: Note) -> Level | None:
        """Return how far a checkpoint has come; None where no log of the policy has signed it.

        A signature of a known key that does not hold counts as none.
        """
        if self.signer(note) is None:
            return None
        cosigned = set(self.cosigned(note))
        if self.quorum == _NONE or not self.holds(cosigned):
            return "signed"
        if all(self.holds(cosigned - {one}) for one in cosigned):
            return "sealed"
        return "witnessed"

    def signer(self, note: Note) -> VerifierKey | None:
        """Return the key of the log that has signed a checkpoint; its name is the log's."""
        try:
            origin = Checkpoint.of(note.text).origin
        except Rejected:
            return None
        for one in self.logs:
            for line in note.signatures:
                if one.key.name != origin or not line.is_by(one.key):
                    continue
                if verify(one.key.public, line.signature, note.text.encode()):
                    return one.key
        return None

    def cosigned(self, note: Note) -> dict[str, int]:
        """Return which witnesses have cosigned a checkpoint, and when, in seconds since 1970."""
        found: dict[str, int] = {}
        for name, witness in self.witnesses.items():
            for line in note.signatures:
                at = witness.key.verify(line, note.text)
                if at is not None and at < found.get(name, at + 1):
                    found[name] = at
        return found

    def holds(self, cosigned: Collection[str]) -> bool:
        """Tell whether these witnesses are a quorum."""
        return self.quorum == _NONE or self._met(self.quorum, cosigned)

    def _met(self, name: str, cosigned: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._met(one, cosigned) for one in group.members) >= group.least

    @property
    def fewest(self) -> int:
        """How many witnesses are a quorum at least."""
        return 0 if self.quorum == _NONE else self._fewest(self.quorum)

    def _fewest(self, name: str) -> int:
        group = self.groups.get(name)
        if group is None:
            return 1
        return sum(sorted(self._fewest(one) for one in group.members)[: group.least])


def read_policy(data: bytes) -> Policy:
    """Read a policy file.

    Raises:
        Rejected: ``policy-invalid``, naming the line; ``key-invalid``.
    """
    if len(data) > _LONGEST or data.count(b"\n") > _MOST_LINES:
        raise _invalid(0, "it is too long")
    if wrong := _FORBIDDEN.search(data):
        raise _invalid(data.count(b"\n", 0, wrong.start()) + 1, "there is a control character")
    reader = _Reader()
    # Names are octets to the policy: what is no UTF-8 is kept apart, not refused.
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            reader.take(number, words)
    return reader.whole(data.decode("utf-8", "replace"))


class _Reader:
    """A policy as far as it was read."""

    def __init__(self) -> None:
        self.logs: list[LogKey] = []
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.quorum = ""
        self.used: set[str] = set()

    def take(self, number: int, words: list[str]) -> None:
        kind, *rest = words
        match kind, len(rest):
            case "log" | "witness" | "group", _ if self._full():
                raise _invalid(number, f"there are more than {_MOST} of one kind")
            case "log", 1 | 2:
                self._log(number, *rest)
            case "witness", 2 | 3:
                self._witness(number, *rest)
            case "group", several if several >= 3:
                self._group(number, *rest)
            case "quorum", 1:
                self._quorum(number, *rest)
            case (("log" | "witness" | "group" | "quorum"), _):
                raise _invalid(number, f"a {kind} has not so many words")
            case _:
                raise _invalid(number, f"{kind[:50]!r} is none of log, witness, group, quorum")

    def _full(self) -> bool:
        return max(len(self.logs), len(self.witnesses), len(self.groups)) >= _MOST

    def _log(self, number: int, vkey: str, url: str = "") -> None:
        key = VerifierKey.read(vkey)
        if key.public in {one.key.public for one in self.logs}:
            raise _invalid(number, "the log stands there twice")
        self.logs.append(LogKey(key, url))

    def _witness(self, number: int, name: str, vkey: str, url: str = "") -> None:
        self._new(number, name)
        key = CosignerKey.read(vkey)
        if key.public in {one.key.public for one in self.witnesses.values()}:
            raise _invalid(number, "the witness stands there twice, under another name")
        self.witnesses[name] = Witness(name, key, url)

    def _group(self, number: int, name: str, least: str, *members: str) -> None:
        self._new(number, name)
        for member in members:
            self._defined(number, member)
            if member in self.used or members.count(member) > 1:
                raise _invalid(number, f"{member} is a member of a group already")
        given = {"any": 1, "all": len(members)}.get(least)
        if given is None:
            given = int(least) if re.fullmatch(r"[1-9][0-9]{0,5}", least) else 0
        if not 1 <= given <= len(members):
            raise _invalid(number, f"of {len(members)} members it cannot be {least[:20]}")
        self.used.update(members)
        self.groups[name] = Group(given, members)

    def _quorum(self, number: int, name: str) -> None:
        if self.quorum:
            raise _invalid(number, "there is a quorum already")
        if name != _NONE:
            self._defined(number, name)
        self.quorum = name

    def _new(self, number: int, name: str) -> None:
        if name == _NONE or name in self.witnesses or name in self.groups:
            raise _invalid(number, f"the name {name} is taken")

    def _defined(self, number: int, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise _invalid(number, f"no line before has the name {name}")

    def whole(self, text: str) -> Policy:
        """Return the policy, once the last line of its *text* is read."""
        if not self.quorum:
            raise _invalid(0, "it says no quorum")
        return Policy(tuple(self.logs), self.witnesses, self.groups, self.quorum, text)


def _invalid(line: int, why: str) -> Rejected:
    # Names may hold what no UTF-8 does; an error travels.
    why = why.encode("utf-8", "backslashreplace").decode()
    return Rejected(
        "policy-invalid",
        f"this is no policy: line {line}: {why}" if line else f"this is no policy: {why}",
        remedy="Write it as docs/protocol/log.md says.",
    )
