"""Commands about the forecast: show one opened into its drivers, override it, try the methods."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sanhe.cli.options import Actor, AsOf, Home, Json, day, default_actor, opened
from sanhe.cli.output import Output, table
from sanhe.core.errors import BadInput

if TYPE_CHECKING:
    from datetime import date

    from rich.console import RenderableType

    from sanhe.goods.demand import CoherentForecast, ExplainedForecast, MeasuredOverride, Override
    from sanhe.wiring import Sanhe


class Action(StrEnum):
    """What to do about overrides."""

    ADD = "add"
    LIST = "list"
    WITHDRAW = "withdraw"


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (forecast, aggregates, override, backtest):
        app.command()(command)


def forecast(
    sku: Annotated[str, typer.Argument(help="The SKU.")],
    place: Annotated[str, typer.Argument(help="The place.")],
    days: Annotated[int, typer.Option(min=1, help="How many days to show.")] = 14,
    home: Home = None,
    json: Json = False,
) -> None:
    """Open the latest forecast of a line into its drivers, day by day, with the facts behind."""
    with opened(home) as sanhe:
        sanhe.refresh_lake()
        run = sanhe.demand.latest()
        told = sanhe.demand.explain(run, sku, place, days=min(days, run.horizon_days))
    Output(json).show(told, *forecast_parts(told))


def forecast_parts(told: ExplainedForecast) -> list[RenderableType]:
    """What is printed of a forecast: the days by driver (those that are nowhere left out)."""
    wape = "" if told.holdout_wape is None else f", WAPE {told.holdout_wape:.3f} on days held out"
    used = [
        name
        for name in told.total
        if name in ("base", "season") or any(one.drivers[name] for one in told.days)
    ]
    rows: list[tuple[object, ...]] = [
        (
            f"{one.day:%a %Y-%m-%d}",
            *(round(one.drivers[name], 1) for name in used),
            round(one.mean, 1),
            f"{one.low:,.0f} to {one.high:,.0f}",
        )
        for one in told.days
    ]
    total = sum(one.mean for one in told.days)
    rows.append(("all", *(round(told.total[name], 1) for name in used), round(total, 1), ""))
    columns = ("day", *used, "= expected", "5–95 %")
    title = f"{told.sku} at {told.place}: {total:,.1f} base units in {len(told.days)} days"
    parts: list[RenderableType] = [table(title, columns, rows), f"method {told.method}{wape}"]
    parts += list(told.causes)
    parts += [f"note: {note}" for note in told.notes]
    return parts


def aggregates(
    by: Annotated[
        str, typer.Option(help="category, department or region; several: category,region.")
    ] = "category,region",
    weeks: Annotated[int, typer.Option(min=1, help="How many weeks ahead.")] = 13,
    method: Annotated[
        str, typer.Option(help="How they agree: weighted, bottom_up or top_down.")
    ] = "weighted",
    home: Home = None,
    json: Json = False,
) -> None:
    """Show the latest forecast by week and group; every group is exactly the sum of its lines."""
    levels = [one.strip() for one in by.split(",") if one.strip()]
    with opened(home) as sanhe:
        sanhe.refresh_lake()
        run = sanhe.demand.latest()
        made = sanhe.demand.hierarchy(run, by=levels, weeks=weeks, method=method)
    rows = [row for level in made.levels for row in made.table(level.by).to_pylist()]
    output = Output(json)
    output.show(rows, *aggregate_parts(made))


def aggregate_parts(made: CoherentForecast) -> list[RenderableType]:
    """What is printed of groups: a table per level, a row per group, the largest first."""
    parts: list[RenderableType] = []
    first = [f"{day:%m-%d}" for day in made.first_days]
    for level in made.levels:
        order = sorted(range(len(level.groups)), key=lambda at: -level.mean[at].sum())
        rows = [
            (
                level.groups[at] or "(none)",
                *(round(float(one)) for one in level.mean[at]),
                round(float(level.mean[at].sum())),
                _told(float(level.alone[at].sum())),
            )
            for at in order
        ]
        total = level.mean.sum(0)
        whole = _told(float(level.alone.sum()))
        rows.append(
            ("all", *(round(float(one)) for one in total), round(float(total.sum())), whole)
        )
        columns = (level.by, *first, "sum", "alone")
        parts.append(table(f"units by {level.by} and week", columns, rows))
    return [*parts, f"reconciled: {made.method}", *(f"note: {note}" for note in made.notes)]


def _told(value: float) -> int | None:
    return None if math.isnan(value) else round(value)


def override(
    action: Annotated[Action, typer.Argument(help="add, list or withdraw.")],
    number: Annotated[str, typer.Argument(help="Its id, to withdraw it.")] = "",
    sku: Annotated[str | None, typer.Option(help="Only this SKU.")] = None,
    category: Annotated[str | None, typer.Option(help="Only below this category path.")] = None,
    place: Annotated[str | None, typer.Option(help="Only this place.")] = None,
    city: Annotated[str | None, typer.Option(help="Only this city.")] = None,
    region: Annotated[str | None, typer.Option(help="Only this region.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day [default: --from].")] = None,
    factor: Annotated[float | None, typer.Option(help="The forecast times this.")] = None,
    units: Annotated[
        float | None, typer.Option(help="Base units a day of all it covers together.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; required.")] = "",
    expires: Annotated[
        str | None, typer.Option(help="Last morning it is applied on [default: --to].")
    ] = None,
    corrects: Annotated[str, typer.Option(help="The id of the one it takes the place of.")] = "",
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Override the forecast with a reason and an expiry, and see what overrides were worth."""
    who, output = actor or default_actor(), Output(json)
    with opened(home) as sanhe:
        if action == Action.LIST:
            sanhe.refresh_lake()
            found = sanhe.demand.overrides()
            output.show(found, *override_parts(found))
        elif action == Action.WITHDRAW:
            _withdraw(sanhe, number, actor=who, output=output)
        else:
            from sanhe.goods.demand import Override

            said = Override(
                id=corrects,
                first_day=_required(first, "--from"),
                last_day=day(last, option="--to") or _required(first, "--from"),
                reason=reason,
                author=who,
                expires=day(expires or last, option="--expires") or _required(first, "--from"),
                said_at=sanhe.clock.now(),
                sku=sku,
                category=category,
                place=place,
                city=city,
                region=region,
                factor=factor,
                units_per_day=units,
            )
            _add(sanhe, said, actor=who, output=output)


