"""Reading a file into the session's raw table: CSV, Excel and Parquet, told apart by content."""

from __future__ import annotations

import csv
import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO, Final
from xml.etree import ElementTree

from sanhe.connectors.files.duck import Session
from sanhe.connectors.files.mapping import ReadOptions
from sanhe.connectors.files.text import find_delimiter, find_encoding, open_text
from sanhe.core.errors import BadInput, NotFound

CHUNK_ROWS: Final = 50_000
_TOTALS: Final = frozenset({"合计", "总计", "小计", "total", "totals", "grand total", "sum"})
_ACCEPTED: Final = "give CSV, Excel (.xlsx) or Parquet"

MOST_UNPACKED_BYTES: Final = 4_000_000_000
MOST_PACKED: Final = 200
"""So many times smaller than what is in it a workbook may be; sheets of real data reach 5 to 30."""
_FREE_BYTES: Final = 50_000_000
"""What any workbook may unpack to."""

Progress = Callable[[str, float], None]
"""Told the stage and the share done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: how it is written, its headers in order, and what was noticed.

    `types` are the DuckDB types of its columns; `options` the reading options that held.
    """

    kind: str
    headers: tuple[str, ...]
    types: tuple[str, ...]
    rows: int
    options: ReadOptions
    notes: tuple[str, ...]


def digest(path: Path) -> str:
    """The SHA-256 of the file's bytes. Raises NotFound."""
    if not path.is_file():
        raise NotFound(f"no file {path}")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def kind_of(path: Path) -> str:
    """The kind by content: "csv", "excel" or "parquet". Raises BadInput for any other."""
    size = path.stat().st_size
    if size == 0:
        raise BadInput("the file is empty (0 bytes)", place=path.name, remedy="export it again")
    with path.open("rb") as stream:
        head = stream.read(512)
        stream.seek(max(size - 4, 0))
        tail = stream.read(4)
    if head.startswith(b"PAR1"):
        if tail != b"PAR1" or size < 12:
            raise BadInput(
                "a truncated Parquet file: its end is missing",
                place=path.name,
                remedy="copy or export it again",
            )
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "excel"
    refused = {
        b"\xd0\xcf\x11\xe0": ("the old Excel format (.xls)", "save it as .xlsx"),
        b"\x1f\x8b": ("a gzip archive", "unpack it first"),
        b"%PDF": ("a PDF", _ACCEPTED),
        b"PK\x05\x06": ("an empty archive", _ACCEPTED),
    }
    for mark, (what, remedy) in refused.items():
        if head.startswith(mark):
            raise BadInput(f"the file is {what}", place=path.name, remedy=remedy)
    lowered = head.lstrip().lower()
    if lowered.startswith((b"<html", b"<!doctype html", b"<table", b"<?xml")):
        raise BadInput(
            "a web page or XML under another name",
            place=path.name,
            remedy="open it in a spreadsheet and save it as .xlsx",
        )
    if path.suffix.lower() in {".parquet", ".xlsx"}:
        raise BadInput(
            f"not a {path.suffix} file by its content",
            place=path.name,
            remedy="export it again, or give it its right ending",
        )
    return "csv"


def read(
    path: Path, session: Session, *, options: ReadOptions, progress: Progress | None = None
) -> Source:
    """Load the file into the session's raw table. Raises BadInput naming the row."""
    kind = kind_of(path)
    if kind == "parquet":
        return _read_parquet(path, session, options)
    if kind == "excel":
        return _read_excel(path, session, options=options, progress=progress)
    return _read_csv(path, session, options=options, progress=progress)


def _read_parquet(path: Path, session: Session, options: ReadOptions) -> Source:
    headers, types = session.parquet_columns(path)
    rows = session.load_parquet(path, headers)
    if rows == 0:
        raise _no_rows(path)
    return Source("parquet", headers, types, rows, options, (f"Parquet, {rows:,} rows",))


def _no_rows(path: Path) -> BadInput:
    return BadInput("a header but no rows", place=path.name, remedy="export it again with rows")


