from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.core.facts import Fact
from sanhe.goods.demand.panel import DemandPanel, build_panel
from tests.goods.demand.facts_of import day, fact, history, item, lake_of, moment, shop, sold

NAN = float("nan")


def panel_of(
    facts: list[Fact], as_of: int, *, horizon_days: int = 3, realised_weather: bool = False
) -> DemandPanel:
    return build_panel(
        lake_of(facts),
        day(as_of),
        horizon_days=horizon_days,
        history_days=400,
        realised_weather=realised_weather,
    )


def row(demand: DemandPanel, sku: str, place: str = "P") -> int:
    pairs = list(zip(*(demand.keys[name].to_pylist() for name in ("sku", "place")), strict=True))
    return pairs.index((sku, place))


def sales(demand: DemandPanel, sku: str, place: str = "P") -> list[float | None]:
    values = demand.panel.sales[row(demand, sku, place)].tolist()
    return [None if np.isnan(value) else value for value in values]


def known(demand: DemandPanel, name: str, sku: str, place: str = "P") -> list[float]:
    values = demand.panel.input(name)
    assert values is not None, f"no input {name}, only {demand.panel.known_names}"
    return [round(float(value), 4) for value in values[row(demand, sku, place)]]


def test_a_missing_day_is_zero_only_where_the_place_reported() -> None:
    facts = [
        sold("A", "P", 0, 5),
        sold("A", "P", 1, 4),
        sold("B", "P", 2, 1),  # P was open on day 2: A sold nothing
        # Nobody reported P on day 3: unknown.
        sold("A", "P", 4, 3),
    ]
    got = panel_of(facts, 5)
    assert sales(got, "A") == [5, 4, 0, None, 3]
    assert sales(got, "B") == [None, None, 1, None, 0]


def test_till_lines_add_up_and_returns_take_nothing_away() -> None:
    def line(offset: int, quantity: int, name: str) -> Fact:
        return fact("sale.line", offset, sku="A", place="P", quantity=quantity, tag=name)

    facts = [
        line(0, 2, "1"),
        line(0, 3, "2"),
        line(1, -2, "3"),
        line(1, 1, "4"),
        sold("A", "P", 2, -4),
    ]
    assert sales(panel_of(facts, 3), "A") == [5, 1, 0]


def test_till_lines_count_and_a_total_of_the_same_day_does_not() -> None:
    line = fact("sale.line", 1, sku="A", place="P", quantity=4)
    share = sold("A", "P", 1, 10, in_stock_share=0.5)
    facts = [sold("A", "P", 0, 5), share, sold("B", "P", 1, 10), line]
    got = panel_of(facts, 2)
    assert (sales(got, "A"), sales(got, "B")) == ([5, 4], [None, 10])
    assert sales(panel_of(facts[:3], 2), "A") == [5, 10]


def test_stock_outs_are_taken_as_reported() -> None:
    facts = [
        sold("A", "P", 0, 0, in_stock_share=0.0, opened_empty=True),
        sold("A", "P", 1, 2, in_stock_share=0.25),
        sold("A", "P", 2, 2),
    ]
    got = panel_of(facts, 3).panel
    assert got.opened_empty[0].tolist() == [True, False, False]
    assert got.in_stock[0, :2].tolist() == [0.0, 0.25]
    assert np.isnan(got.in_stock[0, 2])


def test_counts_tell_of_stock_outs_where_the_sales_do_not() -> None:
    def count(offset: int, quantity: int, **more: str) -> Fact:
        return fact("stock.counted", offset, sku="A", place="P", quantity=quantity, **more)

    facts = history({("A", "P"): [3, 2, 0, 0, 0, 1]})
    facts += [
        count(0, 9),
        count(1, 0),  # sold 2, then nothing left: sold out during the day
        # Day 2 follows an empty shelf, nothing came in, nothing was sold: opened empty.
        count(3, 0),  # counted empty, nothing sold: opened empty
        fact("purchase.received", 4, sku="A", place="P", quantity=5),  # no longer empty
    ]
    got = panel_of(facts, 6).panel
    assert got.opened_empty[0].tolist() == [False, False, True, True, False, False]
    assert got.sold_out is not None
    assert got.sold_out[0].tolist() == [False, True, False, False, False, False]