def _required(text: str | None, option: str) -> date:
    found = day(text, option=option)
    if found is None:
        raise BadInput("no day is given", place=option, remedy="write it as YYYY-MM-DD")
    return found


def _add(sanhe: Sanhe, said: Override, *, actor: str, output: Output) -> None:
    from sanhe.goods.demand import override_words
    from sanhe.wiring import override as record_override

    done = record_override(sanhe, said, actor=actor)
    output.show(
        done,
        f"{done.id}: {override_words(done)}",
        f"applied from the next sanhe plan on; taken back by sanhe override withdraw {done.id}",
    )


def _withdraw(sanhe: Sanhe, number: str, *, actor: str, output: Output) -> None:
    from sanhe.wiring import withdraw_override

    if not number:
        raise BadInput("nothing to withdraw", remedy="give the id of an override")
    undone = withdraw_override(sanhe, number, actor=actor)
    output.show(
        {"withdrawn": number, "batches": [one.undoes for one in undone]},
        f"override {number} is withdrawn; the next sanhe plan goes without it",
    )


def override_parts(found: tuple[MeasuredOverride, ...]) -> list[RenderableType]:
    """Overrides as a table for people, with the value measured so far."""
    rows = [
        (
            one.override.id,
            one.override.covers,
            f"{one.override.first_day} to {one.override.last_day}",
            one.override.says,
            one.override.reason,
            one.override.author,
            str(one.override.expires),
            one.state,
            one.worth.series_days,
            _share(one.worth.wape_without),
            _share(one.worth.wape),
            _share(one.worth.bias_without),
            _share(one.worth.bias),
            round(one.worth.units_saved, 1) if one.worth.series_days else None,
        )
        for one in found
    ]
    columns = ("id", "covers", "days", "says", "reason", "who", "until", "state", "days measured")
    scores = ("WAPE without", "WAPE", "bias without", "bias", "error saved (units)")
    return [table("", columns + scores, rows)]


