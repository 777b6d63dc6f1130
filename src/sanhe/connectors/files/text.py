"""The text of a file: its encoding, its delimiter, and where it stops making sense."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sanhe.core.errors import BadInput

DELIMITERS: Final = (",", ";", "\t", "|")
_BLOCK_BYTES: Final = 1 << 20
_NAMES: Final = {"gbk": "gb18030", "gb2312": "gb18030", "utf8": "utf-8", "ansi": "latin-1"}


def find_encoding(path: Path, named: str | None) -> str:
    """The encoding of the file, checked to the last byte.

    A named one is held to; else byte order marks, UTF-8 and GB18030 are tried, in that order.
    Raises BadInput with the row where the bytes don't fit, or when the file mixes encodings.
    """
    if named is not None:
        encoding = _known(named, path)
        _check_bytes(path, encoding)
        return encoding
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith(codecs.BOM_UTF8):
        _check_bytes(path, "utf-8-sig")
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _check_bytes(path, "utf-16")
        return "utf-16"
    if b"\0" in head:
        return _without_mark(path, head)
    if _decodes(path, "utf-8"):
        return "utf-8"
    return _not_utf8(path)


def _known(named: str, path: Path) -> str:
    asked = named.strip().lower()
    asked = _NAMES.get(asked, asked)
    try:
        return codecs.lookup(asked).name if asked not in {"utf-8-sig"} else asked
    except LookupError as error:
        raise BadInput(
            f"unknown encoding {named!r}",
            place=path.name,
            remedy="use utf-8, utf-8-sig, utf-16, gb18030 or latin-1",
        ) from error


def _without_mark(path: Path, head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    for share, encoding in ((odd / half, "utf-16-le"), (even / half, "utf-16-be")):
        if share > 0.3 and _decodes(path, encoding):
            return encoding
    raise BadInput(
        "not a text file: it holds zero bytes",
        place=path.name,
        remedy="give CSV, Excel (.xlsx) or Parquet",
    )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    try:
        for block in _blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            yield block


def _check_bytes(path: Path, encoding: str) -> None:
    """Raise BadInput naming the first row whose bytes are not of this encoding."""
    if _decodes(path, encoding):
        return
    row = _first_wrong_row(path, encoding)
    raise BadInput(
        f"bytes that are not {encoding}",
        place=f"{path.name} row {row}",
        remedy="name the file's encoding, or save the whole file in one",
    )


def _first_wrong_row(path: Path, encoding: str) -> int:
    if encoding.startswith("utf-16"):
        decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
        rows = 1
        try:
            for block in _blocks(path):
                for start in range(0, len(block), 64):
                    rows += decoder.decode(block[start : start + 64]).count("\n")
        except UnicodeDecodeError:
            return rows
        return rows
    with path.open("rb") as stream:
        for row, line in enumerate(stream, start=1):
            if not _fits(line, encoding):
                return row
    return 1


def _fits(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _not_utf8(path: Path) -> str:
    """GB18030, or a refusal that says what the file looks like."""
    utf8_rows, other_rows, first_other, first_utf8, unfit = 0, 0, 0, 0, 0
    double, pairs = 0, 0
    with path.open("rb") as stream:
        for row, line in enumerate(stream, start=1):
            if line.isascii():
                continue
            if _fits(line, "utf-8"):
                utf8_rows += 1
                first_utf8 = first_utf8 or row
                continue
            other_rows += 1
            first_other = first_other or row
            if not _fits(line, "gb18030"):
                unfit = unfit or row
            found = re.findall(rb"[\x81-\xfe](.)", line, flags=re.DOTALL)
            pairs += len(found)
            double += sum(second >= b"\x80" for second in found)
    # A short GB18030 row may be valid UTF-8 by chance; more than a few are a mixture.
    if utf8_rows > 0.05 * (utf8_rows + other_rows):
        strange = first_other if utf8_rows >= other_rows else first_utf8
        rest = "utf-8" if utf8_rows >= other_rows else "another encoding"
        raise BadInput(
            f"mixed encodings: this row differs from the rest, which is {rest}",
            place=f"{path.name} row {strange}",
            remedy="save the whole file as UTF-8; parts of it come from different systems",
        )
    if unfit or double < 0.6 * pairs:
        raise BadInput(
            "neither UTF-8 nor GB18030",
            place=f"{path.name} row {unfit or first_other}",
            remedy="name the encoding, e.g. latin-1",
        )
    return "gb18030"


def open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    """The file as text, line ends untouched, for the csv module."""
    return path.open("r", encoding=encoding, errors="strict", newline="")


def find_delimiter(path: Path, encoding: str, named: str | None) -> tuple[str, int]:
    """The delimiter, and how many lines to skip (a spreadsheet's `sep=;` line).

    Raises BadInput for a named delimiter of more than one character.
    """
    with open_text(path, encoding) as stream:
        head = stream.read(1 << 16)
    hint = re.match(r"sep=(.)\r?\n", head)
    skip = 1 if hint else 0
    if named is not None:
        mark = {"tab": "\t", "\\t": "\t"}.get(named.lower(), named)
        if len(mark) != 1:
            raise BadInput(
                f"delimiter {named!r}", place=path.name, remedy="give one character, or tab"
            )
        return mark, skip
    if hint:
        return hint[1], skip
    text = head if len(head) < 1 << 16 else head[: head.rfind("\n") + 1]
    return max(DELIMITERS, key=lambda mark: _agreement(text, mark)), skip


def _agreement(text: str, delimiter: str) -> tuple[float, int]:
    """How well a delimiter explains the head of a file: share of rows as wide as the header."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    widths: list[int] = []
    try:
        for row in reader:
            if row:
                widths.append(len(row))
            if len(widths) == 40:
                break
    except csv.Error:
        return (0.0, 0)
    if not widths or widths[0] < 2:
        return (0.0, 0)
    same = sum(width == widths[0] for width in widths) / len(widths)
    return (1.0 if same > 0.7 else same, widths[0])
