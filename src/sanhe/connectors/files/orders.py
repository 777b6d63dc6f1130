"""Purchase orders out: one CSV and one workbook per order, written whole, never twice differently.

The payload is that of the outbox topic `purchase_order`: {order, supplier, supplier_name, place,
due, currency, lines: [{line, sku, name, quantity, case_size, cases, unit_cost_cents,
cost_per_case_cents, cost_cents, decision}]}. A line shows the price it was agreed by, per unit or
per case, and the amount as the order counts it: a unit cost rounded from a case is never shown.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sanhe.connectors.files.rejects import safe_cell
from sanhe.core.errors import BadInput, Conflict

_COLUMNS: Final = (
    ("order", "订单号"),
    ("supplier", "供应商"),
    ("supplier_name", "供应商名称"),
    ("place", "收货地点"),
    ("due", "要求到货日"),
    ("line", "行号"),
    ("sku", "商品编码"),
    ("name", "品名"),
    ("quantity", "数量"),
    ("case_size", "箱规"),
    ("cases", "箱数"),
    ("unit_cost", "单价"),
    ("case_cost", "箱价"),
    ("amount", "金额"),
    ("currency", "币种"),
    ("decision", "决策号"),
)
_MONEY: Final = frozenset({"unit_cost", "case_cost", "amount"})
_WIDTHS: Final = {"name": 36, "supplier_name": 24, "sku": 16, "order": 14, "due": 12}


@dataclass(frozen=True, slots=True)
class OrderFiles:
    """Where an order was written; `new` is False when it had been written alike before."""

    csv: Path
    excel: Path
    new: bool


def write_order(folder: Path, payload: Mapping[str, Any]) -> OrderFiles:
    """Write one purchase order as ORDER.csv and ORDER.xlsx into the folder.

    Written before with the same content it is left alone; with other content Conflict is raised
    and nothing changes. Raises BadInput when the payload lacks a field.
    """
    rows = _rows(payload)
    name = re.sub(r"[^\w.-]+", "_", str(payload["order"])).strip(".") or "order"
    csv_path, excel_path = folder / f"{name}.csv", folder / f"{name}.xlsx"
    text = _csv_bytes(rows)
    if csv_path.exists():
        if csv_path.read_bytes() != text:
            raise Conflict(
                f"{csv_path} holds another content of order {payload['order']};"
                " give the changed order a new number, or move the file away"
            )
        if excel_path.exists():
            return OrderFiles(csv_path, excel_path, new=False)
    folder.mkdir(parents=True, exist_ok=True)
    # The workbook goes first: the CSV is the mark that the order is written.
    _replace(excel_path, _workbook_bytes(payload, rows))
    _replace(csv_path, text)
    return OrderFiles(csv_path, excel_path, new=True)


def _rows(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    missing = [key for key in ("order", "supplier", "place", "lines") if not payload.get(key)]
    if missing:
        raise BadInput(
            f"no {missing[0]}", place="purchase order", remedy="give order, supplier, place, lines"
        )
    head = {
        "order": payload["order"],
        "supplier": payload["supplier"],
        "supplier_name": payload.get("supplier_name") or "",
        "place": payload["place"],
        "due": payload.get("due") or "",
        "currency": payload.get("currency") or "",
    }
    return [
        {**head, **_line(line, number, str(payload["order"]))}
        for number, line in enumerate(payload["lines"], start=1)
    ]


def _line(line: Mapping[str, Any], number: int, order: str) -> dict[str, Any]:
    for key in ("sku", "quantity"):
        if line.get(key) in (None, ""):
            raise BadInput(
                f"no {key}", place=f"purchase order {order} line {number}", remedy="give it"
            )
    quantity = int(line["quantity"])
    unit_cents, amount_cents = line.get("unit_cost_cents"), line.get("cost_cents")
    if amount_cents is None and unit_cents is not None:
        amount_cents = int(unit_cents) * quantity
    case_cents = line.get("cost_per_case_cents") if line.get("case_size") else None
    return {
        "line": line.get("line", number),
        "sku": str(line["sku"]),
        "name": line.get("name") or "",
        "quantity": quantity,
        "case_size": line.get("case_size") or "",
        "cases": line.get("cases") if line.get("cases") is not None else "",
        "unit_cost": _money(unit_cents if case_cents is None else None),
        "case_cost": _money(case_cents),
        "amount": _money(amount_cents),
        "decision": line.get("decision") if line.get("decision") is not None else "",
    }


def _money(amount_cents: int | None) -> str:
    if amount_cents is None:
        return ""
    cents = int(amount_cents)
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _csv_bytes(rows: list[dict[str, Any]]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([name for name, _ in _COLUMNS])
    for row in rows:
        writer.writerow([safe_cell(row[name]) for name, _ in _COLUMNS])
    return stream.getvalue().encode("utf-8-sig")


def _workbook_bytes(payload: Mapping[str, Any], rows: list[dict[str, Any]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "order"
    sheet.append([f"{chinese} {name}" for name, chinese in _COLUMNS])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="E8EEF7")
        cell.alignment = Alignment(wrap_text=True, vertical="center")
    for row in rows:
        sheet.append([_excel_cell(name, row[name]) for name, _ in _COLUMNS])
    total = [""] * len(_COLUMNS)
    names = [name for name, _ in _COLUMNS]
    total[0] = "合计 total"
    sheet.append(total)
    last = sheet.max_row
    for name in ("quantity", "cases", "amount"):
        values = [_excel_cell(name, row[name]) for row in rows if row[name] != ""]
        if values:
            # Money is summed in cents: a sum of floats would show a stray last digit.
            column = names.index(name) + 1
            sheet.cell(last, column, round(sum(values), 2)).font = Font(bold=True)
    for number, name in enumerate(names, start=1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = _WIDTHS.get(name, 11)
        if name in _MONEY:
            for cell in sheet[letter][1:]:
                cell.number_format = "#,##0.00"
        if name in {"quantity", "cases", "case_size"}:
            for cell in sheet[letter][1:]:
                cell.number_format = "#,##0"
    sheet.freeze_panes = "A2"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _excel_cell(name: str, value: Any) -> Any:
    if name in _MONEY and value != "":
        return float(value)
    return safe_cell(value)


def _replace(path: Path, content: bytes) -> None:
    """Write whole or not at all: a temporary file beside it, flushed, then renamed."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
