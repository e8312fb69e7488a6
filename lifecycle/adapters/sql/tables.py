"""The tables of the system of record, alike for SQLite and Postgres. Bodies are JSON text."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

models = Table(
    "models",
    metadata,
    Column("name", String, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("model", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", String, nullable=False),
    Column("body", Text, nullable=False),
)

rollouts = Table(
    "rollouts",
    metadata,
    Column("id", String, primary_key=True),
    Column("model", String, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("body", Text, nullable=False),
    Index("rollouts_by_model", "model", "started_at"),
)
Index(
    "one_active_rollout",
    rollouts.c.model,
    unique=True,
    sqlite_where=rollouts.c.active == text("1"),
    postgresql_where=rollouts.c.active == text("true"),
)

keys = Table(
    "keys",
    metadata,
    Column("name", String, primary_key=True),
    Column("body", Text, nullable=False),
)
"""API keys by name, with the digests of their secrets."""

records = Table(
    "records",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("actor", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("model", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("prev_hash", String, nullable=False),
    Column("hash", String, nullable=False),
    UniqueConstraint("prev_hash"),
    Index("records_by_model", "model", "seq"),
)

heads = Table(
    "heads",
    metadata,
    Column("name", String, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String, nullable=False),
)
"""The ledger's last record, kept apart so that records lost from the end are noticed."""

generations = Table(
    "generations",
    metadata,
    Column("name", String, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("caller", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("status", Integer),
    Column("etag", String),
    Column("body", Text),
)
"""Changes that were asked for under an idempotency key. `status` is NULL until their answer is known."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("hook", String, primary_key=True),
    Column("seq", Integer, nullable=False),
)
"""The last ledger record that each webhook's receiver took."""

schema = Table("schema", metadata, Column("number", Integer, primary_key=True, autoincrement=False))
"""The one row says which schema these tables have; see `schema.py`."""
