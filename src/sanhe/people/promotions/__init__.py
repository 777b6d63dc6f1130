"""Promotions (促销) and coupons: what a basket costs, and why not less.

Systems: S11.
Commands: sanhe promotion save, sanhe promotion list, sanhe promotion simulate,
sanhe promotion publish, sanhe promotion withdraw.

Inputs: a basket, the promotions of a time, the coupons shown, what may be known of the shopper.
Decides which promotions count, by a hierarchy of stages, a matrix of which may be joined,
exclusive groups, caps and budgets. Outputs: each line's cents with the share of every promotion,
gifts, postage, and for everything refused the rule that refused it and what is missing. It is one
pure function on whole numbers, so that a till without a connection comes to the same cent.
`Promotions` keeps them: drafts, versions, those that are published, and what is left of budgets.
"""

from sanhe.people.promotions.book import Book
from sanhe.people.promotions.checks import Flaw, Names, check, flaws, named, strangers
from sanhe.people.promotions.facts import FACT_TYPES
from sanhe.people.promotions.pricing import Applied, Present, Priced, PricedItem, priced, spread
from sanhe.people.promotions.promotions import (
    PUBLISHING,
    Kept,
    Promotions,
    PromotionState,
    budget_account,
    spent_account,
)
from sanhe.people.promotions.refusals import Refusal, Why
from sanhe.people.promotions.rules import (
    ALL,
    USUAL,
    Asked,
    Bundle,
    BuyGet,
    Coupon,
    FixedPrice,
    FreePostage,
    Gift,
    Goods,
    Item,
    MemberPrice,
    Off,
    Offer,
    Part,
    Percent,
    Promotion,
    Shopper,
    Stacking,
    Step,
)
from sanhe.people.promotions.sentences import LANGUAGES, Language, sentence
from sanhe.people.promotions.written import read, write

__all__ = [
    "ALL",
    "FACT_TYPES",
    "LANGUAGES",
    "PUBLISHING",
    "USUAL",
    "Applied",
    "Asked",
    "Book",
    "Bundle",
    "BuyGet",
    "Coupon",
    "FixedPrice",
    "Flaw",
    "FreePostage",
    "Gift",
    "Goods",
    "Item",
    "Kept",
    "Language",
    "MemberPrice",
    "Names",
    "Off",
    "Offer",
    "Part",
    "Percent",
    "Present",
    "Priced",
    "PricedItem",
    "Promotion",
    "PromotionState",
    "Promotions",
    "Refusal",
    "Shopper",
    "Stacking",
    "Step",
    "Why",
    "budget_account",
    "check",
    "flaws",
    "named",
    "priced",
    "read",
    "sentence",
    "spent_account",
    "spread",
    "strangers",
    "write",
]