def test_the_last_count_of_a_day_holds_and_lots_add_up() -> None:
    def count(hour: int, quantity: int, lot: str) -> Fact:
        return fact(
            "stock.counted",
            0,
            sku="A",
            place="P",
            quantity=quantity,
            lot=lot,
            at=moment(0, hour),
            tag=f"{hour}{lot}",
        )

    facts = [sold("A", "P", 0, 0), count(1, 7, "x"), count(9, 0, "x"), count(9, 0, "y")]
    assert panel_of(facts, 1).panel.opened_empty[0].tolist() == [True]
    facts = [sold("A", "P", 0, 0), count(1, 0, "x"), count(9, 0, "x"), count(9, 2, "y")]
    assert panel_of(facts, 1).panel.opened_empty[0].tolist() == [False]


def test_a_series_begins_when_it_is_first_on_the_shelf() -> None:
    facts = [
        sold("A", "P", 0, 1),
        fact("stock.counted", 1, sku="B", place="P", quantity=6),
        sold("A", "P", 2, 1),
        sold("B", "P", 3, 2),
    ]
    assert sales(panel_of(facts, 4), "B") == [None, None, 0, 2]


def test_a_sku_never_sold_but_on_the_shelf_has_a_series() -> None:
    facts = [sold("A", "P", 0, 1), fact("stock.counted", 0, sku="B", place="P", quantity=6)]
    assert sales(panel_of(facts, 1), "B") == [0]


def test_promotions_reach_their_scope_and_the_deepest_holds() -> None:
    def promotion(name: str, discount: float, **key: str | None) -> Fact:
        sku, place, category = (key.get(part) for part in ("sku", "place", "category"))
        more = {"category": category} if category else {}
        return fact(
            "promotion.published",
            2,
            sku=sku,
            place=place,
            tag=name,
            discount=discount,
            until=day(3).isoformat(),
            at=moment(-5),
            **more,
        )

    facts = history({(sku, place): [1, 1] for sku in "ABCD" for place in "PQ"})
    facts += [
        item("A", category="food/dairy"),
        item("B", category="food/dairy/milk"),
        item("C", category="food/dairyfree"),
    ]
    facts += [
        promotion("one", 0.9, sku="A", place="P"),
        promotion("sku", 0.8, sku="D"),
        promotion("category", 0.7, category="food/dairy"),
        promotion("place", 0.95, place="Q"),
    ]
    got = panel_of(facts, 2)
    assert known(got, "discount", "A") == [1, 1, 0.7, 0.7, 1]
    assert known(got, "discount", "B") == [1, 1, 0.7, 0.7, 1]
    assert known(got, "discount", "C") == [1, 1, 1, 1, 1]
    assert known(got, "discount", "C", "Q") == [1, 1, 0.95, 0.95, 1]
    assert known(got, "discount", "D", "Q") == [1, 1, 0.8, 0.8, 1]


def test_a_promotion_is_known_from_its_announcement_on() -> None:
    def promotion(announced: int) -> Fact:
        return fact(
            "promotion.published",
            10,
            sku="A",
            discount=0.5,
            activity=True,
            until=day(12).isoformat(),
            at=moment(announced),
        )

    base = history({("A", "P"): [1] * 8})
    assert "discount" in panel_of([*base, promotion(7)], 8, horizon_days=4).panel.known_names
    assert "discount" not in panel_of([*base, promotion(8)], 8, horizon_days=4).panel.known_names
    # Announced on its first day: the source names no announcement, so it counts as known.
    got = panel_of([*base, promotion(10)], 8, horizon_days=4)
    assert known(got, "discount", "A")[8:] == [1, 1, 0.5, 0.5]
    assert known(got, "activity", "A")[8:] == [0, 0, 1, 1]


def test_a_promotion_whose_end_is_unknown_goes_on() -> None:
    def promotion(until: int, *, open_ended: bool) -> Fact:
        return fact(
            "promotion.published",
            5,
            sku="A",
            discount=0.5,
            open_ended=open_ended,
            until=day(until).isoformat(),
        )

    base = history({("A", "P"): [1] * 8})
    got = panel_of([*base, promotion(7, open_ended=True)], 8)
    assert known(got, "discount", "A") == [1] * 5 + [0.5] * 6
    assert any("1 promotions have no known end" in note for note in got.notes)
    got = panel_of([*base, promotion(7, open_ended=False)], 8)
    assert known(got, "discount", "A") == [1] * 5 + [0.5] * 3 + [1] * 3
    # One that was not seen any more the day before is over.
    got = panel_of([*base, promotion(6, open_ended=True)], 8)
    assert known(got, "discount", "A") == [1] * 5 + [0.5] * 2 + [1] * 4


