"""Sharing limits: against the proven optimum, and what must hold of every choice."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from sanhe.models.inventory import (
    Floats,
    Ints,
    Limit,
    Steps,
    allocate,
    demand_of,
    shortage_avoided,
    steps_of,
)

GAP = 0.01
"""The share of the optimal worth that may be missed."""


@dataclass(frozen=True)
class Case:
    """Lines that want more than there is room for: one budget, a truck and pallets by group."""

    steps: Steps
    limits: tuple[Limit, ...]
    lines: int


def case_of(seed: int, lines: int, *, limits: int = 3, tightest: float = 0.3) -> Case:
    """Lines with demand, cases and minimum quantities, under the first `limits` limits."""
    random = np.random.default_rng(seed)
    mean = np.exp(random.normal(2.0, 1.0, lines))
    demand = demand_of(mean, mean * random.uniform(1.0, 4.0, lines))
    size = random.choice([1, 2, 6, 12], lines)
    cost = np.exp(random.normal(6.0, 1.0, lines))
    margin = cost * random.uniform(0.1, 0.9, lines)
    least = np.where(random.random(lines) < 0.2, random.integers(1, 4, lines), 1)
    most = np.maximum(np.ceil(mean * random.uniform(0.0, 1.5, lines) / size).astype(np.int64), 0)
    most = np.where(most > 0, np.maximum(most, least), 0)

    def worth(line: Ints, cases: Ints) -> Floats:
        none = np.zeros(line.size)
        return margin[line] * shortage_avoided(demand.take(line), none, cases * size[line])

    truck = random.integers(-1, max(lines // 8, 1), lines)
    place = random.integers(0, 2, lines)
    known = (
        (np.zeros(lines, np.int64), cost * size),
        (truck, size * np.exp(random.normal(0.0, 0.8, lines))),
        (place, size / random.choice([24.0, 96.0], lines)),
    )
    made = []
    for group, amount in known[:limits]:
        held = group >= 0
        groups = int(group.max(initial=0)) + 1
        wanted = np.bincount(group[held], weights=(amount * most)[held], minlength=groups)
        made.append(Limit(group, amount, wanted * random.uniform(tightest, 0.9, groups)))
    return Case(steps_of(worth, least, most), tuple(made), lines)


def optimum(case: Case) -> float:
    """The most any choice can be worth, by `scipy.optimize.milp`."""
    steps, rows, top = case.steps, [], []
    every = np.arange(steps.worth.size)
    for limit in case.limits:
        group = limit.group[steps.line]
        held = group >= 0
        used = (limit.amount[steps.line] * steps.cases)[held]
        shape = (limit.capacity.size, every.size)
        rows.append(sparse.csr_array((used, (group[held], every[held])), shape=shape))
        top.append(limit.capacity)
    # A step is taken only after the one before it of the same line.
    later = np.flatnonzero(np.diff(steps.line, prepend=-1) == 0)
    order = np.tile(np.arange(later.size), 2), np.concatenate((later, later - 1))
    signs = np.repeat([1.0, -1.0], later.size)
    rows.append(sparse.csr_array((signs, order), shape=(later.size, every.size)))
    top.append(np.zeros(later.size))
    constraint = optimize.LinearConstraint(
        sparse.vstack(rows).tocsr(), -np.inf, np.concatenate(top)
    )
    found = optimize.milp(
        -steps.worth,
        integrality=np.ones(every.size),
        bounds=optimize.Bounds(0, 1),
        constraints=constraint,
        options={"mip_rel_gap": 1e-4},
    )
    assert found.status == 0
    return -float(found.mip_dual_bound)


def used(limit: Limit, cases: Ints) -> Floats:
    """What a choice uses up in each group."""
    held = limit.group >= 0
    amount = (limit.amount * cases)[held]
    return np.bincount(limit.group[held], weights=amount, minlength=limit.capacity.size)


def within(case: Case, cases: Ints) -> bool:
    """Whether a choice keeps every limit."""
    return all((used(one, cases) <= one.capacity * (1 + 1e-8)).all() for one in case.limits)


def greedy_by_value(case: Case) -> float:
    """What taking the most valuable steps first is worth: limits are kept, prices ignored."""
    steps, worth = case.steps, 0.0
    room = [limit.capacity.copy() for limit in case.limits]
    stopped: set[int] = set()
    for at in np.argsort(-steps.worth, kind="stable").tolist():
        line = int(steps.line[at])
        needs = [limit.amount[line] * steps.cases[at] for limit in case.limits]
        groups = [int(limit.group[line]) for limit in case.limits]
        fits = all(
            group < 0 or need <= left[group]
            for group, need, left in zip(groups, needs, room, strict=True)
        )
        if line in stopped or not fits:
            stopped.add(line)
            continue
        worth += float(steps.worth[at])
        for group, need, left in zip(groups, needs, room, strict=True):
            if group >= 0:
                left[group] -= need
    return worth


@pytest.mark.parametrize("limits", [1, 2, 3])
@pytest.mark.parametrize("lines", [8, 30, 60])
def test_it_is_within_a_hundredth_of_the_proven_optimum(lines: int, limits: int) -> None:
    for seed in range(3):
        case = case_of(seed, lines, limits=limits)
        found = allocate(case.steps, case.limits, lines=lines)
        best = optimum(case)
        assert within(case, found.cases)
        assert (1 - GAP) * best <= found.worth <= best * (1 + 1e-6)
        assert found.bound >= best * (1 - 1e-6)


def test_taking_the_most_valuable_first_is_measurably_worse() -> None:
    """The control: the same cases can tell a good choice from a plausible one."""
    gaps = []
    for seed in range(6):
        case = case_of(seed, 40)
        gaps.append(1 - greedy_by_value(case) / optimum(case))
    assert min(gaps) > GAP
    assert np.mean(gaps) > 5 * GAP


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 3))
@settings(max_examples=80, deadline=None)
def test_no_limit_is_ever_passed(seed: int, lines: int, limits: int) -> None:
    case = case_of(seed, lines, limits=limits, tightest=0.0)
    found = allocate(case.steps, case.limits, lines=lines)
    assert within(case, found.cases)
    assert found.worth <= found.bound * (1 + 1e-9)
    most = np.bincount(case.steps.line, weights=case.steps.cases, minlength=lines)
    cut = found.cases < most
    assert np.array_equal(np.any(found.binding, axis=0), cut)
    # What is taken of a line are its first steps: the minimum quantity comes before anything.
    first = np.flatnonzero(np.diff(case.steps.line, prepend=-1))
    least = np.zeros(lines, np.int64)
    least[case.steps.line[first]] = case.steps.cases[first]
    assert ((found.cases == 0) | (found.cases >= least)).all()


def test_the_check_of_limits_can_fail() -> None:
    case = case_of(1, 20)
    most = np.bincount(case.steps.line, weights=case.steps.cases, minlength=20)
    assert not within(case, most.astype(np.int64))


@given(st.integers(0, 2**32 - 1), st.floats(1.0, 3.0))
@settings(max_examples=40, deadline=None)
def test_more_room_is_never_worth_less_beyond_the_gap(seed: int, factor: float) -> None:
    case = case_of(seed, 20)
    wider = [replace(one, capacity=one.capacity * factor) for one in case.limits]
    found = allocate(case.steps, case.limits, lines=20)
    more = allocate(case.steps, wider, lines=20)
    assert more.worth >= found.worth * (1 - GAP)


def test_equal_input_gives_an_equal_choice() -> None:
    for lines in (20, 250):
        case = case_of(5, lines)
        one, other = (allocate(case.steps, case.limits, lines=lines) for _ in range(2))
        assert np.array_equal(one.cases, other.cases)


def test_where_all_fits_all_is_taken_and_nothing_binds() -> None:
    case = case_of(3, 30)
    endless = [replace(one, capacity=one.capacity * 1e6) for one in case.limits]
    found = allocate(case.steps, endless, lines=30)
    assert found.cases.sum() == case.steps.cases.sum()
    assert found.worth == pytest.approx(case.steps.worth.sum())
    assert not np.any(found.binding)


def test_what_is_worth_nothing_is_taken_where_it_fits_and_goes_first_where_not() -> None:
    steps = Steps(np.array([0, 1]), np.array([1, 1]), np.array([0.0, 5.0]))
    zero = np.array([0, 0])
    both = allocate(steps, [Limit(zero, np.ones(2), np.array([2.0]))], lines=2)
    assert both.cases.tolist() == [1, 1]
    one = allocate(steps, [Limit(zero, np.ones(2), np.array([1.0]))], lines=2)
    assert one.cases.tolist() == [0, 1]
    assert one.binding[0].tolist() == [True, False]


def test_a_large_minimum_quantity_displaces_small_steps_when_it_is_worth_more() -> None:
    """The best by worth over price leaves no room for the minimum of line 1."""
    line = np.array([0] * 5 + [1])
    steps = Steps(line, np.array([1] * 5 + [8]), np.array([12.0] * 5 + [80.0]))
    limit = Limit(np.array([0, 0]), np.array([1.0, 1.0]), np.array([10.0]))
    found = allocate(steps, [limit], lines=2)
    assert found.cases.tolist() == [2, 8]
    assert found.worth == 104.0


def test_steps_grow_from_the_least_in_even_blocks_and_never_rise_per_case() -> None:
    def worth(line: Ints, cases: Ints) -> Floats:
        return 100.0 * np.sqrt(cases)

    steps = steps_of(worth, np.array([3, 1, 1]), np.array([5, 0, 100]), longest=32)
    assert steps.line.tolist()[:3] == [0, 0, 0]
    assert steps.cases[:3].tolist() == [3, 1, 1]
    assert 1 not in steps.line
    assert np.bincount(steps.line, weights=steps.cases).tolist() == [5, 0, 100]
    assert (steps.line == 2).sum() <= 33
    per_case = (steps.worth / steps.cases)[steps.line == 2]
    assert (np.diff(per_case) <= 1e-12).all()


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("amount", np.array([-1.0, 1.0]), "negative"),
        ("capacity", np.array([-1.0]), "negative"),
        ("group", np.array([0, 1]), "needs a capacity"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(field: str, value: Floats, complaint: str) -> None:
    steps = Steps(np.array([0, 1]), np.array([1, 1]), np.array([1.0, 1.0]))
    limit = Limit(np.array([0, 0]), np.ones(2), np.array([1.0]))
    with pytest.raises(ValueError, match=complaint):
        allocate(steps, [replace(limit, **{field: value})], lines=2)


def test_steps_that_make_no_sense_are_refused() -> None:
    steps = Steps(np.array([0, 1]), np.array([1, 1]), np.array([1.0, 1.0]))
    for bent in (
        replace(steps, worth=np.array([1.0, -1.0])),
        replace(steps, cases=np.array([1, 0])),
    ):
        with pytest.raises(ValueError, match="at least one case"):
            allocate(bent, [], lines=2)
