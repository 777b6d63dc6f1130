"""One suite for both queues and both outboxes: in PostgreSQL and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, NotFound, Permanent, Temporary
from sanhe.core.jobs import (
    MOST_ATTEMPTS,
    Jobs,
    JobsRun,
    MemoryJobs,
    MemoryOutbox,
    Message,
    Outbox,
    PostgresJobs,
    PostgresOutbox,
    Task,
    deliver,
    run_worker,
)
from sanhe.core.storage import Database
from sanhe.core.values import new_id


@dataclass(frozen=True)
class Queue:
    """One queue under test: how to open a unit of work on it, and its worker."""

    work: Callable[[], AbstractContextManager[Jobs]]
    run: Callable[[Mapping[str, Task]], JobsRun]


@pytest.fixture(params=["memory", "postgres"])
def queue(request: pytest.FixtureRequest, clock: FixedClock) -> Queue:
    if request.param == "memory":
        memory = MemoryJobs(clock)

        @contextmanager
        def in_memory() -> Iterator[Jobs]:
            yield memory

        return Queue(in_memory, memory.run)
    database: Database = request.getfixturevalue("database")

    @contextmanager
    def in_postgres() -> Iterator[Jobs]:
        with database.transaction(actor="planner") as tx:
            yield PostgresJobs(tx)

    return Queue(in_postgres, lambda tasks: run_worker(database, tasks))


def counts(queue: Queue) -> dict[str, int]:
    with queue.work() as jobs:
        return dict(jobs.counts())


def test_tasks_run_in_order_with_their_arguments(queue: Queue) -> None:
    seen: list[object] = []
    with queue.work() as jobs:
        numbers = [jobs.defer("note", {"text": f"第{i}", "nested": {"n": [i]}}) for i in range(3)]
        assert jobs.counts() == {"todo": 3}
    assert numbers == sorted(set(numbers))
    done = queue.run({"note": lambda text, nested: seen.append((text, nested["n"]))})
    assert done == JobsRun(succeeded=3, retried=0, failed=0)
    assert seen == [("第0", [0]), ("第1", [1]), ("第2", [2])]
    assert queue.run({}) == JobsRun(0, 0, 0)
    assert counts(queue) == {"succeeded": 3}


def test_a_passing_failure_is_tried_again_and_others_fail(queue: Queue) -> None:
    tries: list[str] = []

    def flaky() -> None:
        tries.append("flaky")
        if len(tries) < 3:
            raise Temporary("the supplier's server is away", delay_seconds=0)

    def broken() -> None:
        raise Permanent("the file's format is unknown")

    def wrong() -> None:
        raise KeyError("sku")

    with queue.work() as jobs:
        for task in ("flaky", "broken", "wrong"):
            jobs.defer(task, {})
    done = queue.run({"flaky": flaky, "broken": broken, "wrong": wrong})
    assert (done.succeeded, done.retried, done.failed) == (1, 2, 2)
    assert sorted(done.failures) == [
        "broken: Permanent: the file's format is unknown",
        "wrong: KeyError: 'sku'",
    ]
    assert len(tries) == 3
    assert counts(queue) == {"succeeded": 1, "failed": 2}


def test_a_delay_is_kept_and_its_lock_with_it(queue: Queue) -> None:
    ran: list[str] = []

    def note(text: str) -> None:
        ran.append(text)

    def away() -> None:
        ran.append("away")
        raise Temporary("come back in an hour", delay_seconds=3600)

    with queue.work() as jobs:
        jobs.defer("away", {}, lock="supplier 1")
        jobs.defer("note", {"text": "behind it"}, lock="supplier 1")
        jobs.defer("note", {"text": "beside it"}, lock="supplier 2")
        jobs.defer("note", {"text": "free"})
    done = queue.run({"away": away, "note": note})
    assert (done.succeeded, done.retried, done.failed) == (2, 1, 0)
    assert ran == ["away", "beside it", "free"]
    assert counts(queue) == {"todo": 2, "succeeded": 2}


def test_a_job_does_not_fail_for_ever(queue: Queue) -> None:
    tries: list[int] = []

    def away() -> None:
        tries.append(1)
        raise Temporary("still away", delay_seconds=0)

    with queue.work() as jobs:
        jobs.defer("away", {})
    done = queue.run({"away": away})
    assert len(tries) == MOST_ATTEMPTS
    assert (done.succeeded, done.retried, done.failed) == (0, MOST_ATTEMPTS - 1, 1)


def test_a_job_waits_for_its_time(queue: Queue, clock: FixedClock) -> None:
    past = clock.now() - timedelta(days=1)
    far = datetime(2100, 1, 1, tzinfo=past.tzinfo)
    ran: list[str] = []

    def note(text: str) -> None:
        ran.append(text)

    with queue.work() as jobs:
        jobs.defer("note", {"text": "far"}, at=far)
        jobs.defer("note", {"text": "past"}, at=past)
        with pytest.raises(BadInput, match="no time zone"):
            jobs.defer("note", {"text": "naive"}, at=datetime(2100, 1, 1))
        with pytest.raises(BadInput, match="plain JSON"):
            jobs.defer("note", {"text": object()})  # type: ignore[dict-item]
    queue.run({"note": note})
    assert ran == ["past"]
    assert counts(queue) == {"todo": 1, "succeeded": 1}


def test_a_task_may_queue_another(queue: Queue) -> None:
    ran: list[str] = []

    def first() -> None:
        ran.append("first")
        with queue.work() as jobs:
            jobs.defer("second", {})

    with queue.work() as jobs:
        jobs.defer("first", {})
    queue.run({"first": first, "second": lambda: ran.append("second")})
    assert ran == ["first", "second"]


def test_an_unknown_task_fails(queue: Queue) -> None:
    with queue.work() as jobs:
        jobs.defer("gone", {})
    with queue.work() as jobs:
        jobs.defer("known", {})
    done = queue.run({"known": lambda: None})
    assert (done.succeeded, done.retried, done.failed) == (1, 0, 1)
    assert "gone" in done.failures[0] and "register it" in done.failures[0]
    assert counts(queue) == {"failed": 1, "succeeded": 1}
    assert queue.run({}) == JobsRun(0, 0, 0), "it is told once"


Open = Callable[[], AbstractContextManager[Outbox]]


@pytest.fixture(params=["memory", "postgres"])
def outbox(request: pytest.FixtureRequest, clock: FixedClock) -> Open:
    memory = MemoryOutbox(clock)

    @contextmanager
    def in_memory() -> Iterator[Outbox]:
        yield memory

    if request.param == "memory":
        return in_memory
    database: Database = request.getfixturevalue("database")

    @contextmanager
    def in_postgres() -> Iterator[Outbox]:
        with database.transaction(actor="outbox") as tx:
            yield PostgresOutbox(tx)

    return in_postgres


def test_a_message_is_put_once_and_delivered_in_order(outbox: Open, clock: FixedClock) -> None:
    with outbox() as box:
        first = box.put("purchase_order", "PO-1", {"lines": [{"sku": "A", "quantity": 6}]})
        box.put("purchase_order", "PO-2", {})
        box.put("price_list", "PO-1", {})
        assert box.put("purchase_order", "PO-1", {"lines": []}) == first
    with outbox() as box:
        found = box.pending("purchase_order")
        assert [message.key for message in found] == ["PO-1", "PO-2"]
        assert found[0] == Message(
            first,
            "purchase_order",
            "PO-1",
            {"lines": [{"sku": "A", "quantity": 6}]},
            clock.now(),
        )
        assert len(box.pending("purchase_order", limit=1)) == 1
        box.delivered(first)
        box.delivered(first)
        with pytest.raises(NotFound):
            box.delivered(new_id())
    taken: list[str] = []
    assert deliver(outbox, "purchase_order", lambda message: taken.append(message.key)) == 1
    assert taken == ["PO-2"]
    assert deliver(outbox, "purchase_order", lambda message: taken.append(message.key)) == 0
    with outbox() as box:
        assert [message.key for message in box.pending("price_list")] == ["PO-1"]
        assert box.put("purchase_order", "PO-1", {}) == first
        assert box.pending("purchase_order") == []


def test_a_failing_receiver_gets_the_same_key_again(outbox: Open) -> None:
    with outbox() as box:
        for key in ("PO-1", "PO-2", "PO-3"):
            box.put("purchase_order", key, {})
    taken: list[str] = []

    def failing(message: Message) -> None:
        taken.append(message.key)
        if taken.count("PO-2") == 1 and message.key == "PO-2":
            raise Temporary("the folder is away", delay_seconds=60)

    with pytest.raises(Temporary):
        deliver(outbox, "purchase_order", failing)
    assert deliver(outbox, "purchase_order", failing) == 2
    assert taken == ["PO-1", "PO-2", "PO-2", "PO-3"]
