"""The stock: positions per SKU × place on the ledger, derived from dated facts."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from sanhe.core.errors import Tampered
from sanhe.core.facts import lock, types_of
from sanhe.core.ledger import Balance, Ledger
from sanhe.core.storage import Transaction
from sanhe.goods.stock import rules, store
from sanhe.goods.stock.follow import NOTHING, follow
from sanhe.goods.stock.lots import UNDATED, LotEvents, remaining_lots

if TYPE_CHECKING:
    import pyarrow as pa


class Stock:
    """The stock within one transaction; a projection of counts, movements, receipts and sales."""

    def __init__(self, tx: Transaction, ledger: Ledger) -> None:
        self._tx, self._ledger = tx, ledger

    @property
    def types(self) -> frozenset[str]:
        """The fact types it reads."""
        return frozenset(rules.STOCK_TYPES)

    def apply(self, batch: UUID) -> None:
        """Bring ledger and positions in line with the facts this batch touched.

        Only the differences are posted, as transfers with ids derived from their facts; again
        or in another order it ends in the same balances. Raises Conflict where till lines and a
        total tell the sales of the same SKU, place and day: the stock would fall by both.
        """
        if self.types.isdisjoint(types_of(self._tx, batch)):
            return
        lock(self._tx, "goods.stock")
        follow(self._tx, self._ledger, batch)

    def positions(self, pairs: Collection[tuple[str, str]] | None = None) -> pa.Table:
        """Known positions by SKU and place, in base units: sku, place, on_hand, reserved,
        discrepancy, net, known_since, counted_at.

        `pairs` are (sku, place); None = all. An SKU × place that was never counted is missing:
        its stock is unknown. on_hand >= 0 can be sold or is reserved; net = on_hand +
        discrepancy; `reserved` is the part of on_hand held by pending transfers.
        """
        import pyarrow as pa

        wanted = None
        if pairs is not None:
            ordered = sorted(pairs)
            wanted = ([sku for sku, _ in ordered], [place for _, place in ordered])
        table = store.read_positions(self._tx, wanted)
        names = list(
            zip(table.column("place").to_pylist(), table.column("sku").to_pylist(), strict=True)
        )
        on_hand = self._balances([rules.on_hand_account(*name) for name in names])
        aside = self._balances([rules.discrepancy_account(*name) for name in names])
        columns = {
            "sku": table.column("sku"),
            "place": table.column("place"),
            "on_hand": pa.array([balance.posted for balance in on_hand], pa.int64()),
            "reserved": pa.array([balance.pending_out for balance in on_hand], pa.int64()),
            "discrepancy": pa.array([balance.posted for balance in aside], pa.int64()),
            "net": pa.array(
                [here.posted + there.posted + c.posted for here, there, c in zip(on_hand, aside, self._balances([rules.committed_account(*n) for n in names]), strict=True)],
                pa.int64(),
            ),
            "known_since": table.column("known_since"),
            "counted_at": table.column("counted_at"),
        }
        return pa.table(columns)

    def available(self, pairs, *, channel=None):
        import pyarrow as pa
        ps = sorted(pairs)
        b = self._balances([rules.on_hand_account(p, s) for s, p in ps])
        q = self._balances([rules.quota_account(channel or "", p, s) for s, p in ps])
        return pa.table({"sku": [s for s, _ in ps], "place": [p for _, p in ps],
                         "available": [x.available for x in b], "quota": [x.available for x in q]})

    def allot(self, channel, place, sku, quantity):
        from sanhe.core.ledger import Account, Transfer
        from sanhe.core.values import new_id
        code = rules.quota_account(channel, place, sku)
        self._ledger.open_accounts([Account(code, rules.unit_of(sku), floor=0)])
        self._ledger.transfer([Transfer(new_id(), rules.on_hand_account(place, sku), code, quantity, "quota", "q", self._tx.clock.now())])

    def discrepancies(self) -> pa.Table:
        """Positions whose net lies below what is on hand, as `positions` gives them.

        An outside system counted below zero, sold what was not there, or sold what was reserved
        for someone else; a count settles it.
        """
        import pyarrow.compute as pc

        table = self.positions()
        return table.filter(pc.not_equal(table.column("discrepancy"), 0))

    def lots(self) -> pa.Table:
        """What is left of each expiry, first expired first out: sku, place, expires (the last
        day of sale), quantity > 0; see `lots.remaining_lots`.

        Of SKU × place whose counts or receipts name an expiry, and of them what came without one
        is missing: the quantities sum to no more than the stock on hand.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        events = store.read_lot_events(self._tx)
        names = events.group_by(["pair", "sku", "place", "net"], use_threads=False).aggregate([])
        days = {
            name: events.column(name).cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
            for name in ("day", "expires")
        }
        left = remaining_lots(
            LotEvents(
                pair=np.asarray(events.column("pair"), np.int64),
                day=np.asarray(days["day"]),
                expires=np.asarray(days["expires"].fill_null(UNDATED)),
                quantity=np.asarray(events.column("quantity"), np.int64),
            ),
            net=np.asarray(names.column("net"), np.int64),
        )
        of = names.take(pa.array(left.pair))
        dated = pa.array(left.expires < UNDATED)
        expires = pc.if_else(dated, left.expires, None).cast(pa.int32()).cast(pa.date32())
        columns = {"sku": of.column("sku"), "place": of.column("place"), "expires": expires}
        return pa.table({**columns, "quantity": left.quantity}).filter(dated)

    def card(self, sku: str, place: str) -> pa.Table:
        """The stock card (库存台账) of one SKU × place: every current fact in time with event_at,
        day, type, reason, source, external_id, lot, quantity (as stated), amount (its entry) and
        net (after it)."""
        return store.read_card(self._tx, sku, place)

    def verify(self) -> int:
        """Check that entries, positions and ledger agree; returns the positions checked.

        Raises Tampered naming the first SKU × place that does not.
        """
        rows = store.read_sums(self._tx).to_pylist()
        names = [(row["place"], row["sku"]) for row in rows]
        on_hand = self._balances([rules.on_hand_account(*name) for name in names])
        aside = self._balances([rules.discrepancy_account(*name) for name in names])
        for row, here, there in zip(rows, on_hand, aside, strict=True):
            there = Balance(there.posted + self._balances([rules.committed_account(row['place'], row['sku'])])[0].posted, 0, 0)
            if not row["net"] == row["entries"] == here.posted + there.posted:
                raise Tampered(
                    f"stock of {row['sku']} at {row['place']}: position {row['net']}, entries "
                    f"{row['entries']}, ledger {here.posted + there.posted}: compare a backup"
                )
        return len(rows)

    def _balances(self, codes: list[str]) -> list[Balance]:
        found = self._ledger.balances(codes)
        return [found.get(code, NOTHING) for code in codes]
