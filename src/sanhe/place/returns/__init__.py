"""Returns (退货): goods that come back are looked at, paid back once, and are where they belong.

Systems: S14, S30.

Inputs: what shoppers ask to bring back, what arrives at which store, what is found of it. Decides
what may come back: no more than was handed over. Outputs: a task to look at it, the refund with
its amount for each line, `stock.moved` facts: sellable goods are in stock at the place that has
them, the rest is told with its reason.
"""

from sanhe.place.returns.facts import SOURCE
from sanhe.place.returns.returns import Asked, Returns
from sanhe.place.returns.rules import (
    WAITING,
    WAYS,
    Return,
    ReturnLine,
    ReturnState,
    Verdict,
    return_of,
    returnable,
)

__all__ = [
    "SOURCE",
    "WAITING",
    "WAYS",
    "Asked",
    "Return",
    "ReturnLine",
    "ReturnState",
    "Returns",
    "Verdict",
    "return_of",
    "returnable",
]
