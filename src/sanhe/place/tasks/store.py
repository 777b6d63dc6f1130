"""The tables of store tasks: each task as it stands, and its history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from sanhe.core.storage import Transaction, fetch_arrow
from sanhe.core.values import new_id
from sanhe.place.tasks.rules import KINDS, NewTask, StoreTask, TaskEvent, TaskLine, TaskState

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = "id, place, kind, subject, due_at, state, lines, note, taken_by, opened_at, closed_at"

# One that waits already is returned as it is; the empty update locks it until this ends.
_OPEN = sa.text(f"""
    INSERT INTO store_task AS t
        (id, place, kind, subject, due_at, state, lines, note, opened_at)
    SELECT (g->>'id')::uuid, g->>'place', g->>'kind', g->>'subject', (g->>'due_at')::timestamptz,
        'open', g->'lines', g->>'note', :now
    FROM jsonb_array_elements(CAST(:given AS jsonb)) WITH ORDINALITY AS given (g, at)
    ORDER BY given.at
    ON CONFLICT (place, kind, subject) WHERE state IN ('open', 'taken')
        DO UPDATE SET opened_at = t.opened_at
    RETURNING {_COLUMNS}
""")  # noqa: S608 -- made of constants

_TOLD = sa.text(
    "INSERT INTO store_task_event (task, at, actor, state, note) "
    "SELECT unnest(CAST(:tasks AS uuid[])), :at, :actor, :state, :note"
)
_SAVE = sa.text(
    "UPDATE store_task SET state = :state, lines = CAST(:lines AS jsonb), "
    "taken_by = :taken_by, closed_at = :closed_at WHERE id = :id"
)
_TASK = sa.text(f"SELECT {_COLUMNS} FROM store_task WHERE id = :id")  # noqa: S608
_LOCKED = sa.text(f"SELECT {_COLUMNS} FROM store_task WHERE id = :id FOR UPDATE")  # noqa: S608
_OF = sa.text(
    f"SELECT {_COLUMNS} FROM store_task WHERE place = :place AND kind = ANY(:kinds) "  # noqa: S608
    "AND subject = :subject AND state IN ('open', 'taken') ORDER BY kind"
)
_HISTORY = sa.text(
    "SELECT at, actor, state, note FROM store_task_event WHERE task = :id ORDER BY number"
)
_ASKED = (
    "FROM store_task WHERE (CAST(:place AS text) IS NULL OR place = :place) "
    "AND (CAST(:kinds AS text[]) IS NULL OR kind = ANY(:kinds)) AND state = ANY(:states)"
)
_PAGE = sa.text(
    f"SELECT {_COLUMNS} {_ASKED} "
    "ORDER BY due_at NULLS LAST, opened_at, id LIMIT :limit OFFSET :offset"
)
_TOTAL = sa.text(f"SELECT count(*) {_ASKED}")

_COUNTS = """
    SELECT place, kind, count(*) FILTER (WHERE state = 'open') AS open,
        count(*) FILTER (WHERE state = 'taken') AS taken,
        count(*) FILTER (WHERE due_at < %s) AS overdue
    FROM store_task
    WHERE state IN ('open', 'taken') AND (%s::text IS NULL OR place = %s)
    GROUP BY place, kind ORDER BY place, kind
"""


def open_tasks(tx: Transaction, tasks: Sequence[NewTask]) -> dict[tuple[str, str, str], StoreTask]:
    """Open these tasks, whose keys differ; returns them by key, or those that wait already."""
    now = tx.clock.now()
    given = [
        {
            "id": str(new_id()), "place": task.place, "kind": task.kind, "subject": task.subject,
            "due_at": task.due_at, "lines": _plain(task.lines), "note": task.note,
        }
        for task in tasks
    ]  # fmt: skip
    made = {row["id"] for row in given}
    rows = tx.connection.execute(_OPEN, {"given": orjson.dumps(given).decode(), "now": now})
    found = [_task(row) for row in rows]
    new = [task.id for task in found if str(task.id) in made]
    _tell(tx, new, state=TaskState.OPEN, note="")
    return {(task.place, task.kind, task.subject): task for task in found}


def save(tx: Transaction, task: StoreTask, note: str) -> None:
    """Keep a task as it stands now, and add the step to its history."""
    tx.connection.execute(
        _SAVE,
        {
            "id": task.id, "state": task.state.value, "taken_by": task.taken_by,
            "lines": orjson.dumps(_plain(task.lines)).decode(), "closed_at": task.closed_at,
        },
    )  # fmt: skip
    _tell(tx, [task.id], state=task.state, note=note)


def read_task(tx: Transaction, task: UUID, *, lock: bool = False) -> StoreTask | None:
    """One task; `lock` keeps others from changing it until the transaction ends."""
    row = tx.connection.execute(_LOCKED if lock else _TASK, {"id": task}).one_or_none()
    return None if row is None else _task(row)


def read_of(tx: Transaction, place: str, subject: str) -> list[StoreTask]:
    """The waiting tasks of a place about a subject, by kind."""
    given = {"place": place, "subject": subject, "kinds": [kind.name for kind in KINDS]}
    return [_task(row) for row in tx.connection.execute(_OF, given)]


def read_history(tx: Transaction, task: UUID) -> list[TaskEvent]:
    """The steps of a task in order."""
    rows = tx.connection.execute(_HISTORY, {"id": task})
    return [TaskEvent(row.at, row.actor, TaskState(row.state), row.note) for row in rows]


def read_page(
    tx: Transaction,
    *,
    place: str | None,
    kinds: Collection[str] | None,
    states: Collection[TaskState],
    offset: int,
    limit: int,
) -> tuple[list[StoreTask], int]:
    """Some tasks and how many there are; see the façade."""
    asked: dict[str, Any] = {"place": place, "kinds": None if kinds is None else list(kinds)}
    asked["states"] = [state.value for state in states]
    rows = tx.connection.execute(_PAGE, {**asked, "offset": offset, "limit": limit}).all()
    return [_task(row) for row in rows], tx.connection.execute(_TOTAL, asked).scalar_one()


def read_counts(tx: Transaction, place: str | None) -> pa.Table:
    """How many wait, by place and kind."""
    return fetch_arrow(tx, _COUNTS, (tx.clock.now(), place, place))


def _tell(tx: Transaction, tasks: list[UUID], *, state: TaskState, note: str) -> None:
    if tasks:
        given = {"tasks": tasks, "at": tx.clock.now(), "actor": tx.actor}
        tx.connection.execute(_TOLD, {**given, "state": state.value, "note": note})


def _plain(lines: Sequence[TaskLine]) -> list[dict[str, object]]:
    return [{"sku": line.sku, "quantity": line.quantity, "done": line.done} for line in lines]


def _task(row: Any) -> StoreTask:
    lines = tuple(TaskLine(**line) for line in row.lines)
    return StoreTask(
        id=row.id,
        place=row.place,
        kind=row.kind,
        subject=row.subject,
        due_at=row.due_at,
        state=TaskState(row.state),
        lines=lines,
        note=row.note,
        taken_by=row.taken_by,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )
