"""Inventory health: money by class, age and cover; what is slow; what moved between classes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sanhe.core.errors import NotFound
from sanhe.goods.health import Health
from sanhe.loop.desk import Filters
from sanhe.web.asked import ScopeAsked, Window, Word
from sanhe.web.caller import Caller, depends

router = APIRouter(prefix="/health", tags=["health"])
Reads = Annotated[Caller, depends("health.read")]


class HealthAsked(ScopeAsked):
    """Which stock; `label`: classes that begin so."""

    label: Word | None = None

    def filters(self) -> Filters:
        """As the desk takes them."""
        return replace(super().filters(), label=self.label or None)


class HealthPageAsked(HealthAsked, Window):
    """One page of it."""


class Cell(BaseModel):
    """A class by value and regularity, with the money in it."""

    abc: str
    xyz: str
    lines: int
    dead_lines: int
    stock_value_cents: int
    dead_value_cents: int
    excess_cents: int
    expiring_cents: int
    cover_days: float | None


class Aged(BaseModel):
    """The money of a class in a bucket of age (days since the goods arrived)."""

    abc: str
    xyz: str
    bucket: str
    stock_value_cents: int


class Bar(BaseModel):
    """The stock that lasts so many days."""

    days: str
    lines: int
    stock_value_cents: int


class HealthTold(BaseModel):
    """The overview."""

    as_of: date
    matrix: list[Cell]
    ageing: list[Aged]
    cover: list[Bar]


class Slow(BaseModel):
    """A line whose stock is dead or lasts a quarter or more."""

    sku: str
    place: str
    item_name: str | None
    label: str | None
    on_hand: int | None
    stock_value_cents: int | None
    cover_days: float | None
    age_days: float | None
    days_since_sale: float | None
    excess_cents: int | None
    expiring_cents: int | None
    dead: bool


class SlowPage(BaseModel):
    """Some slow lines, most money first."""

    rows: list[Slow]
    total: int
    offset: int


class Move(BaseModel):
    """A line that changed its class, and why."""

    sku: str
    place: str
    from_label: str | None
    to_label: str | None
    stock_value_cents: int | None
    reason: str


class MovePage(BaseModel):
    """Some moves between the two days kept last, most money first."""

    rows: list[Move]
    total: int
    offset: int
    from_day: date | None
    to_day: date | None


@router.get("")
def read_health(asked: Annotated[HealthAsked, Query()], caller: Reads) -> HealthTold:
    """Where the money lies by class, how old it is and how long it lasts."""
    found = caller.desk.stock(asked.filters())
    return HealthTold(
        as_of=found.as_of,
        matrix=[
            Cell(
                abc=row["abc"],
                xyz=row["xyz"],
                lines=round(row["lines"]),
                dead_lines=round(row["dead_lines"]),
                stock_value_cents=round(row["stock_cents"]),
                dead_value_cents=round(row["dead_cents"]),
                excess_cents=round(row["excess_cents"]),
                expiring_cents=round(row["expiring_cents"]),
                cover_days=row["cover_days"],
            )
            for row in found.cells
        ],
        ageing=[
            Aged(
                abc=row["abc"],
                xyz=row["xyz"],
                bucket=row["bucket"],
                stock_value_cents=round(row["stock_cents"]),
            )
            for row in found.ages
        ],
        cover=[
            Bar(
                days=row["days"],
                lines=row["lines"],
                stock_value_cents=round(row["stock_cents"] or 0),
            )
            for row in found.cover
        ],
    )


@router.get("/slow")
def read_slow(asked: Annotated[HealthPageAsked, Query()], caller: Reads) -> SlowPage:
    """Dead stock, and stock that lasts a quarter or more."""
    page = caller.desk.lines(
        replace(asked.filters(), slow=True),
        sort="stock_value_cents",
        offset=asked.offset,
        limit=asked.limit,
    )
    rows = [
        Slow.model_validate({**row, "dead": bool(row["dead"])}) for row in page.rows.to_pylist()
    ]
    return SlowPage(rows=rows, total=page.total, offset=page.offset)


@router.get("/moves")
def read_moves(asked: Annotated[HealthPageAsked, Query()], caller: Reads) -> MovePage:
    """What moved between classes; none before two days are kept."""
    try:
        found = Health(caller.lake).moves()
    except NotFound:
        return MovePage(rows=[], total=0, offset=0, from_day=None, to_day=None)
    lines = found.of(asked.label or "", place=asked.place or None).lines
    window = lines.slice(asked.offset, asked.limit).to_pylist()
    return MovePage(
        rows=[Move.model_validate(row) for row in window],
        total=lines.num_rows,
        offset=asked.offset,
        from_day=found.from_day,
        to_day=found.to_day,
    )
