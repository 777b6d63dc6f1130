"""One suite for both ledgers: in PostgreSQL and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Conflict, NotFound, SanheError, Shortage
from sanhe.core.ledger import (
    ACCOUNT_SCHEMA,
    TRANSFER_SCHEMA,
    Account,
    Balance,
    Ledger,
    MemoryLedger,
    PostgresLedger,
    Transfer,
)
from sanhe.core.storage import Database
from sanhe.core.values import derived_id

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)
SHELF, WORLD, CART = "stock.on_hand/S001/A", "stock.world/A", "stock.promised/S001/A"
Work = Callable[[], AbstractContextManager[Ledger]]


@pytest.fixture(params=["memory", "postgres"])
def work(request: pytest.FixtureRequest, clock: FixedClock) -> Work:
    """Opens a unit of work on one ledger: a transaction, or nothing special in memory."""
    if request.param == "memory":
        memory = MemoryLedger(clock, actor="planner")

        @contextmanager
        def in_memory() -> Iterator[Ledger]:
            yield memory

        return in_memory
    database: Database = request.getfixturevalue("database")

    @contextmanager
    def in_postgres() -> Iterator[Ledger]:
        with database.transaction(actor="planner") as tx:
            yield PostgresLedger(tx)

    return in_postgres


def move(name: str, source: str, target: str, *, amount: int) -> Transfer:
    return Transfer(
        id=derived_id("test", name),
        source=source,
        target=target,
        amount=amount,
        reason="receipt",
        reference=f"order {name}",
        effective_at=NOON,
    )


@pytest.fixture
def stocked(work: Work) -> Work:
    """A ledger with ten pieces on a bounded shelf."""
    with work() as ledger:
        ledger.open_accounts(
            [
                Account(WORLD, "each:A"),
                Account(SHELF, "each:A", floor=0),
                Account(CART, "each:A", floor=0),
            ]
        )
        assert ledger.transfer([move("opening", WORLD, SHELF, amount=10)]) == 1
    return work


def shelf(work: Work) -> Balance:
    with work() as ledger:
        return ledger.balances([SHELF])[SHELF]


def test_accounts_open_once(work: Work) -> None:
    terms = [Account(SHELF, "each:A", floor=0), Account(WORLD, "each:A")]
    with work() as ledger:
        ledger.open_accounts(terms)
        ledger.open_accounts([*terms, *terms])
        assert ledger.balances([SHELF, "nowhere"]) == {SHELF: Balance(0, 0, 0)}
        for other in (Account(SHELF, "each:B", floor=0), Account(SHELF, "each:A", floor=-1)):
            with pytest.raises(Conflict, match=SHELF):
                ledger.open_accounts([Account("new", "each:A"), other])
        assert "new" not in ledger.balances(["new"])
        with pytest.raises(BadInput, match="code and a unit"):
            ledger.open_accounts([Account("", "each:A")])


def test_a_transfer_moves_once(stocked: Work) -> None:
    sale = move("sale", SHELF, WORLD, amount=3)
    with stocked() as ledger:
        assert ledger.transfer([sale]) == 1
    with stocked() as ledger:
        assert ledger.transfer([sale, sale]) == 0
        assert ledger.transfer([]) == 0
        found = ledger.balances([SHELF, WORLD])
    assert found[SHELF] == Balance(7, 0, 0)
    assert found[WORLD].posted == -7
    assert found[SHELF].available == 7


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 4},
        {"reference": "order else"},
        {"reason": "shrink"},
        {"effective_at": NOON + timedelta(microseconds=1)},
        {"target": CART},
    ],
)
def test_a_known_id_with_other_content_is_refused(stocked: Work, other: dict[str, Any]) -> None:
    sale = move("sale", SHELF, WORLD, amount=3)
    with stocked() as ledger:
        ledger.transfer([sale])
        with pytest.raises(Conflict, match=str(sale.id)):
            ledger.transfer([move("more", SHELF, WORLD, amount=1), replace(sale, **other)])
        with pytest.raises(Conflict, match=str(sale.id)):
            ledger.reserve(sale)
    assert shelf(stocked) == Balance(7, 0, 0)


def test_a_floor_holds_for_the_whole_call(stocked: Work) -> None:
    with stocked() as ledger:
        with pytest.raises(Shortage, match="10 available"):
            ledger.transfer([move("a", SHELF, WORLD, amount=6), move("b", SHELF, WORLD, amount=5)])
        assert ledger.balances([SHELF])[SHELF].posted == 10
        both = [move("out", SHELF, CART, amount=12), move("in", WORLD, SHELF, amount=5)]
        assert ledger.transfer(both) == 2
    assert shelf(stocked).posted == 3


def test_what_cannot_be_moved_is_named(stocked: Work) -> None:
    with stocked() as ledger:
        ledger.open_accounts([Account("cash", "CNY")])
        with pytest.raises(NotFound, match="nowhere"):
            ledger.transfer([move("x", SHELF, "nowhere", amount=1)])
        with pytest.raises(NotFound, match="nowhere"):
            ledger.reserve(move("x", "nowhere", SHELF, amount=1))
        for attempt in (ledger.reserve, lambda t: ledger.transfer([t])):
            with pytest.raises(BadInput, match="CNY"):
                attempt(move("x", SHELF, "cash", amount=1))
            with pytest.raises(BadInput, match="below 1"):
                attempt(move("x", SHELF, WORLD, amount=0))
            with pytest.raises(BadInput, match="64 bits"):
                attempt(move("x", WORLD, SHELF, amount=2**63))
            with pytest.raises(BadInput, match="source and target"):
                attempt(move("x", SHELF, SHELF, amount=1))
            with pytest.raises(BadInput, match="no time zone"):
                naive = datetime(2024, 6, 3)
                attempt(replace(move("x", SHELF, WORLD, amount=1), effective_at=naive))
    assert shelf(stocked) == Balance(10, 0, 0)


def test_a_reservation_holds_the_amount(stocked: Work) -> None:
    cart = move("cart", SHELF, CART, amount=8)
    with stocked() as ledger:
        assert ledger.reserve(cart) is True
        assert ledger.reserve(cart) is False
        with pytest.raises(Conflict):
            ledger.reserve(cart, expires_at=NOON)
        with pytest.raises(Shortage, match="2 available"):
            ledger.reserve(move("late", SHELF, CART, amount=3))
        with pytest.raises(Shortage):
            ledger.transfer([move("late", SHELF, WORLD, amount=3)])
        found = ledger.balances([SHELF, CART])
    assert found[SHELF] == Balance(10, 8, 0)
    assert found[SHELF].available == 2
    assert found[CART] == Balance(0, 0, 8)


@pytest.mark.parametrize(("asked", "moved"), [(None, 8), (8, 8), (5, 5)])
def test_a_reservation_is_posted_whole_or_in_part(
    stocked: Work, asked: int | None, moved: int
) -> None:
    cart = move("cart", SHELF, CART, amount=8)
    with stocked() as ledger:
        ledger.reserve(cart, expires_at=NOON)
        ledger.post(cart.id, amount=asked)
    with stocked() as ledger:
        ledger.post(cart.id, amount=asked)
        assert ledger.expire(NOON + timedelta(days=1)) == 0
        found = ledger.balances([SHELF, CART])
        with pytest.raises(Conflict, match="already posted"):
            ledger.void(cart.id)
        with pytest.raises(Conflict, match="already posted"):
            ledger.post(cart.id, amount=moved - 1)
        assert ledger.verify() == 6
    assert found == {SHELF: Balance(10 - moved, 0, 0), CART: Balance(moved, 0, 0)}


def test_a_voided_reservation_is_released(stocked: Work) -> None:
    cart = move("cart", SHELF, CART, amount=8)
    with stocked() as ledger:
        ledger.reserve(cart)
        ledger.void(cart.id)
        ledger.void(cart.id)
        with pytest.raises(Conflict, match="already voided"):
            ledger.post(cart.id)
        assert ledger.reserve(cart) is False
    assert shelf(stocked) == Balance(10, 0, 0)


def test_closing_needs_a_pending_transfer(stocked: Work) -> None:
    cart = move("cart", SHELF, CART, amount=8)
    with stocked() as ledger:
        for attempt in (ledger.post, ledger.void):
            with pytest.raises(NotFound, match="no pending"):
                attempt(cart.id)
            with pytest.raises(NotFound, match="no pending"):
                attempt(derived_id("test", "opening"))
        ledger.reserve(cart)
        for amount in (0, -1, 9):
            with pytest.raises(BadInput, match="reserved 8"):
                ledger.post(cart.id, amount=amount)
    assert shelf(stocked) == Balance(10, 8, 0)


def test_reservations_expire(stocked: Work, clock: FixedClock) -> None:
    soon, later = NOON + timedelta(minutes=15), NOON + timedelta(hours=2)
    with stocked() as ledger:
        ledger.reserve(move("soon", SHELF, CART, amount=1), expires_at=soon)
        ledger.reserve(move("later", SHELF, CART, amount=2), expires_at=later)
        ledger.reserve(move("never", SHELF, CART, amount=4))
        with pytest.raises(BadInput, match="no time zone"):
            ledger.reserve(
                move("naive", SHELF, CART, amount=1),
                expires_at=datetime(2024, 6, 3),
            )
    with stocked() as ledger:
        assert ledger.expire(soon - timedelta(seconds=1)) == 0
        assert ledger.expire(soon) == 1
        assert ledger.expire(soon) == 0
        assert ledger.balances([SHELF])[SHELF] == Balance(10, 6, 0)
        assert ledger.expire(later) == 1
        assert ledger.verify() == 9
    assert shelf(stocked) == Balance(10, 4, 0)


def test_many_are_reserved_all_or_none(stocked: Work) -> None:
    cart = [move("a", SHELF, CART, amount=6), move("b", SHELF, WORLD, amount=3)]
    with stocked() as ledger:
        assert ledger.reserve_all([]) == 0
        with pytest.raises(Shortage, match="10 available and would fall to -1"):
            ledger.reserve_all([*cart, move("c", SHELF, CART, amount=2)], expires_at=NOON)
        assert ledger.reserve_all([*cart, cart[0]], expires_at=NOON) == 2
        assert ledger.reserve_all(cart, expires_at=NOON) == 0
        with pytest.raises(Conflict):
            ledger.reserve_all([move("new", SHELF, CART, amount=1), *cart])
        found = ledger.balances([SHELF, CART, WORLD])
        assert ledger.verify() == 3 + 1 + 2
    assert found[SHELF] == Balance(10, 9, 0)
    assert (found[CART].pending_in, found[WORLD].pending_in) == (6, 3)
    with stocked() as ledger:
        assert ledger.expire(NOON) == 2
    assert shelf(stocked) == Balance(10, 0, 0)


def test_a_shortage_names_the_first_account_that_is_short(stocked: Work) -> None:
    other = "stock.on_hand/S001/B"
    with stocked() as ledger:
        ledger.open_accounts([Account(other, "each:A", floor=0)])
        wanted = [move("a", SHELF, CART, amount=3), move("b", other, CART, amount=2)]
        with pytest.raises(Shortage, match=f"{other} has 0 available"):
            ledger.reserve_all(wanted)
        wanted[0] = replace(wanted[0], amount=11)
        with pytest.raises(Shortage, match=f"{SHELF} has 10 available"):
            ledger.reserve_all(wanted)
        # What comes in by a pending transfer is not there yet.
        ledger.reserve_all([move("in", SHELF, other, amount=5)])
        with pytest.raises(Shortage, match=f"{other} has 0 available"):
            ledger.reserve_all([wanted[1]])


def test_what_is_kept_stays_available(stocked: Work) -> None:
    with stocked() as ledger:
        with pytest.raises(Shortage, match="would fall to 3, below the 4 that must stay"):
            ledger.reserve_all([move("a", SHELF, CART, amount=7)], keep={SHELF: 4})
        assert ledger.reserve_all([move("a", SHELF, CART, amount=6)], keep={SHELF: 4, CART: 9}) == 1
        groups = [[move(name, SHELF, CART, amount=1)] for name in "bc"]
        assert ledger.reserve_each(groups, keep={SHELF: 3}) == [True, False]
        # Known from before: done, although it would not fit any more.
        assert ledger.reserve_all([move("a", SHELF, CART, amount=6)], keep={SHELF: 4}) == 0
        # An account without a floor has one where something is kept.
        with pytest.raises(Shortage, match=f"{WORLD} has -10 available"):
            ledger.reserve_all([move("w", WORLD, SHELF, amount=1)], keep={WORLD: 0})
        for attempt in (ledger.reserve_all, lambda t, keep: ledger.reserve_each([t], keep=keep)):
            with pytest.raises(BadInput, match="below 0"):
                attempt([move("d", SHELF, CART, amount=1)], keep={SHELF: -1})
    assert shelf(stocked).available == 3


def test_each_group_is_reserved_whole_or_not_at_all(stocked: Work) -> None:
    first = [move("a", SHELF, CART, amount=4), move("b", SHELF, WORLD, amount=4)]
    large = [move("c", SHELF, CART, amount=2), move("d", SHELF, CART, amount=1)]
    small = [move("e", SHELF, CART, amount=2)]
    with stocked() as ledger:
        assert ledger.reserve_each([]) == []
        given = [first, large, [], small, [first[0]], [large[0]]]
        assert ledger.reserve_each(given) == [True, False, True, True, True, False]
        assert ledger.verify() == 3 + 1 + 3
    with stocked() as ledger:
        assert ledger.reserve_each([large, first, small]) == [False, True, True]
        ledger.void(small[0].id)
        again = [small, [large[0]], [move("f", WORLD, CART, amount=1)]]
        assert ledger.reserve_each(again) == [True, True, True]
        assert ledger.verify() == 3 + 1 + 6
    assert shelf(stocked) == Balance(10, 10, 0)


def test_a_group_that_cannot_be_lets_none_be(stocked: Work) -> None:
    good = [move("good", SHELF, CART, amount=1)]
    known = move("known", SHELF, CART, amount=1)
    wrong: list[tuple[Transfer, type[SanheError], str]] = [
        (move("x", SHELF, "nowhere", amount=1), NotFound, "nowhere"),
        (move("x", SHELF, CART, amount=0), BadInput, "below 1"),
        (move("x", SHELF, "cash", amount=1), BadInput, "CNY"),
        (replace(known, amount=2), Conflict, str(known.id)),
        (replace(good[0], amount=2), Conflict, str(good[0].id)),
        (move("opening", SHELF, CART, amount=10), Conflict, "other content"),
    ]
    with stocked() as ledger:
        ledger.open_accounts([Account("cash", "CNY")])
        ledger.reserve(known)
        for transfer, error, match in wrong:
            with pytest.raises(error, match=match):
                ledger.reserve_each([good, [transfer]])
            with pytest.raises(error, match=match):
                ledger.reserve_all([*good, transfer])
        for attempt in (ledger.reserve_all, lambda t, expires_at: ledger.reserve_each([t])):
            with pytest.raises((BadInput, Conflict)):
                attempt([known], expires_at=datetime(2024, 6, 3))
                attempt([replace(known, reason="other")], expires_at=None)
    assert shelf(stocked) == Balance(10, 1, 0)


@pytest.mark.parametrize("name", ["post_all", "void_all"])
def test_many_are_closed_all_or_none(stocked: Work, name: str) -> None:
    carts = [move(name, SHELF, CART, amount=2) for name in "abcd"]
    ids = [cart.id for cart in carts]
    other = "void" if name == "post_all" else "post"
    with stocked() as ledger:
        close = getattr(ledger, name)
        ledger.reserve_all(carts, expires_at=NOON)
        assert close([]) == 0
        with pytest.raises(NotFound, match="no pending"):
            close([*ids, derived_id("test", "opening")])
        assert close([ids[0], ids[0]]) == 1
        assert close(ids[:3]) == 2
        assert close(ids[:3]) == 0
        getattr(ledger, other)(ids[3])
        ledger.reserve_all([move("e", SHELF, CART, amount=1)])
        with pytest.raises(Conflict, match=f"{ids[3]} is already {other}"):
            close([move("e", SHELF, CART, amount=1).id, *ids])
        found = ledger.balances([SHELF, CART])
        assert ledger.verify() == 3 + 1 + 5 + 4
        assert ledger.expire(NOON) == 0
    moved = 6 if name == "post_all" else 2
    assert found == {SHELF: Balance(10 - moved, 1, 0), CART: Balance(moved, 0, 1)}


def test_accounts_are_listed_by_prefix(stocked: Work) -> None:
    with stocked() as ledger:
        ledger.reserve(move("cart", SHELF, CART, amount=8))
        found = ledger.accounts("stock.on_hand/")
        assert found.schema == ACCOUNT_SCHEMA
        assert found.to_pylist() == [
            {
                "code": SHELF,
                "unit": "each:A",
                "floor": 0,
                "posted": 10,
                "pending_out": 8,
                "pending_in": 0,
            }
        ]
        assert ledger.accounts().column("code").to_pylist() == sorted([SHELF, CART, WORLD])
        assert ledger.accounts().column("floor").to_pylist() == [0, 0, None]
        assert ledger.accounts("stock.on_han%").num_rows == 0


def many(count: int) -> pa.Table:
    return pa.table(
        {
            "id": [str(derived_id("many", str(i))) for i in range(count)],
            "source": [WORLD] * count,
            "target": [SHELF, CART] * (count // 2),
            "amount": pa.array(range(1, count + 1), pa.int64()),
            "reason": ["count"] * count,
            "reference": [f'line {i}, "quoted" 三合' for i in range(count)],
            "effective_at": pa.array([NOON] * count, pa.timestamp("us", "UTC")),
        }
    )


def test_a_table_of_transfers_moves_as_one(stocked: Work) -> None:
    table = many(500)
    rows = [Transfer(**{**row, "id": UUID(row["id"])}) for row in table.to_pylist()]
    with stocked() as ledger:
        assert ledger.transfer(rows[:100]) == 100
        assert ledger.transfer(table) == 400
        assert ledger.transfer(rows) == 0
        found = ledger.balances([SHELF, CART, WORLD])
        assert found[SHELF].posted == 10 + sum(range(1, 501, 2))
        assert found[CART].posted == sum(range(2, 501, 2))
        assert sum(balance.posted for balance in found.values()) == 0
        wrong = table.set_column(3, "amount", pa.array([7] * 500, pa.int64()))
        with pytest.raises(Conflict):
            ledger.transfer(wrong)
        with pytest.raises(BadInput, match="below 1"):
            ledger.transfer(table.set_column(3, "amount", pa.array([0] * 500, pa.int64())))
        with pytest.raises(BadInput, match="missing"):
            ledger.transfer(table.drop_columns(["reason"]))
        with pytest.raises(BadInput, match="nulls"):
            ledger.transfer(table.set_column(4, "reason", pa.array([None] * 500, pa.string())))
        assert ledger.verify() == 3 + 1 + 500
    assert table.schema == TRANSFER_SCHEMA


def test_a_bulk_shortage_takes_nothing(stocked: Work) -> None:
    count = 500
    table = many(count)
    table = table.set_column(1, "source", pa.array([SHELF] * count))
    table = table.set_column(2, "target", pa.array([WORLD] * count))
    with stocked() as ledger:
        with pytest.raises(Shortage, match=f"{SHELF} has 10 available"):
            ledger.transfer(table)
        assert ledger.transfer([move("sale", SHELF, WORLD, amount=10)]) == 1
    assert shelf(stocked) == Balance(0, 0, 0)


def test_seals_chain(stocked: Work) -> None:
    with stocked() as ledger:
        first = ledger.seal()
    assert first is not None
    assert (first.number, first.first_entry) == (1, 1)
    with stocked() as ledger:
        assert ledger.seal() is None
        ledger.reserve(move("cart", SHELF, CART, amount=8))
    with stocked() as ledger:
        second = ledger.seal()
        assert second is not None
        assert second.number == 2
        assert second.first_entry == first.last_entry + 1
        assert second.root != first.root
        assert ledger.verify() == 5


class Model:
    """The ledger's books kept by plain arithmetic: what both ledgers must agree with."""

    def __init__(self) -> None:
        self.posted = {"world": 0, "a": 0, "b": 0}
        self.held: dict[str, tuple[str, str, int]] = {}
        self.closed: set[str] = set()
        self.known: set[str] = set()

    def free(self, account: str) -> int:
        return self.posted[account] - sum(n for s, _, n in self.held.values() if s == account)

    def fits(self, source: str, amount: int) -> bool:
        return source == "world" or self.free(source) >= amount


