"""A command takes effect once, and everybody who sent it gets the same answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from sanhe.core.clock import FixedClock
from sanhe.core.commands import KEPT_FOR, Answer, Call, Commands
from sanhe.core.errors import (
    BadInput,
    Code,
    Conflict,
    NotFound,
    SanheError,
    Shortage,
    Temporary,
    TooMany,
)
from sanhe.core.ledger import Account, PostgresLedger, Transfer
from sanhe.core.scope import Scope
from sanhe.core.storage import Database, Transaction
from sanhe.core.values import Json, new_id

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)


@pytest.fixture
def stocked(database: Database) -> Database:
    """Twenty units on a shelf."""
    with database.transaction(actor="shopper") as tx:
        ledger = PostgresLedger(tx)
        ledger.open_accounts([Account("world", "u"), Account("shelf", "u", floor=0)])
        ledger.transfer([move(20, "world", "shelf")])
    return database


def move(amount: int, source: str = "shelf", target: str = "world") -> Transfer:
    return Transfer(new_id(), source, target, amount, "sale", "order", NOON)


def left(database: Database) -> int:
    with database.transaction(actor="auditor") as tx:
        return PostgresLedger(tx).balances(["shelf"])["shelf"].available


def buy(tx: Transaction, key: str, amount: int) -> Answer:
    """Take units; the answer names the transfer, so that a second effect would show."""

    def run() -> Json:
        transfer = move(amount)
        PostgresLedger(tx).reserve(transfer)
        return {"transfer": str(transfer.id), "amount": amount, "name": "三合", "rest": None}

    return Commands(tx).once("buy", key, body={"amount": amount}, run=run)


def bought(database: Database, key: str, amount: int, *, actor: str = "shopper") -> Json:
    with database.transaction(actor=actor) as tx:
        answer = buy(tx, key, amount)
    return answer.result()


def together(act: Callable[[int], Any], threads: int) -> list[Any]:
    gate = threading.Barrier(threads)

    def run(number: int) -> Any:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_the_same_key_has_one_effect_and_one_answer(stocked: Database) -> None:
    first = bought(stocked, "k", 3)
    assert bought(stocked, "k", 3) == first
    assert left(stocked) == 17
    assert bought(stocked, "k2", 3) != first
    assert bought(stocked, "k", 3, actor="another") != first
    assert left(stocked) == 11


def test_sixty_four_twins_have_one_effect_and_one_answer(stocked: Database) -> None:
    answers = together(lambda _: bought(stocked, "k", 3), 64)
    assert all(answer == answers[0] for answer in answers)
    assert left(stocked) == 17


def test_looking_before_doing_has_many_effects(stocked: Database) -> None:
    """The negative control: the key is looked up first and written after the effect."""
    looked = threading.Barrier(8)
    known = sa.text("SELECT count(*) FROM command WHERE key = 'k'")

    def naive(_: int) -> int:
        with stocked.transaction(actor="shopper") as tx:
            found = tx.connection.execute(known).scalar_one()
        looked.wait()
        if found:
            return 0
        with stocked.transaction(actor="shopper") as tx:
            PostgresLedger(tx).reserve(move(2))
        return 1

    assert sum(together(naive, 8)) == 8
    assert left(stocked) == 4


def test_sixty_four_twins_are_refused_alike(stocked: Database) -> None:
    def refused(_: int) -> str:
        with pytest.raises(Shortage) as caught:
            bought(stocked, "k", 21)
        assert caught.value.code is Code.SHORTAGE
        return str(caught.value)

    assert len(set(together(refused, 64))) == 1
    with stocked.transaction(actor="shopper") as tx:
        PostgresLedger(tx).transfer([move(5, "world", "shelf")])
    # There is enough by now; the key's answer stays what it was.
    refused(0)
    assert left(stocked) == 25


@pytest.mark.parametrize(
    "error",
    [
        BadInput("no such size", place="line 2", remedy="choose one of the list"),
        NotFound("no SKU 7"),
        Conflict("already cancelled", code=Code.OVER),
        Shortage("sold out"),
    ],
)
def test_a_refusal_is_undone_kept_and_raised_alike(stocked: Database, error: SanheError) -> None:
    calls = 0

    def once() -> SanheError:
        def run() -> Json:
            nonlocal calls
            calls += 1
            PostgresLedger(tx).reserve(move(1))
            raise error

        with stocked.transaction(actor="shopper") as tx:
            answer = Commands(tx).once("buy", "k", body=[1], run=run)
            PostgresLedger(tx).reserve(move(2))
        with pytest.raises(type(error)) as caught:
            answer.result()
        return caught.value

    first, again = once(), once()
    assert calls == 1
    assert vars(again) == vars(first) == vars(error)
    assert (str(again), type(again)) == (str(error), type(error))
    assert left(stocked) == 20 - 2 * 2


@pytest.mark.parametrize(
    "error",
    [
        Temporary("later", delay_seconds=1),
        TooMany("full", retry_after_seconds=1),
        ZeroDivisionError(),
    ],
)
def test_what_is_no_answer_frees_the_key(stocked: Database, error: Exception) -> None:
    def run() -> Json:
        PostgresLedger(tx).reserve(move(1))
        raise error

    with pytest.raises(type(error)), stocked.transaction(actor="shopper") as tx:
        Commands(tx).once("buy", "k", body={"amount": 3}, run=run)
    assert left(stocked) == 20
    bought(stocked, "k", 3)
    assert left(stocked) == 17


def test_the_same_key_with_another_body_is_a_conflict(stocked: Database) -> None:
    first = bought(stocked, "k", 3)
    with pytest.raises(Conflict, match="'k' was used for another buy") as caught:
        bought(stocked, "k", 4)
    assert caught.value.code is Code.KEY_REUSED
    assert bought(stocked, "k", 3) == first
    assert left(stocked) == 17


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb"])
def test_a_key_that_cannot_be_is_refused(database: Database, key: str) -> None:
    with pytest.raises(BadInput, match="idempotency key"), database.transaction(actor="a") as tx:
        Commands(tx).once("buy", key, body=None, run=lambda: None)


def test_a_twin_runs_when_the_first_fails(stocked: Database) -> None:
    """A twin that waits for a command which is rolled back carries it out itself."""
    begun, waiting = threading.Event(), threading.Event()

    def failing(_: int) -> None:
        with pytest.raises(ZeroDivisionError), stocked.transaction(actor="shopper") as tx:
            buy(tx, "k", 3)
            begun.set()
            waiting.wait()
            raise ZeroDivisionError

    def twin(_: int) -> None:
        begun.wait()
        threading.Timer(0.2, waiting.set).start()
        bought(stocked, "k", 3)

    together(lambda number: (failing, twin)[number](number), 2)
    assert left(stocked) == 17


def test_many_commands_at_once_are_answered_each(stocked: Database) -> None:
    before = bought(stocked, "old", 1)
    calls = [
        Call("shopper", "buy", "a", {"amount": 1}),
        Call("shopper", "buy", "old", {"amount": 1}),
        Call("shopper", "buy", "a", {"amount": 1}),
        Call("shopper", "buy", "a", {"amount": 2}),
        Call("another", "buy", "a", {"amount": 99}),
    ]
    given: list[list[str]] = []

    def run(fresh: Sequence[Call]) -> list[Answer]:
        given.append([call.actor for call in fresh])
        return [
            Answer(number) if call.body == {"amount": 1} else Answer(refusal=Shortage("sold out"))
            for number, call in enumerate(fresh)
        ]

    for _ in range(2):
        with stocked.transaction(actor="lane") as tx:
            assert Commands(tx).once_each([], run) == []
            answers = Commands(tx).once_each(calls, run)
        assert [answer.value for answer in answers] == [0, before, 0, None, None]
        refusals = [answer.refusal and answer.refusal.code for answer in answers]
        assert refusals == [None, None, None, Code.KEY_REUSED, Code.SHORTAGE]
    assert given == [["shopper", "another"]]


def test_a_refusal_that_is_no_answer_undoes_them_all(database: Database) -> None:
    calls = [Call("shopper", "buy", name, None) for name in "ab"]
    refusals: list[SanheError | None] = [None, TooMany("busy", retry_after_seconds=1)]
    with pytest.raises(TooMany), database.transaction(actor="lane") as tx:
        Commands(tx).once_each(calls, lambda _: [Answer(refusal=one) for one in refusals])
    with database.transaction(actor="lane") as tx:
        answers = Commands(tx).once_each(calls, lambda fresh: [Answer(c.key) for c in fresh])
    assert [answer.value for answer in answers] == ["a", "b"]


def test_batches_with_the_same_keys_do_not_deadlock(database: Database) -> None:
    def act(number: int) -> int:
        ran = 0

        def run(fresh: Sequence[Call]) -> list[Answer]:
            nonlocal ran
            ran += len(fresh)
            return [Answer(call.key) for call in fresh]

        for turn in range(4):
            calls = [Call("a", "buy", f"{turn}/{n}", None) for n in range(100)]
            with database.transaction(actor="lane") as tx:
                Commands(tx).once_each(calls if number % 2 else calls[::-1], run)
        return ran

    assert sum(together(act, 6)) == 400


def test_answers_are_seen_by_their_actor_alone(stocked: Database) -> None:
    bought(stocked, "k", 3)
    counted = sa.text("SELECT count(*) FROM command")
    narrow = Scope(frozenset({"S1"}), None)
    for actor, seen in (("shopper", 1), ("another", 0)):
        with stocked.transaction(actor=actor, scope=narrow) as tx:
            assert tx.connection.execute(counted).scalar_one() == seen
    with stocked.transaction(actor="another", scope=narrow) as tx:
        answer = Commands(tx).once("buy", "k", body={"amount": 3}, run=lambda: "mine")
    assert answer.result() == "mine"


def test_answers_are_forgotten_after_their_time(stocked: Database, clock: FixedClock) -> None:
    bought(stocked, "k", 3)
    clock.moment += KEPT_FOR
    with stocked.transaction(actor="worker") as tx:
        assert Commands(tx).forget() == 0
    clock.moment += timedelta(seconds=1)
    with stocked.transaction(actor="worker") as tx:
        assert Commands(tx).forget() == 1
    bought(stocked, "k", 3)
    assert left(stocked) == 14
