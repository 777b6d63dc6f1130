"""Points on the ledger against a plain model: random operations, and how many ended otherwise.

Members earn, hold, spend, free, give back, take back, are corrected and lose what is over, in any
order, with every name told again now and then. After each operation what the member has is compared
with a model that keeps every single point in a list; every thousand operations all accounts must
sum to nothing. A world has 5,000 operations in memory; one runs on PostgreSQL. Two controls use
models that are wrong on purpose: one spends the points that expire last, one forgets that a thing
was told before. They must differ.

    python -m bench.ledger_model [--operations 1000000] [--on-postgres 3000]

Figures: operations on the memory ledger and on PostgreSQL, differences (0), entries on the ledger,
differences of the controls (above 0).
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import pyarrow.compute as pc

from bench.results_file import write_results
from sanhe.core.clock import FixedClock
from sanhe.core.errors import Conflict, Shortage
from sanhe.core.ledger import Ledger, MemoryLedger, PostgresLedger
from sanhe.core.settings import Settings
from sanhe.core.storage import Database
from sanhe.people.loyalty import MemoryEntries, Points, PointsBook

FIRST: Final = date(2026, 1, 1)
GRACE_DAYS: Final = 30
MEMBERS, WORLD = 8, 5_000
KINDS: Final = ("earn", "hold", "post", "void", "give_back", "take_back", "remove", "expire")


@dataclass(frozen=True)
class Operation:
    """Something that is asked for: `name` is the caller's, `step` of what comes back."""

    kind: str
    member: str
    name: str
    points: int = 0
    step: str = ""
    day: date = FIRST
    expires_on: date = FIRST


@dataclass
class Purse:
    """What the model knows of a member: every point is its last day in one of these lists."""

    free: list[date] = field(default_factory=list)
    debt: int = 0
    earned: dict[str, tuple[int, date | None]] = field(default_factory=dict)
    held: dict[str, list[date]] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    spent: dict[str, list[date]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)


@dataclass
class Model:
    """Points one by one. `last_first` and `forgets` make it wrong on purpose."""

    last_first: bool = False
    forgets: bool = False
    purses: dict[str, Purse] = field(default_factory=dict)
    told: dict[tuple[str, str, str, str], int] = field(default_factory=dict)

    def do(self, one: Operation) -> str:
        """Carry it out; what became of it: done, again, short or conflict."""
        purse = self.purses.setdefault(one.member, Purse())
        if one.kind in ("post", "void"):
            return self._close(purse, one)
        self._sweep(purse, one.day)
        if one.kind == "expire":
            return "done"
        key = (one.kind, one.member, one.name, one.step)
        before = None if self.forgets else self.told.get(key)
        if before is not None:
            return "again" if before == one.points else "conflict"
        outcome: str = getattr(self, f"_{one.kind}")(purse, one)
        if outcome == "done" and one.points:  # Nothing moves nothing, and is not remembered.
            self.told[key] = one.points
        return outcome

    def available(self, member: str, day: date) -> tuple[int, int, list[date]]:
        """What can be spent on a day, what is owed, and the last days of the points there."""
        purse = self.purses.setdefault(member, Purse())
        live = sorted(point for point in purse.free if point >= day)
        debt = max(purse.debt - (len(purse.free) - len(live)), 0)
        return max(len(live) - debt, 0), debt, live

    def _sweep(self, purse: Purse, day: date) -> None:
        for point in [point for point in purse.free if point < day]:
            purse.free.remove(point)
            purse.debt = max(purse.debt - 1, 0)

    def _earn(self, purse: Purse, one: Operation) -> str:
        paid = min(one.points, purse.debt)
        purse.debt -= paid
        purse.free += [one.expires_on] * (one.points - paid)
        own = one.expires_on if one.points > paid else None  # All of it may have paid a debt.
        purse.earned[one.name] = (one.points, own)
        return "done"

    def _first(self, purse: Purse, count: int) -> list[date] | None:
        if count > max(len(purse.free) - purse.debt, 0):
            return None
        taken = sorted(purse.free, reverse=self.last_first)[:count]
        for point in taken:
            purse.free.remove(point)
        return taken

    def _hold(self, purse: Purse, one: Operation) -> str:
        taken = self._first(purse, one.points)
        if taken is None:
            return "short"
        purse.held[one.name] = taken
        return "done"

    def _remove(self, purse: Purse, one: Operation) -> str:
        return "short" if self._first(purse, one.points) is None else "done"

    def _close(self, purse: Purse, one: Operation) -> str:
        if not purse.held.get(one.name):
            return "done"
        if one.name in purse.closed:
            return "done" if purse.closed[one.name] == one.kind else "conflict"
        purse.closed[one.name] = one.kind
        if one.kind == "post":
            purse.spent[one.name] = list(purse.held[one.name])
        else:
            purse.free += purse.held[one.name]
        return "done"

    def _give_back(self, purse: Purse, one: Operation) -> str:
        spent = purse.spent.get(one.name, [])
        if one.points > len(spent):
            return "conflict"
        for _ in range(one.points):
            last = max(spent)
            spent.remove(last)
            purse.free.append(last if last >= one.day else one.day + timedelta(GRACE_DAYS))
        return "done"

    def _take_back(self, purse: Purse, one: Operation) -> str:
        earned, own = purse.earned.get(one.name, (0, None))
        taken = purse.taken.get(one.name, 0)
        if one.points > earned - taken:
            return "conflict"
        purse.taken[one.name] = taken + one.points
        for _ in range(one.points):
            if own is not None and own in purse.free:
                purse.free.remove(own)
            elif purse.free:
                purse.free.remove(min(purse.free))
            else:
                purse.debt += 1
        return "done"


