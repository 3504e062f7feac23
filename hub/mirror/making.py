"""How a mirror begins, is run, and gives a hub that has lost everything its log back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from hub.core.merkle import EMPTY_ROOT
from hub.core.redaction import REDACTED_TYPE
from hub.errors import Rejected
from hub.http.wire import Wire
from hub.log.checkpoints import add_cosignatures, cosignatures, latest, put
from hub.log.projections import derive, rebuild
from hub.log.scan import scan
from hub.log.store import Log, LogRow
from hub.log.tree import Tree
from hub.log.verify import verify_store
from hub.mirror.app import build_mirror
from hub.mirror.config import MIRROR, WITNESS, MirrorConfig, read_mirror
from hub.mirror.running import Mirror
from hub.private_files import make_private, write_private
from hub.settings import Settings
from hub.telemetry import serve_metrics
from hub.witness.making import init as init_witness
from hub.witness.making import lone, opened
from schemas.cosignature import CosignerKey
from schemas.ed25519 import VerifierKey

__all__ = ["Restored", "init", "opened_mirror", "restore", "serve_mirror"]

_BATCH = 512


def init(
    directory: Path,
    *,
    url: str,
    name: str,
    logs: Sequence[VerifierKey],
    token_file: Path | None,
    payload_token_file: Path | None,
) -> CosignerKey:
    """Make a mirror: its settings, an empty store, and its witness's key, which is returned.

    Raises:
        Rejected: ``witness-exists``, ``witness-unusable``, ``mirror-unusable``.
    """
    lines = [f"url = {json.dumps(url)}", f"logs = {json.dumps([str(key) for key in logs])}"]
    for label, file in (("token_file", token_file), ("payload_token_file", payload_token_file)):
        if file is not None:
            lines.append(f"{label} = {json.dumps(str(file.absolute()))}")
    make_private(directory)
    made = init_witness(directory / WITNESS, name=name, logs=logs, listen="127.0.0.1:0")
    write_private(directory / MIRROR, "\n".join(lines) + "\n")
    Log.open(read_mirror(directory).store).close()
    return made.key


@contextmanager
def opened_mirror(directory: Path) -> Iterator[Mirror]:
    """Open a mirror for this process alone.

    Raises:
        Rejected: ``mirror-unusable``. Unavailable: ``witness-running``, ``witness-store-lost``,
            ``log-unavailable``.
    """
    config = read_mirror(directory)
    with ExitStack() as stack:
        stack.enter_context(lone(directory / WITNESS))
        log = Log.open(config.store)
        stack.callback(log.close)
        _, _, store = opened(directory / WITNESS)
        yield Mirror(config, log, store)


def serve_mirror(directory: Path, settings: Settings, *, listen: tuple[str, int]) -> None:
    """Follow and serve until SIGTERM or SIGINT.

    Raises:
        Rejected, Unavailable: see `opened_mirror`.
    """
    with opened_mirror(directory) as mirror, ExitStack() as stack:
        own = Settings.model_validate({**dict(settings), "log_url": mirror.config.store})
        app = build_mirror(mirror, own, opened(directory / WITNESS))
        follower = threading.Thread(target=mirror.follow, name="follow", daemon=True)
        follower.start()
        stack.callback(follower.join, 30)
        stack.callback(mirror.stop)
        endpoint = serve_metrics(settings.metrics_port)
        if endpoint is not None:
            stack.callback(endpoint.close)
        uvicorn.Server(
            uvicorn.Config(
                app,
                host=listen[0],
                port=listen[1],
                loop="uvloop",
                http=Wire,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=2,
                lifespan="off",
            )
        ).run()


@dataclass(frozen=True, slots=True)
class Restored:
    """What a new log was made of."""

    size: int
    root: bytes
    withheld: tuple[int, ...]
    """Messages whose payload no mirror held."""


def restore(directories: Sequence[Path], url: str, *, incomplete: bool) -> Restored:
    """Make a new log of mirrors' copies: the longest that is proven, with all their payloads.

    Each copy must verify, and hold the same history as the others as far as it goes.

    Raises:
        Rejected: ``restore-refused``: a copy does not verify, two contradict each other, the
            place holds a log already, or payloads are missing and may not be.
        Unavailable: ``log-unavailable``.
    """
    configs = [read_mirror(directory) for directory in directories]
    with ExitStack() as stack:
        copies = []
        for config in configs:
            copies.append(Log.open(config.store))
            stack.callback(copies[-1].close)
        best = max(copies, key=lambda log: log.head().size)
        for log, config in zip(copies, configs, strict=True):
            _sound(log, config, best)
        target = Log.open(url)
        stack.callback(target.close)
        if target.head().size:
            raise _refused(f"{url} holds a log already", "Name an empty place (CASPIAN_LOG_URL).")
        missing = [
            row.index
            for row in scan(best)
            if row.kind == "publish" and _payload(row, copies) is None
        ]
        if missing and not incomplete:
            raise _refused(
                f"{len(missing)} messages have no payload in these mirrors, the first at"
                f" {missing[0]}",
                "Name more states' mirrors: each message is in that of its sender's state. Or"
                " --incomplete: nobody can then be shown, or acknowledge, what is missing.",
            )
        _fill(target, best, copies)
        rebuild(target, withheld=bool(missing))  # with what the log has to say of each message
        head = target.head()
        report = verify_store(target, withheld=bool(missing))
        if not report.ok or head.root != best.head().root:
            raise _refused(f"the new log does not verify: {report.fault}", "Keep it; tell us.")
        return Restored(head.size, head.root, tuple(missing))


def _sound(log: Log, config: MirrorConfig, best: Log) -> None:
    report = verify_store(log, withheld=True)
    if not report.ok:
        raise _refused(f"{config.directory} does not verify: {report.fault}", "Leave it out.")
    head = log.head()
    root = Tree(best).root(head.size) if head.size else EMPTY_ROOT
    if root != head.root:
        raise _refused(
            f"{config.directory} and the longest copy differ within the first {head.size} entries",
            "Keep both: one is of a fork. See which of them the witnesses cosigned.",
        )
    with log.reading() as c:
        signed = latest(c)
    if signed is None or signed.size > head.size or Tree(log).root(signed.size) != signed.root:
        raise _refused(f"{config.directory} has no checkpoint of what it holds", "Leave it out.")


def _payload(row: LogRow, copies: Sequence[Log]) -> tuple[bytes, str] | None:
    if row.payload is not None and row.payload_type != REDACTED_TYPE:
        return row.payload, row.payload_type
    for log in copies:
        other = log.row(row.index)
        if other is not None and other.payload is not None:
            return other.payload, other.payload_type
    return None


def _fill(target: Log, best: Log, copies: Sequence[Log]) -> None:
    batch: list[LogRow] = []

    def commit() -> None:
        entries = [derive(row, withheld=True) for row in batch]
        target.append(entries, expect=target.head())
        batch.clear()

    for row in scan(best):
        found = _payload(row, copies)
        payload, kind = found or (None, "")
        batch.append(LogRow(row.index, row.at_us, row.kind, row.agency, row.body, payload, kind))
        if len(batch) == _BATCH:
            commit()
    if batch:
        commit()
    with best.reading() as c:
        signed = latest(c)
        lines = cosignatures(c, signed.size) if signed is not None else ()
    if signed is not None:
        with target.writing() as c:
            put(c, signed)
            add_cosignatures(c, signed.size, lines)


def _refused(detail: str, remedy: str) -> Rejected:
    return Rejected("restore-refused", detail, remedy=remedy)
