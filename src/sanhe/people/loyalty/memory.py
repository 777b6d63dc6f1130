"""Entries in memory: for tests and for the long runs of the model; the same suite holds both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import islice

from sanhe.core.errors import Conflict
from sanhe.people.loyalty.ports import Entry, Purse, Written


class MemoryEntries:
    """Entries that live as long as the process."""

    def __init__(self, *, actor: str = "memory") -> None:
        self._actor = actor
        self._written: dict[tuple[Purse, str], list[Written]] = {}
        self._causes: dict[tuple[Purse, str, str], list[Entry]] = {}
        self._lots: dict[str, dict[date, date]] = {}
        self._ids: set[object] = set()

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep entries whose ids are not known."""
        for entry in entries:
            if entry.id in self._ids:
                raise Conflict(f"entry {entry.id} is known")
            self._ids.add(entry.id)
            written = Written(len(self._ids), entry, self._actor)
            self._written.setdefault((entry.purse, entry.member), []).append(written)
            self._causes.setdefault((entry.purse, entry.member, entry.cause), []).append(entry)

    def of_cause(self, purse: Purse, member: str, cause: str) -> list[Entry]:
        """All that happened to a member for a cause, in order."""
        return list(self._causes.get((purse, member, cause), ()))

    def page(self, purse: Purse, member: str, *, limit: int, before: int | None) -> list[Written]:
        """What happened to a member, the last first, numbered below `before`."""
        found = self._written.get((purse, member), [])
        return [one for one in reversed(found) if before is None or one.number < before][:limit]

    def open_lots(self, member: str, days: Iterable[date]) -> None:
        """Say that lots of these days may hold points."""
        self._lots.setdefault(member, {}).update(dict.fromkeys(days, date.min))

    def swept(self, member: str, lot: date, *, on: date, is_empty: bool) -> None:
        """Say that a lot that was over was emptied on a day."""
        if is_empty:
            del self._lots[member][lot]
        else:
            self._lots[member][lot] = on

    def lots(self, member: str) -> list[date]:
        """The lots of a member that may hold points, the first to expire first."""
        return sorted(self._lots.get(member, ()))

    def over(self, day: date, *, limit: int) -> list[str]:
        """Some members that have lots to be emptied on a day."""
        found = (
            member
            for member, lots in self._lots.items()
            if any(lot < day and swept_on < day for lot, swept_on in lots.items())
        )
        return list(islice(found, limit))
