"""The witnesses of the demonstration: one for each state, in one process that is no state's.

For real each state runs its own, on its own machine (docs/witness.md). Here all lie in the data
directory, each with its own key and store, so that one sees how they cosign.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from hub.demo.members import STATES
from hub.log.log_keys import first_key
from hub.settings import Settings
from hub.supervised import Child
from hub.witness.identity import KEY, Identity
from hub.witness.making import init

__all__ = ["QUORUM", "make_witnesses"]

QUORUM = 3
"""How many of the five make an entry witnessed; with one more it is sealed."""


def make_witnesses(settings: Settings, *, port: int) -> tuple[Path, Child]:
    """Make the witnesses that are missing, and the policy that names all of them.

    Return the policy's file, and the process that runs them.
    """
    log = first_key(settings.log_keys, settings.origin)
    directory = settings.data / "witnesses"
    keys: dict[str, Identity] = {}
    for state in STATES:
        own = directory / state.lower()
        if not (own / KEY).exists():
            name = f"witness.{state.lower()}.example"
            init(own, name=name, logs=[log], listen=f"127.0.0.1:{port}")
        keys[state] = Identity.read(own / KEY)
    policy = settings.data / "policy"
    policy.write_text(_policy(str(log), keys, port), "utf-8")
    command = [sys.executable, "-m", "hub.cli", "witness", "run"]
    places = [str(directory / state.lower()) for state in STATES]
    return policy, Child(
        "witnesses",
        [*command, *places, "--port", str(port)],
        env={**settings.to_environment(), "CASPIAN_METRICS_PORT": ""},
    )


def _policy(log: str, keys: Mapping[str, Identity], port: int) -> str:
    names = [state.lower() for state in keys]
    witnesses = "".join(
        f"witness {state.lower()} {one.key} http://127.0.0.1:{port}/{state.lower()}\n"
        for state, one in keys.items()
    )
    return (
        "# Whose word counts for the log of the demonstration (c2sp.org/tlog-policy).\n"
        f"log {log}\n{witnesses}group states {QUORUM} {' '.join(names)}\nquorum states\n"
    )
