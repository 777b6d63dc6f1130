"""Races over real HTTP: 64 connections want the same few units, orders, tasks and returns.

Every operation that changes orders, stock, money or tasks is asked by `sanhe serve` in a process
of its own, on PostgreSQL with fsync. A quarter of the attempts repeat another one. After each round
everything is computed anew from the orders: stock of each SKU, money of each order, what was told
to whom. After each operation the ledger's own proof runs, and all accounts of a unit must sum to 0.

Control: a shop that reads, thinks and writes in two transactions, served and asked alike, must
oversell. Else the run shows nothing and fails.

    python -m bench.races --attempts 100000
    python -m bench.races --attempts 100000 --only place --only cancel
    python -m bench.races --attempts 100000 --continue

The figures of an operation are kept in bench/results/NAME.json as soon as it is done: `--continue`
leaves out those that have so many attempts there.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import numpy as np

from bench import race_members, race_orders, race_store
from bench.http_load import Answer, fire
from bench.race_naive import naive_oversold
from bench.race_rounds import Attempt, Outcomes, Round, outcomes_of
from bench.race_world import World, fresh_home, ledger_wrong, opened_world
from bench.results_file import RESULTS, Row, commit, write_results

Race = Callable[[World, Random, int], Round]
RACES: Final[Mapping[str, Race]] = {
    "place": race_orders.place,
    "notice": race_orders.notice,
    "tender": race_orders.tender,
    "cancel": race_orders.cancel,
    "hand_over": race_orders.hand_over,
    "take": race_store.take,
    "finish": race_store.finish,
    "drop": race_store.drop,
    "code": race_store.code,
    "fetch": race_store.fetch,
    "ask_return": race_store.ask_return,
    "receive": race_store.receive,
    "inspect": race_store.inspect,
    "sync": race_store.sync,
    "redeem": race_members.redeem,
}
"""The race for each operation. What is dropped of returns is tried in `receive`; what members have
is fought over by placing, paying and cancelling at once in `redeem`."""
ROUND: Final = 2_000
"""So many attempts in a round, whose goods are new."""
AGAIN_SECONDS: Final = 30.0
"""So long what follows from a command may take to be told."""
TURNED_AWAY: Final = frozenset({0, 429, 503})
"""No answer to the command: ask again."""
CONTROL: Final = 2_000


@dataclass
class Figures:
    """What came of an operation's attempts. `turned_away` were told to come again, and did."""

    attempts: int = 0
    commands: int = 0
    accepted: int = 0
    targets: int = 0
    turned_away: int = 0
    status_5xx: int = 0
    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def row(self, endpoint: str, load: float) -> Row:
        """As it is kept."""
        return {
            "endpoint": endpoint,
            "attempts": self.attempts,
            "commands": self.commands,
            "accepted": self.accepted,
            "contended": self.targets,
            "violations": len(self.violations),
            "turned_away": self.turned_away,
            "status_5xx": self.status_5xx,
            "requests_per_second": round(self.attempts / max(self.seconds, 1e-9), 1),
            "p50_ms": round(1000 * float(np.percentile(self.took, 50))),
            "p99_ms": round(1000 * float(np.percentile(self.took, 99))),
            "load": round(load, 1),
            "commit": commit(),
        }


def run(world: World, race: Race, attempts: int, *, seed: int = 5) -> Figures:
    """All rounds of one race, until so many attempts were answered or something is wrong."""
    figures, dice = Figures(), Random(seed)
    while figures.attempts < attempts and not figures.violations:
        made = race(world, dice, min(ROUND, attempts - figures.attempts))
        told = _answered(world, made.attempts, figures)
        outcomes, wrong = outcomes_of(told)
        figures.violations += wrong + _checked(made, outcomes)
        every = [one for found in outcomes.values() for one in found]
        figures.commands += len(every)
        figures.accepted += sum(one.is_accepted for one in every)
        figures.targets += len(outcomes)
        figures.violations += [
            f"{one.attempt.name}: {one.status} {one.body}" for one in every if one.status >= 500
        ]
    figures.violations += ledger_wrong(world)
    return figures


