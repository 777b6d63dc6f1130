"""Who sees a part sees that part and nothing else, by every way out of the house."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient

from sanhe.core.scope import EVERYTHING
from sanhe.core.storage import EmbeddedServer
from sanhe.web import caller as web_caller
from tests.web.conftest import PASSWORD, Site, prepared
from tests.web.serving import served

LISTS = (
    *("/api/workbench", "/api/exceptions", "/api/decisions", "/api/orders", "/api/health/slow"),
    *("/api/health/moves",),
)


@pytest.fixture(scope="module")
def site(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The tiny retailer, some of it approved, with people who see one place of it."""
    for made in prepared(server, tmp_path_factory.mktemp("isolated")):
        places = sorted({row["place"] for row in rows_of(made.signed_in("planner"))})
        with made.sanhe.work(actor="admin") as work:
            work.access.add("here", PASSWORD, roles=["planner", "buyer"], places=[places[-1]])
            work.access.add("rival", PASSWORD, roles=["supplier"], suppliers=["SUP-99"])
        planner = made.signed_in("planner")
        proposed = [row for row in rows_of(planner) if row["status"] == "proposed"]
        some = [
            next(row["number"] for row in proposed if row["place"] == place)
            for place in {row["place"] for row in proposed}
        ]
        assert planner.post("/api/decisions/approve", json={"numbers": some}).status_code == 200
        yield made


def rows_of(client: TestClient, path: str = "/api/workbench") -> list[dict[str, Any]]:
    """All rows of a list."""
    answer = client.get(path, params={"limit": 500})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def place_of(site: Site) -> str:
    """The place that `here` sees."""
    (place,) = site.signed_in("here").get("/api/places").json()["rows"]
    return str(place["id"])


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_the_whole_ones_rows_of_the_place(site: Site, path: str) -> None:
    own = place_of(site)
    whole, mine = rows_of(site.signed_in("planner"), path), rows_of(site.signed_in("here"), path)
    assert mine == [row for row in whole if row["place"] == own]
    if path in LISTS[:4]:
        assert 0 < len(mine) < len(whole)


def test_files_hold_the_place_alone(site: Site) -> None:
    own, client = place_of(site), site.signed_in("here")
    text = client.get("/api/workbench.csv").content.decode("utf-8-sig")
    assert {row["place"] for row in csv.DictReader(io.StringIO(text))} == {own}
    sheet = load_workbook(io.BytesIO(client.get("/api/workbench.xlsx").content))["sanhe"]
    rows = list(sheet.iter_rows(values_only=True))
    assert {row[rows[0].index("place")] for row in rows[1:]} == {own}


def test_what_lies_elsewhere_is_not_there(site: Site) -> None:
    own, planner, here = place_of(site), site.signed_in("planner"), site.signed_in("here")
    other = next(
        row for row in rows_of(planner) if row["place"] != own and row["status"] == "proposed"
    )
    for path in (
        f"/api/lines/{other['place']}/{other['sku']}",
        f"/api/decisions/{other['number']}",
        *(f"/api/orders/{o['name']}" for o in rows_of(planner, "/api/orders") if o["place"] != own),
    ):
        assert planner.get(path).status_code == 200
        assert here.get(path).status_code == 404, path
    chosen = {"numbers": [other["number"]], "reason": "mine", "until": "2030-01-01"}
    for deed in ("approve", "reject", "snooze"):
        assert here.post(f"/api/decisions/{deed}", json=chosen).status_code == 404
    edit = {"quantity": 1, "reason": "mine"}
    assert here.post(f"/api/decisions/{other['number']}/edit", json=edit).status_code == 404
    assert planner.get(f"/api/decisions/{other['number']}").json()["decision"]["status"] == (
        "proposed"
    )
    found = here.get("/api/search", params={"q": str(other["number"])}).json()["rows"]
    assert not [one for one in found if one["kind"] == "decision"]
    assert not here.get("/api/search", params={"q": other["place"]}).json()["rows"]


