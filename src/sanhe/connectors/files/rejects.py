"""Rows that can't be used, and the file that hands them back for mending."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused cell: where it stands, what it holds, why, and what mends it.

    `column` is empty when the whole row is refused. `cells` is the row as it stood in the file.
    """

    file: str
    row: int
    column: str
    value: str
    reason: str
    remedy: str
    cells: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it stands, as "file.csv row 17 column quantity"."""
        column = f" column {self.column}" if self.column else ""
        return f"{self.file} row {self.row}{column}"


def safe_cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: an apostrophe before = + - @ in text.

    Source: OWASP, "CSV Injection". Numbers stay numbers.
    """
    if isinstance(value, str) and value.startswith(_DANGEROUS) and not _is_number(value):
        return "'" + value
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV whole or not at all, in UTF-8 with the mark that spreadsheets look for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8-sig", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([safe_cell(name) for name in header])
            writer.writerows([safe_cell(cell) for cell in row] for row in rows)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


_HEAD: Final = ("file", "row", "column", "value", "reason", "remedy")


def rejects_name(file: str, digest: str) -> str:
    """The name of the rejects file of a file with this digest: it repeats with the file."""
    return f"{Path(file).stem}.{digest[:8]}.rejects.csv"


def read_rejects(path: Path) -> list[Reject]:
    """The rejects of a file that `write_rejects` wrote, without the original columns."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [
            Reject(
                row["file"],
                int(row["row"]),
                row["column"],
                value=row["value"],
                reason=row["reason"],
                remedy=row["remedy"],
            )
            for row in csv.DictReader(stream)
        ]


def write_rejects(path: Path, headers: Sequence[str], rejects: Iterable[Reject]) -> None:
    """The rejects file: file, row, column, value, reason, remedy, then the original columns."""
    head = [*_HEAD, *headers]
    write_csv(
        path,
        head,
        (
            [one.file, one.row, one.column, one.value, one.reason, one.remedy, *one.cells]
            for one in rejects
        ),
    )
