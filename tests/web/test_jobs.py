"""Long work over HTTP: files taken in, plans, backtests, simulations, and the news of them."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from sanhe.core.clock import SystemClock
from sanhe.core.errors import BadInput, TooMany
from sanhe.web.running import MOST_WAITING, Running
from tests.web.conftest import PASSWORD, Site
from tests.web.serving import served

ITEMS = "sku,name,category,base_unit\nZ900,New tea,Drinks/Tea,each\n"


def ended(client: TestClient, job: dict[str, Any], *, seconds: float = 120) -> dict[str, Any]:
    """The job once it has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        rows = client.get("/api/jobs").json()["rows"]
        (found,) = [row for row in rows if row["id"] == job["id"]]
        if found["ended_at"]:
            told: dict[str, Any] = found
            return told
        time.sleep(0.05)
    raise AssertionError(f"{job['what']} has not ended")


def test_a_file_is_taken_in_and_a_bad_one_refused_whole(fresh_site: Site) -> None:
    planner = fresh_site.signed_in("planner")
    before = planner.get("/api/imports").json()["total"]
    good = planner.post("/api/imports", files={"file": ("items.csv", ITEMS.encode())})
    assert good.status_code == 202
    done = ended(planner, good.json())
    assert done["state"] == "done", done["error"]
    rows = planner.get("/api/imports").json()
    assert rows["total"] == before + 1 and rows["rows"][0]["name"] == "items.csv"
    assert rows["rows"][0]["actor"] == "planner" and rows["rows"][0]["new"] == 1
    found = planner.get("/api/search", params={"q": "New tea"}).json()["rows"]
    assert [one["id"] for one in found] == ["Z900"]
    bad = planner.post("/api/imports", files={"file": ("items.csv", b"sku,name\n,\n")})
    failed = ended(planner, bad.json())
    assert failed["state"] == "failed" and "row" in failed["error"]
    assert planner.get("/api/imports").json()["total"] == before + 1
    batch = rows["rows"][0]["id"]
    assert planner.get(f"/api/imports/{batch}/rejects").json()["rows"] == []
    undone = planner.post(f"/api/imports/{batch}/undo")
    assert undone.status_code == 200 and undone.json()["kind"] == "undo"
    assert planner.post(f"/api/imports/{batch}/undo").status_code == 409


@pytest.mark.parametrize("name", ["../../evil.csv", "..\\evil.csv", "/etc/evil.csv"])
def test_a_files_name_leads_nowhere(site: Site, name: str) -> None:
    planner = site.signed_in("planner")
    told = planner.post("/api/imports", files={"file": (name, ITEMS.encode())})
    assert told.status_code == 202 and told.json()["what"] == "import evil.csv"
    odd = planner.post(
        "/api/imports",
        files={"file": ("items.csv", ITEMS.encode())},
        data={"mapping": "../secret.toml"},
    )
    assert odd.status_code == 422
    ended(planner, told.json())


def test_a_plan_a_backtest_and_a_simulation_end(fresh_site: Site) -> None:
    planner = fresh_site.signed_in("planner")
    planned = planner.post("/api/plans", json={"horizon_days": 14})
    assert ended(planner, planned.json())["state"] == "done"
    tried = planner.post("/api/forecast/backtests")
    told = ended(planner, tried.json(), seconds=400)
    assert told["state"] == "done", told["error"]
    league = planner.get("/api/forecast/league").json()["rows"]
    assert {row["group"] for row in league} >= {"all"}
    assert {"champion"} < {row["method"] for row in league}
    groups = planner.get("/api/forecast/groups").json()
    (first, *_) = groups["groups"]
    ahead = [value for value in first["mean"] if value is not None]
    past = [value for value in first["sold"] if value is not None]
    assert len(ahead) == 13 and past and len(first["weeks"]) == 13 + len(past)
    losses = planner.get("/api/forecast/losses", params={"by": "all"}).json()["rows"]
    assert len(losses) == 1
    asked = {"review_days": [1, 7], "weeks": 1, "seeds": 2}
    started = planner.post("/api/simulations", json=asked).json()
    told = ended(planner, started, seconds=400)
    assert told["state"] == "done", told["error"]
    curve = planner.get(f"/api/simulations/{started['id']}").json()
    assert [point["value"] for point in curve["points"]] == [1, 7]
    same = {**curve["points"][0], "value": None}  # the shipped policy reviews every day
    assert {name: pytest.approx(value) for name, value in same.items()} == curve["today"]
    assert same["inventory_days"] > 0
    none = planner.post("/api/simulations", json={})
    assert none.status_code == 422 and "exactly one" in none.json()["remedy"]


