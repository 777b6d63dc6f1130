"""Safety stock placement: published costs, brute force on tiny trees, and what a promise means.

The instances are those of Snyder & Shen, "Fundamentals of Supply Chain Theory", 2nd ed., as
stockpyl 1.0.2 publishes them (stockpyl_instances.json), with the costs of its `gsm_tree`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.models.inventory import (
    NO_LIMIT,
    Chains,
    best_promise,
    longest_replenishment,
    normal_excess,
    place_safety_stock,
    pooled_sd,
)


@dataclass(frozen=True)
class Published:
    """One instance: stages by their published labels, arcs from supplier to customer."""

    name: str
    factor: float
    processing: dict[int, int]
    holding: dict[int, float]
    sd: dict[int, float]
    arcs: list[tuple[int, int]]
    inbound: dict[int, int]
    most_outbound: dict[int, int]
    cost: float
    outbound: dict[int, int]


EXAMPLE_6_3 = Published(
    name="example 6.3",
    factor=1.0,
    processing={1: 1, 2: 0, 3: 1},
    holding={1: 7.0, 2: 4.0, 3: 2.0},
    sd={1: 1.0},
    arcs=[(3, 2), (2, 1)],
    inbound={3: 1},
    most_outbound={1: 1},
    cost=2.8284271247461903,
    outbound={1: 1, 2: 0, 3: 0},
)
EXAMPLE_6_5 = Published(
    name="example 6.5",
    factor=1.0,
    processing={1: 2, 2: 1, 3: 1, 4: 1},
    holding={1: 1.0, 2: 3.0, 3: 2.0, 4: 3.0},
    sd={2: 1.0, 4: 1.0},
    arcs=[(1, 3), (3, 2), (3, 4)],
    inbound={1: 1},
    most_outbound={2: 0, 4: 1},
    cost=8.277916867529369,
    outbound={1: 0, 2: 0, 3: 0, 4: 1},
)
FIGURE_6_14 = Published(
    name="figure 6.14",
    factor=1.6448536269514722,
    processing={1: 2, 2: 3, 3: 2, 4: 4, 5: 2, 6: 3, 7: 6, 8: 4, 9: 3, 10: 2},
    holding=dict(enumerate((0.01, 0.03, 0.04, 0.06, 0.12, 0.13, 0.20, 0.08, 0.04, 0.50), start=1)),
    sd={10: 10.0},
    arcs=[(1, 2), (2, 3), (3, 5), (4, 5), (5, 6), (6, 10), (7, 10), (8, 10), (9, 10)],
    inbound={},
    most_outbound={10: 2},
    cost=18.824004472592172,
    outbound={1: 0, 2: 3, 3: 5, 4: 4, 5: 7, 6: 0, 7: 0, 8: 0, 9: 0, 10: 2},
)
PROBLEM_6_7 = Published(
    name="problem 6.7",
    factor=4.0,
    processing={1: 2, 2: 1, 3: 1},
    holding={1: 4.0, 2: 3.0, 3: 2.0},
    sd={1: 10.0},
    arcs=[(3, 2), (2, 1)],
    inbound={3: 1},
    most_outbound={1: 0},
    cost=357.77087639996637,
    outbound={1: 0, 2: 3, 3: 2},
)
PROBLEM_6_8 = Published(
    name="problem 6.8",
    factor=2.0537489106318225,
    processing=dict(enumerate((5, 10, 2, 15, 8, 5, 9, 5, 1, 5), start=1)),
    holding=dict(enumerate((5.73, 4.56, 3.04, 2.93, 2.47, 2.37, 1.15, 1.10, 0.98, 0.87), start=1)),
    sd={1: 15.8},
    arcs=[(stage + 1, stage) for stage in range(1, 10)],
    inbound={10: 7},
    most_outbound={1: 3},
    cost=1378.3020369043727,
    outbound={1: 3, 2: 10, 3: 0, 4: 28, 5: 13, 6: 5, 7: 0, 8: 18, 9: 13, 10: 12},
)
PROBLEM_6_9 = Published(
    name="problem 6.9",
    factor=4.0,
    processing={1: 7, 2: 7, 3: 21, 4: 3, 5: 8, 6: 2},
    holding={1: 44 / 365, 2: 28 / 365, 3: 18 / 365, 4: 1 / 365, 5: 4 / 365, 6: 1.5 / 365},
    sd={1: 4.1, 2: 6.2},
    arcs=[(3, 1), (3, 2), (4, 3), (5, 3), (6, 5)],
    inbound={},
    most_outbound={1: 3, 2: 3},
    cost=15.649530249501026,
    outbound={1: 3, 2: 3, 3: 0, 4: 0, 5: 0, 6: 2},
)
PUBLISHED = (EXAMPLE_6_3, EXAMPLE_6_5, FIGURE_6_14, PROBLEM_6_7, PROBLEM_6_8, PROBLEM_6_9)


def chains_of(given: Published) -> tuple[Chains, list[int]]:
    """The instance as one system, and the labels of its stages in order."""
    labels = sorted(given.processing)
    at = {label: index for index, label in enumerate(labels)}
    arcs = np.array([(at[a], at[b]) for a, b in given.arcs], np.int64)
    processing = np.array([[given.processing[label] for label in labels]])
    inbound = np.array([[given.inbound.get(label, 0) for label in labels]])
    sd = pooled_sd(arcs, np.array([[given.sd.get(label, 0.0) for label in labels]]))
    days = int(longest_replenishment(arcs, processing, inbound).max())
    return Chains(
        arcs=arcs,
        processing_days=processing,
        inbound_days=inbound,
        most_outbound_days=np.array([[given.most_outbound.get(x, NO_LIMIT) for x in labels]]),
        holding_cost=np.array([[given.holding[label] for label in labels]]),
        excess=normal_excess(sd, factor=given.factor, days=days),
    ), labels


@pytest.mark.parametrize("given", PUBLISHED, ids=lambda given: given.name)
def test_the_published_costs_and_promises(given: Published) -> None:
    chains, labels = chains_of(given)
    placed = place_safety_stock(chains)
    assert placed.cost.sum() == pytest.approx(given.cost, rel=1e-12)
    assert dict(zip(labels, placed.outbound_days[0].tolist(), strict=True)) == given.outbound


def test_pooled_demand_adds_variances_of_all_that_is_supplied() -> None:
    chains, labels = chains_of(EXAMPLE_6_5)
    own = np.array([[0.0, 3.0, 0.0, 4.0]])
    sd = pooled_sd(chains.arcs, own)[0]
    assert dict(zip(labels, sd.tolist(), strict=True)) == {1: 5.0, 2: 3.0, 3: 5.0, 4: 4.0}


def random_chains(seed: int, *, systems: int, stages: int, longest: int) -> Chains:
    """Systems on one random tree with random directions, times, limits and bounds."""
    rng = np.random.default_rng(seed)
    ends = [(int(rng.integers(stage)), stage) for stage in range(1, stages)]
    arcs = np.array([(a, b) if rng.random() < 0.5 else (b, a) for a, b in ends], np.int64)
    shape = (systems, stages)
    processing = rng.integers(0, longest + 1, shape)
    inbound = rng.integers(0, 2, shape)
    days = int(longest_replenishment(arcs.reshape(-1, 2), processing, inbound).max())
    steps = rng.integers(0, 4, (*shape, days + 1)) * rng.random((*shape, days + 1))
    steps[:, :, 0] = 0.0
    return Chains(
        arcs=arcs.reshape(-1, 2),
        processing_days=processing,
        inbound_days=inbound,
        most_outbound_days=np.where(rng.random(shape) < 0.5, rng.integers(0, 3, shape), NO_LIMIT),
        holding_cost=rng.random(shape) * 5,
        excess=np.cumsum(steps, axis=2),
    )


def by_trying_all(chains: Chains, system: int) -> float:
    """The least cost over every promise: each stage waits for the slowest of its suppliers."""
    stages, days = chains.processing_days.shape[1], chains.excess.shape[2]
    processing, most = chains.processing_days[system], chains.most_outbound_days[system]
    least = np.inf
    for promises in product(range(days), repeat=stages):
        inbound = chains.inbound_days[system].copy()
        for supplier, customer in chains.arcs.tolist():
            inbound[customer] = max(inbound[customer], promises[supplier])
        net = inbound + processing - np.array(promises)
        if (net >= 0).all() and (np.array(promises) <= most).all():
            held = chains.excess[system, np.arange(stages), net]
            least = min(least, float(chains.holding_cost[system] @ held))
    return least


@given(seed=st.integers(0, 10_000), stages=st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_nothing_is_cheaper_than_what_the_programme_finds(seed: int, stages: int) -> None:
    chains = random_chains(seed, systems=2, stages=stages, longest=2)
    found = place_safety_stock(chains).cost.sum(axis=1)
    wanted = [by_trying_all(chains, system) for system in range(2)]
    assert found == pytest.approx(wanted, abs=1e-9)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_promises_keep_every_limit(seed: int) -> None:
    chains = random_chains(seed, systems=3, stages=6, longest=4)
    placed = place_safety_stock(chains)
    suppliers, customers = chains.arcs.T
    assert (placed.inbound_days[:, customers] >= placed.outbound_days[:, suppliers]).all()
    assert (placed.inbound_days >= chains.inbound_days).all()
    assert (placed.outbound_days <= chains.most_outbound_days).all()
    assert (placed.outbound_days >= 0).all()
    net = placed.inbound_days + chains.processing_days - placed.outbound_days
    assert (placed.net_days == net).all()
    assert (net >= 0).all()


def test_many_systems_in_pieces_are_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    chains = random_chains(7, systems=9, stages=5, longest=3)
    whole = place_safety_stock(chains)
    monkeypatch.setattr("sanhe.models.inventory.guaranteed_service._PIECE_CELLS", 1)
    alone = place_safety_stock(chains)
    for name in ("inbound_days", "outbound_days", "safety_stock", "cost"):
        assert (getattr(whole, name) == getattr(alone, name)).all()


def two_levels(dc_cost: float) -> Chains:
    """A warehouse 7 days from its supplier before four stores one day away; sales wait 0 days."""
    arcs = np.array([(0, store) for store in range(1, 5)], np.int64)
    sd = pooled_sd(arcs, np.array([[0.0, 10.0, 10.0, 10.0, 10.0]]))
    shape = (1, 5)
    return Chains(
        arcs=arcs,
        processing_days=np.array([[7, 1, 1, 1, 1]]),
        inbound_days=np.zeros(shape, np.int64),
        most_outbound_days=np.array([[NO_LIMIT, 0, 0, 0, 0]]),
        holding_cost=np.array([[dc_cost, 1.0, 1.0, 1.0, 1.0]]),
        excess=normal_excess(sd, factor=2.0, days=8),
    )


def test_a_warehouse_pools_what_stores_would_each_hold() -> None:
    """By hand: held centrally 2·20·√7 + 4·2·10·√1 = 185.8, in the stores 4·2·10·√8 = 226.3."""
    central = place_safety_stock(two_levels(dc_cost=1.0))
    assert central.outbound_days[0, 0] == 0
    assert central.cost.sum() == pytest.approx(40 * np.sqrt(7) + 80)
    # At 1.4 times the stores' holding cost 148.2 + 80 is dearer than 226.3.
    local = place_safety_stock(two_levels(dc_cost=1.4))
    assert local.outbound_days[0, 0] == 7
    assert local.cost.sum() == pytest.approx(80 * np.sqrt(8))
    assert local.safety_stock[0, 0] == 0


def test_what_is_no_tree_or_does_not_fit_is_refused() -> None:
    chains = two_levels(dc_cost=1.0)
    with pytest.raises(ValueError, match="arcs of shape"):
        replace(chains, arcs=chains.arcs[:-1])
    with pytest.raises(ValueError, match="without a circle"):
        replace(chains, arcs=np.array([(0, 1), (1, 2), (2, 0), (3, 4)], np.int64))
    with pytest.raises(ValueError, match="must name stages"):
        replace(chains, arcs=np.array([(0, 1), (0, 2), (0, 3), (0, 5)], np.int64))
    with pytest.raises(ValueError, match="processing_days must not be below 0"):
        replace(chains, processing_days=-chains.processing_days)
    with pytest.raises(ValueError, match="excess covers 7 days, 8 are needed"):
        place_safety_stock(replace(chains, excess=chains.excess[:, :, :8]))


def test_two_stages_in_closed_form_are_the_same() -> None:
    """Random stars of one source and its customers, by both ways."""
    rng = np.random.default_rng(4)
    for _ in range(200):
        customers = int(rng.integers(1, 9))
        source_days = int(rng.integers(0, 20))
        days = rng.integers(0, 6, customers)
        sd, cost = rng.gamma(1.0, 4.0, customers), rng.uniform(0.5, 2.0, customers + 1)
        best = best_promise(
            np.array([float(source_days)]),
            cost[:1],
            group=np.zeros(customers, np.int64),
            customer_days=days.astype(float),
            customer_sd=sd,
            customer_cost=cost[1:],
        )
        arcs = np.array([(0, at) for at in range(1, customers + 1)])
        processing = np.array([[source_days, *days]])
        nothing = np.zeros_like(processing)
        limits = nothing.copy()
        limits[0, 0] = NO_LIMIT
        own = np.array([[0.0, *sd]])
        placed = place_safety_stock(
            Chains(
                arcs=arcs,
                processing_days=processing,
                inbound_days=nothing,
                most_outbound_days=limits,
                holding_cost=cost[None, :],
                excess=normal_excess(pooled_sd(arcs, own), factor=2.0, days=30),
            )
        )
        waits = days + best[0]
        ours = cost[0] * np.sqrt((sd**2).sum() * (source_days - best[0]))
        ours += (cost[1:] * sd * np.sqrt(waits)).sum()
        assert placed.cost.sum() == pytest.approx(2.0 * ours)
