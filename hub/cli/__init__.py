"""The ``caspian`` command: which commands there are, and how each of them ends.

A command's module is imported when the command is called, so that ``caspian --help``
is there at once and a part that is missing stops only the commands that need it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cyclopts import App, CycloptsError

from hub.cli.exits import INTERRUPTED, exit_code, usage
from hub.cli.words import spoken, t, told
from hub.errors import HubError, Rejected

if TYPE_CHECKING:
    from cyclopts.help import DefaultFormatter, HelpPanel
    from rich.console import Console, ConsoleOptions

__all__ = ["app", "main"]

_BROKEN_PIPE: Final = 141
"""128 + SIGPIPE, what a shell says of a command whose reader has gone."""


def _version() -> str:
    from hub.version import VERSION  # noqa: PLC0415 - reads the package's metadata, only if asked

    return VERSION


def _in_our_words(error: CycloptsError) -> Rejected:
    """Return a wrong call as the one form that all errors have."""
    called = " ".join(("caspian", *(error.command_chain or ())))
    return usage(str(error), remedy=t("See `{command} --help`.", command=called))


_AGENCIES: Final = told("For agencies")
_AUDITORS: Final = told("For auditors")
_OPERATORS: Final = told("For operators")
_PARTS: Final = told("Run the hub")
_STATES: Final = told("For states")

_COMMANDS: Final = (
    (
        "publish",
        "hub.cli.publish:publish",
        _AGENCIES,
        told("Publish messages; print their receipts."),
    ),
    ("ack", "hub.cli.messages:ack", _AGENCIES, told("Acknowledge a message in your name.")),
    ("show", "hub.cli.messages:show", _AGENCIES, told("Show a message and what became of it.")),
    (
        "proof",
        "hub.cli.receipts:proof",
        _AGENCIES,
        told("Write the proof that a message is in the log."),
    ),
    (
        "receipt",
        "hub.cli.receipts:app",
        _AGENCIES,
        told("Keep receipts of the log, and check them without a hub."),
    ),
    (
        "thread",
        "hub.cli.threads:thread",
        _AGENCIES,
        told("Show what came before and after a message."),
    ),
    (
        "incidents",
        "hub.cli.threads:incidents",
        _AGENCIES,
        told("Show incidents and what is said of one."),
    ),
    ("unacked", "hub.cli.watch:unacked", _AGENCIES, told("Show what is still to acknowledge.")),
    ("handover", "hub.cli.watch:handover", _AGENCIES, told("Report on a shift, for the next one.")),
    (
        "escalations",
        "hub.cli.escalations:escalations",
        _AGENCIES,
        told("Show what was not acknowledged in time."),
    ),
    ("tail", "hub.cli.tail:tail", _AGENCIES, told("Follow a feed as it is written.")),
    (
        "validate",
        "hub.cli.validate:validate",
        _AGENCIES,
        told("Check messages by the rules of the standards, without a hub."),
    ),
    ("template", "hub.cli.template:template", _AGENCIES, told("Write an example of a message.")),
    (
        "convert",
        "hub.cli.convert:convert",
        _AGENCIES,
        told("Write a message as XML, JSON, GeoJSON or POLREP."),
    ),
    ("where", "hub.cli.where:where", _AGENCIES, told("Show which states and coasts areas touch.")),
    ("vocab", "hub.cli.vocab:app", _AGENCIES, told("Look up the codes that messages use.")),
    ("aid", "hub.cli.aid:app", _AGENCIES, told("Show what is asked for, promised and missing.")),
    ("log", "hub.cli.log:app", _AUDITORS, told("Read, verify, export and replay the log.")),
    (
        "verify",
        "hub.cli.log_verify:verify",
        _AUDITORS,
        told("Verify the log (the same as `log verify`)."),
    ),
    ("replays", "hub.cli.replays:app", _AUDITORS, told("Steer replays that a hub plays.")),
    ("report", "hub.cli.report:app", _AUDITORS, told("Report who acknowledged late, or never.")),
    ("holds", "hub.cli.holds:app", _AUDITORS, told("Show and change what may not be removed.")),
    ("keys", "hub.cli.keys:app", _AGENCIES, told("Make, show, rotate and revoke signing keys.")),
    (
        "registry",
        "hub.cli.registry:app",
        _OPERATORS,
        told("Change the registry by signed statements."),
    ),
    ("members", "hub.cli.members:app", _OPERATORS, told("Show and register member agencies.")),
    ("subs", "hub.cli.subs:app", _OPERATORS, told("Show and register subscriptions.")),
    (
        "outlets",
        "hub.cli.outlets:app",
        _AGENCIES,
        told("Bring feeds to other systems: webhooks, mail, brokers."),
    ),
    ("tokens", "hub.cli.tokens:app", _OPERATORS, told("Issue and revoke access tokens.")),
    ("accounts", "hub.cli.accounts:app", _OPERATORS, told("Persons who sign in.")),
    ("redis", "hub.cli.redis_users:app", _OPERATORS, told("Users of Redis for the agencies.")),
    ("dead", "hub.cli.dead:app", _OPERATORS, told("Look after dead letters.")),
    ("demo", "hub.cli.parts:demo", _PARTS, told("Run a whole hub with a live demonstration.")),
    ("serve", "hub.cli.parts:serve", _PARTS, told("Run the API.")),
    ("witness", "hub.cli.witness:app", _STATES, told("Run a state's witness of the log.")),
    ("mirror", "hub.cli.mirror:app", _STATES, told("Keep a state's own copy of the log.")),
    (
        "consumers",
        "hub.cli.parts:consumers",
        _PARTS,
        told("Run consumers: all jobs, or those named."),
    ),
    ("doctor", "hub.cli.doctor:doctor", _PARTS, told("Check everything the hub needs.")),
    ("backup", "hub.cli.backup:backup", _PARTS, told("Write the whole store into one file.")),
    ("restore", "hub.cli.backup:restore", _PARTS, told("Make the store out of a backup.")),
    (
        "rebuild",
        "hub.cli.rebuild:rebuild",
        _PARTS,
        told("Make feeds and projections anew from the log."),
    ),
    (
        "context",
        "hub.cli.contexts:app",
        _PARTS,
        told("Keep the addresses of hubs, and who you are there."),
    ),
    (
        "completion",
        "hub.cli.completion:completion",
        _PARTS,
        told("Print a shell's completion script."),
    ),
)


class _Help:
    """Shows help: in English as Cyclopts does, else by `hub.cli.helping`; imported only then."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        _formatter()(console, options, panel)

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        _formatter().render_usage(console, options, usage)

    def render_description(self, console: Console, options: ConsoleOptions, said: Any) -> None:
        _formatter().render_description(console, options, said)


