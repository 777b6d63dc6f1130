"""The command on inventory health: classes, age, cover, dead stock, moves between classes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sanhe.cli.options import AsOf, Home, Json, PolicyFile, day, default_actor, opened
from sanhe.cli.output import Output, money, table

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

    from sanhe.goods.health import Moves


class View(StrEnum):
    """What to look at."""

    overview = "overview"
    moves = "moves"


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(health)


def health(
    view: Annotated[
        View, typer.Argument(help="overview, or moves: what changed its class, and why.")
    ] = View.overview,
    as_of: AsOf = None,
    label: Annotated[
        str, typer.Option("--class", help="Only lines whose class begins so, e.g. AXH.")
    ] = "",
    from_day: Annotated[
        str | None, typer.Option("--from", help="moves: since when [default: the day kept before].")
    ] = None,
    to_day: Annotated[
        str | None, typer.Option("--to", help="moves: until when [default: the newest kept day].")
    ] = None,
    depth: Annotated[int, typer.Option(help="moves: how many letters of the class count.")] = 4,
    policy: PolicyFile = None,
    limit: Annotated[int, typer.Option(min=0, help="How many lines to list.")] = 10,
    home: Home = None,
    json: Json = False,
) -> None:
    """Class stock by value, regularity, margin and age, with the money in it."""
    from sanhe.goods.health import matrix, of_class
    from sanhe.goods.replenish import check_class
    from sanhe.wiring import health as run_health
    from sanhe.wiring import health_moves

    if label:
        check_class(label, place="--class")
    since, until = day(from_day, option="--from"), day(to_day, option="--to")
    with opened(home) as sanhe:
        currency = sanhe.settings.currency
        if view is View.moves:
            found = health_moves(sanhe, from_day=since, to_day=until, depth=depth)
        else:
            lines, _ = run_health(
                sanhe, actor=default_actor(), as_of=day(as_of, option="--as-of"), policy=policy
            )
    if view is View.moves:
        _show_moves(Output(json), found, currency, label=label, limit=limit)
        return
    chosen = of_class(lines, label)
    _show_overview(Output(json), chosen, matrix(chosen), currency=currency, limit=limit)


def _show_overview(
    output: Output, lines: pa.Table, cells: pa.Table, *, currency: str, limit: int
) -> None:
    """The matrix, the stock by age and by cover, and the lines whose money could be freed."""
    import pyarrow.compute as pc

    from sanhe.goods.health import ageing, cover, slow

    stuck = slow(lines)
    listed = {
        "dead": stuck.filter(stuck.column("dead")).slice(0, limit).to_pylist(),
        "slow": stuck.filter(pc.invert(stuck.column("dead"))).slice(0, limit).to_pylist(),
        "expiring": _most(lines, "expiring_cents", limit),
        "excess": _most(lines, "excess_cents", limit),
    }
    sums = {
        "matrix": cells.to_pylist(),
        "ageing": ageing(lines).to_pylist(),
        "cover": cover(lines).to_pylist(),
    }
    parts = [_matrix(sums["matrix"], currency), _ageing(sums["ageing"], currency)]
    rows = [(_days(c["days"]), c["lines"], money(c["stock_value_cents"], currency))
            for c in sums["cover"]]  # fmt: skip
    parts.append(table("days the stock lasts", ("days", "lines", "in stock"), rows))
    titles = {
        "dead": ("dead stock, most money first", "stock_value_cents"),
        "slow": ("slow stock, most money first", "stock_value_cents"),
        "expiring": ("will expire unsold at the present rate", "expiring_cents"),
        "excess": ("more than the policy would order up to", "excess_cents"),
    }
    for name, (title, column) in titles.items():
        if listed[name]:
            parts.append(_lines(listed[name], (title, column), currency))
    output.show({**sums, **listed}, *parts)


def _most(lines: pa.Table, column: str, limit: int) -> list[dict[str, Any]]:
    """The lines with the most of a money column."""
    import pyarrow.compute as pc

    some = lines.filter(pc.greater(pc.fill_null(lines.column(column), 0), 0))
    order = [(column, "descending"), ("sku", "ascending"), ("place", "ascending")]
    found: list[dict[str, Any]] = some.sort_by(order).slice(0, limit).to_pylist()
    return found


def _matrix(cells: list[dict[str, Any]], currency: str) -> RenderableType:
    rows = [
        (
            cell["abc"] + cell["xyz"],
            cell["lines"],
            money(cell["stock_value_cents"], currency),
            cell["cover_days"],
            cell["dead_lines"],
            *(
                money(cell[name], currency)
                for name in ("dead_value_cents", "excess_cents", "expiring_cents")
            ),
        )
        for cell in cells
    ]
    columns = ("class", "lines", "in stock", "cover (days)", "dead lines", "dead money")
    return table("", (*columns, "excess money", "expiring"), rows)


def _ageing(cells: list[dict[str, Any]], currency: str) -> RenderableType:
    """Classes down, buckets of age across."""
    from sanhe.goods.health import BUCKETS

    held = {(c["abc"] + c["xyz"], c["bucket"]): c["stock_value_cents"] for c in cells}
    classes = sorted({name for name, _ in held})
    rows = [
        (name, *(money(held.get((name, bucket), 0), currency) for bucket in BUCKETS))
        for name in classes
    ]
    return table("money by age of the stock (days)", ("class", *map(_days, BUCKETS)), rows)


def _lines(found: list[dict[str, Any]], shown: tuple[str, str], currency: str) -> RenderableType:
    """Single lines under a title, with one column of money."""
    title, column = shown
    rows = [
        (
            line["sku"],
            line["place"],
            line["label"],
            line["on_hand"],
            money(line[column], currency),
            line["cover_days"],
            line["days_since_sale"],
            line["age_days"],
        )
        for line in found
    ]
    columns = ("SKU", "place", "class", "on hand", "money", "clears in (days)")
    return table(title, (*columns, "days since sale", "age (days)"), rows)


def _show_moves(output: Output, found: Moves, currency: str, *, label: str, limit: int) -> None:
    """The transition matrix and the lines that moved, from or to the class asked for."""
    found = found.of(label)
    matrix, lines = found.matrix.to_pylist(), found.lines.to_pylist()
    rows = [
        (m["from_label"], m["to_label"], m["lines"], money(m["stock_value_cents"], currency))
        for m in matrix
        if m["from_label"] != m["to_label"]
    ]
    listed = [
        (
            line["sku"],
            line["place"],
            line["from_label"],
            line["to_label"],
            money(line["stock_value_cents"], currency),
            line["reason"],
        )
        for line in lines[:limit]
    ]
    told = {
        "from_day": found.from_day,
        "to_day": found.to_day,
        "moved_lines": len(lines),
        "matrix": matrix,
        "lines": lines[:limit],
    }
    output.show(
        told,
        f"from {found.from_day} to {found.to_day}: {len(lines):,} lines changed their class",
        table("", ("from", "to", "lines", "in stock"), rows),
        table("most money first", ("SKU", "place", "from", "to", "in stock", "reason"), listed),
    )


def _days(bucket: str) -> str:
    """A bucket in words: "0_30" is "0-30"."""
    return bucket.replace("over_", "over ").replace("no_sale", "no sale").replace("_", "-")
