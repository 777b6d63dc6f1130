"""Exceptions: each kind by hand, and against a plain loop for any lines."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanhe.loop.desk.rules import ACTIONS, KINDS, Judged, exceptions

NAMES = tuple(Judged.__dataclass_fields__)


def judged(*lines: dict[str, float]) -> Judged:
    """Lines in stock, selling 2 a day at 3 cents margin and 5 cost, ordered in 4 days."""
    usual = {
        "on_hand": 100.0,
        "on_order": 0.0,
        "per_day": 2.0,
        "lead_time_days": 4.0,
        "refused": 0.0,
        "unit_cost_cents": 5.0,
        "unit_margin_cents": 3.0,
        "stock_cents": 500.0,
        "excess_cents": 0.0,
        "expiring_cents": 0.0,
        "dead": 0.0,
    }
    columns = {name: np.array([{**usual, **line}[name] for line in lines]) for name in NAMES}
    columns["dead"] = columns["dead"] > 0
    return Judged(**columns)


def told(*lines: dict[str, float]) -> list[tuple[str | None, float]]:
    """Kind and money of each line."""
    kind, cents = exceptions(judged(*lines))
    return [(KINDS[k] if k >= 0 else None, c) for k, c in zip(kind, cents, strict=True)]


def test_each_kind_and_what_it_is_worth() -> None:
    assert told(
        {},
        {"on_hand": 0.0},
        {"on_hand": 3.0, "on_order": 2.0},
        {"refused": 7.0},
        {"expiring_cents": 40.0},
        {"dead": 1.0, "per_day": 0.0},
        {"excess_cents": 90.0},
        {"on_hand": np.nan},
    ) == [
        (None, 0),
        ("stock_out", 2 * 4 * 3),
        ("runs_out", (2 * 4 - 5) * 3),
        ("not_orderable", 21),
        ("expiring", 40),
        ("dead", 500),
        ("excess", 90),
        ("stock_unknown", 2 * 4 * 5),
    ]


def test_the_most_pressing_kind_counts_and_nothing_without_money() -> None:
    assert told(
        {"on_hand": 0.0, "refused": 5.0},
        {"on_hand": 0.0, "unit_margin_cents": np.nan},
        {"on_hand": 0.0, "per_day": 0.0},
        {"dead": 1.0, "excess_cents": 9.0},
    ) == [("stock_out", 24), (None, 0), (None, 0), ("dead", 500)]


def test_every_kind_has_an_action() -> None:
    assert set(ACTIONS) == set(KINDS)


@given(
    st.lists(
        st.fixed_dictionaries(
            {name: st.sampled_from([0.0, 0.4, 1.0, 3.0, 50.0, np.nan]) for name in NAMES}
        ),
        min_size=1,
        max_size=30,
    )
)
def test_no_line_is_judged_by_its_neighbours(lines: list[dict[str, float]]) -> None:
    together = told(*lines)
    assert together == [told(line)[0] for line in lines]
    assert all(cents >= 1 if kind else cents == 0 for kind, cents in together)
