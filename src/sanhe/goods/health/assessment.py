"""Put sales, stock and money of each SKU × place together and class it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.health import rules
from sanhe.goods.health.rules import Cuts, Sales
from sanhe.goods.replenish import Assumptions, Known, Matched, UnitMoney, unit_money
from sanhe.models.inventory import Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Window:
    """The days looked at: from `first_day` up to, not including, `as_of`."""

    first_day: date
    as_of: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.as_of - self.first_day).days


def assess(
    history: pa.Table,
    receipts: pa.Table,
    known: Known,
    *,
    window: Window,
    cuts: Cuts,
    assumptions: Assumptions,
) -> pa.Table:
    """The health table, one row for each SKU × place that ever sold or holds stock.

    `history`, `receipts`: as sale_history.sql and last_receipt.sql give them. Columns: sku,
    place, label (abc + xyz), abc, xyz, pattern, basis (what abc goes by), value (of the window,
    in cents or units by basis), quantity, daily_mean, adi, cv2, on_hand (null = never counted),
    stock_value_cents, cover_days (null = no sale or no stock known), days_since_sale,
    days_since_receipt, age_days (since the last receipt, else since it was first seen), dead,
    cost_assumed.
    """
    import pyarrow as pa

    skus, places = _keys(history, known.positions)
    money = unit_money(
        skus,
        places,
        terms=known.terms,
        prices=known.prices,
        items=known.items,
        assumptions=assumptions,
    )
    sold = Matched(history, skus, places)
    sales = _sales(sold, window)
    value, basis = _value(sold, sales, money, cuts=cuts)
    abc = rules.value_classes(value, a_share=cuts.a_share, b_share=cuts.b_share)
    pattern = rules.patterns(sales)
    xyz = [rules.regularity_class(name) for name in pattern]
    columns = {
        "sku": pa.array(skus, pa.string()),
        "place": pa.array(places, pa.string()),
        "label": pa.array([a + x for a, x in zip(abc, xyz, strict=True)], pa.string()),
        "abc": pa.array(abc, pa.string()),
        "xyz": pa.array(xyz, pa.string()),
        "pattern": pa.array(pattern, pa.string()),
        "basis": pa.array([basis] * len(skus), pa.string()),
        "value": value,
        "quantity": sales.quantity,
        "daily_mean": _daily_mean(sales),
        "adi": _nullable(sales.interval()),
        "cv2": _nullable(sales.variation()),
        "cost_assumed": money.cost_assumed,
    }
    stock = Matched(known.positions, skus, places).numbers("net")
    columns |= _held(stock, _daily_mean(sales), money)
    received = Matched(receipts, skus, places).values("last_receipt")
    columns |= _aged(stock, sold, received, window=window, dead_days=cuts.dead_days)
    return pa.table(columns)


def _held(stock: Floats, daily_mean: Floats, money: UnitMoney) -> dict[str, object]:
    """The columns of what lies there; null where stock was never counted."""
    on_hand = np.where(np.isnan(stock), np.nan, np.maximum(stock, 0.0))
    cover = np.full(stock.shape, np.nan)
    np.divide(on_hand, daily_mean, out=cover, where=daily_mean > 0)
    return {
        "on_hand": _whole(on_hand),
        "stock_value_cents": _whole(on_hand * money.cost_cents),
        "cover_days": _nullable(cover),
    }


def _aged(
    stock: Floats,
    sold: Matched,
    received: list[date | None],
    *,
    window: Window,
    dead_days: int,
) -> dict[str, object]:
    """The columns of age, in days before the end of the window."""
    since_sale = _days_since(sold.values("last_sale"), window.as_of)
    since_receipt = _days_since(received, window.as_of)
    in_range = _days_since(sold.values("first_seen"), window.as_of)
    on_hand = np.maximum(np.nan_to_num(stock), 0.0).astype(np.int64)
    return {
        "days_since_sale": _whole(since_sale),
        "days_since_receipt": _whole(since_receipt),
        "age_days": _whole(np.where(np.isnan(since_receipt), in_range, since_receipt)),
        "dead": rules.dead(on_hand, since_sale, in_range, dead_days=dead_days),
    }


def _daily_mean(sales: Sales) -> Floats:
    """Mean units a day over the days of the window in which the line was there."""
    mean: Floats = sales.quantity / np.maximum(sales.days, 1)
    return mean


def matrix(table: pa.Table) -> pa.Table:
    """The health matrix: one row for each abc × xyz that occurs, in their order.

    Columns: abc, xyz, lines, stock_value_cents, dead_lines, dead_value_cents, value,
    cover_days (of the lines that hold stock and sell, weighed by cost; null without any).
    """
    import pyarrow as pa

    names = ("abc", "xyz", "stock_value_cents", "dead", "value", "cover_days")
    cells: dict[tuple[str, str], _Cell] = {}
    for abc, xyz, held, is_dead, value, cover in zip(
        *(table.column(name).to_pylist() for name in names), strict=True
    ):
        cells.setdefault((abc, xyz), _Cell()).add(held or 0, value, cover, is_dead=is_dead)
    ordered = sorted(cells.items())
    return pa.table(
        {
            "abc": pa.array([key[0] for key, _ in ordered], pa.string()),
            "xyz": pa.array([key[1] for key, _ in ordered], pa.string()),
            "lines": pa.array([cell.lines for _, cell in ordered], pa.int64()),
            "stock_value_cents": pa.array([cell.held for _, cell in ordered], pa.int64()),
            "dead_lines": pa.array([cell.dead_lines for _, cell in ordered], pa.int64()),
            "dead_value_cents": pa.array([cell.dead_held for _, cell in ordered], pa.int64()),
            "value": pa.array([cell.value for _, cell in ordered], pa.float64()),
            "cover_days": pa.array([cell.cover_days for _, cell in ordered], pa.float64()),
        }
    )


@dataclass(slots=True)
class _Cell:
    """The sums of one cell of the matrix, money in cents."""

    lines: int = 0
    held: int = 0
    dead_lines: int = 0
    dead_held: int = 0
    value: float = 0.0
    moving: int = 0
    sold_per_day: float = 0.0

    def add(self, held: int, value: float, cover_days: float | None, *, is_dead: bool) -> None:
        """Count one line in; the cost of its daily sales is its stock over its cover."""
        self.lines += 1
        self.held += held
        self.dead_lines += is_dead
        self.dead_held += held if is_dead else 0
        self.value += value
        if cover_days:
            self.moving += held
            self.sold_per_day += held / cover_days

    @property
    def cover_days(self) -> float | None:
        """Days the stock of the lines that sell will last, weighed by cost."""
        return self.moving / self.sold_per_day if self.sold_per_day > 0 else None


def _keys(history: pa.Table, positions: pa.Table | None) -> tuple[list[str], list[str]]:
    """Every SKU × place of the two tables once, sorted."""
    keys: set[tuple[str, str]] = set()
    for table in (history, positions):
        if table is not None:
            columns = (table.column("sku").to_pylist(), table.column("place").to_pylist())
            keys.update(zip(*columns, strict=True))
    ordered = sorted(keys)
    return [sku for sku, _ in ordered], [place for _, place in ordered]


def _sales(sold: Matched, window: Window) -> Sales:
    """The sums of the window as arrays; a line without history has sold nothing."""
    seen = _days_since(sold.values("first_seen"), window.as_of)
    days = np.minimum(np.where(np.isnan(seen), window.days, seen), window.days)
    return Sales(
        days=days.astype(np.int64),
        sale_days=np.nan_to_num(sold.numbers("sale_days")).astype(np.int64),
        quantity=np.nan_to_num(sold.numbers("quantity")),
        squares=np.nan_to_num(sold.numbers("squares")),
    )


def _value(sold: Matched, sales: Sales, money: UnitMoney, *, cuts: Cuts) -> tuple[Floats, str]:
    """What each line brought in the window, by the best basis that is known."""
    revenue = sold.numbers("revenue_cents")
    basis = rules.basis_of(
        ~(money.margin_assumed | money.cost_assumed),
        ~np.isnan(revenue),
        sales.quantity > 0,
        known_share=cuts.known_share,
    )
    if basis == "margin":
        return sales.quantity * money.margin_cents, basis
    if basis == "revenue":
        return np.nan_to_num(revenue), basis
    return sales.quantity, basis


def _days_since(days: list[date | None], as_of: date) -> Floats:
    """Days from each day to `as_of`; nan without a day."""
    return np.array([np.nan if day is None else (as_of - day).days for day in days], np.float64)


def _nullable(values: Floats) -> pa.Array:
    """Numbers with null where they are not finite."""
    import pyarrow as pa

    return pa.array(values, pa.float64(), mask=~np.isfinite(values))


def _whole(values: Floats) -> pa.Array:
    """Whole numbers with null where there is none."""
    import pyarrow as pa

    missing = ~np.isfinite(values)
    whole: Ints = np.rint(np.where(missing, 0, values)).astype(np.int64)
    return pa.array(whole, pa.int64(), mask=missing)