steps = st.lists(
    st.tuples(
        st.sampled_from(["transfer", "reserve", "post", "void"]),
        st.sampled_from("pqrs"),
        st.sampled_from([("world", "a"), ("a", "b"), ("b", "a"), ("b", "world")]),
        st.integers(1, 9),
    ),
    max_size=25,
)


def follow(ledger: Ledger, model: Model, step: tuple[str, str, tuple[str, str], int]) -> None:
    """Take one step in both; the ledger must accept exactly what the model accepts."""
    action, name, (source, target), amount = step
    key = f"{action[0] if action == 'transfer' else 'r'}{name}{source}{target}{amount}"
    transfer = move(key, source, target, amount=amount)
    if action in {"transfer", "reserve"}:
        expected = key in model.known or model.fits(source, amount)
        if key not in model.known and expected:
            model.known.add(key)
            if action == "reserve":
                model.held[key] = (source, target, amount)
            else:
                model.posted[source] -= amount
                model.posted[target] += amount
    else:
        expected = key in model.held or (key in model.closed and f"{action}{key}" in model.known)
        if key in model.held:
            model.held.pop(key)
            model.closed.add(key)
            model.known.add(f"{action}{key}")
            if action == "post":
                model.posted[source] -= amount
                model.posted[target] += amount
    try:
        if action == "transfer":
            ledger.transfer([transfer])
        elif action == "reserve":
            ledger.reserve(transfer)
        else:
            getattr(ledger, action)(transfer.id)
        accepted = True
    except SanheError:
        accepted = False
    assert accepted == expected, step


