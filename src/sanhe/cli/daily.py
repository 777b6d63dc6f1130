"""Commands that run by the clock: run daily."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sanhe.cli.options import Actor, AsOf, Home, Json, PolicyFile, day, default_actor, opened
from sanhe.cli.output import Output, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.wiring import Daily

REFUSED = 2
"""The exit code when a file was refused: that of bad input."""


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    runs = typer.Typer(help="Work that a clock starts.", no_args_is_help=True)
    runs.command()(daily)
    app.add_typer(runs, name="run")


def daily(
    inbox: Annotated[
        Path | None, typer.Option(help="Folder of waiting files [default: inbox in the home].")
    ] = None,
    as_of: AsOf = None,
    horizon: Annotated[int, typer.Option(min=1, help="Days to forecast.")] = 28,
    method: Annotated[str, typer.Option(help="Forecast method.")] = "champion",
    assumptions: Annotated[Path | None, typer.Option(help="TOML file; see the guide.")] = None,
    policy: PolicyFile = None,
    plan_anyway: Annotated[
        bool, typer.Option("--plan-anyway", help="Plan although a file was refused.")
    ] = False,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Take in waiting files, order what is approved, plan the morning; safe to start again.

    Exit code 2: a file was refused, and nothing was planned unless --plan-anyway. Exit code 4:
    another daily run is at work.
    """
    from sanhe.cli.planning import plan_parts
    from sanhe.wiring import DailyRequest, PlanRequest, run_daily

    request = DailyRequest(
        inbox=inbox,
        plan=PlanRequest(
            as_of=day(as_of, option="--as-of"),
            horizon_days=horizon,
            method=method,
            assumptions=assumptions,
            policy=policy,
            changed=True,
        ),
        plan_anyway=plan_anyway,
    )
    output = Output(json)
    with opened(home) as sanhe:
        with output.progress() as report:
            done = run_daily(sanhe, request, actor=actor or default_actor(), report=report)
        parts = _told(done)
        if done.planned is not None:
            parts += plan_parts(sanhe, done.planned, show=10)
    output.show(done, *parts)
    if done.refused:
        raise typer.Exit(REFUSED)


def _told(done: Daily) -> list[RenderableType]:
    """What was taken in and ordered, for people."""
    parts: list[RenderableType] = []
    if done.taken:
        rows = [(one.name, one.new, one.repeated, one.refused or "taken in") for one in done.taken]
        parts.append(table("", ("file", "new facts", "known before", "outcome"), rows))
    else:
        parts.append("no files were waiting")
    if done.orders:
        parts.append(f"ordered what was approved: {', '.join(done.orders)}")
    if done.planned is None:
        parts.append("nothing was planned: mend the refused files, or run with --plan-anyway")
    times = ", ".join(f"{step} {seconds:,.1f} s" for step, seconds in done.seconds.items())
    parts.append(f"time taken: {times}")
    return parts
