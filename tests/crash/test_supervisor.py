"""Real processes: started, killed, interrupted, and counted afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from hub.child_process import KeptOutput, tied
from hub.errors import Unavailable
from hub.streams.embedded import free_port, password, server_command, url, wait_ready
from hub.supervisor import Child, ChildEvent, ChildState, Supervisor, restart_delay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

SECOND = timedelta(seconds=1)

LIVES = "import signal; print('up', flush=True); signal.pause()"
DIES = "raise SystemExit(3)"
# Says what it is told, and goes when asked.
TALKS = """
import os, signal, sys
def told(number, _):
    os.write(1, (signal.Signals(number).name + "\\n").encode())
    if number == signal.SIGTERM:
        sys.exit(0)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, told)
os.write(1, b"up\\n")
while True:
    signal.pause()
"""
# Says what it is told, and stays.
STUBBORN = """
import os, signal
signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"SIGTERM\\n"))
os.write(1, b"up\\n")
while True:
    signal.pause()
"""
# Starts another process and says its number, then lives on.
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", {LIVES!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""
# A supervisor in a process of its own: says when its children are ready, and that it ended well.
SUPERVISOR = """
import asyncio, fcntl, json, pathlib, signal, sys, termios
from datetime import timedelta
from hub.supervisor import Child, Supervisor

directory, grace_s, program = pathlib.Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may run under nohup
if sys.stdin.isatty():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)

def up(name):
    async def ready():
        return b"up" in (directory / "logs" / f"{name}.log").read_bytes()
    return ready

def tell(event):
    if event.kind == "ready" and event.name == "b":
        states = supervisor.states().items()
        print(json.dumps({name: state.pid for name, state in states}), flush=True)

async def main():
    global supervisor
    supervisor = Supervisor(
        [Child(name, [sys.executable, "-S", "-c", program], ready=up(name)) for name in "ab"],
        directory=directory, grace=timedelta(seconds=grace_s), on_event=tell,
    )
    await supervisor.run()
    print("ended", json.dumps({name: state.running for name, state in supervisor.states().items()}))

asyncio.run(main())
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the condition is in another process
            await asyncio.sleep(0.005)


def gone(pid: int) -> bool:
    """Whether the process is dead: away, or a zombie that nobody has buried yet."""
    try:
        os.kill(pid, 0)
        state = Path("/proc", str(pid), "stat")
        return state.exists() and state.read_text().rpartition(")")[2].split()[0] in "ZX"
    except (ProcessLookupError, FileNotFoundError):
        return True


class Watched:
    """A supervisor that runs in this test, and what it told."""

    def __init__(self, directory: Path, *children: Child, grace: timedelta = 5 * SECOND) -> None:
        self.events: list[ChildEvent] = []
        self.directory = directory
        self.supervisor = Supervisor(
            children, directory=directory, grace=grace, on_event=self.events.append
        )

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.supervisor.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.supervisor.stop()
        await self._running

    async def up(self, name: str) -> ChildState:
        """Wait until the child is ready, and return what it is then."""
        await until(lambda: ("ready", name) in self.told() or self._running.done())
        return self.supervisor.states()[name]

    def told(self) -> list[tuple[str, str]]:
        return [(event.kind, event.name) for event in self.events]

    def log_path(self, name: str) -> Path:
        return self.directory / "logs" / f"{name}.log"

    def log(self, name: str) -> str:
        return self.log_path(name).read_text()


