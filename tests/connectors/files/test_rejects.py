"""The rejects file and what leaves the house: whole, readable, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from sanhe.connectors.files import safe_cell
from sanhe.connectors.files.rejects import write_csv
from tests.connectors.files.desk import HEADER, planned, written

ROWS = "2024-05-01,S1,A1,x,1\n2024-05-02,S1,=cmd(),1,1\n2024-05-03,S1,A1,2,2\n"


def read_back(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def test_the_rejects_file_names_place_reason_and_remedy(tmp_path: Path) -> None:
    with planned(written(tmp_path, f"{HEADER}\n{ROWS}")) as plan:
        path = plan.write_rejects(tmp_path / "home" / "rejects")
    assert path is not None and path.name.startswith("in.") and path.name.endswith(".rejects.csv")
    head, first, second = read_back(path)
    assert head == ["file", "row", "column", "value", "reason", "remedy", *HEADER.split(",")]
    assert first[:5] == ["in.csv", "2", "quantity", "x", "not a number"]
    assert first[6:] == ["2024-05-01", "S1", "A1", "x", "1"]
    assert second[:5] == ["in.csv", "3", "sku", "'=cmd()", "an unknown SKU"]
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_no_rejects_no_file(tmp_path: Path) -> None:
    with planned(written(tmp_path, f"{HEADER}\n2024-05-03,S1,A1,2,2\n")) as plan:
        assert plan.write_rejects(tmp_path / "rejects") is None
    assert not (tmp_path / "rejects").exists()


def test_the_original_columns_can_be_mended_and_taken_in(tmp_path: Path) -> None:
    """The rejects file itself is a file to import, once its cells are mended."""
    with planned(written(tmp_path, f"{HEADER}\n2024-05-01,S1,A1,x,1\n")) as plan:
        path = plan.write_rejects(tmp_path / "rejects")
    assert path is not None
    mended = path.with_name("mended.csv")
    mended.write_text(path.read_text(encoding="utf-8-sig").replace("A1,x,1", "A1,5,1"))
    with planned(mended) as plan:
        plan.require_usable()
        assert plan.summary.types[0].quantity == 5


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\tx", "\rx", "-1+1"])
def test_formulas_are_escaped(text: str) -> None:
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("value", ["-12.50", "+3", "tea", "", 7, -7, None])
def test_numbers_and_words_stay(value: object) -> None:
    assert safe_cell(value) == value


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, ["a"], [["old"]])

    def breaking() -> object:
        yield ["new"]
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_csv(path, ["a"], breaking())  # type: ignore[arg-type]
    assert read_back(path) == [["a"], ["old"]]
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
