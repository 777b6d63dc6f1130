"""The health table and matrix from small tables whose figures can be checked by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pytest

from sanhe.goods.health import Cuts, Window, assess, matrix
from sanhe.goods.replenish import Assumptions, Known

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


RECEIPTS = pa.table({"sku": ["A"], "place": ["S1"], "last_receipt": [ago(4)]})
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
        cuts=Cuts(),
        assumptions=Assumptions.load(),
    )


def test_each_line_has_its_class_money_cover_and_age() -> None:
    rows = {row["sku"]: row for row in table().to_pylist()}
    a = rows["A"]
    assert (a["label"], a["pattern"], a["basis"]) == ("AX", "smooth", "margin")
    assert a["value"] == pytest.approx(450 * 100)
    assert (a["stock_value_cents"], a["cover_days"], a["age_days"]) == (10_000, 10.0, 4)
    assert (rows["B"]["label"], rows["B"]["pattern"]) == ("BZ", "lumpy")
    assert rows["B"]["age_days"] == 300
    assert (rows["C"]["dead"], rows["C"]["cover_days"], rows["C"]["label"]) == (True, None, "CZ")
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
        cuts=Cuts(),
        assumptions=Assumptions.load(),
    )
    assert empty.num_rows == 0
    assert matrix(empty).num_rows == 0
