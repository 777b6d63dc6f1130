"""The vectorised rule equals its plain definition, and the definition holds what it promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanhe.goods.stock import rules
from sanhe.goods.stock.rules import NEVER, Opening, StockEvent, desired_entries

START = datetime(2024, 3, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def count(name: str, hour: int, quantity: int, *, lot: str = "", source: str = "erp") -> StockEvent:
    return StockEvent(source, name, rules.COUNTED, at(hour), quantity, lot)


def move(name: str, hour: int, quantity: int, *, source: str = "erp") -> StockEvent:
    return StockEvent(source, name, rules.MOVED, at(hour), quantity)


def net(events: list[StockEvent], opening: Opening = rules.UNKNOWN) -> int:
    return opening.net + sum(desired_entries(events, opening).values())


def test_before_the_first_count_nothing_is_posted() -> None:
    entries = desired_entries([move("a", 1, -3), count("b", 2, 10), move("c", 3, -4)])
    assert list(entries.values()) == [0, 10, -4]


def test_a_late_movement_before_a_count_changes_the_adjustment_only() -> None:
    known = [count("a", 0, 10), move("b", 2, -4), count("c", 5, 5)]
    late = [*known, move("d", 3, -2)]
    assert desired_entries(known)[known[2].key] == -1
    assert desired_entries(late)[known[2].key] == 1
    assert net(known) == net(late) == 5


def test_a_movement_of_the_counts_instant_is_contained() -> None:
    assert net([count("a", 0, 10), move("b", 4, -2), count("c", 4, 7)]) == 7


def test_lots_of_one_instant_add_up_and_sources_do_not() -> None:
    lots = [count("a", 1, 4, lot="L1"), count("b", 1, 6, lot="L2")]
    assert net(lots) == 10
    assert net([*lots, count("z", 1, 9, source="wms")]) == 9
    assert net([count("a", 1, 4), count("b", 1, 6)]) == 6


def test_a_negative_count_is_kept() -> None:
    assert net([count("a", 1, -3), move("b", 2, 5)]) == 2


events = st.builds(
    StockEvent,
    source=st.sampled_from(["erp", "wms"]),
    external_id=st.integers(0, 25).map(str),
    event_at=st.integers(0, 8).map(at),
    type=st.sampled_from([rules.COUNTED, rules.MOVED, rules.SALE_DAY]),
    quantity=st.integers(-20, 20),
    lot=st.sampled_from(["", "L1", "L2"]),
)
histories = st.lists(events, max_size=14, unique_by=lambda event: event.key)
openings = st.one_of(
    st.just(Opening()), st.integers(-9, 9).map(lambda net: Opening(net, is_known=True))
)


def arrays(pairs: list[list[StockEvent]]) -> rules.EventArrays:
    rows = [(pair, event) for pair, history in enumerate(pairs) for event in history]
    names = sorted({e.key for _, e in rows})
    sources = sorted({e.source for _, e in rows})
    lots = ["", *sorted({e.lot for _, e in rows} - {""})]
    return rules.EventArrays(
        pair=np.array([pair for pair, _ in rows], dtype=np.int64),
        moment=np.array(
            [(e.event_at - EPOCH) // timedelta(microseconds=1) for _, e in rows], dtype=np.int64
        ),
        is_count=np.array([e.is_count for _, e in rows], dtype=np.bool_),
        quantity=np.array([e.quantity for _, e in rows], dtype=np.int64),
        rank=np.array([names.index(e.key) for _, e in rows], dtype=np.int64),
        source=np.array([sources.index(e.source) for _, e in rows], dtype=np.int64),
        lot=np.array([lots.index(e.lot) for _, e in rows], dtype=np.int64),
    )


@given(st.lists(st.tuples(histories, openings), min_size=1, max_size=5), st.randoms())
def test_arrays_give_the_same_as_the_definition(
    pairs: list[tuple[list[StockEvent], Opening]], chance: object
) -> None:
    shuffled = [(sorted(h, key=lambda _: chance.random()), o) for h, o in pairs]  # type: ignore[attr-defined]
    given_arrays = arrays([history for history, _ in shuffled])
    done = rules.entries_of_arrays(
        given_arrays,
        net=np.array([o.net for _, o in shuffled], dtype=np.int64),
        known_since=np.array([0 if o.is_known else NEVER for _, o in shuffled], dtype=np.int64),
    )
    row = 0
    for pair, (history, opening) in enumerate(shuffled):
        expected = desired_entries(history, opening)
        for event in history:
            assert done.amount[row] == expected[event.key]
            row += 1
        assert done.net[pair] == opening.net + sum(expected.values())
        counts = [e.event_at for e in history if e.is_count]
        assert (done.known_since[pair] != NEVER) == (opening.is_known or bool(counts))


@given(histories, st.integers(0, 8))
def test_a_window_with_its_opening_equals_the_whole(history: list[StockEvent], hour: int) -> None:
    whole = desired_entries(history)
    before = [e for e in history if e.event_at < at(hour)]
    opening = Opening(net(before), any(e.is_count for e in before))
    window = desired_entries([e for e in history if e.event_at >= at(hour)], opening)
    assert {key: whole[key] for key in window} == window


@given(histories, events)
def test_a_movement_before_the_last_count_leaves_the_net(
    history: list[StockEvent], event: StockEvent
) -> None:
    last = count("~last", 9, 11, source="zzz")
    late = replace(event, external_id="late", type=rules.MOVED)
    assert net([*history, last]) == net([*history, last, late]) == 11


counts = st.integers(0, 20)


@given(st.integers(-50, 50), counts, counts, counts, counts)
def test_what_is_promised_stays_on_the_books(
    net: int, reserved: int, committed: int, quota_left: int, quota_reserved: int
) -> None:
    promised = rules.Promises(reserved, committed, quota_left + quota_reserved, quota_reserved)
    split = rules.split_net(net, promised)
    assert split.on_hand + committed + split.quota + split.discrepancy == net
    assert split.on_hand >= reserved
    assert quota_reserved <= split.quota <= promised.quota
    assert split.discrepancy == min(net - reserved - committed - quota_reserved, 0)
    if split.quota < promised.quota:
        assert split.on_hand == reserved, "a quota gives back only what the open stock lacks"


def test_the_fullest_quota_gives_back_first() -> None:
    free = {"a": 3, "b": 5, "c": 3, "d": 0}
    assert rules.give_backs(free, 0) == {}
    assert rules.give_backs(free, 9) == {"b": 5, "a": 3, "c": 1}
    assert rules.give_backs({}, 0) == {}


@given(st.lists(st.text("ab/%", max_size=3), min_size=1, max_size=3))
def test_account_codes_do_not_collide(names: list[str]) -> None:
    code = rules.account_code("stock.on_hand", *names)
    assert code.count("/") == len(names)


@given(st.lists(st.integers(1, 9), max_size=8), st.integers(-3, 60))
def test_who_reserved_last_goes_without(amounts: list[int], missing: int) -> None:
    holds = [(UUID(int=number), amount) for number, amount in enumerate(amounts)]
    lost = rules.losing(holds, missing)
    kept = holds[: len(holds) - len(lost)]
    assert [*kept, *((one, amounts[one.int]) for one in reversed(lost))] == holds
    gone = sum(amounts[one.int] for one in lost)
    assert gone >= min(missing, sum(amounts))
    # The oldest that lost was needed to cover it.
    assert not lost or gone - amounts[lost[-1].int] < missing
