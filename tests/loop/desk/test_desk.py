"""The desk of a planned installation: rows, sums, pages and filters agree with their sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sanhe.core.decisions import Status
from sanhe.core.errors import BadInput, NotFound
from sanhe.core.lake import MemoryLake
from sanhe.core.storage import EmbeddedServer
from sanhe.goods.health import ageing, cover
from sanhe.goods.replenish import TERMS
from sanhe.loop.desk import Desk, Filters
from sanhe.wiring import PlanRequest, Sanhe, health, plan, record_facts
from tests.wiring.files import deliveries
from tests.wiring.installation import installed, opened

REQUEST = PlanRequest(horizon_days=14, method="same_weekday_mean")
PLANNED_DAY = date(2025, 9, 25)


@pytest.fixture(scope="module")
def retailer(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sanhe]:
    """The tiny retailer, planned two mornings in a row."""
    home: Path = tmp_path_factory.mktemp("desk")
    with installed(server, home) as settings, opened(settings) as sanhe:
        record_facts(sanhe, deliveries(), source="sim", actor="importer")
        for back in (1, 0, 2):  # a plan for an earlier morning is not laid out
            as_of = PLANNED_DAY - timedelta(days=back)
            plan(sanhe, replace(REQUEST, as_of=as_of), actor="planner")
        yield sanhe


def rows(desk: Desk, filters: Filters, **asked: Any) -> list[dict[str, Any]]:
    """The rows of one page."""
    found: list[dict[str, Any]] = desk.lines(filters, **asked).rows.to_pylist()
    return found


def test_a_line_shows_the_quantity_its_decision_has(retailer: Sanhe) -> None:
    desk = Desk(retailer.lake)
    with retailer.work(actor="auditor") as work:
        decisions = work.decisions.find(kind="replenish", statuses={Status.PROPOSED}, limit=10_000)
    assert len(decisions) >= 5
    for decision in decisions:
        subject = decision.proposal.subject
        line = desk.line(subject.sku or "", subject.place or "")
        if line["quantity"]:
            assert line["quantity"] == decision.value
            assert line["value_cents"] == pytest.approx(decision.proposal.value_cents, abs=1)


def test_terms_add_up_and_no_line_is_missing(retailer: Sanhe) -> None:
    desk = Desk(retailer.lake)
    found = [desk.line(row["sku"], row["place"]) for row in rows(desk, Filters(), limit=500)]
    assert all(row["quantity"] == sum(row[f"term_{name}"] for name in TERMS) for row in found)
    assert desk.scopes().as_of == PLANNED_DAY
    run = retailer.demand.latest()
    assert {(row["sku"], row["place"]) for row in found} >= {
        (key["sku"], key["place"]) for key in run.keys.to_pylist()
    }


def test_what_is_ordered_is_not_too_much(retailer: Sanhe) -> None:
    whole = Desk(retailer.lake).export(Filters()).to_pylist()
    assert [row for row in whole if row["quantity"] and row["excess_cents"]] == []
    assert sum(row["excess_cents"] or 0 for row in whole) > 0


def test_pages_put_together_are_the_whole_list(retailer: Sanhe) -> None:
    desk = Desk(retailer.lake)
    for sort in ("value_cents", "cover_days", "item_name"):
        whole = desk.export(Filters(), sort=sort).to_pylist()
        pages = [
            row
            for offset in range(0, len(whole), 7)
            for row in rows(desk, Filters(), sort=sort, offset=offset, limit=7)
        ]
        assert pages == whole and len(whole) == desk.lines(Filters(), limit=1).total
    by_value = desk.export(Filters(), sort="quantity").to_pylist()
    assert by_value == sorted(
        by_value, key=lambda row: (-row["quantity"], row["sku"], row["place"])
    )


class Replanned(MemoryLake):
    """A lake in which another process lays out a plan after the first query."""

    def __init__(self, now: pa.Table, later: pa.Table) -> None:
        super().__init__()
        self.write("desk/lines", now, details={"as_of": "2025-09-25", "form": 2})
        self.later: pa.Table | None = later

    def query(self, *asked: Any, **more: Any) -> pa.Table:
        """As ever, and then the other plan."""
        found = super().query(*asked, **more)
        if self.later is not None:
            self.write("desk/lines", self.later, details={"as_of": "2025-09-26", "form": 2})
            self.later = None
        return found


def test_a_page_never_mixes_two_plans(retailer: Sanhe) -> None:
    now = retailer.lake.read("desk/lines")
    at = now.column_names.index("value_cents")
    value = now["value_cents"].to_pylist()
    later = now.set_column(at, "value_cents", pa.array([10**9 - one for one in value]))
    page = Desk(Replanned(now, later)).lines(Filters(), limit=500)
    told = page.rows["value_cents"].to_pylist()
    assert told == sorted((10**9 - one for one in value), reverse=True)
    assert page.as_of == date(2025, 9, 26)
    # Without another look, the later rows would stand in the earlier order.
    assert told[::-1] == sorted(told) and value != sorted(value) and len(set(value)) > 2


def test_lines_of_an_earlier_form_are_as_none(retailer: Sanhe) -> None:
    lake = MemoryLake()
    lake.write("desk/lines", retailer.lake.read("desk/lines"), details={"as_of": "2025-09-25"})
    assert Desk(lake).is_news(date(2025, 9, 25))
    with pytest.raises(NotFound, match="sanhe plan"):
        Desk(lake).lines(Filters())


def test_filters_keep_what_a_plain_loop_keeps(retailer: Sanhe) -> None:
    desk = Desk(retailer.lake)
    whole = desk.export(Filters()).to_pylist()
    one = whole[0]
    cases = [
        (Filters(place=one["place"]), lambda row: row["place"] == one["place"]),
        (Filters(ordered=True), lambda row: row["quantity"] > 0),
        (Filters(excepted=True), lambda row: row["exception"] is not None),
        (Filters(text=one["sku"].upper()), lambda row: one["sku"].lower() in row["sku"].lower()),
        (Filters(label=one["label"][:1]), lambda row: row["label"].startswith(one["label"][:1])),
        (Filters(text="%"), lambda row: False),
        (Filters(place="' OR 1=1 --"), lambda row: False),
    ]
    for filters, wanted in cases:
        found = desk.export(filters).to_pylist()
        assert found == [row for row in whole if wanted(row)], filters
        assert desk.lines(filters, limit=1).total == len(found)


def test_the_cockpit_adds_up_its_lines(retailer: Sanhe) -> None:
    desk = Desk(retailer.lake)
    whole = [desk.line(r["sku"], r["place"]) for r in desk.export(Filters()).to_pylist()]
    told = desk.cockpit(Filters())
    kpi = {one.name: one for one in told.kpis}
    stock = sum(row["stock_value_cents"] or 0 for row in whole)
    cost = sum((row["forecast_per_day"] or 0) * (row["unit_cost_cents"] or 0) for row in whole)
    assert kpi["inventory_days"].value == pytest.approx(stock / cost)
    counted = [row for row in whole if row["on_hand"] is not None]
    empty = [row for row in counted if row["on_hand"] <= 0 and (row["forecast_per_day"] or 0) > 0]
    assert kpi["stock_out_share"].value == pytest.approx(len(empty) / len(counted))
    assert sum(one["stock_cents"] for one in told.categories) == pytest.approx(stock)
    assert sum(one["stock_cents"] for one in told.regions) == pytest.approx(stock)
    assert told.compared_with == told.as_of - timedelta(days=7)
    excepted = [row for row in whole if row["exception"]]
    assert sum(one.lines for one in told.todo) == len(excepted) > 0
    assert sum(one.value_cents for one in told.todo) == sum(r["exception_cents"] for r in excepted)


def test_the_stock_before_the_first_plan_is_told_back(retailer: Sanhe) -> None:
    desk = Desk(retailer.lake)
    lines = [desk.line(r["sku"], r["place"]) for r in desk.export(Filters()).to_pylist()]
    cost = {(r["sku"], r["place"]): r["unit_cost_cents"] for r in lines if r["on_hand"] is not None}
    first = PLANNED_DAY - timedelta(days=1)
    with retailer.work(actor="auditor") as work:
        facts = work.facts.current(
            ["purchase.received", "stock.moved", "sale.day", "sale.line"]
        ).to_pylist()
    days = {row["day"]: row for row in desk.cockpit(Filters()).days}
    assert set(days) == {PLANNED_DAY - timedelta(days=back) for back in range(30)}
    a_day = sum((r["forecast_per_day"] or 0) * (r["unit_cost_cents"] or 0) for r in lines)
    change = 0.0
    for back in range(1, 4):
        day = first - timedelta(days=back)
        for fact in facts:
            key = (fact["sku"], fact["place"])
            if fact["day"] == day and key in cost:
                sign = -1 if fact["type"].startswith("sale") else 1
                change += sign * fact["quantity"] * cost[key]
        was, now = days[day]["inventory_days"], days[first]["inventory_days"]
        assert was is not None and now is not None and days[day]["fill_rate"] is None
        assert (now - was) * a_day == pytest.approx(change, rel=0.05), day
    assert change != 0


def test_exceptions_come_by_money_and_kind(retailer: Sanhe) -> None:
    desk = Desk(retailer.lake)
    page = desk.exceptions(Filters(), limit=500)
    money = page.rows.column("exception_cents").to_pylist()
    assert money == sorted(money, reverse=True) and len(money) == page.total
    kind = page.rows.column("exception")[0].as_py()
    of_kind = desk.exceptions(Filters(kind=kind), limit=500)
    assert set(of_kind.rows.column("exception").to_pylist()) == {kind}
    assert 0 < of_kind.total <= page.total


def test_stock_by_class_is_that_of_the_health_report(retailer: Sanhe) -> None:
    told = Desk(retailer.lake).stock(Filters())
    lines, cells = health(retailer, actor="auditor", as_of=PLANNED_DAY)
    for mine, theirs in zip(told.cells, cells.to_pylist(), strict=True):
        assert (mine["abc"], mine["xyz"], mine["lines"]) == (
            theirs["abc"],
            theirs["xyz"],
            theirs["lines"],
        )
        for name in ("stock", "dead"):
            assert mine[f"{name}_cents"] == theirs[f"{name}_value_cents"]
        assert mine["excess_cents"] <= theirs["excess_cents"]
    assert [(row["bucket"], row["stock_cents"]) for row in told.ages] == [
        (row["bucket"], row["stock_value_cents"]) for row in ageing(lines).to_pylist()
    ]
    bars = {row["days"]: row for row in cover(lines).to_pylist() if row["lines"]}
    assert sum(bar["lines"] for bar in told.cover) == sum(bar["lines"] for bar in bars.values())
    assert sum(bar["stock_cents"] for bar in told.cover) == pytest.approx(
        sum(bar["stock_value_cents"] for bar in bars.values())
    )


def test_scopes_name_what_the_lines_have(retailer: Sanhe) -> None:
    desk = Desk(retailer.lake)
    whole = desk.export(Filters()).to_pylist()
    scopes = desk.scopes()
    assert {place for _, place in scopes.places} == {row["place"] for row in whole}
    assert set(scopes.labels) == {row["label"] for row in whole}


def test_what_cannot_be_asked_is_refused(retailer: Sanhe) -> None:
    desk = Desk(retailer.lake)
    with pytest.raises(BadInput, match="can't sort by 'sku; DROP'"):
        desk.lines(Filters(), sort="sku; DROP")
    with pytest.raises(BadInput, match="at most 500"):
        desk.lines(Filters(), limit=501)
    with pytest.raises(NotFound, match="no line of"):
        desk.line("nothing", "nowhere")


def test_before_the_first_plan_it_says_what_to_do() -> None:
    desk = Desk(MemoryLake())
    for ask in (lambda: desk.lines(Filters()), lambda: desk.cockpit(Filters()), desk.scopes):
        with pytest.raises(NotFound, match="sanhe plan"):
            ask()