def _answered(
    world: World, attempts: Sequence[Attempt], figures: Figures
) -> list[tuple[Attempt, Answer]]:
    """The answers; who is turned away asks again with the same command."""
    told: list[tuple[Attempt, Answer]] = []
    left = list(attempts)
    while left:
        began = time.perf_counter()
        answers = fire(world.address, (one.request for one in left))
        figures.seconds += time.perf_counter() - began
        figures.took += [answer.seconds for answer in answers]
        figures.attempts += len(answers)
        figures.status_5xx += sum(answer.status >= 500 for answer in answers)
        again = []
        for attempt, answer in zip(left, answers, strict=True):
            if answer.status in TURNED_AWAY:
                again.append(attempt)
            else:
                told.append((attempt, answer))
        figures.turned_away += len(again)
        left = again
        if again:
            time.sleep(1)
    return told


def _checked(made: Round, outcomes: Outcomes) -> list[str]:
    """What is wrong, once what follows has been told."""
    until = time.monotonic() + AGAIN_SECONDS
    while (wrong := made.check(outcomes)) and time.monotonic() < until:
        time.sleep(0.5)
    return wrong


def _kept(name: str) -> dict[str, Row]:
    """The rows of the result file by operation."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return {}
    figures: dict[str, Any] = json.loads(path.read_text("utf-8"))["figures"]
    return {str(row["endpoint"]): row for row in figures["endpoints"]}


def _write(name: str, rows: Mapping[str, Row], oversold: int) -> None:
    in_order = [rows[endpoint] for endpoint in RACES if endpoint in rows]
    totals: Counter[str] = Counter()
    for row in in_order:
        for column in ("attempts", "violations", "status_5xx"):
            totals[column] += int(str(row[column]))
    print(
        write_results(
            name,
            {
                "attempts_per_endpoint_min": min(int(str(row["attempts"])) for row in in_order),
                "endpoints_left": " ".join(one for one in RACES if one not in rows),
                "attempts": totals["attempts"],
                "violations": totals["violations"],
                "naive_control_oversold": oversold,
                "naive_control_attempts": CONTROL,
                "status_5xx": totals["status_5xx"],
                "connections": 64,
                "endpoints": in_order,
            },
        ),
        flush=True,
    )


def main() -> None:
    """Race for each operation and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=100_000, help="for each operation")
    parser.add_argument("--only", action="append", choices=RACES, help="this one, may be repeated")
    parser.add_argument("--continue", dest="goes_on", action="store_true")
    parser.add_argument("--name", default="races", help="of the result file")
    parser.add_argument("--seed", type=int, default=5)
    asked = parser.parse_args()
    rows = _kept(asked.name) if asked.goes_on or asked.only else {}
    failed = False
    for endpoint in asked.only or RACES:
        known = rows.get(endpoint)
        if asked.goes_on and known and int(str(known["attempts"])) >= asked.attempts:
            continue
        # A home for each, so that the last is no slower than the first.
        with fresh_home() as settings:
            oversold = naive_oversold(settings, CONTROL)
            if not oversold:
                raise SystemExit("the control did not oversell: the attempts are no race")
            with opened_world(settings) as world:
                figures = run(world, RACES[endpoint], asked.attempts, seed=asked.seed)
        rows[endpoint] = figures.row(endpoint, os.getloadavg()[1])
        print(json.dumps(rows[endpoint]), flush=True)
        for wrong in figures.violations[:20]:
            print(f"  {wrong}", flush=True)
        failed = failed or bool(figures.violations)
        _write(asked.name, rows, oversold)
    if failed:
        raise SystemExit("something is not as it should be")


if __name__ == "__main__":
    main()
