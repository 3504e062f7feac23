"""An agency's Redis user can do its work; every other command is refused by the real server."""

from __future__ import annotations

import asyncio
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from consumers.app import JOBS, running
from consumers.redis_users import RedisUsers
from hub.log.store import Log
from hub.settings import Settings
from hub.streams import keys
from hub.streams.acl import HUB, apply, digests, line, password_of, rules
from hub.streams.connect import connect
from hub.streams.embedded import EmbeddedServer
from tests.docs.pages import blocks, text_of
from tests.hubkit import store, until
from tests.log.samples import ORIGIN, Writer, member

AZ, NEAR, IR = "az-fhn", "az-fhn2", "ir-ndmo"

OWN_FEEDS = {keys.feed(AZ), keys.feed(f"{AZ}.exercise"), keys.feed(f"{AZ}.flood")}
MAY = {"ping", "hello", "client|setinfo", "auth", "quit", "reset"}
"""On no key; the last three are every user's."""
MAY_ON = {
    "xadd": {keys.inbox(AZ)},
    "xread": {keys.receipts(AZ), *OWN_FEEDS},
    "xrange": {keys.receipts(AZ), *OWN_FEEDS},
    "xinfo|stream": {keys.receipts(AZ), *OWN_FEEDS},
    "xreadgroup": OWN_FEEDS,
    "xack": OWN_FEEDS,
    "xpending": OWN_FEEDS,
    "xclaim": OWN_FEEDS,
    "xautoclaim": OWN_FEEDS,
}
KEYS = (
    keys.inbox(AZ), keys.receipts(AZ), *sorted(OWN_FEEDS), f"feed:{AZ}x", f"feed:{AZ}-",
    keys.inbox(IR), keys.receipts(IR),
    keys.feed(IR), keys.feed(NEAR), keys.feed(f"{NEAR}.sea"), keys.inbox(NEAR), keys.CANDIDATES,
    keys.LOG, keys.CONFIRMED, keys.sandbox_feed("x", AZ), "anything",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
async def redis(server: EmbeddedServer) -> AsyncIterator[Any]:
    client = connect(server.url)
    await client.flushall()
    yield client
    await client.aclose()


def as_user(server: EmbeddedServer, name: str, password: str) -> Any:
    return Redis(host="127.0.0.1", port=server.port, username=name, password=password)


async def commands(redis: Any) -> list[str]:
    """Return every command and subcommand that this server knows."""
    found = []
    for name, told in (await redis.execute_command("COMMAND")).items():
        subs = told.get("subcommands") or []
        found += [s[0].decode() if isinstance(s[0], bytes) else s[0] for s in subs] or [name]
    return sorted(found)


def arguments(command: str, key: str) -> list[str]:
    """Return a call of a command on a key, of enough arguments for it to be asked at all."""
    given = {
        "xadd": [key, "*", "f", "v"],
        "xread": ["STREAMS", key, "0"],
        "xreadgroup": ["GROUP", "agency", "c", "STREAMS", key, ">"],
        "xrange": [key, "-", "+"],
        "xack": [key, "agency", "1-0"],
        "xpending": [key, "agency"],
        "xclaim": [key, "agency", "c", "0", "1-0"],
        "xautoclaim": [key, "agency", "c", "0", "0"],
    }
    return [*command.split("|"), *given.get(command, [key] * 8)]


@pytest.mark.long
async def test_every_command_that_is_not_listed_is_refused(redis: Any, tmp_path: Path) -> None:
    await apply(redis, digests(tmp_path, [AZ, IR]))
    known = await commands(redis)
    wrong, asked = [], 0
    for command in known:
        for key in KEYS:
            call = arguments(command, key)
            try:
                answer = await redis.execute_command("ACL", "DRYRUN", AZ, *call)
            except ResponseError as e:
                # Of a wrong number of arguments nothing was asked: try fewer.
                answer = await _fewer(redis, call, str(e))
            allowed = answer in {b"OK", "OK", True}
            right = command in MAY or key in MAY_ON.get(command, ())
            asked += 1
            if allowed != right:
                wrong.append((command, key, answer))
    assert wrong == []
    assert set(MAY_ON) < set(known)
    assert asked > 3000


async def _fewer(redis: Any, call: list[str], why: str) -> Any:
    if "wrong number" not in why:
        return why
    for count in range(len(call), 0, -1):
        try:
            return await redis.execute_command("ACL", "DRYRUN", AZ, *call[:count])
        except ResponseError as e:
            if "wrong number" not in str(e):
                return str(e)
    for more in range(1, 12):
        try:
            return await redis.execute_command("ACL", "DRYRUN", AZ, *call, *["1"] * more)
        except ResponseError as e:
            if "wrong number" not in str(e):
                return str(e)
    return "no number of arguments is right"


async def test_what_is_not_allowed_is_refused_when_it_is_really_done(
    server: EmbeddedServer, redis: Any, tmp_path: Path
) -> None:
    await apply(redis, digests(tmp_path, [AZ, NEAR]))
    await redis.xadd(keys.feed(NEAR), {"payload": "x"})
    async with as_user(server, AZ, password_of(tmp_path, AZ)) as own:
        assert await own.ping()
        await own.xadd(keys.inbox(AZ), {"payload": "x"})
        for forbidden in (
            ("XADD", keys.inbox(NEAR), "*", "f", "v"),
            ("XADD", keys.CANDIDATES, "*", "f", "v"),
            ("XADD", keys.feed(AZ), "*", "f", "v"),
            ("XREAD", "STREAMS", keys.feed(NEAR), "0"),
            ("XREAD", "STREAMS", keys.feed(AZ), keys.feed(NEAR), "0", "0"),
            ("XRANGE", keys.inbox(AZ), "-", "+"),
            ("XGROUP", "CREATE", keys.feed(AZ), "mine", "0", "MKSTREAM"),
            ("XTRIM", keys.inbox(AZ), "MAXLEN", "0"),
            ("XDEL", keys.feed(AZ), "1-0"),
            ("DEL", keys.feed(AZ)),
            ("KEYS", "*"),
            ("SCAN", "0"),
            ("EVAL", "return 1", "0"),
            ("FLUSHALL",),
            ("CONFIG", "GET", "*"),
            ("ACL", "LIST"),
            ("CLIENT", "LIST"),
            ("MONITOR",),
            ("SUBSCRIBE", "x"),
            ("SHUTDOWN",),
        ):
            with pytest.raises(NoPermissionError):
                await own.execute_command(*forbidden)


async def test_an_agency_that_leaves_has_no_user_any_more(
    server: EmbeddedServer, redis: Any, tmp_path: Path
) -> None:
    await apply(redis, digests(tmp_path, [AZ, IR]))
    await apply(redis, digests(tmp_path, [IR]))

    async with as_user(server, AZ, password_of(tmp_path, AZ)) as gone:
        with pytest.raises(AuthenticationError):
            await gone.ping()
    async with as_user(server, IR, password_of(tmp_path, IR)) as kept:
        assert await kept.ping()
    assert {HUB.encode(), IR.encode()} <= set(await redis.execute_command("ACL", "USERS"))


@pytest.mark.long
async def test_another_password_ends_what_the_old_one_opened(
    server: EmbeddedServer, redis: Any, tmp_path: Path
) -> None:
    await apply(redis, digests(tmp_path, [AZ, IR]))
    ours, others = (as_user(server, a, password_of(tmp_path, a)) for a in (AZ, IR))
    async with ours, others:
        assert await ours.ping()
        assert await others.ping()
        (tmp_path / AZ).unlink()
        await apply(redis, digests(tmp_path, [AZ, IR]))
        open_now = {c["user"] for c in await redis.client_list()}
        with pytest.raises((AuthenticationError, RedisConnectionError)):
            await ours.ping()

        assert (AZ in open_now, IR in open_now) == (False, True)
        assert await others.ping()
    async with as_user(server, AZ, password_of(tmp_path, AZ)) as again:
        assert await again.ping()


async def test_the_servers_other_users_are_nobodys_business(redis: Any, tmp_path: Path) -> None:
    await redis.execute_command("ACL", "SETUSER", "monitoring", "on", ">x", "+ping")
    await apply(redis, digests(tmp_path, [AZ]))

    assert {b"monitoring", HUB.encode()} <= set(await redis.execute_command("ACL", "USERS"))
    await redis.execute_command("ACL", "DELUSER", "monitoring")


@pytest.mark.long
async def test_nobody_gets_in_without_a_name(server: EmbeddedServer, redis: Any) -> None:
    hub = redis.connection_pool.connection_kwargs
    for name in (None, "default"):
        with pytest.raises(AuthenticationError):
            await as_user(server, name, hub["password"]).ping()

    assert await redis.execute_command("ACL", "WHOAMI") == HUB.encode()


async def test_a_server_that_may_not_write_its_users_is_told_of(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "valkey") as own:
        client = connect(own.url)
        assert await apply(client, digests(tmp_path / "users", [AZ])) == ""
        (own.directory / "users.acl").unlink()
        (own.directory / "users.acl").mkdir()
        unsaved = await apply(client, digests(tmp_path / "users", [AZ, IR]))
        (own.directory / "users.acl").rmdir()

        assert unsaved
        assert IR.encode() in set(await client.execute_command("ACL", "USERS"))
        await client.aclose()


async def test_users_outlive_the_server(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "valkey") as own:
        client = connect(own.url)
        await apply(client, digests(tmp_path / "users", [AZ]))
        own.kill()
        own.start()
        async with as_user(own, AZ, password_of(tmp_path / "users", AZ)) as user:
            assert await user.ping()
        await client.aclose()


def test_passwords_are_files_for_their_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "users"
    first = digests(directory, [AZ, IR])

    assert digests(directory, [AZ, IR]) == first
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    for agency in (AZ, IR):
        assert stat.S_IMODE((directory / agency).stat().st_mode) == 0o600
        secret = password_of(directory, agency)
        assert len(secret) >= 43
        assert first[agency] == sha256(secret.encode()).hexdigest()
        assert secret not in line(agency, first[agency])


def test_the_rules_are_those_that_the_page_shows() -> None:
    (shown,) = [b for _, b in blocks(text_of("docs/protocol/streams.md")) if "ACL SETUSER" in b]

    assert shown.strip().partition("password ")[2] == " ".join(rules(AZ))


async def test_the_users_follow_the_members(redis: Any, tmp_path: Path) -> None:
    log = Log.open(store(tmp_path))
    w = Writer(log).begin(AZ)
    users = RedisUsers(log, redis, tmp_path / "users")
    await users.look()
    w.commit([member(IR)])
    w.commit([member(AZ, active=False)])
    await users.look()
    names = set(await redis.execute_command("ACL", "USERS"))
    assert (AZ.encode() in names, IR.encode() in names) == (False, True)
    # A Redis that lost them has them again.
    await redis.execute_command("ACL", "DELUSER", IR)
    await users.look()
    assert IR.encode() in set(await redis.execute_command("ACL", "USERS"))
    # One that has a user too many, from an older file, or too large a one, is put right.
    await redis.execute_command("ACL", "SETUSER", AZ, "on", ">back", "~*", "+@all")
    await redis.execute_command("ACL", "SETUSER", IR, "~*", "+@all")
    await users.look()
    assert AZ.encode() not in set(await redis.execute_command("ACL", "USERS"))
    refused = await redis.execute_command("ACL", "DRYRUN", IR, "GET", "x")
    assert b"no permissions" in refused
    log.close()


def certificate(directory: Path, address: str = "127.0.0.1") -> tuple[Path, Path]:
    """Make a certificate for an address that vouches for itself; return it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "valkey")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = directory / "cert.pem", directory / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


async def tls_front(server: EmbeddedServer, cert: Path, key: Path) -> asyncio.Server:
    """Put TLS in front of the server, which was built without: it asks for a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(cert))
    context.load_cert_chain(cert, key)
    context.verify_mode = ssl.CERT_REQUIRED

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(pump(reader, outer), pump(inner, writer))

    return await asyncio.start_server(passed, "127.0.0.1", 0, ssl=context)


