"""A shop for tests: records facts the way the product does and looks at what follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from sanhe.core.clock import FixedClock
from sanhe.core.facts import Fact, FactField, FactType, FactTypes, PostgresFacts
from sanhe.core.jobs import MemoryOutbox
from sanhe.core.ledger import MemoryLedger, PostgresLedger
from sanhe.core.storage import Transaction
from sanhe.goods import catalog, stock, suppliers

Payload: TypeAlias = Sequence[tuple[str, object]]

START = datetime(2024, 6, 3, tzinfo=UTC)

# The sale types belong to goods.demand; the stock reads them by name.
SALES = tuple(
    FactType(
        name,
        "goods.demand",
        "sales of an SKU at a place",
        needs=("sku", "place", "quantity"),
        payload={"receipt": FactField("str", "the receipt")},
    )
    for name in ("sale.day", "sale.line")
)
TYPES = FactTypes((*catalog.FACT_TYPES, *stock.FACT_TYPES, *suppliers.FACT_TYPES, *SALES))


@dataclass
class Shop:
    """All of goods in one transaction, by default on a ledger in memory."""

    tx: Transaction
    ledger: MemoryLedger | PostgresLedger
    outbox: MemoryOutbox

    @classmethod
    def of(cls, tx: Transaction, *, in_memory: bool = True) -> Shop:
        clock = FixedClock(START)
        ledger = MemoryLedger(clock) if in_memory else PostgresLedger(tx)
        return cls(tx, ledger, MemoryOutbox(clock))

    @property
    def facts(self) -> PostgresFacts:
        return PostgresFacts(self.tx, TYPES)

    @property
    def catalog(self) -> catalog.Catalog:
        return catalog.Catalog(self.tx)

    @property
    def stock(self) -> stock.Stock:
        return stock.Stock(self.tx, self.ledger)

    @property
    def suppliers(self) -> suppliers.Suppliers:
        return suppliers.Suppliers(self.tx, self.outbox)

    def record(self, facts: Iterable[Fact]) -> UUID:
        """Record facts as one batch; all projections follow."""
        batch = self.facts.open_batch(source="test", name="test")
        self.facts.append(batch, list(facts))
        self.follow(batch)
        return batch

    def undo(self, batch: UUID) -> UUID:
        """Undo a batch; all projections follow."""
        undone = self.facts.undo(batch)
        self.follow(undone)
        return undone

    def follow(self, batch: UUID) -> None:
        for projection in (self.catalog, self.stock, self.suppliers):
            projection.apply(batch)

    def nets(self) -> dict[tuple[str, str], int]:
        """The net stock of each known (sku, place)."""
        rows = self.stock.positions().to_pylist()
        return {(row["sku"], row["place"]): row["net"] for row in rows}

    def on_the_books(self) -> dict[str, int]:
        """What the accounts of the ledger hold, without the empty ones."""
        rows = self.ledger.accounts("stock.").to_pylist()
        return {row["code"]: row["posted"] for row in rows if row["posted"]}

    def state(self) -> list[dict[str, object]]:
        """The canonical state of the stock."""
        rows: list[dict[str, object]] = self.stock.positions().to_pylist()
        return rows


@contextmanager
def rolled_back(tx: Transaction, *, in_memory: bool = True) -> Iterator[Shop]:
    """A shop whose doings are undone at the end, so that the next one starts empty."""
    nested = tx.connection.begin_nested()
    try:
        yield Shop.of(tx, in_memory=in_memory)
    finally:
        nested.rollback()


def fact(
    type_: str,
    name: str,
    *,
    hour: int = 0,
    revision: int = 0,
    source: str = "erp",
    payload: Payload = (),
    **columns: object,
) -> Fact:
    """A fact `hour` hours after the start, by default of SKU A at place S1."""
    moment = START + timedelta(hours=hour)
    given: dict[str, object] = {"sku": "A", "place": "S1", **columns}
    return Fact(
        type=type_,
        source=source,
        external_id=name,
        event_at=moment,
        day=given.pop("day", moment.date()),  # type: ignore[arg-type]
        payload=dict(payload),  # type: ignore[arg-type]
        revision=revision,
        **given,  # type: ignore[arg-type]
    )


def counted(name: str, quantity: int, *, hour: int = 0, **columns: object) -> Fact:
    return fact("stock.counted", name, hour=hour, quantity=quantity, **columns)  # type: ignore[arg-type]


def moved(
    name: str, quantity: int, *, hour: int = 0, payload: Payload = (), **columns: object
) -> Fact:
    return fact(
        "stock.moved",
        name,
        hour=hour,
        quantity=quantity,
        payload=[("reason", "adjustment"), *payload],
        **columns,  # type: ignore[arg-type]
    )


def sold(name: str, quantity: int, *, hour: int = 0, **columns: object) -> Fact:
    return fact("sale.line", name, hour=hour, quantity=quantity, **columns)  # type: ignore[arg-type]


def received(
    name: str,
    quantity: int,
    *,
    order: str,
    hour: int = 0,
    payload: Payload = (),
    **columns: object,
) -> Fact:
    given: dict[str, object] = {"party": "V1", **columns}
    return fact(
        "purchase.received",
        name,
        hour=hour,
        quantity=quantity,
        payload=[("order", order), *payload],
        **given,  # type: ignore[arg-type]
    )


DAY = date(2024, 6, 3)
