"""Verify a bundle of a Caspian Hub log with nothing but this file, Python and PyNaCl.

    python verify_bundle.py BUNDLE [--earlier SIZE:ROOT] [--checkpoint FILE --key VERIFIERKEY]

It shares no code with the hub, so that whoever doubts the hub need not run it. Checked are
the file, the Merkle tree (RFC 6962), every payload's digest, every agency's count, every
signature (DSSE, Ed25519) by a key that counted at its index, and the statements that
changed the registry. What only the whole hub can decide again (`caspian verify`) is not.
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


def read_key(text: str) -> tuple[str, bytes]:
    """Return name and public key of a verifier key (C2SP signed-note)."""
    name, short, encoded = text.split("+", 2)
    blob = base64.b64decode(encoded, validate=True)
    told = sha256(name.encode() + b"\n" + blob).digest()[:4].hex()
    if blob[:1] != b"\x01" or len(blob) != 33 or told != short or not sound(blob[1:]):
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


class Log:
    """What has to be remembered of the entries so far."""

    def __init__(self) -> None:
        self.size, self.at = 0, ""
        self.nodes: list[bytes] = []
        self.counts: dict[str, tuple[int, str]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.signatures = self.payloads = self.withheld = 0

    def root(self) -> bytes:
        """Return the Merkle root over all entries so far."""
        if not self.nodes:
            return sha256(b"").digest()
        node = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            node = sha256(b"\1" + left + node).digest()
        return node

    def take(self, body: bytes, payload: bytes | None, payload_type: str) -> None:
        """Check one entry, which stands at `size`."""
        entry = json.loads(body)
        if entry["v"] != 1 or entry["at"] <= self.at:
            raise Wrong("its time is not after that of the entry before")
        if entry["kind"] == "publish" or "header" in entry:
            self.message(entry, payload, payload_type)
        if "statement" in entry:
            for one in entry["signatures"]:
                if not signed(STATEMENT, entry["statement"], one["key"], one["sig"]):
                    raise Wrong(f"the signature of {one['key']} under the statement does not hold")
                self.signatures += 1
        if entry["kind"] == "key":
            self.change(entry["key"])
        node, rest = sha256(b"\0" + body).digest(), self.size
        while rest & 1:
            node, rest = sha256(b"\1" + self.nodes.pop() + node).digest(), rest >> 1
        self.nodes.append(node)
        self.size, self.at = self.size + 1, entry["at"]

    def change(self, record: dict[str, Any]) -> None:
        """Take in that a key began, or ceased, to count."""
        if record["action"] == "add":
            self.keys[record["key"]] = {**record, "until": None}
        elif self.keys[record["key"]]["until"] is None:
            self.keys[record["key"]]["until"] = self.size

    def message(self, entry: dict[str, Any], payload: bytes | None, payload_type: str) -> None:
        """Check a header: its place in the count, its signature, its payload."""
        header = json.loads(entry["header"])
        by_agency = "signature" in entry
        name = entry["agency"] + ("#signed" if by_agency else "")
        seq, head = self.counts.get(name, (0, ""))
        if header["agency"] != entry["agency"] or (header["seq"], header["prev"]) != (
            seq + 1,
            head,
        ):
            raise Wrong(f"message {header['seq']} of {name} does not follow {seq}")
        self.counts[name] = (seq + 1, sha256(entry["header"].encode()).hexdigest())
        if by_agency:
            life = self.keys.get(entry["key"], {})
            expires = life.get("expires")
            if life.get("agency") != entry["agency"] or life["until"] is not None:
                raise Wrong(f"{entry['key']} is no key of {entry['agency']} here")
            if expires and when(expires) <= when(entry["at"]):
                raise Wrong(f"{entry['key']} had expired")
            if not signed(HEADER, entry["header"], entry["key"], entry["signature"]):
                raise Wrong(f"{entry['key']} did not sign this header")
            self.signatures += 1
        if entry["kind"] != "publish":
            return
        if payload is None or payload_type == REDACTED:
            self.withheld += 1
        elif sha256(payload).hexdigest() != header["payload_sha256"]:
            raise Wrong("its payload is not the one that its header names")
        else:
            self.payloads += 1


def check_note(log: Log, note: str, key: str, header: dict[str, Any]) -> None:
    """Hold a checkpoint against the log: signed by the log's key, and of the same tree."""
    text, _, below = note.rpartition("\n\n")
    origin, size, root = (text + "\n").split("\n")[:3]
    name, public = read_key(key)
    short = key.split("+")[1]
    for line in below.splitlines():
        mark, who, encoded = line.split(" ", 2)
        blob = base64.b64decode(encoded)
        if mark == "\u2014" and who == name and blob[:4].hex() == short:
            if origin != header["origin"] or name != origin:
                raise Wrong("the checkpoint is of another log")
            if not holds(public, blob[4:], (text + "\n").encode()):
                raise Wrong("the signature of the checkpoint does not hold")
            if int(size) == log.size and base64.b64decode(root) != log.root():
                raise Wrong("the log is not the one that the checkpoint states: a fork")
            return
    raise Wrong("the key did not sign the checkpoint")