def _share(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 3)


def backtest(
    as_of: AsOf = None,
    origins: Annotated[int, typer.Option(min=1, help="How many forecasts to try.")] = 3,
    horizon: Annotated[int, typer.Option(min=1, help="Days of each forecast.")] = 7,
    by: Annotated[str, typer.Option(help="category, store, region, velocity or age.")] = "velocity",
    losses: Annotated[
        bool, typer.Option("--losses", help="Show where the champion loses, in money.")
    ] = False,
    worst: Annotated[int, typer.Option(min=0, help="How many series --losses names.")] = 20,
    home: Home = None,
    json: Json = False,
) -> None:
    """Try the forecast methods on the past; each origin sees only what lay before it."""
    from sanhe.wiring import backtest as run_backtest
    from sanhe.wiring import losses as run_losses

    output, seen_from = Output(json), day(as_of, option="--as-of")
    with opened(home) as sanhe, output.progress() as report:
        if losses:
            found = run_losses(
                sanhe,
                as_of=seen_from,
                origins=origins,
                horizon_days=horizon,
                worst=worst,
                report=report,
            )
        else:
            found = run_backtest(
                sanhe,
                as_of=seen_from,
                origins=origins,
                horizon_days=horizon,
                by=by,
                report=report,
            )
    rows = found.to_pylist()
    output.show(rows, *(losses_parts(rows) if losses else [_scores(rows)]))


def _scores(scores: list[dict[str, Any]]) -> RenderableType:
    columns = ("method", "origin", "group", "series", "wape", "bias", "coverage_90", "beaten_by")
    rows = [tuple(str(s[c]) if c == "origin" else s.get(c) for c in columns) for s in scores]
    return table("", tuple(c.replace("_", " ") for c in columns), rows)


MOST_SEGMENTS = 8
"""So many segments of a kind are printed; --json gives all."""


def losses_parts(found: list[dict[str, Any]]) -> list[RenderableType]:
    """What is printed of losses: all, the segments of each kind that lose most, worst series."""
    parts: list[RenderableType] = []
    money = any(row["loss_cents"] is not None for row in found)
    unit = f"{found[0]['currency']}" if money else "units"
    columns = ("series", "WAPE", "too much", "too little", "loss", "share", "better")
    for by in dict.fromkeys(row["by"] for row in found):
        mine = [row for row in found if row["by"] == by]
        shown = mine if by == "series" else mine[:MOST_SEGMENTS]
        rows = [(row["group"], *_loss_cells(row, money=money)) for row in shown]
        left = len(mine) - len(shown)
        title = f"loss by {by}, in {unit}" + (f" ({left} more)" if left else "")
        parts.append(table(title, (by, *columns), rows))
    if money and (without := found[0]["unvalued_series"]):
        parts.append(f"note: {without:,} series have no price in {unit} and are left out of money")
    return parts


def _loss_cells(row: dict[str, Any], *, money: bool) -> tuple[object, ...]:
    def amount(name: str) -> float | None:
        value = row[f"{name}_cents"] if money else row.get(f"{name}_units")
        return None if value is None else round(value / 100 if money else value, 2)

    much, little = amount("too_much"), amount("too_little")
    lost = None if much is None or little is None else round(much + little, 2)
    better = row["better_method"]
    told = None if better is None else f"{better} ({amount('better_loss'):,})"
    return (
        row["series"],
        None if row["wape"] is None else round(row["wape"], 3),
        much,
        little,
        lost,
        f"{row['share']:.1%}",
        told,
    )
