"""Replay (回放): what a policy would have done with the retailer's own past, before it is applied.

Systems: S3, S25.
Commands: sanhe replay.

Inputs: the demand of past weeks (sales with stock-outs taken out), the terms, money and stock as
goods.replenish knows them, two policies. Decides nothing; shows days of stock, fill rate, lost
sales, waste, orders and money of both, in all and by class, with intervals over seeds (the seeds
draw how late deliveries come). The product's own policy orders with the forecast and the rules of
the product, from what was known on each morning.
"""

from sanhe.goods.replay.past import Past, past_of, with_terms
from sanhe.goods.replay.product import ProductRule
from sanhe.goods.replay.tables import Point, Replayed, class_rows, day_rows, point, replayed

__all__ = [
    "Past",
    "Point",
    "ProductRule",
    "Replayed",
    "class_rows",
    "day_rows",
    "past_of",
    "point",
    "replayed",
    "with_terms",
]
