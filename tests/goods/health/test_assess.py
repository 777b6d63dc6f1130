"""The health table and matrix from small tables whose figures can be checked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest

from sanhe.goods.health import (
    Cuts,
    Window,
    Yardsticks,
    ageing,
    assess,
    cover,
    matrix,
    of_class,
    slow,
)
from sanhe.goods.replenish import Assumptions, Known, Policy

AS_OF = date(2025, 9, 25)
WINDOW = Window(AS_OF - timedelta(days=90), AS_OF)


def ago(days: int | None) -> date | None:
    return None if days is None else AS_OF - timedelta(days=days)


def history(revenue: list[float | None]) -> pa.Table:
    """A sells daily, B seldom and wildly, C not any more."""
    return pa.table(
        {
            "sku": ["A", "B", "C"],
            "place": ["S1"] * 3,
            "first_seen": [ago(300), ago(300), ago(300)],
            "last_sale": [ago(1), ago(5), ago(200)],
            "sale_days": [90, 3, 0],
            "quantity": [450.0, 33.0, 0.0],
            "squares": [2295.0, 905.0, 0.0],
            "revenue_cents": pa.array(revenue, pa.float64()),
        }
    )


YARDSTICKS = Yardsticks(cuts=Cuts(), assumptions=Assumptions.load(), policy=Policy())
RECEIPTS = pa.table(
    {
        "sku": ["A", "A", "E"],
        "place": ["S1"] * 3,
        "day": [ago(4), ago(40), ago(1)],
        "quantity": [30.0, 90.0, 5.0],
    }
)
KNOWN = Known(
    positions=pa.table(
        {
            "sku": ["A", "B", "C", "D"],
            "place": ["S1"] * 4,
            "net": pa.array([50, 11, 20, 7], pa.int64()),
            "reserved": [0] * 4,
            "known_since": ["2025-01-01"] * 4,
        }
    ),
    terms=pa.table(
        {
            "sku": ["A", "B", "C", "D"],
            "place": pa.array([None] * 4, pa.string()),
            "supplier": ["V"] * 4,
            "unit_cost_cents": [200, 1000, 500, 100],
            "cost_per_case_cents": pa.array([None] * 4, pa.int64()),
            "case_size": [1] * 4,
            "priority": [1] * 4,
        }
    ),
    prices=pa.table(
        {
            "sku": ["A", "B", "C"],
            "place": pa.array([None] * 3, pa.string()),
            "price_cents": [300, 1100, 900],
            "per_units": [1] * 3,
            "tax_included": [False] * 3,
            "tax_rate": [0.0] * 3,
        }
    ),
)


def table(known: Known = KNOWN, revenue: tuple[float | None, ...] = (1.0, 1.0, 1.0)) -> pa.Table:
    return assess(
        history(list(revenue)),
        RECEIPTS,
        known,
        window=WINDOW,
        yardsticks=YARDSTICKS,
    )


def test_each_line_has_its_class_money_cover_and_age() -> None:
    rows = {row["sku"]: row for row in table().to_pylist()}
    a = rows["A"]
    assert (a["label"], a["pattern"], a["basis"]) == ("AXM1", "smooth", "margin")
    assert a["value"] == pytest.approx(450 * 100)
    # 30 of the 50 came four days ago, 20 are left of those that came before.
    assert (a["stock_value_cents"], a["cover_days"], a["age_days"]) == (10_000, 10.0, 18)
    assert (a["cents_0_30"], a["cents_31_60"], a["cents_over_180"]) == (6_000, 4_000, 0)
    assert a["days_since_receipt"] == 4
    assert (rows["B"]["label"], rows["B"]["pattern"]) == ("BZL3", "lumpy")
    assert (rows["B"]["age_days"], rows["B"]["cents_over_180"]) == (300, 11_000)
    assert (rows["C"]["dead"], rows["C"]["cover_days"], rows["C"]["label"]) == (True, None, "CZH4")
    assert rows["A"]["dead"] is False


def test_stock_that_never_sold_is_listed_too() -> None:
    row = table().to_pylist()[3]
    assert (row["sku"], row["stock_value_cents"], row["days_since_sale"]) == ("D", 700, None)


def test_without_prices_classes_go_by_revenue_and_without_that_by_quantity() -> None:
    unpriced = Known(positions=KNOWN.positions)
    assert set(table(unpriced)["basis"].to_pylist()) == {"revenue"}
    none = table(unpriced, (None, None, None))
    assert set(none["basis"].to_pylist()) == {"quantity"}
    assert none["cost_assumed"].to_pylist() == [True] * 4


def test_stock_never_counted_has_no_money() -> None:
    rows = table(Known(terms=KNOWN.terms, prices=KNOWN.prices)).to_pylist()
    assert [row["stock_value_cents"] for row in rows] == [None] * 3
    assert [row["cover_days"] for row in rows] == [None] * 3


def test_the_matrix_adds_up_to_the_table() -> None:
    whole = table()
    cells = matrix(whole)
    assert sum(cells["lines"].to_pylist()) == whole.num_rows
    assert sum(cells["stock_value_cents"].to_pylist()) == sum(
        whole["stock_value_cents"].to_pylist()
    )
    first = cells.to_pylist()[0]
    assert (first["abc"], first["xyz"], first["cover_days"]) == ("A", "X", 10.0)
    dead = [row for row in cells.to_pylist() if row["dead_lines"]]
    assert [(row["abc"], row["xyz"], row["dead_value_cents"]) for row in dead] == [
        ("C", "Z", 10_000)
    ]


def test_nothing_gives_an_empty_table() -> None:
    empty = assess(
        history([1.0] * 3).slice(0, 0),
        RECEIPTS.slice(0, 0),
        Known(),
        window=WINDOW,
        yardsticks=YARDSTICKS,
    )
    assert empty.num_rows == 0
    assert matrix(empty).num_rows == 0


def test_sums_by_age_and_by_cover_hold_all_the_money() -> None:
    whole = table()
    money = sum(whole["stock_value_cents"].to_pylist())
    assert sum(ageing(whole)["stock_value_cents"].to_pylist()) == money
    bars = {bar["days"]: bar for bar in cover(whole).to_pylist()}
    assert sum(bar["stock_value_cents"] for bar in bars.values()) == money
    assert (bars["8_14"]["lines"], bars["no_sale"]["lines"]) == (1, 2)
    assert [row["sku"] for row in slow(whole).to_pylist()] == ["C"]


def test_money_beyond_the_order_up_to_level_and_the_shelf_life() -> None:
    life = pa.table({"sku": ["A", "D"], "shelf_life_days": pa.array([44, None], pa.int64())})
    named = life.append_column("name", pa.array(["a", "d"]))
    named = named.append_column("base_unit", pa.array(["each", "each"]))
    rows = {row["sku"]: row for row in table(replace(KNOWN, items=named)).to_pylist()}
    a = rows["A"]
    # 5 a day over review 1 + lead 2 days, and some safety: more than 15, far below 50.
    assert 15 < a["order_up_to"] < 30
    assert a["excess_cents"] == (50 - a["order_up_to"]) * 200
    # 20 units of 40 days keep 4 more days, in which 20 are sold: nothing spoils; of a shelf
    # life of 42 days 2 are left, in which 10 are sold.
    assert a["expiring_cents"] == 0
    shorter = named.set_column(1, "shelf_life_days", pa.array([42, None], pa.int64()))
    rows = {row["sku"]: row for row in table(replace(KNOWN, items=shorter)).to_pylist()}
    assert rows["A"]["expiring_cents"] == 10 * 200
    assert rows["D"]["expiring_cents"] == 0


def test_a_class_can_be_picked_by_its_beginning() -> None:
    assert of_class(table(), "A")["sku"].to_pylist() == ["A"]
    assert of_class(table(), "AXM1")["sku"].to_pylist() == ["A"]
    assert of_class(table(), "").num_rows == 4


def test_a_line_near_a_cut_keeps_the_class_of_before() -> None:
    """A earns a third of its price: M by the cut, but H is held down to 32 %."""
    before = pa.table({"sku": ["A"], "place": ["S1"], "label": ["AXH1"], "pattern": ["smooth"]})
    found = assess(
        history([1.0] * 3), RECEIPTS, KNOWN, window=WINDOW, yardsticks=YARDSTICKS, before=before
    )
    rate = found["margin_rate"][0].as_py()
    assert 0.32 < rate < 0.40, "within the band below the cut of H"
    assert found["label"].to_pylist()[:2] == ["AXH1", "BZL3"]
    assert table()["label"][0].as_py() == "AXM1", "without a class of before the cut decides"
