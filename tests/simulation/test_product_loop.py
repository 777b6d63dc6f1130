"""The product runs a simulated retailer for days: every order of it arrives, and books agree."""

from __future__ import annotations

import pyarrow.compute as pc

from sanhe.core.settings import Settings
from sanhe.models.forecast import FAST
from sanhe.sim import DaysOfCover, Installation, LiveWorld, World, conserved, run, tiny_world
from sanhe.wiring import Sanhe, record_facts

HISTORY_DAYS, LIVE_DAYS = 35, 4
SOURCE = "simulated retailer"


def on_hand(sanhe: Sanhe) -> dict[tuple[str, str], int]:
    with sanhe.work(actor="test") as work:
        rows = work.stock.positions().to_pylist()
    return {(row["sku"], row["place"]): row["net"] for row in rows}


def on_order(sanhe: Sanhe, live: LiveWorld) -> dict[tuple[str, str], int]:
    with sanhe.work(actor="test") as work:
        table = work.suppliers.on_order(live.today)
    total: dict[tuple[str, str], int] = {}
    for row in table.to_pylist():
        key = (row["sku"], row["place"])
        total[key] = total.get(key, 0) + row["quantity"]
    return total


def test_the_product_keeps_a_retailer_going(database_settings: Settings) -> None:
    world = World(tiny_world(8, history_days=HISTORY_DAYS))
    history = run(world, DaysOfCover(), days=HISTORY_DAYS)
    live = LiveWorld(world, history)
    keys = list(zip(world.sku_ids, world.place_ids, strict=True))
    with Sanhe.open(database_settings, effort=FAST) as sanhe:
        record_facts(sanhe, world.facts(history), source=SOURCE, actor="test")
        planner = Installation(sanhe, source=SOURCE, method="same_weekday_mean")
        ordered = 0
        for _ in range(LIVE_DAYS):
            lines = planner.plan(live.today)
            ordered += pc.sum(lines["quantity"]).as_py() or 0
            live.place(lines)
            for name, facts in live.trade().items():
                planner.record(name, facts)
            stock, open_orders = on_hand(sanhe), on_order(sanhe, live)
            for line, key in enumerate(keys):
                assert stock[key] == live.on_hand[line], (live.today, key)
                assert open_orders.get(key, 0) == live.on_order[line], (live.today, key)
        assert ordered > 0
        assert conserved(live.outcome()).all()
        again = planner.plan(live.today).num_rows
        assert planner.plan(live.today).num_rows == 0, f"{again} lines were ordered twice"
        files = {path.stem for path in sanhe.orders_folder.glob("*.csv")}
        with sanhe.work(actor="test") as work:
            assert files == {order.name for order in work.suppliers.orders()}
            assert work.ledger.seal() is None, "the job left entries unsealed"
        with sanhe.work(actor="test") as work:
            assert work.ledger.verify() > 0
