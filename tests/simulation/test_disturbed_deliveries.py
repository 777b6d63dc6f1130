"""Shuffled, repeated, late and revised deliveries end in the same state as those in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.facts import MemoryFacts
from sanhe.core.storage import Database
from sanhe.sim import (
    DaysOfCover,
    World,
    disturbed,
    forged,
    late,
    run,
    tiny_world,
    with_revisions,
)
from tests.sim.worlds import TYPES, tiny, tiny_history
from tests.simulation.shop import Installation


def told_in_order() -> list[pa.Table]:
    """The tiny world's deliveries, a tenth of the quantities corrected later."""
    batches = list(tiny().facts(tiny_history(), counted_days=5, orders_days=30).values())
    return with_revisions(batches, seed=1)


def digest_of(batches: Sequence[pa.Table], clock: FixedClock) -> str:
    facts = MemoryFacts(TYPES, clock=clock)
    for number, batch in enumerate(batches):
        done = facts.append(facts.open_batch(source="sim", name=str(number)), batch)
        assert not done.contradicting
    return facts.digest()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_canonical_state_does_not_depend_on_the_order(seed: int, clock: FixedClock) -> None:
    batches = told_in_order()
    wanted = digest_of(batches, clock)
    assert digest_of(disturbed(batches, seed=seed), clock) == wanted
    assert digest_of(late(batches, seed=seed), clock) == wanted
    assert digest_of(disturbed(late(batches, seed=seed), seed=seed + 1), clock) == wanted
    assert digest_of([*batches, *batches], clock) == wanted


def test_a_changed_quantity_is_seen(clock: FixedClock) -> None:
    batches = told_in_order()
    assert digest_of(forged(batches, seed=3), clock) != digest_of(batches, clock)


def test_corrections_win() -> None:
    plain = list(tiny().facts(tiny_history()).values())
    revised = with_revisions(plain, seed=5)
    facts = {(row["external_id"], row["revision"]): row for b in revised for row in b.to_pylist()}
    corrected = [key for key in facts if (key[0], key[1] + 1) in facts]
    truth = {row["external_id"]: row["quantity"] for batch in plain for row in batch.to_pylist()}
    assert len(corrected) > 100
    for name, revision in corrected:
        assert facts[name, revision + 1]["quantity"] == truth[name]
        assert facts[name, revision]["quantity"] != truth[name]


def ended_in(
    make: Callable[[], Database], clock: FixedClock, batches: Sequence[pa.Table]
) -> tuple[str, dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """The state after these deliveries: facts, stock and open orders of a fresh database."""
    shop = Installation(make(), clock)
    for number, batch in enumerate(batches):
        if batch.num_rows:
            shop.record(str(number), batch)
    return shop.digest(), shop.on_hand(), shop.on_order(clock.now().date())


def test_stock_and_orders_on_the_database_end_alike(
    new_database: Callable[[], Database], clock: FixedClock
) -> None:
    world = World(tiny_world(4, history_days=21))
    history = run(world, DaysOfCover(), days=21)
    batches = with_revisions(list(world.facts(history, counted_days=8).values()), seed=2)
    wanted = ended_in(new_database, clock, batches)
    mixed = disturbed(late(batches, seed=5), seed=6, batch_rows=700)
    assert ended_in(new_database, clock, mixed) == wanted
    assert wanted[1] == {
        key: int(history.closing[-1, line])
        for line, key in enumerate(zip(world.sku_ids, world.place_ids, strict=True))
    }
    forgery = ended_in(new_database, clock, forged(batches, seed=7))
    assert forgery != wanted, "the control: another quantity ends in another state"
