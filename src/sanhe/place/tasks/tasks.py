"""The façade: the store tasks within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.errors import NotFound
from sanhe.core.storage import Transaction
from sanhe.place.tasks import rules, store
from sanhe.place.tasks.rules import (
    KINDS,
    WAITING,
    NewTask,
    StoreTask,
    TaskEvent,
    TaskKind,
    TaskState,
)

if TYPE_CHECKING:
    import pyarrow as pa


class Tasks:
    """The tasks of the places that the transaction may see.

    `kinds` are the kinds that may be opened. Each change is by the transaction's actor at its
    clock's time, and is added to the history.
    """

    def __init__(self, tx: Transaction, kinds: Iterable[TaskKind] = KINDS) -> None:
        self._tx = tx
        self._kinds = {kind.name: kind for kind in kinds}

    def open(self, tasks: Iterable[NewTask]) -> list[StoreTask]:
        """Open tasks, all or none; returns them in the order given.

        Where a task of the same place, kind and subject waits already, that one is returned and
        left as it is: to open again changes nothing. Raises BadInput.
        """
        given = list(tasks)
        for task in given:
            rules.check_new(task, self._kinds)
        if not given:
            return []
        first = {task.key: task for task in reversed(given)}
        found = store.open_tasks(self._tx, [first[key] for key in sorted(first)])
        return [found[task.key] for task in given]

    def take(self, task: UUID, *, over: bool = False) -> StoreTask:
        """Take a task into one's own hands; `over` takes it out of another's. Again changes
        nothing. Raises NotFound, Conflict for one that is closed or that another has."""
        before = self._locked(task)
        return self._changed(before, rules.taken(before, self._tx.actor, over=over))

    def finish(
        self, task: UUID, *, done: Mapping[str, int] | None = None, note: str = ""
    ) -> StoreTask:
        """Say that a taken task is done, and how much of each line by SKU (None = all of it).

        Finished again alike changes nothing. Raises NotFound, BadInput, Conflict for one that
        nobody has taken or that is closed.
        """
        before = self._locked(task)
        after = rules.finished(before, done, now=self._tx.clock.now())
        return self._changed(before, after, note=note)

    def drop(self, task: UUID, *, note: str) -> StoreTask:
        """Close a task that need not be done any more, saying why. Again changes nothing.
        Raises NotFound, Conflict for one that is done."""
        before = self._locked(task)
        after = rules.dropped(before, now=self._tx.clock.now())
        return self._changed(before, after, note=note)

    def get(self, task: UUID) -> StoreTask:
        """One task. Raises NotFound."""
        found = store.read_task(self._tx, task)
        if found is None:
            raise NotFound(f"no task {task}: ask for the list of its place")
        return found

    def of(self, place: str, subject: str) -> list[StoreTask]:
        """The tasks of a place about a subject that are still to be done, by kind."""
        return store.read_of(self._tx, place, subject)

    def history(self, task: UUID) -> list[TaskEvent]:
        """What became of a task, step by step. Raises NotFound."""
        self.get(task)
        return store.read_history(self._tx, task)

    def page(
        self,
        *,
        place: str | None = None,
        kinds: Collection[str] | None = None,
        states: Collection[TaskState] = WAITING,
        offset: int = 0,
        limit: int = 100,
    ) -> tuple[list[StoreTask], int]:
        """Some tasks, the most urgent first, and how many there are.

        Those without a due time come last, the oldest first. None = of every place or kind.
        """
        return store.read_page(
            self._tx, place=place, kinds=kinds, states=states, offset=offset, limit=limit
        )

    def counts(self, place: str | None = None) -> pa.Table:
        """How many tasks wait by place and kind: place, kind, open, taken, overdue (of both)."""
        return store.read_counts(self._tx, place)

    def _locked(self, task: UUID) -> StoreTask:
        found = store.read_task(self._tx, task, lock=True)
        if found is None:
            raise NotFound(f"no task {task}: ask for the list of its place")
        return found

    def _changed(self, before: StoreTask, after: StoreTask, note: str = "") -> StoreTask:
        rules.check_note(note, place=f"task {before.id}")
        if after != before:
            store.save(self._tx, after, note)
        return after
