"""The forecast studio: the league, where it loses, groups by week, overrides and their value."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from sanhe.goods.demand import MeasuredOverride, Override
from sanhe.web.asked import Reason, Word
from sanhe.web.caller import Caller, depends, depends_everywhere
from sanhe.web.console.jobs import JobRow
from sanhe.wiring import override, withdraw_override
from sanhe.wiring.studio import groups, keep_studio, kept_losses, league

router = APIRouter(prefix="/forecast", tags=["forecast"])
Reads = Annotated[Caller, depends("forecast.read")]
Overrides = Annotated[Caller, depends_everywhere("forecast.override")]


class Score(BaseModel):
    """One method on one group, over the origins together (means)."""

    method: str
    group: str
    series: int
    wape: float | None
    bias: float | None
    pinball: float | None
    coverage_90: float | None
    beaten_by: str | None


class League(BaseModel):
    """The scores of every method, by group."""

    rows: list[Score]


class Loss(BaseModel):
    """What a segment or series cost in error; see `Demand.losses`."""

    by: str
    group: str
    sku: str | None
    place: str | None
    series: int
    units: float | None
    wape: float | None
    too_much_cents: int | None
    too_little_cents: int | None
    loss_cents: int | None
    share: float | None
    better_method: str | None
    better_loss_cents: int | None


class Losses(BaseModel):
    """Where the forecast loses, most money first."""

    rows: list[Loss]


class Group(BaseModel):
    """The weeks of a group; a value a week, null = not of that week."""

    group: str
    weeks: list[date]
    sold: list[float | None]
    mean: list[float | None]


class GroupScore(BaseModel):
    """One method on one group over earlier origins."""

    group: str
    method: str
    wape: float | None
    weight: float | None
    beaten_by_naive: bool | None


class Groups(BaseModel):
    """Groups a quarter ahead, with the league that chose their methods."""

    as_of: date
    groups: list[Group]
    league: list[GroupScore]
    notes: list[str]


class OverrideRow(BaseModel):
    """A planner's override and what it was worth; null where nothing has passed yet."""

    id: str
    covers: str
    says: str
    first_day: date
    last_day: date
    reason: str
    author: str
    expires: date
    state: str
    series_days: int
    wape: float | None
    wape_without: float | None
    units_saved: float | None


class OverrideRows(BaseModel):
    """All overrides that stand, the newest first."""

    rows: list[OverrideRow]


class OverrideEntered(BaseModel):
    """What a planner says; see `goods.demand.Override`."""

    first_day: date
    last_day: date
    reason: Reason
    expires: date | None = None
    sku: Word | None = None
    category: Word | None = None
    place: Word | None = None
    city: Word | None = None
    region: Word | None = None
    factor: float | None = Field(default=None, ge=0, le=1000)
    units_per_day: float | None = Field(default=None, ge=0, le=1e12)


@router.post("/backtests", status_code=202)
def start_backtest(caller: Annotated[Caller, depends_everywhere("plan.run")]) -> JobRow:
    """Try the methods on the past and forecast the groups; takes some minutes."""
    sanhe = caller.sanhe
    job = caller.served.running.start(
        "backtest",
        caller.identity.actor,
        lambda report: keep_studio(sanhe, report=report),
        lane="trials",
    )
    return JobRow.of(job)


@router.get("/league")
def read_league(
    caller: Reads, by: Annotated[Literal["velocity", "category", "store"], Query()] = "velocity"
) -> League:
    """The league of the kept backtest."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in league(caller.lake, by=by).to_pylist():
        found.setdefault((row["group"], row["method"]), []).append(row)
    rows = [
        Score(
            method=method,
            group=group,
            series=max(row["series"] for row in rows),
            wape=_mean(rows, "wape"),
            bias=_mean(rows, "bias"),
            pinball=_mean(rows, "pinball_50"),
            coverage_90=_mean(rows, "coverage_90"),
            beaten_by=rows[-1]["beaten_by"],
        )
        for (group, method), rows in found.items()
    ]
    return League(rows=rows)


@router.get("/losses")
def read_losses(caller: Reads, by: Annotated[Word, Query()] = "category") -> Losses:
    """Where the kept backtest loses: by a kind of segment, `all`, or the worst `series`."""
    rows = [row for row in kept_losses(caller.lake).to_pylist() if row["by"] == by]
    return Losses(rows=[Loss.model_validate(_finite(row)) for row in rows])


@router.get("/groups")
def read_groups(
    caller: Reads,
    by: Annotated[Literal["category", "department", "region"], Query()] = "category",
) -> Groups:
    """The weekly forecasts of groups, as the kept backtest made them."""
    details, weeks, scores = groups(caller.lake, by=by)
    of: dict[str, list[dict[str, Any]]] = {}
    for row in weeks.to_pylist():
        of.setdefault(row["group"], []).append(row)
    return Groups(
        as_of=date.fromisoformat(details["as_of"]),
        groups=[
            Group(
                group=name,
                weeks=[row["first_day"] for row in rows],
                sold=[row["sold"] for row in rows],
                mean=[row["mean"] for row in rows],
            )
            for name, rows in of.items()
        ],
        league=[GroupScore.model_validate(_finite(row)) for row in scores.to_pylist()],
        notes=list(details["notes"]),
    )


@router.get("/overrides")
def read_overrides(caller: Reads) -> OverrideRows:
    """The overrides that stand, with their measured value."""
    return OverrideRows(rows=[_row(one) for one in caller.demand.overrides()])


@router.post("/overrides", status_code=201)
def add_override(entered: OverrideEntered, caller: Overrides) -> OverrideRow:
    """Say otherwise than the forecast; the next plan applies it."""
    sanhe, actor = caller.sanhe, caller.identity.actor
    said = Override(
        id="",
        first_day=entered.first_day,
        last_day=entered.last_day,
        reason=entered.reason,
        author=actor,
        expires=entered.expires or entered.last_day,
        said_at=sanhe.clock.now(),
        sku=entered.sku or None,
        category=entered.category or None,
        place=entered.place or None,
        city=entered.city or None,
        region=entered.region or None,
        factor=entered.factor,
        units_per_day=entered.units_per_day,
    )
    made = override(sanhe, said, actor=actor)
    sanhe.refresh_lake()
    return next(_row(one) for one in caller.demand.overrides() if one.override.id == made.id)


@router.delete("/overrides/{id}")
def drop_override(
    override_id: Annotated[Word, Path(alias="id")], caller: Overrides
) -> OverrideRows:
    """Withdraw an override; the next plan no longer applies it."""
    withdraw_override(caller.sanhe, override_id, actor=caller.identity.actor)
    caller.sanhe.refresh_lake()
    return read_overrides(caller)


def _row(one: MeasuredOverride) -> OverrideRow:
    said, worth = one.override, one.worth
    measured = worth.series_days > 0
    return OverrideRow(
        id=said.id,
        covers=said.covers,
        says=said.says,
        first_day=said.first_day,
        last_day=said.last_day,
        reason=said.reason,
        author=said.author,
        expires=said.expires,
        state=one.state,
        series_days=worth.series_days,
        wape=_some(worth.wape) if measured else None,
        wape_without=_some(worth.wape_without) if measured else None,
        units_saved=_some(worth.units_saved) if measured else None,
    )


def _some(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _mean(rows: list[dict[str, Any]], name: str) -> float | None:
    values = [row[name] for row in rows if row[name] is not None and math.isfinite(row[name])]
    return sum(values) / len(values) if values else None


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
