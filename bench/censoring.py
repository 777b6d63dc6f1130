"""Censoring: is demand found again when 30 % of the days run out of stock?

A simulated retailer whose shelves are so thin that in every velocity class 30 % of the line-days
run dry (`sim.censored_world`, `sim.scarce_levels`). Its facts enter the lake; goods.demand
forecasts the 28 days ahead. Bias = sum of the forecast over the sum of the true mean demand, less
one, pooled over the lines of a velocity class; the truth is never among the facts.

    python -m bench.censoring [--seeds 3]

Figures: worst_bias (signed, the one farthest from 0), bias of each class and seed, and for
comparison the bias of the raw sales of the last 28 days.
"""

import argparse

import numpy as np
import pyarrow as pa

from bench.results_file import Figure, write_results
from sanhe.core.lake import MemoryLake, write_facts
from sanhe.goods.demand import Demand, ForecastRun
from sanhe.sim import VELOCITIES, OrderUpTo, Outcome, World, censored_world, run, scarce_levels

HORIZON_DAYS = 28


def main() -> None:
    """Run the benchmark and write bench/results/censoring.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many retailers, 1..")
    seeds = range(1, parser.parse_args().seeds + 1)
    figures: dict[str, Figure] = {}
    found: list[float] = []
    for seed in seeds:
        biases = measure(seed, figures)
        found += biases.values()
        shown = "  ".join(f"{name} {value:+.3f}" for name, value in biases.items())
        print(f"seed {seed}: {shown}")
        figures |= {f"bias_{name}_seed_{seed}": round(v, 4) for name, v in biases.items()}
    worst = max(found, key=abs)
    figures = {"worst_bias": round(worst, 4), "seeds": len(seeds), **figures}
    print(f"worst bias {worst:+.3f}; {write_results('censoring', figures)}")


def measure(seed: int, figures: dict[str, Figure]) -> dict[str, float]:
    """The bias of each velocity class in the retailer of one seed."""
    world = World(censored_world(seed))
    outcome = run(world, OrderUpTo(scarce_levels(world)), days=world.settings.history_days)
    lake = MemoryLake()
    write_facts(lake, pa.concat_tables(list(world.facts(outcome).values())))
    forecast = Demand(lake).forecast(world.settings.as_of, HORIZON_DAYS)
    figures |= {
        f"dry_share_seed_{seed}": round(float((outcome.in_stock_share[28:] < 1).mean()), 4),
        f"lost_share_seed_{seed}": round(_lost_share(world, outcome), 4),
        f"raw_sales_bias_seed_{seed}": round(_raw_bias(world, outcome), 4),
        f"method_seed_{seed}": ", ".join(forecast.chosen.values()),
    }
    return _biases(world, forecast)


def _biases(world: World, forecast: ForecastRun) -> dict[str, float]:
    start = world.settings.history_days
    keys = pa.table({"sku": world.sku_ids, "place": world.place_ids})
    mean = forecast.window(keys, HORIZON_DAYS).mean
    truth = world.truth.mean[start : start + HORIZON_DAYS].sum(axis=0)
    pooled = {}
    for number, name in enumerate(VELOCITIES):
        mine = world.lines.velocity == number
        pooled[name] = float(mean[mine].sum() / truth[mine].sum() - 1)
    return pooled


def _raw_bias(world: World, outcome: Outcome) -> float:
    """What sales alone say of the demand of the last 28 days."""
    last = slice(outcome.days - HORIZON_DAYS, outcome.days)
    return float(np.sum(outcome.sales[last]) / np.sum(world.truth.mean[last]) - 1)


def _lost_share(world: World, outcome: Outcome) -> float:
    return float(1 - outcome.sales.sum() / world.truth.demand[: outcome.days].sum())


if __name__ == "__main__":
    main()
