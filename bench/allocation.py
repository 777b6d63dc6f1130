"""Joint allocation under budget, truck and pallet limits: how far from the optimum, how fast.

Random instances with a fixed seed, as wide as a retailer's: costs and margins spread over two
powers of ten, demand from slow to fast, cases of 1 to 24, minimum quantities, and of each kind of
limit one, two or all three: a budget over all lines, kilograms for each supplier x place, pallets
for each place. Each limit leaves 30 to 90 % of what all lines want. The optimum is what
`scipy.optimize.milp` proves (instances it can't settle in `MILP_SECONDS` are counted and compared
with its bound). Needs no data:

    python -m bench.allocation

Writes bench/results/allocation.json: gap_to_optimum (share of the optimal worth; worst and mean),
by size and kind of instance, and the seconds of CPU for 100,000 lines under all three limits.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse

from bench.results_file import write_results
from sanhe.models.inventory import (
    Floats,
    Ints,
    Limit,
    Steps,
    allocate,
    demand_of,
    shortage_avoided,
    steps_of,
)

MILP_SECONDS = 20.0
SIZES = (10, 30, 100, 300, 1000)
KINDS = ("budget", "truck", "budget+truck", "budget+truck+pallets")


@dataclass(frozen=True)
class Instance:
    """Lines that want more than there is room for."""

    steps: Steps
    limits: tuple[Limit, ...]
    lines: int


def instance(random: np.random.Generator, lines: int, kind: str) -> Instance:
    """A random instance."""
    mean = np.exp(random.normal(2.0, 1.2, lines))
    demand = demand_of(mean, mean * random.uniform(1.0, 4.0, lines))
    position = np.floor(mean * random.uniform(0.0, 1.2, lines))
    case = random.choice([1, 2, 4, 6, 12, 24], lines)
    cost = np.exp(random.normal(6.5, 1.0, lines))
    margin = cost * random.uniform(0.1, 0.9, lines)
    holding = cost * 0.25 * 7 / 365
    wanted = np.maximum(mean + 1.3 * np.sqrt(demand.variance) - position, 0)
    most = np.ceil(wanted / case).astype(np.int64)
    least = np.where(random.random(lines) < 0.2, random.integers(1, 4, lines), 1)
    most = np.where(most > 0, np.maximum(most, least), 0)

    def worth(line: Ints, cases: Ints) -> Floats:
        units = cases * case[line]
        saved = shortage_avoided(demand.take(line), position[line], units)
        return margin[line] * saved - holding[line] * (units - saved)

    steps = steps_of(worth, least, most)
    places = max(lines // 40, 2)
    place = random.integers(0, places, lines)
    truck = place * 3 + random.integers(0, 3, lines)
    weight = case * np.exp(random.normal(-0.5, 0.8, lines))
    pallets = case / random.choice([96, 240, 480], lines)
    known = {
        "budget": (np.zeros(lines, np.int64), cost * case),
        "truck": (truck, weight),
        "pallets": (place, pallets),
    }
    limits = []
    for name in kind.split("+"):
        group, amount = known[name]
        total = np.bincount(group, weights=amount * most, minlength=int(group.max()) + 1)
        limits.append(Limit(group, amount, total * random.uniform(0.3, 0.9, total.size)))
    return Instance(steps, tuple(limits), lines)


def optimum(given: Instance) -> tuple[float, bool]:
    """The best worth there is and whether it is proven; else the bound that is."""
    steps = given.steps
    rows = []
    top = []
    for limit in given.limits:
        used = limit.amount[steps.line] * steps.cases
        shape = (limit.capacity.size, steps.worth.size)
        columns = np.arange(steps.worth.size)
        rows.append(sparse.csr_array((used, (limit.group[steps.line], columns)), shape=shape))
        top.append(limit.capacity)
    # Steps of a line are worth ever less a case but may differ in size: keep them in order.
    later = np.flatnonzero(np.diff(steps.line, prepend=-1) == 0)
    data = np.concatenate((np.ones(later.size), -np.ones(later.size)))
    where = (np.tile(np.arange(later.size), 2), np.concatenate((later, later - 1)))
    rows.append(sparse.csr_array((data, where), shape=(later.size, steps.worth.size)))
    top.append(np.zeros(later.size))
    found = optimize.milp(
        -steps.worth,
        integrality=np.ones(steps.worth.size),
        bounds=optimize.Bounds(0, 1),
        constraints=optimize.LinearConstraint(
            sparse.vstack(rows).tocsr(), -np.inf, np.concatenate(top)
        ),
        options={"time_limit": MILP_SECONDS, "mip_rel_gap": 1e-4},
    )
    return -float(found.mip_dual_bound), found.status == 0


def within(given: Instance, cases: Ints) -> bool:
    """Whether a choice keeps all limits."""
    for limit in given.limits:
        used = np.bincount(limit.group, weights=limit.amount * cases, minlength=limit.capacity.size)
        if (used > limit.capacity * (1 + 1e-8)).any():
            return False
    return True


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=10, help="instances of each size and kind")
    parser.add_argument("--lines", type=int, default=100_000)
    given = parser.parse_args()
    random = np.random.default_rng(20260801)
    gaps: list[float] = []
    groups: dict[str, float] = {}
    unproven = 0
    for lines in SIZES:
        for kind in KINDS:
            own = []
            for _ in range(given.each):
                one = instance(random, lines, kind)
                found = allocate(one.steps, one.limits, lines=lines)
                if not within(one, found.cases):
                    raise RuntimeError(f"a limit was passed: {lines} lines, {kind}")
                best, proven = optimum(one)
                unproven += not proven
                own.append(1.0 - found.worth / best)
            groups[f"{lines} lines, {kind}"] = round(max(own), 6)
            print(f"{lines:5} {kind:22} worst {max(own):.5f} mean {np.mean(own):.5f}")
            gaps += own
    large = instance(random, given.lines, KINDS[-1])
    started, wall = time.process_time(), time.perf_counter()
    found = allocate(large.steps, large.limits, lines=given.lines)
    seconds, wall = time.process_time() - started, time.perf_counter() - wall
    print(f"{given.lines} lines, {large.steps.line.size} steps: {seconds:.1f} s CPU, {wall:.1f} s")
    write_results(
        "allocation",
        {
            "gap_to_optimum": round(max(gaps), 6),
            "gap_to_optimum_mean": round(float(np.mean(gaps)), 6),
            "worst_gap_by_instance": groups,
            "instances": len(gaps),
            "instances_not_proven": unproven,
            "seconds_100k": round(seconds, 2),
            "wall_seconds_100k": round(wall, 2),
            "lines": given.lines,
            "steps_100k": int(large.steps.line.size),
            "gap_to_own_bound_100k": round(1.0 - found.worth / found.bound, 6),
        },
    )


if __name__ == "__main__":
    main()
