"""The product's rule in a replay: only the past is seen, orders are those of `sanhe plan`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from sanhe.core.errors import BadInput
from sanhe.goods.demand import DemandPanel, ForecastRun, History
from sanhe.goods.replay import Past, ProductRule, past_of, point, replayed, with_terms
from sanhe.goods.replenish import Assumptions, Known, Policy
from sanhe.models.forecast import Dispersion, DispersionSet, Panel
from sanhe.models.replay import Morning, draw_fates, no_orders, replay

FIRST = date(2025, 6, 2)
HISTORY, DAYS, LINES = 42, 56, 5
SKUS = [f"SKU-{n}" for n in range(LINES)]
KEYS = pa.table({"sku": SKUS, "place": ["S1"] * LINES})
SPREAD = DispersionSet((Dispersion("counts", 3.0, 0.3, 1),))
FLOAT = npt.NDArray[np.float32]


def demand_of(seed: int = 1) -> FLOAT:
    """Steady demand, [LINES, HISTORY + DAYS]."""
    drawn = np.random.default_rng(seed).poisson(6, (LINES, HISTORY + DAYS))
    return np.asarray(drawn, np.float32)


def panel_of(demand: FLOAT) -> DemandPanel:
    """What was seen on the day after the replay."""
    days = demand.shape[1]
    empty = np.zeros(demand.shape, np.bool_)
    panel = Panel(
        first_day=FIRST - timedelta(days=HISTORY),
        sales=demand,
        in_stock=np.full(demand.shape, np.nan, np.float32),
        opened_empty=empty,
        known=np.zeros((LINES, days + 1, 0), np.float32),
        known_names=(),
        static=np.zeros((LINES, 0), np.int32),
        static_names=(),
        horizon_days=1,
    )
    return DemandPanel(
        as_of=FIRST + timedelta(days=days - HISTORY),
        keys=KEYS,
        panel=panel,
        counted=np.ones(LINES, np.bool_),
        scale=np.ones(LINES),
        categories=("",) * LINES,
        regions=("",) * LINES,
        ages=np.full(LINES, days, np.int64),
        notes=(),
        digest="",
    )


def run_of(as_of: date, mean: npt.NDArray[np.float64]) -> ForecastRun:
    """The same mean every day."""
    daily = np.repeat(mean[:, None], 28, axis=1).astype(np.float32)
    none = np.zeros(LINES, np.float32)
    return ForecastRun(
        id=str(as_of),
        as_of=as_of,
        horizon_days=28,
        method="mean",
        chosen={"counts": "mean"},
        keys=KEYS,
        mean=daily,
        median=daily,
        counted=np.ones(LINES, np.bool_),
        scale=np.ones(LINES),
        dispersion={"counts": SPREAD, "quantities": SPREAD},
        spread=np.ones(len(mean)),
        holdout_wape={},
        history=History(
            last_days=np.zeros((LINES, 28), np.float32),
            days_seen=np.full(LINES, HISTORY, np.int32),
            daily_mean=none,
            zero_share=none,
            stock_out_share=none,
            weekday_profile=np.ones((LINES, 7), np.float32),
        ),
        notes=(),
        digest="",
    )


def forecasts(demand: FLOAT, *, ahead: int = 0) -> Callable[[int], ForecastRun]:
    """The mean of the last four weeks; with `ahead` a cheat that looks so many days forward."""

    def on(index: int) -> ForecastRun:
        end = HISTORY + index + ahead
        return run_of(FIRST + timedelta(days=index), demand[:, end - 28 : end].mean(axis=1))

    return on


def known() -> Known:
    """Terms of one supplier: lead time 2 days, cost 10.00, price 15.00, cases of 4."""
    pair = {"sku": SKUS, "place": ["S1"] * LINES}
    return Known(
        items=pa.table({**pair, "name": SKUS, "case_size": [4] * LINES}),
        terms=pa.table(
            {
                **pair,
                "supplier": ["V"] * LINES,
                "unit_cost_cents": [1000.0] * LINES,
                "lead_time_days": [2] * LINES,
                "moq": [1] * LINES,
                "case_size": [4] * LINES,
                "order_weekdays": ["1,2,3,4,5"] * LINES,
                "priority": [1] * LINES,
            }
        ),
        prices=pa.table(
            {
                **pair,
                "price_cents": [1500] * LINES,
                "tax_included": [False] * LINES,
                "tax_rate": [0.0] * LINES,
            }
        ),
        classes=pa.table({**pair, "label": ["AXH1", "AXH1", "BYM0", "CZL3", "CZL4"]}),
    )


def staged(
    demand: FLOAT, policy: Policy, *, terms: Known | None = None, ahead: int = 0, settle: int = 14
) -> tuple[Past, ProductRule]:
    """The past and the product's rule under a policy."""
    given, assumptions = terms or known(), Assumptions.load()
    on = forecasts(demand, ahead=ahead)
    past = past_of(
        panel_of(demand),
        forecasts(demand)(0),
        given,
        policy=policy,
        assumptions=assumptions,
        settle_days=settle,
    )
    return past, ProductRule(KEYS, on, given, policy=policy, assumptions=assumptions)


