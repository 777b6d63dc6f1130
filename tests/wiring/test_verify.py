"""`verify` looks first and seals afterwards."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import psycopg
import pyarrow as pa
import pytest

from sanhe.core.errors import Tampered
from sanhe.core.ledger import Account, Transfer
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import Sanhe
from tests.wiring.installation import MORNING, installed, opened


def move(sanhe: Sanhe, number: int) -> None:
    accounts = [Account("test/from", "each"), Account("test/to", "each")]
    with sanhe.work(actor="planner") as work:
        work.ledger.open_accounts(accounts)
        work.ledger.transfer(
            [
                Transfer(
                    id=UUID(int=number),
                    source="test/from",
                    target="test/to",
                    amount=5,
                    effective_at=MORNING,
                    reason="test",
                    reference="test",
                )
            ]
        )


def sealed(sanhe: Sanhe) -> list[int]:
    query = "SELECT last_entry FROM ledger_seal ORDER BY number"
    return [int(entry) for entry in sanhe.database.read_arrow(query)["last_entry"].to_pylist()]


def test_a_changed_entry_is_not_sealed_as_it_was_changed(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    with installed(server, tmp_path / "home") as settings, opened(settings) as sanhe:
        move(sanhe, 1)
        sanhe.verify()
        before = sealed(sanhe)
        assert len(before) == 1
        move(sanhe, 2)
        with psycopg.connect(sanhe.database.owner_url) as owner:
            owner.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
            owner.execute("UPDATE ledger_entry SET amount = 6 WHERE transfer = %s", [UUID(int=2)])
            owner.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")
        with pytest.raises(Tampered, match="test/"):
            sanhe.verify()
        assert sealed(sanhe) == before


def test_a_changed_file_of_the_lake_is_named(server: EmbeddedServer, tmp_path: Path) -> None:
    with installed(server, tmp_path / "home") as settings, opened(settings) as sanhe:
        sanhe.lake.write("league", pa.table({"wape": [0.3]}))
        assert sanhe.verify()["lake files"] == 1
        (file,) = sanhe.lake.folder.rglob("*.parquet")
        file.write_bytes(file.read_bytes()[:-1] + b"?")
        with pytest.raises(Tampered, match=file.name):
            sanhe.verify()
