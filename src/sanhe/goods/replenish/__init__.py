"""Replenishment (补货): how much of what to order where, as decisions whose arithmetic adds up.

Systems: S3.
Commands: sanhe plan, sanhe explain, sanhe changes, sanhe approve, sanhe edit,
sanhe reject, sanhe snooze.

Inputs: a forecast run (goods.demand), stock, its lots by expiry, open orders, supply terms,
prices and classes as tables, the order policy and the assumptions file. Decides the quantity of
each SKU × place: demand over review + lead time + safety - on hand + what of it expires unsold -
on order + reserved, then minimum quantity, full cases, shelf life, the supplier's order days;
then what lines share: budget, trucks, pallets, order minimums. Before anything is bought, what
one place does not need covers what another one needs, where that saves money. Outputs: decisions
of the kinds `replenish` and `transfer`, at most one of each open for each SKU × place; approved
ones become purchase orders and transfer orders.
"""

from sanhe.goods.replenish.assumptions import Assumptions
from sanhe.goods.replenish.chain import warehouses, with_warehouses
from sanhe.goods.replenish.changes import (
    CAUSES,
    CauseSum,
    ChangedLine,
    Changes,
    compare,
    keep_plan_lines,
    kept_plan_lines,
    plan_changes,
)
from sanhe.goods.replenish.classes import LETTERS, check_class
from sanhe.goods.replenish.explain import ExplainedTerm, Explanation, explained_terms, terms_of
from sanhe.goods.replenish.lines import Lines, Minimum, Shared
from sanhe.goods.replenish.matching import Matched, by_priority
from sanhe.goods.replenish.money import UnitMoney, unit_money
from sanhe.goods.replenish.moving import Moving
from sanhe.goods.replenish.policy import KIND, ORDERING, TRANSFER, Policy
from sanhe.goods.replenish.ports import Forecast, Known
from sanhe.goods.replenish.prepared import Prepared, prepare
from sanhe.goods.replenish.replenish import (
    DECISION_KIND,
    STALE,
    Executed,
    Orders,
    Plan,
    Replenish,
)
from sanhe.goods.replenish.rules import CONSTRAINTS, TERMS, Outcome, compute
from sanhe.goods.replenish.told import Setting, settings_of
from sanhe.goods.replenish.transfers import (
    TRANSFER_KIND,
    TRANSFER_TERMS,
    TRANSFER_WORDS,
    Transfers,
    planned_transfers,
    with_transfers,
)
from sanhe.goods.replenish.words import ASSUMED_WORDS, CAUSE_WORDS, TERM_WORDS

__all__ = [
    "ASSUMED_WORDS",
    "CAUSES",
    "CAUSE_WORDS",
    "CONSTRAINTS",
    "DECISION_KIND",
    "KIND",
    "LETTERS",
    "ORDERING",
    "STALE",
    "TERMS",
    "TERM_WORDS",
    "TRANSFER",
    "TRANSFER_KIND",
    "TRANSFER_TERMS",
    "TRANSFER_WORDS",
    "Assumptions",
    "CauseSum",
    "ChangedLine",
    "Changes",
    "Executed",
    "ExplainedTerm",
    "Explanation",
    "Forecast",
    "Known",
    "Lines",
    "Matched",
    "Minimum",
    "Moving",
    "Orders",
    "Outcome",
    "Plan",
    "Policy",
    "Prepared",
    "Replenish",
    "Setting",
    "Shared",
    "Transfers",
    "UnitMoney",
    "by_priority",
    "check_class",
    "compare",
    "compute",
    "explained_terms",
    "keep_plan_lines",
    "kept_plan_lines",
    "plan_changes",
    "planned_transfers",
    "prepare",
    "settings_of",
    "terms_of",
    "unit_money",
    "warehouses",
    "with_transfers",
    "with_warehouses",
]