def waits_for(directory: Path, name: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        return "up" in (directory / "logs" / f"{name}.log").read_text()

    return ready


def talker(directory: Path, name: str, code: str = TALKS) -> Child:
    return Child(name, python(code), ready=waits_for(directory, name))


class TestStart:
    async def test_children_start_in_order_each_when_the_one_before_is_ready(
        self, tmp_path: Path
    ) -> None:
        children = [talker(tmp_path, name) for name in ("redis", "ledger", "api")]

        async with Watched(tmp_path, *children) as watched:
            await watched.up("api")

        assert watched.told()[:6] == [
            ("started", "redis"),
            ("ready", "redis"),
            ("started", "ledger"),
            ("ready", "ledger"),
            ("started", "api"),
            ("ready", "api"),
        ]

    async def test_an_outage_while_asking_means_not_yet(self, tmp_path: Path) -> None:
        outages = iter([Unavailable("redis-unavailable", "loading"), OSError("refused")])

        async def ready() -> bool:
            for outage in outages:
                raise outage
            return True

        async with Watched(tmp_path, Child("redis", python(LIVES), ready=ready)) as watched:
            await watched.up("redis")

        assert next(outages, None) is None

    async def test_a_child_that_never_is_ready_is_said_and_all_are_stopped(
        self, tmp_path: Path
    ) -> None:
        async def never() -> bool:
            return False

        supervisor = Supervisor(
            [Child("redis", python(LIVES)), Child("api", python(LIVES), ready=never)],
            directory=tmp_path,
            ready_within=SECOND / 5,
        )
        with pytest.raises(Unavailable, match=r"api was not ready within 0\.2 s") as caught:
            await supervisor.run()

        assert caught.value.code == "child-not-ready"
        assert str(tmp_path / "logs" / "api.log") in caught.value.remedy
        assert not any(state.running for state in supervisor.states().values())

    async def test_a_command_that_cannot_be_made_is_tried_again(self, tmp_path: Path) -> None:
        commands: Iterator[Sequence[str] | Exception] = iter(
            [Unavailable("port-in-use", "port 6379 is taken"), OSError("no room"), python(LIVES)]
        )

        def argv() -> Sequence[str]:
            command = next(commands)
            if isinstance(command, Exception):
                raise command
            return command

        async with Watched(tmp_path, Child("redis", argv)) as watched:
            state = await watched.up("redis")

        assert state.restarts == 2
        assert [event.reason for event in watched.events if event.kind == "failed"] == [
            "port-in-use: port 6379 is taken",
            "no room",
        ]

    async def test_a_program_that_is_not_there_is_said_in_its_log(self, tmp_path: Path) -> None:
        async with Watched(tmp_path, Child("api", ["/no/such/program"])) as watched:
            await until(lambda: ("exited", "api") in watched.told())

        exited = next(event for event in watched.events if event.kind == "exited")
        assert exited.exit_code == 127
        assert "cannot run /no/such/program: No such file" in watched.log("api")

    async def test_a_child_gets_our_environment_and_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CASPIAN_TEST_OURS", "ours")
        code = "import os; print(os.environ['CASPIAN_TEST_OURS'], os.environ['CASPIAN_TEST_ITS'])"
        child = Child("api", python(code + "\n" + LIVES), env={"CASPIAN_TEST_ITS": "its"})

        async with Watched(tmp_path, child) as watched:
            await until(lambda: "up" in read(watched.log_path("api")))

        assert watched.log("api").startswith("ours its\n")

    def test_two_children_of_one_name_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="share a name"):
            Supervisor([Child("api", ["a"]), Child("api", ["b"])], directory=tmp_path)


