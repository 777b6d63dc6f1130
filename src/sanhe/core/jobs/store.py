"""Jobs and outbox in PostgreSQL: both are written by the transaction that causes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import dialect

from sanhe.core.errors import NotFound, TooMany
from sanhe.core.jobs import rules
from sanhe.core.jobs.ports import Message
from sanhe.core.storage import Transaction
from sanhe.core.values import Json, new_id

QUEUE = "sanhe"

_DEFER = sa.text("""
SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[
    ROW(:queue, :task, 0, :lock, NULL, CAST(:arguments AS jsonb), :at)
        ::procrastinate_job_to_defer_v1
]))
""")
_COUNTS = sa.text("""
SELECT status::text AS state, count(*) AS jobs FROM procrastinate_jobs
WHERE queue_name = :queue GROUP BY status
""")

_PUT = sa.text("""
INSERT INTO outbox (id, topic, key, payload, created_at)
VALUES (:id, :topic, :key, CAST(:payload AS jsonb), :now)
ON CONFLICT (topic, key) DO NOTHING
RETURNING id
""")
_PUT_BEFORE = sa.text("SELECT id FROM outbox WHERE topic = :topic AND key = :key")
_PENDING = sa.text("""
SELECT id, topic, key, payload, created_at FROM outbox
WHERE topic = :topic AND delivered_at IS NULL
ORDER BY number LIMIT :limit FOR NO KEY UPDATE SKIP LOCKED
""")
_DELIVERED = sa.text("""
UPDATE outbox SET delivered_at = coalesce(delivered_at, :now) WHERE id = :id
""")


def passing_errors() -> tuple[type[Exception], ...]:
    """What is raised for a passing reason: a lost connection, a deadlock, no connection free.

    COPY raises the driver's own class, all else SQLAlchemy's; transactions tell of the last two
    as TooMany.
    """
    driver: Any = dialect.import_dbapi()  # type: ignore[no-untyped-call]
    passing = (driver.OperationalError, driver.InterfaceError)
    return (TooMany, sa.exc.OperationalError, sa.exc.InterfaceError, *passing)


class PostgresJobs:
    """The queue, written within one transaction: a rolled back one queues nothing."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def defer(
        self,
        task: str,
        arguments: Mapping[str, Json],
        *,
        lock: str | None = None,
        at: datetime | None = None,
    ) -> int:
        """Queue a task with the transaction; it runs after the commit. Returns its number."""
        rules.check_moment(at, task=task)
        values = {
            "queue": QUEUE,
            "task": task,
            "lock": lock,
            "arguments": rules.json_arguments(task, arguments),
            "at": at,
        }
        return int(self._tx.connection.execute(_DEFER, values).scalar_one())

    def counts(self) -> Mapping[str, int]:
        """How many jobs there are by state: todo, doing, succeeded, failed."""
        rows = self._tx.connection.execute(_COUNTS, {"queue": QUEUE})
        return {row.state: row.jobs for row in rows}


class PostgresOutbox:
    """The outbox, written within one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def put(self, topic: str, key: str, payload: Mapping[str, Json]) -> UUID:
        """Write a message and return its id; the same topic and key again is left alone."""
        values = {
            "id": new_id(),
            "topic": topic,
            "key": key,
            "payload": rules.json_arguments(topic, payload),
            "now": self._tx.clock.now(),
        }
        made: UUID | None = self._tx.connection.execute(_PUT, values).scalar()
        if made is not None:
            return made
        named = {"topic": topic, "key": key}
        found: UUID = self._tx.connection.execute(_PUT_BEFORE, named).scalar_one()
        return found

    def pending(self, topic: str, *, limit: int = 1000) -> list[Message]:
        """Undelivered messages in order, locked against other deliverers until the commit."""
        rows = self._tx.connection.execute(_PENDING, {"topic": topic, "limit": limit})
        return [Message(*row) for row in rows]

    def delivered(self, message: UUID) -> None:
        """Mark as delivered. Raises NotFound."""
        values = {"id": message, "now": self._tx.clock.now()}
        if not self._tx.connection.execute(_DELIVERED, values).rowcount:
            raise NotFound(f"no message {message} in the outbox")
