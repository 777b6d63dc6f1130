"""The words of a replenishment: its reason in one sentence, and what each term means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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


def reason(terms: Mapping[str, int], quantity: int, *, days: float, case_size: int) -> str:
    """One plain sentence that adds up to the quantity.

    >>> reason({"demand_over_cover": 31, "safety_stock": 8, "on_hand": -10, "on_order": -6,
    ...         "case_rounding": 1}, 24, days=9, case_size=12)
    'Order 24: 31 expected over 9 days + 8 safety - 10 on hand - 6 on order + 1 to fill 2 cases \
of 12.'
    """
    cases = quantity // case_size
    noun = "case" if cases == 1 else "cases"
    parts = (
        ("safety_stock", "safety"),
        ("presentation_top_up", "for the shelf minimum"),
        ("on_hand", "on hand"),
        ("on_order", "on order"),
        ("reserved", "reserved"),
        ("moq_top_up", "to the supplier's minimum"),
        ("case_rounding", f"to fill {cases} {noun} of {case_size}"),
        ("shelf_life_cut", "that would expire"),
        ("budget_cut", "beyond the budget"),
        ("no_order_needed", "beyond the need"),
        ("not_orderable", "that can't be ordered today"),
    )
    text = f"{terms.get('demand_over_cover', 0)} expected over {in_days(days)}"
    for name, words in parts:
        value = terms.get(name, 0)
        if value:
            text += f" {'+' if value > 0 else '-'} {abs(value)} {words}"
    return f"{'Order ' + str(quantity) if quantity else 'No order'}: {text}."


def in_days(days: float) -> str:
    """A number of days in words, to one digit: "1 day", "2.5 days"."""
    whole = f"{days:.1f}".removesuffix(".0")
    return f"{whole} day" if whole == "1" else f"{whole} days"
