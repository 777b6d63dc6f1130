"""An installation for simulations: facts and the goods' projections on a real database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from sanhe.core.clock import FixedClock
from sanhe.core.facts import PostgresFacts
from sanhe.core.jobs import MemoryOutbox
from sanhe.core.ledger import PostgresLedger
from sanhe.core.places import Places
from sanhe.core.storage import Database, Transaction
from sanhe.core.values import derived_id
from sanhe.goods.catalog import Catalog
from sanhe.goods.stock import Stock
from sanhe.goods.suppliers import OrderLine, Suppliers
from tests.sim.worlds import TYPES


@dataclass
class Installation:
    """Takes in deliveries as the product does: append and all projections, one transaction."""

    database: Database
    clock: FixedClock
    deliveries: list[str] = field(default_factory=list)

    def record(self, name: str, facts: pa.Table) -> None:
        """Take in one delivery."""
        with self.database.transaction(actor="simulator") as tx:
            store = PostgresFacts(tx, TYPES)
            batch = store.open_batch(source="sim", name=name)
            done = store.append(batch, facts)
            assert not done.contradicting
            for projection in (
                Places(tx, store),
                Catalog(tx),
                self.stock(tx),
                Suppliers(tx, MemoryOutbox(self.clock)),
            ):
                projection.apply(batch)
        self.deliveries.append(name)

    def stock(self, tx: Transaction) -> Stock:
        """The stock on the database's ledger."""
        return Stock(tx, PostgresLedger(tx))

    def on_hand(self) -> dict[tuple[str, str], int]:
        """The net stock of each (sku, place)."""
        with self.database.transaction(actor="simulator") as tx:
            rows = self.stock(tx).positions().to_pylist()
        return {(row["sku"], row["place"]): row["net"] for row in rows}

    def on_order(self, as_of: date) -> dict[tuple[str, str], int]:
        """What is on order of each (sku, place)."""
        total: dict[tuple[str, str], int] = {}
        with self.database.transaction(actor="simulator") as tx:
            rows = Suppliers(tx, MemoryOutbox(self.clock)).on_order(as_of).to_pylist()
        for row in rows:
            key = (row["sku"], row["place"])
            total[key] = total.get(key, 0) + row["quantity"]
        return total

    def digest(self) -> str:
        """The digest of the canonical state of the facts."""
        with self.database.transaction(actor="simulator") as tx:
            return PostgresFacts(tx, TYPES).digest()


@dataclass
class LevelPlanner:
    """A planner on the real database: fills stock and open orders up to fixed levels.

    It reads stock and open orders from the installation, never from the simulated world.
    """

    shop: Installation
    terms: dict[tuple[str, str], tuple[str, int, int, tuple[int, ...]]]
    level_units: int = 30

    def record(self, name: str, facts: pa.Table) -> None:
        """Take in one delivery."""
        self.shop.record(name, facts)

    def plan(self, as_of: date) -> pa.Table:
        """Order what is short of the level, through goods.suppliers."""
        on_hand, on_order = self.shop.on_hand(), self.shop.on_order(as_of)
        wanted = []
        for (sku, place), (supplier, case, moq, weekdays) in self.terms.items():
            short = self.level_units - on_hand[sku, place] - on_order.get((sku, place), 0)
            if short > 0 and as_of.isoweekday() in weekdays:
                quantity = max(-(-short // case) * case, moq)
                wanted.append(OrderLine(sku, place, supplier, quantity))
        with self.shop.database.transaction(actor="planner") as tx:
            suppliers = Suppliers(tx, MemoryOutbox(self.shop.clock))
            orders = suppliers.order(wanted, derived_id("run", str(as_of)), day=as_of)
        lines = [(order, line) for order in orders for line in order.lines]
        return pa.table(
            {
                "order": pa.array([order.name for order, _ in lines], pa.string()),
                "line": pa.array([str(line.line) for _, line in lines], pa.string()),
                "sku": pa.array([line.sku for _, line in lines], pa.string()),
                "place": pa.array([order.place for order, _ in lines], pa.string()),
                "quantity": pa.array([line.quantity for _, line in lines], pa.int64()),
            }
        )
