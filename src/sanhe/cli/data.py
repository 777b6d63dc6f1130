"""Commands that take data in: import a file, list imports, undo one."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sanhe.cli.options import Actor, Home, Json, day, default_actor, opened, require_folder
from sanhe.cli.output import Output, money, table
from sanhe.core.errors import BadInput

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.wiring import Imported


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("import")(import_)
    app.command()(imports)
    app.command()(undo)
    app.command()(holidays)


def import_(
    file: Annotated[Path, typer.Argument(help="CSV, Excel or Parquet.")],
    mapping: Annotated[
        str | None,
        typer.Option("--as", "--mapping", help="A shipped mapping or a TOML file."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and show, record nothing.")] = (
        False
    ),
    source: Annotated[str | None, typer.Option(help="The system it comes from.")] = None,
    revision: Annotated[int, typer.Option(min=0, help="Higher = a correction of an earlier.")] = 0,
    accept_rejects: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of rows that may be refused, the rest recorded."),
    ] = 0.0,
    create_missing: Annotated[
        bool, typer.Option("--create-missing", help="Describe unknown codes by their code.")
    ] = False,
    sheet: Annotated[str | None, typer.Option(help="Which sheet of a workbook.")] = None,
    encoding: Annotated[str | None, typer.Option(help="e.g. utf-8, gb18030, utf-16.")] = None,
    decimal: Annotated[str | None, typer.Option(help="The decimal mark: . or ,")] = None,
    date_format: Annotated[str | None, typer.Option(help="e.g. %d/%m/%Y.")] = None,
    save_mapping: Annotated[
        Path | None, typer.Option(help="Keep the mapping that was used as a TOML file.")
    ] = None,
    today: Annotated[
        str | None, typer.Option(help="The last day that may have happened, YYYY-MM-DD.")
    ] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Take in a file: all of it or nothing; what can't be used is named row by row."""
    from sanhe.connectors.files import ReadOptions
    from sanhe.wiring import ImportRequest, import_file

    request = ImportRequest(
        path=file,
        mapping=mapping,
        source=source,
        revision=revision,
        options=ReadOptions(
            encoding=encoding, decimal=decimal, date_format=date_format, sheet=sheet
        ),
        max_reject_share=accept_rejects,
        create_missing=create_missing,
        dry_run=dry_run,
        save_mapping=save_mapping,
        today=day(today, option="--today"),
    )
    output = Output(json)
    with opened(home) as sanhe, output.progress() as report:
        done = import_file(sanhe, request, actor=actor or default_actor(), report=report)
    output.show(done, *_told(done))
    if dry_run and done.summary.reject_share > accept_rejects:
        raise typer.Exit(BadInput.exit_code)


def _told(done: Imported) -> list[RenderableType]:
    """What an import tells people."""
    rows = [
        (
            found.type,
            found.facts,
            found.skus,
            found.places,
            f"{found.first_day} – {found.last_day}" if found.first_day else "–",
            found.quantity,
            None if found.amount_cents is None else money(found.amount_cents, found.currency or ""),
        )
        for found in done.summary.types
    ]
    columns = ("facts", "count", "SKUs", "places", "days", "quantity", "amount")
    parts: list[RenderableType] = [
        f"{done.path.name}: {done.summary.rows:,} rows, read as {done.mapping!r}",
        table("", columns, rows),
    ]
    if done.summary.unread_columns:
        parts.append(f"not read: {', '.join(done.summary.unread_columns)}")
    parts += list(done.summary.notes)
    for found in done.summary.types:
        if found.repeated:
            parts.append(f"{found.repeated:,} rows repeat another of {found.type} and count once")
        if found.summed:
            parts.append(f"{found.summed:,} rows were added to another of their {found.type}")
    if done.summary.rejected_rows:
        parts.append(f"{done.summary.rejected_rows:,} rows can't be used: {done.rejects_file}")
        parts += [
            f"  {reject.place}: {reject.reason} {reject.value!r} ({reject.remedy})"
            for reject in done.first_rejects[:5]
        ]
    if done.mapping_file is not None:
        parts.append(f"mapping kept: {done.mapping_file}")
    if done.batch is None:
        parts.append("dry run: nothing was recorded")
    else:
        parts.append(
            f"recorded {done.new:,} new facts, {done.repeated:,} known before; "
            f"batch {done.batch} (sanhe undo {done.batch})"
        )
    return parts


def imports(home: Home = None, json: Json = False) -> None:
    """List what was taken in, newest last, with the ids that `sanhe undo` takes."""
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        batches = work.facts.batches()
    rows = [
        (
            str(batch.id),
            f"{batch.begun_at:%Y-%m-%d %H:%M}",
            batch.kind + (" (undone)" if batch.undone_by else ""),
            batch.source,
            batch.name,
            batch.new,
            batch.repeated,
            batch.rejected,
        )
        for batch in batches
    ]
    columns = ("batch", "when", "kind", "source", "name", "new", "repeated", "rejected")
    Output(json).show(batches, table("", columns, rows))


def undo(
    batch: Annotated[str, typer.Argument(help="A batch id of `sanhe imports`.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Compensate an import: what it brought no longer holds, what it replaced holds again."""
    from uuid import UUID

    from sanhe.wiring import undo_import

    try:
        chosen = UUID(batch)
    except ValueError as error:
        raise BadInput(f"{batch!r} is no batch id", remedy="copy it from: sanhe imports") from error
    with opened(home) as sanhe:
        undone = undo_import(sanhe, chosen, actor=actor or default_actor())
    told = f"{undone.facts:,} facts of {undone.name} no longer hold; undo batch {undone.batch}"
    Output(json).show(undone, told)


def holidays(
    out: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    first_year: Annotated[int, typer.Option("--from", help="First year.")] = 2023,
    last_year: Annotated[int, typer.Option("--to", help="Last year.")] = 2026,
    json: Json = False,
) -> None:
    """Write China's official holidays and worked weekends (调休) as a file for sanhe import."""
    from sanhe.core.places import official_days, official_holidays

    years = sorted({holiday.last.year for holiday in official_holidays()})
    if not years[0] <= first_year <= last_year <= years[-1]:
        raise BadInput(
            f"no official days are shipped for {first_year} to {last_year}",
            place="--from, --to",
            remedy=f"choose from {years[0]} to {years[-1]}, and add rows of your own to the file",
        )
    require_folder(out)
    days = official_days(date(first_year, 1, 1), date(last_year, 12, 31))
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("day", "holiday", "kind"))
        writer.writerows((day.isoformat(), name, kind) for day, name, kind in days)
    Output(json).show(
        {"file": str(out), "days": len(days)},
        f"{len(days)} days written to {out}; take them in by sanhe import {out} --as holidays",
    )
