"""A flash sale: far more want an SKU than there is of it, by one transaction each and by the lane.

    python -m bench.flash_sale
    python -m bench.flash_sale --http-units 1000 --http-attempts 20000

Every attempt is a command with its own idempotency key that reserves one unit. First `threads`
threads decide by a transaction for each attempt, then the same share of units and attempts goes
through the lane; some keys are sent again at the end. Exactly as many units must be given as there
are, the ledger must verify, and who asks again must get the first answer.

Then the same over HTTP: whole baskets at `POST /api/shop/orders` of `sanhe serve` in a process of
its own, which puts them into the lane by itself.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench.http_load import WAYS, fire
from bench.http_load import Answer as HttpAnswer
from bench.race_world import CENTS, audited, fresh_home, ledger_wrong, opened_world, orders_of
from bench.results_file import write_results
from sanhe.core.clock import SystemClock
from sanhe.core.commands import Answer, Call, Commands, Lane
from sanhe.core.errors import Shortage, TooMany
from sanhe.core.ledger import Account, PostgresLedger, Transfer
from sanhe.core.settings import Settings
from sanhe.core.storage import Database
from sanhe.core.values import derived_id, new_id

WORLD, COMMITTED = "stock.world/A", "stock.committed/S1/A"
HOLD = timedelta(minutes=15)
NAME = "order"


@dataclass(frozen=True, slots=True)
class Sale:
    """`attempts` on the `units` of one shelf."""

    database: Database
    shelf: str
    units: int
    attempts: int

    def open(self) -> None:
        """Put the units on the shelf."""
        with self.database.transaction(actor="bench") as tx:
            ledger = PostgresLedger(tx)
            bounded = [Account(code, "each:A", floor=0) for code in (self.shelf, COMMITTED)]
            ledger.open_accounts([Account(WORLD, "each:A"), *bounded])
            moment = tx.clock.now()
            ledger.transfer(
                [Transfer(new_id(), WORLD, self.shelf, self.units, "count", "c", moment)]
            )

    def call(self, number: int) -> Call:
        """The attempt of one shopper."""
        return Call(f"shopper {number % 977}", NAME, f"{self.shelf} {number}", {"units": 1})

    def transfer(self, call: Call) -> Transfer:
        """What the attempt reserves."""
        return Transfer(
            id=derived_id(call.actor, call.key),
            source=self.shelf,
            target=COMMITTED,
            amount=1,
            reason="order",
            reference=call.key,
            effective_at=self.database.clock.now(),
        )

    def check(self, granted: int) -> None:
        """Exactly the units were given, and the ledger agrees."""
        with self.database.transaction(actor="auditor") as tx:
            ledger = PostgresLedger(tx)
            ledger.verify()
            balance = ledger.balances([self.shelf])[self.shelf]
        if (granted, balance.available, balance.pending_out) != (self.units, 0, self.units):
            raise SystemExit(f"{granted} of {self.units} units were given: {balance}")


def by_transaction(sale: Sale, number: int) -> bool:
    """One attempt in a transaction of its own; whether it got a unit."""
    while True:
        try:
            return _alone(sale, sale.call(number))
        except TooMany:  # no connection got free in time
            continue


def _alone(sale: Sale, call: Call) -> bool:
    with sale.database.transaction(actor=call.actor) as tx:

        def run() -> str:
            PostgresLedger(tx).reserve(sale.transfer(call), expires_at=tx.clock.now() + HOLD)
            return call.key

        answer = Commands(tx).once(call.name, call.key, body=call.body, run=run)
    return answer.refusal is None


def lane_writer(sale: Sale, sizes: list[int]) -> Callable[[Sequence[Call]], list[Answer]]:
    """Carries out a batch of attempts in one transaction, and notes how many they were."""

    def write(calls: Sequence[Call]) -> list[Answer]:
        with sale.database.transaction(actor="lane") as tx:

            def run(fresh: Sequence[Call]) -> list[Answer]:
                groups = [[sale.transfer(call)] for call in fresh]
                expires_at = tx.clock.now() + HOLD
                granted = PostgresLedger(tx).reserve_each(groups, expires_at=expires_at)
                return [
                    Answer(call.key) if yes else Answer(refusal=Shortage("sold out"))
                    for call, yes in zip(fresh, granted, strict=True)
                ]

            answers = Commands(tx).once_each(calls, run)
        sizes.append(len(calls))
        return answers

    return write


def timed_transactions(sale: Sale, threads: int) -> float:
    """Decisions a second by a transaction for each, from many threads."""
    sale.open()
    with ThreadPoolExecutor(threads) as pool:
        started = time.monotonic()
        granted = sum(pool.map(lambda number: by_transaction(sale, number), range(sale.attempts)))
        seconds = time.monotonic() - started
    sale.check(granted)
    return sale.attempts / seconds


@dataclass(frozen=True, slots=True)
class ThroughLane:
    """What came of a sale through the lane; `turned_away` met a full queue and came again."""

    per_second: float
    batches: int
    turned_away: int
    repeated: int


def timed_lane(sale: Sale, senders: int) -> ThroughLane:
    """Decisions a second by the lane; its askers don't wait for each other's answers."""
    sale.open()
    sizes: list[int] = []
    turned_away = [0] * senders
    futures: list[Future[Answer]] = [Future()] * sale.attempts
    with Lane(lane_writer(sale, sizes)) as lane:

        def send(sender: int) -> None:
            for number in range(sender, sale.attempts, senders):
                call = sale.call(number)
                while True:
                    try:
                        futures[number] = lane.submit(call)
                        break
                    except TooMany:
                        turned_away[sender] += 1
                        time.sleep(0.005)

        started = time.monotonic()
        threads = [threading.Thread(target=send, args=[number]) for number in range(senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answers = [future.result() for future in futures]
        seconds = time.monotonic() - started
        sale.check(sum(answer.refusal is None for answer in answers))
        again = range(0, sale.attempts, max(sale.attempts // 1000, 1))
        for number, future in [(n, lane.submit(sale.call(n))) for n in again]:
            told, first = future.result(), answers[number]
            if (told.value, told.refusal is None) != (first.value, first.refusal is None):
                raise SystemExit(f"attempt {number} was told {told} after {first}")
    sale.check(sum(answer.refusal is None for answer in answers))
    return ThroughLane(sale.attempts / seconds, len(sizes), sum(turned_away), len(again))


@dataclass(frozen=True, slots=True)
class OverHttp:
    """What came of a sale at `POST /api/shop/orders`; who is turned away (429) asks again."""

    orders: int
    answers: list[HttpAnswer]
    seconds: float
    load: float

    @property
    def figures(self) -> dict[str, float | int]:
        """As they are kept."""
        took = [answer.seconds for answer in self.answers]
        return {
            "http_orders": self.orders,
            "http_attempts": len(self.answers),
            "http_connections": WAYS,
            "http_per_second": round(len(self.answers) / self.seconds, 1),
            "http_p50_ms": round(1000 * float(np.percentile(took, 50))),
            "http_p99_ms": round(1000 * float(np.percentile(took, 99))),
            "status_5xx": sum(
                answer.status >= 500 or answer.status == 0 for answer in self.answers
            ),
            "status_429": sum(answer.status == 429 for answer in self.answers),
            "http_load": round(self.load, 1),
        }


def over_http(settings: Settings, units: int, attempts: int) -> OverHttp:
    """So many attempts on so many units from `WAYS` connections, to sanhe served as users do."""
    with opened_world(settings) as world:
        goods = world.goods([units])
        wanted = {
            "channel": "livestream",
            "currency": "CNY",
            "lines": [{"sku": goods.skus[0], "quantity": 1}],
            "delivery": {"method": "pickup", "place": "S1"},
        }
        body = {"basket": wanted, "agreed_cents": CENTS}
        left = list(range(attempts))
        answers: list[HttpAnswer] = []
        told: dict[int, HttpAnswer] = {}
        started = time.monotonic()
        while left:
            posts = (world.post("/shop/orders", body, key=f"attempt-{n}") for n in left)
            some = fire(world.address, posts)
            answers += some
            told.update(zip(left, some, strict=True))
            left = [number for number in left if told[number].status == 429]
        seconds = time.monotonic() - started
        placed = {one.json["id"] for one in told.values() if one.status == 201}
        kept = {str(order.id) for order in orders_of(world, goods)}
        wrong = [*audited(world, goods), *ledger_wrong(world)]
        if placed != kept or len(kept) != min(units, attempts) or wrong:
            raise SystemExit(f"{len(placed)} orders were told, {len(kept)} kept: {wrong[:5]}")
    return OverHttp(len(kept), answers, seconds, os.getloadavg()[1])


def in_process(asked: argparse.Namespace) -> dict[str, float | int]:
    """A transaction each against the lane, in this process: their figures."""
    with (
        tempfile.TemporaryDirectory(prefix="flash-", dir="/tmp") as home,
        Database.open(Settings(home=Path(home)), clock=SystemClock()) as database,
    ):
        few = asked.by_transaction * asked.units // asked.attempts
        one_by_one = Sale(database, "stock.on_hand/S1/B", few, asked.by_transaction)
        single = timed_transactions(one_by_one, asked.threads)
        print(f"by a transaction each: {single:,.0f}/s, {few:,} of {asked.by_transaction:,} given")
        rush = Sale(database, "stock.on_hand/S1/A", asked.units, asked.attempts)
        lane = timed_lane(rush, senders=4)
    print(
        f"by the lane: {lane.per_second:,.0f}/s in {lane.batches} batches, {asked.units:,} of "
        f"{asked.attempts:,} given, {lane.repeated} asked again and told the same: "
        f"{lane.per_second / single:.1f} times",
        flush=True,
    )
    return {
        "orders": asked.units,
        "attempts": asked.attempts,
        "threads": asked.threads,
        "attempts_by_statement": asked.by_transaction,
        "decisions_per_s_statement": round(single),
        "decisions_per_s_lane": round(lane.per_second),
        "ratio": round(lane.per_second / single, 1),
        "batches": lane.batches,
        "turned_away": lane.turned_away,
        "repeated_alike": lane.repeated,
        "load": round(os.getloadavg()[1], 1),
    }


def main() -> None:
    """Run all ways in one go and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--attempts", type=int, default=200_000)
    parser.add_argument("--by-transaction", type=int, default=10_000, help="attempts one by one")
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--http-units", type=int, default=10_000)
    parser.add_argument("--http-attempts", type=int, default=200_000, help="0 = none over HTTP")
    parser.add_argument("--keep", action="store_true", help="write bench/results")
    asked = parser.parse_args()
    figures = in_process(asked)
    if asked.http_attempts:
        with fresh_home() as settings:
            figures |= over_http(settings, asked.http_units, asked.http_attempts).figures
    print(figures)
    if asked.keep:
        print(write_results("flash_sale", figures))


if __name__ == "__main__":
    main()
