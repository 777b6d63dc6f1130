"""What the tills, the shelves and the purchasing of a simulated retailer report, as facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sanhe.sim.columns import (
    day_column,
    empty_facts,
    fact_rows,
    joined,
    payload_text,
    taken,
    together,
)

if TYPE_CHECKING:
    from sanhe.sim.arrays import Bools, Floats, Ints
    from sanhe.sim.book import OrderLines, Outcome
    from sanhe.sim.world import World

OPEN_HOUR, ORDER_HOUR, CLOSE_HOUR, WASTE_HOUR, COUNT_HOUR = 6, 21, 22, 22, 23


def sale_facts(
    world: World, outcome: Outcome, first: int, *, last: int, dense: bool = False
) -> pa.Table:
    """Daily sales from day index `first` to `last`, both included.

    Days without a sale are left out, as tills do, unless the shelf ran dry or the line is new;
    `dense` reports every line every day. The flags tell when a day opened empty or sold out.
    """
    span = slice(first, last + 1)
    listed = np.arange(first, last + 1)[:, None] >= world.lines.listed_from
    new = np.arange(first, last + 1)[:, None] == world.lines.listed_from
    told = (outcome.sales[span] > 0) | (outcome.in_stock_share[span] < 1) | new
    row, line = np.nonzero(listed if dense else told & listed)
    day = row + first
    quantity = outcome.sales[day, line]
    discount = world.offers.discount[day, line]
    price = np.round(world.prices[day, world.lines.sku[line]] * discount).astype(np.int64)
    share = np.round(outcome.in_stock_share[day, line] * 1000).astype(np.int64)
    skus, places = _names(world, line)
    days = day_column(world.settings.first_day, day)
    return fact_rows(
        "sale.day",
        ids=joined("sale", places, skus, days.cast(pa.string())),
        days=days,
        hour=CLOSE_HOUR,
        sku=skus,
        place=places,
        quantity=quantity,
        amount_cents=quantity * price,
        payload=_sale_payload(share, outcome.opening[day, line] == 0, discount),
    )


def _sale_payload(share: Ints, empty: Bools, discount: Floats) -> pa.Array:
    """Payloads by way of their few different values."""
    cut = np.round(discount.astype(np.float64) * 100).astype(np.int64)
    code, where = np.unique((cut * 2 + empty) * 1001 + share, return_inverse=True)
    texts = [
        payload_text(
            {
                "discount": int(each) // 2002 / 100,
                "in_stock_share": int(each) % 1001 / 1000,
                "opened_empty": bool(int(each) // 1001 % 2),
            }
        )
        for each in code
    ]
    return taken(texts, where.astype(np.int64))


def count_facts(world: World, outcome: Outcome, days: list[int]) -> pa.Table:
    """The stock after closing on these day indices, of every line on sale."""
    tables = []
    for day in days:
        line = np.flatnonzero(world.lines.listed_from <= day)
        skus, places = _names(world, line)
        date = str(world.day(day))
        tables.append(
            fact_rows(
                "stock.counted",
                ids=joined("count", places, skus, date),
                days=[world.day(day)] * len(line),
                hour=COUNT_HOUR,
                sku=skus,
                place=places,
                quantity=outcome.closing[day, line],
                payload=["{}"] * len(line),
            )
        )
    return together(tables)


def waste_facts(world: World, outcome: Outcome, first: int, *, last: int) -> pa.Table:
    """Spoiled goods taken off the shelf, as stock movements below zero."""
    row, line = np.nonzero(outcome.waste[first : last + 1])
    day = row + first
    skus, places = _names(world, line)
    days = day_column(world.settings.first_day, day)
    return fact_rows(
        "stock.moved",
        ids=joined("waste", places, skus, days.cast(pa.string())),
        days=days,
        hour=WASTE_HOUR,
        sku=skus,
        place=places,
        quantity=-outcome.waste[day, line],
        payload=[payload_text({"reason": "waste"})] * len(line),
    )


def order_names(world: World, orders: OrderLines) -> list[str]:
    """The number of each order line's order: one order per supplier, place and day."""
    return [
        f"EXT-{world.day(int(day)):%y%m%d}-{world.suppliers[supplier].id}-{world.places[place].id}"
        for day, supplier, place in zip(
            orders.ordered,
            world.lines.supplier[orders.line],
            world.lines.place[orders.line],
            strict=True,
        )
    ]


def ordered_facts(world: World, orders: OrderLines, first: int, *, last: int) -> pa.Table:
    """The order lines placed from day index `first` to `last`."""
    chosen = np.flatnonzero((orders.ordered >= first) & (orders.ordered <= last))
    kept = orders.only(chosen)
    names = order_names(world, kept)
    skus, places = _names(world, kept.line)
    return fact_rows(
        "purchase.ordered",
        ids=joined("ordered", pa.array(names, pa.string()), skus),
        days=day_column(world.settings.first_day, kept.ordered),
        hour=ORDER_HOUR,
        sku=skus,
        place=places,
        party=_parties(world, kept.line),
        quantity=kept.quantity,
        payload=[
            payload_text({"order": name, "due": str(world.day(int(due))), "line": sku})
            for name, due, sku in zip(names, kept.due, skus.to_pylist(), strict=True)
        ],
    )


def receipt_facts(
    world: World,
    orders: OrderLines,
    names: list[str],
    *,
    first: int,
    last: int,
    line_names: list[str] | None = None,
) -> pa.Table:
    """Receipts from day index `first` to `last`, and the rest of short lines cancelled.

    `names` and `line_names` number the orders and their lines, by order line.
    """
    came = np.flatnonzero((orders.arrives >= first) & (orders.arrives <= last))
    tables = [empty_facts()]
    short = orders.delivered < orders.quantity
    for kind, chosen, quantity in (
        ("purchase.received", came[orders.delivered[came] > 0], orders.delivered),
        ("purchase.closed", came[short[came]], orders.quantity - orders.delivered),
    ):
        kept = orders.only(chosen)
        skus, places = _names(world, kept.line)
        order = [names[number] for number in chosen]
        line = skus.to_pylist() if line_names is None else [line_names[n] for n in chosen]
        tables.append(
            fact_rows(
                kind,
                ids=joined(kind.split(".")[1], pa.array(order, pa.string()), skus),
                days=day_column(world.settings.first_day, kept.arrives),
                hour=OPEN_HOUR,
                sku=skus,
                place=places,
                party=_parties(world, kept.line),
                quantity=quantity[chosen],
                payload=[
                    payload_text(
                        {"order": name, "line": part if kind == "purchase.received" else None}
                    )
                    for name, part in zip(order, line, strict=True)
                ],
            )
        )
    return together(tables)


def _names(world: World, line: Ints) -> tuple[pa.Array, pa.Array]:
    return taken(world.sku_ids, line), taken(world.place_ids, line)


def _parties(world: World, line: Ints) -> pa.Array:
    return taken([each.id for each in world.suppliers], world.lines.supplier[line])
