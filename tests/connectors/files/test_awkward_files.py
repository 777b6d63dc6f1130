"""A folder of awkward files: each is met with a message that names the place and the remedy."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from sanhe.connectors.files import Known, ReadOptions, find_mappings
from sanhe.core.errors import BadInput, NotFound
from tests.connectors.files.desk import HEADER, facts_of, planned, rejects_of, written

GOOD = f"{HEADER}\n2024-03-01,S1,A1,3,30.00\n"


def workbook_bytes() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["date", "store", "sku", "quantity"])
    for day in range(1, 29):
        sheet.append([date(2024, 3, day), "S1", "A1", day])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def bomb_bytes() -> bytes:
    """A workbook of some 100 kB whose sheet unpacks to 100 MB."""
    stream = io.BytesIO(workbook_bytes())
    with (
        zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet2.xml", "w") as part,
    ):
        for _ in range(100):
            part.write(b" " * 1_000_000)
    return stream.getvalue()


def parquet_bytes() -> bytes:
    stream = io.BytesIO()
    count = 5_000
    table = pa.table(
        {
            "date": pa.array([date(2024, 3, 1)] * count),
            "store": pa.array([f"S{i}" for i in range(count)]),
            "sku": pa.array(["A1"] * count),
            "quantity": pa.array(range(count)),
        }
    )
    pq.write_table(table, stream, compression="none", use_dictionary=False)
    return stream.getvalue()


def archive_bytes() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("notes.txt", "no workbook")
    return stream.getvalue()


MIXED = (
    b"date,store,sku,quantity\n"
    + "".join(f"2024-03-{day:02d},门店,A1,1\n" for day in range(1, 10)).encode()
    + "2024-03-10,门店,A1,1\n".encode("gb18030")
)
LATIN = "date,store,sku,quantity,name\n2024-03-01,S1,A1,1,Café crème\n".encode("latin-1")
BROKEN_END = parquet_bytes()[:-200] + b"\xff" * 192 + parquet_bytes()[-8:]


@dataclass(frozen=True)
class Refused:
    """A file that can't be read at all, and what must be said: the place and the remedy."""

    name: str
    content: bytes
    says: tuple[str, ...]
    options: ReadOptions | None = None


