"""A second plan of a morning looks only at what new facts touched, and ends as a full one would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sanhe.core.decisions import Decision, Status
from sanhe.core.facts import FACT_SCHEMA
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import Planned, PlanRequest, Sanhe, approve, plan, record_facts
from tests.wiring.files import deliveries
from tests.wiring.installation import installed, opened

FULL = PlanRequest(horizon_days=14, method="same_weekday_mean")
CHANGED = PlanRequest(horizon_days=14, method="same_weekday_mean", changed=True)
EVENING = datetime(2025, 9, 24, 15, 59, tzinfo=UTC)


@pytest.fixture
def sanhe(server: EmbeddedServer, tmp_path: Path) -> Iterator[Sanhe]:
    """The tiny retailer, its facts recorded, nothing planned."""
    with installed(server, tmp_path / "home") as settings, opened(settings) as sanhe:
        record_facts(sanhe, deliveries(), source="sim", actor="importer")
        yield sanhe


def fact(type_: str, **given: object) -> pa.Table:
    """One fact, late in the evening before the plan."""
    row: dict[str, object] = {
        "type": type_,
        "source": "late",
        "external_id": f"{type_} {given}",
        "revision": 0,
        "event_at": EVENING,
        "day": EVENING.date(),
        "payload": "{}",
        **given,
    }
    columns = {name: [row.get(name)] for name in FACT_SCHEMA.names}
    return pa.table(columns, schema=FACT_SCHEMA)


def counted(sku: str, place: str, quantity: int) -> pa.Table:
    return fact("stock.counted", sku=sku, place=place, quantity=quantity)


def told(sanhe: Sanhe, table: pa.Table) -> None:
    record_facts(sanhe, {"late": table}, source="late", actor="importer")


def planned(sanhe: Sanhe, request: PlanRequest) -> Planned:
    return plan(sanhe, request, actor="planner")


def undecided(sanhe: Sanhe) -> dict[tuple[str | None, str | None], tuple[int, ...]]:
    """The terms of what is proposed, by SKU and place."""
    with sanhe.work(actor="auditor") as work:
        found = work.decisions.find(statuses={Status.PROPOSED}, limit=10_000)
    return {(d.proposal.subject.sku, d.proposal.subject.place): d.proposal.terms for d in found}


def largest(sanhe: Sanhe) -> Decision:
    with sanhe.work(actor="auditor") as work:
        return work.decisions.find(statuses={Status.PROPOSED}, limit=1)[0]


def test_a_new_count_replaces_the_proposal_of_its_line_alone(
    sanhe: Sanhe, server: EmbeddedServer, tmp_path: Path
) -> None:
    planned(sanhe, FULL)
    first, before = largest(sanhe), undecided(sanhe)
    sku, place = first.proposal.subject.sku, first.proposal.subject.place
    assert sku is not None and place is not None
    told(sanhe, counted(sku, place, 1))
    again = planned(sanhe, CHANGED)
    assert (again.plan.considered, again.plan.proposed, again.plan.replaced) == (1, 1, 1)
    assert again.refreshed == 1, "a count may tell of an empty shelf, so demand is looked at too"
    after = undecided(sanhe)
    assert {key for key in after if after[key] != before.get(key)} == {(sku, place)}
    with sanhe.work(actor="auditor") as work:
        assert work.decisions.get(first.number).status is Status.EXPIRED
    # What a full plan makes of the same facts is the same.
    with installed(server, tmp_path / "fresh") as settings, opened(settings) as fresh:
        record_facts(fresh, deliveries(), source="sim", actor="importer")
        told(fresh, counted(sku, place, 1))
        planned(fresh, FULL)
        assert undecided(fresh) == after


def test_nothing_new_is_nothing_to_do(sanhe: Sanhe) -> None:
    first = planned(sanhe, CHANGED)
    assert first.plan.considered == first.series, "there was no plan before: all lines"
    before = undecided(sanhe)
    again = planned(sanhe, CHANGED)
    assert (again.plan.considered, again.plan.replaced, again.refreshed) == (0, 0, 0)
    assert undecided(sanhe) == before


def test_what_a_person_decided_stays(sanhe: Sanhe) -> None:
    planned(sanhe, FULL)
    first = largest(sanhe)
    sku, place = first.proposal.subject.sku, first.proposal.subject.place
    assert sku is not None and place is not None
    approve(sanhe, [first.number], reason="as proposed", actor="planner")
    told(sanhe, counted(sku, place, 1))
    again = planned(sanhe, CHANGED)
    assert (again.plan.considered, again.plan.replaced) == (1, 0)
    with sanhe.work(actor="auditor") as work:
        assert work.decisions.get(first.number).status is not Status.EXPIRED


def test_a_need_that_is_gone_closes_its_proposal(sanhe: Sanhe) -> None:
    planned(sanhe, FULL)
    first = largest(sanhe)
    sku, place = first.proposal.subject.sku, first.proposal.subject.place
    assert sku is not None and place is not None
    told(sanhe, counted(sku, place, 100_000))
    again = planned(sanhe, CHANGED)
    assert (again.plan.proposed, again.plan.replaced, again.plan.no_order_needed) == (0, 1, 1)
    assert (sku, place) not in undecided(sanhe)


@pytest.mark.parametrize("wide", ["sku", "place", "everywhere"])
def test_a_fact_touches_all_lines_it_speaks_of(sanhe: Sanhe, wide: str) -> None:
    first = planned(sanhe, FULL)
    keys = sanhe.demand.run(first.forecast_run).keys.to_pylist()
    of_sku = [key for key in keys if key["sku"] == "SKU-0001"]
    of_place = [key for key in keys if key["place"] == "ST-001"]
    touching, expected = {
        "sku": (fact("price.set", sku="SKU-0001", amount_cents=999), len(of_sku)),
        "place": (
            fact("weather.observed", place="ST-001", payload='{"temperature_c": 20.0}'),
            len(of_place),
        ),
        "everywhere": (
            fact("holiday.declared", payload='{"name": "Fair", "kind": "public"}'),
            len(keys),
        ),
    }[wide]
    assert expected > 1
    told(sanhe, touching)
    again = planned(sanhe, CHANGED)
    assert (again.plan.considered, again.refreshed) == (expected, expected)


def test_another_morning_policy_or_budget_looks_at_all_lines(sanhe: Sanhe, tmp_path: Path) -> None:
    first = planned(sanhe, FULL)
    policy = tmp_path / "policy.toml"
    policy.write_text("[service]\nhighest = 0.9\n", "utf-8")
    last = sanhe.demand.last_sale_day()
    assert last is not None
    for other in (
        {"as_of": last},
        {"policy": policy},
        {"budget_cents": 1_000_000},
        {"horizon_days": 21},
    ):
        assert planned(sanhe, replace(CHANGED, **other)).plan.considered >= first.series - 5, other