def _read_csv(
    path: Path, session: Session, *, options: ReadOptions, progress: Progress | None
) -> Source:
    encoding = find_encoding(path, options.encoding)
    delimiter, skip = find_delimiter(path, encoding, options.delimiter)
    size = path.stat().st_size
    csv.field_size_limit(1 << 24)
    with open_text(path, encoding) as stream:
        position: Any = stream.buffer
        for _ in range(skip):
            stream.readline()
        records = _records(csv.reader(stream, delimiter=delimiter, strict=True), path, skip)
        first = skip + 1

        def advanced() -> None:
            if progress is not None:
                progress("reading", min(position.tell() / size, 1.0))

        headers, rows, notes = _load(
            records, session, path=path, options=options, first_row=first, advanced=advanced
        )
    shown = {"\t": "tab"}.get(delimiter, delimiter)
    told = replace(options, encoding=encoding, delimiter=shown)
    notes = (f"CSV, {encoding}, delimiter {shown!r}, {rows:,} rows", *notes)
    return Source("csv", headers, ("VARCHAR",) * len(headers), rows, told, notes)


def _records(reader: Any, path: Path, skipped: int) -> Iterator[list[str]]:
    """The records of a CSV file; BadInput names the row where quoting breaks."""
    row = skipped
    try:
        for record in reader:
            row += 1
            yield record
    except csv.Error as error:
        raise BadInput(
            f"broken quoting: {error}",
            place=f"{path.name} row {row + 1}",
            remedy='close the quotes, and write a quote inside a cell as ""',
        ) from error


def _load(
    records: Iterable[Sequence[str]],
    session: Session,
    *,
    path: Path,
    options: ReadOptions,
    advanced: Callable[[], None],
    first_row: int = 1,
    padded: bool = False,
) -> tuple[tuple[str, ...], int, tuple[str, ...]]:
    """Header and rows into the raw table; rows of another width become rejects."""
    numbered = enumerate(records, start=first_row)
    header_row = options.header_row
    headers: tuple[str, ...] = ()
    for number, record in numbered:
        if header_row is None and not "".join(record).strip():
            continue
        if header_row is not None and number < header_row:
            continue
        headers = _header(record, path, number)
        break
    if not headers:
        raise BadInput("no header row", place=path.name, remedy="give column names in a first row")
    session.create_raw(headers)
    chunk: list[Sequence[str]] = []
    numbers: list[int] = []
    rows, notes = 0, list[str]()
    for number, record in numbered:
        if not "".join(record).strip():
            continue
        if padded and len(record) < len(headers):
            record = [*record, *[""] * (len(headers) - len(record))]
        if len(record) != len(headers):
            record = _fitted(record, headers, number=number, session=session)
        chunk.append(record)
        numbers.append(number)
        if len(chunk) == CHUNK_ROWS:
            rows += _flush(session, chunk, numbers)
            advanced()
    if chunk and _is_total(chunk[-1]):
        notes.append(f"row {numbers[-1]} is a total and was left out")
        chunk.pop(), numbers.pop()
    rows += _flush(session, chunk, numbers)
    if rows == 0:
        raise _no_rows(path)
    return headers, rows, tuple(notes)


def _flush(session: Session, chunk: list[Sequence[str]], numbers: list[int]) -> int:
    session.add_raw(numbers, chunk)
    count = len(chunk)
    chunk.clear()
    numbers.clear()
    return count


def _is_total(record: Sequence[str]) -> bool:
    first = next((cell.strip().lower() for cell in record if cell.strip()), "")
    return first.rstrip(":：") in _TOTALS


def _header(record: Sequence[str], path: Path, number: int) -> tuple[str, ...]:
    headers = [cell.strip().lstrip("\ufeff") for cell in record]
    while headers and not headers[-1]:
        headers.pop()
    place = f"{path.name} row {number}"
    if not headers:
        raise BadInput("an empty header", place=place, remedy="name the columns in this row")
    for column, header in enumerate(headers, start=1):
        if not header:
            raise BadInput(
                f"column {column} has no name", place=place, remedy="name it, or remove the column"
            )
    seen: set[str] = set()
    for header in headers:
        if header in seen:
            raise BadInput(
                f"column {header!r} appears twice", place=place, remedy="rename or remove one"
            )
        seen.add(header)
    return tuple(headers)


