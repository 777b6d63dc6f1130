"""`sanhe import` says what became of every row and which files it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sanhe.core.storage import EmbeddedServer
from tests.wiring.files import written
from tests.wiring.installation import Terminal, installed

LINES = "time,store,sku,quantity,receipt"


@pytest.fixture
def fresh(server: EmbeddedServer, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal at an installation that holds nothing."""
    with installed(server, tmp_path / "home") as settings:
        yield Terminal(settings)


def test_rows_that_were_added_up_or_repeated_are_told(fresh: Terminal, tmp_path: Path) -> None:
    scan = ("2024-05-01 10:00", "S1", "A1", 1, "R1")
    scans = written(tmp_path / "scans.csv", LINES, [scan, scan])
    told = fresh.well("import", scans, "--create-missing").out
    assert "1 rows were added to another of their sale.line" in told
    numbered = [(*scan[:4], "R2", 1)] * 3
    lines = written(tmp_path / "lines.csv", f"{LINES},line", numbered)
    told = fresh.well("import", lines).out
    assert "2 rows repeat another of sale.line and count once" in told
    (found,) = fresh.asked("import", scans, "--dry-run")["summary"]["types"]
    assert (found["facts"], found["quantity"], found["summed"]) == (1, 2, 1)


def test_a_dry_run_tells_what_it_wrote(fresh: Terminal, tmp_path: Path) -> None:
    rows = [("2024-05-01 10:00", "S1", "A1", 1, "R1"), ("2024-05-01 10:00", "S1", "A1", "x", "R2")]
    path, kept = written(tmp_path / "scans.csv", LINES, rows), tmp_path / "till.toml"
    ended = fresh("import", path, "--create-missing", "--dry-run", "--save-mapping", kept)
    told = ended.out
    assert ended.code == 2, "the import itself would be refused"
    plain = "".join(told.split())
    assert f"mappingkept:{kept}" in plain and "dry run: nothing was recorded" in told
    (rejects,) = (fresh.settings.home / "rejects").iterdir()
    assert "".join(str(rejects).split()) in plain
    assert fresh.asked("imports") == []


def test_official_holidays_are_a_file_that_can_be_taken_in(fresh: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "holidays.csv"
    assert fresh.asked("holidays", path, "--from", "2026")["days"] == 39
    with path.open("a", encoding="utf-8") as file:
        file.write("2027-01-01,元旦 New Year,public\n")
    taken = fresh.asked("import", path, "--as", "holidays")
    (kind,) = taken["summary"]["types"]
    assert (kind["type"], kind["facts"]) == ("holiday.declared", 40)
    refused = fresh("holidays", path, "--to", "2027")
    assert refused.code == 2 and "2023 to 2026" in refused.err
    assert len(path.read_text(encoding="utf-8").splitlines()) == 41, "the file is left as it was"
