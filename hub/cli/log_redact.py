"""``caspian log redact``: remove what a message said, by law; that it was sent stays provable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hub.cli.connection import Connection
from hub.cli.options import AsJson
from hub.cli.statements import Sign, propose, sign, write_file
from hub.cli.terminal import emit, say, styled
from hub.cli.words import t

__all__ = ["redact"]


def redact(
    index: int,
    agency: str,
    /,
    *,
    grounds: Annotated[str, Parameter(help="The law or order, for everybody to read.")],
    sign_: Sign = (),
    output: Annotated[
        Path | None,
        Parameter(
            name=("--output", "-o"),
            help="Write the statement here, for the state's authority to sign; do not submit.",
        ),
    ] = None,
    json: AsJson = False,
    connection: Connection = Connection(),  # noqa: B008 - frozen, and made of the options
) -> None:
    """Remove a message's payload from the hub for good; it cannot be brought back.

    The log keeps the entry, the payload's SHA-256 and the facts by which it was
    routed; every proof holds. Feeds tell their readers to remove their copies. In a log
    that began with roots the authority of the agency's state signs.

    Parameters
    ----------
    index: int
        The message's log index.
    agency: str
        The agency that sent it, so that a wrong index does no harm.

    """
    record = {"agency": agency, "message": index, "grounds": grounds}
    with connection.client() as client:
        if output is not None or sign_:
            statement = sign(propose(client, "redaction", record), sign_)
            if output is not None:
                write_file(output, statement)
                return
            client.submit(statement)
        else:
            client.redact(record)
    if json:
        emit(record)
    else:
        say(
            styled(f"#{index}", "bold"),
            styled(t("of {agency} is removed: {grounds}", agency=agency, grounds=grounds)),
        )
