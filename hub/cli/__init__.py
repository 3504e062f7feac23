"""The ``caspian`` command: which commands there are, and how each of them ends.

A command's module is imported when the command is called, so that ``caspian --help``
is there at once and a part that is missing stops only the commands that need it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import Final

from cyclopts import App, CycloptsError

from hub.cli.exits import INTERRUPTED, exit_code, usage
from hub.errors import HubError, Rejected

__all__ = ["app", "main"]

_BROKEN_PIPE: Final = 141
"""128 + SIGPIPE, what a shell says of a command whose reader has gone."""


def _version() -> str:
    from hub.version import VERSION  # noqa: PLC0415 - reads the package's metadata, only if asked

    return VERSION


def _in_our_words(error: CycloptsError) -> Rejected:
    """Return a wrong call as the one form that all errors have."""
    called = " ".join(("caspian", *(error.command_chain or ())))
    return usage(str(error), remedy=f"See `{called} --help`.")


app: Final = App(
    name="caspian",
    help="Exchange alerts and aid messages of the Caspian states; every one is acknowledged "
    "and kept in a log that anybody can verify.",
    help_epilogue="Exit codes: 0 done, 1 a fault of the program, 2 called wrongly, 3 unavailable "
    "(try again), 4 not allowed, 5 refused (change it) or broken log, 130 Ctrl-C.",
    version=_version,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
    print_error=False,
    exit_on_error=False,
    result_action="return_int_as_exit_code_else_zero",
)

_AGENCIES: Final = "For agencies"
_AUDITORS: Final = "For auditors"
_OPERATORS: Final = "For operators"
_PARTS: Final = "Run the hub"
_STATES: Final = "For states"

_COMMANDS: Final = (
    ("publish", "hub.cli.publish:publish", _AGENCIES, "Publish messages; print their receipts."),
    ("ack", "hub.cli.messages:ack", _AGENCIES, "Acknowledge a message in your name."),
    ("show", "hub.cli.messages:show", _AGENCIES, "Show a message and what became of it."),
    (
        "proof",
        "hub.cli.receipts:proof",
        _AGENCIES,
        "Write the proof that a message is in the log.",
    ),
    (
        "receipt",
        "hub.cli.receipts:app",
        _AGENCIES,
        "Keep receipts of the log, and check them without a hub.",
    ),
    ("thread", "hub.cli.threads:thread", _AGENCIES, "Show what came before and after a message."),
    (
        "incidents",
        "hub.cli.threads:incidents",
        _AGENCIES,
        "Show incidents and what is said of one.",
    ),
    ("unacked", "hub.cli.watch:unacked", _AGENCIES, "Show what is still to acknowledge."),
    ("handover", "hub.cli.watch:handover", _AGENCIES, "Report on a shift, for the next one."),
    (
        "escalations",
        "hub.cli.escalations:escalations",
        _AGENCIES,
        "Show what was not acknowledged in time.",
    ),
    ("tail", "hub.cli.tail:tail", _AGENCIES, "Follow a feed as it is written."),
    (
        "validate",
        "hub.cli.validate:validate",
        _AGENCIES,
        "Check messages by the rules of the standards, without a hub.",
    ),
    ("template", "hub.cli.template:template", _AGENCIES, "Write an example of a message."),
    (
        "convert",
        "hub.cli.convert:convert",
        _AGENCIES,
        "Write a message as XML, JSON, GeoJSON or POLREP.",
    ),
    ("where", "hub.cli.where:where", _AGENCIES, "Show which states and coasts areas touch."),
    ("vocab", "hub.cli.vocab:app", _AGENCIES, "Look up the codes that messages use."),
    ("aid", "hub.cli.aid:app", _AGENCIES, "Show what is asked for, promised and missing."),
    ("log", "hub.cli.log:app", _AUDITORS, "Read, verify, export and replay the log."),
    (
        "verify",
        "hub.cli.log_verify:verify",
        _AUDITORS,
        "Verify the log (the same as `log verify`).",
    ),
    ("replays", "hub.cli.replays:app", _AUDITORS, "Steer replays that a hub plays."),
    ("report", "hub.cli.report:app", _AUDITORS, "Report who acknowledged late, or never."),
    ("holds", "hub.cli.holds:app", _AUDITORS, "Show and change what may not be removed."),
    ("keys", "hub.cli.keys:app", _AGENCIES, "Make, show, rotate and revoke signing keys."),
    ("registry", "hub.cli.registry:app", _OPERATORS, "Change the registry by signed statements."),
    ("members", "hub.cli.members:app", _OPERATORS, "Show and register member agencies."),
    ("subs", "hub.cli.subs:app", _OPERATORS, "Show and register subscriptions."),
    (
        "outlets",
        "hub.cli.outlets:app",
        _AGENCIES,
        "Bring feeds to other systems: webhooks, mail, brokers.",
    ),
    ("tokens", "hub.cli.tokens:app", _OPERATORS, "Issue and revoke access tokens."),
    ("accounts", "hub.cli.accounts:app", _OPERATORS, "Persons who sign in."),
    ("redis", "hub.cli.redis_users:app", _OPERATORS, "Users of Redis for the agencies."),
    ("dead", "hub.cli.dead:app", _OPERATORS, "Look after dead letters."),
    ("demo", "hub.cli.parts:demo", _PARTS, "Run a whole hub with a live demonstration."),
    ("serve", "hub.cli.parts:serve", _PARTS, "Run the API."),
    ("witness", "hub.cli.witness:app", _STATES, "Run a state's witness of the log."),
    ("mirror", "hub.cli.mirror:app", _STATES, "Keep a state's own copy of the log."),
    ("consumers", "hub.cli.parts:consumers", _PARTS, "Run consumers: all jobs, or those named."),
    ("doctor", "hub.cli.doctor:doctor", _PARTS, "Check everything the hub needs."),
    ("backup", "hub.cli.backup:backup", _PARTS, "Write the whole store into one file."),
    ("restore", "hub.cli.backup:restore", _PARTS, "Make the store out of a backup."),
    ("rebuild", "hub.cli.rebuild:rebuild", _PARTS, "Make feeds and projections anew from the log."),
    (
        "context",
        "hub.cli.contexts:app",
        _PARTS,
        "Keep the addresses of hubs, and who you are there.",
    ),
    ("completion", "hub.cli.completion:completion", _PARTS, "Print a shell's completion script."),
)

for _name, _path, _group, _help in _COMMANDS:
    app.command(_path, name=_name, group=_group, help=_help)


def main(tokens: Sequence[str] | None = None) -> int:
    """Run the command that *tokens* (the process's own arguments) name; return its exit code.

    The codes are those of `hub.cli.exits`. A `HubError` is told in one block;
    anything else is a fault of ours and keeps its traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A console that knows only Latin letters shows the others as numbers.
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return int(app(sys.argv[1:] if tokens is None else tokens))
        except CycloptsError as error:
            raise _in_our_words(error) from error
    except HubError as error:
        from hub.cli.terminal import report  # noqa: PLC0415 - rich is only for who needs it

        report(error)
        return exit_code(error)
    except BrokenPipeError:
        # Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