def test_an_override_is_said_and_withdrawn(fresh_site: Site) -> None:
    planner = fresh_site.signed_in("planner")
    sku = planner.get("/api/workbench").json()["rows"][0]["sku"]
    said = {
        "sku": sku,
        "factor": 1.5,
        "first_day": "2025-09-26",
        "last_day": "2025-09-30",
        "reason": "a fair in town",
    }
    made = planner.post("/api/forecast/overrides", json=said)
    assert made.status_code == 201 and made.json()["state"] == "waiting"
    assert [row["id"] for row in planner.get("/api/forecast/overrides").json()["rows"]] == [
        made.json()["id"]
    ]
    unknown = planner.post("/api/forecast/overrides", json={**said, "sku": "nothing"})
    assert unknown.status_code == 422 and "known are" in unknown.json()["remedy"]
    gone = planner.delete(f"/api/forecast/overrides/{made.json()['id']}")
    assert gone.status_code == 200 and gone.json()["rows"] == []


def test_open_pages_are_told_what_was_decided(fresh_site: Site) -> None:
    planner = fresh_site.signed_in("planner")
    rows = planner.get("/api/workbench", params={"status": "ordered"}).json()["rows"]
    number = next(row["number"] for row in rows if row["status"] == "proposed")
    with served(fresh_site.app) as address, httpx.Client(base_url=address) as browser:
        entered = {"name": "buyer", "password": PASSWORD}
        csrf = browser.post("/api/session", json=entered).json()["csrf"]
        with browser.stream("GET", "/api/events", timeout=20) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            reject = {"numbers": [number], "reason": "enough"}
            decide = threading.Thread(
                target=lambda: httpx.post(
                    f"{address}/api/decisions/reject",
                    json=reject,
                    headers={"X-CSRF-Token": csrf},
                    cookies=browser.cookies,
                )
            )
            decide.start()
            told = next(line for line in lines if line.startswith("data:"))
            decide.join()
    news = json.loads(told.removeprefix("data:"))
    assert news == {"changed": [number], "by": "buyer", "status": "rejected"}


def test_jobs_run_one_by_one_and_a_fault_is_told() -> None:
    running = Running(SystemClock())
    order: list[int] = []
    gate = threading.Event()

    def first(report: Any) -> int:
        gate.wait(10)
        order.append(1)
        report("half", 1, 2)
        return 7

    def refused(report: Any) -> None:
        order.append(2)
        raise BadInput("no such column", place="file.csv")

    def broken(report: Any) -> None:
        order.append(3)
        raise ZeroDivisionError

    jobs = [running.start("job", "planner", work) for work in (first, refused, broken)]
    for _ in range(MOST_WAITING - 2):
        running.start("job", "planner", lambda report: None)
    with pytest.raises(TooMany, match="wait already"):
        running.start("job", "planner", lambda report: None)
    gate.set()
    while any(running.get(job.id).ended_at is None for job in jobs):
        time.sleep(0.01)
    running.close()
    told = [running.get(job.id) for job in jobs]
    assert order == [1, 2, 3]
    assert [job.state for job in told] == ["done", "failed", "failed"]
    assert told[0].result == 7 and (told[0].done, told[0].total) == (1, 2)
    assert told[1].error == "file.csv: no such column"
    assert "log of the server" in told[2].error
