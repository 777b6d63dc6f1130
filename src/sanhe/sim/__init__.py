"""The simulated retailer: demo, test ground and benchmark of policies.

Answers no S-number of its own; it shows what S3 (dynamic replenishment) and S25 (inventory
health) do to days of stock, fill rate and waste. In: a seed and settings. Out: facts through the
same doors as real data, and day-by-day outcomes of ordering policies.
"""

from sanhe.sim.book import OrderLines, Outcome
from sanhe.sim.policies import DaysOfCover, OrderUpTo, optimal_levels, scarce_levels
from sanhe.sim.run import DayView, Policy, run
from sanhe.sim.settings import (
    VELOCITIES,
    VelocityClass,
    WorldSettings,
    calm_world,
    censored_world,
    demo_world,
    tiny_world,
)
from sanhe.sim.world import World

__all__ = [
    "VELOCITIES",
    "DayView",
    "DaysOfCover",
    "OrderLines",
    "OrderUpTo",
    "Outcome",
    "Policy",
    "VelocityClass",
    "World",
    "WorldSettings",
    "calm_world",
    "censored_world",
    "demo_world",
    "optimal_levels",
    "run",
    "scarce_levels",
    "tiny_world",
]
