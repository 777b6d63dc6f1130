"""The replay keeps its books, shows a rule nothing of the future, and refuses wrong orders."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.models.replay import (
    Cover,
    Lateness,
    Morning,
    Played,
    Record,
    cover_rule,
    draw_fates,
    no_orders,
    replay,
    totals_of,
)
from tests.models.replay.panels import DAYS, HISTORY, LINES, demand_of, record_of

COVER = cover_rule(Cover(np.full(LINES, 6.0), np.array(1.0)))
LATE = Lateness(ratios=np.array([-0.5, 0.0, 0.0, 0.5, 2.0]))


class Kept:
    """A rule that keeps what another rule orders, day by day."""

    def __init__(self, rule: object) -> None:
        self.rule, self.orders = rule, []  # type: ignore[var-annotated]

    name = "kept"

    def order(self, morning: Morning) -> npt.NDArray[np.int64]:
        """The other rule's order, remembered."""
        quantity = self.rule.order(morning)  # type: ignore[attr-defined]
        self.orders.append(quantity.copy())
        return np.asarray(quantity)


class Ahead:
    """A rule that cheats: it orders what the record says will be asked for."""

    name = "looks ahead"

    def __init__(self, record: Record) -> None:
        self.coming = record.demand[record.history_days :]

    def order(self, morning: Morning) -> npt.NDArray[np.int64]:
        """The demand of the next three days."""
        wanted = self.coming[morning.index : morning.index + 3].sum(axis=0).astype(np.int64)
        return np.where(morning.due, wanted, 0) + np.zeros_like(morning.on_hand)


def closes(played: Played, record: Record) -> bool:
    """Opening + received - sold - waste = closing, for every seed and line."""
    left = record.opening + played.received - played.all_sold - played.all_waste
    return bool((left == played.closing).all())


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    life=st.sampled_from([0, 1, 3, 10]),
    cover=st.floats(0.0, 40.0),
    opening=st.integers(0, 200),
)
def test_no_unit_appears_or_is_lost(seed: int, life: int, cover: float, opening: int) -> None:
    record = record_of(demand_of(seed), shelf_life_days=life, opening=opening)
    rule = Kept(cover_rule(Cover(np.full(LINES, cover), np.array(0.8))))
    played = replay(record, rule, draw_fates(record, (1, 2), LATE))
    assert closes(played, record)
    assert (played.closing >= 0).all()
    assert (played.sold <= played.demand).all()
    assert (played.received <= played.ordered).all(), "what came was ordered"
    assert (played.ordered == sum(rule.orders)).all()


def test_the_check_of_the_books_can_fail() -> None:
    record = record_of(demand_of())
    played = replay(record, COVER, draw_fates(record, (1,)))
    assert closes(played, record)
    assert not closes(replace(played, received=played.received + 1), record)


def test_stock_past_its_life_is_thrown_away_and_nothing_sooner() -> None:
    quiet = record_of(np.zeros((HISTORY + DAYS, LINES), np.float32), shelf_life_days=5)
    gone = replay(quiet, no_orders(), draw_fates(quiet, (1,)))
    assert (gone.all_waste == 20).all()
    assert np.flatnonzero(gone.by_day["waste_cents"][0]).tolist() == [3], "fresh the evening before"
    lasting = record_of(demand_of())
    assert not replay(lasting, COVER, draw_fates(lasting, (1,))).all_waste.any()


def _orders_on_day(
    rule_of: type[Ahead] | None, demand: npt.NDArray[np.float32], day: int
) -> object:
    record = record_of(demand)
    kept = Kept(COVER if rule_of is None else rule_of(record))
    replay(record, kept, draw_fates(record, (1,), LATE))
    return [one.tolist() for one in kept.orders[: day + 1]]


@pytest.mark.parametrize("day", [0, 9, 30])
def test_changed_demand_of_later_days_leaves_the_orders_until_today_alone(day: int) -> None:
    demand, changed = demand_of(), demand_of()
    changed[HISTORY + day :] *= 3
    assert _orders_on_day(None, demand, day) == _orders_on_day(None, changed, day)
    assert _orders_on_day(None, demand, day + 9) != _orders_on_day(None, changed, day + 9)
    assert _orders_on_day(Ahead, demand, day) != _orders_on_day(Ahead, changed, day), (
        "a rule that looks ahead must be found out"
    )


