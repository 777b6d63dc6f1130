"""The façade: orders of every channel within one transaction, their stock and their money."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict, NotFound, SanheError, Shortage
from sanhe.core.jobs import Outbox
from sanhe.core.ledger import Ledger
from sanhe.core.storage import Transaction
from sanhe.core.values import Json, derived_id
from sanhe.goods.stock import Claim, Stock
from sanhe.place.orders import instead, placing, reading, rules, store
from sanhe.place.orders.basket import Basket
from sanhe.place.orders.benefits import Benefits
from sanhe.place.orders.choose import Piece, Sourcing
from sanhe.place.orders.instead import Choice, Instead
from sanhe.place.orders.money import Books
from sanhe.place.orders.placing import Draft, Placed, Placing, Quote
from sanhe.place.orders.ports import PaymentNotice
from sanhe.place.orders.quoting import Quoting
from sanhe.place.orders.reading import Order, Sold, Wanted
from sanhe.place.orders.recipients import Recipients
from sanhe.place.orders.rules import Outcome, State

REFUND_TOPIC: Final = "refund"
"""The outbox topic on which refunds leave for their provider."""
MOST_COUNTED: Final = 10_000
ANY: Final = Wanted()
NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})
_TRIES: Final = 3
_ROUNDS: Final = 2


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a payment: taken, or the refund that gives it back."""

    order: UUID
    outcome: Outcome
    refund: UUID | None


