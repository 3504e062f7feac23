"""``caspian demo``: a whole hub on one machine, with agencies that publish and answer."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape

from hub.client import AsyncClient, StreamPublisher
from hub.core.registry import History, channel_of, main_feeds
from hub.core.routing import entitled
from hub.demo.accounts import LANGUAGES, OTHERS, account_of, console_accounts
from hub.demo.keys import Keys, announce, register
from hub.demo.members import MEMBERS, OFFICERS, SUBSCRIPTIONS, UNSIGNED
from hub.demo.scenario import fill, template
from hub.demo.script import STEPS, Acknowledge, Publish, Step
from hub.demo.tokens import Tokens
from hub.demo.witnesses import make_witnesses
from hub.errors import HubError, Rejected, Unavailable
from hub.log.levels import Levels, read_policy_file
from hub.log.store import Log
from hub.log.verify import verify_store
from hub.members.credentials import Role
from hub.parts import embedded_settings, parts
from hub.settings import Settings
from hub.streams.acl import password_of
from hub.streams.embedded import free_port
from hub.supervisor import ChildEvent, Supervisor
from schemas.notes import read_note
from schemas.receipt import Receipt

__all__ = ["demo"]

_PAUSE: Final = timedelta(milliseconds=400)
_PLAIN: Final = {"started": "starts", "ready": "is ready", "stopped": "stopped"}


def demo(settings: Settings, *, once: bool) -> int:
    """Run the demonstration until Ctrl-C, or *once* through and stop; return the exit code.

    A second run goes on with the log and the members of the first.
    """
    console = Console(highlight=False, soft_wrap=True)
    try:
        return asyncio.run(_Demo(settings, console).run(once=once))
    except KeyboardInterrupt:
        return 0


class _Demo:
    """One run of the demonstration."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self.console = console
        data = settings.data.absolute()
        # Port 0 means any, as it does everywhere.
        port = settings.port if settings.port and _free(settings.host, settings.port) else 0
        port = port or free_port()
        if port != settings.port != 0:
            self._say(f"port {settings.port} is taken; the API listens on {port}")
        self.valkey_port = _kept_port(data / "valkey.port")
        self.settings = embedded_settings(
            Settings.model_validate(
                {
                    **settings.model_dump(),
                    "data": data,
                    "port": port,
                    "roots": settings.roots or Keys(data).write_roots(),
                }
            ),
            port=self.valkey_port,
        )
        port = _kept_port(data / "witnesses.port")
        policy, self.witnesses = make_witnesses(self.settings, port=port)
        if self.settings.policy is None:
            self.settings = Settings.model_validate({**dict(self.settings), "policy": policy})
        self.keys = Keys(data)
        self.signs = False
        self.url = f"http://{self.settings.host}:{self.settings.port}"
        self.receipts: dict[str, Receipt] = {}
        self.sent: dict[str, str] = {}
        self.run_id = datetime.now(UTC).strftime("%m%d%H%M%S")
        self.playing = True

    async def run(self, *, once: bool) -> int:
        self._say(
            f"[bold]Caspian Hub[/bold]: the demonstration keeps its data in {self.settings.data}"
        )
        supervisor = Supervisor(
            # First, and nobody waits for them: they start while the others do.
            [self.witnesses, *parts(self.settings, valkey_port=self.valkey_port)],
            directory=self.settings.data,
            on_event=self._told,
        )
        hub = asyncio.create_task(supervisor.run())
        play = asyncio.create_task(self._play(timedelta(0) if once else _PAUSE))
        done, _ = await asyncio.wait({hub, play}, return_when=asyncio.FIRST_COMPLETED)
        if play in done and play.exception() is None and not once:
            self._print_how_to()
            await hub
            self._say("everything is stopped; the data stay, and a next run goes on with them")
            return 0
        faults = []
        if play in done:
            if error := play.exception():
                faults.append(str(error))
            else:
                faults += await self._verify()
        supervisor.stop()
        play.cancel()
        await asyncio.gather(hub, play, return_exceptions=True)
        if hub in done and hub.exception() is not None:
            faults.append(str(hub.exception()))
        for fault in faults:
            self._say(f"[red]failed[/red] {escape(fault)}")
        return 1 if faults else 0

    async def _play(self, pause: timedelta) -> None:
        """Play the scenario, with a *pause* after each step in which people can follow it."""
        tokens = Tokens(self.settings)
        async with self._client(await asyncio.to_thread(tokens.of, "operator", "", "")) as operator:
            await _until_ready(operator)
            await self._register(operator)
            self.signs = (await operator.registry())["signed"]
            streams: dict[str, StreamPublisher] = {}
            async with _publishers(self.settings, streams):
                for step in STEPS:
                    await self._step(step, tokens, streams)
                    await asyncio.sleep(pause.total_seconds())
        await self._sealed()
        self.playing = False
        await asyncio.to_thread(tokens.write_environment, self.url)

    async def _register(self, operator: AsyncClient) -> None:
        states = len({record["state"] for record in MEMBERS})
        if (await operator.registry())["signed"]:
            await register(operator, self.keys, SUBSCRIPTIONS)
            await announce(operator, self.keys, self.settings.log_keys[0])
            how = "; their states' authorities have signed for each"
        else:
            for record in MEMBERS:
                await operator.add_member(record)
            for subscription in SUBSCRIPTIONS:
                await operator.add_subscription(subscription)
            how = ""
        self._say(f"{len(MEMBERS)} agencies of {states} states are members{how}")

    async def _step(self, step: Step, tokens: Tokens, streams: dict[str, StreamPublisher]) -> None:
        if isinstance(step, Acknowledge):
            await self._acknowledge(step, tokens)
            return
        payload, at = fill(
            template(step.message), run=self.run_id, now=datetime.now(UTC), sent=self.sent
        )
        self.sent[step.message] = at
        try:
            receipt = await self._publish(step, payload, tokens, streams)
        except Rejected as refusal:
            if refusal.code != step.refused:
                raise
            self._line(step.agency, "refused", f"{step.says}: {refusal.code}")
            return
        self.receipts[step.message] = receipt
        way = "XADD" if step.by == "xadd" else "HTTP"
        way += ", signed" if self._signs(step) else ""
        self._line(step.agency, f"log {receipt.index}", f"{step.says} [dim]({way})[/dim]")

    async def _publish(
        self, step: Publish, payload: bytes, tokens: Tokens, streams: dict[str, StreamPublisher]
    ) -> Receipt:
        if step.by == "xadd":
            stream = streams[step.agency]
            async with asyncio.timeout(30):
                if not self._signs(step):
                    return await stream.publish(payload)
                with self.keys.publisher(step.agency, stream.send_signed) as publisher:
                    return await publisher.publish(payload)
        token = await asyncio.to_thread(tokens.of, "agency", step.agency, "")
        async with self._client(token) as client:
            if not self._signs(step):
                return await client.publish(payload)
            with self.keys.publisher(step.agency, client.send_signed) as publisher:
                return await publisher.publish(payload)

    def _signs(self, step: Publish) -> bool:
        """Tell whether a step is signed; its own client would not sign a mistake."""
        return self.signs and step.agency not in UNSIGNED and not step.refused

    async def _acknowledge(self, step: Acknowledge, tokens: Tokens) -> None:
        person = OFFICERS[step.agency]
        token = await asyncio.to_thread(tokens.of, "officer", step.agency, person)
        async with self._client(token) as client:
            named = self.receipts[step.message]
            receipt = await client.acknowledge(named.id, note=step.note)
            page = await client.read(step.agency, after=named.index - 1)
            await client.confirm(step.agency, page["next"])
        self._line(
            step.agency,
            f"log {receipt.index}",
            f"{person} acknowledges log {named.index}: {step.note}",
        )

    async def _sealed(self) -> None:
        """Wait until the states' witnesses have cosigned what was published, and say who has."""
        policy = await asyncio.to_thread(read_policy_file, self.settings.policy)
        last = max(receipt.index for receipt in self.receipts.values())
        log = await asyncio.to_thread(Log.open, self.settings.log_url)
        try:
            levels = Levels(log, policy)
            for _ in range(600):
                level = await asyncio.to_thread(levels.of, last)
                if level == "sealed":
                    break
                await asyncio.sleep(0.1)
            else:
                raise Unavailable(
                    "witnesses-silent",
                    f"log {last} is {level} after a minute",
                    remedy=f"Read {self.settings.data}/logs/witnesses.log.",
                )
            note = await asyncio.to_thread(levels.newest, "sealed")
        finally:
            await asyncio.to_thread(log.close)
        if policy is not None and note is not None:
            by = ", ".join(policy.cosigned(read_note(note.encode())))
            self._line("hub", f"log {last}", f"is sealed: cosigned by the witnesses of {by}")

    async def _verify(self) -> list[str]:
        """Hold the result against what was published; return what is wrong."""
        log = await asyncio.to_thread(Log.open, self.settings.log_url)
        faults = []
        try:
            report = await asyncio.to_thread(verify_store, log)
            if not report.ok:
                faults.append(f"the log does not verify: {report}")
            for name, receipt in self.receipts.items():
                row = await asyncio.to_thread(log.row, receipt.index)
                if row is None or row.facts is None:
                    faults.append(f"{name} has a receipt and is not in the log")
            faults += await self._verify_feeds(log)
            self._say(
                f"verified: {report.entries} entries, root {(report.root or b'').hex()[:16]}…"
            )
        finally:
            await asyncio.to_thread(log.close)
        return faults

    async def _verify_feeds(self, log: Log) -> list[str]:
        """Ask every agency's feed over HTTP for what it must and must not hold."""
        tokens = Tokens(self.settings)
        faults = []
        history = History(await asyncio.to_thread(log.registry_entries))
        async with self._client(await asyncio.to_thread(tokens.of, "auditor", "", "")) as auditor:
            for agency in sorted(history.latest.members):
                channels: dict[str, set[int]] = {f: set() for f in main_feeds(agency).values()}
                for receipt in self.receipts.values():
                    row = await asyncio.to_thread(log.row, receipt.index)
                    if row is None or row.facts is None:
                        continue
                    if agency in entitled(row.facts, row.agency, history.at(row.index)):
                        feed = main_feeds(agency)[channel_of(row.facts.status)]
                        channels[feed].add(row.index)
                first = min(r.index for r in self.receipts.values())
                for feed, indexes in channels.items():
                    held = await _held(auditor, feed, first - 1, indexes)
                    if held != indexes:
                        faults.append(f"feed {feed} holds {sorted(held)}, not {sorted(indexes)}")
        return faults

    def _client(self, token: str) -> AsyncClient:
        return AsyncClient(self.url, token)

    def _told(self, event: ChildEvent) -> None:
        if event.kind in {"exited", "failed"}:
            why = event.reason or f"exit code {event.exit_code}"
            self._say(f"[yellow]{event.name} died ({escape(why)}) and is started again[/yellow]")
        elif self.playing and event.kind == "started":
            self._say(f"{event.name} {_PLAIN[event.kind]}")

    def _say(self, text: str) -> None:
        self.console.print(text)

    def _line(self, agency: str, what: str, text: str) -> None:
        now = datetime.now(UTC).strftime("%H:%M:%S")
        self.console.print(f"{now}Z  {agency:<13} {what:<8} {text}")

    def _print_how_to(self) -> None:
        tokens = Tokens(self.settings)
        data = _shown(self.settings.data)
        self._say("\n[bold]one login for each role[/bold]")
        for role, agency, person in _LOGINS:
            who = ", ".join(name for name in (role, agency, person) if name)
            # A line of its own for each: a token must come whole out of a narrow terminal.
            self._say(f"  {escape(who)}\n    {tokens.of(role, agency, person)}")
        password = console_accounts(self.settings)
        self._say("\n[bold]the console, for people[/bold]")
        self._say(f"  {self.url}/console")
        for agency, language in LANGUAGES.items():
            self._say(f"    {account_of(agency):<22} {OFFICERS[agency]} ({language})")
        for name, (_, person, language) in OTHERS.items():
            self._say(f"    {name:<22} {person} ({language})")
        self._say(f"  the password of all of them\n    {password}")
        index = self.receipts["quake-1"].index
        agency_token = tokens.of("agency", "az-fhn", "")
        lines = (
            ("address", self.url),
            (
                "publish",
                (
                    f"curl -sS -X POST {self.url}/v1/messages -H 'Authorization: Bearer "
                    f"{agency_token}' -H 'Content-Type: application/cap+xml' "
                    f"--data-binary @{data}/example.xml"
                ),
            ),
            (
                "or, signed",
                (
                    f"CASPIAN_TOKEN={agency_token} caspian publish {data}/example.xml "
                    f"--key {data}/keys/az-fhn-2026"
                ),
            ),
            (
                "or, from any language",
                (
                    f"REDISCLI_AUTH=$(cat {data}/redis-users/az-fhn) "
                    f"redis-cli --user az-fhn -p {self.valkey_port} -x "
                    f"XADD inbox:az-fhn '*' payload < {data}/example.xml"
                ),
            ),
            ("settings for the command", f". {data}/env.sh"),
            ("follow a feed", "caspian tail az-fhn --since 1h"),
            ("the life of a message", f"caspian show {index}"),
            ("the log", "caspian log ls; caspian log verify"),
            (
                "a state's witness",
                (
                    f"caspian witness key {data}/witnesses/az; "
                    f"caspian witness evidence {data}/witnesses/az"
                ),
            ),
            ("what the processes write", f"{data}/logs/*.log"),
        )
        self._say("")
        for what, line in lines:
            self._say(f"[bold]{what}[/bold]\n  {escape(line)}")
        self._say("\n[bold]Ctrl-C[/bold] stops everything.")
        example, _ = fill(template("oil-1"), run="example", now=datetime.now(UTC), sent={})
        (self.settings.data / "example.xml").write_bytes(example)


