"""The planning flow: forecast, propose, decide, and carry out what was approved."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sanhe.core.errors import BadInput, Conflict
from sanhe.core.lake import refresh
from sanhe.core.scope import EVERYTHING, Scope
from sanhe.goods.health import Health
from sanhe.goods.replenish import (
    ORDERING,
    Assumptions,
    Explanation,
    Known,
    Plan,
    Policy,
    keep_plan_lines,
    kept_plan_lines,
    warehouses,
)
from sanhe.loop.desk import Desk
from sanhe.wiring.changed import KeptPlan, keep_plan, kept_plan, touched_since
from sanhe.wiring.jobs import queue_execution, run_jobs
from sanhe.wiring.progress import Report, silent

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.goods.demand import ForecastRun
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work


FORECASTS = "forecast/"
"""The folder of the lake in which demand keeps its forecasts, one table each."""

FORECAST_MODELS = "forecast_model/"
"""The folder in which it keeps the models behind them."""

KEPT_FORECASTS = 10
"""So many forecasts stay in the lake; older ones are made again when they are asked for."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What to plan. `as_of` is the morning planned for; None = the day after the newest sale.

    `assumptions` and `policy` are TOML files, see `Sanhe.policy`; `budget_cents` the most to spend
    in this run.
    `changed`: look only at the lines that facts have touched since the last plan, where that one
    was made for the same morning and asked the same; all lines otherwise, and under a budget,
    which all share. Proposals that no longer hold and that nobody has decided on are replaced.
    """

    as_of: date | None = None
    horizon_days: int = 28
    method: str = "champion"
    assumptions: Path | None = None
    policy: Path | None = None
    budget_cents: int | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning came to: the plan, the forecast behind it, orders of auto-approved lines.

    `series` are forecast in all; `refreshed` of them were forecast in this run.
    """

    plan: Plan
    forecast_run: str
    method: str
    series: int
    notes: tuple[str, ...]
    orders: tuple[str, ...]
    refreshed: int


def plan(sanhe: Sanhe, request: PlanRequest, *, actor: str, report: Report = silent) -> Planned:
    """Forecast every SKU × place and propose orders; nothing is proposed twice.

    Killed half-way it leaves either nothing or a kept forecast, and asking again goes on.
    """
    report("bringing the lake up to date", 0, 1)
    refreshed = refresh(sanhe.database, sanhe.lake)
    policy = sanhe.policy(request.policy).with_budget(request.budget_cents)
    assumptions = Assumptions.load(request.assumptions)
    as_of = request.as_of or next_day(sanhe)
    asked = _asked(request, as_of, policy=policy, assumptions=assumptions)
    last = kept_plan(sanhe) if request.changed and policy.budget_cents is None else None
    if last is not None and last.request == asked:
        morning = _touched_morning(sanhe, last, below=refreshed.below, report=report)
    else:
        morning = _whole_morning(sanhe, request, as_of, report=report)
    forecast = morning.forecast
    drop_old_forecasts(sanhe, used=forecast.id)
    computed: list[pa.Table] = []
    with sanhe.work(actor=actor) as work:
        replenish = work.replenish_with(policy, assumptions)
        # Before anything is read: an order placed from here on would not be seen, and its lines
        # would be proposed again.
        replenish.exclusive()
        known, health = assessed_today(sanhe, work, as_of, assumptions=assumptions, keep=True)
        places = work.places.all()
        made = replenish.propose(
            forecast,
            known,
            rows=morning.rows,
            replace=request.changed,
            progress=lambda done, total: report("proposing", done, total),
            computed=computed.append,
        )
        work.audit.record("plan", str(made.run), {"proposed": made.proposed})
        if made.auto_approved:
            queue_execution(sanhe, work, actor=actor)
    for part in computed:
        keep_plan_lines(sanhe.lake, as_of, part, whole=morning.rows is None)
    desk = Desk(sanhe.lake)
    if desk.is_news(as_of):
        report("laying the plan out", 0, 1)
        lines = kept_plan_lines(sanhe.lake, as_of)
        desk.keep(as_of, lines, health=health, items=known.items, places=places)
    keep_plan(sanhe, KeptPlan(forecast.id, asked, refreshed.below))
    orders = run_jobs(sanhe)
    notes = (
        *forecast.notes,
        *_unsupplied(made),
        *_notes(sanhe, as_of, waiting_imports=refreshed.waiting),
    )
    return Planned(
        made,
        forecast.id,
        forecast.method,
        forecast.keys.num_rows,
        notes,
        orders,
        refreshed=morning.refreshed,
    )


