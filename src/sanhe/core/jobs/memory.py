"""Jobs and outbox in memory: for tests and simulations; they pass the same conformance suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from sanhe.core.clock import Clock
from sanhe.core.errors import NotFound
from sanhe.core.jobs import rules
from sanhe.core.jobs.ports import JobsRun, Message, Task
from sanhe.core.values import Json, new_id


@dataclass(frozen=True, slots=True)
class MemoryJob:
    """One queued job; `arguments` is JSON text, as in the database."""

    number: int
    task: str
    arguments: str
    lock: str | None
    at: datetime | None
    state: str = "todo"
    attempts: int = 0


class MemoryJobs:
    """A queue that lives as long as the process; `run` is its worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: dict[int, MemoryJob] = {}

    def defer(
        self,
        task: str,
        arguments: Mapping[str, Json],
        *,
        lock: str | None = None,
        at: datetime | None = None,
    ) -> int:
        """Queue a task; returns the job's number."""
        rules.check_moment(at, task=task)
        text = rules.json_arguments(task, arguments)
        number = len(self._jobs) + 1
        self._jobs[number] = MemoryJob(number, task, text, lock, at)
        return number

    def counts(self) -> Mapping[str, int]:
        """How many jobs there are by state: todo, doing, succeeded, failed."""
        return Counter(job.state for job in self._jobs.values())

    def run(self, tasks: Mapping[str, Task]) -> JobsRun:
        """Run what is due, until nothing is; returns what was done."""
        succeeded = retried = 0
        failures: list[str] = []
        with ThreadPoolExecutor(max_workers=1) as thread:
            while (job := self._next()) is not None:
                self._jobs[job.number] = replace(job, state="doing")
                task = tasks.get(job.task, _unknown)
                error = thread.submit(task, **orjson.loads(job.arguments)).exception()
                if error is None:
                    succeeded += 1
                    self._end(job, "succeeded")
                    continue
                delay_seconds = rules.retry_delay_seconds(error, attempts=job.attempts)
                if delay_seconds is None:
                    failures.append(rules.failure(job.task, error))
                    self._end(job, "failed")
                    continue
                retried += 1
                at = self._clock.now() + timedelta(seconds=delay_seconds)
                self._end(job, "todo", at=at)
        return JobsRun(succeeded, retried, len(failures), tuple(failures))

    def _next(self) -> MemoryJob | None:
        waiting = [job for job in self._jobs.values() if job.state == "todo"]
        now = self._clock.now()
        held: set[str] = set()
        for job in waiting:
            if (job.at is None or job.at <= now) and job.lock not in held:
                return job
            if job.lock is not None:
                held.add(job.lock)
        return None

    def _end(self, job: MemoryJob, state: str, *, at: datetime | None = None) -> None:
        ended = replace(job, state=state, attempts=job.attempts + 1, at=at or job.at)
        self._jobs[job.number] = ended


def _unknown(**_: Json) -> None:
    raise NotFound("no task of this name: register it in the wiring")


class MemoryOutbox:
    """Messages that live as long as the process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._messages: dict[UUID, Message] = {}
        self._ids: dict[tuple[str, str], UUID] = {}
        self._delivered: set[UUID] = set()

    def put(self, topic: str, key: str, payload: Mapping[str, Json]) -> UUID:
        """Write a message and return its id; the same topic and key again is left alone."""
        if (topic, key) not in self._ids:
            text = rules.json_arguments(topic, payload)
            message = Message(new_id(), topic, key, orjson.loads(text), self._clock.now())
            self._messages[message.id] = message
            self._ids[(topic, key)] = message.id
        return self._ids[(topic, key)]

    def pending(self, topic: str, *, limit: int = 1000) -> list[Message]:
        """Undelivered messages in order."""
        return [
            message
            for message in self._messages.values()
            if message.topic == topic and message.id not in self._delivered
        ][:limit]

    def delivered(self, message: UUID) -> None:
        """Mark as delivered. Raises NotFound."""
        if message not in self._messages:
            raise NotFound(f"no message {message} in the outbox")
        self._delivered.add(message)
