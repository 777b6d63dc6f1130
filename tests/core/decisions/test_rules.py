"""The rules of decisions: every pair of statuses, arithmetic, and rules that approve."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.decisions import (
    OPEN,
    AutoApproval,
    DecisionKind,
    Proposal,
    Status,
    Subject,
    rules,
)
from sanhe.core.errors import BadInput, Conflict

KIND = DecisionKind(
    "replenish", "goods.replenish", 1, unit="each", terms=("need", "on_hand"), meaning="order"
)
TABLE = """
             proposed snoozed approved edited rejected executing executed failed measured expired
proposed     .        yes     yes      yes    yes      .         .        .      .        yes
snoozed      yes      yes     yes      yes    yes      .         .        .      .        yes
approved     .        .       .        yes    yes      yes       .        .      .        .
edited       .        .       .        yes    yes      yes       .        .      .        .
rejected     .        .       .        .      .        .         .        .      .        .
executing    .        .       .        .      .        .         yes      yes    .        .
executed     .        .       .        .      .        .         .        .      yes      .
failed       .        .       .        .      .        .         .        .      .        .
measured     .        .       .        .      .        .         .        .      yes      .
expired      .        .       .        .      .        .         .        .      .        .
"""


def table() -> dict[tuple[Status, Status], bool]:
    """The table above: from the status of the row to that of the column."""
    head, *lines = TABLE.strip().splitlines()
    columns = [Status(word) for word in head.split()]
    found = {}
    for line in lines:
        name, *cells = line.split()
        for column, cell in zip(columns, cells, strict=True):
            found[(Status(name), column)] = cell == "yes"
    return found


def test_each_pair_of_statuses_is_decided() -> None:
    expected = table()
    assert set(expected) == set(product(Status, Status))
    for (present, wanted), answer in expected.items():
        assert rules.allowed(present, wanted) == answer, (present, wanted)
        assert (present in rules.sources(wanted)) == answer
        if answer:
            rules.check_move(7, present, wanted)
            continue
        with pytest.raises(Conflict, match=f"decision 7 is {present.value}"):
            rules.check_move(7, present, wanted)


def test_what_is_closed_never_opens() -> None:
    for present, wanted in product(Status, Status):
        if present not in OPEN and wanted in OPEN:
            assert not rules.allowed(present, wanted)


def proposal(value: int, terms: tuple[int, ...], *, cents: int = 0, label: str = "AX") -> Proposal:
    return Proposal(
        kind="replenish",
        subject=Subject(sku="A"),
        value=value,
        value_cents=cents,
        terms=terms,
        reason="",
        inputs={},
        method="test",
        label=label,
    )


@given(st.lists(st.integers(-(2**62), 2**62), min_size=2, max_size=2), st.integers(-3, 3))
def test_terms_sum_to_the_value(terms: list[int], off: int) -> None:
    given_proposal = proposal(sum(terms) + off, tuple(terms))
    fits = off == 0 and abs(sum(terms)) < 2**63
    if fits:
        rules.check_proposal(given_proposal, KIND)
    else:
        with pytest.raises(BadInput, match="A"):
            rules.check_proposal(given_proposal, KIND)


@given(
    st.sampled_from(["replenish", "reprice"]),
    st.frozensets(st.sampled_from(["AX", "BY", "CZ"])),
    st.integers(0, 5),
    st.sampled_from(["AX", "AXH1", "BYM4", "C", ""]),
    st.integers(0, 5),
)
def test_a_rule_covers_kind_class_and_money(
    kind: str, labels: frozenset[str], most: int, label: str, cents: int
) -> None:
    rule = AutoApproval(kind, labels, most, "rule")
    covered = rules.covers(rule, proposal(0, (1, -1), cents=cents, label=label))
    assert covered == (
        kind == "replenish" and cents <= most and (label[:2] in labels or labels == frozenset())
    )


def test_the_nearest_rule_is_of_the_class_and_exceeded_least() -> None:
    small = AutoApproval("replenish", frozenset({"AX"}), 5, "small")
    large = AutoApproval("replenish", frozenset({"AX", "B"}), 9, "large")
    moves = AutoApproval("transfer", frozenset(), 99, "moves")
    given = [small, large, moves]

    def nearest(label: str, cents: int) -> tuple[str, bool, int]:
        found = rules.ruling(given, "replenish", label=label, value_cents=cents)
        assert found is not None
        assert found.approves == (found.fits_class and found.over_cents == 0)
        return found.rule.name, found.fits_class, found.over_cents

    assert nearest("AXH1", 4) == ("small", True, 0)  # the first that approves it
    assert nearest("AXH1", 7) == ("large", True, 0)
    assert nearest("BZ", 12) == ("large", True, 3)
    assert nearest("C", 7) == ("large", False, 0)
    assert rules.ruling(given, "reprice", label="AX", value_cents=1) is None


def test_only_what_waits_and_is_valid_can_be_approved() -> None:
    now = datetime(2025, 9, 1, tzinfo=UTC)
    by_people = {Status.APPROVED, Status.EDITED, Status.REJECTED, Status.SNOOZED}
    for status in Status:
        waits = status in (Status.PROPOSED, Status.SNOOZED)
        for until in (None, now + timedelta(seconds=1)):
            found = rules.may_still(status, valid_until=until, now=now)
            assert found == (by_people if waits else set())
        found = rules.may_still(status, valid_until=now, now=now)
        assert found == ({Status.REJECTED} if waits else set())


@pytest.mark.parametrize("inner", [float("nan"), float("inf"), [1.0, {"x": float("-inf")}]])
def test_numbers_that_json_lacks_are_named(inner: object) -> None:
    value = {"good": [1, 2.5, "三", None], "bad": inner}
    assert not rules.finite(value)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"inputs\.bad"):
        rules.check_finite(value, place="inputs")  # type: ignore[arg-type]
    assert rules.finite({"good": [1, 2.5, "三", None, True]})