def verify(path: Path, kept: tuple[int, str] | None) -> tuple[Log, dict[str, Any]]:
    """Verify a bundle; raise at the first thing that is wrong."""
    log, digest, header, done = Log(), sha256(), dict[str, Any](), False
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == b"\x1f\x8b"
        for line in gzip.GzipFile(fileobj=raw) if packed else raw:
            record = json.loads(line)
            if done:
                raise Wrong("something follows the last line")
            if not header:
                header = begin(record)
            elif "entries" in record:
                done = record == {"entries": log.size, "sha256": digest.hexdigest()}
                if not done:
                    raise Wrong("the file is not what its last line says")
            else:
                take(log, record, kept)
            digest.update(line)
    if not done:
        raise Wrong("the file was cut")
    if log.size == header["size"] and log.root().hex() != header["root"]:
        raise Wrong("the root over the entries is not the one that the bundle states")
    if kept is not None and log.size < kept[0]:
        raise Wrong(f"the log ends at {log.size}; you know one of {kept[0]}")
    return log, header


def begin(record: dict[str, Any]) -> dict[str, Any]:
    """Return the header of a bundle that can be verified whole."""
    part = record["first"] or "kinds" in record or "agency" in record
    if record["caspian_bundle"] != 1 or part:
        raise Wrong("this is not a bundle from the first entry, with none left out")
    return record


def take(log: Log, record: dict[str, Any], kept: tuple[int, str] | None) -> None:
    """Check the line of an entry, and the root where an end is known."""
    payload = record["payload"]
    if record["index"] != log.size:
        raise Wrong(f"index {record['index']} stands where {log.size} should")
    try:
        log.take(
            base64.b64decode(record["entry"], validate=True),
            None if payload is None else base64.b64decode(payload, validate=True),
            record["payload_type"],
        )
    except (Wrong, ValueError, KeyError, TypeError) as e:
        raise Wrong(f"entry {log.size}: {e}") from e
    if kept is not None and log.size == kept[0] and log.root().hex() != kept[1]:
        raise Wrong(f"the first {kept[0]} entries are not those that you know")


def main() -> int:
    """Verify what the command line names; 0 if all is well, 5 if not."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--earlier", help="SIZE:ROOT that you have kept")
    parser.add_argument("--checkpoint", type=Path, help="a signed checkpoint that you have")
    parser.add_argument("--key", help="the log's verifier key, which signs checkpoints")
    given = parser.parse_args()
    size, _, root = (given.earlier or "0:").partition(":")
    try:
        log, header = verify(given.bundle, (int(size), root.lower()) if given.earlier else None)
        if given.checkpoint is not None:
            check_note(log, given.checkpoint.read_text("utf-8"), given.key or "", header)
    except (Wrong, ValueError, KeyError, OSError, EOFError) as e:
        print(f"BROKEN {e}")  # noqa: T201 - a program of its own
        return 5
    print(  # noqa: T201
        f"size    {log.size}\nroot    {log.root().hex()}\n"
        f"checked {log.payloads} payloads, {log.signatures} signatures"
        f" ({log.withheld} payloads are withheld or were removed)\n"
        "OK      nothing is missing and nothing was changed"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
