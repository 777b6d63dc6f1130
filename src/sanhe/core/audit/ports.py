"""The audit port and its double in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sanhe.core.clock import Clock
from sanhe.core.values import Json


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One entry: `action` is a word such as import, `subject` the id it was done to."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Json] = field(default_factory=dict)


class Audit(Protocol):
    """Keeps the trail. Two implementations: `PostgresAudit` and `MemoryAudit`."""

    def record(self, action: str, subject: str, details: Mapping[str, Json] | None = None) -> None:
        """Add an entry by the transaction's actor, at its clock's time."""
        ...

    def trail(self, *, subject: str | None = None, limit: int = 100) -> list[AuditEvent]:
        """Entries, newest first; those of one subject, or all."""
        ...

    def page(
        self, *, actor: str | None = None, offset: int = 0, limit: int = 100
    ) -> tuple[list[AuditEvent], int]:
        """Some entries, newest first, of one actor or all, and how many there are."""
        ...


class MemoryAudit:
    """The trail in memory."""

    def __init__(self, actor: str, clock: Clock) -> None:
        self._actor, self._clock = actor, clock
        self._events: list[AuditEvent] = []

    def record(self, action: str, subject: str, details: Mapping[str, Json] | None = None) -> None:
        """Add an entry; see the port."""
        number = len(self._events) + 1
        event = AuditEvent(
            number, self._clock.now(), self._actor, action, subject, dict(details or {})
        )
        self._events.append(event)

    def trail(self, *, subject: str | None = None, limit: int = 100) -> list[AuditEvent]:
        """Entries, newest first; see the port."""
        found = [event for event in self._events if subject in {None, event.subject}]
        return found[::-1][:limit]

    def page(
        self, *, actor: str | None = None, offset: int = 0, limit: int = 100
    ) -> tuple[list[AuditEvent], int]:
        """Some entries, newest first; see the port."""
        found = [event for event in self._events if actor in {None, event.actor}][::-1]
        return found[offset : offset + limit], len(found)