class Kept:
    """Keeps what a rule orders."""

    name = "kept"

    def __init__(self, rule: ProductRule) -> None:
        self.rule, self.orders = rule, list[object]()

    def order(self, morning: Morning) -> npt.NDArray[np.int64]:
        quantity = self.rule.order(morning)
        self.orders.append(quantity.tolist())
        return quantity


def orders_until(demand: FLOAT, day: int, *, ahead: int = 0) -> list[object]:
    past, rule = staged(demand, Policy.load(), ahead=ahead)
    kept = Kept(rule)
    replay(past.record, kept, draw_fates(past.record, (1,)))
    return kept.orders[: day + 1]


@pytest.mark.parametrize("day", [0, 15, 28])
def test_changed_demand_of_later_days_leaves_orders_until_today_alone(day: int) -> None:
    demand, changed = demand_of(), demand_of()
    changed[:, HISTORY + day :] *= 4
    assert orders_until(demand, day) == orders_until(changed, day)
    assert orders_until(demand, day + 10) != orders_until(changed, day + 10), "the control"
    ahead = (orders_until(one, day, ahead=7) for one in (demand, changed))
    assert next(ahead) != next(ahead), "a forecast that looks ahead must be found out"


def test_the_past_takes_its_terms_from_what_is_known() -> None:
    past, _ = staged(demand_of(), Policy.load())
    terms = past.record.terms
    assert terms.lead_time_days.tolist() == [2] * LINES
    assert terms.case_size.tolist() == [4] * LINES
    assert terms.unit_cost_cents.tolist() == [1000.0] * LINES
    assert terms.margin_cents.tolist() == [500.0] * LINES
    assert terms.order_weekday[0].tolist() == [True] * 5 + [False] * 2
    assert past.record.history_days == HISTORY
    assert past.first_day == FIRST
    assert (past.record.demand == demand_of().T).all()
    assert sum(past.assumed.values()) > 0, "the stock of the first morning is assumed"


def test_orders_are_whole_cases_on_order_days_and_the_shelf_stays_full() -> None:
    past, rule = staged(demand_of(), Policy.load())
    played = replay(past.record, rule, draw_fates(past.record, (1, 2), past.lateness))
    assert not (played.ordered % 4).any()
    assert played.sold.sum() > 0.95 * played.demand.sum()
    left = past.record.opening + played.received - played.all_sold - played.all_waste
    assert (left == played.closing).all()