class Books:
    """The same operations on points as they are."""

    def __init__(self, points: PointsBook, ledger: Ledger, clock: FixedClock) -> None:
        self.points, self.ledger, self.clock = points, ledger, clock
        self._holds: dict[tuple[str, str], list[UUID]] = {}

    def do(self, one: Operation) -> str:
        """Carry it out; what became of it."""
        try:
            getattr(self, f"_{one.kind}")(one, moment(one.day))
        except Shortage:
            return "short"
        except Conflict:
            return "conflict"
        return "done"

    def _earn(self, one: Operation, at: datetime) -> None:
        given = {"cause": one.name, "at": at, "expires_on": one.expires_on}
        self.points.earn(one.member, one.points, **given)  # type: ignore[arg-type]

    def _hold(self, one: Operation, at: datetime) -> None:
        until = at + timedelta(minutes=15)
        held = self.points.hold(one.member, one.points, cause=one.name, at=at, until=until)
        if self._holds.setdefault((one.member, one.name), held) != held:
            raise AssertionError(f"{one} was held as {held}")

    def _post(self, one: Operation, at: datetime) -> None:
        self.ledger.post_all(self._holds.get((one.member, one.name), []))

    def _void(self, one: Operation, at: datetime) -> None:
        self.ledger.void_all(self._holds.get((one.member, one.name), []))

    def _give_back(self, one: Operation, at: datetime) -> None:
        self.points.give_back(one.member, one.points, cause=one.name, step=one.step, at=at)

    def _take_back(self, one: Operation, at: datetime) -> None:
        self.points.take_back(one.member, one.points, cause=one.name, step=one.step, at=at)

    def _remove(self, one: Operation, at: datetime) -> None:
        self.points.remove(one.member, one.points, cause=one.name, at=at)

    def _expire(self, one: Operation, at: datetime) -> None:
        while self.points.expire(one.day, limit=3):
            pass

    def unbalanced(self) -> int:
        """The sum over all accounts: 0."""
        return int(pc.sum(self.ledger.accounts("points").column("posted")).as_py() or 0)


