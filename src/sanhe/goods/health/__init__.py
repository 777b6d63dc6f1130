"""Inventory health (库存健康): which stock earns, which is regular, which is old or dead.

Systems: S25.
Commands: sanhe health, sanhe report.

Inputs: sales, receipts and counts from the lake, stock positions, cost and price. Decides the
class of each SKU × place: ABC by margin (by revenue or quantity where margin is not known, and
says so), XYZ by the regularity of demand, dead stock by age. Outputs: a table and a matrix; the
label ("AX") steers review days, shelf minimum and auto-approval of replenishment.
"""

from sanhe.goods.health.assessment import Window, assess, matrix
from sanhe.goods.health.health import WINDOW_DAYS, Health
from sanhe.goods.health.rules import BASES, PATTERNS, Cuts

__all__ = [
    "BASES",
    "PATTERNS",
    "WINDOW_DAYS",
    "Cuts",
    "Health",
    "Window",
    "assess",
    "matrix",
]