@pytest.mark.parametrize("kind", ["memory", "postgres"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=steps)
def test_any_order_of_steps_keeps_the_books(
    kind: str,
    request: pytest.FixtureRequest,
    clock: FixedClock,
    data: list[tuple[str, str, tuple[str, str], int]],
) -> None:
    accounts = [Account("world", "u"), Account("a", "u", floor=0), Account("b", "u", floor=0)]
    model = Model()

    def check(ledger: Ledger) -> None:
        ledger.open_accounts(accounts)
        for step in data:
            follow(ledger, model, step)
        found = ledger.balances(["world", "a", "b"])
        assert {code: balance.posted for code, balance in found.items()} == model.posted
        for code in ("a", "b"):
            assert found[code].available == model.free(code)
        ledger.verify()

    if kind == "memory":
        check(MemoryLedger(clock))
        return
    database: Database = request.getfixturevalue("database")
    with database.transaction(actor="planner") as tx:
        check(PostgresLedger(tx))
        tx.connection.get_transaction().rollback()  # type: ignore[union-attr]


calls = st.lists(
    st.tuples(
        st.sampled_from(["transfer", "reserve_all", "reserve_each", "post_all", "void_all"]),
        st.lists(
            st.lists(
                st.tuples(
                    st.sampled_from("pqrs"),
                    st.sampled_from([("world", "a"), ("a", "b"), ("b", "a"), ("b", "world")]),
                    st.integers(1, 4),
                ),
                max_size=3,
            ),
            max_size=4,
        ),
        st.integers(0, 3),
    ),
    max_size=12,
)
Groups = list[list[tuple[str, tuple[str, str], int]]]


def called(ledger: Ledger, name: str, groups: Groups, keep: int) -> object:
    """Make one call; what it returns, or the class and message of its refusal."""
    transfers = [
        [
            move(f"{key}{source}{amount % 3}", source, target, amount=amount)
            for key, (source, target), amount in group
        ]
        for group in groups
    ]
    flat = [transfer for group in transfers for transfer in group]
    try:
        if name == "transfer":
            return ledger.transfer(
                [replace(t, id=derived_id(str(t.id), t.target, str(t.amount))) for t in flat]
            )
        if name == "reserve_all":
            return ledger.reserve_all(flat, keep={"a": keep})
        if name == "reserve_each":
            return ledger.reserve_each(transfers, keep={"a": keep})
        return getattr(ledger, name)([transfer.id for transfer in flat])
    except SanheError as error:
        # A transfer names any of the accounts that are short.
        return type(error) if name == "transfer" else (type(error), str(error))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=calls)
