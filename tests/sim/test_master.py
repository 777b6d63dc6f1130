"""Master data of a simulated retailer."""

from __future__ import annotations

import re

import pytest

from sanhe.core.errors import BadInput
from sanhe.sim import VELOCITIES, World, WorldSettings, demo_world
from sanhe.sim.master import categories, check_digit, gtin_13


@pytest.mark.parametrize(
    ("digits", "check"),
    # The worked example of GS1 General Specifications 7.9, and two common test numbers.
    [("629104150021", 3), ("400638133393", 1), ("7351353", 7)],
)
def test_check_digits(digits: str, check: int) -> None:
    assert check_digit(digits) == check


def test_gtins_are_of_restricted_circulation_and_right() -> None:
    numbers = {gtin_13(number) for number in range(1, 500)}
    assert len(numbers) == 499
    for gtin in numbers:
        assert re.fullmatch(r"20\d{11}", gtin)
        assert check_digit(gtin[:12]) == int(gtin[12])


def test_a_large_assortment_has_names_and_codes_of_its_own() -> None:
    world = World(WorldSettings(stores=2, skus=900, suppliers=20, history_days=30, future_days=0))
    assert len({item.name for item in world.items}) == 900
    assert len({item.gtin for item in world.items}) == 900
    assert len({item.id for item in world.items}) == 900


def test_terms_make_sense() -> None:
    world = World(demo_world())
    for item in world.items:
        assert 0 < item.unit_cost_cents < item.price_cents
        assert item.moq >= item.case_size >= 1 and item.moq % item.case_size == 0
        assert item.variant_of is None or item.variant_of < item.id
    for supplier in world.suppliers:
        assert supplier.lead_time_days >= 1
        assert set(supplier.order_weekdays) <= set(range(1, 8)) and supplier.order_weekdays
    shares = [sum(item.velocity == kind for item in world.items) for kind in range(4)]
    assert all(count > 0 for count in shares), dict(zip(VELOCITIES, shares, strict=True))


def test_perishable_goods_are_rarely_slow() -> None:
    world = World(WorldSettings(skus=360, stores=1, suppliers=8, history_days=30))
    fresh = [item.velocity for item in world.items if categories()[item.category].perishable]
    rest = [item.velocity for item in world.items if not categories()[item.category].perishable]
    assert sum(fresh) / len(fresh) < sum(rest) / len(rest) - 0.3


def test_the_demo_ends_before_a_holiday_with_promotions_ahead() -> None:
    world = World(demo_world())
    end = world.settings.history_days
    assert str(world.settings.as_of) == "2025-09-25"
    assert world.calendar.off[end : end + 7].any()
    assert any(
        promotion.published < end and end <= promotion.first < end + 7
        for promotion in world.promotions
    )
    assert (world.lines.listed_from > end - 91).any(), "new items"


@pytest.mark.parametrize(
    "wrong", [{"stores": 0}, {"skus": 0}, {"future_days": -1}, {"lead_time_days": (3, 2)}]
)
def test_impossible_worlds_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        WorldSettings(**wrong)  # type: ignore[arg-type]
