"""Transfers before purchase: what one place does not need covers what another one needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import MemoryDecisions, Status
from sanhe.core.errors import BadInput
from sanhe.goods.replenish import (
    DECISION_KIND,
    TRANSFER,
    TRANSFER_KIND,
    Assumptions,
    Known,
    Moving,
    Plan,
    Policy,
    Replenish,
)
from tests.goods.replenish.doubles import FlatForecast, MemoryOrders, flat_forecast

TODAY = date(2025, 9, 25)
MOVING = Policy(moving=Moving(cents_per_line=200.0))
"""Two yuan for a line moved, places of one parent, one day on the way."""
PARENTS = {"S1": "DC1", "S2": "DC1", "S3": "DC1", "N1": "DC2"}


@dataclass
class Retailer:
    """A retailer of a few shops, planned in memory."""

    forecast: FlatForecast
    known: Known
    replenish: Replenish

    def plan(self, **changed: object) -> Plan:
        return self.replenish.propose(self.forecast, replace(self.known, **changed))  # type: ignore[arg-type]

    def quantities(self, kind: str) -> dict[tuple[str, str], int]:
        """What is open, by SKU and place."""
        found = self.replenish.decisions.find(kind=kind, statuses=[Status.PROPOSED], limit=1000)
        return {
            (one.proposal.subject.sku or "", one.proposal.subject.place or ""): one.value
            for one in found
        }

    def terms(self, sku: str, place: str) -> Mapping[str, int]:
        told = self.replenish.explain_line(self.forecast, self.known, sku=sku, place=place)
        return {term.name: term.value for term in told.terms if term.value}


def known_of(
    stock: Mapping[tuple[str, str], int],
    *,
    lots: Sequence[tuple[str, str, str, int]] = (),
    lead: int = 3,
    case: int = 1,
    cost: int = 300,
    life: int | None = None,
) -> Known:
    """What is known of these positions; each lot as (sku, place, last day of sale, quantity)."""
    skus = sorted({sku for sku, _ in stock})
    n = len(skus)
    return Known(
        items=pa.table(
            {
                "sku": skus,
                "name": ["tea"] * n,
                "base_unit": ["each"] * n,
                "case_size": pa.nulls(n, pa.int64()),
                "shelf_life_days": pa.array([life] * n, pa.int64()),
            }
        ),
        positions=pa.table(
            {
                "sku": [sku for sku, _ in stock],
                "place": [place for _, place in stock],
                "net": list(stock.values()),
                "reserved": [0] * len(stock),
                "known_since": ["2025-01-01"] * len(stock),
            }
        ),
        lots=pa.table(
            {
                "sku": pa.array([lot[0] for lot in lots], pa.string()),
                "place": pa.array([lot[1] for lot in lots], pa.string()),
                "expires": pa.array([date.fromisoformat(lot[2]) for lot in lots], pa.date32()),
                "quantity": pa.array([lot[3] for lot in lots], pa.int64()),
            }
        ),
        terms=pa.table(
            {
                "sku": skus,
                "place": pa.nulls(n, pa.string()),
                "supplier": ["V1"] * n,
                "unit_cost_cents": [float(cost)] * n,
                "lead_time_days": [lead] * n,
                "moq": [1] * n,
                "case_size": [case] * n,
                "priority": [1] * n,
            }
        ),
        places=pa.table(
            {
                "id": list(PARENTS),
                "kind": ["store"] * len(PARENTS),
                "parent": list(PARENTS.values()),
                "region": ["east"] * len(PARENTS),
            }
        ),
    )


def retailer(
    lines: Mapping[tuple[str, str], tuple[float, int]], policy: Policy = MOVING, **given: object
) -> Retailer:
    """A retailer whose lines sell so much a day and have so much on hand."""
    decisions = MemoryDecisions(FixedClock(datetime(2025, 9, 25, 1, tzinfo=UTC)))
    for kind in (DECISION_KIND, TRANSFER_KIND):
        decisions.register(kind)
    certain = replace(Assumptions.load(), lead_time_sd_days=0.0)
    forecast = flat_forecast([(*key, daily) for key, (daily, _) in lines.items()], as_of=TODAY)
    known = known_of({key: net for key, (_, net) in lines.items()}, **given)  # type: ignore[arg-type]
    return Retailer(
        forecast,
        known,
        Replenish(decisions, decisions.clock, policy=policy, assumptions=certain),
    )


SURPLUS = {("A", "S1"): (2.0, 0), ("A", "S2"): (0.0, 40)}
"""S1 sells two a day and has none; S2 has forty that nobody buys there."""


def test_surplus_elsewhere_comes_before_a_purchase() -> None:
    shops = retailer(SURPLUS)
    plan = shops.plan()
    assert len(plan.transfers) == 1 and plan.proposed == 0
    decision = shops.replenish.decisions.get(plan.transfers[0])
    assert decision.proposal.inputs["from_place"] == "S2"
    assert decision.proposal.terms == (decision.value, 0, 0)
    assert decision.proposal.reason.startswith(f"Move {decision.value} from S2, which does not")
    terms = shops.terms("A", "S1")
    assert terms["transferred_in"] == -decision.value
    assert sum(terms.values()) == 0
    giver = shops.terms("A", "S2")
    assert giver["leaving"] == decision.value
    assert sum(giver.values()) == 0


def test_without_a_cost_nothing_moves() -> None:
    shops = retailer(SURPLUS, Policy())
    plan = shops.plan()
    assert plan.transfers == () and plan.proposed == 1


def test_places_of_another_parent_help_only_by_policy() -> None:
    lines = {("A", "S1"): (2.0, 0), ("A", "N1"): (0.0, 40)}
    assert retailer(lines).plan().transfers == ()
    near = replace(MOVING, moving=replace(MOVING.moving, within="region"))
    assert len(retailer(lines, near).plan().transfers) == 1
    listed = replace(MOVING, moving=replace(MOVING.moving, groups={"pair": ("S1", "N1")}))
    assert len(retailer(lines, listed).plan().transfers) == 1


def test_lots_move_before_they_expire() -> None:
    lines = {("A", "S1"): (4.0, 0), ("A", "S2"): (1.0, 20)}
    lots = [("A", "S2", "2025-09-28", 12), ("A", "S2", "2025-10-01", 8)]
    shops = retailer(lines, lots=lots, life=10)
    plan = shops.plan()
    (number,) = plan.transfers
    told = shops.replenish.decisions.get(number).proposal
    # By 28 September 4 are sold there of 12; by 1 October 7 of 20, so 5 more are too many.
    assert told.inputs["lots"] == [
        {"expires": "2025-09-28", "quantity": 8},
        {"expires": "2025-10-01", "quantity": 5},
    ]
    assert told.value == 13
    assert "13 of it expires there unsold" in told.reason
    assert shops.terms("A", "S2").get("expiring", 0) == 0


def test_undated_stock_that_spoils_does_not_move() -> None:
    assert retailer(SURPLUS, life=10).plan().transfers == ()
    assert len(retailer(SURPLUS, life=1000).plan().transfers) == 1


def test_planning_twice_proposes_nothing_twice() -> None:
    lines = {**SURPLUS, ("A", "S3"): (3.0, 1)}
    shops = retailer(lines)
    first = shops.plan()
    before = (shops.quantities(TRANSFER), shops.quantities("replenish"))
    again = shops.plan()
    assert len(first.transfers) == 2
    assert again.transfers == () and again.proposed == 0
    assert (shops.quantities(TRANSFER), shops.quantities("replenish")) == before


def test_new_facts_replace_what_nobody_decided_on() -> None:
    shops = retailer(SURPLUS)
    (number,) = shops.plan().transfers
    less = known_of({("A", "S1"): 0, ("A", "S2"): 5})
    again = shops.replenish.propose(shops.forecast, less, replace=True)
    assert shops.replenish.decisions.get(number).status is Status.EXPIRED
    assert shops.quantities(TRANSFER) == {("A", "S1"): 5}
    assert again.proposed == 1 and again.replaced == 1


def test_unchanged_facts_replace_nothing() -> None:
    shops = retailer(SURPLUS)
    (number,) = shops.plan().transfers
    again = shops.replenish.propose(shops.forecast, shops.known, replace=True)
    assert again.replaced == 0 and again.transfers == ()
    assert shops.replenish.decisions.get(number).status is Status.PROPOSED


def test_a_rejected_transfer_becomes_a_purchase() -> None:
    shops = retailer(SURPLUS)
    (number,) = shops.plan().transfers
    shops.replenish.decisions.reject([number], reason="the van is broken")
    again = shops.plan()
    assert again.transfers == () and again.proposed == 1


def test_an_edited_transfer_counts_as_edited() -> None:
    shops = retailer(SURPLUS)
    (number,) = shops.plan().transfers
    shops.replenish.decisions.edit(number, 3, reason="no more fit into the bag")
    assert shops.terms("A", "S1")["transferred_in"] == -3
    assert shops.plan().proposed == 1


def test_an_approved_transfer_becomes_a_transfer_order_once() -> None:
    shops = retailer(SURPLUS)
    (number,) = shops.plan().transfers
    shops.replenish.decisions.approve([number])
    orders = MemoryOrders()
    assert len(shops.replenish.execute(orders, day=TODAY).orders) == 1
    assert shops.replenish.execute(orders, day=TODAY).orders == ()
    (order,) = orders.placed
    assert (order.supplier, order.place) == ("S2", "S1")
    assert shops.replenish.decisions.get(number).status is Status.EXECUTED


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_giver_falls_below_its_own_level(seed: int) -> None:
    """And nobody gives what it does not have, or takes more than it needs."""
    rng = np.random.default_rng(seed)
    lines = {
        (sku, place): (float(rng.choice([0.0, 0.2, 1.0, 4.0])), int(rng.integers(0, 60)))
        for sku in "ABC"
        for place in PARENTS
    }
    dated = bool(rng.random() < 0.5)
    lots = [
        (sku, place, f"2025-{rng.choice(['09-26', '09-29', '10-03', '10-15'])}", net // 2)
        for (sku, place), (_, net) in lines.items()
        if dated and net > 1
    ]
    policy = replace(MOVING, moving=Moving(0.0, full_cases=bool(rng.random() < 0.5)))
    case = int(rng.choice([1, 6]))
    shops = retailer(lines, policy, lots=lots, case=case)
    plan = shops.plan()
    again = shops.plan()
    assert again.transfers == () and again.proposed == 0
    given_away: dict[tuple[str, str], int] = {}
    for number in plan.transfers:
        proposal = shops.replenish.decisions.get(number).proposal
        assert sum(proposal.terms) == proposal.value > 0
        key = (proposal.subject.sku or "", str(proposal.inputs["from_place"]))
        given_away[key] = given_away.get(key, 0) + proposal.value
        assert proposal.value <= proposal.terms[0]
        assert PARENTS[key[1]] == PARENTS[proposal.subject.place or ""]
    takers = set(shops.quantities(TRANSFER))
    assert takers.isdisjoint(given_away)
    alone = retailer(lines, Policy(), lots=lots, case=case)
    before = {key: alone.terms(*key) for key in given_away}
    for key, quantity in given_away.items():
        assert quantity <= lines[key][1]
        after = shops.terms(*key)
        assert after["leaving"] == quantity
        # What it needs after giving is what it needed before, or still nothing.
        assert sum(after.values()) <= max(sum(before[key].values()), 0)


@pytest.mark.parametrize(
    ("settings_of", "match"),
    [
        ({"cents_per_line": -1.0}, "costs"),
        ({"within": "city"}, "within"),
        ({"groups": {"a": ("S1",), "b": ("S1",)}}, "several groups"),
        ({"beyond_days": 0}, "beyond"),
    ],
)
def test_a_policy_that_can_not_be_is_refused(settings_of: dict[str, object], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        Moving(**settings_of)  # type: ignore[arg-type]
