"""sanhe gains where there is something to gain, and does no harm where there is nothing."""

from __future__ import annotations

from dataclasses import replace

from sanhe.sim import calm_world, demo_world, known_optimum, what_if


def test_the_old_policy_is_beaten_on_stock_and_on_service() -> None:
    settings = replace(demo_world(), stores=5, skus=60, history_days=150)
    told = what_if(settings, weeks=6, seeds=(1, 2))
    days, fill = told.row("inventory_days"), told.row("fill_rate")
    assert (days.verdict, told.verdict) == ("better", "better")
    assert days.new < 0.85 * days.old
    assert fill.new > fill.old
    assert told.row("waste").verdict != "worse"


def test_nothing_is_gained_and_no_harm_is_done_near_the_optimum() -> None:
    settings = replace(calm_world(), history_days=150)
    told = what_if(settings, weeks=6, seeds=(1, 2), old=known_optimum)
    profit, sales = told.row("profit"), told.row("sales")
    assert told.verdict == "about the same"
    assert abs(profit.difference) < 0.005 * profit.old
    assert abs(sales.difference) < 0.005 * sales.old
    assert abs(told.row("inventory_days").difference) < 0.25
    assert told.row("fill_rate").difference > -0.006
