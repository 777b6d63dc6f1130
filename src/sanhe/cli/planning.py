"""Commands that plan and look: plan, orders, report."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sanhe.cli.options import (
    Actor,
    AsOf,
    Home,
    Json,
    PolicyFile,
    day,
    default_actor,
    opened,
    require_folder,
)
from sanhe.cli.output import Output, money, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.wiring import Planned, Sanhe


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (plan, orders, report):
        app.command()(command)


def plan(
    as_of: AsOf = None,
    horizon: Annotated[int, typer.Option(min=1, help="Days to forecast.")] = 28,
    method: Annotated[str, typer.Option(help="Forecast method.")] = "champion",
    assumptions: Annotated[Path | None, typer.Option(help="TOML file; see the guide.")] = None,
    policy: PolicyFile = None,
    budget: Annotated[float | None, typer.Option(min=0, help="The most to spend.")] = None,
    changed: Annotated[
        bool,
        typer.Option("--changed", help="Only lines that new facts touched since the last plan."),
    ] = False,
    show: Annotated[int, typer.Option(min=0, help="How many proposals to show.")] = 10,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Forecast every SKU × place and propose orders; running it again proposes nothing twice."""
    from sanhe.wiring import PlanRequest
    from sanhe.wiring import plan as run_plan

    request = PlanRequest(
        as_of=day(as_of, option="--as-of"),
        horizon_days=horizon,
        method=method,
        assumptions=assumptions,
        policy=policy,
        budget_cents=None if budget is None else round(budget * 100),
        changed=changed,
    )
    output = Output(json)
    with opened(home) as sanhe:
        with output.progress() as report:
            done = run_plan(sanhe, request, actor=actor or default_actor(), report=report)
        output.show(done, *plan_parts(sanhe, done, show=show))


def plan_parts(sanhe: Sanhe, done: Planned, *, show: int) -> list[RenderableType]:
    """What planning tells people: counts, and the proposals with the most money at stake."""
    from sanhe.cli.deciding import REPLENISH, decision_table
    from sanhe.core.decisions import Status

    made, currency = done.plan, sanhe.settings.currency
    told = made.proposed + made.already_open + made.no_order_needed + made.decided_before
    lines = f"{made.considered:,} lines"
    if made.considered < done.series:
        lines = f"{made.considered:,} of {done.series:,} lines, those that new facts touched,"
    parts: list[RenderableType] = [
        f"planned for {made.as_of}: {lines} forecast by {done.method}; "
        f"{made.proposed:,} proposals worth {money(made.value_cents, currency)}, "
        f"{made.already_open:,} already open, {made.no_order_needed:,} need no order, "
        f"{made.considered - told:,} can't be ordered today"
    ]
    if made.transfers:
        parts.append(
            f"stock to move between places before buying: {len(made.transfers):,} transfers; "
            f"see one: sanhe explain {made.transfers[0]}"
        )
    if made.replaced:
        parts.append(f"replaced, as new facts gave other arithmetic: {made.replaced:,}")
    if made.assumed:
        words = ", ".join(f"{name} ({count:,})" for name, count in made.assumed.items())
        parts.append(f"assumed where the data is silent: {words}")
    if made.auto_approved:
        parts.append(f"approved by rule: {made.auto_approved:,}; orders: {', '.join(done.orders)}")
    parts += list(done.notes)
    with sanhe.work(actor=default_actor()) as work:
        top = work.decisions.find(
            kind=REPLENISH, run=made.run, statuses={Status.PROPOSED}, limit=max(show, 1)
        )[:show]
    if top:
        parts.append(decision_table(top, currency, title="most money at stake"))
        parts.append(f"see how one came about: sanhe explain {top[0].number}")
    return parts


def orders(home: Home = None, json: Json = False) -> None:
    """List purchase orders with their status and files."""
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        found = work.suppliers.orders()
        folder, currency = sanhe.orders_folder, sanhe.settings.currency
    rows = [
        (
            order.name,
            str(order.status),
            order.supplier,
            order.place,
            str(order.due),
            len(order.lines),
            money(order.cost_cents, currency),
            str(folder / f"{order.name}.csv"),
        )
        for order in found
    ]
    columns = ("order", "status", "supplier", "place", "due", "lines", "cost", "file")
    Output(json).show(found, table("", columns, rows))


def report(
    out: Annotated[Path, typer.Option("--out", help="Where to write it.")] = Path(
        "sanhe-report.html"
    ),
    with_backtest: Annotated[
        bool, typer.Option("--backtest/--no-backtest", help="Try the methods on the past too.")
    ] = True,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write one self-contained HTML page: forecast, proposals, stock days, health, backtest."""
    from sanhe.cli.report import report_page
    from sanhe.cli.report.fill import report_data

    require_folder(out)
    output = Output(json)
    with opened(home) as sanhe, output.progress() as progress:
        data = report_data(sanhe, with_backtest=with_backtest, report=progress)
    out.write_text(report_page(data), encoding="utf-8")
    output.show({"report": out}, f"report: {out.resolve()}")
    if show:
        webbrowser.open(out.resolve().as_uri())
