"""Facts of a simulated retailer fit the published types and keep its truth to itself."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from sanhe.core.facts import FACT_SCHEMA
from sanhe.sim import World, demo_world
from tests.sim.worlds import TYPES, tiny, tiny_history


@pytest.fixture(scope="module")
def facts() -> dict[str, pa.Table]:
    """The tiny world's history as facts."""
    return tiny().facts(tiny_history(), counted_days=3)


def test_every_delivery_fits_the_published_types(facts: dict[str, pa.Table]) -> None:
    for name, table in facts.items():
        assert table.schema == FACT_SCHEMA, name
        checked = TYPES.checked(table)
        assert checked.num_rows == table.num_rows
        # Payloads are canonical already: the check changes nothing.
        assert checked["payload"].to_pylist() == table["payload"].to_pylist(), name


def test_every_fact_has_an_id_of_its_own(facts: dict[str, pa.Table]) -> None:
    ids = [name for table in facts.values() for name in table["external_id"].to_pylist()]
    assert len(ids) == len(set(ids))
    assert all(facts[name].num_rows for name in facts if name != "waste")


def test_sales_are_told_and_demand_is_not(facts: dict[str, pa.Table]) -> None:
    outcome, world = tiny_history(), tiny()
    told = sum(facts["sales"]["quantity"].to_pylist())
    assert told == outcome.sales.sum()
    assert told < world.truth.demand[: outcome.days].sum(), "the control: some demand was lost"


def test_days_that_ran_dry_are_marked(facts: dict[str, pa.Table]) -> None:
    outcome, world = tiny_history(), tiny()
    cells = {}
    for row in facts["sales"].to_pylist():
        line = int(world.line_numbers([row["sku"]], [row["place"]])[0])
        cells[world.index(row["day"]), line] = (row["quantity"], json.loads(row["payload"]))
    for day in range(outcome.days):
        for line in range(len(world.lines)):
            if world.lines.listed_from[line] > day:
                assert (day, line) not in cells
            elif (day, line) in cells:
                quantity, payload = cells[day, line]
                assert quantity == outcome.sales[day, line]
                assert payload["opened_empty"] == (outcome.opening[day, line] == 0)
                share = float(outcome.in_stock_share[day, line])
                assert payload["in_stock_share"] == pytest.approx(share, abs=0.0006)
            else:
                assert outcome.sales[day, line] == 0 and outcome.in_stock_share[day, line] == 1


def test_dense_sales_tell_every_line_every_day() -> None:
    world, outcome = tiny(), tiny_history()
    listed = np.arange(outcome.days)[:, None] >= world.lines.listed_from
    assert world.facts(outcome, dense=True)["sales"].num_rows == listed.sum()


def test_counts_and_open_orders_are_the_books(facts: dict[str, pa.Table]) -> None:
    outcome, world = tiny_history(), tiny()
    last = world.settings.last_history_day
    counted = [row for row in facts["stock"].to_pylist() if row["day"] == last]
    assert sum(row["quantity"] for row in counted) == outcome.closing[-1].sum()
    assert len({row["day"] for row in facts["stock"].to_pylist()}) == 3
    closed = {
        (json.loads(row["payload"])["order"], row["sku"]) for row in facts["receipts"].to_pylist()
    }
    still_open = [
        row
        for row in facts["orders"].to_pylist()
        if (json.loads(row["payload"])["order"], row["sku"]) not in closed
    ]
    assert sum(row["quantity"] for row in still_open) == outcome.on_order.sum()
    assert still_open


def test_only_what_is_announced_is_told() -> None:
    world = World(demo_world())
    end = world.settings.history_days
    from sanhe.sim.master_facts import price_facts, promotion_facts

    told = promotion_facts(world, 0, end - 1).to_pylist()
    assert max(row["event_at"].date() for row in told) <= world.settings.last_history_day
    assert any(row["day"] >= world.settings.as_of for row in told), "announced, still to come"
    later = promotion_facts(world, end, world.settings.days - 1).num_rows
    assert later > 0, "the control: more are announced later"
    prices = price_facts(world, 0, end - 1)["day"].to_pylist()
    assert max(prices) <= world.settings.last_history_day


def test_weather_forecasts_err_more_the_further_ahead() -> None:
    world = World(demo_world())
    from sanhe.sim.master_facts import weather_facts

    errors: dict[int, list[float]] = {}
    for last in range(60, 160):
        table = weather_facts(world, last, last)
        issued = world.day(last)
        for row in table.to_pylist():
            if row["type"] == "weather.forecast":
                ahead = (row["day"] - issued).days
                payload = json.loads(row["payload"])
                truth = _temperature(world, row["day"], payload["city"])
                errors.setdefault(ahead, []).append(abs(payload["temperature_c"] - truth))
    assert sorted(errors) == [1, 2, 3, 4, 5, 6, 7]
    assert np.mean(errors[7]) > 2 * np.mean(errors[1])


def _temperature(world: World, day: date, city: str) -> float:
    from sanhe.sim.master import CITIES

    number = [row[3] for row in CITIES].index(city)
    return float(world.weather.temperature[world.index(day), number])


def test_event_times_follow_the_day() -> None:
    for row in tiny().facts(tiny_history())["sales"].slice(0, 20).to_pylist():
        local = row["event_at"] + timedelta(hours=8)
        assert local.date() == row["day"] and local.hour == 22
