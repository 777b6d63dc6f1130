"""Long work that a request starts and a page follows: one at a time, told by events."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from sanhe.core.clock import Clock
from sanhe.core.errors import Code, NotFound, SanheError, TooMany
from sanhe.core.values import new_id

KEPT: Final = 100
MOST_WAITING: Final = 10
"""So many jobs may wait: who asks for more is told to come again."""
_LOG = logging.getLogger("sanhe.web")

Lane = Literal["data", "trials"]
LANES: Final[tuple[Lane, ...]] = ("data", "trials")
"""Of each lane one job runs at a time."""

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work. `state`: waiting, running, done or failed; `step` is what it does
    now, `done` of `total`. `result` is what it came to, `error` why it failed."""

    id: str
    what: str
    actor: str
    state: str
    started_at: datetime
    ended_at: datetime | None = None
    step: str = ""
    done: int = 0
    total: int = 0
    error: str = ""
    result: Any = None


@dataclass(frozen=True, slots=True)
class Event:
    """News for open pages. `places`: those it is about, None = of interest to all."""

    kind: str
    data: Mapping[str, Any]
    places: frozenset[str] | None = None


class Running:
    """The jobs of this process and the pages that listen.

    Jobs end with the process, and leave what they did: each is a flow that can be asked again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes = {
            lane: ThreadPoolExecutor(1, thread_name_prefix=f"sanhe-{lane}") for lane in LANES
        }
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._listeners: set[tuple[asyncio.AbstractEventLoop, asyncio.Queue[Event]]] = set()

    def start(
        self, what: str, actor: str, work: Callable[[Report], Any], *, lane: Lane = "data"
    ) -> Job:
        """Queue work; it is given a report (step, done, total). Returns at once.

        What only tries things out takes the lane `trials`, so that no plan waits for it.
        Raises TooMany while `MOST_WAITING` wait.
        """
        job = Job(new_id().hex, what, actor, "waiting", self._clock.now())
        with self._lock:
            if sum(one.state == "waiting" for one in self._jobs.values()) >= MOST_WAITING:
                raise TooMany(
                    f"{MOST_WAITING} jobs wait already",
                    retry_after_seconds=60,
                    code=Code.JOBS_WAITING,
                )
            self._jobs[job.id] = job
            ended = [one.id for one in self._jobs.values() if one.ended_at is not None]
            for old in ended[: max(len(self._jobs) - KEPT, 0)]:
                del self._jobs[old]
        running = self._lanes[lane].submit(self._run, job.id, work)
        running.add_done_callback(lambda ended: self._faulted(job.id, ended))
        return job

    def get(self, job_id: str) -> Job:
        """A job. Raises NotFound."""
        with self._lock:
            found = self._jobs.get(job_id)
        if found is None:
            raise NotFound(
                f"no job {job_id!r}: jobs are known until the server is started anew",
                code=Code.JOB_FORGOTTEN,
            )
        return found

    def all(self) -> list[Job]:
        """The jobs, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def tell(self, event: Event) -> None:
        """Send an event to every open page, from any thread."""
        with self._lock:
            listeners = list(self._listeners)
        for loop, queue in listeners:
            with contextlib.suppress(RuntimeError):  # a loop that was closed meanwhile
                loop.call_soon_threadsafe(_put, queue, event)

    async def events(self) -> AsyncIterator[Event | None]:
        """The events from now on; None every 15 seconds, so that a dead line is noticed."""
        queue: asyncio.Queue[Event] = asyncio.Queue(maxsize=1000)
        listener = (asyncio.get_running_loop(), queue)
        with self._lock:
            self._listeners.add(listener)
        try:
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), 15)
                except TimeoutError:
                    yield None
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def close(self) -> None:
        """Let the job that runs end, and start no other."""
        for pool in self._lanes.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job_id: str, work: Callable[[Report], Any]) -> None:
        last: deque[tuple[str, int]] = deque(maxlen=1)

        def report(step: str, done: int, total: int) -> None:
            share = 100 * done // max(total, 1)
            if last and last[0] == (step, share):
                return
            last.append((step, share))
            self._change(job_id, step=step, done=done, total=total)

        self._change(job_id, state="running")
        try:
            result = work(report)
        except SanheError as error:
            self._change(job_id, state="failed", error=str(error), ended_at=self._clock.now())
        else:
            self._change(job_id, state="done", result=result, ended_at=self._clock.now())

    def _faulted(self, job_id: str, ended: Future[None]) -> None:
        """Tell a fault to whoever started the job, and log it whole."""
        if ended.cancelled() or (fault := ended.exception()) is None:
            return
        _LOG.error("job %s failed", job_id, exc_info=fault)
        why = "sanhe failed here; the log of the server says how"
        self._change(job_id, state="failed", error=why, ended_at=self._clock.now())

    def _change(self, job_id: str, **changes: Any) -> None:
        with self._lock:
            job = replace(self._jobs[job_id], **changes)
            self._jobs[job_id] = job
        self.tell(
            Event(
                "job",
                {
                    "id": job.id,
                    "what": job.what,
                    "actor": job.actor,
                    "step": job.step,
                    "done": job.done,
                    "total": job.total,
                    "state": job.state,
                    "error": job.error,
                },
            )
        )


def _put(queue: asyncio.Queue[Event], event: Event) -> None:
    # A page that reads too slowly misses some: it asks for the present state anyway.
    with contextlib.suppress(asyncio.QueueFull):
        queue.put_nowait(event)