@pytest.mark.long
async def test_the_hub_works_over_tls_with_a_certificate_of_its_own(
    server: EmbeddedServer, redis: Any, tmp_path: Path
) -> None:
    cert, key = certificate(tmp_path)
    front = await tls_front(server, cert, key)
    port = front.sockets[0].getsockname()[1]
    url = server.url.replace("redis://", "rediss://").replace(f":{server.port}/", f":{port}/")
    settings = Settings(
        redis_url=url,
        redis_ca=cert,
        redis_certificate=cert,
        redis_key=key,
        redis_users=tmp_path / "users",
        log_url=store(tmp_path),
        origin=ORIGIN,
    )
    log = Log.open(settings.log_url)
    Writer(log).begin(AZ)
    async with running(settings, JOBS):

        async def there() -> bool:
            return bool(await redis.exists(keys.feed(AZ)))

        await until(there, "the feed was made over TLS", 20)
    log.close()
    stranger = Redis.from_url(f"{url}?ssl_ca_certs={cert}")
    with pytest.raises((RedisConnectionError, OSError)):
        await stranger.ping()
    await stranger.aclose()
    unknown = Redis.from_url(f"{url}?ssl_certfile={cert}&ssl_keyfile={key}")
    with pytest.raises((RedisConnectionError, OSError)):
        await unknown.ping()
    await unknown.aclose()
    front.close()
    await front.wait_closed()


async def test_a_server_of_another_name_is_not_believed(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    cert, key = certificate(tmp_path, "127.0.0.2")
    front = await tls_front(server, cert, key)
    port = front.sockets[0].getsockname()[1]
    settings = Settings(
        redis_url=f"rediss://hub:x@127.0.0.1:{port}/0",
        redis_ca=cert,
        redis_certificate=cert,
        redis_key=key,
    )
    client = Redis.from_url(settings.redis_address, retry=None)
    with pytest.raises(RedisConnectionError, match="IP address mismatch"):
        await client.ping()
    await client.aclose()
    front.close()
    await front.wait_closed()