def _formatter() -> DefaultFormatter:
    if spoken() == "en":
        from cyclopts.help import DefaultFormatter  # noqa: PLC0415 - see `_Help`

        return DefaultFormatter()
    from hub.cli.helping import TranslatedHelp  # noqa: PLC0415 - see `_Help`

    return TranslatedHelp()


def _made() -> App:
    """Return the command with all that there is, explained in the reader's language.

    What a command's own ``--help`` says stands in English where its options do, and is
    translated as it is shown.
    """
    made = App(
        name="caspian",
        help=t(
            "Exchange alerts and aid messages of the Caspian states; every one is acknowledged "
            "and kept in a log that anybody can verify."
        ),
        help_epilogue=t(
            "Exit codes: 0 done, 1 a fault of the program, 2 called wrongly, 3 unavailable "
            "(try again), 4 not allowed, 5 refused (change it) or broken log, 130 Ctrl-C."
        ),
        version=_version,
        help_format="plaintext",
        help_formatter=_Help(),
        suppress_keyboard_interrupt=False,
        print_error=False,
        exit_on_error=False,
        result_action="return_int_as_exit_code_else_zero",
    )
    for name, path, group, summary in _COMMANDS:
        made.command(path, name=name, group=t(group), help=t(summary))
    return made


app: Final = _made()


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
