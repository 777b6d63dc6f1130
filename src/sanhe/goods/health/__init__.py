"""Inventory health (库存健康): which stock earns, which is regular, which is old or dead.

Systems: S25.
Commands: sanhe health, sanhe report.

Inputs: sales, receipts and counts from the lake, stock positions, cost, price and shelf life.
Decides the class of each SKU × place: ABC by margin (by revenue or quantity where margin is not
known, and says so), XYZ by the regularity of demand, H, M, L by margin rate, 0 to 4 by the age
of what lies there. Outputs: a table with the money that is old, dead, too much or about to
expire; its sums by class, age and cover; the moves between classes from day to day. The label
("AXH1") steers service bounds, review days, shelf minimum and auto-approval of replenishment.
"""

from sanhe.goods.health.assessment import Window, Yardsticks, assess
from sanhe.goods.health.health import WINDOW_DAYS, Health
from sanhe.goods.health.layers import BUCKETS
from sanhe.goods.health.moves import Moves
from sanhe.goods.health.rules import BASES, PATTERNS, Cuts
from sanhe.goods.health.summaries import (
    COVER_BARS,
    COVER_DAYS,
    ageing,
    cover,
    matrix,
    of_class,
    slow,
)

__all__ = [
    "BASES",
    "BUCKETS",
    "COVER_BARS",
    "COVER_DAYS",
    "PATTERNS",
    "WINDOW_DAYS",
    "Cuts",
    "Health",
    "Moves",
    "Window",
    "Yardsticks",
    "ageing",
    "assess",
    "cover",
    "matrix",
    "of_class",
    "slow",
]