def test_a_rule_can_not_write_into_the_books() -> None:
    record = record_of(demand_of())

    class Thief:
        name = "thief"

        def order(self, morning: Morning) -> npt.NDArray[np.int64]:
            morning.on_hand[:] = 1000
            return np.zeros(morning.on_hand.shape, np.int64)

    with pytest.raises(ValueError, match="read-only"):
        replay(record, Thief(), draw_fates(record, (1,)))


def test_the_same_seeds_give_the_same_replay_and_others_another() -> None:
    record = record_of(demand_of() + np.float32(0.3))
    first, again, other = (
        replay(record, COVER, draw_fates(record, seeds, LATE)) for seeds in ((5,), (5,), (6,))
    )
    for field in fields(Played):
        one, two = getattr(first, field.name), getattr(again, field.name)
        if isinstance(one, np.ndarray):
            assert (one == two).all(), field.name
    assert (first.stock != other.stock).any()


def test_a_seed_meets_the_same_fate_beside_others() -> None:
    record = record_of(demand_of() + np.float32(0.3))
    alone = draw_fates(record, (7,), LATE)
    among = draw_fates(record, (3, 7), LATE)
    assert (alone.demand[0] == among.demand[1]).all()
    assert (alone.delay_days[0] == among.delay_days[1]).all()


def test_estimated_demand_becomes_whole_with_its_mean_kept() -> None:
    record = record_of(np.full((HISTORY + DAYS, LINES), 2.3, np.float32))
    drawn = draw_fates(record, range(40)).demand
    assert set(np.unique(drawn)) == {2, 3}
    assert drawn.mean() == pytest.approx(2.3, abs=0.02)


def test_a_rule_that_orders_nothing_sells_its_opening_stock_and_no_more() -> None:
    record = record_of(demand_of(), opening=20)
    played = replay(record, no_orders(), draw_fates(record, (1,)))
    assert not played.ordered.any()
    assert (played.sold == 20).all(), "demand is far above the opening stock"
    assert not played.closing.any()
    totals = totals_of(played, record.terms)
    assert totals.fill_rate[0] == pytest.approx(20 * LINES / played.demand.sum())
    assert totals.lost_units[0] == played.demand.sum() - 20 * LINES


@pytest.mark.parametrize("wrong", ["below zero", "no order day"])
def test_wrong_orders_are_refused(wrong: str) -> None:
    record = record_of(demand_of())

    class Wrong:
        name = "wrong"

        def order(self, morning: Morning) -> npt.NDArray[np.int64]:
            quantity = np.zeros(morning.on_hand.shape, np.int64)
            if wrong == "below zero":
                quantity[0, 0] = -1
            elif morning.weekday == 5:
                quantity[:] = 1
            return quantity

    with pytest.raises(ValueError, match="wrong: an order below zero or on no order day"):
        replay(record, Wrong(), draw_fates(record, (1,)))


def test_days_of_the_warm_up_are_not_counted() -> None:
    whole, later = record_of(demand_of()), record_of(demand_of(), counted_from=20)
    all_days = replay(whole, COVER, draw_fates(whole, (1,)))
    counted = replay(later, COVER, draw_fates(later, (1,)))
    assert counted.counted_days == DAYS - 20
    assert (counted.all_sold == all_days.all_sold).all()
    assert (counted.demand == demand_of()[HISTORY + 20 :].sum(axis=0)).all()


def test_orders_come_after_their_lead_time_and_not_before() -> None:
    record = record_of(demand_of() * 0)

    class Once:
        name = "once"

        def order(self, morning: Morning) -> npt.NDArray[np.int64]:
            return np.full(morning.on_hand.shape, 7 if morning.index == 0 else 0)

    bare = replace(record, opening=np.zeros(LINES, np.int64))
    stock = replay(bare, Once(), draw_fates(bare, (1,))).by_day["stock_cents"][0] / 100
    lead = record.terms.lead_time_days
    assert stock[:4].tolist() == [7 * int((lead <= day).sum()) for day in range(4)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"demand": np.full((HISTORY + DAYS, LINES), -1, np.float32)}, "not negative"),
        ({"demand": np.full((HISTORY + DAYS, LINES), np.nan, np.float32)}, "finite"),
        ({"demand": np.zeros((HISTORY + DAYS, 2), np.float32)}, "demand must be"),
        ({"counted_from": DAYS}, "nothing to count"),
        ({"opening": np.zeros(2, np.int64)}, "one stock a line"),
    ],
)
def test_a_record_that_can_not_be_replayed_is_refused(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(record_of(demand_of()), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["lead_time_days", "case_size", "moq"])
def test_terms_below_their_least_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1"):
        replace(record_of(demand_of()).terms, **{name: np.zeros(LINES, np.int64)})