class Orders:
    """Orders (订单): one of each for every channel, exact in stock and money.

    Stock is held by pending transfers on the ledger from the moment an order is placed, posted
    when it is paid, voided when its time, `hold`, is over.
    """

    def __init__(
        self,
        tx: Transaction,
        *,
        ledger: Ledger,
        stock: Stock,
        benefits: Benefits,
        outbox: Outbox,
        recipients: Recipients,
        currency: str = "CNY",
        hold: timedelta = timedelta(minutes=15),
    ) -> None:
        self._tx, self._ledger, self._stock, self._benefits = tx, ledger, stock, benefits
        self._outbox, self._recipients, self._hold = outbox, recipients, hold
        self._quoting = Quoting(tx, benefits, currency=currency, hold=hold)

    def quote(self, basket: Basket, sourcing: Sourcing, *, at: datetime | None = None) -> Quote:
        """What the basket costs, now or by the prices of `at`, and where it would come from.

        Raises BadInput naming the field, Shortage when no place can give it, or the member has
        fewer points or less stored value than they want to pay with. A coupon that does not count
        is among `refused`.
        """
        return self._quoting.quote(basket, sourcing, at=at)

    def place(self, asked: Placing, sourcing: Sourcing) -> Placed:
        """Order a basket: all of its stock is held, or nothing is.

        Raises what `quote` does, Conflict when it costs something else by now, Shortage when
        the stock went to others meanwhile, also after choosing other places.
        """
        with self._tx.connection.begin_nested():
            draft, holds = self._claim(asked, sourcing)
            return self._write([(draft, [*holds, *self._benefits.hold(draft)])])[0]

    def place_each(self, asked: Sequence[Placing], sourcing: Sourcing) -> list[Placed | SanheError]:
        """Order many baskets, each whole or not at all, first come first served.

        The outcomes in the given order: what was placed, or why it was not. Leaves the same rows
        as `place` for each, in few statements. What leaves nothing to be kept at a place
        (`Plan.keep`) is served before what does.
        """
        outcomes: list[Placed | SanheError] = [placing.sold_out(one.basket) for one in asked]
        left = list(range(len(asked)))
        for _ in range(_ROUNDS):
            tried = self._quoting.drafts([asked[at] for at in left], sourcing)
            drafts: dict[int, Draft] = {}
            for at, outcome in zip(left, tried, strict=True):
                if isinstance(outcome, Draft):
                    drafts[at] = outcome
                else:
                    outcomes[at] = outcome
            found = self._claimed(drafts)
            held = {}
            for at, holding in found.items():
                try:
                    held[at] = drafts[at], [*holding, *self._held(drafts[at])]
                except SanheError as error:
                    self._ledger.void_all(holding)
                    outcomes[at] = error
            for at, placed in zip(held, self._write(list(held.values())), strict=True):
                outcomes[at] = placed
            # Who was refused may find it at another place.
            left = [at for at in drafts if at not in found]
        return outcomes

    def _held(self, draft: Draft) -> list[UUID]:
        """What an order holds beside stock: all of it, or nothing where a later part is short."""
        quote = draft.quote
        if not (quote.uses or quote.tenders.points or quote.tenders.stored_cents):
            return []
        with self._tx.connection.begin_nested():
            return self._benefits.hold(draft)

    def settle(self, notice: PaymentNotice) -> Settled:
        """Take a payment, or give it back whole; see `rules` for the reasons.

        The same payment again changes nothing and has the same outcome. Raises NotFound for an
        order that is not known, Conflict when the same payment is told with other content.
        """
        if notice.amount_cents < 1:
            raise BadInput(f"{notice.amount_cents} cents are no payment", place="amount_cents")
        order = self.lock(notice.order)
        known = store.known_payment(self._tx, notice.provider, notice.reference)
        if known is not None:
            told = (notice.order, notice.amount_cents, notice.currency)
            if (known["order_id"], known["amount_cents"], known["currency"]) != told:
                raise Conflict(f"payment {notice.reference} was told before, of other content")
            return _settled(notice, Outcome(known["outcome"]))
        due = rules.Due(order.state, order.tenders.money_cents, order.currency, order.expires_at)
        outcome = rules.outcome_of(
            due,
            amount_cents=notice.amount_cents,
            currency=notice.currency,
            now=self._tx.clock.now(),
        )
        settled = _settled(notice, outcome)
        if outcome is Outcome.LATE and order.state is State.PLACED:
            self._let_go([order], State.EXPIRED, reason="its time was over")
        if outcome is Outcome.TAKEN:
            self._pay([order])
        store.insert_payment(self._tx, notice, outcome=outcome.value)
        self._books(order).receive(notice.provider, notice.reference, notice.amount_cents)
        kind = "paid" if outcome is Outcome.TAKEN else "payment_refused"
        details = {"provider": notice.provider, "amount_cents": notice.amount_cents}
        store.add_event(self._tx, order.id, kind, details={**details, "outcome": outcome.value})
        if settled.refund is not None:
            self._ask_refund(
                settled.refund,
                order,
                paid_by=(notice.provider, notice.reference),
                amount_cents=notice.amount_cents,
                reason=outcome.value,
            )
        return settled

    def cancel(
        self, order: UUID, reason: str, *, pieces: Sequence[Piece] | None = None
    ) -> UUID | None:
        """Cancel all that was not handed over, or these pieces; the id of the refund, if any.

        Before payment only the whole: what is held is released. After it the stock is free
        again and the money goes back. An order that is cancelled or expired stays as it is.
        Raises NotFound, Conflict for more than is open.
        """
        found = self.lock(order)
        if found.state in {State.CANCELLED, State.EXPIRED}:
            return None
        if found.state is State.PLACED:
            if pieces is not None:
                raise Conflict("an order that is not paid is cancelled whole: order anew")
            self._let_go([found], State.CANCELLED, reason=reason)
            return None
        wanted = found.open_pieces if pieces is None else list(pieces)
        if not wanted:
            raise Conflict(f"order {found.number} was handed over: take it back as a return")
        found.check_open(wanted)
        self._free(found, wanted)
        worth_cents, state = self._change(found, wanted, what="cancelled", reason=reason)
        self._reward(found, state, handed_cents=0)
        if state is State.CANCELLED:
            worth_cents += found.delivery_cents
        return self._give_back(found, worth_cents, reason=reason)

    def reroute(
        self, order: UUID, piece: Piece, to: str, *, keep: Mapping[tuple[str, str], int] = NOTHING
    ) -> None:
        """Let another place give a piece of a paid order; what the shopper pays stays as it is.

        Freed here, held and committed there, all at once; `keep` are base units of (place, SKU)
        that stay free there. Raises NotFound, Conflict for an order that is not paid or more than
        is open, Shortage when the other place can't give it: then nothing has changed.
        """
        found = self.lock(order)
        if found.state is not State.PAID:
            raise Conflict(f"order {found.number} is {found.state}: nothing of it can be moved")
        if piece.place == to:
            raise Conflict(f"order {found.number}: {to} gives it already; name another place")
        found.check_open([piece])
        moves = placing.moves(found, piece, to)
        now = self._tx.clock.now()
        with self._tx.connection.begin_nested():
            self._free(found, [piece])
            claims = [
                replace(
                    placing.claim(move.part, order=order, at=now, channel=found.channel, keep=keep),
                    id=move.claim,
                )
                for move in moves
            ]
            self._ledger.post_all(self._stock.claim(claims, expires_at=None))
            store.change_parts(
                self._tx,
                [
                    {"id": part.id, "cancelled": piece.units}
                    for part in found.parts_at(piece.line, piece.place)
                ],
            )
            store.insert_parts(self._tx, order, [placing.part_row(move.part) for move in moves])
            store.add_event(self._tx, order, "moved", details={**asdict(piece), "to": to})

    def choices(self, order: UUID, piece: Piece) -> list[Choice]:
        """What its place could give instead of a piece; see `substitute` for what is raised."""
        found = self.get(order)
        instead.check_may(found, piece)
        sku, now = found.line(piece.line).sku, self._tx.clock.now()
        selling = self._benefits.selling_like(sku, piece.place, at=now)
        pairs = {(one, piece.place) for one in selling}
        rows = self._stock.available(pairs, channel=found.channel).to_pylist()
        return instead.choices(sku, selling, {row["sku"]: row["available"] for row in rows})

    def substitute(self, order: UUID, piece: Piece, given: Instead) -> tuple[int, UUID | None]:
        """Give something like it instead of a piece of a paid order, from the same place (换货).

        It is a line of its own, and never costs more than what it stands in for; what it costs
        less goes back. Its number, and the refund if there is any. Raises NotFound, BadInput for
        what can't stand in, Conflict for a shopper who wants nothing else, Shortage.
        """
        found = self.lock(order)
        instead.check_may(found, piece)
        line, now = found.line(piece.line), self._tx.clock.now()
        selling = self._benefits.selling([line.sku, given.sku], piece.place, at=now)
        instead.check_alike(line.sku, given.sku, selling)
        worth_cents = line.state.worth_cents(piece.units)
        new = instead.standing_in(found, given, selling, worth_cents=worth_cents)
        part = placing.part_of(order, new, piece.place)
        if not self._stock.available({(part.sku, part.place)}).num_rows:
            raise Shortage(f"{part.sku} was never counted at {part.place}: count it first")
        claim = placing.claim(part, order=order, at=now, channel=found.channel, keep=NOTHING)
        with self._tx.connection.begin_nested():
            self._ledger.post_all(self._stock.claim([claim], expires_at=None))
            store.insert_line(self._tx, order, placing.line_row(new), instead_of=line.line)
            store.insert_parts(self._tx, order, [placing.part_row(part)])
            found = self.get(order)
            self._free(found, [piece])
            self._change(found, [piece], what="cancelled", reason=f"{given.sku} instead")
            less_cents = worth_cents - new.amount_cents
            return new.line, self._give_back(found, less_cents, reason=f"{given.sku} instead")

    def take_up(self, *, limit: int) -> list[Order]:
        """Paid orders to be sent or fetched that nobody prepares yet, locked: from now on the
        caller does. Those that somebody else holds are left out."""
        return self.find(store.take_up(self._tx, limit))

    def lock(self, order: UUID) -> Order:
        """An order that nobody else changes until this transaction ends. Raises NotFound."""
        if not store.lock(self._tx, order):
            raise NotFound(f"no order {order}: look it up by its number")
        return self.get(order)

    def claiming(self, sku: str, place: str, *, limit: int = 100) -> list[UUID]:
        """Orders that still wait for an SKU from a place: who has not paid first, the last to
        come before those before."""
        return store.read_claiming(self._tx, sku, place, limit=limit)

    def note(self, order: UUID, kind: str, *, details: Mapping[str, Json] = NOTHING) -> None:
        """Add to an order's timeline what became of it elsewhere: picked, sent, fetched."""
        store.add_event(self._tx, order, kind, details=details)

    def hand_over(self, order: UUID, pieces: Sequence[Piece] | None = None) -> State:
        """Say that goods left for the shopper: all that is open, or these pieces of it.

        Raises NotFound, Conflict for an order that is not paid or more than is open.
        """
        found = self.lock(order)
        if found.state is not State.PAID:
            raise Conflict(f"order {found.number} is {found.state}: it can't be handed over")
        wanted = found.open_pieces if pieces is None else list(pieces)
        found.check_open(wanted)
        worth_cents, state = self._change(found, wanted, what="handed", reason="")
        self._reward(found, state, handed_cents=worth_cents)
        if not any(line.state.handed for line in found.lines):
            worth_cents += found.delivery_cents
        self._books(found).earn(placing.cause_of(found, wanted), worth_cents)
        return state

    def take_back(self, order: UUID, units: Mapping[int, int], reason: str) -> UUID | None:
        """Give the money back for units of lines that came back; the refund's id, if any.

        Raises NotFound, Conflict for more than was handed over and did not come back yet.
        """
        found = self.lock(order)
        changes = []
        for number, count in units.items():
            state = found.line(number).state
            if not 1 <= count <= state.handed - state.returned:
                raise Conflict(
                    f"order {found.number}, line {number}: {count} can't come back of "
                    f"{state.handed} handed over and {state.returned} returned"
                )
            worth = state.return_cents(count)
            changes.append({"line": number, "returned": count, "returned_cents": worth})
        store.change_lines(self._tx, order, changes)
        told = {"units": {str(line): count for line, count in units.items()}, "reason": reason}
        store.add_event(self._tx, order, "returned", details=told)
        before = ",".join(f"{n}:{found.line(n).state.returned}+{units[n]}" for n in sorted(units))
        worth_cents = sum(int(change["returned_cents"]) for change in changes)
        self._books(found).unearn(before, worth_cents)
        if found.state is State.COMPLETE:
            kept_cents = found.kept_cents - worth_cents
            self._benefits.keep_less(found, kept_cents, at=self._tx.clock.now())
        return self._give_back(found, worth_cents, reason=reason)

    def expire(self, *, limit: int = 500) -> list[UUID]:
        """Let go of unpaid orders whose time is over; their ids. Again until it is empty."""
        due = store.lock_due(self._tx, self._tx.clock.now(), limit)
        self._let_go(self.find(due), State.EXPIRED, reason="its time was over")
        return due

    def refunded(self, refund: UUID) -> bool:
        """Say that a provider gave the money back; False when that was said before."""
        row = store.finish_refund(self._tx, refund)
        if row is None:
            return False
        order = self.get(row["order_id"])
        self._books(order).pay_back(refund, row["provider"], row["amount_cents"])
        details = {"amount_cents": row["amount_cents"]}
        store.add_event(self._tx, order.id, "refunded", details=details)
        return True

    def untold(self, *, limit: int) -> list[Sold]:
        """What left places and was not told as facts of sale yet, locked until the commit."""
        return reading.sold_of(store.lock_untold(self._tx, limit))

    def told(self, sold: Sequence[Sold]) -> None:
        """Say that these are told as facts; their stock is no longer committed.

        It lies on hand again, for the facts to take it out in the same transaction.
        """
        self._stock.uncommit(
            [
                Claim(
                    id=derived_id("order.told", one.id),
                    sku=one.sku,
                    place=one.place,
                    quantity=one.quantity,
                    at=one.at,
                    reference=f"order/{one.order}",
                )
                for one in sold
            ]
        )
        store.mark_told(self._tx, sorted({one.handover for one in sold}))

    def get(self, order: UUID) -> Order:
        """One order. Raises NotFound."""
        found = self.find([order])
        if not found:
            raise NotFound(f"no order {order}: look it up by its number")
        return found[0]

    def find(self, orders: Collection[UUID]) -> list[Order]:
        """These orders, in the given order; unknown ones are missing."""
        wanted = list(orders)
        return reading.orders_of(store.read(self._tx, wanted), wanted)

    def page(
        self, wanted: Wanted = ANY, *, offset: int = 0, limit: int = 50
    ) -> tuple[list[Order], int]:
        """Some orders, the newest first, and how many there are, counted up to 10,000."""
        if wanted.places is None:  # the scope bounds it anyhow; named, an index finds its orders
            wanted = replace(wanted, places=self._tx.scope.places)
        ids, total = store.page(self._tx, wanted, offset=offset, limit=limit, most=MOST_COUNTED)
        return self.find(ids), total

    def timeline(self, order: UUID) -> list[reading.OrderEvent]:
        """What happened to an order, in order."""
        return [reading.OrderEvent(**row) for row in store.read_events(self._tx, order)]

    def payments(self, order: UUID) -> list[reading.Payment]:
        """The payments told for an order, each with its outcome."""
        rows = store.read_payments(self._tx, order)
        return [reading.Payment(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows]

    def refunds(self, order: UUID) -> list[reading.AskedRefund]:
        """The refunds asked for an order."""
        return [reading.AskedRefund(**row) for row in store.read_refunds(self._tx, order)]

    def _claim(self, asked: Placing, sourcing: Sourcing) -> tuple[Draft, Sequence[UUID]]:
        """An order as it can be, and what holds its stock; other places are tried as well."""
        for tries in range(1, _TRIES + 1):
            # The last try is without gifts: nobody is sent away for a gift that went to others.
            draft = self._quoting.draft(asked, sourcing, gifts=tries < _TRIES)
            try:
                return draft, self._stock.claim(draft.claims, expires_at=draft.expires_at)
            except Shortage as error:
                if tries == _TRIES:
                    raise placing.sold_out(asked.basket) from error
        raise AssertionError("the last try returns or raises")

    def _claimed(self, drafts: Mapping[int, Draft]) -> dict[int, Sequence[UUID]]:
        """What holds the stock of those for which there is enough.

        What stays of an account is one figure for all claims of a call, so those that leave some
        of it are a call of their own.
        """
        until = self._tx.clock.now() + self._hold
        found: dict[int, Sequence[UUID]] = {}
        for keeps in (False, True):
            some = {at: one for at, one in drafts.items() if bool(one.quote.plan.keep) is keeps}
            claims = [draft.claims for draft in some.values()]
            holds = self._stock.claim_each(claims, expires_at=until) if claims else []
            claimed = zip(some, holds, strict=True)
            found.update({at: holding for at, holding in claimed if holding is not None})
        return dict(sorted(found.items()))

    def _write(self, drafts: Sequence[tuple[Draft, Sequence[UUID]]]) -> list[Placed]:
        """Write orders with what holds their stock."""
        if not drafts:
            return []
        sealed = self._recipients.sealed([draft for draft, _ in drafts])
        rows = [{**draft.row(holds), "recipient": sealed.get(draft.id)} for draft, holds in drafts]
        numbers = store.insert(self._tx, rows)
        paid = [draft.id for draft, _ in drafts if draft.state is State.PAID]
        if paid:
            self._pay(self.find(paid))
        return [draft.placed(numbers[draft.id]) for draft, _ in drafts]

    def _pay(self, orders: Sequence[Order]) -> None:
        """Count orders as paid: what is held is used, points and stored value are received."""
        self._ledger.post_all([hold for order in orders for hold in order.holds])
        store.set_paid(self._tx, [order.id for order in orders])
        for order in orders:
            paid = {"points": order.points_cents, "stored": order.stored_cents}
            for name, cents in paid.items():
                self._books(order).receive(name, str(order.id), cents)

    def _reward(self, before: Order, state: State, *, handed_cents: int) -> None:
        """Reward the member once the order is complete, for what they had and what they get now."""
        if state is State.COMPLETE:
            self._benefits.complete(
                before,
                handed_cents=before.handed_cents + handed_cents,
                kept_cents=before.kept_cents + handed_cents,
                at=self._tx.clock.now(),
            )

    def _books(self, order: Order) -> Books:
        return Books(self._ledger, order.id, order.place, order.currency, self._tx.clock.now())

    def _let_go(self, orders: Sequence[Order], state: State, *, reason: str) -> None:
        """Release the stock of unpaid orders and close them."""
        if not orders:
            return
        pairs = {(part.sku, part.place) for order in orders for part in order.parts}
        self._stock.release([hold for order in orders for hold in order.holds], pairs)
        for order in orders:
            pieces = order.open_pieces
            self._change(order, pieces, what="cancelled", reason=reason, closed_as=state)

    def _free(self, order: Order, pieces: Sequence[Piece]) -> None:
        """Give the committed stock of paid pieces back to the open stock.

        Where more was promised than lies there, it fills what is missing first.
        """
        now = self._tx.clock.now()
        freed = [
            placing.freed(part, piece.units, order=order.id, at=now)
            for piece in pieces
            for part in order.parts_at(piece.line, piece.place)
        ]
        self._stock.uncommit(freed)
        self._stock.settle({(claim.sku, claim.place) for claim in freed})

    def _change(
        self,
        order: Order,
        pieces: Sequence[Piece],
        *,
        what: str,
        reason: str,
        closed_as: State | None = None,
    ) -> tuple[int, State]:
        """Count pieces as handed or cancelled: what they are worth, and where the order stands."""
        states = {line.line: line.state for line in order.lines}
        lines, handovers, sum_cents = [], [], 0
        for piece in pieces:
            state = states[piece.line]
            worth_cents = state.worth_cents(piece.units)
            sum_cents += worth_cents
            change = {what: piece.units}
            if what == "handed":
                change["handed_cents"] = worth_cents
                handovers.append({**asdict(piece), "amount_cents": worth_cents})
            lines.append({"line": piece.line, **change})
            added = {name: getattr(state, name) + count for name, count in change.items()}
            states[piece.line] = replace(state, **added)
        store.change_lines(self._tx, order.id, lines)
        store.change_parts(
            self._tx,
            [
                {"id": part.id, what: piece.units}
                for piece in pieces
                for part in order.parts_at(piece.line, piece.place)
            ],
        )
        if handovers:
            store.insert_handovers(self._tx, order.id, handovers)
        after = closed_as or order.state_with(states)
        if after is not order.state:
            closed_at = None if after in {State.PLACED, State.PAID} else self._tx.clock.now()
            store.set_state(self._tx, order.id, after.value, closed_at=closed_at)
        kind = "handed_over" if what == "handed" else what
        details = {"pieces": [asdict(piece) for piece in pieces], "reason": reason}
        store.add_event(self._tx, order.id, kind, details=details)
        return sum_cents, after

    def _give_back(self, order: Order, amount_cents: int, *, reason: str) -> UUID | None:
        """Give this much of what was paid back, by each tender's share; the refund of money.

        Once nothing of the order is left, its coupons and budgets come back as well.
        """
        now, step = self._tx.clock.now(), f"{order.refund_cents}+{amount_cents}"
        if order.uses and all(line.state.is_undone for line in self.get(order.id).lines):
            self._benefits.undo(order, at=now)
        if amount_cents == 0:
            return None
        store.give_back(self._tx, order.id, amount_cents)
        after = order.refund_cents + amount_cents
        back = order.tenders.share(after) - order.tenders.share(order.refund_cents)
        self._benefits.give_back(order, back, at=now)
        for name, cents in (("points", back.points_cents), ("stored", back.stored_cents)):
            refund = derived_id("order.refund", name, str(order.id), step)
            self._books(order).pay_back(refund, name, cents)
        if back.points_cents or back.stored_cents:
            store.add_event(self._tx, order.id, "given_back", details=asdict(back))
        paid = store.taken_payment(self._tx, order.id)
        if back.money_cents == 0 or paid is None:
            return None
        by = (paid["provider"], paid["reference"])
        refund = derived_id("order.refund", *by, step)
        amount_cents = back.money_cents
        self._ask_refund(refund, order, paid_by=by, amount_cents=amount_cents, reason=reason)
        return refund

    def _ask_refund(
        self,
        refund: UUID,
        order: Order,
        *,
        paid_by: tuple[str, str],
        amount_cents: int,
        reason: str,
    ) -> None:
        provider, reference = paid_by
        asked: dict[str, Json] = {
            "id": str(refund),
            "order": str(order.id),
            "provider": provider,
            "reference": reference,
            "amount_cents": amount_cents,
            "currency": order.currency,
            "reason": reason,
        }
        store.insert_refund(self._tx, asked)
        self._outbox.put(REFUND_TOPIC, str(refund), asked)


def _settled(notice: PaymentNotice, outcome: Outcome) -> Settled:
    """The refund of a payment that is not taken has the id that belongs to the payment."""
    if outcome is Outcome.TAKEN:
        return Settled(notice.order, outcome, None)
    refund = derived_id("order.refund", notice.provider, notice.reference, "whole")
    return Settled(notice.order, outcome, refund)