def test_tables_add_up_and_the_class_rows_are_those_of_the_labels() -> None:
    past, rule = staged(demand_of(), Policy.load())
    told = replayed(past, no_orders(), rule, seeds=(1, 2, 3))
    assert told.first_day == FIRST + timedelta(days=14)
    assert told.last_day == FIRST + timedelta(days=DAYS - 1)
    assert len(told.days) == 2 * (DAYS - 14)
    rows = [row for row in told.classes.to_pylist() if row["policy"] == "sanhe"]
    assert [(row["class"], row["lines"]) for row in rows] == [("AX", 2), ("BY", 1), ("CZ", 2)]
    orders = sum(row["order_lines"] for row in rows)
    assert 3 * orders == pytest.approx(told.row("order_lines").new)
    assert told.row("fill_rate").verdict == "better"
    assert told.verdict == "better"
    with pytest.raises(KeyError):
        told.row("luck")


def test_more_service_and_longer_reviews_hold_more_stock_on_steady_demand() -> None:
    demand, found = demand_of(), []
    for service in (0.6, 0.9, 0.98):
        policy = replace(Policy.load(), lowest_service=service, highest_service=service)
        past, rule = staged(demand, policy)
        found.append(point(past, rule, value=service, seeds=(1,)))
    assert found[0].inventory_days < found[1].inventory_days < found[2].inventory_days
    assert found[0].fill_rate <= found[1].fill_rate <= found[2].fill_rate
    seldom = replace(Policy.load(), review_days=7)
    days = [
        point(*staged(demand, policy), value=0, seeds=(1,)).inventory_days
        for policy in (Policy.load(), seldom)
    ]
    assert days[0] < days[1]


def test_a_class_with_a_longer_review_is_ordered_less_often_and_others_as_before() -> None:
    demand = demand_of()
    counts = []
    for policy in (Policy.load(), Policy.load().with_class("CZ", review_days=14)):
        past, rule = staged(demand, policy)
        counts.append(replay(past.record, rule, draw_fates(past.record, (1,))).order_lines[0])
    assert (counts[0][:3] == counts[1][:3]).all()
    assert (counts[1][3:] < counts[0][3:]).all()


def test_other_terms_hold_for_all_lines() -> None:
    changed = with_terms(known(), lead_time_days=9, moq=20)
    past, _ = staged(demand_of(), Policy.load(), terms=changed)
    assert past.record.terms.lead_time_days.tolist() == [9] * LINES
    assert past.record.terms.moq.tolist() == [20] * LINES
    assert with_terms(Known(), moq=3) == Known()


def test_a_day_out_of_stock_counts_as_its_neighbours_and_a_line_that_left_as_nothing() -> None:
    demand = demand_of()
    seen = panel_of(demand)
    empty = seen.panel.opened_empty.copy()
    empty[0, 50] = True
    sold = demand.copy()
    sold[0, 50] = 0
    panel = replace(seen.panel, opened_empty=empty, sales=sold)
    fewer = replace(seen, keys=KEYS.slice(0, LINES - 1), panel=panel.only(np.arange(LINES - 1)),
                    scale=np.ones(LINES - 1))  # fmt: skip
    past = past_of(
        fewer,
        forecasts(demand)(0),
        known(),
        policy=Policy.load(),
        assumptions=Assumptions.load(),
    )
    near = np.delete(demand[0, 36:65], 14)
    assert past.record.demand[50, 0] == pytest.approx(near.mean())
    assert not past.record.demand[:, LINES - 1].any()


def test_too_short_a_past_is_refused() -> None:
    short = demand_of()[:, 20:]
    seen = panel_of(demand_of())
    panel = replace(
        seen.panel,
        sales=short,
        in_stock=seen.panel.in_stock[:, 20:],
        opened_empty=seen.panel.opened_empty[:, 20:],
        known=seen.panel.known[:, 20:],
        first_day=seen.panel.first_day + timedelta(days=20),
    )
    first = forecasts(demand_of())(0)
    given = {"policy": Policy.load(), "assumptions": Assumptions.load()}
    with pytest.raises(BadInput, match="22 days of history"):
        past_of(replace(seen, panel=panel), first, known(), **given)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="a day must be left"):
        past_of(seen, first, known(), settle_days=DAYS, **given)  # type: ignore[arg-type]
