"""Commands to try sanhe without data of your own: demo and simulate."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from sanhe.cli.options import Home, Json, opened, require_folder
from sanhe.cli.output import Output, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.cli.report import WhatIfRow
    from sanhe.goods.replay import Replayed
    from sanhe.models.replay import Row
    from sanhe.sim import WhatIf
    from sanhe.wiring import Sanhe

NAMES = {
    "inventory_days": ("Inventory days", "库存天数"),
    "fill_rate": ("Fill rate", "满足率"),
    "stock_out_share": ("Line-days out of stock", "缺货行天占比"),
    "lost_units": ("Lost sales", "损失销量"),
    "lost_margin": ("Lost margin", "损失毛利"),
    "waste": ("Waste", "报损"),
    "holding_cost": ("Holding cost", "持有成本"),
    "order_lines": ("Order lines", "订单行数"),
    "purchases": ("Purchases", "采购额"),
    "sales": ("Sales", "销售额"),
    "profit": ("Margin less waste and holding", "毛利减报损与持有"),
}
UNITS = {
    "days": ("days", "天", 1.0, 1),
    "share": ("%", "%", 0.01, 1),
    "cents": ("{currency}", "{currency}", 100.0, 0),
    "count": ("", "", 1.0, 0),
}
MORE_IS_GOOD = {"fill_rate", "sales", "profit"}

Seed = Annotated[int, typer.Option(min=0, help="Which simulated retailer.")]
Weeks = Annotated[int, typer.Option(min=1, help="Weeks to compare.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command()(demo)
    app.command()(simulate)


def demo(
    seed: Seed = 1,
    weeks: Weeks = 8,
    out: Annotated[Path, typer.Option("--out", help="Where to write the report.")] = Path(
        "sanhe-report.html"
    ),
    home: Home = None,
    json: Json = False,
) -> None:
    """The main job on a simulated retailer: files in, explained proposals, what-if, report."""
    from dataclasses import replace

    from sanhe.cli.planning import plan_parts
    from sanhe.cli.report import report_page
    from sanhe.cli.report.fill import report_data
    from sanhe.models.forecast import FAST
    from sanhe.sim import DaysOfCover, World, demo_world, run, what_if
    from sanhe.wiring import PlanRequest, plan, record_facts

    require_folder(out)
    output = Output(json)
    world = World(demo_world(seed))
    with opened(home) as sanhe, output.progress() as report:
        history = run(world, DaysOfCover(), days=world.settings.history_days)
        new = record_facts(
            sanhe,
            world.facts(history),
            source=f"simulated retailer {seed}",
            actor="demo",
            report=report,
        )
        request = PlanRequest(as_of=world.settings.as_of)
        planned = plan(sanhe, request, actor="demo", report=report)
        output.say(
            f"a simulated retailer: {world.settings.stores} stores, {world.settings.skus} SKUs, "
            f"{world.settings.history_days} days; {new:,} new facts recorded",
            *plan_parts(sanhe, planned, show=8),
        )
        _explain_largest(sanhe, planned.plan.run, output)
        compared = what_if(
            world.settings,
            weeks=weeks,
            workers=2,
            progress=lambda done, total: report("comparing policies", done, total),
        )
        rows = what_if_rows(compared.rows, sanhe.settings.currency)
        output.say(what_if_table(compared, rows, many="retailers"))
        data = report_data(
            replace(sanhe, effort=FAST),
            with_backtest=True,
            report=report,
            what_if=rows,
            what_if_note=_note(compared),
        )
    out.write_text(report_page(data), encoding="utf-8")
    output.show(
        {"plan": planned, "what_if": compared.rows, "report": out.resolve()},
        f"report: {out.resolve()}",
        "next: sanhe decisions · sanhe explain NUMBER · sanhe approve NUMBER · sanhe orders",
    )


def _explain_largest(sanhe: Sanhe, run: UUID, output: Output) -> None:
    """Explain the run's proposal with the most money at stake."""
    from sanhe.cli.explaining import explanation_parts

    with sanhe.work(actor="demo") as work:
        for top in work.decisions.find(kind="replenish", run=run, limit=1):
            told = work.replenish.explain(top.number)
            output.say(*explanation_parts(told, sanhe.settings.currency))


def simulate(
    seed: Seed = 1,
    weeks: Weeks = 10,
    seeds: Annotated[int, typer.Option(min=1, help="How many retailers to compare in.")] = 3,
    stores: Annotated[int, typer.Option(min=1, help="Stores.")] = 12,
    skus: Annotated[int, typer.Option(min=1, help="SKUs.")] = 120,
    calm: Annotated[
        bool, typer.Option("--calm", help="A retailer whose old policy is near the optimum.")
    ] = False,
    json: Json = False,
) -> None:
    """Compare the old ordering policy with sanhe's, day by day, same shoppers and suppliers."""
    from dataclasses import replace

    from sanhe.core.settings import Settings
    from sanhe.sim import calm_world, days_of_cover, demo_world, known_optimum, what_if

    output = Output(json)
    settings = calm_world(seed) if calm else replace(demo_world(seed), stores=stores, skus=skus)
    with output.progress() as report:
        compared = what_if(
            settings,
            weeks=weeks,
            seeds=range(seed, seed + seeds),
            old=known_optimum if calm else days_of_cover,
            workers=2,
            progress=lambda done, total: report("comparing policies", done, total),
        )
    rows = what_if_rows(compared.rows, Settings.from_environment().currency)
    output.show(
        compared.rows,
        what_if_table(compared, rows, many="retailers"),
        f"verdict: {compared.verdict}",
    )


def what_if_rows(measured: Iterable[Row], currency: str) -> list[WhatIfRow]:
    """The what-if as rows for people: shares in percent, money in whole units."""
    from sanhe.cli.report import WhatIfRow

    rows = []
    for row in measured:
        english, chinese, divisor, digits = UNITS[row.unit]
        rows.append(
            WhatIfRow(
                name=NAMES.get(row.metric, (row.metric, row.metric)),
                unit=(english.format(currency=currency), chinese.format(currency=currency)),
                old=row.old / divisor,
                new=row.new / divisor,
                better="higher" if row.metric in MORE_IS_GOOD else "lower",
                digits=digits,
            )
        )
    return rows


def what_if_table(
    compared: WhatIf | Replayed, rows: list[WhatIfRow], *, many: str
) -> RenderableType:
    """Old against proposed, with the 95 % interval of the difference; `many`: what seeds are."""
    shown = []
    for row, measured in zip(rows, compared.rows, strict=True):
        divisor = UNITS[measured.unit][2]
        low, high = measured.low / divisor, measured.high / divisor
        shown.append(
            (
                " ".join((row.name[0], f"({row.unit[0]})" if row.unit[0] else "")).strip(),
                f"{row.old:,.{row.digits}f}",
                f"{row.new:,.{row.digits}f}",
                f"{row.new - row.old:+,.{row.digits}f}",
                f"{low:+,.{row.digits}f} … {high:+,.{row.digits}f}",
                measured.verdict,
            )
        )
    title = f"what if, {compared.first_day} – {compared.last_day}, {len(compared.seeds)} {many}"
    columns = ("measure", compared.old, compared.new, "difference", "95 % interval", "verdict")
    return table(title, columns, shown)


def _note(compared: WhatIf) -> tuple[str, str]:
    seeds = len(compared.seeds)
    days = f"{compared.first_day} – {compared.last_day}"
    return (
        f"Simulated, {days}, {seeds} retailers: same shoppers and suppliers under both policies.",
        f"模拟 {days}，{seeds} 家零售商：两种策略面对相同的顾客与供应商。",
    )
