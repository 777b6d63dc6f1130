"""What changed since yesterday, through the façade and at the terminal: two mornings in a row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import PlanRequest, Sanhe, approve, explain_line, plan, plan_changes, record_facts
from tests.wiring.files import deliveries
from tests.wiring.installation import MORNING, Terminal, installed, opened
from tests.wiring.test_changed import counted, told

DAY = MORNING.date()
METHOD = "same_weekday_mean"


def request(days_later: int = 0, *, changed: bool = False) -> PlanRequest:
    return PlanRequest(
        as_of=DAY + timedelta(days=days_later), horizon_days=14, method=METHOD, changed=changed
    )


@pytest.fixture(scope="module")
def two_mornings(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The tiny retailer, planned on two mornings; the largest proposal was ordered between."""
    with installed(server, tmp_path_factory.mktemp("home")) as settings:
        with opened(settings) as sanhe:
            record_facts(sanhe, deliveries(), source="sim", actor="importer")
            plan(sanhe, request(), actor="planner")
            largest = ordered(sanhe)
            approve(sanhe, [largest[0]], reason="as proposed", actor="planner")
            run_jobs_of(sanhe)
            plan(sanhe, request(1, changed=True), actor="planner")
        yield settings


def ordered(sanhe: Sanhe) -> tuple[int, str, str]:
    """The number, SKU and place of the decision with the most money at stake."""
    with sanhe.work(actor="auditor") as work:
        (decision,) = work.decisions.find(limit=1)
    subject = decision.proposal.subject
    return decision.number, subject.sku or "", subject.place or ""


def run_jobs_of(sanhe: Sanhe) -> None:
    from sanhe.wiring import run_jobs

    assert run_jobs(sanhe)


def test_what_was_ordered_yesterday_is_why_less_is_ordered_today(two_mornings: Settings) -> None:
    with opened(two_mornings) as sanhe:
        number, sku, place = ordered(sanhe)
        with sanhe.work(actor="auditor") as work:
            quantity = work.decisions.get(number).value
        found = plan_changes(sanhe)
        (line,) = plan_changes(sanhe, sku=sku, place=place).lines
        now = explain_line(sanhe, sku=sku, place=place, actor="auditor")
    assert (found.from_day, found.to_day) == (DAY, DAY + timedelta(days=1))
    assert found.compared >= found.more + found.fewer > 0
    assert all(sum(each.causes.values()) == each.change for each in found.lines)
    assert (line.before, line.after) == (quantity, now.quantity)
    assert line.causes["on_order"] == -quantity


def test_lines_planned_again_that_day_are_compared_as_they_stand(two_mornings: Settings) -> None:
    with opened(two_mornings) as sanhe:
        _, sku, place = ordered(sanhe)
        before = plan_changes(sanhe)
        told(sanhe, counted(sku, place, 100_000))
        plan(sanhe, request(1, changed=True), actor="planner")
        after = plan_changes(sanhe)
        (line,) = plan_changes(sanhe, sku=sku, place=place).lines
    assert after.compared == before.compared
    assert line.after == 0
    assert line.causes["on_hand"] < -90_000


def test_the_terminal_tells_it_in_words_and_json(two_mornings: Settings) -> None:
    terminal = Terminal(two_mornings)
    found = terminal.asked("changes")
    assert found["from_day"] == DAY.isoformat()
    assert all(sum(line["causes"].values()) == line["change"] for line in found["lines"])
    shown = terminal.well("changes", "--limit", 3).out
    changed = found["more"] + found["fewer"]
    assert f"of {found['compared']:,} lines {found['more']:,} order more" in shown
    assert f"3 of {changed:,} lines, most money first" in shown
    assert "open orders" in shown
    assert "在途订单" in shown
    line = found["lines"][0]
    one = terminal.asked("changes", "--sku", line["sku"], "--place", line["place"])
    assert one["lines"] == [line]
    assert len(terminal.asked("changes", "--limit", 0)["lines"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from", "2020-01-01"), "no plan is kept of 2020-01-01"),
        (("--to", DAY.isoformat()), "plan on two mornings"),
        (("--sku", "nothing"), "nothing is in neither plan"),
    ],
)
def test_what_can_not_be_compared_is_refused(
    two_mornings: Settings, words: tuple[str, ...], message: str
) -> None:
    ended = Terminal(two_mornings)("changes", *words)
    assert ended.code == 3
    assert message in " ".join(ended.err.split())


def test_without_a_plan_there_is_nothing_to_compare(server: EmbeddedServer, tmp_path: Path) -> None:
    with installed(server, tmp_path / "home") as settings:
        assert Terminal(settings)("changes").code == 3


def test_a_kept_plan_has_every_line_and_its_terms(two_mornings: Settings) -> None:
    with opened(two_mornings) as sanhe:
        names = [name for name in sanhe.lake.tables() if name.startswith("plan/")]
        lines: pa.Table = sanhe.lake.read(f"plan/{DAY.isoformat()}/0")
        keys = sanhe.demand.latest().keys
    assert lines.num_rows == keys.num_rows
    assert any(name.startswith(f"plan/{(DAY + timedelta(days=1)).isoformat()}/") for name in names)