def _fitted(
    record: Sequence[str], headers: tuple[str, ...], *, number: int, session: Session
) -> Sequence[str]:
    width = len(headers)
    if len(record) > width and not any(cell.strip() for cell in record[width:]):
        return record[:width]
    session.refuse_row(
        number,
        value=" | ".join(record)[:200],
        reason=f"{len(record)} cells where the header has {width}",
        remedy="quote cells that hold the delimiter; a short last row means a cut-off file",
    )
    return [*record[:width], *[""] * (width - len(record))]


def _read_excel(
    path: Path, session: Session, *, options: ReadOptions, progress: Progress | None
) -> Source:
    damaged = BadInput(
        "a damaged or truncated Excel file", place=path.name, remedy="save or copy it again"
    )
    try:
        return _read_workbook(path, session, options=options, progress=progress)
    except (zipfile.BadZipFile, zlib.error, EOFError, ElementTree.ParseError) as error:
        raise damaged from error


def _check_unpacked(stream: BinaryIO, path: Path) -> None:
    """Raise BadInput for a workbook that is small only while it is packed.

    The sizes are those of the archive's directory; zipfile unpacks no part beyond its own.
    """
    packed = os.fstat(stream.fileno()).st_size
    with zipfile.ZipFile(stream) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    stream.seek(0)
    if unpacked > MOST_UNPACKED_BYTES or unpacked > max(MOST_PACKED * packed, _FREE_BYTES):
        raise BadInput(
            f"the workbook unpacks to {unpacked:,} bytes, {unpacked // max(packed, 1):,} times its "
            "size",
            place=path.name,
            remedy="save it as CSV",
        )


def _read_workbook(
    path: Path, session: Session, *, options: ReadOptions, progress: Progress | None
) -> Source:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    with path.open("rb") as stream:
        _check_unpacked(stream, path)
        try:
            book = load_workbook(stream, read_only=True, data_only=True)
        except (InvalidFileException, KeyError) as error:
            raise BadInput(
                f"an archive that is no Excel workbook: {error}",
                place=path.name,
                remedy=_ACCEPTED,
            ) from error
        sheet = _sheet(book, path, options.sheet)
        total = max(sheet.max_row or 1, 1)
        decimal = options.decimal or "."
        done = 0

        def cells() -> Iterator[list[str]]:
            nonlocal done
            for values in sheet.iter_rows(values_only=True):
                done += 1
                yield _trimmed([_cell(value, decimal) for value in values])

        def advanced() -> None:
            if progress is not None:
                progress("reading", min(done / total, 1.0))

        headers, rows, notes = _load(
            cells(), session, path=path, options=options, padded=True, advanced=advanced
        )
        others = [name for name in book.sheetnames if name != sheet.title]
        name = sheet.title
        book.close()
    notes = (f"Excel, sheet {name!r}, {rows:,} rows", *notes)
    if others and options.sheet is None:
        notes = (*notes, f"other sheets not read: {', '.join(others)}")
    told = replace(options, sheet=name)
    return Source("excel", headers, ("VARCHAR",) * len(headers), rows, told, notes)


def _trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _sheet(book: Any, path: Path, named: str | None) -> Any:
    names = list(book.sheetnames)
    if named is not None:
        if named not in names:
            raise BadInput(
                f"no sheet {named!r}", place=path.name, remedy=f"it has {', '.join(names)}"
            )
        return book[named]
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        if any(any(value is not None for value in row) for row in _head(sheet)):
            return sheet
    raise BadInput("no sheet with rows", place=path.name, remedy="save the workbook with its data")


def _head(sheet: Any) -> Iterator[tuple[object, ...]]:
    return iter(sheet.iter_rows(max_row=20, values_only=True))


def _cell(value: object, decimal: str) -> str:
    """A cell as the text a careful export would have written."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        return text.replace(".", decimal)
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)
