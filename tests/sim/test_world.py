"""Worlds: the same seed makes the same one, and no policy changes what it meets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sanhe.core.errors import BadInput
from sanhe.sim import DaysOfCover, OrderUpTo, VelocityClass, World, WorldSettings, run, tiny_world
from tests.sim.worlds import tiny


def test_the_same_seed_makes_the_same_world() -> None:
    assert World(tiny_world(3)).digest() == World(tiny_world(3)).digest()


def test_another_seed_or_setting_makes_another_world() -> None:
    digests = {
        World(settings).digest()
        for settings in (
            tiny_world(3),
            tiny_world(4),
            replace(tiny_world(3), late_share=0.5),
            replace(tiny_world(3), stores=4),
        )
    }
    assert len(digests) == 4


def test_no_policy_changes_the_world() -> None:
    world = World(tiny_world(5))
    before = world.digest()
    generous = OrderUpTo(np.full(len(world.lines), 500, dtype=np.int64))
    first = run(world, DaysOfCover(), days=70)
    second = run(world, generous, days=70)
    assert world.digest() == before
    assert (first.sales != second.sales).any(), "the control: policies do differ"
    assert (first.sales <= world.truth.demand[:70]).all()
    assert (second.sales <= world.truth.demand[:70]).all()


def test_suppliers_treat_the_same_order_alike_whoever_orders() -> None:
    world = World(tiny_world(5))
    low = run(world, OrderUpTo(np.full(len(world.lines), 40, dtype=np.int64)), days=70).orders
    high = run(world, OrderUpTo(np.full(len(world.lines), 80, dtype=np.int64)), days=70).orders
    delay = {
        (line, day): late
        for line, day, late in zip(low.line, low.ordered, low.arrives - low.due, strict=True)
    }
    shared = 0
    for line, day, late in zip(high.line, high.ordered, high.arrives - high.due, strict=True):
        if (line, day) in delay:
            shared += 1
            assert delay[line, day] == late
    assert shared > 20


def test_concerns_draw_from_streams_of_their_own() -> None:
    plain, promoted = tiny_world(6), replace(tiny_world(6), promotions_per_week=6.0)
    one, other = World(plain), World(promoted)
    assert len(one.promotions) != len(other.promotions)
    assert one.items == other.items
    assert (one.weather.temperature == other.weather.temperature).all()
    assert (one.supply.delay_days == other.supply.delay_days).all()


def test_demand_has_the_spread_of_its_class() -> None:
    classes = tuple(VelocityClass(0.25, (4.0, 4.0), k, (1,)) for k in (8.0, 4.0, 2.0, 1.0))
    settings = WorldSettings(
        seed=2,
        stores=20,
        skus=80,
        warehouses=0,
        history_days=120,
        classes=classes,
        promotions_per_week=0,
    )
    world = World(settings)
    mean, demand = world.truth.mean.astype(np.float64), world.truth.demand
    for kind, wanted in enumerate(classes):
        inside = (world.lines.velocity == kind) & (world.lines.listed_from == 0)
        excess = ((demand - mean) ** 2 - mean)[:, inside].sum()
        k = (mean[:, inside] ** 2).sum() / excess
        assert k == pytest.approx(wanted.dispersion, rel=0.12)
        assert demand[:, inside].sum() == pytest.approx(mean[:, inside].sum(), rel=0.02)


def test_promotions_and_weekends_move_the_mean() -> None:
    world = World(WorldSettings(seed=4, stores=4, skus=60, history_days=120, shocks=0.0))
    running = world.offers.discount < 0.85
    before = np.zeros_like(running)
    before[:-14] = running[14:]
    assert world.truth.mean[running].mean() > 1.2 * world.truth.mean[before & ~running].mean()
    weekend = world.calendar.feels >= 5
    stores = world.lines.place > 0
    mean = world.truth.mean[:, stores].sum(axis=1)
    assert mean[weekend].mean() > 1.1 * mean[~weekend].mean()


def test_days_and_lines_are_looked_up() -> None:
    world = tiny()
    assert world.index(world.day(17)) == 17
    line = world.line_numbers([world.sku_ids[5]], [world.place_ids[5]])
    assert list(line) == [5]
    with pytest.raises(BadInput, match="not sold"):
        world.line_numbers(["SKU-9999"], ["ST-001"])
    with pytest.raises(BadInput, match="outside"):
        world.index(world.day(world.settings.days))
