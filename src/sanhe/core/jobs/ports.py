"""The jobs and outbox ports: work to be done later, and what leaves the system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sanhe.core.values import Json


@dataclass(frozen=True, slots=True)
class Message:
    """What leaves the system: written in the transaction that caused it, delivered after it.

    `topic` is e.g. "purchase_order"; `key` makes a delivery recognisable when it is repeated.
    """

    id: UUID
    topic: str
    key: str
    payload: Mapping[str, Json]
    created_at: datetime


class Outbox(Protocol):
    """Keeps messages until each is delivered. Postgres and in memory."""

    def put(self, topic: str, key: str, payload: Mapping[str, Json]) -> UUID:
        """Write a message with the transaction and return its id.

        The same topic and key again is left alone: the id is that of the first.
        """
        ...

    def pending(self, topic: str, *, limit: int = 1000) -> list[Message]:
        """Undelivered messages in order, locked against other deliverers until the commit."""
        ...

    def delivered(self, message: UUID) -> None:
        """Mark as delivered. Delivery is at least once: the receiver recognises the key.

        Raises NotFound.
        """
        ...


class Jobs(Protocol):
    """The queue. A task is a plain function registered by name in the wiring."""

    def defer(
        self,
        task: str,
        arguments: Mapping[str, Json],
        *,
        lock: str | None = None,
        at: datetime | None = None,
    ) -> int:
        """Queue a task with the transaction; it runs after the commit. Returns the job's number.

        Tasks of one `lock` run one after the other, in order. `at` puts it off to a moment.
        Raises BadInput for arguments that are no JSON.
        """
        ...

    def counts(self) -> Mapping[str, int]:
        """How many jobs there are by state: todo, doing, succeeded, failed."""
        ...


Task = Callable[..., None]
"""A task takes its JSON arguments by keyword and raises Temporary to be tried again."""

Receiver = Callable[[Message], None]
"""Takes one message out of the system, e.g. writes a file; the same key may come again."""


@dataclass(frozen=True, slots=True)
class JobsRun:
    """What a worker did: jobs ended well, put off for another try, and failed for good.

    `failures` says for each failed job its task and the error.
    """

    succeeded: int
    retried: int
    failed: int
    failures: tuple[str, ...] = ()
