"""The command that replays the retailer's own past under two policies, or sweeps one setting."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sanhe.cli.options import AsOf, Home, Json, PolicyFile, day, default_actor, opened
from sanhe.cli.output import Output, table
from sanhe.core.errors import BadInput

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.goods.replay import Point, Replayed


class Setting(StrEnum):
    """What a sweep changes."""

    service = "service"
    review = "review"
    lead = "lead"
    moq = "moq"


Against = Annotated[
    str | None,
    typer.Option(
        help="The old policy: a TOML file or days-of-cover [default: days-of-cover; with "
        "--class the policy without the change]."
    ),
]
Settle = Annotated[
    int, typer.Option(min=0, help="Uncounted weeks before them: the first stock wears off.")
]
Values = Annotated[
    str, typer.Option(help="Values to sweep, with commas between [default: four usual ones].")
]
DEFAULT_VALUES = {
    Setting.service: (0.80, 0.90, 0.95, 0.98),
    Setting.review: (1.0, 3.0, 7.0, 14.0),
    Setting.lead: (1.0, 3.0, 7.0, 14.0),
    Setting.moq: (1.0, 6.0, 12.0, 24.0),
}


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(replay)


def replay(
    policy: PolicyFile = None,
    against: Against = None,
    cover_days: Annotated[int, typer.Option(min=1, help="Days that days-of-cover fills up.")] = 30,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks to count.")] = 8,
    settle_weeks: Settle = 2,
    seeds: Annotated[int, typer.Option(min=1, help="How many fates of the deliveries.")] = 5,
    label: Annotated[
        str, typer.Option("--class", help="Change this class of the policy, e.g. CZ.")
    ] = "",
    review: Annotated[int | None, typer.Option(min=1, help="Its days between reviews.")] = None,
    lowest: Annotated[float | None, typer.Option(help="Its lowest service level.")] = None,
    highest: Annotated[float | None, typer.Option(help="Its highest service level.")] = None,
    sweep: Annotated[
        Setting | None, typer.Option(help="Try several values of one setting instead.")
    ] = None,
    values: Values = "",
    method: Annotated[str, typer.Option(help="Forecast method.")] = "champion",
    assumptions: Annotated[Path | None, typer.Option(help="TOML file; see the guide.")] = None,
    as_of: AsOf = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Replay your own past weeks under another policy: stock, fill, waste, orders and money."""
    from sanhe.wiring import ReplayRequest, replay_past, replay_sweep

    if values and sweep is None:
        raise BadInput("--values without --sweep", remedy="say what to sweep, e.g. --sweep review")
    request = ReplayRequest(
        weeks=weeks,
        settle_weeks=settle_weeks,
        seeds=seeds,
        as_of=day(as_of, option="--as-of"),
        method=method,
        policy=policy,
        against=against,
        cover_days=cover_days,
        assumptions=assumptions,
        label=label,
        review_days=review,
        lowest_service=lowest,
        highest_service=highest,
    )
    output, actor = Output(json), default_actor()
    with opened(home) as sanhe, output.progress() as report:
        currency = sanhe.settings.currency
        if sweep is None:
            told = replay_past(sanhe, request, actor=actor, report=report)
            output.show(_document(told), *_parts(told, currency))
            return
        tried = _numbers(values) if values else DEFAULT_VALUES[sweep]
        points = replay_sweep(
            sanhe, request, over=sweep.value, values=tried, actor=actor, report=report
        )
        output.show(points, _curve(points, sweep.value, currency))


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise BadInput(
            f"{text!r} are no numbers", place="--values", remedy="write them like 0.8,0.9,0.95"
        ) from error


def _document(told: Replayed) -> dict[str, object]:
    """The whole replay for `--json`."""
    return {
        "old": told.old,
        "new": told.new,
        "first_day": told.first_day,
        "last_day": told.last_day,
        "seeds": told.seeds,
        "lines": told.lines,
        "verdict": told.verdict,
        "rows": told.rows,
        "classes": told.classes.to_pylist(),
        "days": told.days.to_pylist(),
        "assumed": told.assumed,
    }


def _parts(told: Replayed, currency: str) -> list[RenderableType]:
    """The table, the classes and what was assumed, for people."""
    from sanhe.cli.trying import what_if_rows, what_if_table

    classes = [
        (
            row["class"],
            row["policy"],
            row["lines"],
            round(row["inventory_days"], 1),
            round(100 * row["fill_rate"], 1),
            round(row["waste_cents"] / 100),
            round(row["order_lines"]),
            round(row["profit_cents"] / 100),
        )
        for row in told.classes.sort_by([("class", "ascending")]).to_pylist()
    ]
    columns = ("class", "policy", "lines", "days", "fill (%)", f"waste ({currency})")
    parts: list[RenderableType] = [
        what_if_table(told, what_if_rows(told.rows, currency), many="fates of the deliveries"),
        table("by class", (*columns, "order lines", f"profit ({currency})"), classes),
    ]
    if told.assumed:
        listed = ", ".join(f"{name} of {count:,}" for name, count in sorted(told.assumed.items()))
        parts.append(f"assumed for some of {told.lines:,} lines: {listed}")
    parts.append(f"verdict: {told.verdict}")
    return parts


def _curve(points: tuple[Point, ...], over: str, currency: str) -> RenderableType:
    rows = [
        (
            f"{one.value:g}",
            round(one.inventory_days, 1),
            round(100 * one.fill_rate, 1),
            round(one.waste_cents / 100),
            round(one.order_lines),
            round(one.purchases_cents / 100),
            round(one.profit_cents / 100),
        )
        for one in points
    ]
    money = tuple(f"{name} ({currency})" for name in ("purchases", "profit"))
    columns = (over, "days", "fill (%)", f"waste ({currency})", "order lines", *money)
    return table(f"sweep of {over}", columns, rows)