def test_filters_and_views_open_nothing_more(site: Site) -> None:
    own, here = place_of(site), site.signed_in("here")
    other = next(r["place"] for r in rows_of(site.signed_in("planner")) if r["place"] != own)
    here.put("/api/views/workbench/other", json={"search": f"place={other}"})
    for path in ("/api/workbench", "/api/exceptions", "/api/decisions"):
        told = here.get(path, params={"place": other}).json()
        assert told["rows"] == [] and told["total"] == 0
    assert here.get("/api/cockpit", params={"place": other}).json()["categories"] == []


def test_sums_are_those_of_the_place(site: Site) -> None:
    own, planner, here = place_of(site), site.signed_in("planner"), site.signed_in("here")
    mine, asked = here.get("/api/cockpit").json(), planner.get(f"/api/cockpit?place={own}").json()
    assert mine == asked and mine != planner.get("/api/cockpit").json()
    assert here.get("/api/health").json() == planner.get(f"/api/health?place={own}").json()
    steps = here.get("/api/decisions/waterfall").json()["steps"]
    assert steps[0]["decisions"] == here.get("/api/decisions").json()["total"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/api/plans"),
        ("post", "/api/forecast/backtests"),
        ("post", "/api/simulations"),
        ("post", "/api/forecast/overrides"),
        ("get", "/api/imports/00000000-0000-0000-0000-000000000000/rejects"),
        ("get", "/api/forecast/league"),
    ],
)
def test_what_bears_on_all_places_is_refused(site: Site, method: str, path: str) -> None:
    body = {
        "service": [0.9],
        "factor": 2,
        "reason": "a fair",
        "first_day": "2025-09-26",
        "last_day": "2025-09-27",
    }
    given = {} if method == "get" else {"json": body}
    answer = getattr(site.signed_in("here"), method)(path, **given)
    assert answer.status_code in (403, 404), answer.text


def test_a_supplier_sees_its_own_orders_alone(site: Site) -> None:
    whole = rows_of(site.signed_in("planner"), "/api/orders")
    client, rival = site.signed_in("supplier"), site.signed_in("rival")
    mine = rows_of(client, "/api/orders")
    assert mine == [row for row in whole if row["supplier"] == "SUP-01"] and mine
    assert rows_of(rival, "/api/orders") == []
    assert all(rival.get(f"/api/orders/{row['name']}").status_code == 404 for row in whole)
    for path in ("/api/workbench", "/api/decisions", "/api/cockpit", "/api/health"):
        assert client.get(path).status_code == 403


def test_news_of_another_place_is_not_told(site: Site) -> None:
    own, planner = place_of(site), site.signed_in("planner")
    open_ones = [row for row in rows_of(planner) if row["status"] == "proposed"]
    mine = next(row["number"] for row in open_ones if row["place"] == own)
    other = next(row["number"] for row in open_ones if row["place"] != own)
    with served(site.app) as address, httpx.Client(base_url=address) as browser:
        browser.post("/api/session", json={"name": "here", "password": PASSWORD})
        with browser.stream("GET", "/api/events", timeout=20) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            body = {"numbers": [other, mine], "reason": "enough"}
            decide = threading.Thread(
                target=lambda: planner.post("/api/decisions/reject", json=body)
            )
            decide.start()
            told = next(line for line in lines if line.startswith("data:"))
            decide.join()
    assert json.loads(told.removeprefix("data:"))["changed"] == [mine]


def test_without_the_scope_the_suite_would_fail(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: were the lake asked for everything, the first test would find other rows."""
    whole = site.sanhe.scoped_lake(EVERYTHING)
    monkeypatch.setattr(web_caller.Served, "lake", lambda self, scope: whole)
    assert {row["place"] for row in rows_of(site.signed_in("here"))} != {place_of(site)}


def test_who_may_not_see_supply_terms_sees_no_costs_of_orders(site: Site) -> None:
    for who, sees in (("buyer", True), ("store", False), ("service", False)):
        client = site.signed_in(who)
        rows = client.get("/api/orders").json()["rows"]
        costs = [row["value_cents"] is not None for row in rows]
        for row in rows[:1]:
            told = client.get(f"/api/orders/{row['name']}").json()
            costs += [line["unit_cost_cents"] is not None for line in told["lines"]]
        assert all(one is sees for one in costs), who
        assert costs or who != "buyer"
