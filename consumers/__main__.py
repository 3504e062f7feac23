"""``python -m consumers [JOB …]``: run jobs with the settings of the environment."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

from consumers.app import JOBS, JobName, run
from hub.errors import HubError
from hub.settings import Settings
from hub.telemetry import configure_logging

__all__ = ["main"]


def main(names: list[str]) -> int:
    """Run the jobs *names* (all of them where none is named); return the exit code."""
    unknown = [name for name in names if name not in JOBS]
    if unknown:
        print(f"no job {', '.join(unknown)}; there are {', '.join(JOBS)}", file=sys.stderr)  # noqa: T201  # the command's answer
        return 2
    try:
        settings = Settings.from_environment()
        configure_logging(format=settings.log_format, level=settings.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, cast("list[JobName]", names) or JOBS))
    except HubError as e:
        print(f"error {e}\nwhat to do: {e.remedy}", file=sys.stderr)  # noqa: T201  # the command's answer
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
