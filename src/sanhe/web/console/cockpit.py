"""The cockpit: what to do first, and how the business stands."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sanhe.web.asked import CockpitAsked
from sanhe.web.caller import Caller, depends

router = APIRouter(tags=["cockpit"])


class Tile(BaseModel):
    """A headline figure against its target and an earlier day; see `loop.desk.Kpi`."""

    name: str
    value: float | None
    unit: str
    before: float | None
    target: float | None
    better: str


class Todo(BaseModel):
    """One kind of exception: lines, money at stake, and the one thing to do."""

    kind: str
    lines: int
    value_cents: int
    action: str


class Figures(BaseModel):
    """The headline figures of a day, a category or a region; rates as shares."""

    inventory_days: float | None
    turnover: float | None
    stock_out_share: float | None
    fill_rate: float | None
    margin_rate: float | None
    expiring_cents: float | None


class Day(Figures):
    """Of a day."""

    day: date


class Category(Figures):
    """Of a category, with the stock in it."""

    category: str | None
    stock_value_cents: int


class RegionFigures(Figures):
    """Of a region, with the stock in it."""

    region: str | None
    stock_value_cents: int


class Cockpit(BaseModel):
    """The first page."""

    as_of: date
    compare_to: date | None
    tiles: list[Tile]
    todo: list[Todo]
    days: list[Day]
    categories: list[Category]
    regions: list[RegionFigures]


@router.get("/cockpit")
def read_cockpit(
    asked: Annotated[CockpitAsked, Query()], caller: Annotated[Caller, depends("cockpit.read")]
) -> Cockpit:
    """The figures of the last plan's morning, and what needs a person."""
    found = caller.desk.cockpit(asked.filters(), compare_to=asked.compare_to)
    return Cockpit(
        as_of=found.as_of,
        compare_to=found.compared_with,
        tiles=[Tile.model_validate(kpi, from_attributes=True) for kpi in found.kpis],
        todo=[Todo.model_validate(one, from_attributes=True) for one in found.todo],
        days=[Day.model_validate(row) for row in found.days],
        categories=[
            Category(category=row["name"], stock_value_cents=round(row["stock_cents"]), **_of(row))
            for row in found.categories
        ],
        regions=[
            RegionFigures(
                region=row["name"], stock_value_cents=round(row["stock_cents"]), **_of(row)
            )
            for row in found.regions
        ],
    )


def _of(row: object) -> dict[str, float | None]:
    assert isinstance(row, dict)
    return {name: row[name] for name in Figures.model_fields}
