"""The stock: positions per SKU × place on the ledger, derived from dated facts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from sanhe.core.errors import BadInput, NotFound, Tampered
from sanhe.core.facts import lock, types_of
from sanhe.core.ledger import Account, Balance, Ledger, Transfer
from sanhe.core.storage import Transaction
from sanhe.core.values import derived_id, new_id
from sanhe.goods.stock import rules, store
from sanhe.goods.stock.claims import Claim, keep_of, transfers_of
from sanhe.goods.stock.follow import NOTHING, follow, settle
from sanhe.goods.stock.lots import UNDATED, LotEvents, remaining_lots

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Short:
    """`quantity` > 0 base units of an SKU are missing at a place: sold although they were not
    there, or were promised to somebody else.

    `reservations` are the ids of those that are left without stock, the last one first: they are
    to be offered something else.
    """

    sku: str
    place: str
    quantity: int
    reservations: tuple[UUID, ...]


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
        committed, quota, discrepancy, net, known_since, counted_at.

        `pairs` are (sku, place); None = all. An SKU × place that was never counted is missing:
        its stock is unknown. on_hand >= 0 lies there, and net = on_hand + discrepancy. `reserved`
        is the part of on_hand that is promised: held by pending transfers, or `committed`, sold
        and not handed over yet. `quota` is the part of on_hand set aside for channels.
        """
        import pyarrow as pa

        wanted = _wanted(pairs)
        table = store.read_positions(self._tx, wanted)
        places, skus = table.column("place").to_pylist(), table.column("sku").to_pylist()
        books = self._books(list(zip(places, skus, strict=True)), wanted)

        def column(amount: Callable[[_Books], int]) -> pa.Array:
            return pa.array([amount(book) for book in books], pa.int64())

        columns = {
            "sku": table.column("sku"),
            "place": table.column("place"),
            "on_hand": column(lambda book: book.lies),
            "reserved": column(lambda book: book.promised),
            "committed": column(lambda book: book.committed.posted),
            "quota": column(lambda book: book.quota.posted),
            "discrepancy": column(lambda book: book.aside.posted),
            "net": column(lambda book: book.net),
            "known_since": table.column("known_since"),
            "counted_at": table.column("counted_at"),
        }
        return pa.table(columns)

    def available(
        self, pairs: Collection[tuple[str, str]], *, channel: str | None = None
    ) -> pa.Table:
        """What can be promised now (可承诺量) of these (sku, place): sku, place, available, quota.

        `available` is open to every channel, `quota` what `channel` has left of its own. A safety
        stock is not taken off: it is told where it is reserved. An SKU × place that was never
        counted is missing.
        """
        import pyarrow as pa

        table = store.read_positions(self._tx, _wanted(pairs))
        places, skus = table.column("place").to_pylist(), table.column("sku").to_pylist()
        names = list(zip(places, skus, strict=True))
        codes = [rules.on_hand_account(*name) for name in names]
        own = [] if channel is None else [rules.quota_account(channel, *name) for name in names]
        found = self._ledger.balances([*codes, *own])
        quotas = own or [""] * len(names)
        columns = {"sku": table.column("sku"), "place": table.column("place")}
        for name, asked in (("available", codes), ("quota", quotas)):
            amounts = [found.get(code, NOTHING).available for code in asked]
            columns[name] = pa.array(amounts, pa.int64())
        return pa.table(columns)

    def allot(self, channel: str, place: str, sku: str, *, quantity: int) -> None:
        """Set base units of the open stock aside for a channel, on top of what it has there.

        Raises NotFound where the SKU was never counted, Shortage for more than is available,
        BadInput for no channel or less than 1.
        """
        if not channel:
            raise BadInput("a quota needs a channel", place="quota")
        lock(self._tx, "goods.stock")
        here, quota = rules.on_hand_account(place, sku), rules.quota_account(channel, place, sku)
        if here not in self._ledger.balances([here]):
            raise NotFound(f"{sku} at {place} was never counted: count it before setting it aside")
        self._ledger.open_accounts([Account(quota, rules.unit_of(sku), floor=0)])
        store.save_quota(self._tx, place, sku, channel=channel)
        self._move(here, quota, quantity, channel=channel)

    def give_back(self, channel: str, place: str, sku: str, *, quantity: int | None = None) -> int:
        """Give base units of a channel's quota back to the open stock: all that are not reserved,
        or `quantity` of them; returns how many.

        Raises NotFound where the channel has no quota, Shortage for more than is left of it.
        """
        lock(self._tx, "goods.stock")
        quota = rules.quota_account(channel, place, sku)
        left = self._ledger.balances([quota], lock=True).get(quota)
        if left is None:
            raise NotFound(f"{channel} has no quota of {sku} at {place}")
        amount = left.available if quantity is None else quantity
        if quantity is not None or amount:
            self._move(quota, rules.on_hand_account(place, sku), amount, channel=channel)
        return amount

    def claim(self, claims: Sequence[Claim], *, expires_at: datetime | None) -> tuple[UUID, ...]:
        """Reserve all of these, or none; returns the pending transfers that hold them.

        They end at `expires_at`, unless `Ledger.post_all` commits (payment) or `void_all` frees
        them before. Raises Shortage naming the account that can't bear it, NotFound for an SKU
        that was never counted at the place, Conflict for a claim known with other content.
        """
        (transfers,) = transfers_of(self._ledger, [claims])
        self._ledger.reserve_all(transfers, expires_at=expires_at, keep=keep_of(claims))
        return tuple(transfer.id for transfer in transfers)

    def claim_each(
        self, groups: Sequence[Sequence[Claim]], *, expires_at: datetime | None
    ) -> list[tuple[UUID, ...] | None]:
        """`claim` for one group after the other, all in one go; None for one that falls short."""
        transfers = transfers_of(self._ledger, groups)
        keep = keep_of(claim for group in groups for claim in group)
        granted = self._ledger.reserve_each(transfers, expires_at=expires_at, keep=keep)
        return [
            tuple(transfer.id for transfer in group) if yes else None
            for group, yes in zip(transfers, granted, strict=True)
        ]

    def uncommit(self, claims: Sequence[Claim]) -> None:
        """Give what these claims have committed back to the open stock, once.

        For an order that is cancelled after payment; and for one that leaves: between appending
        its sale as a fact and following it, as the fact takes it out of the open stock. It waits
        its turn as following does, so nothing else of the stock may come before it in the
        transaction. Raises Shortage for what is not committed.
        """
        lock(self._tx, "goods.stock")
        self._ledger.transfer(
            [
                Transfer(
                    id=derived_id("stock.uncommit", str(claim.id)),
                    source=claim.committed,
                    target=claim.on_hand,
                    amount=claim.quantity,
                    reason="order",
                    reference=claim.reference,
                    effective_at=claim.at,
                )
                for claim in claims
            ]
        )

    def release(self, holds: Sequence[UUID], pairs: Collection[tuple[str, str]]) -> None:
        """Void what pending transfers hold of these (sku, place): it is open to others again.

        Where more is promised than lies there, it fills what is missing first, see `settle`.
        """
        short = self._is_short(pairs)
        if short:
            lock(self._tx, "goods.stock")
        self._ledger.void_all(holds)
        if short:
            settle(self._tx, self._ledger, pairs)

    def settle(self, pairs: Collection[tuple[str, str]]) -> None:
        """Let what is free fill what is missing of these (sku, place): after a promise was let go.

        While more is promised than lies there, the books hold the promises and the difference is
        a discrepancy; without this a promise given up would be sold to others, though it is not
        there. Waits its turn as following does.
        """
        if self._is_short(pairs):
            lock(self._tx, "goods.stock")
            settle(self._tx, self._ledger, pairs)

    def _is_short(self, pairs: Collection[tuple[str, str]]) -> bool:
        missing = [rules.discrepancy_account(place, sku) for sku, place in pairs]
        return any(balance.posted for balance in self._ledger.balances(missing).values())

    def _move(self, source: str, target: str, amount: int, *, channel: str) -> None:
        moment = self._tx.clock.now()
        self._ledger.transfer(
            [Transfer(new_id(), source, target, amount, "quota", channel, moment)]
        )

    def discrepancies(self) -> pa.Table:
        """Positions whose net lies below what is on hand, as `positions` gives them.

        An outside system counted below zero, sold what was not there, or sold what was reserved
        for someone else; a count settles it.
        """
        import pyarrow.compute as pc

        table = self.positions()
        return table.filter(pc.not_equal(table.column("discrepancy"), 0))

    def shorts(self, pairs: Collection[tuple[str, str]]) -> list[Short]:
        """What is missing of these (sku, place), with the reservations that it leaves without
        stock; see `rules.losing`."""
        import pyarrow.compute as pc

        table = self.positions(pairs)
        rows = table.filter(pc.less(table.column("discrepancy"), 0)).to_pylist()
        if not rows:
            return []
        names = [(row["sku"], row["place"]) for row in rows]
        accounts = {rules.on_hand_account(place, sku): (sku, place) for sku, place in names}
        for place, sku, channel in store.read_quotas(self._tx, _wanted(names)):
            accounts[rules.quota_account(channel, place, sku)] = (sku, place)
        held: dict[tuple[str, str], list[tuple[UUID, int]]] = {name: [] for name in names}
        for hold in self._ledger.holds(accounts):
            held[accounts[hold.source]].append((hold.transfer, hold.amount))
        return [
            Short(*name, -row["discrepancy"], rules.losing(held[name], -row["discrepancy"]))
            for name, row in zip(names, rows, strict=True)
        ]

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
        books = self._books([(row["place"], row["sku"]) for row in rows], None)
        for row, book in zip(rows, books, strict=True):
            if not row["net"] == row["entries"] == book.net:
                raise Tampered(
                    f"stock of {row['sku']} at {row['place']}: position {row['net']}, entries "
                    f"{row['entries']}, ledger {book.net}: compare a backup"
                )
        return len(rows)

    def _books(
        self, names: list[tuple[str, str]], wanted: tuple[list[str], list[str]] | None
    ) -> list[_Books]:
        """What the ledger holds of each (place, sku)."""
        quotas: dict[tuple[str, str], list[str]] = {}
        for place, sku, channel in store.read_quotas(self._tx, wanted):
            codes = quotas.setdefault((place, sku), [])
            codes.append(rules.quota_account(channel, place, sku))
        kinds = (rules.on_hand_account, rules.committed_account, rules.discrepancy_account)
        own = [code for codes in quotas.values() for code in codes]
        found = self._ledger.balances([*(kind(*name) for kind in kinds for name in names), *own])
        return [
            _Books(
                found.get(rules.on_hand_account(*name), NOTHING),
                found.get(rules.committed_account(*name), NOTHING),
                found.get(rules.discrepancy_account(*name), NOTHING),
                _sum([found[code] for code in quotas.get(name, ())]),
            )
            for name in names
        ]


def _wanted(pairs: Collection[tuple[str, str]] | None) -> tuple[list[str], list[str]] | None:
    """Pairs as a list of SKUs and one of places."""
    if pairs is None:
        return None
    ordered = sorted(pairs)
    return [sku for sku, _ in ordered], [place for _, place in ordered]


def _sum(balances: Sequence[Balance]) -> Balance:
    return Balance(
        sum(balance.posted for balance in balances),
        sum(balance.pending_out for balance in balances),
        sum(balance.pending_in for balance in balances),
    )


@dataclass(frozen=True, slots=True)
class _Books:
    """What the ledger holds of an SKU × place; `quota` of all channels."""

    on_hand: Balance
    committed: Balance
    aside: Balance
    quota: Balance

    @property
    def lies(self) -> int:
        """What lies there."""
        return self.on_hand.posted + self.committed.posted + self.quota.posted

    @property
    def promised(self) -> int:
        """What of it is reserved, or sold and not handed over."""
        return self.on_hand.pending_out + self.quota.pending_out + self.committed.posted

    @property
    def net(self) -> int:
        """What the facts say."""
        return self.lies + self.aside.posted
