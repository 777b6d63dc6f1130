"""What every implementation of the audit port does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.exc import ProgrammingError

from sanhe.core.audit import Audit, MemoryAudit, PostgresAudit
from sanhe.core.clock import FixedClock
from sanhe.core.storage import Database


@pytest.fixture(params=["memory", "postgres"])
def audit(request: pytest.FixtureRequest, clock: FixedClock) -> Iterator[Audit]:
    if request.param == "memory":
        yield MemoryAudit("planner", clock)
        return
    database: Database = request.getfixturevalue("database")
    with database.transaction(actor="planner") as tx:
        yield PostgresAudit(tx)


def test_the_trail_tells_who_did_what_to_which_subject_and_when(
    audit: Audit, clock: FixedClock
) -> None:
    audit.record("import", "batch-1", {"rows": 3, "file": "销售.csv", "notes": ["a"], "x": None})
    clock.moment += timedelta(hours=1)
    audit.record("undo", "batch-1")
    audit.record("approve", "decision-7")
    newest, undone, first = audit.trail()
    assert (first.actor, first.action, first.subject) == ("planner", "import", "batch-1")
    assert first.details == {"rows": 3, "file": "销售.csv", "notes": ["a"], "x": None}
    assert undone.at - first.at == timedelta(hours=1)
    assert newest.number > undone.number > first.number
    assert undone.details == {}


def test_the_trail_of_one_subject_and_its_limit(audit: Audit) -> None:
    for number in range(5):
        audit.record("approve", f"decision-{number % 2}", {"n": number})
    assert [event.details["n"] for event in audit.trail(subject="decision-0")] == [4, 2, 0]
    assert [event.details["n"] for event in audit.trail(limit=2)] == [4, 3]
    assert audit.trail(subject="none") == []


@pytest.mark.parametrize(
    "statement", ["DELETE FROM audit_event", "UPDATE audit_event SET actor=''"]
)
def test_the_application_can_not_change_the_trail(database: Database, statement: str) -> None:
    with database.transaction(actor="planner") as tx:
        PostgresAudit(tx).record("import", "batch-1")
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        database.transaction(actor="planner") as tx,
    ):
        tx.connection.exec_driver_sql(statement)


def test_what_is_rolled_back_leaves_no_trail(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction(actor="planner") as tx:
        PostgresAudit(tx).record("import", "batch-1")
        raise RuntimeError
    with database.transaction(actor="planner") as tx:
        assert PostgresAudit(tx).trail() == []