REFUSED = {
    "zero bytes": Refused("a.csv", b"", ("a.csv: the file is empty (0 bytes)", "export it again")),
    "zero-byte Parquet": Refused("a.parquet", b"", ("a.parquet: the file is empty",)),
    "truncated Parquet": Refused(
        "a.parquet", parquet_bytes()[:3_000], ("a.parquet: a truncated Parquet", "copy or export")
    ),
    "Parquet of four bytes": Refused("a.parquet", b"PAR1", ("a truncated Parquet file",)),
    "Parquet with a broken end": Refused("a.parquet", BROKEN_END, ("a damaged Parquet file",)),
    "CSV called Parquet": Refused(
        "a.parquet",
        GOOD.encode(),
        ("a.parquet: not a .parquet file by its content", "right ending"),
    ),
    "truncated Excel": Refused(
        "a.xlsx", workbook_bytes()[:2_000], ("a.xlsx: a damaged or truncated Excel file",)
    ),
    "archive called Excel": Refused(
        "a.xlsx", archive_bytes(), ("a.xlsx: an archive that is no Excel workbook",)
    ),
    "bomb": Refused("a.xlsx", bomb_bytes(), ("a.xlsx: the workbook unpacks to 100,", "as CSV")),
    "old Excel": Refused("a.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600, (".xls", "save it as .xlsx")),
    "PDF": Refused("a.csv", b"%PDF-1.7\n...", ("a.csv: the file is a PDF", "CSV, Excel")),
    "gzip": Refused("a.csv", b"\x1f\x8b\x08\0" * 9, ("gzip", "unpack it first")),
    "web page": Refused("a.xls", b"<html><table><tr><td>1", ("a web page", "save it as .xlsx")),
    "binary": Refused("a.csv", bytes(range(256)) * 4, ("not a text file",)),
    "header only": Refused("a.csv", f"{HEADER}\n".encode(), ("a header but no rows",)),
    "blank lines only": Refused("a.csv", b"\n\n\n", ("no header row",)),
    "column without a name": Refused(
        "a.csv", b"date,,sku\n2024-03-01,S1,A1\n", ("a.csv row 1: column 2 has no name",)
    ),
    "column twice": Refused(
        "a.csv", b"date,sku,sku\n2024-03-01,A1,A1\n", ("a.csv row 1: column 'sku' appears twice",)
    ),
    "missing columns": Refused(
        "a.csv",
        b"date,store,colour\n2024-03-01,S1,red\n",
        ("missing columns for", "found", "the file has date, store, colour", "rename the columns"),
    ),
    "mixed encodings": Refused(
        "a.csv", MIXED, ("a.csv row 11: mixed encodings", "save the whole file as UTF-8")
    ),
    "Latin-1 unnamed": Refused(
        "a.csv", LATIN, ("a.csv row 2: neither UTF-8 nor GB18030", "name the encoding")
    ),
    "named encoding does not hold": Refused(
        "a.csv",
        GOOD.encode() + "2024-03-02,S1,店,1,1\n".encode("gb18030"),
        ("a.csv row 3: bytes that are not utf-8",),
        ReadOptions(encoding="utf-8"),
    ),
    "unknown encoding": Refused(
        "a.csv", GOOD.encode(), ("unknown encoding 'klingon'", "utf-8"), ReadOptions("klingon")
    ),
    "broken quoting": Refused(
        "a.csv",
        f'{HEADER}\n2024-03-01,S1,A1,3,1\n2024-03-02,"S1,A1,3,1\n'.encode(),
        ("a.csv row 3: broken quoting", "close the quotes"),
    ),
    "long delimiter": Refused(
        "a.csv", GOOD.encode(), ("delimiter ';;'",), ReadOptions(delimiter=";;")
    ),
    "no such sheet": Refused(
        "a.xlsx", workbook_bytes(), ("no sheet 'June'", "it has Sheet"), ReadOptions(sheet="June")
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_read_is_refused(case: Refused, tmp_path: Path) -> None:
    path = tmp_path / case.name
    path.write_bytes(case.content)
    with pytest.raises(BadInput) as refusal:
        planned(path, options=case.options, mapping=find_mappings("sales_day"))
    for phrase in case.says:
        assert phrase in str(refusal.value)
    assert refusal.value.place and refusal.value.remedy


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no file .*absent\.csv"):
        planned(tmp_path / "absent.csv")


@dataclass(frozen=True)
class Odd:
    """A row that can't be used: its text, and the (column, value, reason, remedy) to be told."""

    row: str
    column: str
    value: str
    reason: str
    remedy: str
    header: str = HEADER
    options: ReadOptions | None = None


COMMA = ReadOptions(delimiter=";")
DAY_FIRST = ReadOptions(date_format="%d/%m/%Y")
ODD = {
    "fraction of a piece": Odd(
        "2024-03-01,S1,A1,1.5,3", "quantity", "1.5", "a fraction of a base unit", "scale = 1000"
    ),
    "no quantity": Odd("2024-03-01,S1,A1,,3", "quantity", "", "a missing value", "fill it in"),
    "absurd quantity": Odd(
        "2024-03-01,S1,A1,6901234567892,3", "quantity", "6901234567892", "larger than any real",
        "check the unit and the column",
    ),
    "words in a number": Odd(
        "2024-03-01,S1,A1,three,3", "quantity", "three", "not a number", "correct it"
    ),
    "number with its unit": Odd(
        "2024-03-01,S1,A1,3 pcs,3", "quantity", "3 pcs", "a number with its unit", "alone"
    ),
    "decimal comma": Odd(
        "2024-03-01;S1;A1;3;30,50", "amount", "30,50", "a decimal comma", 'decimal = ","',
        HEADER.replace(",", ";"), COMMA,
    ),
    "decimal comma or thousands": Odd(
        "2024-03-01;S1;A1;1,234;30", "quantity", "1,234", "a thousands separator or a decimal",
        'thousands = ","', HEADER.replace(",", ";"), COMMA,
    ),
    "thousands": Odd(
        '2024-03-01,S1,A1,3,"1,234.50"', "amount", "1,234.50", "thousands separators",
        'thousands = ","',
    ),
    "points between thousands": Odd(
        "2024-03-01;S1;A1;3;1.234,50", "amount", "1.234,50", "points between thousands",
        'decimal = "," and thousands = "."', HEADER.replace(",", ";"), COMMA,
    ),
    "a point where a comma was named": Odd(
        "2024-03-01;S1;A1;3;30.50", "amount", "30.50", 'a point although decimal = ","',
        'thousands = "."', HEADER.replace(",", ";"), ReadOptions(delimiter=";", decimal=","),
    ),
    "a comma where thousands were named": Odd(
        "2024-03-01;S1;A1;3;30,50", "amount", "30,50", "a decimal comma", 'decimal = ","',
        HEADER.replace(",", ";"), ReadOptions(delimiter=";", thousands=","),
    ),
    "spreadsheet error": Odd(
        "2024-03-01,S1,A1,#N/A,3", "quantity", "#N/A", "a spreadsheet's error value", "formula"
    ),
    "mangled code": Odd(
        "2024-03-01,S1,6.90123E+12,1,3", "sku", "6.90123E+12", "rounded number", "as text"
    ),
    "date to come": Odd(
        "2024-07-01,S1,A1,1,3", "date", "2024-07-01", "a date in the future", "--today"
    ),
    "impossible date": Odd(
        "2024-02-30,S1,A1,1,3", "date", "2024-02-30", "an impossible date", "in the source"
    ),
    "impossible month": Odd("20241301,S1,A1,1,3", "date", "20241301", "an impossible date", ""),
    "impossible year": Odd("1024-03-01,S1,A1,1,3", "date", "1024-03-01", "an impossible year", ""),
    "ambiguous date": Odd(
        "03/04/2024,S1,A1,1,3", "date", "03/04/2024", "an ambiguous date",
        'date_format = "%d/%m/%Y" or "%m/%d/%Y"',
    ),
    "day first": Odd(
        "31/03/2024,S1,A1,1,3", "date", "31/03/2024", "an ambiguous date", '"%d/%m/%Y"'
    ),
    "month first": Odd(
        "03.31.24,S1,A1,1,3", "date", "03.31.24", "an ambiguous date", '"%m.%d.%y"'
    ),
    "not of the named form": Odd(
        "03/31/2024,S1,A1,1,3", "date", "03/31/2024", "no date of the form %d/%m/%Y",
        "another date_format", options=DAY_FIRST,
    ),
    "day number": Odd("45352,S1,A1,1,3", "date", "45352", "day number", "format the column"),
    "no date": Odd("yesterday,S1,A1,1,3", "date", "yesterday", "not a date", "2024-03-31"),
    "unknown SKU": Odd(
        "2024-03-01,S1,B7,1,3", "sku", "B7", "an unknown SKU", "import the SKU's description"
    ),
    "unknown place": Odd("2024-03-01,S9,A1,1,3", "store", "S9", "an unknown place", "first"),
    "too many cells": Odd(
        "2024-03-01,S1,A1,1,3,9", "", "2024-03-01 | S1 | A1 | 1 | 3 | 9",
        "6 cells where the header has 5", "quote cells",
    ),
    "too few cells": Odd(
        "2024-03-01,S1", "", "2024-03-01 | S1", "2 cells where the header has 5", "cut-off file"
    ),
    "same key, other content": Odd(
        "2024-03-30,S1,A1,8,3", "", "sale/S1/A1/2024-03-30", "the same key as row 2",
        "keep one of the rows",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD.values(), ids=ODD.keys())
def test_a_row_that_cannot_be_used_is_named(case: Odd, tmp_path: Path) -> None:
    delimiter = (case.options and case.options.delimiter) or ","
    good = delimiter.join(["2024-03-30", "S1", "A1", "7", "3"])
    path = written(tmp_path, f"{case.header}\n{good}\n{case.row}\n")
    mapping = find_mappings("sales_day")
    found = [one for one in rejects_of(path, options=case.options, mapping=mapping) if one.row == 3]
    assert [(one.file, one.row, one.column, one.value) for one in found] == [
        ("in.csv", 3, case.column, case.value)
    ]
    assert case.reason in found[0].reason
    assert case.remedy in found[0].remedy
    with (
        planned(path, options=case.options, mapping=mapping) as plan,
        pytest.raises(BadInput) as refusal,
    ):
        plan.require_usable()
    assert "in.csv row " in str(refusal.value)


def test_the_good_rows_of_a_bad_file_can_be_taken(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + "2024-03-02,S1,A1,x,1\n2024-03-03,S1,A1,2,1\n")
    with planned(path) as plan:
        plan.require_usable(max_reject_share=0.34)
        with pytest.raises(BadInput, match=r"row 3 column quantity: not a number 'x'"):
            plan.require_usable(max_reject_share=0.3)
        rows = [row["quantity"] for table in plan.tables() for row in table.to_pylist()]
    assert rows == [3, 2]


def test_all_faults_of_a_row_are_listed_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER}\n2024-02-30,S1,A1,x,y\n")
    assert [one.column for one in rejects_of(path)] == ["amount", "date", "quantity"]


def test_negative_prices_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "sku,name,price\nA1,Tea,-3.50\n")
    (found,) = rejects_of(path, mapping=find_mappings("items"))
    assert (found.column, found.reason) == ("price", "negative")


@pytest.mark.parametrize(
    ("name", "text", "column", "reason"),
    [
        ("promotions", "start,end,discount\n2024-07-05,2024-07-01,0.8\n", "end", "ends before"),
        ("promotions", "start,end,discount\n2029-07-05,2029-07-09,0.8\n", "start", "days ahead"),
        ("promotions", "start,end,discount\n2024-07-05,2024-07-09,80\n", "discount", "above 1"),
        (
            "supply_terms",
            "supplier,sku,cost,lead time,case,case cost\nV1,A1,24,3,12,24\n",
            "case cost",
            "something else than its pieces",
        ),
        (
            "supply_terms",
            "supplier,sku,cost,lead time\nV1,A1,0.004,3\n",
            "cost",
            "less than the smallest coin",
        ),
        ("sales_day", f"{HEADER}\n2024-03-01,S1,A1,-1,5\n", "amount", "opposite signs"),
        (
            "open_orders",
            "po,supplier,store,sku,ordered,order date,due\nP1,V1,S1,A1,5,2024-06-09,2024-06-01\n",
            "due",
            "before it was ordered",
        ),
        ("suppliers", "supplier,name,order days\nV2,x,often\n", "order days", "no weekdays"),
        ("places", "store,name,cut off\nS3,x,25:00\n", "cut off", "no time of day"),
    ],
)
def test_fields_that_do_not_fit_each_other(
    name: str, text: str, column: str, reason: str, tmp_path: Path
) -> None:
    (found,) = rejects_of(written(tmp_path, text), mapping=find_mappings(name))
    assert (found.row, found.column) == (2, column)
    assert reason in found.reason


def test_quantities_in_another_unit_need_a_scale(tmp_path: Path) -> None:
    path = written(tmp_path, "date,store,sku,数量(公斤)\n2024-03-01,S1,A1,1.5\n")
    with pytest.raises(BadInput, match=r"quantities in '公斤'.*scale = base units per 公斤"):
        planned(path, mapping=find_mappings("sales_day"))


def test_equal_rows_count_once(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD + GOOD.splitlines()[1] + "\n")
    with planned(path) as plan:
        (found,) = plan.summary.types
        assert (found.facts, found.repeated) == (1, 1)
        assert sum(table.num_rows for table in plan.tables()) == 1


WRITTEN_WELL: dict[str, Callable[[Path], Path]] = {
    "utf-8": lambda folder: written(folder, GOOD),
    "utf-8 with mark": lambda folder: written(folder, GOOD, encoding="utf-8-sig"),
    "utf-16": lambda folder: written(folder, GOOD, encoding="utf-16"),
    "utf-16 without mark": lambda folder: written(folder, GOOD, encoding="utf-16-le"),
    "gb18030": lambda folder: written(
        folder,
        "日期,门店编码,商品编码,数量,金额（元）,备注\n2024年3月1日,S1,A1,3,￥30.00,正常\n",
        encoding="gb18030",
    ),
    "semicolon": lambda folder: written(folder, GOOD.replace(",", ";")),
    "tab": lambda folder: written(folder, GOOD.replace(",", "\t")),
    "bar": lambda folder: written(folder, GOOD.replace(",", "|")),
    "sep line": lambda folder: written(folder, "sep=;\n" + GOOD.replace(",", ";")),
    "quoted": lambda folder: written(
        folder, f'{HEADER},note\n"2024-03-01","S1","A1","3","30.00","two\nlines, ""quoted"""\n'
    ),
    "carriage returns": lambda folder: written(folder, GOOD.replace("\n", "\r\n")),
    "blank lines": lambda folder: written(folder, "\n" + GOOD.replace("\n", "\n\n")),
    "empty cells at the end": lambda folder: written(folder, GOOD.replace("30.00", "30.00,,")),
    "full-width digits": lambda folder: written(folder, GOOD.replace(",3,", ",３,")),
    "slashes": lambda folder: written(folder, GOOD.replace("2024-03-01", "2024/3/1")),
    "compact date": lambda folder: written(folder, GOOD.replace("2024-03-01", "20240301")),
    "date with time": lambda folder: written(folder, GOOD.replace("-01,", "-01 00:00:00,")),
    "total at the end": lambda folder: written(folder, GOOD + "合计,,,3,30.00\n"),
    "no line end": lambda folder: written(folder, GOOD.rstrip("\n")),
}


@pytest.mark.parametrize("write", WRITTEN_WELL.values(), ids=WRITTEN_WELL.keys())
def test_the_same_sale_written_in_many_ways(write: Callable[[Path], Path], tmp_path: Path) -> None:
    (fact,) = facts_of(write(tmp_path))
    assert fact["external_id"] == "sale/S1/A1/2024-03-01"
    assert (fact["type"], fact["day"]) == ("sale.day", date(2024, 3, 1))
    assert (fact["quantity"], fact["amount_cents"], fact["currency"]) == (3, 3000, "CNY")


def test_decimal_commas_when_named(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER.replace(",", ";") + "\n31.03.2024;S1;A1;1.234;5.678,90\n")
    options = ReadOptions(decimal=",", thousands=".", date_format="%d.%m.%Y")
    (fact,) = facts_of(path, options=options)
    assert (fact["day"], fact["quantity"]) == (date(2024, 3, 31), 1234)
    assert fact["amount_cents"] == 567890


def test_latin_1_when_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("sku,name\nA1,Café crème\n".encode("latin-1"))
    (fact,) = facts_of(path, options=ReadOptions(encoding="latin-1"))
    assert fact["payload"] == '{"base_unit":"each","name":"Café crème"}'


def test_excel_dates_and_numbers_as_they_are(tmp_path: Path) -> None:
    book = Workbook()
    cover = book.active
    assert cover is not None
    cover.title = "说明"
    sheet = book.create_sheet("销售")
    sheet.append(["日期", "门店", "商品编码", "数量", "金额"])
    sheet.append([datetime(2024, 3, 1), "S1", 690123, 3.0, 30.1])
    sheet.append(["2024-03-02", "S1", "690123", 2, None])
    book.save(tmp_path / "a.xlsx")
    known = Known(skus={"690123"}, places={"S1"})
    first, second = facts_of(tmp_path / "a.xlsx", known=known)
    assert (first["sku"], first["quantity"], first["amount_cents"]) == ("690123", 3, 3010)
    assert (second["day"], second["amount_cents"]) == (date(2024, 3, 2), None)
    with planned(tmp_path / "a.xlsx", known=known) as plan:
        assert "Excel, sheet '销售', 2 rows" in plan.summary.notes
        assert "other sheets not read: 说明" in plan.summary.notes


def test_a_title_above_the_header_is_skipped_when_named(tmp_path: Path) -> None:
    path = written(tmp_path, f"Sales of March,,,,\n{GOOD}")
    with pytest.raises(BadInput, match="set header_row"):
        planned(path)
    assert len(facts_of(path, options=ReadOptions(header_row=2))) == 1
