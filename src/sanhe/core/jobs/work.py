"""The worker: runs queued tasks, tries again what failed for a passing reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sanhe.core.errors import NotFound, Temporary
from sanhe.core.jobs import rules
from sanhe.core.jobs.ports import JobsRun, Task
from sanhe.core.jobs.store import QUEUE, passing_errors
from sanhe.core.storage import Database

if TYPE_CHECKING:
    from procrastinate import App

_HEARTBEAT_SECONDS = 10.0


class _Outcomes:
    """Counts what became of the jobs of one run."""

    def __init__(self) -> None:
        self.succeeded = self.retried = 0
        self.failures: list[str] = []

    def decide(self, task: str, error: BaseException, *, attempts: int) -> float | None:
        """After how long to try again, None for never; counts the answer."""
        delay_seconds = rules.retry_delay_seconds(error, attempts=attempts)
        if delay_seconds is None:
            self.failures.append(rules.failure(task, error))
        else:
            self.retried += 1
        return delay_seconds

    def result(self) -> JobsRun:
        """The counts as a value."""
        return JobsRun(self.succeeded, self.retried, len(self.failures), tuple(self.failures))


def run_worker(
    database: Database,
    tasks: Mapping[str, Task],
    *,
    until_empty: bool = True,
    stalled_after_seconds: float = 3 * _HEARTBEAT_SECONDS,
) -> JobsRun:
    """Run queued tasks one after the other; returns what was done.

    `until_empty` ends when nothing is due; otherwise it goes on until it is interrupted. Jobs of
    a worker that gave no sign of life for `stalled_after_seconds` are run again first. A task
    runs in a thread of its own; it opens the transactions it needs. A lost connection and a
    deadlock are passing reasons. A job whose task is not among `tasks` when the worker begins
    has failed for good.
    """
    outcomes = _Outcomes()
    app, add = _app(database, tasks, outcomes)
    asyncio.run(
        _run(
            app,
            add,
            until_empty=until_empty,
            stalled_after_seconds=stalled_after_seconds,
        )
    )
    return outcomes.result()


def _app(
    database: Database, tasks: Mapping[str, Task], outcomes: _Outcomes
) -> tuple[App, Callable[[str, Task], None]]:
    """The queue's application, and how a further task is added to it."""
    from procrastinate import App, PsycopgConnector, RetryDecision
    from procrastinate.jobs import Job
    from procrastinate.retry import BaseRetryStrategy

    class Retry(BaseRetryStrategy):
        """Temporary is tried again after its delay; all else has failed."""

        def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
            delay_seconds = outcomes.decide(job.task_name, exception, attempts=job.attempts)
            if delay_seconds is None:
                return None
            return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=delay_seconds))

    app = App(connector=PsycopgConnector(conninfo=database.url, min_size=1, max_size=4))

    def add(name: str, task: Task) -> None:
        app.task(name=name, queue=QUEUE, retry=Retry())(_counted(task, outcomes))

    for name, task in tasks.items():
        add(name, task)
    return app, add


def _counted(task: Task, outcomes: _Outcomes) -> Task:
    def run(**arguments: Any) -> None:
        try:
            task(**arguments)
        except passing_errors() as error:
            # The transaction is gone, and with it all that it did: it may simply run again.
            raise Temporary(str(error).splitlines()[0], delay_seconds=0) from error
        outcomes.succeeded += 1

    return run


def _unknown(**_: Any) -> None:
    raise NotFound("no task of this name: register it in the wiring")


async def _run(
    app: App,
    add: Callable[[str, Task], None],
    *,
    until_empty: bool,
    stalled_after_seconds: float,
) -> None:
    async with app.open_async():
        stalled = await app.job_manager.get_stalled_jobs(
            queue=QUEUE, seconds_since_heartbeat=stalled_after_seconds
        )
        for job in stalled:
            await app.job_manager.retry_job(job)
        for queued in await app.job_manager.list_tasks_async(queue=QUEUE, status="todo"):
            if queued["name"] not in app.tasks:
                # The queue would only log it; as a task that fails it is counted and told.
                add(queued["name"], _unknown)
        await app.run_worker_async(
            queues=[QUEUE],
            wait=not until_empty,
            concurrency=1,
            listen_notify=not until_empty,
            install_signal_handlers=not until_empty,
            update_heartbeat_interval=_HEARTBEAT_SECONDS,
            stalled_worker_timeout=max(stalled_after_seconds, 2 * _HEARTBEAT_SECONDS),
        )
