"""The command that compares two mornings: what changed in the plan since yesterday, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sanhe.cli.options import Home, Json, day, opened
from sanhe.cli.output import Output, money, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.goods.replenish import ChangedLine, Changes


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(changes)


def changes(
    from_day: Annotated[
        str | None,
        typer.Option("--from", help="The earlier morning, YYYY-MM-DD [default: the one before]."),
    ] = None,
    to_day: Annotated[
        str | None,
        typer.Option("--to", help="The later morning, YYYY-MM-DD [default: the newest planned]."),
    ] = None,
    sku: Annotated[str | None, typer.Option(help="Only this SKU.")] = None,
    place: Annotated[str | None, typer.Option(help="Only this place.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many lines to list.")] = 20,
    home: Home = None,
    json: Json = False,
) -> None:
    """Tell what changed in the plan since yesterday and why; the causes sum to each change."""
    from sanhe.wiring import plan_changes

    since, until = day(from_day, option="--from"), day(to_day, option="--to")
    with opened(home) as sanhe:
        found = plan_changes(sanhe, from_day=since, to_day=until, sku=sku, place=place, limit=limit)
        currency = sanhe.settings.currency
    Output(json).show(found, *changes_parts(found, currency))


def changes_parts(found: Changes, currency: str) -> list[RenderableType]:
    """What the comparison tells people: how many lines, by what cause, and the largest."""
    from sanhe.goods.replenish import CAUSE_WORDS

    changed = found.more + found.fewer
    parts: list[RenderableType] = [
        f"from {found.from_day} to {found.to_day}: of {found.compared:,} lines {found.more:,} "
        f"order more, {found.fewer:,} fewer, {found.compared - changed:,} as before; "
        f"{money(found.value_change_cents, currency)} in all"
    ]
    if not changed:
        return parts
    causes = [
        (
            *CAUSE_WORDS[each.cause],
            each.lines,
            each.raised,
            each.lines - each.raised,
            money(each.value_change_cents, currency),
        )
        for each in found.causes
    ]
    columns = ("cause", "原因", "lines", "raised", "lowered", "change at cost")
    parts.append(table("why", columns, causes))
    if found.lines:
        rows = [
            (line.sku, line.place, line.before, line.after, line.change, cause_words(line))
            for line in found.lines
        ]
        columns = ("sku", "place", "before", "after", "change", "of which")
        title = f"{len(rows)} of {changed:,} lines, most money first"
        parts.append(table(title, columns, rows))
    return parts


def cause_words(line: ChangedLine) -> str:
    """The causes of a line in one sentence: "stock on hand +12, full cases -3"."""
    from sanhe.goods.replenish import CAUSE_WORDS

    return ", ".join(f"{CAUSE_WORDS[cause][0]} {units:+,}" for cause, units in line.causes.items())
