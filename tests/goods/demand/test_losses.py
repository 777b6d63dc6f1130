"""Where the forecast loses: held against sums added up one by one."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from sanhe.core.errors import BadInput
from sanhe.core.facts import Fact
from sanhe.goods.demand import Demand
from tests.goods.demand.facts_of import day, fact, history, item, lake_of, shop

DAYS, ORIGINS, HORIZON = 70, 3, 7
METHODS = ("seasonal_naive", "same_weekday_mean", "smoothed_mean")
CATEGORY = {"A": "food/dairy", "B": "food/bread", "C": "home", "D": ""}
REGION = {"P": "north", "Q": "south", "R": "north"}


def retailer() -> list[Fact]:
    """Three places, four SKUs; D has no price, C begins late at R, B is weighed."""
    rng = random.Random(4)
    facts: list[Fact] = []
    for sku, mean in (("A", 9), ("B", 3000), ("C", 2), ("D", 4)):
        for place in REGION:
            start = 40 if (sku, place) == ("C", "R") else 0
            sales = [rng.randint(0, 2 * mean) for _ in range(start, DAYS)]
            facts += history({(sku, place): sales}, first=start)
        more = {"base_unit": "g"} if sku == "B" else {}
        facts.append(item(sku, category=CATEGORY[sku], **more) if CATEGORY[sku] else item(sku))
    facts += [shop(place, region=region) for place, region in REGION.items()]
    prices = [("A", None, 250, 1), ("A", "Q", 400, 1), ("B", None, 90, 1000), ("C", None, 1999, 1)]
    for sku, at, cents, per in prices:
        facts.append(fact("price.set", 0, sku=sku, place=at, amount_cents=cents, per_units=per))
    return facts


def price(sku: str, place: str) -> float | None:
    """Cents a base unit."""
    if sku == "A":
        return 400.0 if place == "Q" else 250.0
    return {"B": 0.09, "C": 1999.0}.get(sku)


def by_hand(facts: list[Fact]) -> dict[tuple[str, str], dict[str, list[float]]]:
    """(sku, place) -> method -> [units too much, too little, cents too much, too little]."""
    sold: dict[tuple[str, str, date], int] = defaultdict(int)
    for one in facts:
        if one.type == "sale.day":
            sold[str(one.sku), str(one.place), one.day] += int(one.quantity or 0)
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    demand = Demand(lake_of(facts))
    for back in range(ORIGINS, 0, -1):
        origin = day(DAYS - back * HORIZON)
        for method in METHODS:
            run = demand.trial(origin, HORIZON, method)
            for row, key in enumerate(run.keys.to_pylist()):
                pair = (key["sku"], key["place"])
                scale = 0.001 if pair[0] == "B" else 1.0
                told = sum(float(one) for one in run.mean[row])
                came = sum(sold[*pair, origin + timedelta(days=n)] for n in range(HORIZON))
                gap, cents = told - came, price(*pair)
                sums = found.setdefault(pair, {}).setdefault(method, [0.0] * 4)
                sums[0] += max(gap, 0.0) * scale
                sums[1] += max(-gap, 0.0) * scale
                sums[2] += round(max(gap, 0.0) * (cents or 0))
                sums[3] += round(max(-gap, 0.0) * (cents or 0))
    return found


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (
        Demand(lake_of(retailer()))
        .losses(day(DAYS), origins=ORIGINS, horizon_days=HORIZON, methods=METHODS, worst=100)
        .to_pylist()
    )
    return rows


def check(row: dict[str, Any], pairs: dict[tuple[str, str], dict[str, list[float]]]) -> None:
    """A row is the sum of these series."""
    sums = {m: [sum(one[m][k] for one in pairs.values()) for k in range(4)] for m in METHODS}
    mine = sums[METHODS[0]]
    assert row["too_much_units"] == pytest.approx(mine[0], rel=1e-5)
    assert row["too_little_units"] == pytest.approx(mine[1], rel=1e-5)
    assert row["series"] == len(pairs)
    priced = [pair for pair in pairs if price(*pair) is not None]
    assert row["unvalued_series"] == len(pairs) - len(priced)
    if not priced:
        assert row["loss_cents"] is row["too_much_cents"] is row["better_loss_cents"] is None
        return
    assert row["too_much_cents"] == pytest.approx(mine[2], abs=len(pairs))
    assert row["too_little_cents"] == pytest.approx(mine[3], abs=len(pairs))
    assert row["loss_cents"] == row["too_much_cents"] + row["too_little_cents"]
    least = min(sum(sums[m][2:]) for m in METHODS)
    assert row["better_loss_cents"] == pytest.approx(least, abs=len(pairs))
    if row["better_method"] is None:
        assert sum(mine[2:]) == pytest.approx(least, abs=len(pairs))
    else:
        assert sum(sums[row["better_method"]][2:]) == pytest.approx(least, abs=len(pairs))


def test_every_series_and_segment_is_the_sum_of_its_errors(told: list[dict[str, Any]]) -> None:
    series = by_hand(retailer())
    ones = [row for row in told if row["by"] == "series"]
    assert {(row["sku"], row["place"]) for row in ones} == set(series)
    for row in ones:
        check(row, {(row["sku"], row["place"]): series[row["sku"], row["place"]]})
    segments = {
        "all": lambda sku, place: "all",
        "category": lambda sku, place: CATEGORY[sku].split("/")[0] or "(none)",
        "store": lambda sku, place: place,
        "region": lambda sku, place: REGION[place],
    }
    for by, name in segments.items():
        rows = [row for row in told if row["by"] == by]
        assert {row["group"] for row in rows} == {name(*pair) for pair in series}
        for row in rows:
            check(row, {p: one for p, one in series.items() if name(*p) == row["group"]})


@pytest.mark.parametrize("by", ["category", "store", "region", "velocity", "age"])
def test_segments_sum_exactly_and_the_largest_loss_comes_first(
    told: list[dict[str, Any]], by: str
) -> None:
    total = next(row for row in told if row["by"] == "all")
    rows = [row for row in told if row["by"] == by]
    for name in ("too_much_cents", "too_little_cents", "loss_cents"):
        assert sum(row[name] or 0 for row in rows) == total[name] > 0
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert sum(row["units"] for row in rows) == pytest.approx(total["units"])
    lost = [row["loss_cents"] or 0 for row in rows]
    assert lost == sorted(lost, reverse=True)


def test_an_item_that_is_new_is_told_from_an_old_one() -> None:
    facts = [*retailer(), *history({("N", "P"): [5] * 20}, first=DAYS - 20)]
    rows = Demand(lake_of(facts)).losses(day(DAYS), origins=1, methods=METHODS).to_pylist()
    ages = {row["group"]: row["series"] for row in rows if row["by"] == "age"}
    # C is 63 days old at P, so that its late start at R does not make it new.
    assert ages == {"under 4 weeks": 1, "4 to 12 weeks": 12}


def test_without_prices_units_are_told_and_shares_are_of_units() -> None:
    facts = [one for one in retailer() if one.type != "price.set"]
    rows = Demand(lake_of(facts)).losses(day(DAYS), methods=METHODS).to_pylist()
    assert {row["loss_cents"] for row in rows} == {None}
    stores = [row for row in rows if row["by"] == "store"]
    assert sum(row["share"] for row in stores) == pytest.approx(1)
    units = [row["too_much_units"] + row["too_little_units"] for row in stores]
    assert units == sorted(units, reverse=True)


def test_cost_is_that_of_the_first_choice_by_the_case_where_given() -> None:
    facts = [*history({("A", "P"): [4] * 28 + [6] * 7}), item("A", case=12)]
    for party, amount, more in (
        ("dear", 300, {"priority": 2}),
        ("first", 200, {"cost_per_case_cents": 1206}),
    ):
        terms = fact("supply.agreed", 0, sku="A", amount_cents=amount, tag=party, **more)
        facts.append(replace(terms, party=party))
    asked = {"origins": 1, "methods": ("seasonal_naive",)}
    lake = lake_of(facts)
    cost = Demand(lake).losses(day(35), worth="cost", **asked).to_pylist()[0]
    assert (cost["too_little_cents"], cost["too_much_cents"]) == (round(14 * 100.5), 0)
    assert Demand(lake).losses(day(35), **asked).to_pylist()[0]["loss_cents"] is None


def test_a_price_of_after_the_origin_does_not_count() -> None:
    facts = history({("A", "P"): [4] * 28 + [6] * 7})
    facts.append(fact("price.set", 0, sku="A", amount_cents=100))
    facts.append(fact("price.set", 29, sku="A", amount_cents=900))
    asked = {"origins": 1, "methods": ("seasonal_naive",)}
    row = Demand(lake_of(facts)).losses(day(35), **asked).to_pylist()[0]
    assert row["too_little_cents"] == 14 * 100


def test_a_second_currency_is_left_out_of_the_money() -> None:
    facts = history({(sku, "P"): [4] * 28 + [6] * 7 for sku in "ABC"})
    for sku, currency in (("A", "CNY"), ("B", "CNY"), ("C", "EUR")):
        price = fact("price.set", 0, sku=sku, amount_cents=100)
        facts.append(replace(price, currency=currency))
    row = Demand(lake_of(facts)).losses(day(35), origins=1, methods=("seasonal_naive",))
    total = row.to_pylist()[0]
    assert (total["currency"], total["loss_cents"]) == ("CNY", 2 * 14 * 100)
    assert (total["series"], total["unvalued_series"]) == (3, 1)
    assert total["too_little_units"] == 3 * 14


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"worth": "love"}, "can't value by"),
        ({"worst": -1}, "worst series"),
        ({"methods": ("oracle",)}, "unknown forecast methods"),
        ({"origins": 12}, "fewer origins"),
    ],
)
def test_what_cannot_be_told_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Demand(lake_of(retailer())).losses(day(DAYS), **{"methods": METHODS, **more})
