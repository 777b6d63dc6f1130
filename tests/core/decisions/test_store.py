"""Decisions in PostgreSQL: what the database itself holds, races, other roles, bulk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from psycopg import errors

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import (
    DecisionKind,
    Effect,
    PostgresDecisions,
    Proposal,
    Status,
    Subject,
)
from sanhe.core.errors import BadInput, Conflict
from sanhe.core.storage import Database
from sanhe.core.values import derived_id, new_id

TERMS = ("demand_over_cover", "safety_stock", "on_hand", "case_rounding")
KIND = DecisionKind(
    "replenish", "goods.replenish", 1, unit="base units", terms=TERMS, meaning="order"
)
RUN = derived_id("run", "store")


@pytest.fixture
def kept(database: Database) -> Database:
    with database.transaction(actor="wiring") as tx:
        PostgresDecisions(tx).register(KIND)
    return database


def proposal(number: int) -> Proposal:
    return Proposal(
        kind="replenish",
        subject=Subject(sku=f"SKU-{number}", place=f"S{number % 900:03}"),
        value=12,
        value_cents=number * 37 % 100_000,
        terms=(20, 4, -15, 3),
        reason="three days of cover are left, the next delivery after this arrives in six",
        inputs={
            "mean": [1.5 + number * 0.01 * day for day in range(14)],
            "assumed": ["unit_cost_cents", "lead_time_days"],
            "dispersion": 1.25,
            "case_size": 6,
            "moq": None,
        },
        method="order_up_to 1",
        constraints=("case",),
        alternatives=({"value": 6, "fill_rate": 0.9}, {"value": 18, "fill_rate": 0.99}),
        expected=Effect("lost_units", -1.5, -3.0, 0.0),
        label="AX",
    )


def propose(database: Database, count: int) -> tuple[int, ...]:
    with database.transaction(actor="planner") as tx:
        return PostgresDecisions(tx).propose(RUN, map(proposal, range(count))).numbers


def rows(database: Database, table: str) -> int:
    return int(database.read_arrow(f"SELECT count(*) AS n FROM {table}").to_pylist()[0]["n"])


def together(act: Callable[[int], Any], threads: int) -> list[Any]:
    gate = threading.Barrier(threads)

    def run(number: int) -> Any:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


INSERT = (
    "INSERT INTO decision (id, run, kind, kind_version, sku, value, proposed_value, value_cents,"
    " terms, created_at, reason, method, label, inputs) VALUES (gen_random_uuid(),"
    " gen_random_uuid(), 'replenish', 1, '{sku}', {value}, {value}, 0, '{terms}', now(), '', '',"
    " '', '{{}}')"
)


def test_the_database_holds_the_arithmetic_and_the_one_open(kept: Database) -> None:
    good = INSERT.format(sku="A", value=5, terms="{7,-2}")
    with kept.transaction(actor="planner") as tx:
        tx.connection.exec_driver_sql(good)
    for statement, constraint in (
        (INSERT.format(sku="B", value=6, terms="{7,-2}"), "decision_terms_sum"),
        (INSERT.format(sku="B", value=0, terms="{}"), "decision_terms_check"),
        (good, "decision_open"),
        (INSERT.format(sku="", value=5, terms="{5}"), "decision_sku_check"),
        (
            INSERT.format(sku="B", value=5, terms="{5}").replace(
                "'replenish', 1", "'replenish', 9"
            ),
            "replenish version 9 is not registered",
        ),
        ("UPDATE decision SET status = 'done'", "decision_status_check"),
    ):
        with (
            pytest.raises(sa.exc.IntegrityError, match=constraint),
            kept.transaction(actor="planner") as tx,
        ):
            tx.connection.exec_driver_sql(statement)
    assert rows(kept, "decision") == 1


def test_undecided_of_some_lines_are_those_lines(kept: Database) -> None:
    numbers = propose(kept, 5)
    with kept.transaction(actor="planner") as tx:
        decisions = PostgresDecisions(tx)
        decisions.approve([numbers[1]])
        every = decisions.undecided("replenish")
        assert every.column("number").to_pylist() == [*numbers[:1], *numbers[2:]]
        asked = pa.table({"sku": ["SKU-1", "SKU-3", "SKU-4"], "place": ["S001", "S003", "S000"]})
        some = decisions.undecided("replenish", asked)
        assert some.column("number").to_pylist() == [numbers[3]]
        assert some.schema == every.schema


def test_the_application_cannot_rewrite_history(kept: Database) -> None:
    propose(kept, 1)
    for statement in (
        "UPDATE decision SET terms = '{12}'",
        "UPDATE decision SET proposed_value = 1",
        "UPDATE decision SET inputs = '{}'",
        "DELETE FROM decision",
        "UPDATE decision_event SET actor = 'x'",
        "DELETE FROM decision_event",
        "UPDATE decision SET snapshot_row = 1",
        "UPDATE decision_snapshot SET payload = ''",
        "DELETE FROM decision_snapshot",
        "DELETE FROM decision_kind",
        "UPDATE decision_kind SET terms = '{a}'",
    ):
        with (
            pytest.raises(sa.exc.ProgrammingError) as caught,
            kept.transaction(actor="intruder") as tx,
        ):
            tx.connection.exec_driver_sql(statement)
        assert isinstance(caught.value.orig, errors.InsufficientPrivilege), statement
    with (
        psycopg.connect(kept.owner_url) as owner,
        pytest.raises(errors.RestrictViolation, match="append-only"),
    ):
        owner.execute("DELETE FROM decision_event")
    with (
        psycopg.connect(kept.owner_url) as owner,
        pytest.raises(errors.RestrictViolation, match="append-only"),
    ):
        owner.execute("DELETE FROM decision_snapshot")


def test_two_that_propose_at_once_propose_once(kept: Database) -> None:
    def act(number: int) -> tuple[int, int]:
        with kept.transaction(actor=f"planner {number}") as tx:
            made = PostgresDecisions(tx).propose(new_id(), map(proposal, range(200)))
        return made.new, made.already_open

    outcomes = together(act, 4)
    assert sum(new for new, _ in outcomes) == 200
    assert all(new + already_open == 200 for new, already_open in outcomes)
    assert rows(kept, "decision") == 200
    assert rows(kept, "decision_event") == 0, "the first event is the record itself"


def test_each_decision_is_started_by_one_worker(kept: Database) -> None:
    numbers = propose(kept, 60)
    with kept.transaction(actor="planner") as tx:
        PostgresDecisions(tx).approve(numbers)

    def act(number: int) -> list[int]:
        taken: list[int] = []
        while True:
            with kept.transaction(actor=f"worker {number}") as tx:
                decisions = PostgresDecisions(tx)
                started = [d.number for d in decisions.start("replenish", limit=7)]
                decisions.executed({n: [f"PO-{number}"] for n in started})
            taken += started
            if not started:
                return taken

    taken = [number for part in together(act, 4) for number in part]
    assert sorted(taken) == list(numbers)
    assert rows(kept, "decision_event") == 3 * 60


def test_reading_then_starting_takes_decisions_twice(kept: Database) -> None:
    """The negative control: without the lock two workers read the same approved ones."""
    numbers = propose(kept, 5)
    with kept.transaction(actor="planner") as tx:
        PostgresDecisions(tx).approve(numbers)
    read = threading.Barrier(2)

    def act(_: int) -> list[int]:
        with kept.transaction(actor="worker") as tx:
            found = PostgresDecisions(tx).find(statuses=[Status.APPROVED])
            read.wait()
            return [decision.number for decision in found]

    assert len([n for part in together(act, 2) for n in part]) == 10


def test_of_two_approvals_one_wins(kept: Database) -> None:
    numbers = propose(kept, 20)

    def act(number: int) -> str:
        try:
            with kept.transaction(actor=f"planner {number}") as tx:
                order = list(reversed(numbers)) if number % 2 else numbers
                PostgresDecisions(tx).approve(order)
        except Conflict:
            return "refused"
        return "done"

    assert sorted(together(act, 4)) == ["done", "refused", "refused", "refused"]
    assert rows(kept, "decision_event") == 20


def test_a_refused_call_leaves_the_transaction_usable(kept: Database, clock: FixedClock) -> None:
    def with_a_wrong_one() -> Iterator[Proposal]:
        yield from map(proposal, range(70_000))
        yield Proposal("replenish", Subject("X"), 1, 1, terms=(1, 1, 1, 1), reason="", inputs={},
                       method="")  # fmt: skip

    with kept.transaction(actor="planner") as tx:
        decisions = PostgresDecisions(tx)
        with pytest.raises(BadInput, match="X: terms"):
            decisions.propose(RUN, with_a_wrong_one())
        assert decisions.count() == 0
        (number,) = decisions.propose(RUN, [proposal(1)]).numbers
        decisions.snooze([number], until=clock.now() + timedelta(days=1))
    assert rows(kept, "decision") == 1
    assert rows(kept, "decision_event") == 1


def test_a_rolled_back_transaction_leaves_nothing(kept: Database) -> None:
    with pytest.raises(ZeroDivisionError), kept.transaction(actor="planner") as tx:
        PostgresDecisions(tx).propose(RUN, [proposal(1)])
        raise ZeroDivisionError
    assert rows(kept, "decision") == rows(kept, "decision_snapshot") == 0


def test_a_bulk_costs_a_small_part_of_one_by_one(
    kept: Database, cpu_seconds: Callable[[Callable[[], object]], float]
) -> None:
    few, many = 50, 35_000
    found: list[int] = []

    def one_by_one() -> None:
        with kept.transaction(actor="planner") as tx:
            for number in range(many, many + few):
                PostgresDecisions(tx).propose(RUN, [proposal(number)])

    def together() -> None:
        found.extend(propose(kept, many))

    single = cpu_seconds(one_by_one) / few
    assert cpu_seconds(together) / many < single / 10
    numbers = tuple(found)
    assert numbers == tuple(range(numbers[0], numbers[0] + many))
    with kept.transaction(actor="planner") as tx:
        again = PostgresDecisions(tx).propose(new_id(), map(proposal, [*range(many), many + few]))
    assert (again.new, again.already_open, again.numbers) == (1, 35_000, (numbers[-1] + 1,))