def moment(day: date) -> datetime:
    """Noon of a day."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def differs(model: Model, books: Books, one: Operation) -> str:
    """Carry it out on both; what ended otherwise, empty when nothing did."""
    books.clock.moment = moment(one.day)
    wanted, found = model.do(one), books.do(one)
    if one.kind == "expire":
        for member in model.purses:
            model.do(Operation("expire", member, "", day=one.day))
    if found != wanted.replace("again", "done"):
        return f"{one}: {found}, not {wanted}"
    balance = books.points.balance(one.member)
    lots = [lot.expires_on for lot in balance.lots for _ in range(lot.points)]
    had = (balance.available, balance.debt, lots)
    if had != (should := model.available(one.member, one.day)):
        return f"{one}: {had}, not {should}"
    return ""


def operations(dice: random.Random, count: int) -> Iterator[Operation]:
    """Any operations in any order; one in eight was asked for before."""
    day, past = FIRST, list[Operation]()
    for number in range(count):
        if dice.random() < 0.02:
            day += timedelta(days=dice.choice([1, 1, 5, 40]))
        if past and dice.random() < 0.125:
            again = dice.choice(past[-200:])
            kept = {name: getattr(again, name) for name in ("kind", "member", "name", "points")}
            yield Operation(**kept, step=again.step, day=day, expires_on=again.expires_on)
            continue
        kind = dice.choices(KINDS, [6, 5, 4, 2, 3, 3, 1, 0.3])[0]
        member = f"M{dice.randrange(MEMBERS)}"
        known = [one for one in past[-300:] if one.member == member and one.kind == _of(kind)]
        name = dice.choice(known).name if known else f"{kind}-{number}"
        lasts = timedelta(days=dice.choice([0, 3, 20, 60, 60]))
        past.append(
            Operation(
                kind, member, name, dice.randrange(25), step=f"{number}", day=day,
                expires_on=day + lasts,
            )
        )  # fmt: skip
        yield past[-1]


def _of(kind: str) -> str:
    """What a kind of operation refers to: what was held, or earned."""
    return {"post": "hold", "void": "hold", "give_back": "hold", "take_back": "earn"}.get(kind, "")


@dataclass
class Compared:
    """What the worlds came to."""

    operations: int = 0
    differences: int = 0
    unbalanced: int = 0
    entries: int = 0
    first: str = ""


def in_memory(model: Model, seed: int, count: int) -> Compared:
    """A world in memory."""
    clock = FixedClock(moment(FIRST))
    ledger = MemoryLedger(clock)
    points = PointsBook(ledger, MemoryEntries(), clock=clock, grace_days=GRACE_DAYS)
    made = compare(model, Books(points, ledger, clock), seed, count=count)
    made.entries = ledger.verify()
    return made


def compare(
    model: Model,
    books: Books,
    seed: int,
    *,
    count: int,
    step: Callable[[Callable[[], str]], str] = lambda do: do(),
) -> Compared:
    """Operations of a seed on both, until the first difference; `step` runs each."""
    made = Compared()
    for number, one in enumerate(operations(random.Random(seed), count)):
        made.operations += 1
        told = step(lambda one=one: differs(model, books, one))  # type: ignore[misc]
        if told:
            made.differences, made.first = 1, told
            break
        if number % 1000 == 0 or number == count - 1:
            made.unbalanced += abs(books.unbalanced())
    return made


@contextmanager
def on_postgres(clock: FixedClock) -> Iterator[Database]:
    """A database of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="sanhe-m-", dir="/tmp") as home,
        Database.open(Settings(home=Path(home)), clock=clock) as database,
    ):
        yield database


def in_database(database: Database, clock: FixedClock, seed: int, *, count: int) -> Compared:
    """A world on PostgreSQL, many operations in a transaction."""
    with database.transaction(actor="model") as tx:
        ledger = PostgresLedger(tx)
        points = Points(tx, ledger, grace_days=GRACE_DAYS)
        made = compare(Model(), Books(points, ledger, clock), seed, count=count)
        made.entries = ledger.verify()
    return made


def total(worlds: list[Compared]) -> Compared:
    """What all of them came to."""
    return Compared(
        operations=sum(one.operations for one in worlds),
        differences=sum(one.differences for one in worlds),
        unbalanced=sum(one.unbalanced for one in worlds),
        entries=sum(one.entries for one in worlds),
        first=next((one.first for one in worlds if one.first), ""),
    )


def main() -> None:
    """Compare and write bench/results/ledger_model.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=20_000)
    parser.add_argument("--on-postgres", type=int, default=3_000)
    asked = parser.parse_args()
    started = time.perf_counter()
    worlds = [
        in_memory(Model(), seed, min(WORLD, asked.operations - first))
        for seed, first in enumerate(range(0, asked.operations, WORLD))
    ]
    seconds = time.perf_counter() - started
    clock = FixedClock(moment(FIRST))
    with on_postgres(clock) as database:
        kept = in_database(database, clock, 1, count=asked.on_postgres)
    made = total(worlds)
    figures: dict[str, float | int | str | None] = {
        "operations": made.operations + kept.operations,
        "differences": made.differences + kept.differences,
        "operations_memory": made.operations,
        "differences_memory": made.differences,
        "unbalanced_memory": made.unbalanced,
        "entries_memory": made.entries,
        "operations_postgres": kept.operations,
        "differences_postgres": kept.differences,
        "unbalanced_postgres": kept.unbalanced,
        "entries_postgres": kept.entries,
        "first_difference": made.first or kept.first or None,
        "control_last_first_differences": in_memory(Model(last_first=True), 1, 2_000).differences,
        "control_forgets_differences": in_memory(Model(forgets=True), 1, 2_000).differences,
        "us_per_operation_memory": round(1e6 * seconds / max(made.operations, 1)),
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    print(f"written to {write_results('ledger_model', figures)}")


if __name__ == "__main__":
    main()