def test_a_price_of_the_place_wins_over_the_price_for_all() -> None:
    def price(offset: int, cents: int, place: str | None = None) -> Fact:
        return fact("price.set", offset, sku="A", place=place, amount_cents=cents)

    facts = history({("A", "P"): [1] * 4, ("A", "Q"): [1] * 4})
    facts += [price(-3, 1000), price(-1, 800), price(2, 1600), price(1, 500, "Q"), price(4, 400)]
    got = panel_of(facts, 4, horizon_days=2)
    mean = (800 + 800 + 1600 + 1600) / 4
    assert known(got, "price", "A") == pytest.approx(
        [cents / mean for cents in (800, 800, 1600, 1600, 400, 400)], abs=1e-4
    )
    mean = (800 + 500 * 3) / 4
    assert known(got, "price", "A", "Q") == pytest.approx(
        [cents / mean for cents in (800, 500, 500, 500, 500, 500)], abs=1e-4
    )


def test_a_price_that_never_changes_tells_nothing() -> None:
    facts = [*history({("A", "P"): [1] * 4}), fact("price.set", 0, sku="A", amount_cents=100)]
    assert panel_of(facts, 4).panel.known_names == ()


def test_days_off_are_weekends_and_holidays_less_days_worked_in_exchange() -> None:
    facts = history({("A", "P"): [1] * 14, ("A", "Q"): [1] * 14})
    facts += [
        fact("holiday.declared", 1, name="Feast", kind="public"),
        fact("holiday.declared", 6, name="in exchange", kind="working_day"),
        fact("holiday.declared", 15, place="Q", name="Fair", kind="public"),
    ]
    got = panel_of(facts, 14)
    off = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0]
    assert known(got, "holiday", "A") == off
    assert known(got, "holiday", "A", "Q") == [*off[:15], 1, off[16]]
    assert known(got, "public_holiday", "A") == [0, 1] + [0] * 15
    assert known(got, "after_holiday", "A") == [14, *range(14), 14, 14]
    assert known(got, "before_holiday", "A") == [1, 0] + [14] * 15
    assert known(got, "before_holiday", "A", "Q") == [1, 0, 13, *range(12, -1, -1), 14]


def test_days_to_a_holiday_count_past_the_end_of_the_horizon() -> None:
    facts = history({("A", "P"): [1] * 14})
    facts += [fact("holiday.declared", at, name="Feast", kind="public") for at in (-3, 9, 20)]
    got = panel_of(facts, 14)
    assert known(got, "before_holiday", "A") == [*range(9, -1, -1), *range(10, 3, -1)]
    assert known(got, "after_holiday", "A")[:3] == [3, 4, 5]


def test_declared_days_that_cover_the_weekends_are_taken_as_they_are() -> None:
    facts = history({("A", "P"): [1] * 14})
    facts += [fact("holiday.declared", at, name="off", kind="public") for at in (5, 6, 12)]
    got = panel_of(facts, 14)
    assert known(got, "holiday", "A")[:14] == [0] * 5 + [1, 1] + [0] * 5 + [1, 0]
    assert "public_holiday" not in got.panel.known_names


def weather(observed: int, forecast: int, *, issued: int = 3) -> list[Fact]:
    past = [
        fact("weather.observed", at, city="X", temperature_c=10.0 + at) for at in range(observed)
    ]
    return past + [
        fact("weather.forecast", 4 + at, city="X", temperature_c=20.0 + at, at=moment(issued))
        for at in range(forecast)
    ]


def test_the_weather_ahead_is_the_forecast_not_what_came() -> None:
    facts = [*history({("A", "P"): [1] * 4}), shop("P", city="X"), *weather(7, 3)]
    got = panel_of(facts, 4)
    assert known(got, "temperature_c", "A") == [10, 11, 12, 13, 20, 21, 22]
    got = panel_of(facts, 4, realised_weather=True)
    assert known(got, "temperature_c", "A") == [10, 11, 12, 13, 14, 15, 16]


def test_weather_that_does_not_reach_the_horizon_is_left_out_aloud() -> None:
    facts = [*history({("A", "P"): [1] * 4}), shop("P", city="X")]
    for forecasts in (weather(7, 2), weather(7, 3, issued=4)):
        got = panel_of(facts + forecasts, 4)
        assert got.panel.known_names == ()
        assert any("temperature_c" in note for note in got.notes)


