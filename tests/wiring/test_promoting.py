"""Promotions weighed on receipts, proposed, approved, published; what fails on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sanhe.core.decisions import Status
from sanhe.core.errors import BadInput, Conflict, Denied, NotFound
from sanhe.core.facts import Fact, facts_table
from sanhe.core.storage import EmbeddedServer
from sanhe.people.promotions import Gift, Goods, Percent, Promotion
from sanhe.wiring import (
    Sanhe,
    approve,
    approve_promotion,
    propose_promotion,
    record_facts,
    run_jobs,
    save_promotion,
    simulate_promotion,
    withdraw_promotion,
)
from tests.wiring.installation import MORNING, installed, opened

BEGIN, END = MORNING - timedelta(days=1), MORNING + timedelta(days=30)
TEA = Promotion(
    "tea", "a tenth off tea", Percent(1_000), "item", BEGIN, END, Goods(frozenset({"TEA"}))
)


@pytest.fixture
def sanhe(server: EmbeddedServer, tmp_path: Path) -> Iterator[Sanhe]:
    """Receipts of ten days: TEA on each, bought for 40.00 and sold for 60.00."""
    first = datetime(2025, 9, 1, tzinfo=UTC)
    facts = [
        Fact(
            "item.described", "pos", f"item {sku}", first, date(2025, 9, 1), sku,
            payload={"name": sku, "category": "Food/Drinks"},
        )
        for sku in ("TEA", "CUP")
    ]  # fmt: skip
    for day in range(10, 20):
        moment, on = datetime(2025, 9, day, 4, tzinfo=UTC), date(2025, 9, day)
        for sku in ("TEA", "CUP"):
            facts.append(
                Fact(
                    "sale.line", "pos", f"{sku}{day}", moment, on, sku, "S1", None, 1, 6_000,
                    "CNY", {"receipt": f"r{day}"},
                )
            )  # fmt: skip
    with installed(server, tmp_path) as settings, opened(settings) as found:
        record_facts(found, {"receipts": facts_table(facts)}, source="pos", actor="importer")
        yield found


def holding(sanhe: Sanhe) -> list[str]:
    with sanhe.work(actor="till") as work:
        return [one.id for one in work.promotions.book(at=MORNING).promotions]


def test_it_holds_once_what_it_would_have_done_is_approved(sanhe: Sanhe) -> None:
    assert save_promotion(sanhe, TEA, actor="growth").version == 1
    weighed = simulate_promotion(sanhe, "tea", actor="growth")
    assert weighed.decision is None
    assert (weighed.evidence.reached, weighed.evidence.discount_cents) == (10, 6_000)
    number = propose_promotion(sanhe, "tea", actor="growth").decision
    assert number is not None and holding(sanhe) == []
    with sanhe.work(actor="pricing") as work:
        proposed = work.decisions.get(number).proposal
    assert proposed.inputs["discount_cents"] == 6_000 and proposed.inputs["version"] == 1
    with pytest.raises(Conflict, match="is decided in a place of its own"):
        approve(sanhe, [number], reason="with the orders", actor="planner")
    approve_promotion(sanhe, "tea", number, reason="worth it", actor="pricing")
    assert holding(sanhe) == []
    run_jobs(sanhe)
    assert holding(sanhe) == ["tea"]
    with sanhe.work(actor="auditor") as work:
        decision = work.decisions.get(number)
        told = [event.action for event in work.audit.trail(limit=50)]
    assert decision.status is Status.EXECUTED and decision.actions == ("tea version 1",)
    assert told.count("promotion saved") == told.count("promotion published") == 1
    withdraw_promotion(sanhe, "tea", reason="over", actor="pricing")
    assert holding(sanhe) == []


def test_weighed_again_the_older_proposal_is_withdrawn(sanhe: Sanhe) -> None:
    save_promotion(sanhe, TEA, actor="growth")
    first = propose_promotion(sanhe, "tea", actor="growth").decision
    save_promotion(sanhe, replace(TEA, priority=1), actor="growth")
    second = propose_promotion(sanhe, "tea", actor="growth").decision
    assert first is not None and second is not None and first != second
    with pytest.raises(Conflict, match="is expired"):
        approve_promotion(sanhe, "tea", first, reason="", actor="pricing")
    approve_promotion(sanhe, "tea", second, reason="", actor="pricing")
    with pytest.raises(Conflict, match="is approved: it is carried out first"):
        propose_promotion(sanhe, "tea", actor="growth")
    run_jobs(sanhe)
    assert holding(sanhe) == ["tea"]


def test_what_does_not_fit_by_then_fails_by_name_and_the_others_go_on(sanhe: Sanhe) -> None:
    other = replace(TEA, id="other")
    cup = replace(TEA, id="cup", goods=Goods(frozenset({"CUP"})))
    numbers = []
    for one in (TEA, other, cup):
        save_promotion(sanhe, one, actor="growth")
        number = propose_promotion(sanhe, one.id, actor="growth").decision
        assert number is not None
        numbers.append(number)
    save_promotion(sanhe, replace(cup, priority=9), actor="growth")
    for one, number in zip(("tea", "other", "cup"), numbers, strict=True):
        approve_promotion(sanhe, one, number, reason="", actor="pricing")
    run_jobs(sanhe)
    with sanhe.work(actor="auditor") as work:
        found = [work.decisions.get(number) for number in numbers]
    assert [one.status for one in found][2] is Status.FAILED
    assert "weigh it again" in found[2].history[-1].reason
    assert sorted(one.status for one in found[:2]) == [Status.EXECUTED, Status.FAILED]
    assert any("overlaps" in one.history[-1].reason for one in found[:2])
    assert len(holding(sanhe)) == 1


def test_a_decision_on_another_promotion_is_none_to_publish_this(sanhe: Sanhe) -> None:
    save_promotion(sanhe, TEA, actor="growth")
    number = propose_promotion(sanhe, "tea", actor="growth").decision
    assert number is not None
    for name, decision in (("other", number), ("tea", number + 99)):
        with pytest.raises(NotFound, match="is none to publish"):
            approve_promotion(sanhe, name, decision, reason="", actor="pricing")


def test_without_evidence_there_is_nothing_to_decide(sanhe: Sanhe) -> None:
    save_promotion(sanhe, replace(TEA, minimum_cents=6_001), actor="growth")
    with pytest.raises(BadInput, match="none of 10 past baskets would have had it"):
        propose_promotion(sanhe, "tea", actor="growth")


@pytest.mark.parametrize(
    ("terms", "place"),
    [
        ({"goods": Goods(skus=frozenset({"TEA", "TAE"}))}, "goods/skus"),
        ({"goods": Goods(categories=frozenset({"Food", "Fod/Drinks"}))}, "goods/categories"),
        ({"goods": Goods(brands=frozenset({"Acme"}))}, "goods/brands"),
        ({"goods": Goods(without_skus=frozenset({"TAE"}))}, "goods/without_skus"),
        ({"places": frozenset({"S9"})}, "places"),
        ({"tiers": frozenset({"golden"})}, "tiers"),
        ({"offer": Gift("TAE", 1), "stage": "postage"}, "offer/sku"),
    ],
)
def test_what_nobody_knows_is_refused_by_its_field(
    sanhe: Sanhe, terms: dict[str, Any], place: str
) -> None:
    with pytest.raises(BadInput, match="nobody knows") as refused:
        save_promotion(sanhe, replace(TEA, **terms), actor="growth")
    assert refused.value.place == f"promotions/tea/{place}"
    known = Goods(frozenset({"TEA"}), categories=frozenset({"Food", "Food/Drinks"}))
    save_promotion(sanhe, replace(TEA, goods=known, tiers=frozenset({"gold"})), actor="growth")


def test_an_overlap_is_told_of_the_one_that_is_saved(sanhe: Sanhe) -> None:
    save_promotion(sanhe, TEA, actor="growth")
    number = propose_promotion(sanhe, "tea", actor="growth").decision
    assert number is not None
    approve_promotion(sanhe, "tea", number, reason="", actor="pricing")
    run_jobs(sanhe)
    with pytest.raises(BadInput, match="overlaps with tea") as refused:
        save_promotion(sanhe, replace(TEA, id="a new one"), actor="growth")
    assert refused.value.place == "promotions/a new one/priority"


def test_who_saved_it_does_not_approve_it_where_somebody_else_can(sanhe: Sanhe) -> None:
    save_promotion(sanhe, TEA, actor="pricing")
    number = propose_promotion(sanhe, "tea", actor="growth").decision
    assert number is not None
    with sanhe.work(actor="admin") as work:
        work.access.add("pricing", "four unlike words here", roles=["admin"], language="en")
        work.access.add("boss", "four unlike words here", roles=["pricing"], language="en")
    with pytest.raises(Denied, match="somebody else approves it"):
        approve_promotion(sanhe, "tea", number, reason="mine", actor="pricing")
    assert not run_jobs(sanhe) and holding(sanhe) == []
    with sanhe.work(actor="admin") as work:
        work.access.change("boss", roles=["planner"])
    approve_promotion(sanhe, "tea", number, reason="nobody else may", actor="pricing")
    run_jobs(sanhe)
    assert holding(sanhe) == ["tea"]
