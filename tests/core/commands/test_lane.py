"""The lane answers each after the commit, keeps to its bounds, and isolates who does harm."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from sanhe.core.commands import Answer, Call, Commands, Lane, Rush
from sanhe.core.errors import NotFound, Shortage, TooMany
from sanhe.core.ledger import Account, PostgresLedger, Transfer
from sanhe.core.storage import Database
from sanhe.core.values import derived_id, new_id

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)


class Held:
    """A writer that stands still until it is let go, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def write(self, asked: Sequence[int]) -> list[str]:
        self.batches.append(list(asked))
        self.begun.set()
        assert self.go.wait(30)
        return [f"answer {number}" for number in asked]


def test_what_gathers_meanwhile_is_the_next_batch() -> None:
    held = Held()
    with Lane(held.write, batch=3, wait_seconds=0) as lane:
        first = lane.submit(0)
        assert held.begun.wait(30)
        rest = [lane.submit(number) for number in range(1, 8)]
        assert rest[2].cancel()
        held.go.set()
        assert first.result(30) == "answer 0"
        assert [one.result(30) for one in rest if not one.cancelled()] == [
            f"answer {number}" for number in (1, 2, 4, 5, 6, 7)
        ]
    assert held.batches == [[0], [1, 2], [4, 5, 6], [7]]


def test_a_full_queue_lets_nobody_in() -> None:
    held = Held()
    with Lane(held.write, most_waiting=2, wait_seconds=0) as lane:
        lane.submit(0)
        assert held.begun.wait(30)
        waiting = [lane.submit(1), lane.submit(2)]
        with pytest.raises(TooMany, match="2 wait before you") as caught:
            lane.submit(3)
        assert caught.value.retry_after_seconds == 1
        held.go.set()
        assert [one.result(30) for one in waiting] == ["answer 1", "answer 2"]
        assert lane.submit(3).result(30) == "answer 3"


def test_a_closed_lane_carries_out_what_waits() -> None:
    held = Held()
    lane = Lane(held.write, wait_seconds=0)
    futures = [lane.submit(number) for number in range(5)]
    held.go.set()
    lane.close()
    assert [one.result(0) for one in futures] == [f"answer {number}" for number in range(5)]
    with pytest.raises(TooMany, match="closing"):
        lane.submit(9)


def test_one_that_does_harm_is_alone_with_its_error() -> None:
    done: list[int] = []

    def write(asked: Sequence[int]) -> list[int]:
        for number in asked:
            if number in {7, 20}:
                raise NotFound(f"no {number}")
            if number == 30:
                raise ZeroDivisionError
        done.extend(asked)
        return [2 * number for number in asked]

    with Lane(write, wait_seconds=1, batch=40) as lane:
        futures = [lane.submit(number) for number in range(40)]
        errors = [type(one.exception(30)) for one in futures]
    harmful = {7: NotFound, 20: NotFound, 30: ZeroDivisionError}
    assert errors == [harmful.get(number, type(None)) for number in range(40)]
    assert done == [number for number in range(40) if number not in harmful]


@pytest.mark.parametrize(
    "error",
    [OperationalError("", {}, Exception("gone")), TooMany("no connection", retry_after_seconds=1)],
)
def test_when_the_database_can_t_be_used_all_are_told_at_once(error: Exception) -> None:
    tries = 0

    def write(asked: Sequence[int]) -> list[int]:
        nonlocal tries
        tries += 1
        raise error

    with Lane(write, wait_seconds=1, batch=8) as lane:
        futures = [lane.submit(number) for number in range(8)]
        assert {one.exception(30) for one in futures} == {error}
    assert tries == 1


def test_a_writer_that_answers_too_few_is_a_fault_for_all() -> None:
    def write(asked: Sequence[int]) -> Sequence[int]:
        return asked[1:]

    with Lane(write, wait_seconds=0) as lane:
        assert isinstance(lane.submit(1).exception(30), ValueError)
        assert isinstance(lane.submit(2).exception(30), ValueError)


def test_sixty_four_through_the_lane_get_each_unit_once(database: Database) -> None:
    """200 who want one of 50, each sending twice: 50 are given, everyone is told the same twice."""
    with database.transaction(actor="till") as tx:
        ledger = PostgresLedger(tx)
        ledger.open_accounts([Account("world", "u"), Account("shelf", "u", floor=0)])
        ledger.transfer([Transfer(new_id(), "world", "shelf", 50, "count", "c", NOON)])

    def write(calls: Sequence[Call]) -> list[Answer]:
        with database.transaction(actor="lane") as tx:

            def run(fresh: Sequence[Call]) -> list[Answer]:
                wanted = [
                    Transfer(derived_id(c.key), "shelf", "world", 1, "sale", c.key, NOON)
                    for c in fresh
                ]
                granted = PostgresLedger(tx).reserve_each([[transfer] for transfer in wanted])
                sold_out = Answer(refusal=Shortage("sold out"))
                return [
                    Answer(str(transfer.id)) if yes else sold_out
                    for transfer, yes in zip(wanted, granted, strict=True)
                ]

            return Commands(tx).once_each(calls, run)

    with Lane(write) as lane, ThreadPoolExecutor(64) as pool:

        def buy(number: int) -> Answer:
            return lane.submit(Call("shopper", "buy", f"k{number % 200}", None)).result(60)

        answers = list(pool.map(buy, range(400)))
    values = [answer.value for answer in answers]
    assert values[:200] == values[200:]
    assert len({value for value in values if value}) == 50
    assert sum(answer.refusal is not None for answer in answers) == 300
    with database.transaction(actor="auditor") as tx:
        ledger = PostgresLedger(tx)
        ledger.verify()
        assert ledger.balances(["shelf"])["shelf"].available == 0


def test_a_rush_is_told_and_passes() -> None:
    now = 100.0
    rush = Rush(per_second=3, monotonic=lambda: now)
    assert [rush.wanted("a") for _ in range(5)] == [False, False, False, True, True]
    assert not rush.wanted("b")
    now = 101.0
    assert rush.wanted("a")
    assert not rush.wanted("b")
    now = 102.0
    assert not rush.wanted("a")
