"""The words of a replenishment: its reason in one sentence, and what each term means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.goods.replenish.capacity import CAPACITIES
from sanhe.goods.replenish.matching import Texts
from sanhe.goods.replenish.rules import TERMS
from sanhe.models.inventory import Bools, Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

TERM_WORDS: Final[Mapping[str, str]] = {
    "demand_over_cover": "expected demand until the next order arrives",
    "safety_stock": "safety stock for the uncertain part of demand and lead time",
    "presentation_top_up": "shelf minimum above the safety stock",
    "on_hand": "less stock on hand",
    "expiring": "plus stock that expires before it is sold",
    "on_order": "less open orders",
    "transferred_in": "less what other places give (transfer)",
    "reserved": "plus stock reserved for others",
    "leaving": "plus stock that leaves for other places",
    "downstream_gap": "plus what the places it supplies lack of their levels, less what is beyond",
    "moq_top_up": "raised to the supplier's minimum",
    "case_rounding": "rounded up to full cases",
    "shelf_life_cut": "cut to what sells before it expires",
    "capacity_cut": "cut by budget, trucks, pallets or the warehouse's stock",
    "no_order_needed": "stock and open orders are enough",
    "not_orderable": "can't be ordered today",
    "minimum_added": "brought forward for the supplier's minimum",
}
"""What each term means to a person, in the order in which the arithmetic is read."""

ASSUMED_WORDS: Final[Mapping[str, str]] = {
    "on_hand": "stock was never counted: assumed from days of demand",
    "unit_cost_cents": "no cost known: taken from the price or the assumptions",
    "margin": "no price known: margin rate assumed",
    "tax_rate": "tax inside the price assumed",
    "supplier": "no supply agreed: supplier assumed",
    "lead_time_days": "no lead time agreed: assumed",
    "lead_time_sd_days": "too few deliveries to measure how much the lead time varies: assumed",
    "moq": "no minimum quantity agreed: assumed",
    "case_size": "no case size known: assumed",
    "case_weight": "no case weight known: counts as none on the truck",
    "case_volume": "no case volume known: counts as none on the truck",
    "cases_per_pallet": "not known how many cases a pallet holds: counts as none",
}
"""What each assumed input means to a person."""

CAUSE_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "forecast": ("forecast", "预测"),
    "lead_time": ("lead time", "提前期"),
    "order_days": ("days between orders", "订货间隔"),
    "service_level": ("service level", "服务水平"),
    "presentation_top_up": ("shelf minimum", "陈列下限"),
    "on_hand": ("stock on hand", "现有库存"),
    "expiring": ("stock that expires unsold", "临期不可售库存"),
    "on_order": ("open orders", "在途订单"),
    "reserved": ("reserved stock", "预留库存"),
    "transferred_in": ("transfers from other places", "调入"),
    "leaving": ("stock that leaves for other places", "调出"),
    "downstream_gap": ("stock of the places it supplies", "下级网点库存"),
    "moq_top_up": ("supplier's minimum", "起订量"),
    "case_rounding": ("full cases", "整箱取整"),
    "shelf_life_cut": ("shelf life", "保质期"),
    "capacity_cut": ("budget, trucks, pallets, warehouse", "预算、车辆、托盘、仓库"),
    "no_order_needed": ("stock beyond the need", "超出需求的库存"),
    "not_orderable": ("can't be ordered that day", "当日不可订"),
    "minimum_added": ("order filled up to the supplier's minimum", "为起订额补足"),
    "new_line": ("new in the plan", "新进计划"),
    "dropped_line": ("no longer in the plan", "不在计划内"),
}
"""What each cause of a change of the plan means to a person, in English and Chinese."""


_PARTS: Final = (
    ("safety_stock", "safety"),
    ("presentation_top_up", "for the shelf minimum"),
    ("on_hand", "on hand"),
    ("expiring", "of it that expires unsold"),
    ("on_order", "on order"),
    ("transferred_in", "by transfer"),
    ("reserved", "reserved"),
    ("leaving", "that leaves for other places"),
    ("downstream_gap", "at the places it supplies"),
    ("moq_top_up", "to the supplier's minimum"),
    ("case_rounding", "to fill"),
    ("shelf_life_cut", "that would expire"),
    ("capacity_cut", "beyond budget, trucks or pallets"),
    ("no_order_needed", "beyond the need"),
    ("not_orderable", "that can't be ordered today"),
    ("minimum_added", "brought forward for the supplier's minimum"),
)

_READ: Final = tuple(TERM_WORDS)
_UP_TO_CASES: Final = [TERMS.index(name) for name in _READ[: _READ.index("case_rounding") + 1]]
"""The terms that add up to the full cases."""

_CUT_BY: Final[Mapping[str, str]] = {
    "budget": "the budget",
    "truck_weight": "the truck's weight",
    "truck_volume": "the truck's room",
    "pallets": "the pallets of the day",
    "source_stock": "the warehouse's stock",
}
_LEFT: Final = ("order_minimum_waits", "order_minimum_unreachable")
_LEFT_WORDS: Final = "left for the next review, below the supplier's minimum"


def reasons(
    terms: Ints, *, days: Floats, case_size: Ints, hits: Mapping[str, Bools] | None = None
) -> pa.StringArray:
    """One plain sentence for each of N lines that adds up to its quantity.

    `terms` [N, len(TERMS)], `days` that the order has to last and `case_size` [N]. `hits` [N] by
    the name of a constraint say which limit cut a line, and why an order was left.

    >>> terms = np.zeros((1, len(TERMS)), np.int64)
    >>> terms[0, [0, 1, 3, 4, 7]] = 31, 8, -10, -6, 1
    >>> reasons(terms, days=np.array([9.0]), case_size=np.array([12]))[0].as_py()
    'Order 24: 31 expected over 9 days + 8 safety - 10 on hand - 6 on order + 1 to fill 2 cases \
of 12.'
    """
    quantity = terms.sum(axis=1)
    ordered = _choose(quantity != 0, _joined("Order ", quantity, ": "), "No order: ")
    text = [_joined(ordered, terms[:, 0], " expected over ", in_days(days))]
    for name, words in _PARTS:
        value = terms[:, TERMS.index(name)]
        if not value.any():
            continue
        said = _said(name, words, hits or {})
        part = _joined(_choose(value > 0, " + ", " - "), np.abs(value), " ", said)
        if name == "case_rounding":
            filled = terms[:, _UP_TO_CASES].sum(axis=1)
            part = _joined(part, _cases(filled // case_size, case_size))
        text.append(_choose(value != 0, part, ""))
    return _joined(*text, ".")


def warnings(cover_days: Floats, arrives_in: Floats, *, ordered: Bools) -> pa.StringArray:
    """What to add where stock may run out before the order arrives, [N]; else nothing."""
    late = np.flatnonzero(cover_days < arrives_in)
    arrives = _choose(ordered[late], ", the order arrives in ", ", an order would arrive in ")
    told = _joined(
        " Stock lasts ", in_days(cover_days[late]), arrives, in_days(arrives_in[late]), "."
    )
    texts = np.full(len(cover_days), "", object)
    texts[late] = told.to_numpy(zero_copy_only=False)
    return _texts(texts)


def _said(name: str, words: str, hits: Mapping[str, Bools]) -> pa.StringArray | str:
    """The words of a term of each line; those of a limit name it."""
    left = [hits[one] for one in _LEFT if one in hits]
    if name == "not_orderable" and left:
        return _choose(np.any(left, axis=0), _LEFT_WORDS, words)
    if name != "capacity_cut" or not hits:
        return words
    cut_by = np.stack([hits[one] for one in CAPACITIES], axis=1)
    distinct, at = np.unique(cut_by, axis=0, return_inverse=True)
    named = [
        "beyond "
        + " and ".join(_CUT_BY[one] for one, cut in zip(CAPACITIES, row, strict=True) if cut)
        for row in distinct.tolist()
    ]
    return _texts(named).take(at.ravel())


def in_days(days: Floats) -> pa.StringArray:
    """Numbers of days in words, to one digit: "1 day", "2.5 days"."""
    distinct, at = np.unique(days, return_inverse=True)
    return _texts([_days(number) for number in distinct.tolist()]).take(at)


def _days(days: float) -> str:
    whole = f"{days:.1f}".removesuffix(".0")
    return f"{whole} day" if whole == "1" else f"{whole} days"


def _cases(cases: Ints, case_size: Ints) -> pa.StringArray:
    return _joined(" ", cases, _choose(cases == 1, " case of ", " cases of "), case_size)


def _joined(*parts: pa.Array | Ints | str) -> pa.StringArray:
    """The parts of each line one after another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [part if isinstance(part, str) else pa.array(part).cast("string") for part in parts]
    return pc.binary_join_element_wise(*texts, "")


def _choose(
    condition: Bools, one: pa.StringArray | str, other: pa.StringArray | str
) -> pa.StringArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pa.array(condition), one, other)


def _texts(values: Sequence[str] | Texts) -> pa.StringArray:
    import pyarrow as pa

    return pa.array(values, pa.string())
