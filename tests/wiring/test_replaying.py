"""Replaying the tiny retailer's own past: two policies, a changed class, a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from sanhe.core.errors import BadInput
from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import ReplayRequest, Sanhe, record_facts, replay_past, replay_sweep
from sanhe.wiring.replaying import Sweep
from tests.wiring.files import deliveries
from tests.wiring.installation import Terminal, installed, opened

REQUEST = ReplayRequest(weeks=3, settle_weeks=1, seeds=2, method="same_weekday_mean")
SMALL = ("--weeks", 3, "--settle-weeks", 1, "--seeds", 2, "--method", "same_weekday_mean")


@pytest.fixture(scope="module")
def retailer(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The tiny retailer, recorded. A replay changes nothing, so all tests share it."""
    with installed(server, tmp_path_factory.mktemp("home")) as settings:
        with opened(settings) as sanhe:
            record_facts(sanhe, deliveries(), source="sim", actor="importer")
        yield settings


@pytest.fixture
def sanhe(retailer: Settings) -> Iterator[Sanhe]:
    with opened(retailer) as found:
        yield found


def test_days_of_cover_against_the_shipped_policy(sanhe: Sanhe) -> None:
    told = replay_past(sanhe, REQUEST, actor="planner")
    assert (told.first_day, told.last_day) == (date(2025, 9, 4), date(2025, 9, 24))
    assert (told.old, told.new) == ("30 days of cover", "new policy")
    assert told.lines > 40
    days = told.row("inventory_days")
    assert 0 < days.new < days.old, "30 days of cover hold more"
    assert told.row("fill_rate").new > 0.9
    assert len(told.days) == 2 * 21
    lines = dict.fromkeys((told.old, told.new), 0)
    for row in told.classes.to_pylist():
        lines[row["policy"]] += row["lines"]
    assert set(lines.values()) == {told.lines}, "every line is in one class"
    profit = sum(r["profit_cents"] for r in told.classes.to_pylist() if r["policy"] == told.new)
    assert 2 * profit == pytest.approx(told.row("profit").new), "classes are means of two seeds"


def test_it_records_nothing_and_says_the_same_again(sanhe: Sanhe) -> None:
    def state() -> object:
        with sanhe.work(actor="auditor") as work:
            return (work.facts.digest(), work.decisions.find(limit=10), sanhe.lake.tables().keys())

    first = replay_past(sanhe, REQUEST, actor="planner")
    before = state()
    again = replay_past(sanhe, REQUEST, actor="planner")
    assert first.rows == again.rows
    assert first.days.equals(again.days) and first.classes.equals(again.classes)
    assert state() == before


def test_a_policy_against_itself_is_about_the_same(sanhe: Sanhe, tmp_path: Path) -> None:
    same = tmp_path / "same.toml"
    same.write_text("[review]\ndays = 1\n")
    told = replay_past(sanhe, replace(REQUEST, against=str(same)), actor="planner")
    assert {row.verdict for row in told.rows} == {"about the same"}
    assert all(row.difference == 0 for row in told.rows)


def test_a_changed_class_changes_its_lines_and_no_others(sanhe: Sanhe) -> None:
    named = replay_past(sanhe, REQUEST, actor="planner").classes.column("class").to_pylist()
    label = next(name for name in named if name != "none")
    told = replay_past(sanhe, replace(REQUEST, label=label, review_days=14), actor="planner")
    rows = {(row["class"], row["policy"]): row for row in told.classes.to_pylist()}
    for (name, policy), row in rows.items():
        if policy == told.new:
            old = {**rows[name, told.old], "policy": policy}
            assert (row == old) == (name != label), name
    assert told.row("order_lines").difference < 0, "a longer review orders less often"


def test_a_sweep_of_service_buys_fill_with_stock(sanhe: Sanhe) -> None:
    levels = (0.5, 0.8, 0.95, 0.99)
    points = replay_sweep(sanhe, REQUEST, over="service", values=levels, actor="planner")
    assert [point.value for point in points] == list(levels)
    for name in ("inventory_days", "fill_rate"):
        found = [getattr(point, name) for point in points]
        assert found == sorted(found) and found[0] < found[-1], name


def test_a_longer_lead_time_costs_service_and_profit(sanhe: Sanhe) -> None:
    near, far = replay_sweep(sanhe, REQUEST, over="lead", values=(1, 5), actor="planner")
    assert far.fill_rate < near.fill_rate
    assert far.profit_cents < near.profit_cents


def test_a_larger_minimum_costs_stock(sanhe: Sanhe) -> None:
    small, large = replay_sweep(sanhe, REQUEST, over="moq", values=(1, 60), actor="planner")
    assert large.inventory_days > small.inventory_days


def test_a_longer_review_orders_less_often(sanhe: Sanhe) -> None:
    daily, rare = replay_sweep(sanhe, REQUEST, over="review", values=(1, 14), actor="planner")
    assert rare.order_lines < daily.order_lines / 2


def test_what_can_not_be_replayed_is_refused(sanhe: Sanhe) -> None:
    with pytest.raises(BadInput, match="replay fewer weeks"):
        replay_past(sanhe, replace(REQUEST, weeks=6), actor="planner")
    with pytest.raises(BadInput, match="belong together"):
        ReplayRequest(label="CZ")
    with pytest.raises(BadInput, match="belong together"):
        ReplayRequest(review_days=14)
    with pytest.raises(BadInput, match="weeks is 0"):
        ReplayRequest(weeks=0)
    wrong: tuple[tuple[Sweep, float], ...] = (("review", 0.5), ("lead", 0.0), ("service", 1.5))
    for over, value in wrong:
        with pytest.raises(BadInput):
            replay_sweep(sanhe, REQUEST, over=over, values=(value,), actor="planner")
    with pytest.raises(BadInput, match="settle for 2 weeks"):
        replay_sweep(sanhe, REQUEST, over="lead", values=(1, 14), actor="planner")
    with pytest.raises(BadInput, match="no values"):
        replay_sweep(sanhe, REQUEST, over="review", values=(), actor="planner")


def test_the_command_tells_both_policies(retailer: Settings) -> None:
    terminal = Terminal(retailer)
    told = terminal.asked("replay", *SMALL)
    assert {row["metric"] for row in told["rows"]} >= {"inventory_days", "fill_rate", "waste"}
    assert {row["policy"] for row in told["classes"]} == {"30 days of cover", "new policy"}
    shown = terminal.well("replay", *SMALL, "--class", "A", "--review", 7).out
    assert "Inventory days (days)" in shown and "by class" in shown and "verdict: " in shown
    assert "old policy" in shown and "new policy" in shown


def test_the_command_sweeps_and_refuses_what_it_does_not_know(retailer: Settings) -> None:
    terminal = Terminal(retailer)
    points = terminal.asked("replay", *SMALL, "--sweep", "service", "--values", "0.8,0.95")
    assert [point["value"] for point in points] == [0.8, 0.95]
    shown = terminal.well("replay", *SMALL, "--sweep", "review", "--values", "1,7").out
    assert "sweep of review" in shown
    assert terminal("replay", "--values", "1").code == 2
    assert "no numbers" in terminal("replay", "--sweep", "moq", "--values", "x").err
    assert terminal("replay", *SMALL, "--against", "nowhere.toml").code != 0
