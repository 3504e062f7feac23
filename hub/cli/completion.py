"""``caspian completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import sys
from typing import Literal

from hub.cli import app

__all__ = ["completion"]


def completion(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print the script; for bash: source <(caspian completion bash).

    Parameters
    ----------
    shell: Literal["bash", "zsh", "fish"]
        The shell that it is for.

    """
    sys.stdout.write(app.generate_completion(shell=shell))
