"""Moves between kept days: the matrix adds up, and each reason says what happened."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.lake import MemoryLake
from sanhe.goods.health import Health
from sanhe.goods.health.labels import LABELS, before_of, labels

DAY = date(2025, 9, 22)
WEEK = timedelta(weeks=1)


def day_table(*rows: tuple[object, ...]) -> pa.Table:
    """(sku, label, pattern, value, adi, price, margin rate, money, days since sale, age)."""
    names = ("sku", "label", "pattern", "value", "adi", "price_cents", "margin_rate")
    kinds = (pa.string(),) * 3 + (pa.float64(),) * 4 + (pa.int64(),) * 3
    every = (*names, "stock_value_cents", "days_since_sale", "age_days")
    columns = {
        name: pa.array([row[at] for row in rows], kind)
        for at, (name, kind) in enumerate(zip(every, kinds, strict=True))
    }
    return pa.table({**columns, "place": ["S1"] * len(rows)})


BEFORE = day_table(
    ("value", "AXM1", "smooth", 1000.0, 1.0, 100.0, 0.3, 500, 1, 9),
    ("rare", "AXM1", "smooth", 1000.0, 1.0, 100.0, 0.3, 600, 1, 9),
    ("price", "AXM1", "smooth", 1000.0, 1.0, 100.0, 0.3, 700, 1, 9),
    ("dead", "CZM3", "lumpy", 10.0, 30.0, 100.0, 0.3, 800, 60, 200),
    ("steady", "BXM1", "smooth", 200.0, 1.0, 100.0, 0.3, 900, 1, 9),
    ("gone", "CZM0", "none", 0.0, None, 100.0, 0.3, 50, 91, 9),
    ("others", "AXM1", "smooth", 1000.0, 1.0, 100.0, 0.3, 10, 1, 9),
)
NOW = day_table(
    ("value", "BXM1", "smooth", 600.0, 1.0, 100.0, 0.3, 510, 1, 9),
    ("rare", "AYM1", "intermittent", 1000.0, 2.3, 100.0, 0.3, 610, 1, 9),
    ("price", "AXL1", "smooth", 1000.0, 1.0, 60.0, -0.1, 710, 1, 9),
    ("dead", "CZM4", "none", 10.0, None, 100.0, 0.3, 810, 95, 235),
    ("steady", "BXM1", "smooth", 200.0, 1.0, 100.0, 0.3, 900, 1, 9),
    ("new", "CYM1", "erratic", 5.0, 1.0, 100.0, 0.3, 20, 1, 2),
    ("others", "BXM1", "smooth", 1020.0, 1.0, 100.0, 0.3, 10, 1, 9),
)


@pytest.fixture
def health() -> Health:
    kept = Health(MemoryLake())
    kept.keep(DAY, BEFORE)
    kept.keep(DAY + WEEK, NOW)
    return kept


def test_each_reason_says_what_happened(health: Health) -> None:
    rows = {row["sku"]: row for row in health.moves().lines.to_pylist()}
    assert {sku: row["reason"] for sku, row in rows.items()} == {
        "value": "value fell 40 %",
        "rare": "became intermittent (a sale every 2.3 days)",
        "price": "price below cost after a price cut",
        "dead": "dead: no sale for 95 days",
        "gone": "neither sold nor in stock any more",
        "new": "new",
        "others": "value rose 2 %, the others more",
    }
    assert (rows["value"]["from_label"], rows["value"]["to_label"]) == ("AXM1", "BXM1")
    assert (rows["new"]["from_label"], rows["gone"]["to_label"]) == (None, None)


def test_the_matrix_counts_every_line_once_with_its_money(health: Health) -> None:
    moves = health.moves()
    cells = {(m["from_label"], m["to_label"]): m for m in moves.matrix.to_pylist()}
    assert sum(cell["lines"] for cell in cells.values()) == 8
    assert sum(cell["stock_value_cents"] for cell in cells.values()) == 3570 + 50
    assert (cells["BXM1", "BXM1"]["lines"], cells["AXM1", "BXM1"]["lines"]) == (1, 2)
    assert (moves.from_day, moves.to_day) == (DAY, DAY + WEEK)


def test_fewer_letters_leave_finer_moves_aside(health: Health) -> None:
    moved = {row["sku"] for row in health.moves(depth=2).lines.to_pylist()}
    assert moved == {"value", "rare", "gone", "new", "others"}
    with pytest.raises(BadInput, match="5 letters"):
        health.moves(depth=5)


def test_moves_are_narrowed_to_a_class_and_a_place(health: Health) -> None:
    moves = health.moves()
    lines = moves.lines.to_pylist()
    assert moves.of().lines.equals(moves.lines) and moves.of().matrix.equals(moves.matrix)
    of_b = moves.of("BX")
    wanted = [
        row for row in lines if "BX" in ((row["from_label"] or "")[:2], (row["to_label"] or "")[:2])
    ]
    assert of_b.lines.to_pylist() == wanted and 0 < len(wanted) < len(lines)
    assert all(
        "BX" in ((m["from_label"] or "")[:2], (m["to_label"] or "")[:2])
        for m in of_b.matrix.to_pylist()
    )
    place = lines[0]["place"]
    here = moves.of(place=place)
    assert here.lines.to_pylist() == [row for row in lines if row["place"] == place]
    assert moves.of(place="nowhere").lines.num_rows == 0 and here.matrix.equals(moves.matrix)


def test_a_day_without_classes_is_said(health: Health) -> None:
    with pytest.raises(NotFound, match="no classes are kept"):
        health.moves(to_day=DAY)
    assert health.moves(from_day=DAY + timedelta(days=3)).from_day == DAY
    with pytest.raises(NotFound, match="no classes are kept"):
        Health(MemoryLake()).moves()


def test_the_same_day_replaces_itself_and_a_week_keeps_its_newest(health: Health) -> None:
    health.keep(DAY, NOW)
    assert health.kept_days() == [DAY, DAY + WEEK]
    assert health.moves().lines.num_rows == 0
    health.keep(DAY + timedelta(days=2), NOW)
    assert health.kept_days() == [DAY + timedelta(days=2), DAY + WEEK]


def test_labels_are_read_back_as_they_were_written() -> None:
    text = pa.chunked_array([pa.array([*LABELS, None], pa.string())])
    pattern = pa.chunked_array([pa.array(["lumpy"] * len(LABELS) + [None], pa.string())])
    found = before_of(text, pattern)
    regularity = [("XYZ".find(label[1])) for label in LABELS]
    again = labels(
        found.value[:-1], np.array(regularity), margin=found.margin[:-1], age=found.age[:-1]
    )
    assert again.to_pylist() == list(LABELS)
    assert (found.value[-1], found.margin[-1], found.age[-1], found.pattern[-1]) == (-1,) * 4
