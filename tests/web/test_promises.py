"""The map of promises over HTTP: shares of the planned demand, and who may see them."""

from __future__ import annotations

from tests.web.conftest import Site


def test_shares_of_demand_by_place_and_window(site: Site) -> None:
    planner = site.signed_in("planner")
    told = planner.get("/api/promises", params={"hour": 10}).json()
    assert told["hours"] == [2, 24, 48] and told["looked_at"] > 0.999
    assert told["rows"] and told["unplaced"] == []
    for row in told["rows"]:
        first, second, third = row["shares"]
        assert 0 <= row["own_share"] <= first <= second <= third <= 1
        assert row["per_day"] > 0
    total = sum(row["per_day"] * row["shares"][1] for row in told["rows"])
    assert abs(total / told["per_day"] - told["shares"][1]) < 1e-9
    assert told["shares"][1] > 0
    night = planner.get("/api/promises", params={"hour": 2}).json()
    assert night["shares"][0] == 0  # nobody rides at night
    one = told["rows"][0]["place"]
    only = planner.get("/api/promises", params={"hour": 10, "place": one}).json()
    assert [row["place"] for row in only["rows"]] == [one]
    assert only["rows"][0]["shares"] == told["rows"][0]["shares"]  # others bring it all the same
    assert planner.get("/api/promises", params={"hour": 24}).status_code == 422


def test_who_may_not_see_it(site: Site) -> None:
    for name, status in (("store", 403), ("supplier", 403), ("service", 200), ("growth", 200)):
        assert site.signed_in(name).get("/api/promises").status_code == status, name
