"""The facts port: what happened, append-only, in any order, any number of times."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias
from uuid import UUID

from sanhe.core.values import Json

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened or was announced.

    `external_id` and `source` name it in the system it comes from; `revision` orders its
    corrections (the highest wins). `event_at` is UTC; `day` is the place's local business day.
    `quantity` is in base units of the SKU, `amount_cents` in minor units of `currency`. What the
    type adds lies in `payload`. A field that does not apply is None.
    """

    type: str
    source: str
    external_id: str
    event_at: datetime
    day: date
    sku: str | None = None
    place: str | None = None
    party: str | None = None
    quantity: int | None = None
    amount_cents: int | None = None
    currency: str | None = None
    payload: Mapping[str, Json] = field(default_factory=dict)
    revision: int = 0


@dataclass(frozen=True, slots=True)
class FactField:
    """One payload field: its JSON type ("int", "float", "str", "bool", "date"), its meaning."""

    kind: str
    meaning: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class FactType:
    """A published type: who owns its meaning, which columns it needs, what its payload holds.

    `needs` names the columns that must not be empty (of sku, place, party, quantity,
    amount_cents). `writers` and `readers` name the packages that write and read it; a type
    without either fails a test. `everywhere`: one that names no place holds in all of them, and
    is seen by who may see one of them; of other types it is seen by who sees all places.
    """

    name: str
    owner: str
    meaning: str
    needs: tuple[str, ...] = ()
    payload: Mapping[str, FactField] = field(default_factory=dict)
    writers: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Appended:
    """The outcome of one append: rows that were new, rows already known, rows that contradict.

    `contradicting` lists (source, external_id, revision) recorded before with other content;
    they were not written.
    """

    new: int
    repeated: int
    contradicting: tuple[tuple[str, str, int], ...] = ()


BatchKind: TypeAlias = Literal["import", "sync"]
"""What a batch may be opened as."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One delivery of facts: a file, a message, a day of the simulator.

    `kind` is "import", "sync" (told all day long, by a device or by sanhe's own orders) or
    "undo"; `undoes` names the batch that an undo compensates.
    """

    id: UUID
    kind: str
    source: str
    name: str
    digest: str
    actor: str
    begun_at: datetime
    new: int = 0
    repeated: int = 0
    rejected: int = 0
    undoes: UUID | None = None
    undone_by: UUID | None = None


class Facts(Protocol):
    """Keeps facts. Two implementations: `PostgresFacts` and `MemoryFacts`."""

    def open_batch(
        self, *, source: str, name: str, digest: str = "", kind: BatchKind = "import"
    ) -> UUID:
        """Begin a batch by the transaction's actor and return its id."""
        ...

    def append(self, batch: UUID, facts: Iterable[Fact] | pa.Table) -> Appended:
        """Record facts under the batch. Arrow tables follow `FACT_SCHEMA`.

        The same (external_id, source, revision) with the same content counts as repeated; with
        other content it is listed as contradicting and not written, unless it was retracted:
        then it holds again as given. Raises BadInput for an unknown type, a missing needed
        column or a payload that does not fit its type; NotFound, Conflict for a batch that is
        not there or is an undo.
        """
        ...

    def undo(self, batch: UUID) -> UUID:
        """Compensate a batch by a new batch of retractions; what it superseded holds again.

        Returns the undo batch's id. Raises NotFound for no such batch, Conflict when it is
        itself an undo or has been undone.
        """
        ...

    def batch(self, batch: UUID) -> Batch:
        """One batch. Raises NotFound."""
        ...

    def batches(self) -> list[Batch]:
        """What was taken in and undone, oldest first; not the many batches of kind "sync"."""
        ...

    def reject(self, batch: UUID, rows: int) -> None:
        """Count rows of a delivery that were refused before they became facts."""
        ...

    def current(self, types: Collection[str]) -> pa.Table:
        """The canonical state of these types: per (type, source, external_id) the highest
        revision that is not retracted, sorted by type, source, external id, in `FACT_SCHEMA`.

        A fact keeps its type: a revision under another type is a fact of its own.
        """
        ...

    def current_of(self, batch: UUID, types: Collection[str]) -> pa.Table:
        """Like `current`, for the (type, source, external_id) that this batch touched only."""
        ...

    def touched(self, batch: UUID, types: Collection[str]) -> pa.Table:
        """What the facts this batch touched are and ever were about, each combination once.

        Columns type, source, external_id, sku, place, party. A correction may move a fact from
        one SKU or place to another; both are listed, so that both can be brought in line.
        """
        ...

    def digest(self) -> str:
        """A SHA-256 over the canonical state of all types: equal states have equal digests."""
        ...


class Projection(Protocol):
    """A state derived from facts: subscribes to types and follows every batch that touches them."""

    @property
    def types(self) -> frozenset[str]:
        """The fact types it reads."""
        ...

    def apply(self, batch: UUID) -> None:
        """Bring the state in line with the facts whose external ids this batch touched.

        It reads the *current* facts, so that any order of batches ends in the same state.
        """
        ...
