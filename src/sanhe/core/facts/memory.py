"""Facts in memory: the double of the port for tests of what stands above."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from uuid import UUID

import pyarrow as pa

from sanhe.core.clock import Clock
from sanhe.core.errors import BadInput, Code, Conflict, NotFound
from sanhe.core.facts.ports import Appended, Batch, BatchKind, Fact
from sanhe.core.facts.schema import SORT, StateDigest, facts_table, table_facts
from sanhe.core.facts.types import FactTypes
from sanhe.core.values import new_id

_Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class _Entry:
    batch: UUID
    stands: bool
    fact: Fact


class MemoryFacts:
    """Facts kept in dictionaries: entries in order for each (source, external id, revision)."""

    def __init__(self, types: FactTypes, *, clock: Clock, actor: str = "test") -> None:
        self._types, self._clock, self._actor = types, clock, actor
        self._batches: dict[UUID, Batch] = {}
        self._entries: dict[_Key, list[_Entry]] = {}

    def open_batch(
        self, *, source: str, name: str, digest: str = "", kind: BatchKind = "import"
    ) -> UUID:
        """Begin a batch by the actor and return its id."""
        if not source:
            raise BadInput("a batch needs the name of its source", remedy="give e.g. erp or till")
        batch = Batch(new_id(), kind, source, name, digest, self._actor, self._clock.now())
        self._batches[batch.id] = batch
        return batch.id

    def append(self, batch: UUID, facts: Iterable[Fact] | pa.Table) -> Appended:
        """Record facts under the batch; see the port."""
        found = self._open(batch)
        given = facts if isinstance(facts, pa.Table) else facts_table(facts)
        new = repeated = 0
        contradicting: list[_Key] = []
        for fact in table_facts(self._types.checked(given)):
            key = (fact.source, fact.external_id, fact.revision)
            entries = self._entries.setdefault(key, [])
            if not entries or not entries[-1].stands:
                entries.append(_Entry(batch, True, fact))
                new += 1
            elif entries[-1].fact == fact:
                repeated += 1
            else:
                contradicting.append(key)
        self._batches[batch] = replace(
            found, new=found.new + new, repeated=found.repeated + repeated
        )
        return Appended(new, repeated, tuple(contradicting))

    def reject(self, batch: UUID, rows: int) -> None:
        """Count rows of a delivery that were refused before they became facts."""
        found = self._open(batch)
        self._batches[batch] = replace(found, rejected=found.rejected + rows)

    def undo(self, batch: UUID) -> UUID:
        """Compensate a batch by a new batch of retractions; see the port."""
        found = self._batch(batch)
        if found.kind == "undo":
            raise Conflict(f"batch {batch} is itself an undo; import its file again instead")
        if found.undone_by is not None:
            raise Conflict(f"batch {batch} has been undone already", code=Code.UNDONE)
        undo = new_id()
        retracted = 0
        for entries in self._entries.values():
            if entries and entries[-1].stands and entries[-1].batch == batch:
                entries.append(_Entry(undo, False, entries[-1].fact))
                retracted += 1
        self._batches[batch] = replace(found, undone_by=undo)
        self._batches[undo] = Batch(
            undo,
            "undo",
            found.source,
            found.name,
            "",
            self._actor,
            self._clock.now(),
            new=retracted,
            undoes=batch,
        )
        return undo

    def batch(self, batch: UUID) -> Batch:
        """One batch; see the port."""
        return self._batch(batch)

    def batches(self) -> list[Batch]:
        """What was taken in and undone, oldest first; see the port."""
        return [batch for batch in self._batches.values() if batch.kind != "sync"]

    def current(self, types: Collection[str]) -> pa.Table:
        """The canonical state of these types; see the port."""
        return facts_table(self._held(types).values()).sort_by(SORT)

    def current_of(self, batch: UUID, types: Collection[str]) -> pa.Table:
        """The current facts of the external ids this batch touched; see the port."""
        keys = self._keys(batch)
        held = [fact for key, fact in self._held(types).items() if key in keys]
        return facts_table(held).sort_by(SORT)

    def touched(self, batch: UUID, types: Collection[str]) -> pa.Table:
        """What the facts this batch touched are and ever were about; see the port."""
        names = ("type", "source", "external_id", "sku", "place", "party")
        keys = self._keys(batch)
        rows = {
            tuple(getattr(entry.fact, name) for name in names)
            for entries in self._entries.values()
            for entry in entries
            if _identity(entry.fact) in keys and entry.fact.type in types
        }
        ordered = sorted(rows, key=lambda row: [(value is None, value or "") for value in row])
        schema = pa.schema([(name, pa.string()) for name in names])
        return pa.Table.from_pylist([dict(zip(names, r, strict=True)) for r in ordered], schema)

    def digest(self) -> str:
        """A SHA-256 over the canonical state of all types."""
        digest = StateDigest()
        digest.feed(self.current(self._types.names))
        return digest.hexdigest()

    def _held(self, types: Collection[str]) -> dict[tuple[str, str, str], Fact]:
        held: dict[tuple[str, str, str], Fact] = {}
        for entries in self._entries.values():
            last = entries[-1]
            if not last.stands or last.fact.type not in types:
                continue
            known = held.get(_identity(last.fact))
            if known is None or known.revision < last.fact.revision:
                held[_identity(last.fact)] = last.fact
        return held

    def _keys(self, batch: UUID) -> set[tuple[str, str, str]]:
        return {
            _identity(entry.fact)
            for entries in self._entries.values()
            for entry in entries
            if entry.batch == batch
        }

    def _batch(self, batch: UUID) -> Batch:
        if batch not in self._batches:
            raise NotFound(f"there is no batch {batch}; `sanhe imports` shows them")
        return self._batches[batch]

    def _open(self, batch: UUID) -> Batch:
        found = self._batch(batch)
        if found.kind == "undo":
            raise Conflict(f"batch {batch} is an undo; open a new one for new facts")
        return found


def _identity(fact: Fact) -> tuple[str, str, str]:
    return fact.type, fact.source, fact.external_id
