"""The lane: many commands that all want the same rows, carried out in one transaction each time.

A transaction for each of them would wait for the row it wants, one commit after the other. Here
they wait in a queue, one thread writes what has gathered, and everybody is answered after the
commit.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from sanhe.core.errors import TooMany
from sanhe.core.storage import database_errors

Asked = TypeVar("Asked")
Told = TypeVar("Told")


class Lane(Generic[Asked, Told]):
    """A queue with one writer. `write` carries out a batch in one transaction and tells, after
    the commit, the answer to each in the same order.

    A batch is what has gathered by the time the one before is written, up to `batch`; a first one
    waits `wait_seconds` for others. More than `most_waiting` are not let in.

    Where `write` raises, its transaction is undone: the batch is cut in two until the one that it
    raises for is alone and gets the error. When there are too many at once or the database is
    away, all of the batch are told so; whether it took effect may then be unknown, so give each
    its idempotency key (`Commands`).
    """

    def __init__(
        self,
        write: Callable[[Sequence[Asked]], Sequence[Told]],
        *,
        batch: int = 2_000,
        wait_seconds: float = 0.002,
        most_waiting: int = 20_000,
    ) -> None:
        self._write, self._batch, self._wait_seconds = write, batch, wait_seconds
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[Asked, Future[Told]]] = deque()
        self._gathered = threading.Condition()
        self._is_closed = False
        self._writer: threading.Thread | None = None

    def submit(self, asked: Asked) -> Future[Told]:
        """Let one in; its future has the answer after the commit. The first one starts the writer.

        Raises TooMany when the queue is full or the lane is closed.
        """
        future: Future[Told] = Future()
        with self._gathered:
            if self._is_closed:
                raise TooMany("this server is closing: ask again", retry_after_seconds=1)
            if len(self._waiting) >= self._most_waiting:
                raise TooMany(
                    f"{self._most_waiting} wait before you: ask again", retry_after_seconds=1
                )
            if self._writer is None:
                self._writer = threading.Thread(target=self._work, name="lane", daemon=True)
                self._writer.start()
            self._waiting.append((asked, future))
            # The writer is woken by the first and by a full batch, not by each in between.
            if len(self._waiting) in {1, self._batch}:
                self._gathered.notify()
        return future

    def close(self) -> None:
        """Let nobody in any more, carry out what waits, and end."""
        with self._gathered:
            self._is_closed = True
            self._gathered.notify()
        if self._writer is not None:
            self._writer.join()

    def __enter__(self) -> Lane[Asked, Told]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _work(self) -> None:
        while batch := self._gather():
            self._carry_out(batch)

    def _gather(self) -> list[tuple[Asked, Future[Told]]]:
        """The next batch, without those whose askers gave up; empty when the lane has ended."""
        while True:
            with self._gathered:
                self._gathered.wait_for(lambda: self._waiting or self._is_closed)
                if not self._waiting:
                    return []
                self._gathered.wait_for(self._is_full, self._wait_seconds)
                count = min(len(self._waiting), self._batch)
                batch = [self._waiting.popleft() for _ in range(count)]
            if batch := [one for one in batch if one[1].set_running_or_notify_cancel()]:
                return batch

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._batch or self._is_closed

    def _carry_out(self, batch: list[tuple[Asked, Future[Told]]]) -> None:
        parts = [batch]
        while parts:
            part = parts.pop()
            try:
                answers = self._written([asked for asked, _ in part])
            except _WriteError as failure:
                if len(part) == 1 or isinstance(failure.error, (TooMany, *database_errors())):
                    for _, future in part:
                        future.set_exception(failure.error)
                else:
                    half = len(part) // 2
                    parts += [part[half:], part[:half]]
                continue
            if len(answers) != len(part):
                # It is committed, and nobody knows whose answers these are.
                for _, future in part:
                    future.set_exception(
                        ValueError(f"{len(answers)} answers to {len(part)} commands")
                    )
                continue
            for (_, future), answer in zip(part, answers, strict=True):
                future.set_result(answer)

    def _written(self, asked: Sequence[Asked]) -> Sequence[Told]:
        try:
            return self._write(asked)
        except Exception as error:
            raise _WriteError(error) from error


class _WriteError(Exception):
    """Writing a batch raised `error`."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__(str(error))


class Rush:
    """Tells in this process which keys, such as SKUs, are wanted more often than `per_second`.

    Let it be less than what one transaction after the other can do for the same row, also on a
    busy machine: else those who wait keep each other from being so many.
    """

    def __init__(
        self, *, per_second: int = 20, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second, self._monotonic = per_second, monotonic
        self._second = 0
        self._counts: dict[Any, int] = {}
        self._before: dict[Any, int] = {}
        self._lock = threading.Lock()

    def wanted(self, key: object) -> bool:
        """Count one more who wants `key`; whether it was too often in this second or the last."""
        with self._lock:
            second = int(self._monotonic())
            if second != self._second:
                self._before = self._counts if second == self._second + 1 else {}
                self._counts, self._second = {}, second
            count = self._counts[key] = self._counts.get(key, 0) + 1
            return max(count, self._before.get(key, 0)) > self._per_second
