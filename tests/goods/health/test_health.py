"""Health from the lake's facts: what was sold, when goods came, what a return does not change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from sanhe.core.facts import Fact, facts_table
from sanhe.core.lake import MemoryLake, write_facts
from sanhe.goods.health import Health, matrix
from sanhe.goods.replenish import Known

AS_OF = date(2025, 9, 25)


def fact(
    kind: str, days_ago: int, *, sku: str = "A", quantity: int | None = None, **more: object
) -> Fact:
    day = AS_OF - timedelta(days=days_ago)
    return Fact(
        type=kind,
        source="test",
        external_id=f"{kind}/{sku}/{days_ago}/{sorted(more.items())}/{quantity}",
        event_at=datetime.combine(day, datetime.min.time(), UTC),
        day=day,
        sku=sku,
        place="S1",
        quantity=quantity,
        **more,  # type: ignore[arg-type]
    )


def lake_of(facts: Iterable[Fact]) -> MemoryLake:
    lake = MemoryLake()
    write_facts(lake, facts_table(list(facts)))
    return lake


def rows_of(facts: Iterable[Fact]) -> dict[str, dict[str, object]]:
    table = Health(lake_of(facts)).table(AS_OF, Known())
    return {row["sku"]: row for row in table.to_pylist()}


def test_sales_of_days_and_lines_make_the_class() -> None:
    daily = [fact("sale.day", ago, quantity=5, amount_cents=900) for ago in range(1, 85)]
    lines = [
        fact("sale.line", ago, sku="B", quantity=1, amount_cents=100, payload={"receipt": str(n)})
        for ago in (3, 40)
        for n in range(2)
    ]
    rows = rows_of([*daily, *lines])
    a, b = rows["A"], rows["B"]
    assert (a["label"], a["basis"], a["quantity"]) == ("AXM0", "revenue", 420.0)
    assert a["value"] == pytest.approx(84 * 900)
    assert (b["quantity"], b["days_since_sale"], b["label"]) == (4.0, 3, "CYM0")
    assert b["adi"] == 20.0


def test_a_return_is_no_negative_sale_and_tomorrow_is_not_seen() -> None:
    rows = rows_of(
        [
            fact("sale.line", 5, quantity=4, payload={"receipt": "1"}),
            fact("sale.line", 5, quantity=-3, payload={"receipt": "2"}),
            fact("sale.day", 0, quantity=99),
            fact("sale.day", -1, quantity=99),
        ]
    )
    # Both lines lie on one day, whose gross sales are 4.
    assert rows["A"]["quantity"] == 4.0
    assert rows["A"]["days_since_sale"] == 5


def test_age_is_taken_from_the_last_receipt() -> None:
    rows = rows_of(
        [
            fact("stock.counted", 80, quantity=10),
            fact("purchase.received", 30, quantity=5, payload={"order": "1"}),
            fact("purchase.received", 12, quantity=5, payload={"order": "2"}),
            fact("stock.counted", 50, sku="B", quantity=3),
        ]
    )
    assert (rows["A"]["days_since_receipt"], rows["A"]["age_days"]) == (12, 12)
    assert (rows["B"]["days_since_receipt"], rows["B"]["age_days"]) == (None, 50)
    assert rows["A"]["pattern"] == "none"


def test_an_empty_lake_gives_an_empty_table_and_matrix() -> None:
    table = Health(MemoryLake()).table(AS_OF, Known())
    assert table.num_rows == 0
    assert matrix(table).num_rows == 0
