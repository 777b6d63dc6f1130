"""What is wrong with promotions is said when they are saved, with the place and the remedy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sanhe.core.errors import BadInput
from sanhe.people.promotions import (
    USUAL,
    Bundle,
    BuyGet,
    FixedPrice,
    FreePostage,
    Gift,
    Goods,
    Off,
    Part,
    Percent,
    Promotion,
    Step,
    check,
    flaws,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BEGIN, END = NOW - timedelta(days=30), NOW + timedelta(days=30)


def promotion(code: str = "p", **changes: Any) -> Promotion:
    plain = Promotion(code, code, Percent(1_000), "item", BEGIN, END)
    return replace(plain, **changes)


def said(*promotions: Promotion, new: tuple[str, ...] = ()) -> list[str]:
    """Where there are flaws, as id/place."""
    return [f"{one.promotion}/{one.place}" for one in flaws(promotions, USUAL, now=NOW, new=new)]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": " "}, "name"),
        ({"stage": "somewhere"}, "stage"),
        ({"ends_at": BEGIN}, "ends_at"),
        ({"begins_at": datetime(2026, 1, 1)}, "begins_at"),
        ({"budget_cents": 0}, "budget_cents"),
        ({"cap_cents": 0}, "cap_cents"),
        ({"per_member": 0}, "per_member"),
        ({"newcomers": True, "per_member": 2}, "per_member"),
        ({"minimum_cents": -1}, "minimum_cents"),
        ({"minimum_pieces": -1}, "minimum_pieces"),
        ({"weekdays": frozenset({0})}, "weekdays"),
        ({"month_days": frozenset({32})}, "month_days"),
        ({"offer": Percent(0)}, "offer/rate"),
        ({"offer": Percent(10_001)}, "offer/rate"),
        ({"offer": Off(())}, "offer/steps"),
        ({"offer": Off((Step(100, 101),))}, "offer/steps/0"),
        ({"offer": Off((Step(100, 10), Step(100, 20)))}, "offer/steps/1"),
        ({"offer": Off((Step(100, 10),), times=0)}, "offer/times"),
        ({"offer": FixedPrice(0)}, "offer/pieces"),
        ({"offer": FixedPrice(-1)}, "offer/price_cents"),
        ({"offer": BuyGet(0, 1)}, "offer/buy"),
        ({"offer": BuyGet(1, 0)}, "offer/get"),
        ({"offer": BuyGet(1, 1, 20_000)}, "offer/rate"),
        ({"offer": Bundle((Part(Goods(), 1),), 100)}, "offer/parts"),
        ({"offer": Bundle((Part(Goods(), 0), Part(Goods(), 2)), 1)}, "offer/parts/0/pieces"),
        ({"offer": Gift("", 1)}, "offer/sku"),
        ({"offer": Gift("A", 0)}, "offer/units"),
        ({"offer": FreePostage(0)}, "offer/most_cents"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_flaw_has_its_place(changes: dict[str, Any], place: str) -> None:
    assert said(promotion(**changes)) == [f"p/{place}"]
    with pytest.raises(BadInput, match=f"promotions/p/{place}"):
        check([promotion(**changes)], USUAL, now=NOW)


def test_a_sound_one_has_none() -> None:
    assert said(promotion(), new=("p",)) == []


def test_a_new_one_is_not_over_but_an_old_one_may_be() -> None:
    over = promotion(ends_at=NOW)
    assert said(over) == []
    assert said(over, new=("p",)) == ["p/ends_at"]


def test_two_of_one_name() -> None:
    assert said(promotion(), promotion(priority=1)) == ["p/id"]


def test_a_group_stands_at_one_stage() -> None:
    one, other = promotion("a", group="g"), promotion("b", group="g", stage="basket")
    assert said(one, other) == ["b/group"]


def test_exclusions_lead_somewhere_and_never_in_a_circle() -> None:
    assert said(promotion(excludes=frozenset({"x"}))) == ["p/excludes"]
    circle = [
        promotion(name, excludes=frozenset({other}), priority=9 - at)
        for at, (name, other) in enumerate(["ab", "bc", "ca"])
    ]
    (found,) = flaws(circle, USUAL, now=NOW)
    assert "circle: " in found.what and found.what.count(">") == 3
    himself = promotion(excludes=frozenset({"p"}))
    assert said(himself) == ["p/excludes"]


def test_what_is_worked_out_before_cannot_be_excluded() -> None:
    early, late = promotion("a", stage="price"), promotion("b", excludes=frozenset({"a"}))
    assert said(early, late) == ["b/excludes"]
    assert (
        said(replace(early, excludes=frozenset({"b"})), replace(late, excludes=frozenset())) == []
    )


def test_overlapping_ones_say_which_counts() -> None:
    food = Goods(categories=frozenset({"Food"}))
    milk = Goods(categories=frozenset({"Food/Dairy/Milk"}))
    care = Goods(categories=frozenset({"Care"}))
    one, other = promotion("a", goods=food), promotion("b", goods=milk)
    assert said(one, other) == ["b/priority"]
    assert said(one, replace(other, goods=care)) == []
    assert said(one, replace(other, priority=1)) == []
    assert said(replace(one, group="g"), replace(other, group="g")) == []
    assert said(replace(one, excludes=frozenset({"b"})), other) == []
    assert said(one, replace(other, begins_at=END, ends_at=END + timedelta(days=1))) == []
    assert said(replace(one, channels=frozenset({"app"})), other) == ["b/priority"]
    both = {"channels": frozenset({"till"})}
    assert said(replace(one, channels=frozenset({"app"})), replace(other, **both)) == []
    assert said(replace(one, offer=Gift("A", 1)), other) == []
