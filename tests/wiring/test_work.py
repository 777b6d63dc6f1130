"""A transaction with every capability on it costs nothing before it is used."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from sanhe.core.settings import Settings
from sanhe.core.storage import Database
from sanhe.goods.replenish import Assumptions, Policy
from sanhe.people import loyalty
from sanhe.place import sourcing
from sanhe.wiring.work import construct


def test_constructing_asks_nothing_and_reads_no_file(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    Policy.load()
    Assumptions.load()
    loyalty.Policy.load()
    sourcing.Policy.load()

    def no_file(*_: object, **__: object) -> str:
        raise AssertionError("a file is read in every transaction")

    monkeypatch.setattr(Path, "read_text", no_file)
    asked: list[str] = []
    with database.transaction(actor="reader") as tx:
        sa.event.listen(
            tx.connection, "before_cursor_execute", lambda *given: asked.append(given[2])
        )
        work = construct(tx, Settings(home=Path("nowhere")))
        assert asked == []
        work.access.is_empty()
        assert asked  # the control
