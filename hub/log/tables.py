"""The tables of the log's store, the same on SQLite and PostgreSQL.

``entries``, ``payloads`` and ``head`` are the log. `SIGNED` is what was said of the log to
others: it cannot be made again. `ACCESS` is who may use the hub, `ALIVE` when it was last at
work, `OUTGOING` where feeds are brought and how far each has come: they are in no log and no
bundle. Every other table is a projection: it is written in the same commit, and
`hub.log.projections` makes it anew from the log.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

__all__ = [
    "ACCESS",
    "ACCOUNTS",
    "ACKNOWLEDGEMENTS",
    "ACTIONS",
    "AID",
    "ALIVE",
    "ATTEMPTS",
    "CHAINS",
    "CHECKPOINTS",
    "COSIGNATURES",
    "CREDENTIALS",
    "DELIVERIES",
    "DRAFTS",
    "ENTRIES",
    "ESCALATIONS",
    "HEAD",
    "INCIDENTS",
    "INPUTS",
    "MESSAGES",
    "METADATA",
    "OUTGOING",
    "OUTLETS",
    "OUTLET_ATTEMPTS",
    "PAYLOADS",
    "PROJECTIONS",
    "RECOVERY_CODES",
    "REFS",
    "SESSIONS",
    "SIGNED",
    "TILES",
]

METADATA: Final = MetaData()

# On SQLite only an INTEGER PRIMARY KEY is the row's own key; BIGINT would cost a second index.
_INDEX = BigInteger().with_variant(Integer, "sqlite")

ENTRIES: Final = Table(
    "entries",
    METADATA,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    # Everything but messages is rare and looked up by kind; messages are the many.
    Index(
        "entries_by_kind",
        "kind",
        "idx",
        sqlite_where=text("kind <> 'publish'"),
        postgresql_where=text("kind <> 'publish'"),
    ),
)

PAYLOADS: Final = Table(
    "payloads",
    METADATA,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("type", String(64), nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

HEAD: Final = Table(
    "head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
)

TILES: Final = Table(
    "tiles",
    METADATA,
    # C2SP tlog-tiles: 256 hashes of the tree's level 8 * level; the last of a level is partial.
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

CHECKPOINTS: Final = Table(
    "checkpoints",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    # The whole note as the log signed it (C2SP tlog-checkpoint), without cosignatures.
    Column("note", Text, nullable=False),
    sqlite_with_rowid=False,
)

COSIGNATURES: Final = Table(
    "cosignatures",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(200), primary_key=True),
    Column("key_id", LargeBinary, primary_key=True),
    # Seconds since 1970, as the witness has it; part of the signature.
    Column("time", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

MESSAGES: Final = Table(
    "messages",
    METADATA,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("id", String(128), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("identity", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("facts", Text, nullable=False),
    Column("warnings", Text, nullable=False),
    Index("messages_by_id", "id", "agency", unique=True),
    Index("messages_by_identity", "identity", unique=True),
)

ACKNOWLEDGEMENTS: Final = Table(
    "acknowledgements",
    METADATA,
    Column("sender", Text, primary_key=True),
    Column("identifier", Text, primary_key=True),
    Column("agency", String(64), primary_key=True),
    Column("officer", Text, primary_key=True),
    Column("of", String(64), primary_key=True),
    Column("sent_us", BigInteger, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("message_id", String(128), nullable=False),
    Index("acknowledgements_by_idx", "idx"),
)

DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    Column("feed", String(80), primary_key=True),
    Column("through", BigInteger, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

ESCALATIONS: Final = Table(
    "escalations",
    METADATA,
    Column("message", BigInteger, primary_key=True, autoincrement=False),
    Column("recipient", String(64), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("idx", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("escalations_by_idx", "idx"),
)

ALIVE: Final = Table(
    "alive",
    METADATA,
    # When a ledger was last at work. Not of the log: what follows from it is (`restart`).
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seen_us", BigInteger, nullable=False),
)

AID: Final = Table(
    "aid",
    METADATA,
    Column("idx", _INDEX, primary_key=True, autoincrement=False),
    Column("identifier", Text, nullable=False),
    Column("answers", Text, nullable=False),
    Column("recalls", Text, nullable=False),
    Index("aid_by_identifier", "identifier"),
    Index("aid_by_answers", "answers"),
    Index("aid_by_recalls", "recalls"),
)

REFS: Final = Table(
    "refs",
    METADATA,
    # Sender and identifier of what is referred to; who refers to it, and where.
    Column("target", Text, primary_key=True),
    Column("agency", String(64), primary_key=True),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

INCIDENTS: Final = Table(
    "incidents",
    METADATA,
    Column("channel", String(16), primary_key=True),
    Column("incident", Text, primary_key=True),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Index("incidents_by_idx", "channel", "idx"),
    sqlite_with_rowid=False,
)

CHAINS: Final = Table(
    "chains",
    METADATA,
    Column("agency", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
)

INPUTS: Final = Table(
    "inputs",
    METADATA,
    Column("key", String(128), primary_key=True),
    Column("idx", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

CREDENTIALS: Final = Table(
    "credentials",
    METADATA,
    Column("prefix", String(16), primary_key=True),
    Column("sha256", LargeBinary, nullable=False),
    Column("role", String(16), nullable=False),
    Column("agency", String(64), nullable=False),
    Column("person", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=True),
    Column("revoked_us", BigInteger, nullable=True),
    Column("state", String(2), nullable=False, server_default=""),
    # Names with spaces between; empty: all that the role may.
    Column("scopes", Text, nullable=False, server_default=""),
    # Which of the ways to show who one is: a token, or a client certificate.
    Column("kind", String(16), nullable=False, server_default="token"),
    Column("used_us", BigInteger, nullable=True),
)

ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("person", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("agency", String(64), nullable=False),
    Column("state", String(2), nullable=False),
    Column("language", String(35), nullable=False),
    # Argon2id in its own text form; empty: nobody signs in with a password.
    Column("password", Text, nullable=False),
    Column("totp", LargeBinary, nullable=True),
    # The last time step whose code was used: no code works twice.
    Column("totp_step", BigInteger, nullable=False),
    # Who the person is with their own state's sign-on; both empty where they have none.
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("disabled_us", BigInteger, nullable=True),
    Index(
        "accounts_by_subject",
        "issuer",
        "subject",
        unique=True,
        sqlite_where=text("subject <> ''"),
        postgresql_where=text("subject <> ''"),
    ),
)

RECOVERY_CODES: Final = Table(
    "recovery_codes",
    METADATA,
    Column("account", String(64), primary_key=True),
    Column("sha256", LargeBinary, primary_key=True),
)

ATTEMPTS: Final = Table(
    "attempts",
    METADATA,
    # Hashes of names and addresses: a name that was typed may be a password by mistake.
    Column("key", LargeBinary, primary_key=True),
    Column("of", LargeBinary, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Index("attempts_by_of", "of"),
    Index("attempts_by_at", "at_us"),
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("handle", String(16), primary_key=True),
    Column("sha256", LargeBinary, nullable=False),
    Column("account", String(64), nullable=False),
    Column("way", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger, nullable=True),
    Index("sessions_by_account", "account", "created_us"),
    Index("sessions_by_created", "created_us"),
)

ACTIONS: Final = Table(
    "actions",
    METADATA,
    # What the operator did, until the ledger has it in the log; written with what was done.
    Column("key", String(32), primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("agency", String(64), nullable=False),
    Column("person", Text, nullable=False),
    Column("body", Text, nullable=False),
)

ACCESS: Final = (CREDENTIALS, ACCOUNTS, RECOVERY_CODES, ATTEMPTS, SESSIONS, ACTIONS)

DRAFTS: Final = Table(
    "drafts",
    METADATA,
    # What an officer wrote, until another one of the agency has decided about it.
    Column("id", String(16), primary_key=True),
    Column("agency", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("payload_type", String(64), nullable=False),
    Column("headline", Text, nullable=False),
    Column("msg_type", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("account", String(64), nullable=False),
    Column("person", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided_account", String(64), nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_us", BigInteger, nullable=True),
    Column("note", Text, nullable=False),
    Column("idx", BigInteger, nullable=True),
    Index("drafts_by_agency", "agency", "created_us"),
)

OUTLETS: Final = Table(
    "outlets",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("feed", String(80), nullable=False),
    Column("kind", String(16), nullable=False),
    # Where to, and how; JSON, by kind (`hub.outlets.records`).
    Column("target", Text, nullable=False),
    # To sign or sign in with, so it is kept as it is. The one before it holds until its time.
    Column("secret", Text, nullable=False),
    Column("secret_before", Text, nullable=False),
    Column("secret_before_until_us", BigInteger, nullable=False),
    Column("confirms", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    # The log index through which everything was taken there.
    Column("through", BigInteger, nullable=False),
    # What a digest still holds; JSON, by kind.
    Column("place", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since_us", BigInteger, nullable=True),
    Column("next_us", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("delivered_us", BigInteger, nullable=True),
    # When a test was asked for that has not been made.
    Column("test_us", BigInteger, nullable=True),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    # Grows with each change from outside: what was worked out before it is not written any more.
    Column("version", BigInteger, nullable=False),
    # Which process serves it, and until when nobody else may.
    Column("holder", String(64), nullable=False),
    Column("held_until_us", BigInteger, nullable=False),
    Index("outlets_by_feed", "feed"),
)

OUTLET_ATTEMPTS: Final = Table(
    "outlet_attempts",
    METADATA,
    Column("outlet", String(16), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    # The log index that was sent; -1 of a test.
    Column("idx", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("ok", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("detail", Text, nullable=False),
)

OUTGOING: Final = (OUTLETS, OUTLET_ATTEMPTS, DRAFTS)


SIGNED: Final = (CHECKPOINTS, COSIGNATURES)

PROJECTIONS: Final = (
    TILES,
    MESSAGES,
    AID,
    REFS,
    INCIDENTS,
    ACKNOWLEDGEMENTS,
    DELIVERIES,
    ESCALATIONS,
    CHAINS,
    INPUTS,
)
