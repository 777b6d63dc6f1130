"""One suite for both keepers of decisions: in PostgreSQL and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import (
    OPEN,
    AutoApproval,
    DecisionKind,
    Decisions,
    Effect,
    MemoryDecisions,
    PostgresDecisions,
    Proposal,
    ProposalTable,
    Status,
    Subject,
    proposals_of,
)
from sanhe.core.errors import BadInput, Conflict, NotFound, SanheError
from sanhe.core.storage import Database
from sanhe.core.values import derived_id

KIND = DecisionKind(
    name="replenish",
    owner="goods.replenish",
    version=1,
    unit="base units",
    terms=("demand_over_cover", "on_hand", "case_rounding"),
    meaning="order so much of a SKU for a place",
)
RUN, NEXT_RUN = derived_id("run", "1"), derived_id("run", "2")
Work = Callable[[], AbstractContextManager[Decisions]]


@pytest.fixture(params=["memory", "postgres"])
def work(request: pytest.FixtureRequest, clock: FixedClock) -> Work:
    """Opens a unit of work on one store of decisions, with the kind registered."""
    memory = MemoryDecisions(clock, actor="planner")

    @contextmanager
    def in_memory() -> Iterator[Decisions]:
        yield memory

    if request.param == "memory":
        memory.register(KIND)
        return in_memory
    database: Database = request.getfixturevalue("database")

    @contextmanager
    def in_postgres() -> Iterator[Decisions]:
        with database.transaction(actor="planner") as tx:
            yield PostgresDecisions(tx)

    with in_postgres() as decisions:
        decisions.register(KIND)
    return in_postgres


def proposal(sku: str, *, money: int = 1000, label: str = "AX", **others: Any) -> Proposal:
    return Proposal(
        kind="replenish",
        subject=Subject(sku=sku, place="S001"),
        value=12,
        value_cents=money,
        terms=(20, -11, 3),
        reason="three days of cover are left, the next delivery after this is in six",
        inputs={"mean": [1.5, 2.25], "assumed": ["unit_cost_cents"], "name": "苹果"},
        method="order_up_to 1",
        label=label,
        **others,
    )


def propose(work: Work, *proposals: Proposal, run: UUID = RUN) -> tuple[int, ...]:
    with work() as decisions:
        return decisions.propose(run, proposals).numbers


def status(work: Work, number: int) -> Status:
    with work() as decisions:
        return decisions.get(number).status


def test_a_proposal_comes_back_as_it_was_given(work: Work, clock: FixedClock) -> None:
    full = proposal(
        "A",
        constraints=("case of 6", "shelf life, 3 days"),
        alternatives=({"value": 6, "fill_rate": 0.9}, {"value": 18, "fill_rate": 0.99}),
        expected=Effect("lost_units", -4.5, -6.0, -3.0),
        guard_rails=("cover_days <= 30",),
        valid_until=datetime(2024, 6, 10, tzinfo=UTC),
    )
    bare = replace(proposal("A"), subject=Subject(), inputs={}, reason="")
    with work() as decisions:
        made = decisions.propose(RUN, [full, bare])
    assert (made.new, made.already_open, len(made.numbers)) == (2, 0, 2)
    with work() as decisions:
        found = [decisions.get(number) for number in made.numbers]
    assert [decision.proposal for decision in found] == [full, bare]
    first = found[0]
    assert first.number == made.numbers[0]
    assert (first.run, first.status, first.value) == (RUN, Status.PROPOSED, 12)
    assert first.created_at == clock.now()
    assert first.kind_version == 1
    assert first.id != found[1].id
    (event,) = first.history
    assert (event.actor, event.status, event.at) == ("planner", Status.PROPOSED, clock.now())


def test_numbers_follow_the_order_and_do_not_run_away(work: Work) -> None:
    first = propose(work, *(proposal(sku) for sku in "ABC"))
    again = propose(work, *(proposal(sku) for sku in "ABCD"), run=NEXT_RUN)
    assert list(first) == sorted(first)
    assert again == (first[-1] + 1,)


def test_one_open_decision_for_a_subject(work: Work) -> None:
    (number,) = propose(work, proposal("A"))
    other_place = replace(proposal("A"), subject=Subject(sku="A", place="S002"))
    no_place = replace(proposal("A"), subject=Subject(sku="A"))
    with work() as decisions:
        made = decisions.propose(
            NEXT_RUN, (p for p in [proposal("A"), other_place, other_place, no_place, no_place])
        )
        assert (made.new, made.already_open) == (2, 3)
        decisions.reject([number], reason="the shelf is gone")
    with work() as decisions:
        assert decisions.propose(NEXT_RUN, [proposal("A")]).new == 1
        assert decisions.propose(NEXT_RUN, [proposal("A")]).already_open == 1
        assert decisions.propose(NEXT_RUN, []).new == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"value": 13}, "sum to 12"),
        ({"terms": (20, -8)}, "2 terms for 3 names"),
        ({"terms": (2**63, -(2**63), 12)}, "64 bits"),
        ({"subject": Subject(sku="")}, "empty name"),
        ({"inputs": {"mean": [1.0, float("nan")]}}, "mean"),
        ({"valid_until": datetime(2024, 6, 10)}, "no time zone"),
    ],
)
def test_wrong_arithmetic_is_refused_whole(work: Work, wrong: dict[str, Any], message: str) -> None:
    with work() as decisions:
        with pytest.raises(BadInput, match=message):
            decisions.propose(RUN, [proposal("A"), replace(proposal("B"), **wrong)])
        with pytest.raises(NotFound, match="reprice"):
            decisions.propose(RUN, [proposal("A"), replace(proposal("B"), kind="reprice")])
        assert decisions.count() == 0


def in_columns(*skus: str, **changes: Any) -> ProposalTable:
    """`proposal` of these SKUs as a table with its own types; `changes` are other columns."""
    count = len(skus)
    columns = {
        "sku": pa.array(skus),
        "place": pa.array(["S001"] * count),
        "value": pa.array([12] * count),
        "value_cents": pa.array([1000] * count),
        "terms": pa.array([[20, -11, 3]] * count),
        "label": pa.array(["AX"] * count),
        "reason": pa.array(["three days of cover are left"] * count),
        "method": pa.array(["order_up_to 1"] * count),
        "inputs": pa.array(
            [{"mean": [1.5, 2.25], "assumed": ["moq"], "lead_days": None, "on_hand": 3}] * count
        ),
        "constraints": pa.array([["case"]] * count),
        "alternatives": pa.array([[{"value": 6, "fill": 0.9}]] * count),
        "expected": pa.array(
            [{"metric": "lost_units", "value": -4.5, "low": -6.0, "high": -3.0}] * count
        ),
        "valid_until": pa.array([datetime(2024, 6, 10, tzinfo=UTC)] * count),
    }
    return ProposalTable("replenish", pa.table({**columns, **changes}))


def test_a_table_is_recorded_as_its_rows_one_by_one_are(work: Work) -> None:
    table = in_columns("A", "B", "C")
    alone = proposals_of(table)
    with work() as decisions:
        made = decisions.propose(RUN, [proposal("Z"), table, in_columns("C", "D")])
        assert (made.new, made.already_open, made.value_cents) == (5, 1, 5000)
        found = [decisions.get(number) for number in made.numbers]
        assert [d.proposal.subject.sku for d in found] == ["Z", "A", "B", "C", "D"]
        assert [d.proposal for d in found[1:4]] == alone
        decisions.reject(made.numbers, reason="once more, one by one")
        again = decisions.propose(RUN, alone)
        assert [decisions.get(number).proposal for number in again.numbers] == alone
        assert [event.status for event in decisions.get(again.numbers[0]).history] == [
            Status.PROPOSED
        ]
    first = alone[0]
    assert first.inputs == {
        "mean": [1.5, 2.25],
        "assumed": ["moq"],
        "lead_days": None,
        "on_hand": 3,
    }
    assert (first.constraints, first.alternatives) == (("case",), ({"value": 6, "fill": 0.9},))
    assert first.expected == Effect("lost_units", -4.5, -6.0, -3.0)
    assert (first.subject, first.terms) == (Subject("A", "S001"), (20, -11, 3))


def test_a_table_with_only_the_arithmetic_will_do(work: Work) -> None:
    rows = in_columns("A").rows.select(["value", "value_cents", "terms"])
    with work() as decisions:
        (number,) = decisions.propose(RUN, [ProposalTable("replenish", rows)]).numbers
        found = decisions.get(number).proposal
    assert (found.subject, found.reason, found.inputs) == (Subject(), "", {})
    assert (found.constraints, found.alternatives, found.expected) == ((), (), None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"value": pa.array([12, 13])}, "B S001: terms .* sum to 12"),
        ({"terms": pa.array([[20, -11, 3], [20, -8]])}, "B S001: 2 terms for 3 names"),
        ({"terms": pa.array([[20, -11, 3], [2**62, -(2**62), 12]])}, "B S001: .*bits"),
        ({"value_cents": pa.array([1000, None])}, "value_cents is missing"),
        ({"sku": pa.array(["A", ""])}, "empty name"),
        ({"inputs": pa.array([{"a": [{"b": 1.0}]}, {"a": [{"b": float("nan")}]}])}, "inputs.a.b"),
        ({"valid_until": pa.array([datetime(2024, 6, 10)] * 2)}, "no time zone"),
    ],
)
def test_a_wrong_table_is_refused_whole(work: Work, wrong: dict[str, Any], message: str) -> None:
    with work() as decisions:
        with pytest.raises(BadInput, match=message):
            decisions.propose(RUN, [proposal("X"), in_columns("A", "B", **wrong)])
        with pytest.raises(BadInput, match="no column terms"):
            rows = in_columns("A").rows.drop_columns(["terms"])
            decisions.propose(RUN, [ProposalTable("replenish", rows)])
        assert decisions.count() == 0


def test_what_people_decided_otherwise_is_told_without_its_inputs(work: Work) -> None:
    numbers = propose(work, *(proposal(sku) for sku in "ABCDE"))
    other = propose(work, proposal("F"), run=NEXT_RUN)
    with work() as decisions:
        assert decisions.overruled("replenish", RUN).num_rows == 0
        decisions.reject([numbers[0], *other], reason="no")
        decisions.edit(numbers[1], 6, reason="less")
        decisions.edit(numbers[2], 12, reason="the same")
        decisions.approve([numbers[3]])
        decisions.edit(numbers[4], 7, reason="waits")
        taken = [decision.number for decision in decisions.start("replenish", limit=3)]
        decisions.executed({number: ["PO-1"] for number in taken})
        rows = decisions.overruled("replenish", RUN).to_pylist()
    assert [(row["sku"], row["place"], row["party"], row["status"]) for row in rows] == [
        ("A", "S001", None, "rejected"),
        ("B", "S001", None, "executed"),
    ]
    assert rows[0]["terms"] == [20, -11, 3]


def test_what_nobody_decided_on_is_withdrawn_and_its_subject_is_free_again(work: Work) -> None:
    numbers = propose(work, *(proposal(sku) for sku in "ABC"))
    with work() as decisions:
        decisions.approve([numbers[1]])
        rows = decisions.undecided("replenish").to_pylist()
        assert [(row["number"], row["sku"]) for row in rows] == [
            (numbers[0], "A"),
            (numbers[2], "C"),
        ]
        assert rows[0]["terms"] == [20, -11, 3]
        assert decisions.undecided("reprice").num_rows == 0
    with work() as decisions, pytest.raises(BadInput, match="reason"):
        decisions.withdraw([numbers[0]], reason=" ")
    with work() as decisions, pytest.raises(Conflict, match=str(numbers[1])):
        decisions.withdraw([numbers[0], numbers[1]], reason="new facts")
    assert status(work, numbers[0]) is Status.PROPOSED, "all or none"
    with work() as decisions:
        assert decisions.withdraw([numbers[0]], reason="new facts") == 1
        told = decisions.get(numbers[0])
    assert (told.status, told.history[-1].reason) == (Status.EXPIRED, "new facts")
    assert len(propose(work, proposal("A"), run=NEXT_RUN)) == 1
    assert propose(work, proposal("B"), proposal("C"), run=NEXT_RUN) == ()


def test_the_newest_decision_of_each_line_stands(work: Work) -> None:
    with work() as decisions:
        decisions.propose(RUN, [proposal("A"), proposal("B"), proposal("C")])
        decisions.reject([1], reason="enough")
        decisions.approve([2])
        decisions.start("replenish")
        decisions.executed({2: ["PO1"]})
        decisions.propose(NEXT_RUN, [proposal("A")])
        decisions.edit(4, 5, reason="half a case")
    with work() as decisions:
        lines = pa.table({"sku": ["A", "B", "C", "D"], "place": ["S001"] * 4})
        found = decisions.standing("replenish", lines).sort_by("sku").to_pylist()
        assert [(row["sku"], row["number"], row["status"], row["value"]) for row in found] == [
            ("A", 4, "edited", 5),
            ("B", 2, "executed", 12),
            ("C", 3, "proposed", 12),
        ]
        assert {row["proposed_value"] for row in found} == {12}
        assert {row["place"] for row in found} == {"S001"} and found[0]["label"] == "AX"
        assert decisions.tally("replenish") == {
            Status.REJECTED: (1, 1000),
            Status.EXECUTED: (1, 1000),
            Status.PROPOSED: (1, 1000),
            Status.EDITED: (1, 1000),
        }
        assert decisions.tally("other") == {}
        assert decisions.tally("replenish", places=["S002"]) == {}
        assert len(decisions.tally("replenish", places=["S001", "S002"])) == 4
        assert decisions.count(places=["S001"]) == 4 and decisions.count(places=[]) == 0
        assert decisions.listed(places=["S002"]) == []
        two = pa.table({"sku": ["B", "C", "B"], "place": ["S001", "S001", "S002"]})
        assert {one.sku for one in decisions.listed(lines=two)} == {"B", "C"}
        assert decisions.listed(lines=two, places=["S002"]) == []
        assert decisions.count(lines=two) == 2 and decisions.count(lines=two.slice(2)) == 0
        assert set(decisions.tally("replenish", lines=two)) == {Status.EXECUTED, Status.PROPOSED}
        assert {row["value_cents"] for row in found} == {1000}
        assert {row["valid_until"] for row in found} == {None}
        elsewhere = pa.table({"sku": ["A"], "place": ["S002"]})
        assert decisions.standing("replenish", elsewhere).num_rows == 0
        assert decisions.standing("other", lines).num_rows == 0


def test_kinds_are_published_by_version(work: Work) -> None:
    with work() as decisions:
        decisions.register(KIND)
        decisions.register(replace(KIND, meaning="better words"))
        assert decisions.kind("replenish").meaning == "better words"
        with pytest.raises(Conflict, match="raise the version"):
            decisions.register(replace(KIND, terms=("demand", "on_hand", "case_rounding")))
        with pytest.raises(BadInput, match="one twice"):
            decisions.register(replace(KIND, version=2, terms=("a", "a")))
        newer = replace(KIND, version=2, terms=("a", "b"))
        decisions.register(newer)
        assert decisions.kind("replenish") == newer
        assert decisions.kind("replenish", version=1).terms == KIND.terms
        for wanted in ({"name": "reprice"}, {"name": "replenish", "version": 3}):
            with pytest.raises(NotFound, match="register"):
                decisions.kind(**wanted)
        two = replace(proposal("A"), terms=(20, -8))
        (number,) = decisions.propose(RUN, [two]).numbers
        assert decisions.get(number).kind_version == 2


def test_the_whole_life(work: Work, clock: FixedClock) -> None:
    (number,) = propose(work, proposal("A"))
    with work() as decisions:
        decisions.snooze([number], until=clock.now() + timedelta(days=1), reason="ask the store")
        assert decisions.get(number).snoozed_until == clock.now() + timedelta(days=1)
        decisions.edit(number, 18, reason="festival on Monday")
    with work() as decisions:
        (taken,) = decisions.start("replenish")
        assert (taken.number, taken.value, taken.status) == (number, 18, Status.EXECUTING)
        assert taken.proposal.value == 12
        assert taken.snoozed_until is None
        decisions.executed({number: ["PO-000001", "PO-000002"]})
    effect = Effect("lost_units", -3.0, -5.0, -1.0)
    clock.moment += timedelta(days=14)
    with work() as decisions:
        decisions.measured(number, effect)
        found = decisions.get(number)
    assert (found.status, found.actions) == (Status.MEASURED, ("PO-000001", "PO-000002"))
    assert found.measured == effect
    assert [(e.status, e.reason, e.value) for e in found.history] == [
        (Status.PROPOSED, "", None),
        (Status.SNOOZED, "ask the store", None),
        (Status.EDITED, "festival on Monday", 18),
        (Status.EXECUTING, "", None),
        (Status.EXECUTED, "", None),
        (Status.MEASURED, "", None),
    ]
    assert found.history[-1].at == clock.now()
    assert {event.actor for event in found.history} == {"planner"}


def test_approval_is_all_or_none(work: Work) -> None:
    first, second, third = propose(work, *(proposal(sku) for sku in "ABC"))
    with work() as decisions:
        assert decisions.reject([third], reason="delisted") == 1
        with pytest.raises(Conflict, match=f"decision {third} is rejected"):
            decisions.approve([first, third])
        with pytest.raises(NotFound, match=str(third + 7)):
            decisions.approve([first, third + 7])
        assert decisions.get(first).status is Status.PROPOSED
        assert len(decisions.get(first).history) == 1
        assert decisions.approve([second, first, second], reason="as usual") == 2
        assert decisions.approve([]) == 0
        with pytest.raises(Conflict, match="is approved"):
            decisions.approve([first])
        assert decisions.get(second).history[-1].reason == "as usual"


def test_what_is_approved_can_still_be_edited_or_rejected(work: Work) -> None:
    first, second = propose(work, proposal("A"), proposal("B"))
    with work() as decisions:
        decisions.approve([first, second])
        decisions.edit(first, 0, reason="nothing after all")
        decisions.edit(first, 6, reason="one case after all")
        assert decisions.get(first).value == 6
        decisions.reject([second], reason="second thought")
        assert [d.number for d in decisions.start("replenish")] == [first]
        with pytest.raises(Conflict, match="is executing"):
            decisions.edit(first, 12, reason="too late")
        with pytest.raises(Conflict, match="is executing"):
            decisions.reject([first], reason="too late")


def test_reasons_values_and_moments_are_checked(work: Work, clock: FixedClock) -> None:
    (number,) = propose(work, proposal("A"))
    with work() as decisions:
        refused: list[Callable[[], object]] = [
            lambda: decisions.edit(number, 3, reason=" "),
            lambda: decisions.reject([number], reason=""),
            lambda: decisions.failed(number, reason=""),
            lambda: decisions.edit(number, -1, reason="less"),
            lambda: decisions.edit(number, 2**63, reason="more"),
            lambda: decisions.snooze([number], until=clock.now()),
            lambda: decisions.snooze([number], until=datetime(2030, 1, 1)),
            lambda: decisions.measured(number, Effect("lost_units", float("inf"), 0.0, 0.0)),
        ]
        for attempt in refused:
            with pytest.raises(BadInput):
                attempt()
        missing: list[Callable[[], object]] = [
            lambda: decisions.get(number + 1),
            lambda: decisions.edit(number + 1, 3, reason="more"),
            lambda: decisions.failed(number + 1, reason="no supplier"),
        ]
        for attempt in missing:
            with pytest.raises(NotFound, match=str(number + 1)):
                attempt()
        assert decisions.get(number).status is Status.PROPOSED


def test_rules_approve_by_class_and_money(work: Work) -> None:
    a, b, c, d = propose(
        work,
        proposal("A", money=1000, label="AXH1"),
        proposal("B", money=1001, label="AXH1"),
        proposal("C", money=10, label="CZ%_"),
        proposal("D", money=10, label="BY"),
    )
    (other,) = propose(work, proposal("E", money=10), run=NEXT_RUN)
    rules = [
        AutoApproval("replenish", frozenset({"AX", "AY"}), 1000, "small and steady"),
        AutoApproval("replenish", frozenset({"AX", "BY", "CZ%_L"}), 1000, "second"),
        AutoApproval("reprice", frozenset(), 10**9, "other kind"),
    ]
    with work() as decisions:
        assert decisions.auto_approve(RUN, rules) == 2
        assert decisions.auto_approve(RUN, rules) == 0
        assert [decisions.get(n).status.value for n in (a, b, c, d, other)] == [
            *("approved", "proposed", "proposed", "approved", "proposed")
        ]
        event = decisions.get(a).history[-1]
        assert (event.actor, event.details) == ("rule small and steady", {"by": "planner"})
        every = AutoApproval("replenish", frozenset(), 10**9, "all")
        assert decisions.auto_approve(RUN, [every]) == 2


def test_starting_takes_each_once(work: Work) -> None:
    numbers = propose(work, *(proposal(sku) for sku in "ABC"))
    with work() as decisions:
        decisions.approve(numbers)
        assert [d.number for d in decisions.start("replenish", limit=2)] == list(numbers[:2])
        assert [d.number for d in decisions.start("replenish")] == [numbers[2]]
        assert decisions.start("replenish") == []
        decisions.failed(numbers[0], reason="no supplier")
        with pytest.raises(Conflict, match="is failed"):
            decisions.executed({numbers[1]: ["PO-1"], numbers[0]: ["PO-1"]})
        assert decisions.get(numbers[1]).status is Status.EXECUTING
        decisions.executed({numbers[1]: ["PO-1"], numbers[2]: []})
        decisions.executed({})
        assert decisions.get(numbers[2]).actions == ()


def test_validity_ends_and_sleepers_wake(work: Work, clock: FixedClock) -> None:
    day = timedelta(days=1)
    start = clock.now()
    a, b, c, d = propose(
        work,
        proposal("A", valid_until=start + day),
        proposal("B", valid_until=start + day),
        proposal("C"),
        proposal("D", valid_until=start + day),
    )
    with work() as decisions:
        decisions.snooze([b], until=start + 2 * day)
        decisions.snooze([c], until=start + day)
        decisions.approve([d])
        assert decisions.expire() == 0
    clock.moment = start + day
    with work() as decisions:
        assert decisions.expire() == 2
        assert decisions.expire() == 0
        found = [decisions.get(n).status.value for n in (a, b, c, d)]
        assert found == ["expired", "snoozed", "proposed", "approved"], "b sleeps on"
        assert decisions.get(c).snoozed_until is None
        assert decisions.get(a).history[-1].reason == "validity is over"
        assert decisions.propose(NEXT_RUN, map(proposal, "ABC")).new == 1
    clock.moment = start + 2 * day
    with work() as decisions:
        assert decisions.expire() == 1, "when b would wake its validity is over"
        assert decisions.get(b).status is Status.EXPIRED
        assert decisions.propose(NEXT_RUN, map(proposal, "ABC")).new == 1


def test_what_is_no_longer_valid_is_not_approved(work: Work, clock: FixedClock) -> None:
    day = timedelta(days=1)
    end = clock.now() + day
    fresh, stale, snoozed, before = propose(
        work,
        proposal("A", valid_until=end + day),
        *(proposal(sku, valid_until=end) for sku in "BCD"),
    )
    with work() as decisions:
        decisions.snooze([snoozed], until=end + 9 * day)
        decisions.approve([before])
    clock.moment = end - timedelta(microseconds=1)
    with work() as decisions:
        decisions.approve([stale])  # the control: to the last moment it is valid
        decisions.reject([stale], reason="second thought")
        (stale,) = decisions.propose(NEXT_RUN, [proposal("B", valid_until=end)]).numbers
    clock.moment = end
    every = AutoApproval("replenish", frozenset(), 10**9, "all")
    with work() as decisions:
        for number in (stale, snoozed):
            with pytest.raises(Conflict, match=f"decision {number} was valid until .*plan again"):
                decisions.approve([fresh, number])
            with pytest.raises(Conflict, match="plan again"):
                decisions.edit(number, 3, reason="less")
        assert decisions.auto_approve(NEXT_RUN, [every]) == 0
        assert decisions.get(fresh).status is Status.PROPOSED, "all or none"
        assert decisions.get(stale).status is Status.PROPOSED
        assert decisions.get(snoozed).status is Status.SNOOZED
        decisions.edit(before, 3, reason="approved in time, so it may still be changed")
        assert decisions.auto_approve(RUN, [every]) == 1
        decisions.reject([stale, snoozed], reason="too old")


def test_search_is_by_money(work: Work) -> None:
    propose(
        work, *(proposal(sku, money=money) for sku, money in zip("ABCD", (5, 7, 7, 1), strict=True))
    )
    with work() as decisions:
        found = decisions.find()
        assert [d.proposal.subject.sku for d in found] == ["B", "C", "A", "D"]
        assert all(d.history == () for d in found)
        assert [d.proposal.value_cents for d in decisions.find(limit=2, offset=1)] == [7, 5]
        listed = decisions.listed(kind="replenish", limit=2, offset=1)
        assert [(d.sku, d.place, d.value_cents) for d in listed] == [
            ("C", "S001", 7),
            ("A", "S001", 5),
        ]
        assert listed[0].number == found[1].number and listed[0].status is Status.PROPOSED
        assert (listed[0].value, listed[0].proposed_value, listed[0].label) == (12, 12, "AX")
        assert listed[0].created_at == found[1].created_at
        assert (listed[0].terms, listed[0].valid_until) == (found[1].proposal.terms, None)
        about = decisions.subjects([found[0].number, 999])
        assert about == {found[0].number: Subject(sku="B", place="S001")}
        number = found[0].number
        assert decisions.kinds([number, 999]) == {number: found[0].proposal.kind}
        decisions.approve([found[0].number])
        by_status = decisions.find(statuses=[Status.APPROVED])
        assert [d.number for d in by_status] == [found[0].number]
        merged = [d.number for at in range(5) for d in decisions.listed(limit=1, offset=at)]
        assert merged == [d.number for d in found] == [d.number for d in decisions.find()]
        two = decisions.find(statuses=[Status.PROPOSED, Status.APPROVED], limit=2)
        assert [d.number for d in two] == merged[:2]
        assert len(decisions.find(sku="A", place="S001", run=RUN, kind="replenish")) == 1
        for nothing in ({"sku": "Z"}, {"place": "S2"}, {"run": NEXT_RUN}, {"kind": "reprice"}):
            assert decisions.find(**nothing) == []
        assert decisions.find(statuses=[]) == []
        assert decisions.count() == 4
        assert decisions.count(kind="replenish", statuses=[Status.PROPOSED]) == 3
        assert decisions.count(kind="reprice") == 0
        assert decisions.count(sku="A") == decisions.count(sku="A", place="S001") == 1
        assert decisions.count(place="S001") == 4
        assert [decisions.count(most=most) for most in (0, 1, 3, 4, 9)] == [0, 1, 3, 4, 4]
        assert decisions.count(statuses=[Status.PROPOSED], most=2) == 2
        assert decisions.count(statuses=[]) == 0
        assert decisions.count(sku="A", place="S002") == 0


MOVES_TO: dict[Status, Callable[[Decisions, int, datetime], object]] = {
    Status.APPROVED: lambda d, n, later: d.approve([n]),
    Status.EDITED: lambda d, n, later: d.edit(n, 5, reason="less"),
    Status.REJECTED: lambda d, n, later: d.reject([n], reason="no"),
    Status.SNOOZED: lambda d, n, later: d.snooze([n], until=later),
    Status.EXECUTED: lambda d, n, later: d.executed({n: ["PO-1"]}),
    Status.FAILED: lambda d, n, later: d.failed(n, reason="no supplier"),
    Status.MEASURED: lambda d, n, later: d.measured(n, Effect("units", 1.0, 0.0, 2.0)),
}
PATHS: dict[Status, tuple[Status, ...]] = {
    Status.PROPOSED: (),
    Status.SNOOZED: (Status.SNOOZED,),
    Status.APPROVED: (Status.APPROVED,),
    Status.EDITED: (Status.EDITED,),
    Status.REJECTED: (Status.REJECTED,),
    Status.EXECUTING: (Status.APPROVED, Status.EXECUTING),
    Status.EXECUTED: (Status.APPROVED, Status.EXECUTING, Status.EXECUTED),
    Status.FAILED: (Status.APPROVED, Status.EXECUTING, Status.FAILED),
    Status.MEASURED: (Status.APPROVED, Status.EXECUTING, Status.EXECUTED, Status.MEASURED),
}
# Written out by hand, not taken from the rules: what each status may become by a person's act.
ALLOWED: dict[Status, set[Status]] = {
    Status.PROPOSED: {Status.APPROVED, Status.EDITED, Status.REJECTED, Status.SNOOZED},
    Status.SNOOZED: {Status.APPROVED, Status.EDITED, Status.REJECTED, Status.SNOOZED},
    Status.APPROVED: {Status.EDITED, Status.REJECTED},
    Status.EDITED: {Status.EDITED, Status.REJECTED},
    Status.REJECTED: set(),
    Status.EXECUTING: {Status.EXECUTED, Status.FAILED},
    Status.EXECUTED: {Status.MEASURED},
    Status.FAILED: set(),
    Status.MEASURED: {Status.MEASURED},
}


@pytest.mark.parametrize("present", list(PATHS))
def test_every_move_is_allowed_or_refused(work: Work, clock: FixedClock, present: Status) -> None:
    later = clock.now() + timedelta(days=1)
    for wanted, act in MOVES_TO.items():
        (number,) = propose(work, proposal(f"{present.value} {wanted.value}"))
        with work() as decisions:
            for step in PATHS[present]:
                if step is Status.EXECUTING:
                    assert number in [d.number for d in decisions.start("replenish")]
                else:
                    MOVES_TO[step](decisions, number, later)
            assert decisions.get(number).status is present
            events = len(decisions.get(number).history)
            if wanted in ALLOWED[present]:
                act(decisions, number, later)
                assert decisions.get(number).status is wanted
                assert len(decisions.get(number).history) == events + 1
            else:
                with pytest.raises(SanheError):
                    act(decisions, number, later)
                assert decisions.get(number).status is present
                assert len(decisions.get(number).history) == events
            fresh = decisions.propose(NEXT_RUN, [proposal(f"{present.value} {wanted.value}")])
            assert fresh.new == (decisions.get(number).status not in OPEN)
