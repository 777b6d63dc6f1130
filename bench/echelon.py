"""Guaranteed service: our placement of safety stock against stockpyl's, tree by tree.

stockpyl is no part of the project. Give it an environment of its own and run there, which needs
NumPy and SciPy besides:

    pip install stockpyl==1.0.2
    PYTHONPATH=src:. python -m bench.echelon [--trees 50]

Two sets: the instances of Snyder & Shen, "Fundamentals of Supply Chain Theory", that stockpyl
publishes for `gsm_tree`, and random trees of 4 to 9 stages with arcs in both directions (seed 1).
For each the cost of stockpyl's optimum and of ours. Then our speed alone: 10,000 SKUs over one
warehouse and 20 stores, replenished in at most 30 days.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench.results_file import Figure, Row, write_results
from sanhe.models.inventory import (
    NO_LIMIT,
    Chains,
    longest_replenishment,
    normal_excess,
    place_safety_stock,
    pooled_sd,
)

PUBLISHED = (
    "example_6_3",
    "example_6_5",
    "figure_6_14",
    "problem_6_7",
    "problem_6_8",
    "problem_6_9",
)
SEED = 1
SKUS, STORES, LONGEST_DAYS = 10_000, 20, 30


def chains_of(network: Any) -> Chains:
    """A stockpyl network as one system of ours."""
    nodes = network.nodes
    at = {node.index: number for number, node in enumerate(nodes)}
    arcs = np.array([(at[a], at[b]) for a, b in network.edges], np.int64).reshape(-1, 2)
    processing = np.array([[node.processing_time or 0 for node in nodes]])
    inbound = np.array([[node.external_inbound_cst or 0 for node in nodes]])
    limits = [node.external_outbound_cst for node in nodes]
    own_sd = np.array([[node.demand_source.standard_deviation or 0.0 for node in nodes]], float)
    (factor,) = {node.demand_bound_constant for node in nodes}
    days = int(longest_replenishment(arcs, processing, inbound).max())
    return Chains(
        arcs=arcs,
        processing_days=processing,
        inbound_days=inbound,
        most_outbound_days=np.array([[NO_LIMIT if x is None else x for x in limits]]),
        holding_cost=np.array([[node.holding_cost for node in nodes]], float),
        excess=normal_excess(pooled_sd(arcs, own_sd), factor=factor, days=days),
    )


def random_tree(rng: np.random.Generator) -> Any:
    """A stockpyl network: a random tree, demand at its sinks, costs that rise downstream."""
    from stockpyl.supply_chain_network import network_from_edges

    stages = int(rng.integers(4, 10))
    ends = [(int(rng.integers(stage)), stage) for stage in range(1, stages)]
    edges = [(a, b) if rng.random() < 0.6 else (b, a) for a, b in ends]
    names = list(range(stages))
    sinks = set(names) - {a for a, _ in edges}
    sources = set(names) - {b for _, b in edges}
    depth = dict.fromkeys(names, 0)
    for _ in names:
        for a, b in edges:
            depth[b] = max(depth[b], depth[a] + 1)
    return network_from_edges(
        edges=edges,
        processing_time={name: int(rng.integers(0, 6)) for name in names},
        external_inbound_cst={n: int(rng.integers(0, 4)) if n in sources else None for n in names},
        external_outbound_cst={n: int(rng.integers(0, 4)) if n in sinks else None for n in names},
        local_holding_cost={n: float(1 + depth[n] + rng.random()) for n in names},
        demand_bound_constant=1.6448536269514722,
        demand_type={n: "N" if n in sinks else None for n in names},
        mean={n: 50.0 if n in sinks else None for n in names},
        standard_deviation={n: float(rng.uniform(1, 20)) if n in sinks else None for n in names},
    )


def compare(name: str, network: Any) -> Row:
    """The cost of both optima of one instance."""
    from stockpyl.gsm_tree import optimize_committed_service_times

    _, theirs = optimize_committed_service_times(tree=network)
    ours = float(place_safety_stock(chains_of(network)).cost.sum())
    return {
        "name": name,
        "stages": len(network.nodes),
        "cost_stockpyl": round(float(theirs), 9),
        "cost": round(ours, 9),
        "relative_difference": abs(ours - theirs) / theirs if theirs else abs(ours),
    }


def speed() -> dict[str, float]:
    """CPU seconds for many SKUs over one warehouse and its stores."""
    rng = np.random.default_rng(SEED)
    arcs = np.array([(0, store) for store in range(1, STORES + 1)], np.int64)
    shape = (SKUS, STORES + 1)
    processing = rng.integers(1, 4, shape)
    processing[:, 0] = rng.integers(5, LONGEST_DAYS - 3, SKUS)
    own_sd = rng.gamma(2.0, 5.0, shape)
    own_sd[:, 0] = 0.0
    limits = np.zeros(shape, np.int64)
    limits[:, 0] = NO_LIMIT
    chains = Chains(
        arcs=arcs,
        processing_days=processing,
        inbound_days=np.zeros(shape, np.int64),
        most_outbound_days=limits,
        holding_cost=1.0 + 0.2 * (np.arange(STORES + 1) > 0) + 0.1 * rng.random(shape),
        excess=normal_excess(pooled_sd(arcs, own_sd), factor=1.645, days=LONGEST_DAYS),
    )
    began = time.process_time()
    place_safety_stock(chains)
    seconds = time.process_time() - began
    return {"skus": SKUS, "stages": STORES + 1, "cpu_seconds": round(seconds, 2)}


def figures_of(trees: int) -> Mapping[str, Figure]:
    """All comparisons, and our speed."""
    from stockpyl.instances import load_instance

    published = [compare(name, load_instance(name)) for name in PUBLISHED]
    rng = np.random.default_rng(SEED)
    drawn = [compare(f"tree {number}", random_tree(rng)) for number in range(1, trees + 1)]
    worst = [
        max(float(str(row["relative_difference"])) for row in rows) for rows in (published, drawn)
    ]
    return {
        "seed": SEED,
        "random_trees": trees,
        "worst_relative_difference_published": worst[0],
        "worst_relative_difference_random": worst[1],
        "speed": speed(),
        "published": published,
        "trees": drawn,
    }


def main() -> None:
    """Run and write bench/results/echelon.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=50)
    trees = parser.parse_args().trees
    if find_spec("stockpyl") is None:
        sys.exit("stockpyl is not installed: see the top of bench/echelon.py for how to run it")
    figures = figures_of(trees)
    for name in ("worst_relative_difference_published", "worst_relative_difference_random"):
        print(f"{name}: {figures[name]}")
    print(f"speed: {figures['speed']}")
    print(write_results("echelon", figures))


if __name__ == "__main__":
    main()