class TestRestart:
    async def test_what_is_killed_comes_back_at_once(self, tmp_path: Path) -> None:
        async with Watched(tmp_path, talker(tmp_path, "redis")) as watched:
            first = await watched.up("redis")
            assert first.pid is not None
            os.kill(first.pid, signal.SIGKILL)
            await until(lambda: watched.supervisor.states()["redis"].restarts == 1)
            await until(lambda: watched.supervisor.states()["redis"].running)
            second = watched.supervisor.states()["redis"]

        died = next(event for event in watched.events if event.kind == "exited")
        assert (died.pid, died.exit_code, died.restart_in) == (first.pid, -9, timedelta(0))
        assert second.pid not in (None, first.pid)
        assert first.started_at is not None
        assert second.started_at is not None
        assert first.started_at < second.started_at <= datetime.now(UTC)

    async def test_deaths_in_a_row_wait_longer_each_time(self, tmp_path: Path) -> None:
        async with Watched(tmp_path, Child("api", python(DIES))) as watched:
            await until(lambda: watched.told().count(("exited", "api")) >= 5)

        delays_s = [
            event.restart_in.total_seconds()
            for event in watched.events
            if event.restart_in is not None
        ]
        assert delays_s[0] == 0
        assert 0.1 <= delays_s[1] <= 0.125
        assert 0.15 <= delays_s[2] <= 0.25
        assert 0.3 <= delays_s[3] <= 0.5
        assert {event.exit_code for event in watched.events if event.kind == "exited"} == {3}

    async def test_a_child_that_settled_counts_as_well_again(self, tmp_path: Path) -> None:
        events: list[ChildEvent] = []
        supervisor = Supervisor(
            [Child("api", python(DIES))],
            directory=tmp_path,
            settled_after=timedelta(0),
            on_event=events.append,
        )
        running = asyncio.create_task(supervisor.run())
        await until(lambda: len([event for event in events if event.kind == "exited"]) >= 4)
        supervisor.stop()
        await running

        assert {event.restart_in for event in events if event.kind == "exited"} <= {
            timedelta(0),
            None,
        }

    async def test_what_a_dead_child_left_behind_is_gone_before_it_starts_again(
        self, tmp_path: Path
    ) -> None:
        async with Watched(tmp_path, Child("api", python(PARENT))) as watched:
            await watched.up("api")
            await until(lambda: watched.log("api").endswith("\n"))
            grandchild = int(watched.log("api"))
            pid = watched.supervisor.states()["api"].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda: gone(grandchild))
            await until(lambda: watched.log("api").count("\n") == 2)

    async def test_the_command_is_made_anew_for_each_start(self, tmp_path: Path) -> None:
        """A server whose directory is deleted under it comes back, empty, at the same address."""
        home, port = tmp_path / "redis", free_port()
        secret = password(home)
        address = url(home, port)

        async def ready() -> bool:
            await wait_ready(address, SECOND)
            return True

        child = Child("redis", lambda: server_command(home, port=port, secret=secret), ready=ready)
        async with Watched(tmp_path, child) as watched:
            pid = (await watched.up("redis")).pid
            assert pid is not None
            for file in sorted(home.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
            home.rmdir()
            os.kill(pid, signal.SIGKILL)
            await until(lambda: watched.supervisor.states()["redis"].restarts == 1)

            await wait_ready(address, 20 * SECOND)

        assert password(home) == secret
        assert "Ready to accept connections" in watched.log("redis")

    @given(st.integers(min_value=0, max_value=10_000), st.floats(0, 1, exclude_max=True))
    def test_the_delay_is_nothing_once_then_between_a_tenth_and_five_seconds(
        self, deaths: int, jitter: float
    ) -> None:
        delay_s = restart_delay(deaths, jitter).total_seconds()

        assert delay_s == 0 if deaths <= 1 else 0.1 <= delay_s <= 5
        assert restart_delay(deaths, 0.5) <= restart_delay(deaths + 1, 0.5)


class TestStop:
    async def test_children_are_asked_to_go_in_reverse_order_one_after_the_other(
        self, tmp_path: Path
    ) -> None:
        children = [talker(tmp_path, name) for name in ("redis", "ledger", "api")]

        async with Watched(tmp_path, *children) as watched:
            await watched.up("api")
            pids = {name: state.pid for name, state in watched.supervisor.states().items()}

        stops = [event for event in watched.events if event.kind == "stopped"]
        assert [(event.name, event.exit_code) for event in stops] == [
            ("api", 0),
            ("ledger", 0),
            ("redis", 0),
        ]
        assert all(watched.log(name) == "up\nSIGTERM\n" for name in pids)
        assert all(gone(pid) for pid in pids.values() if pid)

    async def test_who_does_not_go_in_its_grace_is_killed(self, tmp_path: Path) -> None:
        child = talker(tmp_path, "api", STUBBORN)

        async with Watched(tmp_path, child, grace=SECOND / 5) as watched:
            await watched.up("api")

        assert watched.events[-1].kind == "stopped"
        assert watched.events[-1].exit_code == -signal.SIGKILL

    async def test_stopping_while_a_child_is_awaited_or_down_ends_too(self, tmp_path: Path) -> None:
        async def never() -> bool:
            return False

        children = [Child("redis", python(LIVES)), Child("api", python(DIES), ready=never)]
        async with Watched(tmp_path, *children) as watched:
            await until(lambda: watched.told().count(("exited", "api")) >= 3)

        assert ("stopped", "redis") in watched.told()
        assert not any(state.running for state in watched.supervisor.states().values())

    async def test_stopping_at_once_starts_nothing_more(self, tmp_path: Path) -> None:
        async with Watched(
            tmp_path, Child("a", python(LIVES)), Child("b", python(LIVES))
        ) as watched:
            pass

        assert ("ready", "b") not in watched.told()
        assert not any(state.running for state in watched.supervisor.states().values())

    async def test_cancelling_stops_the_children_too(self, tmp_path: Path) -> None:
        supervisor = Supervisor([talker(tmp_path, "api")], directory=tmp_path)
        running = asyncio.create_task(supervisor.run())
        await until(lambda: supervisor.states()["api"].running)
        pid = supervisor.states()["api"].pid
        assert pid

        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        assert gone(pid)

    async def test_cancelling_twice_kills(self, tmp_path: Path) -> None:
        child = talker(tmp_path, "api", STUBBORN)
        supervisor = Supervisor([child], directory=tmp_path, grace=3600 * SECOND)
        running = asyncio.create_task(supervisor.run())
        await until(lambda: "up" in read(tmp_path / "logs" / "api.log"))
        pid = supervisor.states()["api"].pid
        assert pid

        running.cancel()
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        await until(lambda: not supervisor.states()["api"].running)
        assert gone(pid)

    async def test_a_listener_that_fails_stops_everything(self, tmp_path: Path) -> None:
        def listener(event: ChildEvent) -> None:
            if event.kind == "started" and event.name == "b":
                raise LookupError("the listener's own fault")

        supervisor = Supervisor(
            [Child("a", python(LIVES)), Child("b", python(LIVES))],
            directory=tmp_path,
            on_event=listener,
        )
        with pytest.raises(LookupError, match="own fault"):
            await supervisor.run()

        assert not any(state.running for state in supervisor.states().values())

    async def test_signal_handlers_are_put_back(self, tmp_path: Path) -> None:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = [signal.getsignal(number) for number in numbers]

        async with Watched(tmp_path, Child("api", python(LIVES))) as watched:
            await watched.up("api")
            assert [signal.getsignal(number) for number in numbers] != before

        assert [signal.getsignal(number) for number in numbers] == before

    def test_it_runs_on_uvloop_too(self, tmp_path: Path) -> None:
        async def main() -> Watched:
            async with Watched(tmp_path, talker(tmp_path, "a"), talker(tmp_path, "b")) as watched:
                first = (await watched.up("b")).pid
                assert first
                os.kill(first, signal.SIGKILL)
                await until(lambda: watched.log("b").count("up") == 2)
            return watched

        watched = uvloop.run(main())

        assert watched.log("a") == "up\nSIGTERM\n"
        assert watched.log("b") == "up\nup\nSIGTERM\n"
        assert [event.name for event in watched.events if event.kind == "stopped"] == ["b", "a"]


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


class Apart:
    """A supervisor in a process, and on a terminal, of its own, as a person runs it."""

    def __init__(self, directory: Path, program: str, *, grace_s: float) -> None:
        self._terminal, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, str(directory), str(grace_s), program],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        os.close(theirs)
        self.pids: dict[str, int] = {}

    def wait_ready(self) -> None:
        assert self.process.stdout
        self.pids = json.loads(self.process.stdout.readline())

    def press_ctrl_c(self) -> None:
        os.write(self._terminal, b"\x03")

    def hang_up(self) -> None:
        os.close(self._terminal)
        self._terminal = -1

    def end(self) -> str:
        """Wait for its end, and return the rest of what it said."""
        said, complaints = self.process.communicate(timeout=60)
        assert complaints == ""
        return said

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        if self._terminal >= 0:
            os.close(self._terminal)


