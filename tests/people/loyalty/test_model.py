"""Any order of operations leaves what a model leaves that keeps every single point in a list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bench.ledger_model import (
    FIRST,
    GRACE_DAYS,
    WORLD,
    Books,
    Model,
    Operation,
    differs,
    in_database,
    in_memory,
    moment,
)
from sanhe.core.clock import FixedClock
from sanhe.core.ledger import MemoryLedger
from sanhe.core.storage import Database
from sanhe.people.loyalty import MemoryEntries, PointsBook

points = st.integers(0, 30)
members = st.sampled_from(["M1", "M2"])


class AnyOrder(RuleBasedStateMachine):
    """Members earn, hold, spend, give back, lose, in any order, and tell anything twice."""

    earned = Bundle("earned")
    held = Bundle("held")
    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.day, self.number = FIRST, 0
        self.model, clock = Model(), FixedClock(moment(FIRST))
        ledger = MemoryLedger(clock)
        book = PointsBook(ledger, MemoryEntries(), clock=clock, grace_days=GRACE_DAYS)
        self.books = Books(book, ledger, clock)

    def do(self, kind: str, member: str, name: str, *, count: int = 0, lasts: int = 0) -> Operation:
        self.number += 1
        until = self.day + timedelta(days=lasts)
        one = Operation(kind, member, name, count, str(self.number), self.day, until)
        assert not differs(self.model, self.books, one)
        return one

    @rule(target=earned, member=members, count=points, lasts=st.integers(0, 60))
    def earn(self, member: str, count: int, lasts: int) -> Operation:
        return self.do("earn", member, f"e{self.number}", count=count, lasts=lasts)

    @rule(target=held, member=members, count=points)
    def hold(self, member: str, count: int) -> Operation:
        return self.do("hold", member, f"h{self.number}", count=count)

    @rule(hold=held, kind=st.sampled_from(["post", "void"]))
    def close(self, hold: Operation, kind: str) -> None:
        self.do(kind, hold.member, hold.name)

    @rule(target=asked, hold=held, count=points)
    def give_back(self, hold: Operation, count: int) -> Operation:
        return self.do("give_back", hold.member, hold.name, count=count)

    @rule(target=asked, earn=earned, count=points)
    def take_back(self, earn: Operation, count: int) -> Operation:
        return self.do("take_back", earn.member, earn.name, count=count)

    @rule(target=asked, member=members, count=points)
    def remove(self, member: str, count: int) -> Operation:
        return self.do("remove", member, f"r{self.number}", count=count)

    @rule(one=st.one_of(earned, held, asked), more=st.sampled_from([0, 0, 1]))
    def again(self, one: Operation, more: int) -> None:
        day = max(self.day, one.day)
        count = one.points + more if one.points else 0
        told = Operation(one.kind, one.member, one.name, count, one.step, day, one.expires_on)
        assert not differs(self.model, self.books, told)

    @rule(days=st.integers(1, 40))
    def time_goes_on(self, days: int) -> None:
        self.day += timedelta(days=days)

    @rule()
    def expire(self) -> None:
        self.do("expire", "M1", "")

    @invariant()
    def all_accounts_sum_to_nothing(self) -> None:
        assert self.books.unbalanced() == 0


def test_any_order_of_operations_ends_as_the_model() -> None:
    run_state_machine_as_test(
        AnyOrder, settings=settings(max_examples=25, stateful_step_count=40, deadline=None)
    )


@pytest.mark.parametrize("seed", range(4))
def test_long_runs_end_as_the_model(seed: int) -> None:
    made = in_memory(Model(), seed, WORLD)
    assert (made.operations, made.differences, made.unbalanced) == (WORLD, 0, 0), made.first


@pytest.mark.parametrize("wrong", [Model(last_first=True), Model(forgets=True)])
def test_a_wrong_model_is_found_out(wrong: Model) -> None:
    assert in_memory(wrong, 1, 2_000).differences


def test_the_database_ends_as_the_model(database: Database, clock: FixedClock) -> None:
    made = in_database(database, clock, 3, count=200)
    assert (made.operations, made.differences, made.unbalanced) == (200, 0, 0), made.first
