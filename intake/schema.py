"""The ledger's tables, and the recorded steps that brought an older ledger to them.

A migration and the record of it are one transaction; a new table or column is a new entry at the end.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    select,
    text,
)

metadata = MetaData()

migrations = Table(
    "migrations", metadata, Column("id", String, primary_key=True), Column("at", String, nullable=False)
)

# Single values: the token key, the register's last state.
facts = Table(
    "facts", metadata, Column("name", String, primary_key=True), Column("value", Text, nullable=False)
)

# The start line of each folder: nothing before it is touched. One row a UIDVALIDITY.
lines = Table(
    "lines",
    metadata,
    Column("account", String, primary_key=True),
    Column("folder", String, primary_key=True),
    Column("uidvalidity", Integer, primary_key=True),
    Column("uid", Integer, nullable=False),
    Column("since", String, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False),
    Column("message_id", String),
    Column("raw", String),
    Column("disposition", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("received", String, nullable=False),
    Column("judged", String, nullable=False),
    Column("sender", String),
    Column("subject", Text),
    Column("language", String),
    Column("trust", String),
    Column("silence", String),
    Column("file_to", String),
    Column("errors", Text, nullable=False, default="[]"),
    UniqueConstraint("digest", "message_id", name="one_row_a_message"),
    Index("messages_by_sender", "sender", "received"),
    Index("messages_by_message_id", "message_id"),
    Index("messages_by_original", "raw"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account", String, nullable=False),
    Column("folder", String, nullable=False),
    Column("uidvalidity", Integer, nullable=False),
    Column("uid", Integer, nullable=False),
    Column("raw", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("internal_date", String, nullable=False),
    # new: kept, not judged; decided: judged, to be filed; done: filed, gone or left where it is.
    Column("state", String, nullable=False, default="new"),
    Column("message", Integer, ForeignKey("messages.id")),
    Column("file_to", String),
    Column("attempts", Integer, nullable=False, default=0),
    Column("filed_folder", String),
    Column("filed_uidvalidity", Integer),
    Column("filed_uid", Integer),
    UniqueConstraint("account", "folder", "uidvalidity", "uid", name="one_row_a_delivery"),
    Index("deliveries_by_state", "state"),
    Index("deliveries_by_message", "message"),
    Index("deliveries_by_original", "raw"),
)

cases = Table(
    "cases",
    metadata,
    Column("reference", String, primary_key=True),
    # The opaque key that finds its row in the register.
    Column("row_key", String, nullable=False, unique=True),
    Column("call", String, nullable=False, default=""),
    Column("opened", String, nullable=False),
    Column("disposition", String, nullable=False),
    Column("reason", String, nullable=False, default=""),
    Column("situation", String, nullable=False),
    Column("completed", String),
    Column("accepted_version", Integer),
    Column("title", Text, nullable=False, default=""),
    Column("language", String, nullable=False),
    Column("rounds", Integer, nullable=False, default=0),
    Column("noticed", Boolean, nullable=False, default=False),
    Column("frozen", Boolean, nullable=False, default=False),
    Column("closed", Boolean, nullable=False, default=False),
    Column("joined_to", String),
    Column("late", Boolean, nullable=False, default=False),
    # Rises with every change; the register has caught up when `registered` equals it.
    Column("changed", Integer, nullable=False, default=1),
    Column("registered", Integer, nullable=False, default=0),
    Column("changed_at", String, nullable=False),
    Index("cases_behind", "reference", sqlite_where=text("changed > registered")),
)

versions = Table(
    "versions",
    metadata,
    Column("reference", String, ForeignKey("cases.reference"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("message", Integer, ForeignKey("messages.id")),
    Column("at", String, nullable=False),
    Column("source", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("disposition", String, nullable=False),
    Column("form", Text, nullable=False),
    Column("findings", Text, nullable=False),
    Column("files", Text, nullable=False, default="[]"),
    Index("versions_by_digest", "digest"),
)

# Who wrote for a case, in which role: sender, contact.
voices = Table(
    "voices",
    metadata,
    Column("reference", String, ForeignKey("cases.reference"), primary_key=True),
    Column("address", String, primary_key=True),
    Column("role", String, primary_key=True),
    Column("verified", Boolean, nullable=False, default=False),
    Index("voices_by_address", "address"),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("reference", String),
    Column("message", Integer),
    Column("at", String, nullable=False),
    Column("action", String, nullable=False),
    Column("by", String, nullable=False, default=""),
    Column("detail", Text, nullable=False, default="{}"),
    Index("events_by_reference", "reference"),
)

waivers = Table(
    "waivers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("reference", String, ForeignKey("cases.reference"), nullable=False),
    Column("code", String, nullable=False),
    Column("field", String),
    Column("value", Text, nullable=False),
)

corrections = Table(
    "corrections",
    metadata,
    Column("reference", String, ForeignKey("cases.reference"), primary_key=True),
    Column("field", String, primary_key=True),
    Column("value", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message", Integer, ForeignKey("messages.id")),
    Column("kind", String, nullable=False),
    # waiting (approval, pause), due, sending (committed before DATA), sent, refused, superseded.
    Column("state", String, nullable=False),
    Column("due", String, nullable=False),
    Column("recipient", String, nullable=False),
    # The recipient as it is compared, in small letters.
    Column("address", String, nullable=False),
    Column("language", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message_id", String, nullable=False, unique=True),
    Column("reply_id", String, nullable=False, unique=True),
    Column("answers", String),
    Column("created", String, nullable=False),
    # When it first could have left; a reply put off again and again grows stale all the same.
    Column("first_due", String, nullable=False),
    Column("settled", String),
    Column("attempts", Integer, nullable=False, default=0),
    Column("trouble", Text, nullable=False, default=""),
    Index("outbox_by_state", "state", "due"),
    Index("outbox_by_address", "address", "created"),
    Index("outbox_by_time", "created", "state"),
    Index("outbox_by_message", "message"),
)

# The bytes of each reply, apart: they are read once, the rows above often.
letters = Table(
    "letters",
    metadata,
    Column("outbox", Integer, ForeignKey("outbox.id"), primary_key=True),
    Column("mime", LargeBinary, nullable=False),
)

outbox_cases = Table(
    "outbox_cases",
    metadata,
    Column("outbox", Integer, ForeignKey("outbox.id"), primary_key=True),
    Column("reference", String, ForeignKey("cases.reference"), primary_key=True),
    # Whether it asks for a correction of this case: a round, unless it never leaves.
    Column("asks", Boolean, nullable=False, default=False),
    Index("outbox_cases_by_reference", "reference"),
)

review = Table(
    "review",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("row_key", String, nullable=False, unique=True),
    Column("message", Integer, ForeignKey("messages.id")),
    Column("reference", String),
    Column("at", String, nullable=False),
    Column("sender", String, nullable=False, default=""),
    Column("subject", Text, nullable=False, default=""),
    Column("reason", String, nullable=False),
    Column("words", Text, nullable=False, default=""),
    Column("result", Text, nullable=False, default=""),
    Column("closed", Boolean, nullable=False, default=False),
    Column("changed", Integer, nullable=False, default=1),
    Column("registered", Integer, nullable=False, default=0),
    Index("review_behind", "id", sqlite_where=text("changed > registered")),
    Index("review_open", "id", sqlite_where=text("NOT closed")),
)

register_cells = Table(
    "register_cells",
    metadata,
    Column("sheet", String, primary_key=True),
    # `case` is the row's opaque key: a case's, or a line's of "Por revisar".
    Column("case", String, primary_key=True),
    Column("column", String, primary_key=True),
    Column("written", Text),
    # What an update in flight writes; it becomes `written` when the workbook is in place.
    Column("offered", Text),
    Index("register_cells_of_row", "case"),
    Index("register_cells_offered", "case", sqlite_where=text("offered IS NOT NULL")),
)

sequences = Table(
    "sequences",
    metadata,
    Column("prefix", String, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)


def _first(connection: Connection) -> None:
    metadata.create_all(connection)


# In order; never edited, only added to.
MIGRATIONS: tuple[tuple[str, Callable[[Connection], None]], ...] = (("0001-first", _first),)


def pending_migrations(connection: Connection) -> tuple[str, ...]:
    """Names of the steps not yet taken; reads only."""
    from sqlalchemy import inspect

    if not inspect(connection).has_table("migrations"):
        return tuple(name for name, _step in MIGRATIONS)
    done = set(connection.scalars(select(migrations.c.id)))
    return tuple(name for name, _step in MIGRATIONS if name not in done)
