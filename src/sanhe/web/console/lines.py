"""The workbench, the exceptions, and one line opened up."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel

from sanhe.core.decisions import AutoApproval, Status
from sanhe.core.errors import NotFound
from sanhe.goods.demand import ForecastRun
from sanhe.goods.replenish import KIND, TERMS, explained_terms
from sanhe.loop.desk import Page, in_brief
from sanhe.web.asked import ExceptionsAsked, LinesAsked, LinesPageAsked, Word
from sanhe.web.caller import Caller, depends
from sanhe.web.console.told import (
    AutoRule,
    DecisionRow,
    Deed,
    Explained,
    HistoryStep,
    Term,
    deeds_of,
    row_of,
)
from sanhe.web.files import csv_file, excel_file

router = APIRouter(tags=["lines"])
May = Annotated[Caller, depends("decisions.read")]


class LineRow(BaseModel):
    """One SKU at one place as the plan left it; `reason` in a few words.

    `number`, `status`, `decided`: of its newest decision; `deeds`: what may still be made of it;
    `rule`: which rule approves it, or comes nearest, while it waits.
    """

    sku: str
    place: str
    region: str | None
    item_name: str | None
    category: str | None
    supplier: str | None
    label: str | None
    on_hand: int | None
    on_order: int
    reserved: int
    cover_days: float | None
    forecast_per_day: float | None
    lead_time_days: float | None
    quantity: int
    value_cents: int
    stock_value_cents: int | None
    exception: str | None
    number: int | None = None
    status: str | None = None
    decided: int | None = None
    deeds: list[Deed] = []
    rule: AutoRule | None = None
    reason: str = ""


class LinePage(BaseModel):
    """Some lines of all that were asked for."""

    rows: list[LineRow]
    total: int
    offset: int
    as_of: date


@router.get("/workbench")
def read_workbench(asked: Annotated[LinesPageAsked, Query()], caller: May) -> LinePage:
    """The lines of the last plan with the decisions on them."""
    sort, descending = asked.order
    page = caller.desk.lines(
        asked.filters(), sort=sort, descending=descending, offset=asked.offset, limit=asked.limit
    )
    return LinePage(
        rows=_rows(caller, page), total=page.total, offset=page.offset, as_of=page.as_of
    )


@router.get("/workbench.xlsx", response_class=Response, responses=excel_file.responses)
def workbench_as_excel(asked: Annotated[LinesAsked, Query()], caller: May) -> Response:
    """All of these lines as a workbook; no cell is taken for a formula."""
    return excel_file(_export(caller, asked), "workbench")


@router.get("/workbench.csv", response_class=Response, responses=csv_file.responses)
def workbench_as_csv(asked: Annotated[LinesAsked, Query()], caller: May) -> Response:
    """All of these lines as a CSV; no cell is taken for a formula."""
    return csv_file(_export(caller, asked), "workbench")


class ExceptionRow(BaseModel):
    """A line that needs a person: why, what is at stake, what to know, and its proposal."""

    kind: str
    sku: str
    place: str
    item_name: str | None
    label: str | None
    value_cents: int
    facts: dict[str, float | None]
    number: int | None
    status: str | None
    deeds: list[Deed]
    quantity: int | None


class ExceptionPage(BaseModel):
    """Some exceptions, most money first."""

    rows: list[ExceptionRow]
    total: int
    offset: int
    as_of: date


_FACTS = ("on_hand", "on_order", "forecast_per_day", "cover_days", "lead_time_days")


@router.get("/exceptions")
def read_exceptions(
    asked: Annotated[ExceptionsAsked, Query()],
    caller: Annotated[Caller, depends("decisions.read")],
) -> ExceptionPage:
    """What needs a person, sorted by the money at stake."""
    page = caller.desk.exceptions(asked.filters(), offset=asked.offset, limit=asked.limit)
    standing, now = _standing(caller, page), caller.sanhe.clock.now()
    rows = [
        ExceptionRow(
            kind=row["exception"],
            sku=row["sku"],
            place=row["place"],
            item_name=row["item_name"],
            label=row["label"],
            value_cents=row["exception_cents"],
            facts={name: row[name] for name in _FACTS},
            number=decision.get("number"),
            status=decision.get("status"),
            deeds=deeds_of(Status(decision["status"]), valid_until=decision["valid_until"], now=now)
            if decision
            else [],
            quantity=decision.get("value", row["quantity"] or None),
        )
        for row in page.rows.to_pylist()
        for decision in [standing.get((row["sku"], row["place"]), {})]
    ]
    return ExceptionPage(rows=rows, total=page.total, offset=page.offset, as_of=page.as_of)


class Series(BaseModel):
    """What was sold and what is expected, a value a day in base units; null = not of that day.

    `low`, `high`: 90 % of days lie between. `promoted`: the forecast counts on a promotion.
    """

    days: list[date]
    sold: list[float | None]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    stocked_out: list[bool]
    promoted: list[bool]


class LineTold(BaseModel):
    """A line opened up: its arithmetic, its newest decision with history, and its demand.

    `rule`: the auto-approval rule nearest to the decision; None without a rule of its kind.
    `orders`: what carried it out.
    """

    line: LineRow
    explanation: Explained
    decision: DecisionRow | None
    history: list[HistoryStep]
    series: Series | None
    rule: AutoRule | None
    orders: list[str]


@router.get("/lines/{place}/{sku:path}")
def read_line(
    place: Annotated[Word, Path()], sku: Annotated[Word, Path()], caller: May
) -> LineTold:
    """Why this line orders what it orders, from the snapshot its decision was made of."""
    found = caller.desk.line(sku, place)
    with caller.work() as work:
        lines = _keys([found])
        standing = work.decisions.standing(KIND, lines).to_pylist()
        decision = work.decisions.get(standing[0]["number"]) if standing else None
        explanation = _unordered(found)
        if decision is not None:
            explanation = Explained.of(decision, work.replenish.explain(decision.number))
    rules, now = caller.sanhe.policy().auto_approval, caller.sanhe.clock.now()
    row = _row(found, standing[0] if standing else {}, rules=rules, now=now)
    return LineTold(
        line=row,
        explanation=explanation,
        decision=None if decision is None else row_of(decision, now=now),
        history=[] if decision is None else [HistoryStep.of(one) for one in decision.history],
        series=_series(caller, sku, place),
        rule=row.rule,
        orders=[] if decision is None else list(decision.actions),
    )


def _rows(caller: Caller, page: Page) -> list[LineRow]:
    standing, now = _standing(caller, page), caller.sanhe.clock.now()
    rules = caller.sanhe.policy().auto_approval
    return [
        _row(row, standing.get((row["sku"], row["place"]), {}), rules=rules, now=now)
        for row in page.rows.to_pylist()
    ]


def _standing(caller: Caller, page: Page) -> dict[tuple[str, str], dict[str, Any]]:
    """The newest decision of each line of a page."""
    if not page.rows.num_rows:
        return {}
    with caller.work() as work:
        found = work.decisions.standing(KIND, page.rows.select(["sku", "place"]))
    return {(row["sku"], row["place"]): row for row in found.to_pylist()}


def _row(
    row: dict[str, Any],
    decision: dict[str, Any],
    *,
    rules: tuple[AutoApproval, ...],
    now: datetime,
) -> LineRow:
    told = {name: row[name] for name in LineRow.model_fields if name in row}
    made = LineRow(**told, reason=_brief(row))
    if decision:
        status, until = Status(decision["status"]), decision["valid_until"]
        made.number, made.status, made.decided = decision["number"], status, decision["value"]
        made.deeds = deeds_of(status, valid_until=until, now=now)
        if made.deeds:
            label, cents = decision["label"], decision["value_cents"]
            made.rule = AutoRule.of(rules, KIND, label=label, value_cents=cents)
    return made


def _brief(row: dict[str, Any]) -> str:
    return in_brief(row["on_hand"], row["cover_days"], row["lead_time_days"])


def _export(caller: Caller, asked: LinesAsked) -> list[dict[str, Any]]:
    sort, descending = asked.order
    rows: list[dict[str, Any]] = caller.desk.export(
        asked.filters(), sort=sort, descending=descending
    ).to_pylist()
    return rows


def _keys(rows: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    return pa.table({name: [row[name] for row in rows] for name in ("sku", "place")})


def _unordered(row: dict[str, Any]) -> Explained:
    """The arithmetic of a line without a decision, from what the plan kept of it."""
    terms = explained_terms({name: row[f"term_{name}"] or 0 for name in TERMS})
    return Explained(
        number=None,
        status=None,
        sku=row["sku"],
        place=row["place"],
        item_name=row["item_name"],
        label=row["label"] or "",
        reason=_brief(row),
        quantity=row["quantity"] or 0,
        decided=row["quantity"] or 0,
        value_cents=row["value_cents"] or 0,
        terms=Term.all_of(terms),
        limits=[],
        assumed=[],
        alternatives=[],
        expected=None,
        method="",
    )


def _series(caller: Caller, sku: str, place: str) -> Series | None:
    """The last four weeks and the forecast; None where the line is not forecast."""
    try:
        run = caller.demand.latest_of(sku, place)
    except NotFound:
        return None
    return _told(run)


def _told(run: ForecastRun) -> Series:
    sold = run.history.last_days[0]
    ahead = run.mean.shape[1]
    days = [run.as_of + timedelta(days=at) for at in range(-len(sold), ahead)]
    promoted = run.causes.get("promotion")
    offers = np.zeros(ahead, bool) if promoted is None else np.abs(promoted[0]) > 1e-6
    none: list[float | None] = [None] * len(sold)

    def later(values: Any) -> list[float | None]:
        return none + [round(float(value), 3) for value in values]

    return Series(
        days=days,
        sold=[None if np.isnan(value) else round(float(value), 3) for value in sold]
        + [None] * ahead,
        mean=later(run.mean[0]),
        low=later(run.quantile(0.05)[0]),
        high=later(run.quantile(0.95)[0]),
        stocked_out=[bool(np.isnan(value)) for value in sold] + [False] * ahead,
        promoted=[False] * len(sold) + offers.tolist(),
    )
