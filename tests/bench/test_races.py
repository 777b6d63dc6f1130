"""The races in small: every operation is fought over, and the control shows that it is a fight."""

from __future__ import annotations

from random import Random

from bench.race_members import unguarded_wrong
from bench.race_naive import naive_oversold
from bench.race_world import opened_world
from bench.races import RACES, run
from sanhe.core.settings import Settings

SMALL = 140
"""Attempts for each operation."""
SLOW = {"code": 60, "fetch": 60}
"""Fewer, as to keep a code's hash costs 50 ms by intention."""


def test_every_race_ends_exactly(database_settings: Settings) -> None:
    with opened_world(database_settings) as world:
        for endpoint, race in RACES.items():
            attempts = SLOW.get(endpoint, SMALL)
            figures = run(world, race, attempts)
            assert figures.violations == [], endpoint
            assert figures.accepted and figures.attempts >= attempts, endpoint


def test_coupons_are_spent_twice_without_the_ledgers_floor(database_settings: Settings) -> None:
    with opened_world(database_settings) as world:
        assert any("coupon" in wrong for wrong in unguarded_wrong(world, Random(3), 400))


def test_the_naive_shop_oversells(database_settings: Settings) -> None:
    assert naive_oversold(database_settings, 400) > 0
