"""Store tasks in the database: one open of each, lists by urgency, takers that race."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from sanhe.core.clock import FixedClock
from sanhe.core.errors import Conflict, NotFound
from sanhe.core.storage import Database
from sanhe.place.tasks import NewTask, TaskLine, Tasks, TaskState


def test_a_task_is_open_once_and_may_be_opened_anew_when_closed(database: Database) -> None:
    new = NewTask("S1", "count", "A", lines=(TaskLine("A", 3),))
    with database.transaction(actor="wei") as tx:
        tasks = Tasks(tx)
        first, elsewhere, twin = tasks.open([new, NewTask("S2", "count", "A"), new])
        assert first == twin and first.id != elsewhere.id
        assert tasks.open([new]) == [first]
        tasks.take(first.id)
        assert tasks.open([new])[0].state is TaskState.TAKEN
        tasks.finish(first.id, done={"A": 2}, note="one is broken")
        (again,) = tasks.open([new])
        assert again.id != first.id
        told = [(event.state.value, event.actor, event.note) for event in tasks.history(first.id)]
        assert told == [("open", "wei", ""), ("taken", "wei", ""), ("done", "wei", "one is broken")]
        assert [line.done for line in tasks.get(first.id).lines] == [2]
        with pytest.raises(NotFound):
            tasks.take(UUID(int=7))


def test_the_most_urgent_comes_first(database: Database, clock: FixedClock) -> None:
    soon, late = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2)
    with database.transaction(actor="wei") as tx:
        tasks = Tasks(tx)
        tasks.open(
            [
                NewTask("S1", "pick", "b", due_at=late),
                NewTask("S1", "pick", "a", due_at=soon),
                NewTask("S1", "count", "c"),
                NewTask("S2", "pick", "d", due_at=soon),
            ]
        )
        found, total = tasks.page(place="S1", limit=2)
        assert ([task.subject for task in found], total) == (["a", "b"], 3)
        clock.moment += timedelta(minutes=90)
        assert tasks.counts("S1").to_pylist() == [
            {"place": "S1", "kind": "count", "open": 1, "taken": 0, "overdue": 0},
            {"place": "S1", "kind": "pick", "open": 2, "taken": 0, "overdue": 1},
        ]
        tasks.drop(found[0].id, note="cancelled")
        assert [task.subject for task in tasks.page(place="S1", kinds=["pick"])[0]] == ["b"]
        assert tasks.page(states=[TaskState.DROPPED])[1] == 1


def test_of_many_who_take_a_task_at_once_one_has_it(database: Database) -> None:
    with database.transaction(actor="manager") as tx:
        (task,) = Tasks(tx).open([NewTask("S1", "pick", "order 7")])
    start, had = threading.Barrier(6), []

    def take(name: str) -> None:
        start.wait()
        try:
            with database.transaction(actor=name) as tx:
                Tasks(tx).take(task.id)
        except Conflict:
            return
        had.append(name)

    threads = [threading.Thread(target=take, args=(f"picker {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction(actor="manager") as tx:
        assert [Tasks(tx).get(task.id).taken_by] == had


def test_of_many_who_open_a_task_at_once_all_have_the_same(database: Database) -> None:
    start, made = threading.Barrier(6), []

    def open_it() -> None:
        start.wait()
        with database.transaction(actor="till") as tx:
            made.append(Tasks(tx).open([NewTask("S1", "discrepancy", "A")])[0].id)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6 and len(set(made)) == 1


def test_history_can_not_be_changed(database: Database) -> None:
    with database.transaction(actor="wei") as tx:
        Tasks(tx).open([NewTask("S1", "count", "A")])
    with (
        pytest.raises(sa.exc.ProgrammingError) as refused,
        database.transaction(actor="wei") as tx,
    ):
        tx.connection.execute(sa.text("UPDATE store_task_event SET actor = 'lin'"))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)
