"""The retailer the console is shown and measured with: the demo's, after a fortnight of mornings.

`sanhe demo` plans one morning. A page shows what it is for only once there is a past: so here the
same retailer's planner works for two weeks (plan, approve, order, receive), says otherwise than
the forecast twice, takes in a file with faults, has the forecast tried on the past, and on the
last morning decides on some lines and leaves the others open; then shoppers order at the first
store (`bench.shoppers`). All from the demo's seed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from bench.shoppers import Shoppers
from sanhe.core.clock import FixedClock
from sanhe.core.settings import Settings
from sanhe.goods.demand import Override
from sanhe.models.forecast import FAST
from sanhe.sim import DaysOfCover, Installation, LiveWorld, World, demo_world, run
from sanhe.wiring import (
    ImportRequest,
    PlanRequest,
    Sanhe,
    approve,
    edit,
    import_file,
    override,
    plan,
    record_facts,
    run_jobs,
)
from sanhe.wiring.studio import keep_studio

PASSWORD = "a long way to the sea"
MORNINGS = 14
SOURCE = "simulated retailer 1"
MADE = "made.txt"
PEOPLE = ("planner", "buyer", "pricing", "growth", "service", "admin")


@contextmanager
def showroom(home: Path) -> Iterator[Sanhe]:
    """The opened installation in this home, on its last morning; made where there is none yet.

    Making it takes some minutes. Each role has an account of its name, with PASSWORD; the store's
    sees its first store alone, the supplier's its first supplier.
    """
    made = home / MADE
    world = World(demo_world())
    clock = FixedClock(_morning(world.settings.as_of))
    with Sanhe.open(Settings(home=home), clock=clock, effort=FAST) as sanhe:
        if made.is_file():
            clock.moment = datetime.fromisoformat(made.read_text(encoding="ascii"))
        else:
            _Past(sanhe, clock, world).make()
            made.write_text(clock.moment.isoformat(), encoding="ascii")
        yield sanhe


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(0, 30), UTC)  # half past eight in Shanghai


@dataclass(frozen=True)
class _Past:
    sanhe: Sanhe
    clock: FixedClock
    world: World

    def make(self) -> None:
        self._people_later(self._history())

    def _history(self) -> LiveWorld:
        history = run(self.world, DaysOfCover(), days=self.world.settings.history_days)
        record_facts(self.sanhe, self.world.facts(history), source=SOURCE, actor="files")
        live = LiveWorld(self.world, history)
        planner = Installation(self.sanhe, source=SOURCE, method="same_weekday_mean")
        for done in range(MORNINGS):
            self.clock.moment = _morning(live.today)
            if done == 1:
                self._say(
                    live.today, live.today + timedelta(days=6), factor=1.3, reason="school begins"
                )
            live.place(planner.plan(live.today))
            for name, facts in live.trade().items():
                if facts.num_rows:
                    planner.record(name, facts)
        planner.record("count", live.count())
        return live

    def _people_later(self, live: LiveWorld) -> None:
        """The last morning: what is planned, decided, said and taken in on it; the accounts."""
        today = live.today
        self.clock.moment = _morning(today)
        self._say(
            today + timedelta(days=2), today + timedelta(days=8), factor=1.5, reason="National Day"
        )
        self._faulty_file(today)
        keep_studio(self.sanhe)
        plan(self.sanhe, PlanRequest(as_of=today), actor="planner")
        self._decide()
        with self.sanhe.work(actor="admin") as work:
            for role in PEOPLE:
                work.access.add(role, PASSWORD, roles=[role])
            store = next(
                row["id"] for row in work.places.all().to_pylist() if row["kind"] == "store"
            )
            supplier = work.suppliers.suppliers()["supplier"][0].as_py()
            work.access.add("store", PASSWORD, roles=["store"], places=[store])
            work.access.add("supplier", PASSWORD, roles=["supplier"], suppliers=[supplier])
        Shoppers.of(self.sanhe, self.clock, store).shop()

    def _say(self, first: date, last: date, *, factor: float, reason: str) -> None:
        item = self.world.sku_ids[0]
        said = Override(
            id="",
            first_day=first,
            last_day=last,
            reason=reason,
            author="planner",
            expires=last,
            said_at=self.clock.now(),
            sku=item,
            factor=factor,
        )
        override(self.sanhe, said, actor="planner")

    def _faulty_file(self, today: date) -> None:
        """Promotions from a spreadsheet: some rows name items that don't exist."""
        path = self.sanhe.settings.home / "promotions_october.csv"
        skus = [*list(dict.fromkeys(self.world.sku_ids))[:18], "SKU-9001", "SKU-9002"]
        with path.open("w", newline="", encoding="utf-8") as stream:
            rows = csv.writer(stream)
            rows.writerow(["promotion", "sku", "start", "end", "discount"])
            for number, sku in enumerate(skus):
                first = today + timedelta(days=10)
                rows.writerow([f"OCT-{number:02d}", sku, first, first + timedelta(days=6), 0.2])
        import_file(self.sanhe, ImportRequest(path=path, max_reject_share=0.2), actor="planner")

    def _decide(self) -> None:
        """Decide on some of the morning's proposals: each way a few, most stay open."""
        with self.sanhe.work(actor="planner") as work:
            found = work.decisions.find(kind="replenish", limit=1000)
            numbers = sorted(one.number for one in found if one.status.value == "proposed")
        edit(self.sanhe, numbers[0], 60, reason="a school fair next door", actor="planner")
        edit(self.sanhe, numbers[1], 12, reason="the shelf is being rebuilt", actor="buyer")
        approve(self.sanhe, numbers[2:14], reason="", actor="planner")
        with self.sanhe.work(actor="buyer") as work:
            work.decisions.reject(numbers[14:17], reason="the new variety comes next week")
            until = self.clock.now() + timedelta(days=2)
            work.decisions.snooze(numbers[17:20], until=until, reason="")
        run_jobs(self.sanhe)
