"""Who signs: a private key in a file, or a program that holds one (a card, an agent, a module).

A key file is JSON with mode 600::

    {"key": "<verifier key>", "seed": "<base64, 32 bytes>"}
    {"key": "<verifier key>", "sealed": {"salt", "opslimit", "memlimit", "box"}}
    {"key": "<verifier key>", "command": ["program", "argument", …]}

*sealed* is the seed under a passphrase: argon2id, then XSalsa20-Poly1305 (libsodium's
`secretbox`). A *command* gets the bytes to sign on its standard input and writes the
signature in base64: so keys that must not leave their hardware sign too.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from nacl import pwhash, secret, utils
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey

from hub.errors import Rejected
from schemas.dsse import pae
from schemas.ed25519 import KEY_NAME, VerifierKey, decode_base64, verify

__all__ = ["KEY_NAME", "Signer", "make_command_file", "make_key_file", "open_signer", "read_key"]

_PATIENCE_S: Final = 120
"""A person may have to touch a card."""


class Signer(Protocol):
    """Something that can sign with one key."""

    @property
    def key(self) -> VerifierKey:
        """The key that verifies what it signs."""

    def sign(self, payload_type: str, body: bytes) -> bytes:
        """Return the signature, 64 bytes, over *body* of this type (`schemas.dsse.pae`).

        Raises:
            Rejected: ``signer-failed``.
        """

    def sign_note(self, text: str) -> bytes:
        """Return the signature, 64 bytes, over a note's text (`schemas.notes`).

        A note's first line is a name without a space: it is never taken for what `sign` signs.

        Raises:
            Rejected: ``signer-failed``.
        """


class _Seed:
    def __init__(self, key: VerifierKey, seed: bytes) -> None:
        self.key = key
        self._secret = SigningKey(seed)

    def sign(self, payload_type: str, body: bytes) -> bytes:
        return self._secret.sign(pae(payload_type, body)).signature

    def sign_note(self, text: str) -> bytes:
        return self._secret.sign(text.encode()).signature


class _Command:
    def __init__(self, key: VerifierKey, command: Sequence[str]) -> None:
        self.key = key
        self._command = list(command)

    def sign(self, payload_type: str, body: bytes) -> bytes:
        return self._sign(pae(payload_type, body))

    def sign_note(self, text: str) -> bytes:
        return self._sign(text.encode())

    def _sign(self, data: bytes) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - the owner of the key file names the program
                self._command, input=data, capture_output=True, timeout=_PATIENCE_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            raise _failed(str(e)) from e
        signature = decode_base64(done.stdout.decode("ascii", "replace").strip())
        if done.returncode or signature is None:
            raise _failed(done.stderr.decode("utf-8", "replace").strip()[:300] or "it said nothing")
        if not verify(self.key.public, signature, data):
            raise _failed("what it wrote is no signature of this key")
        return signature


def _failed(why: str) -> Rejected:
    return Rejected(
        "signer-failed",
        f"the program that holds the key did not sign: {why}",
        remedy="Run it by hand with some bytes on its standard input; see what it says.",
    )


def make_key_file(path: Path, name: str, passphrase: str = "") -> VerifierKey:
    """Make a key, and the file that holds it; an empty *passphrase* leaves it in the clear.

    Raises:
        Rejected: ``key-file-unusable``; the file is there already, or cannot be written.
    """
    made = SigningKey.generate()
    key = VerifierKey(name, bytes(made.verify_key))
    content: dict[str, Any] = {"key": str(key)}
    if passphrase:
        content["sealed"] = _seal(bytes(made), passphrase)
    else:
        content["seed"] = base64.b64encode(bytes(made)).decode()
    _write(path, content)
    return key


def make_command_file(path: Path, key: VerifierKey, command: Sequence[str]) -> None:
    """Make the file of a key that a program holds.

    Raises:
        Rejected: ``key-file-unusable``.
    """
    _write(path, {"key": str(key), "command": list(command)})


def _write(path: Path, content: Mapping[str, Any]) -> None:
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(number, "w", encoding="utf-8") as file:  # noqa: PTH123 - of the descriptor
            file.write(json.dumps(content) + "\n")
            file.flush()
            os.fsync(number)
    except OSError as e:
        raise _unusable(path, e.strerror or str(e), "Name a file that is not there yet.") from e


def read_key(path: Path) -> VerifierKey:
    """Return the public part of a key file; needs no passphrase.

    Raises:
        Rejected: ``key-file-unusable``, ``key-invalid``.
    """
    return VerifierKey.read(str(_read(path)["key"]))


def open_signer(path: Path, passphrase: Callable[[], str]) -> Signer:
    """Return what signs with a key file; *passphrase* is asked where it is sealed.

    Raises:
        Rejected: ``key-file-unusable``: no such file, others may read it, or it is none;
            ``passphrase-wrong``; ``key-invalid``.
    """
    content = _read(path)
    key = VerifierKey.read(str(content["key"]))
    if "command" in content:
        return _Command(key, [str(part) for part in content["command"]])
    if "sealed" in content:
        seed = _unseal(path, content["sealed"], passphrase())
    else:
        seed = decode_base64(str(content.get("seed"))) or b""
    if len(seed) != 32 or bytes(SigningKey(seed).verify_key) != key.public:
        raise _unusable(path, "it does not hold the key that it names", "Take your copy of it.")
    return _Seed(key, seed)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = json.loads(file.read(65_536))
    except (OSError, ValueError) as e:
        why = e.strerror if isinstance(e, OSError) and e.strerror else "it is no key file"
        raise _unusable(path, why, "Name the file that `caspian keys new` made.") from e
    if not isinstance(content, dict) or "key" not in content:
        raise _unusable(path, "it is no key file", "Name the file that `caspian keys new` made.")
    if stat.S_IMODE(mode) & 0o077:
        raise _unusable(path, "others on this machine may read it", f"Do `chmod 600 {path}`.")
    return content


def _unusable(path: Path, why: str, remedy: str) -> Rejected:
    return Rejected("key-file-unusable", f"{path}: {why}", remedy=remedy)


def _seal(seed: bytes, passphrase: str) -> dict[str, Any]:
    salt = utils.random(pwhash.argon2id.SALTBYTES)
    ops, mem = pwhash.argon2id.OPSLIMIT_MODERATE, pwhash.argon2id.MEMLIMIT_MODERATE
    box = _box(passphrase, salt, ops, mem).encrypt(seed)
    return {
        "salt": base64.b64encode(salt).decode(),
        "opslimit": ops,
        "memlimit": mem,
        "box": base64.b64encode(box).decode(),
    }


def _unseal(path: Path, sealed: Mapping[str, Any], passphrase: str) -> bytes:
    try:
        salt, box = (base64.b64decode(sealed[name]) for name in ("salt", "box"))
        return _box(passphrase, salt, sealed["opslimit"], sealed["memlimit"]).decrypt(box)
    except CryptoError as e:
        raise Rejected(
            "passphrase-wrong",
            f"the passphrase does not open {path}",
            remedy="Try again; without it the key is lost, and another must be taken in.",
        ) from e
    except (KeyError, TypeError, ValueError) as e:
        raise _unusable(path, "what is sealed in it is damaged", "Take your copy of it.") from e


def _box(passphrase: str, salt: bytes, opslimit: int, memlimit: int) -> secret.SecretBox:
    size = secret.SecretBox.KEY_SIZE
    return secret.SecretBox(
        pwhash.argon2id.kdf(size, passphrase.encode(), salt, opslimit=opslimit, memlimit=memlimit)
    )
