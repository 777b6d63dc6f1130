"""Purchase order files: readable, exact, written once."""

from __future__ import annotations

import copy
import csv
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from sanhe.connectors.files import write_order
from sanhe.core.errors import BadInput, Conflict

ORDER: dict[str, Any] = {
    "order": "SH-000123",
    "supplier": "V1",
    "supplier_name": "Tea works 茶厂",
    "place": "S1",
    "due": "2024-07-04",
    "currency": "CNY",
    "lines": [
        {
            "line": 1, "sku": "A1", "name": "Green tea", "quantity": 24, "case_size": 12,
            "cases": 2, "unit_cost_cents": 335, "decision": 17,
        },
        {"line": 2, "sku": "00042", "name": "=HYPERLINK(1)", "quantity": 7, "case_size": None},
    ],
}  # fmt: skip


def read_back(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_csv_holds_every_line(tmp_path: Path) -> None:
    files = write_order(tmp_path / "orders", ORDER)
    assert files.new and files.csv.name == "SH-000123.csv"
    first, second = read_back(files.csv)
    assert (first["order"], first["due"], first["decision"]) == ("SH-000123", "2024-07-04", "17")
    assert (first["quantity"], first["cases"]) == ("24", "2")
    assert (first["unit_cost"], first["case_cost"], first["amount"]) == ("3.35", "", "80.40")
    assert (second["sku"], second["name"]) == ("00042", "'=HYPERLINK(1)")
    assert (second["unit_cost"], second["amount"]) == ("", "")


def test_the_amount_is_the_orders_own_and_the_price_the_agreed_one(tmp_path: Path) -> None:
    """By the case, a price per piece is only a rounded figure: the document leaves it out."""
    line = {
        "sku": "A1", "quantity": 200, "case_size": 100, "unit_cost_cents": 6,
        "cost_per_case_cents": 599, "cost_cents": 1198,
    }  # fmt: skip
    loose = {"sku": "A2", "quantity": 3, "unit_cost_cents": 250, "cost_cents": 750}
    files = write_order(tmp_path, {**ORDER, "lines": [line, loose]})
    first, second = read_back(files.csv)
    assert (first["unit_cost"], first["case_cost"], first["amount"]) == ("", "5.99", "11.98")
    assert (second["unit_cost"], second["case_cost"], second["amount"]) == ("2.50", "", "7.50")
    sheet = load_workbook(files.excel).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    money = [rows[0].index(name) for name in ("箱价 case_cost", "金额 amount")]
    assert [rows[1][at] for at in money] == [5.99, 11.98]
    assert rows[-1][money[1]] == 19.48


def test_the_workbook_is_for_people(tmp_path: Path) -> None:
    sheet = load_workbook(write_order(tmp_path, ORDER).excel).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][0] == "订单号 order" and sheet.freeze_panes == "A2"
    assert rows[1][6] == "A1" and rows[2][6] == "00042"
    amount = rows[0].index("金额 amount")
    assert rows[1][8] == 24 and rows[1][amount] == 80.4
    assert rows[2][7] == "'=HYPERLINK(1)"
    assert (rows[3][0], rows[3][8], rows[3][amount]) == ("合计 total", 31, 80.4)


def test_the_same_order_again_changes_nothing(tmp_path: Path) -> None:
    first = write_order(tmp_path, ORDER)
    before = (first.csv.read_bytes(), first.excel.read_bytes(), first.csv.stat().st_mtime_ns)
    second = write_order(tmp_path, copy.deepcopy(ORDER))
    assert not second.new
    after = (second.csv.read_bytes(), second.excel.read_bytes(), second.csv.stat().st_mtime_ns)
    assert after == before


def test_another_content_under_the_number_is_refused(tmp_path: Path) -> None:
    first = write_order(tmp_path, ORDER)
    before = first.csv.read_bytes()
    changed = copy.deepcopy(ORDER)
    changed["lines"][0]["quantity"] = 36
    with pytest.raises(Conflict, match=r"SH-000123\.csv holds another content"):
        write_order(tmp_path, changed)
    assert first.csv.read_bytes() == before


def test_a_half_written_order_is_finished(tmp_path: Path) -> None:
    """Killed between the two files: the workbook alone is no finished order."""
    whole = write_order(tmp_path, ORDER)
    text = whole.csv.read_bytes()
    whole.csv.unlink()
    again = write_order(tmp_path, ORDER)
    assert again.new and again.csv.read_bytes() == text
    again.excel.unlink()
    assert write_order(tmp_path, ORDER).excel.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["SH-000123.csv", "SH-000123.xlsx"]


def test_an_order_number_stays_in_its_folder(tmp_path: Path) -> None:
    files = write_order(tmp_path / "out", {**ORDER, "order": "../../etc/PO 1"})
    assert files.csv.parent == tmp_path / "out"
    assert ".." not in files.csv.name.split("_")[0] or files.csv.name[0] != "."


@pytest.mark.parametrize("key", ["order", "supplier", "place", "lines"])
def test_a_payload_without_a_part_is_refused(key: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"no {key}"):
        write_order(tmp_path, {name: value for name, value in ORDER.items() if name != key})
    assert list(tmp_path.iterdir()) == []


def test_a_line_without_a_sku_is_refused(tmp_path: Path) -> None:
    broken = {**ORDER, "lines": [{"quantity": 1}]}
    with pytest.raises(BadInput, match="purchase order SH-000123 line 1: no sku"):
        write_order(tmp_path, broken)
