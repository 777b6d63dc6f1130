"""The audit trail's table. The application may add to it and read it, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping

import sqlalchemy as sa

from sanhe.core.audit.ports import AuditEvent
from sanhe.core.storage import Transaction
from sanhe.core.values import Json

_INSERT = sa.text(
    "INSERT INTO audit_event (at, actor, action, subject, details) "
    "VALUES (:at, :actor, :action, :subject, cast(:details AS jsonb))"
)
_TRAIL = sa.text(
    "SELECT number, at, actor, action, subject, details FROM audit_event "
    "WHERE cast(:subject AS text) IS NULL OR subject = :subject "
    "ORDER BY number DESC LIMIT :limit"
)
_PAGE = sa.text(
    "SELECT number, at, actor, action, subject, details FROM audit_event "
    "WHERE cast(:actor AS text) IS NULL OR actor = :actor "
    "ORDER BY number DESC LIMIT :limit OFFSET :offset"
)
_COUNT = sa.text(
    "SELECT count(*) FROM audit_event WHERE cast(:actor AS text) IS NULL OR actor = :actor"
)


class PostgresAudit:
    """The trail in the transaction's database."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def record(self, action: str, subject: str, details: Mapping[str, Json] | None = None) -> None:
        """Add an entry; see the port."""
        self._tx.connection.execute(
            _INSERT,
            {
                "at": self._tx.clock.now(),
                "actor": self._tx.actor,
                "action": action,
                "subject": subject,
                "details": json.dumps(details or {}, ensure_ascii=False),
            },
        )

    def trail(self, *, subject: str | None = None, limit: int = 100) -> list[AuditEvent]:
        """Entries, newest first; see the port."""
        rows = self._tx.connection.execute(_TRAIL, {"subject": subject, "limit": limit})
        return [AuditEvent(**row) for row in rows.mappings()]

    def page(
        self, *, actor: str | None = None, offset: int = 0, limit: int = 100
    ) -> tuple[list[AuditEvent], int]:
        """Some entries, newest first; see the port."""
        asked = {"actor": actor, "limit": limit, "offset": offset}
        rows = self._tx.connection.execute(_PAGE, asked)
        total = self._tx.connection.execute(_COUNT, {"actor": actor}).scalar_one()
        return [AuditEvent(**row) for row in rows.mappings()], int(total)
