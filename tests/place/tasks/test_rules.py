"""How a task may go from one state to the next."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput, Conflict
from sanhe.place.tasks import KINDS, NewTask, StoreTask, TaskLine, TaskState
from sanhe.place.tasks.rules import check_new, dropped, finished, taken

NOW = datetime(2024, 6, 3, tzinfo=UTC)
BY_NAME = {kind.name: kind for kind in KINDS}


def task(state: TaskState = TaskState.OPEN, taken_by: str | None = None) -> StoreTask:
    return StoreTask(
        id=UUID(int=1),
        place="S1",
        kind="pick",
        subject="order 7",
        due_at=None,
        state=state,
        lines=(TaskLine("A", 2), TaskLine("B", 1)),
        note="",
        taken_by=taken_by,
        opened_at=NOW,
        closed_at=None,
    )


def test_a_task_goes_from_open_to_done() -> None:
    mine = taken(task(), "wei", over=False)
    assert (mine.state, mine.taken_by) == (TaskState.TAKEN, "wei")
    done = finished(mine, {"A": 1}, now=NOW)
    assert [line.done for line in done.lines] == [1, 0]
    assert (done.state, done.closed_at) == (TaskState.DONE, NOW)
    assert finished(done, {"A": 1}, now=NOW) == done


def test_what_nobody_took_is_not_done_and_what_is_closed_stays_closed() -> None:
    with pytest.raises(Conflict, match="taken by nobody"):
        finished(task(), None, now=NOW)
    done = finished(taken(task(), "wei", over=False), None, now=NOW)
    with pytest.raises(Conflict, match="is done"):
        dropped(done, now=NOW)
    with pytest.raises(Conflict, match="is done"):
        finished(done, {"A": 0}, now=NOW)
    gone = dropped(task(), now=NOW)
    assert dropped(gone, now=NOW) == gone
    with pytest.raises(Conflict, match="is dropped"):
        taken(gone, "wei", over=True)


def test_a_task_is_taken_over_only_when_meant_so() -> None:
    mine = task(TaskState.TAKEN, "wei")
    assert taken(mine, "wei", over=False) == mine
    with pytest.raises(Conflict, match="taken by wei"):
        taken(mine, "lin", over=False)
    assert taken(mine, "lin", over=True).taken_by == "lin"


@given(st.dictionaries(st.sampled_from(["A", "B"]), st.integers(0, 9)))
def test_what_was_done_is_told_by_line(done: dict[str, int]) -> None:
    lines = finished(task(TaskState.TAKEN, "wei"), done, now=NOW).lines
    assert {line.sku: line.done for line in lines} == {"A": 0, "B": 0} | done


@pytest.mark.parametrize("done", [{"C": 1}, {"A": -1}])
def test_what_is_no_line_of_it_is_refused(done: dict[str, int]) -> None:
    with pytest.raises(BadInput, match="order 7"):
        finished(task(TaskState.TAKEN, "wei"), done, now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        NewTask("S1", "sing", "x"),
        NewTask("", "count", "x"),
        NewTask("S1", "count", ""),
        NewTask("S1", "count", "x" * 201),
        NewTask("S1", "count", "x", due_at=datetime(2024, 6, 3)),
        NewTask("S1", "count", "x", lines=(TaskLine("A", 1), TaskLine("A", 2))),
        NewTask("S1", "count", "x", lines=(TaskLine("A", -1),)),
        NewTask("S1", "count", "x", note="x" * 2001),
    ],
)
def test_what_can_not_be_a_task_is_refused(wrong: NewTask) -> None:
    with pytest.raises(BadInput):
        check_new(wrong, BY_NAME)
