"""The tiny retailer's files: what its systems would export, in the columns of everyday tables."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from sanhe.sim import DaysOfCover, Outcome, World, run, tiny_world

MASTERS = ("places", "suppliers", "items", "supply")
"""The files that must come first."""


@cache
def tiny_retailer(seed: int = 1) -> tuple[World, Outcome]:
    """Three stores, a warehouse, 16 SKUs, 70 days under the old policy."""
    world = World(tiny_world(seed))
    return world, run(world, DaysOfCover(), days=world.settings.history_days)


@cache
def deliveries(seed: int = 1) -> dict[str, pa.Table]:
    """The tiny retailer's facts by delivery."""
    world, history = tiny_retailer(seed)
    return world.facts(history, counted_days=5, orders_days=30)


def written(path: Path, header: str, rows: Iterable[Sequence[object]]) -> Path:
    """A CSV file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def files(folder: Path, seed: int = 1) -> dict[str, Path]:
    """The retailer's exports by name, the masters first."""
    told = {name: list(map(_opened, table.to_pylist())) for name, table in deliveries(seed).items()}
    folder.mkdir(parents=True, exist_ok=True)
    prices = {row["sku"]: row["amount_cents"] / 100 for row in reversed(told["prices"])}
    return {
        "places": written(
            folder / "places.csv",
            "store,store name,kind,city,region",
            [_picked(r, "place,name,kind,city,region") for r in told["places"]],
        ),
        "suppliers": written(
            folder / "suppliers.csv",
            "supplier,supplier name,order weekdays",
            [_picked(r, "party,name,order_weekdays") for r in told["suppliers"]],
        ),
        "items": written(
            folder / "items.csv",
            "sku,item name,category,case,shelf life days,price",
            [
                (*_picked(r, "sku,name,category,case,shelf_life_days"), prices[r["sku"]])
                for r in told["items"]
            ],
        ),
        "supply": written(
            folder / "supply.csv",
            "supplier,sku,store,unit cost,lead time days,moq,case",
            [_picked(r, "party,sku,place,cost,lead_time_days,moq,case") for r in told["supply"]],
        ),
        "sales": written(folder / "sales.csv", SALES, map(sale, told["sales"])),
        "stock": written(
            folder / "stock.csv",
            "count date,store,sku,on hand",
            [_picked(r, "day,place,sku,quantity") for r in told["stock"]],
        ),
    }


SALES = "date,store,sku,quantity,amount,in stock share"


def sale(row: dict[str, Any]) -> tuple[object, ...]:
    """A sale as a row of the sales file."""
    amount = row["amount_cents"] / 100
    return (row["day"], row["place"], row["sku"], row["quantity"], amount, row["in_stock_share"])


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    cents = row["amount_cents"]
    return {**row, **json.loads(row["payload"]), "cost": None if cents is None else cents / 100}


def _picked(row: dict[str, Any], names: str) -> tuple[object, ...]:
    return tuple(row.get(name) for name in names.split(","))
