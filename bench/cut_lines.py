"""Cut lines: whatever is lost on the way, each command takes effect once and has one answer.

Shoppers place, pay, fetch and cancel over a proxy (`bench.cutting`) that cuts lines before, while
and after the server has worked, delays requests and repeats them. The client sends a command again
with the same key until it is answered. At the end there must be one effect of each command, none
missing, and no two answers to one command, those included that no client saw.

Control: the same with a new key for each try. Commands must then take effect twice.

    python -m bench.cut_lines --requests 100000
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final
from uuid import UUID

from bench.cutting import COMMAND, TRANSIENT, Cutting
from bench.http_load import WAYS, Answer, Line, Request, on_lines
from bench.race_world import (
    CENTS,
    Goods,
    World,
    audited,
    fresh_home,
    ledger_wrong,
    opened_world,
    orders_of,
)
from bench.results_file import Figure, write_results
from sanhe.core.values import new_id

SKUS: Final = 16
CONTROL: Final = 2_000
SETTLED_SECONDS: Final = 60.0


@dataclass
class Shopped:
    """What the client was told: the order of each command to place, what else was done to it;
    `sent` counts every try, `contradictory` the commands that were refused or answered in two
    ways."""

    keeps_keys: bool
    requests: int = 0
    sent: int = 0
    placed: dict[str, str] = field(default_factory=dict)
    done: dict[str, list[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shoppers:
    """All who shop over the proxy, each on a line of their own, until `requests` were answered."""

    world: World
    goods: Goods
    dice: Random
    shopped: Shopped
    requests: int

    async def shop(self, line: Line) -> None:
        """One order after the other."""
        while self.shopped.requests < self.requests:
            sku = self.dice.choice(self.goods.skus)
            basket = {
                "channel": "web",
                "currency": "CNY",
                "lines": [{"sku": sku, "quantity": 2}],
                "delivery": {"method": "pickup", "place": "S1"},
            }
            body = {"basket": basket, "agreed_cents": 2 * CENTS}
            name = f"place-{new_id()}"
            answer = await self._answered(line, name, "/shop/orders", body=body)
            if answer.status != 201:
                continue
            order = str(answer.json["id"])
            self.shopped.placed[name] = order
            for deed, path, asked in self._deeds(order):
                name = f"{deed}-{order}"
                path = f"/shop/orders/{order}/{path}"
                answer = await self._answered(line, name, path, body=asked)
                if answer.status < 300:
                    self.shopped.done.setdefault(order, []).append(deed)

    def _deeds(self, order: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """What becomes of an order: paid and fetched, paid and cancelled in part, or cancelled."""
        drawn = self.dice.random()
        if drawn < 0.8:
            paid = {"tender": "card", "amount_cents": 2 * CENTS, "reference": f"slip-{order}"}
            yield "pay", "tenders", paid
        if drawn < 0.4:
            yield "fetch", "hand-over", {"pieces": [{"line": 0, "place": "S1", "units": 1}]}
        elif drawn < 0.8:
            pieces = [{"line": 0, "place": "S1", "units": 1}]
            yield "cancel", "cancel", {"reason": "one is enough", "pieces": pieces}
        else:
            yield "cancel", "cancel", {"reason": "changed my mind"}

    async def _answered(self, line: Line, name: str, path: str, *, body: Any) -> Answer:
        """The answer to a command, which is sent again until there is one."""
        shopped = self.shopped
        shopped.requests += 1
        while True:
            request = self._request(name, path, body)
            shopped.sent += 1
            answer = await line.ask(request)
            if answer.status not in TRANSIENT:
                break
            if answer.status:
                await asyncio.sleep(0.5)
        if answer.status >= 300 and shopped.keeps_keys:
            shopped.refused.append(f"{name}: {answer.status} {answer.body[:200]!r}")
        return answer

    def _request(self, name: str, path: str, body: Any) -> Request:
        """A try. What names the command to the server is its key, for a payment its slip."""
        key = name
        if not self.shopped.keeps_keys:
            key = f"{name}-{self.shopped.sent}"
            if "reference" in body:
                body = {**body, "reference": key}
        asked = self.world.post(path, body, key=key)
        return replace(asked, headers={**asked.headers, COMMAND: name})


def shopped_over(world: World, requests: int, *, keeps_keys: bool, seed: int) -> dict[str, Figure]:
    """Shop over cut lines, and count the effects."""
    goods = world.goods([2 * requests] * SKUS)
    shopped = Shopped(keeps_keys)
    cutting = Cutting(world.address, Random(seed))
    shoppers = Shoppers(world, goods, Random(seed + 1), shopped, requests)

    async def run() -> None:
        async with cutting.listening() as address:
            await on_lines(address, shoppers.shop, ways=WAYS)

    began = time.perf_counter()
    asyncio.run(run())
    seconds = time.perf_counter() - began
    twice, missing = effects(world, goods, shopped)
    # Those that no client saw are among them.
    two_ways = [name for name, told in cutting.answers.items() if len(told) > 1]
    return {
        "requests": shopped.requests,
        "sent": shopped.sent,
        "disturbed": len(cutting.disturbed),
        "disturbed_share": round(len(cutting.disturbed) / shopped.requests, 3),
        "duplicate_effects": twice,
        "missing_effects": missing,
        "contradictory_answers": len(two_ways),
        "refused": len(shopped.refused),
        "inexact": len(_settled(world, goods) + ledger_wrong(world)),
        "requests_per_second": round(shopped.requests / seconds, 1),
        "faults": {name: float(count) for name, count in sorted(cutting.faults.items())},
        "load": round(os.getloadavg()[1], 1),
    }


def effects(world: World, goods: Goods, shopped: Shopped) -> tuple[int, int]:
    """How many effects there are beyond one for each command, and how many are missing."""
    told = set(shopped.placed.values())
    found: Counter[str] = Counter()
    missing = 0
    with world.sanhe.work(actor="auditor") as work:
        kept = {order.id for order in orders_of(world, goods)}
        twice = len(kept - {UUID(order) for order in told})
        missing += len({UUID(order) for order in told} - kept)
        for order in work.orders.find([UUID(order) for order in told]):
            deeds = shopped.done.get(str(order.id), [])
            line = order.lines[0].state
            found["pay"] = len(work.orders.payments(order.id))
            found["fetch"] = line.handed
            wholly = "cancel" in deeds and "pay" not in deeds
            found["cancel"] = line.cancelled // (2 if wholly else 1)
            refunds = len(work.orders.refunds(order.id))
            for deed in ("pay", "fetch", "cancel"):
                wanted = deeds.count(deed)
                twice += max(found[deed] - wanted, 0)
                missing += max(wanted - found[deed], 0)
            expected = 1 if "cancel" in deeds and "pay" in deeds else 0
            twice += max(refunds - expected, 0)
            missing += max(expected - refunds, 0)
    return twice, missing


def _settled(world: World, goods: Goods) -> list[str]:
    until = time.monotonic() + SETTLED_SECONDS
    while (wrong := audited(world, goods)) and time.monotonic() < until:
        time.sleep(0.5)
    return wrong


def main() -> None:
    """Shop, shop without keys, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--name", default="cut_lines", help="of the result file")
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with fresh_home() as settings, opened_world(settings) as world:
        control = shopped_over(world, CONTROL, keeps_keys=False, seed=asked.seed)
        print("without keys:", control, flush=True)
        if not control["duplicate_effects"]:
            raise SystemExit("without keys nothing happened twice: the cut lines show nothing")
        figures = shopped_over(world, asked.requests, keeps_keys=True, seed=asked.seed)
    figures["control_requests"] = control["requests"]
    figures["control_duplicate_effects"] = control["duplicate_effects"]
    print(write_results(asked.name, figures))
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    zero = ("duplicate_effects", "missing_effects", "contradictory_answers", "refused", "inexact")
    if any(figures[name] for name in zero):
        raise SystemExit("a cut line was seen in what happened")


if __name__ == "__main__":
    main()
