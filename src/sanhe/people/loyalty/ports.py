"""What happened to the points and the stored value of members, and who keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

DEBT: Final = "debt"
"""The lot of points that were taken back and not there: later earnings pay it first."""


class Purse(StrEnum):
    """What a member has: points (积分), or money paid ahead (储值)."""

    POINTS = "points"
    STORED = "stored"


class Kind(StrEnum):
    """What happened: `SETTLED` are points about to expire that paid what was owed."""

    EARNED = "earned"
    HELD = "held"
    GIVEN_BACK = "given_back"
    TAKEN_BACK = "taken_back"
    REMOVED = "removed"
    EXPIRED = "expired"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer in or out of a lot: `id` is its name on the ledger, `amount` > 0.

    `lot` is the last day of points, `paid` or `given` of stored value, or `DEBT`; `origin` the lot
    that it was spent from, which may be over when it comes back. `cause` and `step` are the
    caller's names of why; `note` is a person's reason.
    """

    id: UUID
    purse: Purse
    member: str
    kind: Kind
    cause: str
    step: str
    lot: str
    origin: str
    amount: int
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it is kept: numbered in order, with who wrote it."""

    number: int
    entry: Entry
    actor: str


class Entries(Protocol):
    """Keeps entries, never changed, and the lots that may still hold points."""

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep entries whose ids are not known."""
        ...

    def of_cause(self, purse: Purse, member: str, cause: str) -> list[Entry]:
        """All that happened to a member for a cause, in order."""
        ...

    def page(self, purse: Purse, member: str, *, limit: int, before: int | None) -> list[Written]:
        """What happened to a member, the last first, numbered below `before`."""
        ...

    def open_lots(self, member: str, days: Iterable[date]) -> None:
        """Say that lots of these days may hold points."""
        ...

    def swept(self, member: str, lot: date, *, on: date, is_empty: bool) -> None:
        """Say that a lot that was over was emptied on a day; where some of it is held, it is to
        be looked at again on a later day."""
        ...

    def lots(self, member: str) -> list[date]:
        """The lots of a member that may hold points, the first to expire first."""
        ...

    def over(self, day: date, *, limit: int) -> list[str]:
        """Some members that have lots to be emptied on a day: their last day lies before it.
        None only when there are none."""
        ...
