"""Coupons under attack: many at once for one coupon, a crowd for many, and forged signatures.

    python -m bench.redemption [--attempts 100000] [--single 3000] [--crowd 5000]
                               [--forged 1000000]

`--attempts` over real HTTP, `WAYS` at a time, at `sanhe serve` on PostgreSQL: members order with
coupons of a promotion with a budget and a count for each member, with points and stored value;
orders that hold them are paid and cancelled meanwhile, and a quarter repeats another attempt
(`bench.race_members`). No coupon may be in two orders, no budget overdrawn, no member have had it
too often, and coupons, points and stored value must be what the orders say.

Through the façade, from `WAYS` threads over `POOLS` x `AT_ONCE` connections: `--single` baskets
want one single-use coupon, and exactly one may have it; `--crowd` baskets want a third as many.
Both ways have a control without the ledger's floors, in which a coupon must be spent more than
once. Last, `--forged` signed coupons that were changed in eight ways: none may be read.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.offers import issue, publish
from bench.race_members import redeem, unguarded_wrong
from bench.race_world import fresh_home, opened_world
from bench.races import run
from bench.results_file import write_results
from sanhe.core.clock import SystemClock
from sanhe.core.decisions import PostgresDecisions
from sanhe.core.errors import Shortage
from sanhe.core.ledger import PostgresLedger
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, Transaction
from sanhe.core.values import new_id
from sanhe.loop.promoting import PUBLISH
from sanhe.people.coupons import Coupons, Keys, Signed, Use, read_signed, sign
from sanhe.people.promotions import Off, Promotion, Promotions, Step

WAYS, POOLS, AT_ONCE = 64, 3, 15
CONTROL = 1_000
CENTS, PER_MEMBER = 500, 3
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group of Ed25519: S + this is the same number to a careless verifier."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A database opened several times, so that many threads have connections of their own."""

    databases: Sequence[Database]
    keys: Keys
    rooms: Sequence[threading.BoundedSemaphore]

    def desk(self, tx: Transaction) -> tuple[PostgresLedger, Promotions, Coupons]:
        """Ledger, promotions and coupons of a transaction."""
        ledger = PostgresLedger(tx)
        promotions = Promotions(tx, ledger)
        return ledger, promotions, Coupons(tx, ledger, promotions=promotions, keys=self.keys)

    @contextmanager
    def begun(self, number: int, actor: str) -> Iterator[Transaction]:
        """A transaction of an attempt, once its pool has a connection for it."""
        pool = number % len(self.databases)
        with self.rooms[pool], self.databases[pool].transaction(actor=actor) as tx:
            yield tx

    def open(self, name: str, coupons: int, *, budget: int | None, often: int | None) -> list[str]:
        """Publish a promotion and issue coupons of it; their codes."""
        now = datetime.now(UTC)
        begins, ends = now - timedelta(days=1), now + timedelta(days=30)
        offer = Off((Step(5_000, CENTS),))
        promotion = Promotion(
            name, name, offer, "coupon", begins, ends, coupon=True, priority=len(name),
            per_member=often, budget_cents=budget,
        )  # fmt: skip
        with self.databases[0].transaction(actor="bench") as tx:
            _, promotions, desk = self.desk(tx)
            decisions = PostgresDecisions(tx)
            decisions.register(PUBLISH)
            publish(promotions, decisions, promotion)
            return issue(desk, promotion, count=coupons)

    def take(self, number: int, used: Use, *, member: str | None, deed: str) -> bool:
        """One basket's attempt: held, then paid, let go, or paid and cancelled."""
        cause = f"{used.promotion} {number}"
        now = datetime.now(UTC)
        with self.begun(number, f"till {number % WAYS}") as tx:
            ledger, _, coupons = self.desk(tx)
            try:
                holds = coupons.hold(
                    [used], cause=cause, member=member, at=now, until=now + timedelta(minutes=15)
                )
            except Shortage:
                return False
        with self.begun(number, f"till {number % WAYS}") as tx:
            ledger, _, coupons = self.desk(tx)
            if deed == "let go":
                ledger.void_all(holds)
                return False
            ledger.post_all(holds)
        if deed == "cancelled":
            with self.begun(number, "service") as tx:
                self.desk(tx)[2].give_back([used], cause=cause, step="cancelled", at=now)
            return False
        return True


