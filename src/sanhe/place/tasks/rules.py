"""The rules of store tasks: what a task is, and how it may go from one state to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict

MOST_LINES: Final = 500
_LONGEST_SUBJECT: Final = 200
_LONGEST_NOTE: Final = 2000


class TaskState(StrEnum):
    """Where a task stands: open → taken → done, or dropped from either of the first two."""

    OPEN = "open"
    TAKEN = "taken"
    DONE = "done"
    DROPPED = "dropped"


WAITING: Final = (TaskState.OPEN, TaskState.TAKEN)
"""The states of a task that is still to be done."""


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind of task and what whoever takes it is to do."""

    name: str
    meaning: str


KINDS: Final = (
    TaskKind("pick", "collect the lines of an order from the shelves (拣货)"),
    TaskKind("hand_over", "give an order to the shopper or the courier (交付)"),
    TaskKind("shelf", "fill a shelf, from the back room first (补架)"),
    TaskKind("substitute", "agree with the shopper on something else (换货)"),
    TaskKind("count", "count what lies there (盘点)"),
    TaskKind("receive", "take in a delivery (收货)"),
    TaskKind("inspect", "look at what came back and say its state (验货)"),
    TaskKind("discrepancy", "find out why books and shelf, or a till and we, differ (差异)"),
)
"""The kinds of task that a store knows."""


@dataclass(frozen=True, slots=True)
class TaskLine:
    """`quantity` base units of an SKU to deal with; `done` of them were (None = not told yet)."""

    sku: str
    quantity: int
    done: int | None = None


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to open at a place. `subject` names what it is about, e.g. an order or an SKU.

    `due_at` is UTC, None = no time set. Each SKU stands on one line.
    """

    place: str
    kind: str
    subject: str
    lines: tuple[TaskLine, ...] = ()
    due_at: datetime | None = None
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one open task of."""
        return (self.place, self.kind, self.subject)


@dataclass(frozen=True, slots=True)
class StoreTask:
    """A task as it stands. `taken_by` is who does or did it; `closed_at` when it ended."""

    id: UUID
    place: str
    kind: str
    subject: str
    due_at: datetime | None
    state: TaskState
    lines: tuple[TaskLine, ...]
    note: str
    taken_by: str | None
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """One step of a task's history: who brought it into `state`, when, and what they said."""

    at: datetime
    actor: str
    state: TaskState
    note: str


def check_new(task: NewTask, kinds: Mapping[str, TaskKind]) -> None:
    """Raise BadInput for a task that can't be opened, naming it."""
    place = f"task {task.kind} {task.subject!r} at {task.place!r}"
    if task.kind not in kinds:
        raise BadInput(
            f"no kind of task {task.kind!r}", place=place, remedy=f"known are {', '.join(kinds)}"
        )
    if not task.place or not 0 < len(task.subject) <= _LONGEST_SUBJECT:
        raise BadInput(
            "a task names its place and subject",
            place=place,
            remedy=f"give both, the subject in at most {_LONGEST_SUBJECT} characters",
        )
    if task.due_at is not None and task.due_at.tzinfo is None:
        raise BadInput("due_at has no time zone", place=place, remedy="give it in UTC")
    skus = [line.sku for line in task.lines]
    if len(skus) > MOST_LINES or len(set(skus)) < len(skus):
        raise BadInput(
            "the lines can't be used",
            place=place,
            remedy=f"give each SKU one line, and at most {MOST_LINES} lines",
        )
    if any(not line.sku or line.quantity < 0 for line in task.lines):
        raise BadInput("a line has no SKU or is below 0", place=place, remedy="give both")
    check_note(task.note, place=place)


def check_note(note: str, *, place: str) -> None:
    """Raise BadInput for a note that is too long."""
    if len(note) > _LONGEST_NOTE:
        raise BadInput("the note is too long", place=place, remedy=f"up to {_LONGEST_NOTE} letters")


def taken(task: StoreTask, actor: str, *, over: bool) -> StoreTask:
    """The task in the hands of `actor`; `over` takes it out of another's. Raises Conflict."""
    _require_waiting(task)
    if task.state is TaskState.TAKEN and task.taken_by != actor and not over:
        raise Conflict(f"{_named(task)} is taken by {task.taken_by}: take it over, or leave it")
    return replace(task, state=TaskState.TAKEN, taken_by=actor)


def finished(task: StoreTask, done: Mapping[str, int] | None, *, now: datetime) -> StoreTask:
    """The task done, with the quantity done of each line; None = all of every line.

    A line that `done` leaves out had 0 done. Raises Conflict for a task that nobody has taken or
    that is closed, BadInput for an SKU it does not have or a quantity below 0. Finished again
    alike is as it was.
    """
    told = {line.sku: line.quantity for line in task.lines} if done is None else done
    strange = set(told) - {line.sku for line in task.lines}
    if strange or any(quantity < 0 for quantity in told.values()):
        what = f"{sorted(strange)[0]!r} is no line of it" if strange else "a quantity is below 0"
        raise BadInput(what, place=_named(task), remedy="give what was done of its own lines")
    lines = tuple(replace(line, done=told.get(line.sku, 0)) for line in task.lines)
    if task.state is TaskState.DONE and task.lines == lines:
        return task
    _require_waiting(task)
    if task.state is TaskState.OPEN:
        raise Conflict(f"{_named(task)} was taken by nobody: take it first")
    return replace(task, state=TaskState.DONE, lines=lines, closed_at=now)


def dropped(task: StoreTask, *, now: datetime) -> StoreTask:
    """The task dropped: there is nothing to do any more. Again changes nothing. Raises Conflict
    for one that is done."""
    if task.state is TaskState.DROPPED:
        return task
    _require_waiting(task)
    return replace(task, state=TaskState.DROPPED, closed_at=now)


def _require_waiting(task: StoreTask) -> None:
    if task.state not in WAITING:
        raise Conflict(f"{_named(task)} is {task.state.value}: open a new one if there is more")


def _named(task: StoreTask) -> str:
    return f"task {task.kind} {task.subject!r} at {task.place}"
