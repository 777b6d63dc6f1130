"""Imports: which days may have happened, and which files an import leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sanhe.core.errors import BadInput
from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import ImportRequest, import_file
from tests.wiring.files import written
from tests.wiring.installation import installed, opened

BEFORE_EIGHT = datetime(2025, 9, 24, 23, 30, tzinfo=UTC)
"""Half past seven of 25 September in Shanghai."""
SALES = "date,store,sku,quantity"


@pytest.fixture
def empty(server: EmbeddedServer, tmp_path: Path) -> Iterator[Settings]:
    """An installation that holds nothing."""
    with installed(server, tmp_path / "home") as settings:
        yield settings


def sales(folder: Path, day: str, *, quantity: object = 1, name: str = "sales.csv") -> Path:
    return written(folder / name, SALES, [(day, "S1", "A", quantity)])


def test_a_local_day_has_begun_before_the_utc_day(empty: Settings, tmp_path: Path) -> None:
    with opened(empty, at=BEFORE_EIGHT) as sanhe:
        today = ImportRequest(sales(tmp_path, "2025-09-25"), create_missing=True)
        assert import_file(sanhe, today, actor="importer").new == 3
        tomorrow = ImportRequest(sales(tmp_path, "2025-09-26", name="next.csv"))
        with pytest.raises(BadInput, match="a date in the future"):
            import_file(sanhe, tomorrow, actor="importer")


def test_the_place_where_it_is_latest_sets_the_day(empty: Settings, tmp_path: Path) -> None:
    """Run from Chicago, a store in Shanghai still sells today."""
    far = replace(empty, time_zone="America/Chicago")
    place = written(tmp_path / "p.csv", "store,store name,time zone", [("S1", "x", "Asia/Tokyo")])
    path = sales(tmp_path, "2025-09-25")
    with opened(far, at=BEFORE_EIGHT) as sanhe:
        refused = ImportRequest(path, create_missing=True)
        with pytest.raises(BadInput, match="a date in the future"):
            import_file(sanhe, refused, actor="importer")
        import_file(sanhe, ImportRequest(place), actor="importer")
        assert import_file(sanhe, refused, actor="importer").new == 2


def test_a_dry_run_names_the_files_it_writes(empty: Settings, tmp_path: Path) -> None:
    path, kept = sales(tmp_path, "2025-09-20", quantity="x"), tmp_path / "till.toml"
    with opened(empty) as sanhe:
        done = import_file(
            sanhe,
            ImportRequest(path, create_missing=True, dry_run=True, save_mapping=kept),
            actor="importer",
        )
        assert (done.batch, done.mapping_file) == (None, kept)
        assert done.rejects_file is not None and done.rejects_file.exists()
        with sanhe.work(actor="auditor") as work:
            assert work.facts.batches() == []
    assert 'extends = "sales_day"' in kept.read_text(encoding="utf-8")


def test_a_mapping_is_kept_only_once_it_has_worked(empty: Settings, tmp_path: Path) -> None:
    kept = tmp_path / "till.toml"
    kept.write_text("# mine\n", encoding="utf-8")
    good, bad = sales(tmp_path, "2025-09-20"), sales(tmp_path, "x", name="bad.csv")
    with opened(empty) as sanhe:

        def take(path: Path, mapping: Path) -> None:
            request = ImportRequest(path, create_missing=True, save_mapping=mapping)
            import_file(sanhe, request, actor="importer")

        with pytest.raises(BadInput, match="not a date"):
            take(bad, kept)
        assert kept.read_text(encoding="utf-8") == "# mine\n"
        with pytest.raises(BadInput, match="no such folder"):
            take(good, tmp_path / "nowhere" / "till.toml")
        with sanhe.work(actor="auditor") as work:
            assert work.facts.batches() == [], "refused before anything is recorded"
        take(good, kept)
    assert 'extends = "sales_day"' in kept.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "bad.csv",
        "sales.csv",
        "till.toml",
    ]