@dataclass(frozen=True, slots=True)
class _Morning:
    """The forecast to plan from, the rows to propose (None = all), and how many are new."""

    forecast: ForecastRun
    rows: NDArray[np.int64] | None
    refreshed: int


def _asked(request: PlanRequest, as_of: date, *, policy: Policy, assumptions: Assumptions) -> str:
    """What a plan was asked, in one line: equal where the same facts give the same plan."""
    parts = (as_of, request.horizon_days, request.method, policy.digest(), assumptions)
    return " ".join(map(str, parts))


def _whole_morning(sanhe: Sanhe, request: PlanRequest, as_of: date, *, report: Report) -> _Morning:
    """The forecast of all lines."""
    made = sanhe.demand.forecast(
        as_of, request.horizon_days, request.method, progress=_shares(report)
    )
    return _Morning(made, None, made.keys.num_rows)


def _touched_morning(sanhe: Sanhe, last: KeptPlan, *, below: int, report: Report) -> _Morning:
    """The last forecast, with the lines that facts have touched forecast again."""
    kept = sanhe.demand.run(last.run)
    new = touched_since(sanhe, kept.keys, since=last.below, below=below)
    if not new.forecast.num_rows:
        return _Morning(kept, _rows(kept, new.lines), 0)
    made = sanhe.demand.refresh(kept, new.forecast, progress=_shares(report))
    return _Morning(made, _rows(made, new.lines), new.forecast.num_rows)


def _shares(report: Report) -> Callable[[str, float], None]:
    """A report of shares of the work, as the forecast gives it."""

    def progress(what: str, share: float) -> None:
        report(what, round(share * 100), 100)

    return progress


def _rows(forecast: ForecastRun, keys: pa.Table) -> NDArray[np.int64]:
    """The forecast's rows of these lines; those it does not know are left out."""
    found = forecast.rows(keys)
    return np.sort(found[found >= 0])


def _notes(sanhe: Sanhe, as_of: date, *, waiting_imports: int) -> tuple[str, ...]:
    """What the planner should know about the data the plan stands on."""
    notes = []
    last = sanhe.demand.last_sale_day()
    if last is not None and last >= as_of:
        notes.append(
            f"sales are recorded up to {last}: the forecast sees those before {as_of}, but stock "
            "and open orders are those of now"
        )
    if waiting_imports:
        notes.append(
            f"{waiting_imports:,} parts of imports wait for an older import that still runs: the "
            "forecast does not know them yet; plan again when it has ended"
        )
    return tuple(notes)


def _unsupplied(made: Plan) -> list[str]:
    """What to say of warehouses that nobody is agreed to supply."""
    return [
        f"{place} supplies other places, but no supplier from outside is agreed for {count:,} of "
        "its SKUs: their supplier and lead time are assumed; import supply_terms for them"
        for place, count in made.unsupplied.items()
    ]


def drop_old_forecasts(sanhe: Sanhe, *, used: str) -> int:
    """Keep the newest forecasts in the lake and the one used; returns how many others went.

    The model behind forecasts goes with the last of them.
    """
    tables = sanhe.lake.tables()
    runs = [t for name, t in tables.items() if name.startswith(FORECASTS)]
    runs.sort(key=lambda table: (table.written_at, table.name), reverse=True)
    old = [table for table in runs[KEPT_FORECASTS:] if table.name != FORECASTS + used]
    needed = {f"{FORECAST_MODELS}{run.details.get('model')}" for run in runs if run not in old}
    models = {name for name in tables if name.startswith(FORECAST_MODELS)} - needed
    if old or models:
        sanhe.lake.switch(dict.fromkeys([*(table.name for table in old), *models]))
    return len(old)


def next_day(sanhe: Sanhe) -> date:
    """The morning to plan for: the day after the newest sale. Raises BadInput without sales."""
    last = sanhe.demand.last_sale_day()
    if last is None:
        raise BadInput("there are no sales to plan from", remedy="import some: sanhe import FILE")
    return last + timedelta(days=1)


def known_today(sanhe: Sanhe, work: Work, as_of: date, *, assumptions: Assumptions) -> Known:
    """All that replenishment looks at besides the forecast, with the class of each line."""
    return assessed_today(sanhe, work, as_of, assumptions=assumptions)[0]