def test_places_and_categories_become_codes() -> None:
    facts = history({(sku, place): [1] for sku in "AB" for place in "PQ"})
    facts += [
        item("A", category="food/dairy"),
        item("B", category="food/fruit"),
        shop("P", city="X", region="N"),
        shop("Q", city="Y", region="N"),
    ]
    got = panel_of(facts, 1)
    # region and category_1 are the same everywhere, place repeats city, sku repeats category_2.
    assert got.panel.static_names == ("city", "category_2")
    assert got.panel.static[row(got, "A", "P")].tolist() == [0, 0]
    assert got.panel.static[row(got, "B", "Q")].tolist() == [1, 1]
    assert got.categories[row(got, "B", "Q")] == "food/fruit"


def test_weighed_goods_are_scaled_and_told_apart() -> None:
    facts = [sold("A", "P", 0, 1500), sold("B", "P", 0, 3), item("A", base_unit="g")]
    got = panel_of(facts, 1)
    assert sales(got, "A") == [1.5]
    assert got.counted.tolist() == [False, True]


def test_nothing_sold_is_refused_with_a_remedy() -> None:
    with pytest.raises(BadInput, match="import sales first"):
        panel_of([], 1)
    with pytest.raises(BadInput, match="choose a later --as-of"):
        panel_of([sold("A", "P", 5, 1)], 5)


@st.composite
def worlds(draw: st.DrawFn) -> list[Fact]:
    quantities = st.integers(-3, 9)
    facts: dict[str, Fact] = {}
    for _ in range(draw(st.integers(3, 25))):
        sku, place = draw(st.sampled_from("AB")), draw(st.sampled_from("PQ"))
        kind = draw(st.sampled_from(["sale.day", "sale.line", "stock.counted", "promotion"]))
        offset = draw(st.integers(0, 12))
        if kind == "promotion":
            one = fact(
                "promotion.published",
                offset,
                sku=sku,
                place=place,
                discount=0.7,
                until=day(offset + 2).isoformat(),
                at=moment(draw(st.integers(0, 12))),
            )
        else:
            one = fact(kind, offset, sku=sku, place=place, quantity=draw(quantities))
        facts[one.external_id] = one
    return [sold("A", "P", 0, 1), *facts.values()]


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_order_of_facts_does_not_matter(facts: list[Fact], random: object) -> None:
    shuffled = list(facts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert panel_of(facts, 8).digest == panel_of(shuffled, 8).digest


def announced(one: Fact, as_of: date) -> bool:
    """Whether a promotion is a declared known-future input (or starts without announcement)."""
    return one.type == "promotion.published" and (
        one.event_at.date() < as_of or one.event_at.date() >= one.day - timedelta(days=1)
    )


@given(worlds())
@settings(max_examples=15, deadline=None)
def test_nothing_after_as_of_is_seen_but_what_was_announced(facts: list[Fact]) -> None:
    before = [one for one in facts if one.day < day(8) or announced(one, day(8))]
    full, cut = panel_of(facts, 8), panel_of(before, 8)
    assert full.digest == cut.digest


def test_the_check_for_leaks_can_fail() -> None:
    base = history({("A", "P"): [1] * 9})
    promotion = fact(
        "promotion.published", 9, sku="A", discount=0.5, until=day(9).isoformat(), at=moment(1)
    )
    assert panel_of(base, 8).digest != panel_of([*base, promotion], 8).digest
    assert panel_of(base, 8).digest != panel_of([*base, sold("A", "P", 7, 2)], 8).digest


def test_earlier_years_of_each_category_come_with_the_panel() -> None:
    facts = [
        item("M", category="food/dairy"),
        item("R", category="food/rice", base_unit="g"),
        shop("P"),
        *(sold("M", "P", week * 7, 10 + week) for week in range(80)),
        *(sold("R", "P", week * 7, 3000) for week in range(80)),
    ]
    made = build_panel(lake_of(facts), day(560), horizon_days=7, history_days=60)
    season = made.panel.season
    assert season is not None
    assert made.panel.days == 60 and season.sales.shape == (2, 560)
    of = dict(zip(made.keys["sku"].to_pylist(), season.group.tolist(), strict=True))
    assert season.sales[of["M"], ::7].tolist() == [10 + week for week in range(80)]
    assert season.sales[of["R"], 553] == pytest.approx(3.0)  # kilograms
    assert season.sales.sum() == pytest.approx(80 * 3 + sum(range(10, 90)))
    older = [*facts, sold("M", "P", 1, 5)]
    other = build_panel(lake_of(older), day(560), horizon_days=7, history_days=60)
    assert np.array_equal(other.panel.sales, made.panel.sales, equal_nan=True)
    assert other.digest != made.digest