@contextlib.contextmanager
def apart(directory: Path, program: str, *, grace_s: float = 10) -> Iterator[Apart]:
    running = Apart(directory, program, grace_s=grace_s)
    try:
        running.wait_ready()
        yield running
    finally:
        running.close()


class TestFromOutside:
    def test_ctrl_c_is_for_the_supervisor_alone_and_ends_cleanly(self, tmp_path: Path) -> None:
        with apart(tmp_path, TALKS) as running:
            running.press_ctrl_c()
            said = running.end()

        assert said == 'ended {"a": false, "b": false}\n'
        assert running.process.returncode == 0
        for name in "ab":
            assert read(tmp_path / "logs" / f"{name}.log") == "up\nSIGTERM\n"

    async def test_a_second_ctrl_c_does_not_wait(self, tmp_path: Path) -> None:
        with apart(tmp_path, STUBBORN, grace_s=3600) as running:
            running.press_ctrl_c()
            await until(lambda: "SIGTERM" in read(tmp_path / "logs" / "b.log"))
            running.press_ctrl_c()
            said = running.end()

        assert said == 'ended {"a": false, "b": false}\n'

    def test_sigterm_ends_cleanly(self, tmp_path: Path) -> None:
        with apart(tmp_path, TALKS) as running:
            running.process.terminate()
            assert running.end().startswith("ended")

        assert running.process.returncode == 0

    def test_a_closed_terminal_ends_cleanly(self, tmp_path: Path) -> None:
        with apart(tmp_path, TALKS) as running:
            running.hang_up()
            assert running.end().startswith("ended")

        assert read(tmp_path / "logs" / "a.log") == "up\nSIGTERM\n"

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with a parent")
    @pytest.mark.parametrize("program", [TALKS, STUBBORN])
    async def test_no_child_outlives_a_supervisor_that_was_killed(
        self, tmp_path: Path, program: str
    ) -> None:
        with apart(tmp_path, program) as running:
            running.process.kill()

            await until(lambda: all(gone(pid) for pid in running.pids.values()))

        assert set(running.pids) == {"a", "b"}

    def test_a_tied_program_does_not_start_for_a_parent_that_is_gone(self) -> None:
        command = tied(["true"])
        command[command.index(str(os.getpid()))] = "1000000000"

        ended = subprocess.run(command, check=False, capture_output=True, text=True)

        assert ended.returncode == 1
        assert "gone" in ended.stderr

    def test_a_tied_program_heeds_a_broken_pipe(self) -> None:
        """Python ignores SIGPIPE; a program that inherits this would write on for ever."""
        ended = subprocess.run(
            tied(["sh", "-c", "kill -PIPE $$; echo ignored"]), check=False, capture_output=True
        )

        assert ended.returncode == -signal.SIGPIPE
        assert ended.stdout == b""


