"""Verify a bundle of a Caspian Hub log with nothing but this file, Python and PyNaCl.

    python verify_bundle.py BUNDLE [--policy FILE] [--earlier SIZE:ROOT]
                                   [--checkpoint FILE [--key VERIFIERKEY]]

It shares no code with the hub, so that whoever doubts the hub need not run it. Checked are
the file, the Merkle tree (RFC 6962) or, in a part of the log, the proof of each entry, every
payload's digest, every agency's count, every signature (DSSE, Ed25519) by a key that counted at
its index, the statements that changed the registry, and the checkpoint with its cosignatures. Whose
word counts is said by your own policy (C2SP tlog-policy); the one in the bundle is only the
hub's opinion. What only the whole hub can decide again (`caspian verify`) is not checked.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import sys
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

HEADER = b"application/vnd.caspian-hub.header+json"
STATEMENT = b"application/vnd.caspian-hub.statement+json"
REDACTED = "application/vnd.caspian-hub.redacted+json"
PRIME = 2**255 - 19
SMALL = {
    0,
    1,
    PRIME - 1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    55188659117513257062467267217118295137698188065244968500265048394206261417927,
}


class Wrong(Exception):
    """The first thing that is wrong."""


def sound(point: bytes) -> bool:
    """Refuse the points that libraries disagree about."""
    y = int.from_bytes(point, "little") & ((1 << 255) - 1)
    return len(point) == 32 and y < PRIME and y not in SMALL


def read_key(text: str, kind: bytes = b"\x01") -> tuple[str, bytes]:
    """Return name and public key of a verifier key (C2SP signed-note)."""
    name, short, encoded = text.split("+", 2)
    blob = base64.b64decode(encoded, validate=True)
    told = sha256(name.encode() + b"\n" + blob).digest()[:4].hex()
    if blob[:1] != kind or len(blob) != 33 or told != short or not sound(blob[1:]):
        raise Wrong(f"{text} is no verifier key")
    return name, blob[1:]


def holds(public: bytes, signature: bytes, message: bytes) -> bool:
    """Verify one signature."""
    if len(signature) != 64 or not sound(public) or not sound(signature[:32]):
        return False
    try:
        VerifyKey(public).verify(message, signature)
    except BadSignatureError:
        return False
    return True


def signed(kind: bytes, text: str, key: str, signature: str) -> bool:
    """Verify a DSSE signature over a text of a kind."""
    body = text.encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)
    return holds(read_key(key)[1], base64.b64decode(signature, validate=True), message)


def when(text: str) -> datetime:
    """Read a moment."""
    return datetime.fromisoformat(text)


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node of the tree."""
    return sha256(b"\1" + left + right).digest()


def included(proof: list[bytes], index: int, size: int, leaf: bytes, root: bytes) -> bool:
    """Verify that a leaf is in a tree (RFC 9162, 2.1.3.2)."""
    place, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(one, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, one)
        place, last = place >> 1, last >> 1
    return 0 <= index < size and last == 0 and found == root


def grew(proof: list[bytes], old: tuple[int, bytes], new: tuple[int, bytes]) -> bool:
    """Verify that a tree began as a smaller one (RFC 9162, 2.1.4.2)."""
    (first, first_root), (second, second_root) = old, new
    if first == second:
        return first_root == second_root and not proof
    hashes = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not 0 < first < second or not hashes:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    small = large = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            small, large = node(one, small), node(one, large)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            large = node(large, one)
        place, last = place >> 1, last >> 1
    return last == 0 and (small, large) == (first_root, second_root)