_LOGINS: Final[tuple[tuple[Role, str, str], ...]] = (
    ("agency", "az-fhn", ""),
    ("officer", "kz-mes", OFFICERS["kz-mes"]),
    ("auditor", "", "auditor"),
    ("operator", "", ""),
)


@asynccontextmanager
async def _publishers(settings: Settings, into: dict[str, StreamPublisher]) -> AsyncIterator[None]:
    """Open the stream publishers of the agencies that use XADD."""
    agencies = sorted({s.agency for s in STEPS if isinstance(s, Publish) and s.by == "xadd"})
    opened = []
    try:
        for agency in agencies:
            publisher = StreamPublisher(_address(settings, agency), agency)
            await publisher.__aenter__()
            opened.append(publisher)
            into[agency] = publisher
        yield
    finally:
        for publisher in opened:
            await publisher.__aexit__(None, None, None)


def _address(settings: Settings, agency: str) -> str:
    """Return the address of Redis for an agency's own user, which the hub makes when it joins."""
    directory = settings.redis_users or settings.data / "redis-users"
    user = f"{agency}:{password_of(directory, agency)}"
    return settings.redis_url.replace(urlsplit(settings.redis_url).netloc.rpartition("@")[0], user)


async def _until_ready(client: AsyncClient) -> None:
    """Wait until the API answers, for at most a minute.

    Raises:
        Unavailable: it does not.
    """
    error: HubError | None = None
    for _ in range(600):
        try:
            await client.members()
        except Unavailable as e:
            error = e
            await asyncio.sleep(0.1)
        else:
            return
    raise error or Unavailable("hub-unreachable", "the API does not answer")


async def _held(auditor: AsyncClient, feed: str, after: int, wanted: set[int]) -> set[int]:
    """Return the indexes of messages in a feed, as soon as all wanted ones are there."""
    held: set[int] = set()
    for _ in range(100):
        page = await auditor.read(feed, after=after, limit=1000)
        held = {e["index"] for e in page["entries"] if e["kind"] == "publish"}
        if wanted <= held:
            break
        await asyncio.sleep(0.05)
    return held


def _free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _kept_port(path: Path) -> int:
    """Return the port of the last run if it is free: addresses that people noted go on working."""
    with suppress(OSError, ValueError):
        port = int(path.read_text("ascii"))
        if _free("127.0.0.1", port):
            return port
    port = free_port()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{port}\n", "ascii")
    return port


def _shown(path: Path) -> str:
    """Return a path as one would type it here."""
    with suppress(ValueError):
        return os.fspath(path.relative_to(Path.cwd()))
    return os.fspath(path)
