"""Two rules at the same fill: the curve, the fair tuning, and more cover is more of both."""

from __future__ import annotations

import numpy as np
import pytest

from sanhe.models.replay import (
    Cover,
    Grid,
    Played,
    Standing,
    compared_rows,
    cover_rule,
    days_at,
    draw_fates,
    replay,
    standing,
    totals_of,
    tuned_cover,
)
from tests.models.replay.panels import LINES, demand_of, record_of

RECORD = record_of(demand_of(), counted_from=14)
FATES = draw_fates(RECORD, (1, 2))
WEIGHT = RECORD.terms.unit_cost_cents


def played_at(days: float, share: float = 1.0) -> Played:
    """Days of cover for all lines."""
    return replay(RECORD, cover_rule(Cover(np.full(LINES, days), np.array(share))), FATES)


def test_more_cover_is_more_stock_and_no_less_fill_on_steady_demand() -> None:
    points = [standing(played_at(days), WEIGHT) for days in (2, 4, 6, 9, 14, 21)]
    days = np.array([point.days.mean() for point in points])
    fill = np.array([point.fill.mean() for point in points])
    assert (np.diff(days) > 0).all()
    assert (np.diff(fill) >= 0).all()
    assert fill[-1] == 1.0
    assert fill[0] < 0.9, "the sweep must reach where it hurts"


def test_the_curve_is_read_between_its_points_and_not_beyond() -> None:
    curve = [
        Standing(days=np.array([10.0, 8.0]), fill=np.array([0.98, 0.98])),
        Standing(days=np.array([4.0, 2.0]), fill=np.array([0.90, 0.90])),
    ]
    assert days_at(curve, np.array([0.94, 0.90])) == pytest.approx([7.0, 2.0])
    assert np.isnan(days_at(curve, np.array([0.99, 0.5]))).all()


def test_a_rule_at_its_own_fill_needs_its_own_days() -> None:
    curve = [standing(played_at(days), WEIGHT) for days in (3, 5, 8)]
    assert days_at(curve, curve[1].fill) == pytest.approx(curve[1].days)


def test_the_tuned_cover_reaches_the_fill_with_least_stock() -> None:
    group = np.array([0, 0, 0, 1, 1, 1])
    grid = Grid(tuple(np.arange(1.0, 6.0, 0.5)), (0.8, 1.0))
    lead = RECORD.terms.lead_time_days
    cover = tuned_cover(RECORD, FATES, group, protection_days=lead + 1, target_fill=0.95, grid=grid)
    tuned = standing(replay(RECORD, cover_rule(cover), FATES), WEIGHT)
    assert tuned.fill.mean() >= 0.95
    settings = np.column_stack([cover.cover_days / (lead + 1), cover.reorder_share])
    assert all(len(np.unique(settings[group == one], axis=0)) == 1 for one in (0, 1))
    same_for_all = [
        standing(
            replay(RECORD, cover_rule(Cover(multiplier * (lead + 1), np.array(share))), FATES),
            WEIGHT,
        )
        for multiplier in grid.multipliers
        for share in grid.reorder_shares
    ]
    enough = [point.days.mean() for point in same_for_all if point.fill.mean() >= tuned.fill.mean()]
    assert tuned.days.mean() <= min(enough) + 1e-9, "no one setting for all holds less"


def test_a_fill_no_setting_reaches_is_refused() -> None:
    with pytest.raises(ValueError, match="no days of cover reach"):
        tuned_cover(
            RECORD,
            FATES,
            np.zeros(LINES, np.int64),
            protection_days=RECORD.terms.lead_time_days,
            target_fill=0.9999,
            grid=Grid((0.1,)),
        )


def test_a_rule_beside_itself_is_about_the_same_in_every_row() -> None:
    totals = totals_of(played_at(6), RECORD.terms)
    rows = compared_rows(totals, totals)
    assert {row.verdict for row in rows} == {"about the same"}
    assert all(row.difference == 0 for row in rows)


def test_hardly_any_cover_is_worse_and_the_rows_say_so() -> None:
    old, new = (totals_of(played_at(days), RECORD.terms) for days in (8, 1))
    found = {row.metric: row for row in compared_rows(old, new)}
    assert found["fill_rate"].verdict == "worse"
    assert found["profit"].verdict == "worse"
    assert found["inventory_days"].verdict == "better"
    for row in found.values():
        assert row.low <= row.difference <= row.high