def crowd(count: int, attempt: Callable[[int], bool]) -> list[int]:
    """The attempts that won, of so many by `WAYS` threads that begin at once."""
    together = threading.Barrier(min(WAYS, count))

    def run(number: int) -> bool:
        if number < together.parties:
            together.wait()
        return attempt(number)

    with ThreadPoolExecutor(WAYS) as pool:
        return [number for number, won in enumerate(pool.map(run, range(count))) if won]


def single(shop: Shop, count: int) -> int:
    """How many of so many baskets spent one coupon."""
    (code,) = shop.open("single", 1, budget=None, often=None)
    used = Use("single", code, CENTS)
    return len(crowd(count, lambda number: shop.take(number, used, member=None, deed="paid")))


def control(shop: Shop, count: int) -> int:
    """How many spend one coupon where the ledger has no floor for it."""
    (code,) = shop.open("unguarded", 1, budget=None, often=None)
    used = Use("unguarded", code, CENTS)
    shop.take(-1, used, member=None, deed="let go")
    with psycopg.connect(shop.databases[0].owner_url) as owner:
        owner.execute("UPDATE ledger_account SET floor = NULL WHERE starts_with(code, 'coupon/')")
    return len(crowd(count, lambda number: shop.take(number, used, member=None, deed="paid")))


