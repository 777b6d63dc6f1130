"""Every page's answer holds together with the façade it stands on."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient

from sanhe.core.decisions import Status
from sanhe.goods.replenish import ASSUMED_WORDS, CONSTRAINTS
from tests.web.conftest import PLANNED_DAY, Site


def told(client: TestClient, path: str, **query: Any) -> Any:
    """The answer to a GET that goes well."""
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_workbench_pages_add_up_and_carry_decisions(site: Site, planner: TestClient) -> None:
    first = told(planner, "/api/workbench", limit=5)
    assert first["as_of"] == PLANNED_DAY.isoformat() and len(first["rows"]) == 5
    rows = [
        row
        for offset in range(0, first["total"], 50)
        for row in told(planner, "/api/workbench", limit=50, offset=offset)["rows"]
    ]
    assert len({(row["sku"], row["place"]) for row in rows}) == first["total"]
    values = [row["value_cents"] for row in rows]
    assert values == sorted(values, reverse=True)
    with site.sanhe.work(actor="auditor") as work:
        open_ones = work.decisions.find(statuses={Status.PROPOSED}, limit=1000)
    shown = {row["number"]: row for row in rows if row["status"] == "proposed"}
    assert set(shown) == {decision.number for decision in open_ones} and len(shown) >= 5
    for decision in open_ones:
        assert shown[decision.number]["decided"] == decision.value


def test_sorting_and_filters(planner: TestClient) -> None:
    rising = told(planner, "/api/workbench", sort="cover_days")["rows"]
    days = [row["cover_days"] for row in rising if row["cover_days"] is not None]
    assert days == sorted(days) and len(days) > 3
    one = rising[0]
    here = told(planner, "/api/workbench", place=one["place"], search=one["sku"].lower())
    assert {(row["sku"], row["place"]) for row in here["rows"]} == {(one["sku"], one["place"])}
    ordered = told(planner, "/api/workbench", status="ordered")["rows"]
    assert ordered and all(row["quantity"] > 0 for row in ordered)


def test_a_line_opens_with_terms_that_sum(planner: TestClient) -> None:
    rows = told(planner, "/api/workbench", limit=500)["rows"]
    with_decision = next(row for row in rows if row["status"] == "proposed")
    without = next(row for row in rows if row["number"] is None)
    for row in (with_decision, without):
        line = told(planner, f"/api/lines/{row['place']}/{row['sku']}")
        terms = line["explanation"]["terms"]
        assert sum(term["value"] for term in terms) == line["explanation"]["quantity"]
        assert terms[-1]["running"] == line["explanation"]["quantity"]
        series = line["series"]
        assert len({len(values) for values in series.values()}) == 1
        ahead = [value for value in series["mean"] if value is not None]
        assert len(ahead) == 14
    opened = told(planner, f"/api/lines/{with_decision['place']}/{with_decision['sku']}")
    assert opened["decision"]["number"] == with_decision["number"]
    assert opened["history"][0]["status"] == "proposed"
    assert opened["explanation"]["expected"]["metric"] == "shortage_avoided_units"
    assert set(opened["explanation"]["assumed"]) <= set(ASSUMED_WORDS)
    assert set(opened["explanation"]["limits"]) <= set(CONSTRAINTS)


def test_cockpit_exceptions_and_health_agree(planner: TestClient) -> None:
    cockpit = told(planner, "/api/cockpit")
    assert {tile["name"] for tile in cockpit["tiles"]} >= {"inventory_days", "fill_rate"}
    assert len(cockpit["days"]) == 30 and cockpit["compare_to"] is not None
    exceptions = told(planner, "/api/exceptions", limit=500)
    assert exceptions["total"] == sum(todo["lines"] for todo in cockpit["todo"])
    kind = cockpit["todo"][0]["kind"]
    of_kind = told(planner, "/api/exceptions", kind=kind, limit=500)["rows"]
    assert sum(row["value_cents"] for row in of_kind) == cockpit["todo"][0]["value_cents"]
    health = told(planner, "/api/health")
    stock = sum(cell["stock_value_cents"] for cell in health["matrix"])
    assert stock == sum(one["stock_value_cents"] for one in cockpit["categories"])
    assert stock == sum(one["stock_value_cents"] for one in health["ageing"])
    assert told(planner, "/api/health/slow")["rows"] is not None
    moves = told(planner, "/api/health/moves")  # of each week the newest day alone is kept
    assert moves["rows"] == [] and moves["to_day"] is None


def test_scope_search_and_places(planner: TestClient) -> None:
    scope = told(planner, "/api/scope")
    places = [place["id"] for region in scope["regions"] for place in region["places"]]
    assert len(places) == len(told(planner, "/api/places")["rows"]) > 0
    row = told(planner, "/api/workbench", status="ordered")["rows"][0]
    found = told(planner, "/api/search", q=row["sku"])["rows"]
    assert ("sku", row["sku"]) in {(one["kind"], one["id"]) for one in found}
    number = str(row["number"])
    assert ("decision", number) in {
        (one["kind"], one["id"]) for one in told(planner, "/api/search", q=number)["rows"]
    }
    assert told(planner, "/api/search", q="  ")["rows"] == []


def test_files_hold_all_rows(planner: TestClient) -> None:
    total = told(planner, "/api/workbench")["total"]
    answer = planner.get("/api/workbench.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == total and "attachment" in answer.headers["content-disposition"]
    book = load_workbook(io.BytesIO(planner.get("/api/workbench.xlsx").content))
    assert book["sanhe"].max_row == total + 1


def test_deciding_makes_orders_and_tells_the_waterfall(fresh_site: Site) -> None:
    planner = fresh_site.signed_in("planner")
    rows = told(planner, "/api/workbench", status="ordered")["rows"]
    open_ones = [row for row in rows if row["status"] == "proposed"]
    one, two, three, four = open_ones[:4]
    approved = planner.post("/api/decisions/approve", json={"numbers": [one["number"]]})
    assert approved.status_code == 200 and approved.json()["orders"]
    order = told(planner, f"/api/orders/{approved.json()['orders'][0]}")
    assert [line["decision"] for line in order["lines"]] == [one["number"]]
    assert order["lines"][0]["quantity"] == one["quantity"]
    edit = {"quantity": 3, "reason": "half a case"}
    assert planner.post(f"/api/decisions/{two['number']}/edit", json=edit).status_code == 200
    refused = planner.post("/api/decisions/reject", json={"numbers": [three["number"]]})
    assert refused.status_code == 422 and "reason" in refused.json()["detail"]
    reject = {"numbers": [three["number"]], "reason": "enough"}
    assert planner.post("/api/decisions/reject", json=reject).json()["changed"] == 1
    snooze = {"numbers": [four["number"]], "until": "2025-09-27"}
    assert planner.post("/api/decisions/snooze", json=snooze).json()["changed"] == 1
    assert planner.post("/api/decisions/approve", json=reject).status_code == 409
    log = told(planner, f"/api/decisions/{two['number']}")
    assert [step["status"] for step in log["history"]][:2] == ["proposed", "edited"]
    assert log["decision"]["value"] == 3
    steps = {step["name"]: step for step in told(planner, "/api/decisions/waterfall")["steps"]}
    assert steps["rejected"]["decisions"] == 1 and steps["executed"]["decisions"] == 2
    assert steps["proposed"]["value_cents"] == sum(
        -step["value_cents"] if step["value_cents"] < 0 else step["value_cents"]
        for name, step in steps.items()
        if name not in ("proposed", "measured")
    )
    assert told(planner, "/api/orders")["total"] == 2
    region = told(planner, "/api/places")["rows"][0]["region"]
    of_region = told(planner, "/api/decisions", region=region)
    assert 0 < of_region["total"] <= told(planner, "/api/decisions")["total"]
    assert told(planner, "/api/decisions", region="nowhere")["total"] == 0
    assert told(planner, "/api/decisions", status="snoozed")["rows"][0]["number"] == four["number"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/lines/nowhere/nothing", 404),
        ("/api/decisions/999999", 404),
        ("/api/orders/none", 404),
        ("/api/simulations/none", 404),
        ("/api/forecast/league", 404),
        ("/api/imports/00000000-0000-0000-0000-000000000000/rejects", 404),
        ("/api/workbench?sort=sku;DROP", 422),
        ("/api/workbench?limit=501", 422),
        ("/api/workbench?search=%00", 422),
        ("/api/exceptions?kind=none", 422),
        ("/api/nothing", 404),
        ("/assets/none.js", 404),
    ],
)
def test_what_cannot_be_is_a_problem_document(planner: TestClient, path: str, status: int) -> None:
    answer = planner.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status and answer.json()["detail"]


def test_an_item_tells_stock_and_price_where_the_caller_sees(site: Site) -> None:
    service, store = site.signed_in("service"), site.signed_in("store")
    sku = told(service, "/api/search", q="SKU-0001")["rows"][0]["id"]
    everywhere = told(service, f"/api/items/{sku}")
    with site.sanhe.work(actor="auditor") as work:
        stock = work.stock.positions().to_pylist()
    lies = {row["place"]: row["on_hand"] for row in stock if row["sku"] == sku}
    assert lies and lies == {
        row["place"]: row["on_hand"] for row in everywhere["places"] if row["on_hand"] is not None
    }
    assert any(row["price_cents"] for row in everywhere["places"])
    here = {row["place"] for row in told(store, f"/api/items/{sku}")["places"]}
    assert here == {row["id"] for row in told(store, "/api/places")["rows"]}
    assert service.get("/api/items/SKU-NONE").status_code == 404
    assert site.signed_in("growth").get(f"/api/items/{sku}").status_code == 403
