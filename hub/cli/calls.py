"""What a feed that is followed sets off: the bell, and a program of one's own."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from hub.cli.exits import usage
from hub.cli.terminal import note, styled
from hub.cli.words import t

__all__ = ["Calls"]

_PATIENCE_S: Final = 60
_RUNG: Final = frozenset({"publish", "escalation"})


class Calls:
    """Rings and runs for each entry; what goes wrong there is told and stops nothing.

    The program is run without a shell: nothing that somebody wrote into a message can
    become a command.
    """

    def __init__(self, *, bell: bool, program: str | None) -> None:
        self._bell = bell
        try:
            self._program = shlex.split(program) if program is not None else []
        except ValueError as e:
            raise usage(t("--exec: {why}", why=e), remedy=t("Close the quotation marks.")) from e
        if program is not None and not self._program:
            raise usage(t("--exec names no program"), remedy=t("Write --exec 'program argument'."))

    async def of(self, entry: Mapping[str, Any]) -> None:
        """Ring and run for an entry."""
        if self._bell and entry["kind"] in _RUNG:
            sys.stderr.write("\a")
            sys.stderr.flush()
        if self._program:
            await self._run(entry)

    async def _run(self, entry: Mapping[str, Any]) -> None:
        about = {"CASPIAN_INDEX": str(entry["index"]), "CASPIAN_KIND": entry["kind"]}
        # A program that is told of messages need not be able to send some.
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CASPIAN_TOKEN")}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._program, stdin=asyncio.subprocess.PIPE, env={**kept, **about}
            )
        except OSError as e:
            note(styled(t("--exec for #{index}: {why}", index=entry["index"], why=e), "bold red"))
            return
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await process.communicate(json.dumps(entry, ensure_ascii=False).encode())
        except TimeoutError:
            note(
                styled(
                    t(
                        "--exec for #{index}: took longer than {seconds} s",
                        index=entry["index"],
                        seconds=_PATIENCE_S,
                    ),
                    "red",
                )
            )
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            note(
                styled(
                    t(
                        "--exec for #{index}: ended with {code}",
                        index=entry["index"],
                        code=process.returncode,
                    ),
                    "red",
                )
            )
