"""The keys of the demonstration: authorities of the states, roots and message keys of the agencies.

In a hub for real each of them lies with another owner, the first two off line. Here
all are made once, in the data directory, where only their owner can read them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hub.client import AsyncClient, Outbox, SignedPublisher
from hub.client.outbox import Signed
from hub.client.signers import Signer, make_key_file, open_signer, read_key
from hub.core.changes import ChangeKind, statement_text
from hub.core.registry import Registry
from hub.demo.members import MEMBERS, SIGN_ALL, STATES, UNSIGNED
from schemas.dsse import STATEMENT_TYPE
from schemas.receipt import Receipt

__all__ = ["Keys", "announce", "register"]

_YEAR: Final = "2026"


class Keys:
    """The key files of one data directory; each is made when it is first asked for."""

    def __init__(self, data: Path) -> None:
        self._directory = data / "keys"

    def public(self, name: str) -> str:
        """Return a verifier key."""
        path = self._directory / name
        if not path.exists():
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_key_file(path, name)
        return str(read_key(path))

    def signer(self, name: str) -> Signer:
        """Return what signs in a name."""
        self.public(name)
        return open_signer(self._directory / name, lambda: "")

    def write_roots(self) -> Path:
        """Write the states that the log begins with, and return the file (CASPIAN_ROOTS)."""
        records = [
            {"id": code, "name": name, "authority": self.public(_authority(code))}
            for code, name in STATES.items()
        ]
        path = self._directory / "roots.json"
        path.write_text(json.dumps(records, indent=1), "utf-8")
        return path

    @contextmanager
    def publisher(
        self, agency: str, send: Callable[[Signed], Awaitable[Receipt]]
    ) -> Iterator[SignedPublisher]:
        """Give what signs and sends for an agency, with its own record of what it signed."""
        outbox = Outbox(self._directory / f"{agency}.outbox", agency)
        try:
            yield SignedPublisher(outbox, self.signer(_key(agency)), send)
        finally:
            outbox.close()


async def register(
    operator: AsyncClient, keys: Keys, subscriptions: tuple[Mapping[str, Any], ...]
) -> None:
    """Have the agencies, their keys and subscriptions taken in, each signed by those who must."""
    for record in MEMBERS:
        agency = record["id"]
        authority, root = _authority(record["state"]), f"{agency}-root"
        whole = {**record, "root": keys.public(root), "signs": agency in SIGN_ALL}
        there = (await operator.registry())["agencies"].get(agency)
        if there is None or any(there[name] != value for name, value in whole.items()):
            await _change(operator, keys, "member", whole, authority, root)
        if agency not in UNSIGNED:
            key = keys.public(_key(agency))
            if key not in (await operator.registry())["keys"]:
                change = {"agency": agency, "key": key, "action": "add"}
                await _change(operator, keys, "key", change, authority, root, _key(agency))
    held = {s["feed"] for s in (await operator.members())["subscriptions"]}
    for wanted in subscriptions:
        if f"{wanted['agency']}.{wanted['name']}" not in held:
            await _change(operator, keys, "subscription", wanted, f"{wanted['agency']}-root")


async def announce(operator: AsyncClient, keys: Keys, key_file: Path) -> None:
    """Have all states announce the key that signs the log, where it began without one."""
    if not (await operator.registry())["log_keys"]:
        own = open_signer(key_file, lambda: "")
        record = {"key": str(own.key), "action": "add"}
        await _change(operator, keys, "log-key", record, own, *map(_authority, STATES))


async def _change(
    operator: AsyncClient,
    keys: Keys,
    kind: ChangeKind,
    record: Mapping[str, Any],
    *names: str | Signer,
) -> None:
    found = await operator.registry()
    registry = Registry(origin=found["origin"], versions=found["versions"])
    text = statement_text(registry.origin, kind, record, registry)
    signers = [keys.signer(name) if isinstance(name, str) else name for name in names]
    signatures = [
        {
            "key": str(signer.key),
            "sig": base64.b64encode(signer.sign(STATEMENT_TYPE, text.encode())).decode(),
        }
        for signer in signers
    ]
    await operator.submit({"statement": text, "signatures": signatures})


def _authority(state: str) -> str:
    return f"{state}-authority"


def _key(agency: str) -> str:
    return f"{agency}-{_YEAR}"
