"""The simulated retailer: demo, test ground and benchmark of policies.

Answers no S-number of its own; it shows what S3 (dynamic replenishment) and S25 (inventory
health) do to days of stock, fill rate and waste. In: a seed and settings. Out: facts through the
same doors as real data, and day-by-day outcomes of ordering policies.
"""

from sanhe.models.replay import Row
from sanhe.sim.book import OrderLines, Outcome
from sanhe.sim.faults import disturbed, forged, late, with_revisions
from sanhe.sim.figures import by_class, by_day, conserved, totals
from sanhe.sim.installation import Installation
from sanhe.sim.live import LiveWorld, Planner, simulate
from sanhe.sim.panel import panel_of
from sanhe.sim.policies import DaysOfCover, OrderUpTo, known_optimum, optimal_levels, scarce_levels
from sanhe.sim.run import DayView, Policy, run, view_after
from sanhe.sim.settings import (
    VELOCITIES,
    VelocityClass,
    WorldSettings,
    calm_world,
    censored_world,
    demo_world,
    department_world,
    tiny_world,
)
from sanhe.sim.whatif import (
    WhatIf,
    compare,
    days_of_cover,
    department_cover,
    gather,
    sanhe,
    what_if,
)
from sanhe.sim.world import World

__all__ = [
    "VELOCITIES",
    "DayView",
    "DaysOfCover",
    "Installation",
    "LiveWorld",
    "OrderLines",
    "OrderUpTo",
    "Outcome",
    "Planner",
    "Policy",
    "Row",
    "VelocityClass",
    "WhatIf",
    "World",
    "WorldSettings",
    "by_class",
    "by_day",
    "calm_world",
    "censored_world",
    "compare",
    "conserved",
    "days_of_cover",
    "demo_world",
    "department_cover",
    "department_world",
    "disturbed",
    "forged",
    "gather",
    "known_optimum",
    "late",
    "optimal_levels",
    "panel_of",
    "run",
    "sanhe",
    "scarce_levels",
    "simulate",
    "tiny_world",
    "totals",
    "view_after",
    "what_if",
    "with_revisions",
]
