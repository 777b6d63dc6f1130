"""The words of a replenishment: its reason in one sentence, and what each term means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

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
    "on_order": "less open orders",
    "reserved": "plus stock reserved for others",
    "moq_top_up": "raised to the supplier's minimum",
    "case_rounding": "rounded up to full cases",
    "shelf_life_cut": "cut to what sells before it expires",
    "budget_cut": "cut by the budget",
    "no_order_needed": "stock and open orders are enough",
    "not_orderable": "can't be ordered today",
}
"""What each term means to a person, in the order of the arithmetic."""

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
}
"""What each assumed input means to a person."""

CAUSE_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "forecast": ("forecast", "预测"),
    "lead_time": ("lead time", "提前期"),
    "order_days": ("days between orders", "订货间隔"),
    "service_level": ("service level", "服务水平"),
    "presentation_top_up": ("shelf minimum", "陈列下限"),
    "on_hand": ("stock on hand", "现有库存"),
    "on_order": ("open orders", "在途订单"),
    "reserved": ("reserved stock", "预留库存"),
    "moq_top_up": ("supplier's minimum", "起订量"),
    "case_rounding": ("full cases", "整箱取整"),
    "shelf_life_cut": ("shelf life", "保质期"),
    "budget_cut": ("budget", "预算"),
    "no_order_needed": ("stock beyond the need", "超出需求的库存"),
    "not_orderable": ("can't be ordered that day", "当日不可订"),
    "new_line": ("new in the plan", "新进计划"),
    "dropped_line": ("no longer in the plan", "不在计划内"),
}
"""What each cause of a change of the plan means to a person, in English and Chinese."""


_PARTS: Final = (
    ("safety_stock", "safety"),
    ("presentation_top_up", "for the shelf minimum"),
    ("on_hand", "on hand"),
    ("on_order", "on order"),
    ("reserved", "reserved"),
    ("moq_top_up", "to the supplier's minimum"),
    ("case_rounding", "to fill"),
    ("shelf_life_cut", "that would expire"),
    ("budget_cut", "beyond the budget"),
    ("no_order_needed", "beyond the need"),
    ("not_orderable", "that can't be ordered today"),
)


def reasons(terms: Ints, *, days: Floats, case_size: Ints) -> pa.StringArray:
    """One plain sentence for each of N lines that adds up to its quantity.

    `terms` [N, len(TERMS)], `days` that the order has to last and `case_size` [N].

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
        part = _joined(_choose(value > 0, " + ", " - "), np.abs(value), f" {words}")
        if name == "case_rounding":
            part = _joined(part, _cases(quantity // case_size, case_size))
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