def many(shop: Shop, attempts: int) -> dict[str, int]:
    """What so many attempts on a third as many coupons came to, and what they violated."""
    coupons = max(attempts // 3, 1)
    members = max(attempts // 9, 1)
    budget = coupons * CENTS * 2 // 3
    codes = shop.open("many", coupons, budget=budget, often=PER_MEMBER)
    dice = random.Random(11)
    plan = [
        (
            dice.choice(codes),
            f"M{dice.randrange(members)}",
            dice.choices(["paid", "let go", "cancelled"], [6, 2, 2])[0],
        )
        for _ in range(attempts)
    ]

    def attempt(number: int) -> bool:
        code, member, deed = plan[number]
        return shop.take(number, Use("many", code, CENTS), member=member, deed=deed)

    won = crowd(attempts, attempt)
    spent = Counter(plan[number][0] for number in won)
    had = Counter(plan[number][1] for number in won)
    with shop.databases[0].transaction(actor="auditor") as tx:
        ledger, promotions, desk = shop.desk(tx)
        entries = ledger.verify()
        left = promotions.left_cents(["many"])["many"]
        used = desk.campaign("many").used
        told = {one: desk.had(one, ["many"]).get("many", 0) for one in had}
    wrong = {
        "spent_twice": sum(times > 1 for times in spent.values()),
        "had_too_often": sum(times > PER_MEMBER for times in had.values()),
        "budget_off": int(left < 0 or left != budget - CENTS * len(won)),
        "used_off": int(used != len(won)),
        "had_off": sum(told[one] != had[one] for one in had),
    }
    return {"coupons": coupons, "won": len(won), "ledger_entries": entries, **wrong}


def mutated(texts: Sequence[str], count: int) -> Iterator[str]:
    """So many texts that are none of the signed ones, each changed from one of them."""
    dice, known = random.Random(7), set(texts)
    ways = (_another, _swapped, _shorter, _longer, _spliced, _shifted, _typed, _malleable)
    made = 0
    while made < count:
        text = dice.choice(ways)(dice, dice.choice(texts), dice.choice(texts))
        if text not in known:
            made += 1
            yield text


def _another(dice: random.Random, text: str, _: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(ALPHABET) + text[at + 1 :]


def _swapped(dice: random.Random, text: str, _: str) -> str:
    one, other = sorted(dice.sample(range(len(text)), 2))
    return text[:one] + text[other] + text[one + 1 : other] + text[one] + text[other + 1 :]


def _shorter(dice: random.Random, text: str, _: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + text[at + dice.randrange(1, 9) :]


def _longer(dice: random.Random, text: str, _: str) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(ALPHABET) * dice.randrange(1, 9) + text[at:]


def _spliced(dice: random.Random, text: str, other: str) -> str:
    at = len(text) - dice.randrange(90, 110)
    return text[:at] + other[len(other) - (len(text) - at) :]


def _shifted(dice: random.Random, text: str, _: str) -> str:
    """What it says is another: a bit of the bytes before the signature."""
    octets = bytearray(_read(text))
    octets[dice.randrange(len(octets) - 64)] ^= 1 << dice.randrange(8)
    return "S" + _written(bytes(octets))


def _typed(dice: random.Random, text: str, _: str) -> str:
    return dice.choice([text.lower(), f" {text}", f"{text}\n", text.replace("0", "O", 1), text[1:]])


def _malleable(dice: random.Random, text: str, _: str) -> str:
    """The same signature with S + k * ORDER, where that still fits into 32 bytes."""
    octets = _read(text)
    s = int.from_bytes(octets[-32:], "little") + dice.randrange(1, 8) * ORDER
    return "S" + _written(octets[:-32] + s.to_bytes(33, "little")[:32])


def _read(text: str) -> bytes:
    body = text[1:]
    number = int("".join(f"{ALPHABET.index(one):05b}" for one in body), 2)
    spare = len(body) * 5 % 8
    return (number >> spare).to_bytes(len(body) * 5 // 8, "big")


def _written(octets: bytes) -> str:
    bits = "".join(f"{one:08b}" for one in octets)
    bits += "0" * (-len(bits) % 5)
    return "".join(ALPHABET[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))


def forged(count: int) -> int:
    """How many of so many changed coupons are read as ours."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    texts = [
        sign(
            Signed(new_id(), "spring", f"M{number}" if number % 2 else None, begins,
                   begins + timedelta(days=number + 1)),
            key,
        )
        for number in range(200)
    ]  # fmt: skip
    public = key.public_key()
    assert all(read_signed(text, public) is not None for text in texts)
    assert all("S" + _written(_read(text)) == text for text in texts)
    return sum(read_signed(text, public) is not None for text in mutated(texts, count))


def main() -> None:
    """Run it and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--single", type=int, default=3_000)
    parser.add_argument("--crowd", type=int, default=5_000)
    parser.add_argument("--forged", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sanhe-b-", dir="/tmp") as home, ExitStack() as stack:
        settings = Settings(home=Path(home))
        databases = [
            stack.enter_context(Database.open(settings, clock=SystemClock())) for _ in range(POOLS)
        ]
        rooms = [threading.BoundedSemaphore(AT_ONCE) for _ in databases]
        shop = Shop(databases, Keys(Path(home) / "keys" / "coupons"), rooms)
        winners = single(shop, asked.single)
        crowded = many(shop, asked.crowd)
        doubled = control(shop, WAYS)
    with fresh_home() as settings, opened_world(settings) as world:
        raced = run(world, redeem, asked.attempts)
        unguarded = unguarded_wrong(world, random.Random(3), CONTROL)
    accepted = forged(asked.forged)
    violations = len(raced.violations) + sum(
        count for name, count in crowded.items() if name.endswith(("twice", "often", "off"))
    )
    figures = {
        "winners_of_single_use": winners,
        "single_use_attempts": asked.single,
        "attempts": raced.attempts,
        "ways": WAYS,
        "violations": violations,
        "http": [raced.row("redeem", os.getloadavg()[1])],
        "http_wrong_without_the_floor": len(unguarded),
        "crowd_attempts": asked.crowd,
        "crowd": {name: float(count) for name, count in crowded.items()},
        "winners_without_the_floor": doubled,
        "forged_tried": asked.forged,
        "forged_accepted": accepted,
        "load": round(os.getloadavg()[0], 1),
    }
    print(write_results("redemption", figures), figures)
    for wrong in raced.violations[:20]:
        print(f"  {wrong}")
    if winners != 1 or violations or accepted or doubled < 2 or not unguarded:
        raise SystemExit("a coupon was spent wrongly, or the control did not fail")


if __name__ == "__main__":
    main()