def assessed_today(
    sanhe: Sanhe, work: Work, as_of: date, *, assumptions: Assumptions, keep: bool = False
) -> tuple[Known, pa.Table]:
    """What `known_today` gives, and the health table its classes are of.

    `keep`: the classes are those of the day from now on, see `Health.keep`.
    """
    known = goods_today(work, as_of)
    health = Health(sanhe.lake, assumptions=assumptions)
    lines = health.table(as_of, known)
    if keep:
        health.keep(as_of, lines)
    return replace(known, classes=lines.select(["sku", "place", "label"])), lines


def goods_today(work: Work, as_of: date) -> Known:
    """What is known of items, stock, terms, orders, prices, lead times and places."""
    # Open orders before stock: a receipt that comes in between counts twice rather than never.
    on_order = work.suppliers.on_order(as_of)
    places = work.places.all()
    return Known(
        items=work.catalog.items(day=as_of),
        positions=work.stock.positions(),
        lots=work.stock.lots(),
        terms=work.suppliers.terms(day=as_of),
        on_order=on_order,
        prices=work.catalog.prices(as_of),
        lead_times=work.suppliers.lead_times(),
        places=places,
        leaving=work.suppliers.leaving(warehouses(places)),
    )


def explain_line(sanhe: Sanhe, *, sku: str, place: str, actor: str) -> Explanation:
    """The arithmetic of one line under the latest forecast, ordered or not; nothing is recorded.

    Raises NotFound when nothing was planned or the forecast has no such line.
    """
    forecast = sanhe.demand.latest()
    with sanhe.work(actor=actor) as work:
        known = known_today(sanhe, work, forecast.as_of, assumptions=work.replenish.assumptions)
        return work.replenish.explain_line(forecast, known, sku=sku, place=place)


def check_ordering(work: Work, numbers: Collection[int]) -> None:
    """Raise Conflict for a decision that is on no order: others decide it elsewhere, such as the
    publishing of a promotion."""
    for number, kind in sorted(work.decisions.kinds(numbers).items()):
        if kind not in ORDERING:
            raise Conflict(f"decision {number} is a {kind}: it is decided in a place of its own")


def approve(
    sanhe: Sanhe,
    numbers: Collection[int],
    *,
    reason: str,
    actor: str,
    scope: Scope = EVERYTHING,
) -> int:
    """Approve decisions on orders; their execution is queued in the same transaction.

    Raises Conflict for a decision of another kind, and what `Decisions.approve` does.
    """
    with sanhe.work(actor=actor, scope=scope) as work:
        check_ordering(work, numbers)
        approved = work.decisions.approve(numbers, reason=reason)
        queue_execution(sanhe, work, actor=actor)
    return approved


def edit(
    sanhe: Sanhe,
    number: int,
    value: int,
    *,
    reason: str,
    actor: str,
    scope: Scope = EVERYTHING,
) -> None:
    """Approve a decision with another value; its execution is queued in the same transaction.

    Raises Conflict for a decision of another kind, and what `Decisions.edit` does.
    """
    with sanhe.work(actor=actor, scope=scope) as work:
        check_ordering(work, [number])
        work.decisions.edit(number, value, reason=reason)
        queue_execution(sanhe, work, actor=actor)


def backtest(
    sanhe: Sanhe,
    *,
    as_of: date | None = None,
    origins: int = 3,
    horizon_days: int = 7,
    by: str = "velocity",
    report: Report = silent,
) -> pa.Table:
    """Try the forecast methods on the past, each origin seeing only what lay before it.

    The scores by method, origin and group, as `Demand.backtest` gives them.
    """
    sanhe.refresh_lake()
    return sanhe.demand.backtest(
        as_of or next_day(sanhe),
        origins=origins,
        horizon_days=horizon_days,
        by=by,
        progress=lambda what, share: report(what, round(share * 100), 100),
    )


def losses(
    sanhe: Sanhe,
    *,
    as_of: date | None = None,
    origins: int = 3,
    horizon_days: int = 7,
    worst: int = 20,
    report: Report = silent,
) -> pa.Table:
    """Where the champion loses in money, by segment and for the worst series.

    The table of `Demand.losses`, valued at prices.
    """
    sanhe.refresh_lake()
    return sanhe.demand.losses(
        as_of or next_day(sanhe),
        origins=origins,
        horizon_days=horizon_days,
        worst=worst,
        progress=lambda what, share: report(what, round(share * 100), 100),
    )
