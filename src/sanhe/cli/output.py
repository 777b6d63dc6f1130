"""How the command line speaks: tables for people, JSON for programs, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from sanhe.core.values import Json

if TYPE_CHECKING:
    from rich.console import RenderableType

Report = Callable[[str, int, int], None]
"""Called by long work with what it does now, how much is done, and how much there is."""


def as_json(value: object) -> Json:
    """Any value of ours as plain JSON: dates in ISO form, ids and paths as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (UUID, Path)):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(inner) for inner in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: as_json(getattr(value, name)) for name in value.__dataclass_fields__}
    raise TypeError(f"{type(value).__name__} has no JSON form")


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go. `json` is set by `--json`: then stdout holds one JSON document alone."""

    json: bool = False

    @property
    def console(self) -> Console:
        """Standard output. Text is printed as it is: names from outside may hold brackets."""
        width = None if sys.stdout.isatty() else 160
        return Console(highlight=False, markup=False, emoji=False, width=width)

    def show(self, result: object, *parts: RenderableType) -> None:
        """Give the result: as JSON, or as these parts for people."""
        if self.json:
            print(json.dumps(as_json(result), ensure_ascii=False, indent=2))  # noqa: T201
            return
        for part in parts:
            self.console.print(part)

    def say(self, *parts: RenderableType) -> None:
        """Tell people something along the way; nothing with `--json`."""
        if not self.json:
            for part in parts:
                self.console.print(part)

    @contextmanager
    def progress(self) -> Iterator[Report]:
        """A bar on stderr for long work; silent with `--json` or where nobody watches."""
        quiet = self.json or not sys.stderr.isatty()
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=quiet,
        )
        with bar:
            tasks: dict[str, int] = {}

            def report(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=max(total, 1))
                task = TaskID(tasks[what])
                bar.update(task, completed=done, total=max(total, 1))

            yield report


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A table for people: numbers to the right with thousands separators, text to the left.

    A column title that ends in a unit keeps it: "on hand (each)".
    """
    shown = Table(title=title or None, title_justify="left", header_style="bold", box=None)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(
            isinstance(row[index], (int, float)) or row[index] is None for row in rows
        )
        shown.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(number(cell) for cell in row))
    return shown


def number(cell: object) -> str:
    """A cell as text: thousands separated, floats with up to three digits, None as a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.3f}".rstrip("0").rstrip(".") if abs(cell) < 100 else f"{cell:,.0f}"
    return str(cell)


def money(cents: int, currency: str) -> str:
    """Minor units for people: 123456 CNY -> 1,234.56 CNY."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d} {currency}"