def test_both_ledgers_answer_alike(
    database: Database, clock: FixedClock, data: list[tuple[str, Groups, int]]
) -> None:
    accounts = [Account("world", "u"), Account("a", "u", floor=0), Account("b", "u", floor=0)]
    memory = MemoryLedger(clock)
    with database.transaction(actor="planner") as tx:
        postgres = PostgresLedger(tx)
        for ledger in (memory, postgres):
            ledger.open_accounts(accounts)
            ledger.transfer([move("a", "world", "a", amount=9), move("b", "world", "b", amount=5)])
        for call in data:
            assert called(postgres, *call) == called(memory, *call), call
            assert postgres.balances(["world", "a", "b"]) == memory.balances(["world", "a", "b"])
        assert postgres.verify() == memory.verify()
        tx.connection.get_transaction().rollback()  # type: ignore[union-attr]


def test_holds_are_what_is_pending_and_ends_by_itself(work: Work) -> None:
    until = NOON + timedelta(minutes=15)
    with work() as ledger:
        ledger.open_accounts([Account(code, "each:A") for code in (SHELF, WORLD, CART)])
        for name in ("first", "second", "third", "fourth"):
            given = move(name, SHELF, CART, amount=2)
            ledger.reserve(given, expires_at=None if name == "third" else until)
        ledger.reserve(move("elsewhere", WORLD, SHELF, amount=1), expires_at=until)
        ledger.void(derived_id("test", "second"))
        found = ledger.holds([SHELF, "nowhere"])
        assert [hold.transfer for hold in found] == [
            derived_id("test", "first"),
            derived_id("test", "fourth"),
        ]
        assert (found[0].source, found[0].amount, found[0].expires_at) == (SHELF, 2, until)
        ledger.post(derived_id("test", "first"))
        assert len(ledger.holds([SHELF, WORLD])) == 2
        assert ledger.holds([]) == []


def test_the_outcome_of_a_pending_transfer_is_what_was_carried_out(stocked: Work) -> None:
    whole, part, freed, still = (move(name, SHELF, CART, amount=2) for name in "abcd")
    moved = move("e", SHELF, CART, amount=1)
    with stocked() as ledger:
        ledger.reserve_all([whole, part, freed, still])
        ledger.transfer([moved])
        ledger.post(whole.id)
        ledger.post(part.id, amount=1)
        ledger.void(freed.id)
    asked = [one.id for one in (whole, part, freed, still, moved)]
    with stocked() as ledger:
        assert ledger.outcomes(asked) == {whole.id: 2, part.id: 1, freed.id: 0}
        assert ledger.outcomes([]) == {}
