"""The margin guard (毛利护栏): what a promotion would have done, before it is published.

Systems: S11.

Inputs: a promotion, those that hold, receipts of the last 90 days, costs and taxes. Decides
nothing by itself: it proposes to publish, with the evidence. Outputs: whom it reaches, what it
takes off, the margin if nobody buys more and how much more has to be bought, the promotions it
displaces and the goods it may take sales from.
"""

from sanhe.loop.promoting.evidence import Evidence, Part, PastBasket, evidence
from sanhe.loop.promoting.promoting import (
    DAYS,
    MOST_BASKETS,
    PUBLISH,
    Given,
    Offered,
    Promoting,
    proposal,
)

__all__ = [
    "DAYS",
    "MOST_BASKETS",
    "PUBLISH",
    "Evidence",
    "Given",
    "Offered",
    "Part",
    "PastBasket",
    "Promoting",
    "evidence",
    "proposal",
]
