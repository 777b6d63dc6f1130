"""What a proposal shows beside its arithmetic: the rule nearest to it, what can become of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import Status
from sanhe.web import make_app
from tests.people.promotions.publishing import proposed
from tests.web.conftest import PLANNED_DAY, Site

DEEDS = ["approve", "edit", "reject", "snooze"]
RULES = """
[[auto_approval]]
name = "small lines"
max_value_cents = {most}

[[auto_approval]]
name = "steady ones"
classes = ["CZL4"]
max_value_cents = 900000000
"""


def told(client: TestClient, path: str, **query: Any) -> Any:
    """The answer to a GET that goes well."""
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def waiting(client: TestClient) -> list[dict[str, Any]]:
    """The lines of the workbench that wait for somebody, most money first."""
    rows = told(client, "/api/workbench", status="ordered", limit=500)["rows"]
    return [row for row in rows if row["deeds"]]


@pytest.fixture
def ruled(site: Site, tmp_path: Path) -> Iterator[tuple[TestClient, int]]:
    """A planner where a rule approves up to some cents, which some proposals exceed."""
    values = sorted(row["value_cents"] for row in waiting(site.signed_in("planner")))
    most = (values[0] + values[-1]) // 2
    file = tmp_path / "ours.toml"
    file.write_text(RULES.format(most=most), encoding="utf-8")
    sanhe = replace(site.sanhe, settings=replace(site.sanhe.settings, policy=file))
    app = make_app(sanhe)
    with TestClient(app):
        yield Site(sanhe, app).signed_in("planner"), most


def test_without_rules_none_is_told(site: Site) -> None:
    planner = site.signed_in("planner")
    rows = waiting(planner)
    assert rows and all(row["rule"] is None and row["deeds"] == DEEDS for row in rows)
    line = told(planner, f"/api/lines/{rows[0]['place']}/{rows[0]['sku']}")
    assert line["rule"] is None and line["decision"]["deeds"] == DEEDS


def test_the_nearest_rule_says_by_how_much_it_is_missed(ruled: tuple[TestClient, int]) -> None:
    planner, most = ruled
    rows = waiting(planner)
    above = [row for row in rows if row["value_cents"] > most]
    assert above and len(above) < len(rows)
    for row in rows:
        rule, cents = row["rule"], row["value_cents"]
        if rule["name"] == "small lines":
            assert rule["classes"] == [] and rule["fits_class"]
            assert rule["over_cents"] == max(cents - most, 0)
            assert rule["approves"] == (cents <= most)
        else:
            assert row["label"].startswith("CZL4") and rule["approves"]
    row = above[0]
    line = told(planner, f"/api/lines/{row['place']}/{row['sku']}")
    log = told(planner, f"/api/decisions/{row['number']}")
    assert line["rule"] == log["rule"] == row["rule"]


def test_the_policy_is_told_with_its_file(site: Site, ruled: tuple[TestClient, int]) -> None:
    shipped = told(site.signed_in("planner"), "/api/policy")
    assert shipped["file"] is None and shipped["rules"] == []
    planner, most = ruled
    ours = told(planner, "/api/policy")
    assert ours["file"].endswith("ours.toml") and ours["settings"] == shipped["settings"]
    assert [rule["max_value_cents"] for rule in ours["rules"]] == [most, 900000000]
    assert ours["rules"][1]["classes"] == ["CZL4"]


def test_a_policy_that_cannot_be_read_names_its_file(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("[servise]", encoding="utf-8")
    sanhe = replace(site.sanhe, settings=replace(site.sanhe.settings, policy=file))
    app = make_app(sanhe)
    with TestClient(app):
        answer = Site(sanhe, app).signed_in("planner").get("/api/workbench")
    assert answer.status_code == 422 and str(file) in answer.json()["place"]


def test_what_is_decided_or_over_offers_no_approval(fresh_site: Site) -> None:
    planner = fresh_site.signed_in("planner")
    rows = waiting(planner)
    done, late = rows[0], rows[1]
    assert planner.post("/api/decisions/approve", json={"numbers": [done["number"]]}).is_success
    log = told(planner, f"/api/decisions/{done['number']}")
    assert log["decision"]["deeds"] == [] and log["orders"] and log["newer"] is None
    assert [step["cause"] for step in log["history"]] == [""] * len(log["history"])
    line = told(planner, f"/api/lines/{done['place']}/{done['sku']}")
    assert line["decision"]["deeds"] == [] and line["orders"] == log["orders"]
    row = next(row for row in told(planner, "/api/workbench")["rows"] if row == line["line"])
    assert row["deeds"] == [] and row["rule"] is None
    clock = fresh_site.sanhe.clock
    assert isinstance(clock, FixedClock)
    clock.moment += timedelta(days=30)
    planner = fresh_site.signed_in("planner")
    over = told(planner, f"/api/decisions/{late['number']}")
    assert over["decision"]["status"] == "proposed" and over["decision"]["deeds"] == ["reject"]
    assert over["decision"]["valid_until"][:10] > PLANNED_DAY.isoformat()
    refused = planner.post("/api/decisions/approve", json={"numbers": [late["number"]]})
    assert refused.status_code == 409
    with fresh_site.sanhe.work(actor="night") as work:
        work.decisions.expire()
    ended = told(planner, f"/api/decisions/{late['number']}")
    assert ended["decision"]["deeds"] == []
    assert (ended["history"][-1]["status"], ended["history"][-1]["cause"]) == ("expired", "over")


def test_the_log_is_narrowed_by_category_and_supplier(site: Site) -> None:
    planner = site.signed_in("planner")
    lines = waiting(planner)
    everything = told(planner, "/api/decisions", limit=500)
    assert {row["number"] for row in lines} <= {row["number"] for row in everything["rows"]}
    for name in ("category", "supplier"):
        found: set[int] = set()
        for value in {row[name] for row in lines}:
            page = told(planner, "/api/decisions", limit=500, **{name: value})
            mine = {row["number"] for row in lines if row[name] == value}
            assert mine <= {row["number"] for row in page["rows"]}
            assert page["total"] == len(page["rows"])
            steps = told(planner, "/api/decisions/waterfall", **{name: value})["steps"]
            assert steps[0]["decisions"] == page["total"]
            found |= {row["number"] for row in page["rows"]}
        assert len(found) == everything["total"]
    assert told(planner, "/api/decisions", supplier="nobody")["total"] == 0
    for row in everything["rows"]:
        assert row["item_name"] and sum(term["value"] for term in row["terms"]) == row["proposed"]


def test_what_is_no_order_is_not_decided_in_the_log(site: Site) -> None:
    with site.sanhe.work(actor="growth") as work:
        number = proposed(work.decisions, "AUTUMN", 1)
    planner = site.signed_in("planner")
    for deed, more in (("approve", {}), ("reject", {}), ("snooze", {"until": "2031-01-01"})):
        asked = {"numbers": [number], "reason": "mine", **more}
        answer = planner.post(f"/api/decisions/{deed}", json=asked)
        assert answer.status_code == 409, answer.text
        assert "promotion.publish" in answer.json()["detail"]
    edited = planner.post(f"/api/decisions/{number}/edit", json={"quantity": 1, "reason": "mine"})
    assert edited.status_code == 409
    with site.sanhe.work(actor="reader") as work:
        assert work.decisions.get(number).status is Status.PROPOSED