class TestKeptOutput:
    def test_lines_are_appended_across_lives(self, tmp_path: Path) -> None:
        for text in (b"first\n", b"second\n"):
            with contextlib.closing(KeptOutput(tmp_path / "logs" / "api.log")) as output:
                output.data_received(text)

        assert read(tmp_path / "logs" / "api.log") == "first\nsecond\n"
        assert (tmp_path / "logs").stat().st_mode & 0o077 == 0
        assert (tmp_path / "logs" / "api.log").stat().st_mode & 0o077 == 0

    @given(
        st.lists(st.integers(1, 60), max_size=60),
        st.integers(1, 64),
    )
    def test_files_hold_whole_lines_in_order_and_stay_bounded(
        self, lengths: list[int], chunk: int
    ) -> None:
        lines = [f"{number}:".ljust(length, "x") for number, length in enumerate(lengths)]
        text = "".join(line + "\n" for line in lines).encode()
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "api.log"
            with contextlib.closing(KeptOutput(path, limit_bytes=256, kept=3)) as output:
                for start in range(0, len(text), chunk):
                    output.data_received(text[start : start + chunk])
            files = [path.with_name(f"api.log.{number}") for number in (3, 2, 1)] + [path]
            kept = [read(file) for file in files]

        assert all(len(part) <= 256 + 128 for part in kept)
        assert all(part.endswith("\n") or not part for part in kept)
        assert text.decode().endswith("".join(kept))
        assert len("".join(kept)) >= min(len(text), 256)

    def test_a_line_without_end_stays_bounded_too(self, tmp_path: Path) -> None:
        path = tmp_path / "api.log"
        with contextlib.closing(KeptOutput(path, limit_bytes=1000, kept=2)) as output:
            for _ in range(100):
                output.data_received(b"x" * 100)

        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 3 * 2100

    def test_a_full_disk_loses_lines_and_stops_nobody(self, tmp_path: Path) -> None:
        path = tmp_path / "api.log"
        path.symlink_to("/dev/full")

        with contextlib.closing(KeptOutput(path)) as output:
            output.data_received(b"lost\n")

    def test_logs_that_were_deleted_are_made_again_at_the_next_rotation(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "logs" / "api.log"
        with contextlib.closing(KeptOutput(path, limit_bytes=10)) as output:
            output.data_received(b"first\n")
            path.unlink()
            path.parent.rmdir()
            output.data_received(b"second\n")
            output.data_received(b"third\n")

        assert read(path) == "third\n"

    async def test_every_word_of_a_dying_child_is_kept(self, tmp_path: Path) -> None:
        code = "import sys; sys.stderr.write('x' * 300_000 + 'last'); sys.exit(1)"
        async with Watched(tmp_path, Child("api", python(code))) as watched:
            await until(lambda: ("exited", "api") in watched.told())
            first = watched.log("api")[:300_004]

        assert first == "x" * 300_000 + "last"