class Log:
    """What has to be remembered of the entries so far."""

    def __init__(self, header: dict[str, Any]) -> None:
        self.header = header
        self.part = bool(
            header["first"] or {"kinds", "agency", "search", "withheld"} & header.keys()
        )
        self.size, self.at, self.entries = 0, "", 0
        self.nodes: list[bytes] = []
        self.counts: dict[str, tuple[int, str]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.log_keys: list[str] = []
        self.signatures = self.payloads = self.withheld = 0
        self.roots: dict[int, bytes] = {}

    @property
    def end(self) -> tuple[int, bytes]:
        """The size and root of the log as far as the bundle shows it."""
        if self.part:
            return self.header["size"], bytes.fromhex(self.header["root"])
        return self.size, self.root()

    def root(self) -> bytes:
        """Return the Merkle root over all entries so far."""
        if not self.nodes:
            return sha256(b"").digest()
        found = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            found = node(left, found)
        return found

    def place(self, record: dict[str, Any], body: bytes) -> None:
        """Put an entry into the tree, or prove that it is in it."""
        index, leaf = record["index"], sha256(b"\0" + body).digest()
        if self.part:
            size, root = self.end
            proof = [bytes.fromhex(one) for one in record.get("proof", ())]
            if index < self.size or not included(proof, index, size, leaf, root):
                raise Wrong("it is not proven to be in the log")
            self.size = index
            return
        if index != self.size:
            raise Wrong(f"index {index} stands where {self.size} should")
        rest = self.size
        while rest & 1:
            leaf, rest = node(self.nodes.pop(), leaf), rest >> 1
        self.nodes.append(leaf)

    def take(self, record: dict[str, Any]) -> None:
        """Check one entry, which stands at its index or after."""
        body = base64.b64decode(record["entry"], validate=True)
        given = record["payload"]
        payload = None if given is None else base64.b64decode(given, validate=True)
        entry = json.loads(body)
        self.place(record, body)
        if entry["v"] != 1 or entry["at"] <= self.at:
            raise Wrong("its time is not after that of the entry before")
        if entry["kind"] == "publish" or "header" in entry:
            self.message(entry, payload, record["payload_type"])
        if "statement" in entry:
            for one in entry["signatures"]:
                if not signed(STATEMENT, entry["statement"], one["key"], one["sig"]):
                    raise Wrong(f"the signature of {one['key']} under the statement does not hold")
                self.signatures += 1
        if entry["kind"] == "key":
            self.change(entry["key"])
        elif entry["kind"] == "genesis":
            self.log_keys += [entry["key"]] if "key" in entry else []
        elif entry["kind"] == "log-key":
            self.change_own(entry["log-key"])
        self.size, self.at = self.size + 1, entry["at"]
        self.entries += not record.get("keys")

    def change(self, record: dict[str, Any]) -> None:
        """Take in that a key began, or ceased, to count."""
        if record["action"] == "add":
            self.keys[record["key"]] = {**record, "until": None}
        elif self.keys[record["key"]]["until"] is None:
            self.keys[record["key"]]["until"] = self.size

    def change_own(self, record: dict[str, Any]) -> None:
        """Take in that a key of the log itself began, or ceased, to count."""
        self.log_keys = [key for key in self.log_keys if key != record["key"]]
        if record["action"] == "add":
            self.log_keys.append(record["key"])

    def message(self, entry: dict[str, Any], payload: bytes | None, payload_type: str) -> None:
        """Check a header: its place in the count, its signature, its payload."""
        header = json.loads(entry["header"])
        by_agency = "signature" in entry
        name = entry["agency"] + ("#signed" if by_agency else "")
        if header["agency"] != entry["agency"]:
            raise Wrong(f"its header is {header['agency']}'s")
        if not self.part:
            self.counted(name, header, entry["header"])
        if by_agency:
            self.by_agency(entry)
        if entry["kind"] != "publish":
            return
        if payload is None or payload_type == REDACTED:
            self.withheld += 1
        elif sha256(payload).hexdigest() != header["payload_sha256"]:
            raise Wrong("its payload is not the one that its header names")
        else:
            self.payloads += 1

    def counted(self, name: str, header: dict[str, Any], text: str) -> None:
        """Check that a header goes on where the last one of its count ended."""
        seq, head = self.counts.get(name, (0, ""))
        if (header["seq"], header["prev"]) != (seq + 1, head):
            raise Wrong(f"message {header['seq']} of {name} does not follow {seq}")
        self.counts[name] = (seq + 1, sha256(text.encode()).hexdigest())

    def by_agency(self, entry: dict[str, Any]) -> None:
        """Check that a key that counts here signed a header."""
        life = self.keys.get(entry["key"], {})
        expires = life.get("expires")
        if life.get("agency") != entry["agency"] or life["until"] is not None:
            raise Wrong(f"{entry['key']} is no key of {entry['agency']} here")
        if expires and when(expires) <= when(entry["at"]):
            raise Wrong(f"{entry['key']} had expired")
        if not signed(HEADER, entry["header"], entry["key"], entry["signature"]):
            raise Wrong(f"{entry['key']} did not sign this header")
        self.signatures += 1


class Policy:
    """Whose word counts for a log, and how many witnesses are enough (C2SP tlog-policy)."""

    def __init__(self, text: str) -> None:
        self.logs: list[str] = []
        self.witnesses: dict[str, str] = {}
        self.groups: dict[str, tuple[int, list[str]]] = {}
        self.quorum = ""
        for line in text.splitlines():
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            kind, rest = words[0], words[1:]
            if kind == "log" and rest:
                self.logs.append(rest[0])
            elif kind == "witness" and len(rest) > 1:
                self.witnesses[rest[0]] = rest[1]
            elif kind == "group" and len(rest) > 2:
                members = rest[2:]
                fewest = {"any": 1, "all": len(members)}.get(rest[1]) or int(rest[1])
                if not 1 <= fewest <= len(members):
                    raise Wrong(f"the policy's group {rest[0]} can never be met")
                self.groups[rest[0]] = (fewest, members)
            elif kind == "quorum" and len(rest) == 1:
                self.quorum = rest[0]
            else:
                raise Wrong(f"this is no line of a policy: {line[:80]}")
        if not self.quorum:
            raise Wrong("the policy says no quorum")

    def met(self, name: str, cosigned: set[str]) -> bool:
        """Tell whether a witness or a group has cosigned."""
        if name == "none":
            return True
        if name not in self.groups:
            return name in cosigned
        fewest, members = self.groups[name]
        return sum(self.met(one, cosigned) for one in members) >= fewest

    def level(self, cosigned: set[str]) -> str:
        """Return how far a checkpoint has come: witnessed by a quorum, sealed by one more."""
        if self.quorum == "none" or not self.met(self.quorum, cosigned):
            return "signed"
        spare = all(self.met(self.quorum, cosigned - {one}) for one in cosigned)
        return "sealed" if spare else "witnessed"


class Note:
    """A checkpoint as it was written; nothing of it is verified yet."""

    def __init__(self, note: str) -> None:
        text, blank, below = note.rpartition("\n\n")
        if not blank:
            raise Wrong("the checkpoint is no signed note")
        self.text = text + "\n"
        self.origin, size, root = self.text.split("\n")[:3]
        self.end = int(size), base64.b64decode(root, validate=True)
        self.lines: list[tuple[str, bytes]] = []
        for line in below.splitlines():
            mark, who, encoded = line.split(" ", 2)
            if mark != "\u2014":
                raise Wrong("a line under the checkpoint is no signature")
            self.lines.append((who, base64.b64decode(encoded, validate=True)))

    def signed_by(self, key: str) -> bool:
        """Tell whether a key of the log signed it."""
        name, public = read_key(key)
        short = key.split("+")[1]
        for who, blob in self.lines:
            if who == name == self.origin and blob[:4].hex() == short:
                if not holds(public, blob[4:], self.text.encode()):
                    raise Wrong("the signature of the checkpoint does not hold")
                return True
        return False

    def cosigned_by(self, key: str) -> bool:
        """Tell whether a witness's key cosigned it (C2SP tlog-cosignature)."""
        name, public = read_key(key, b"\x04")
        short = key.split("+")[1]
        for who, blob in self.lines:
            if who == name and blob[:4].hex() == short and len(blob) == 76:
                at = int.from_bytes(blob[4:12], "big")
                message = f"cosignature/v1\ntime {at}\n{self.text}".encode()
                if not holds(public, blob[12:], message):
                    raise Wrong(f"the cosignature of {name} does not hold")
                return True
        return False


def check_note(log: Log, note: Note) -> None:
    """Hold a checkpoint against the log: of the same name, and of the same tree."""
    if note.origin != log.header["origin"]:
        raise Wrong("the checkpoint is of another log")
    end = log.end
    if note.end[0] in log.roots:
        same = log.roots[note.end[0]] == note.end[1]
    elif not min(note.end[0], end[0]):
        same = True
    else:
        proof = [bytes.fromhex(one) for one in log.header.get("consistency", ())]
        same = grew(proof, *sorted((note.end, end)))
    if not same:
        raise Wrong("the log is not the one that the checkpoint states: a fork")


def trusted(note: Note, keys: list[str], policy: Policy | None) -> str:
    """Return who stands for a checkpoint; raise where those who should do not."""
    signers = policy.logs if policy is not None else keys
    if not any(note.signed_by(key) for key in signers):
        raise Wrong("the key did not sign the checkpoint")
    if policy is None:
        return "signed by the log"
    cosigned = {name for name, key in policy.witnesses.items() if note.cosigned_by(key)}
    if not policy.met(policy.quorum, cosigned):
        raise Wrong(f"the checkpoint was cosigned by {len(cosigned)} witnesses: no quorum")
    return f"{policy.level(cosigned)}, cosigned by {', '.join(sorted(cosigned)) or 'nobody'}"


def verify(path: Path, kept: tuple[int, str] | None, *, also: int = -1) -> Log:
    """Verify a bundle; raise at the first thing that is wrong. The root at *also* is kept."""
    digest = sha256()
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == b"\x1f\x8b"
        lines = iter(gzip.GzipFile(fileobj=raw) if packed else raw)
        line = next(lines, b"")
        log = begin(json.loads(line), kept)
        if also < 0 and "checkpoint" in log.header:
            also = Note(log.header["checkpoint"]).end[0]
        record: dict[str, Any] = {}
        while "entries" not in record:
            digest.update(line)
            line = next(lines, b"")
            if not line:
                raise Wrong("the file was cut")
            record = json.loads(line)
            if "entries" not in record:
                take(log, record, kept)
                if log.size == also and not log.part:
                    log.roots[also] = log.root()
        if record != {"entries": log.entries, "sha256": digest.hexdigest()}:
            raise Wrong("the file is not what its last line says")
        if next(lines, None) is not None:
            raise Wrong("something follows the last line")
    compare(log, kept)
    return log


def compare(log: Log, kept: tuple[int, str] | None) -> None:
    """Hold the end of what was read against what the bundle states, and what you know."""
    size, root = log.end
    log.roots[size] = root
    if not log.part and size != log.header["through"] + 1:
        raise Wrong(f"it ends at {size}, not at {log.header['through'] + 1}")
    if size == log.header["size"] and root.hex() != log.header["root"]:
        raise Wrong("the root over the entries is not the one that the bundle states")
    if kept is not None and size < kept[0]:
        raise Wrong(f"the log ends at {size}; you know one of {kept[0]}")


def begin(record: dict[str, Any], kept: tuple[int, str] | None) -> Log:
    """Begin with the first line of a bundle."""
    if record["caspian_bundle"] != 1:
        raise Wrong("this is not a bundle that is known here")
    log = Log(record)
    if log.part and kept is not None and kept != (record["size"], record["root"]):
        raise Wrong("this is a part of the log: an end that you know can only be its own")
    return log


def take(log: Log, record: dict[str, Any], kept: tuple[int, str] | None) -> None:
    """Check the line of an entry, and the root where an end is known."""
    try:
        log.take(record)
    except (Wrong, ValueError, KeyError, TypeError) as e:
        raise Wrong(f"entry {record.get('index')}: {e}") from e
    if kept is not None and not log.part and log.size == kept[0] and log.root().hex() != kept[1]:
        raise Wrong(f"the first {kept[0]} entries are not those that you know")


def main() -> int:
    """Verify what the command line names; 0 if all is well, 5 if not."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--policy", type=Path, help="whose word counts for you")
    parser.add_argument("--earlier", help="SIZE:ROOT that you have kept")
    parser.add_argument("--checkpoint", type=Path, help="a signed checkpoint that you have")
    parser.add_argument("--key", help="the log's verifier key, which signs checkpoints")
    given = parser.parse_args()
    size, _, root = (given.earlier or "0:").partition(":")
    try:
        policy = Policy(given.policy.read_text("utf-8")) if given.policy else None
        own = Note(given.checkpoint.read_text("utf-8")) if given.checkpoint else None
        kept = (int(size), root.lower()) if given.earlier else None
        log = verify(given.bundle, kept, also=own.end[0] if own else -1)
        told = stands(log, own, policy, [given.key] if given.key else [])
    except (Wrong, ValueError, KeyError, TypeError, OSError, EOFError) as e:
        print(f"BROKEN {e}")  # noqa: T201 - a program of its own
        return 5
    print("\n".join((*report(log), *told)))  # noqa: T201
    return 0


def stands(log: Log, own: Note | None, policy: Policy | None, keys: list[str]) -> list[str]:
    """Return what is to be told of the checkpoint and of who stands for it."""
    if own is None and "checkpoint" not in log.header:
        if policy is not None or keys:
            raise Wrong("the bundle has no checkpoint")
        return ["OK      nothing was changed; nobody's signature stands for the root"]
    note = own or Note(log.header["checkpoint"])
    check_note(log, note)
    keys = keys or log.log_keys
    told = []
    if policy is None and "policy" in log.header:
        try:
            opinion = trusted(note, [], Policy(log.header["policy"]))
        except Wrong as wrong:
            opinion = str(wrong)
        told.append(f"hub     by its own policy, which need not be yours: {opinion}")
    by = trusted(note, keys, policy) if policy or keys else "by nobody whom the log names"
    told.append(f"signed  {note.end[0]} entries: {by}")
    if policy is None:
        told.append("        whose word counts for you is for you to say: --policy, or --key")
    if log.part:
        return [
            *told,
            "OK      nothing was changed; that there is no more only the whole log shows",
        ]
    return [*told, "OK      nothing is missing and nothing was changed"]


def report(log: Log) -> list[str]:
    """Return what was checked, in lines."""
    size, root = log.end
    lines = [f"size    {size}", f"root    {root.hex()}"]
    if log.part:
        lines.append(f"part    {log.entries} entries, each proven to be in it")
    checked = f"checked {log.payloads} payloads, {log.signatures} signatures"
    return [*lines, f"{checked} ({log.withheld} payloads are withheld or were removed)"]


if __name__ == "__main__":
    sys.exit(main())
