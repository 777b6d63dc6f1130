"""Fact types and facts for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sanhe.core.facts import Fact, FactField, FactType, FactTypes

TYPES = FactTypes(
    [
        FactType(
            "sale.day",
            "goods.demand",
            "Sales of a day.",
            needs=("sku", "place", "quantity"),
            payload={
                "in_stock_share": FactField("float", "share of the day in stock"),
                "opened_empty": FactField("bool", "no stock at opening"),
            },
        ),
        FactType(
            "item.described",
            "goods.catalog",
            "An item.",
            needs=("sku",),
            payload={
                "name": FactField("str", "its name", required=True),
                "pack": FactField("int", "units in a pack"),
                "since": FactField("date", "first day of sale"),
            },
        ),
    ]
)


def sale(external_id: str = "1", quantity: int = 3, *, revision: int = 0, **more: object) -> Fact:
    """A sale of SKU A at place S1 on 3 June 2024."""
    given: dict[str, object] = {
        "type": "sale.day",
        "source": "till",
        "external_id": external_id,
        "event_at": datetime(2024, 6, 3, 12, tzinfo=UTC),
        "day": date(2024, 6, 3),
        "sku": "A",
        "place": "S1",
        "quantity": quantity,
        "revision": revision,
        **more,
    }
    return Fact(**given)  # type: ignore[arg-type]
