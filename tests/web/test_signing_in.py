"""Sessions, CSRF, keys, roles, headers and limits: who may ask what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sanhe.core.errors import BadInput
from sanhe.core.storage import EmbeddedServer
from sanhe.web import make_app, serve
from tests.web.conftest import PASSWORD, Site
from tests.wiring.installation import installed, opened

READS = (
    *("/api/cockpit", "/api/workbench", "/api/exceptions", "/api/decisions", "/api/orders"),
    *("/api/health", "/api/scope", "/api/imports", "/api/jobs", "/api/accounts", "/api/keys"),
    *("/api/audit", "/api/places", "/api/search?q=a", "/api/views/workbench"),
    *("/api/forecast/overrides", "/api/workbench.csv", "/api/lines/a/b"),
)


@pytest.fixture
def empty(server: EmbeddedServer, tmp_path: Path) -> Iterator[TestClient]:
    """An installation without accounts."""
    with (
        installed(server, tmp_path / "home") as settings,
        opened(settings) as sanhe,
        TestClient(make_app(sanhe)) as client,
    ):
        client.app_state["sanhe"] = sanhe
        yield client


def test_the_first_account_is_made_once_and_here(empty: TestClient) -> None:
    assert empty.get("/api/session").json()["state"] == "first_account"
    entered = {"name": "founder", "password": PASSWORD}
    elsewhere = empty.post(
        "/api/first-account", json=entered, headers={"host": "sanhe.example.com"}
    )
    assert elsewhere.status_code == 403
    short = empty.post("/api/first-account", json={"name": "founder", "password": "short"})
    assert short.status_code == 422
    made = empty.post("/api/first-account", json=entered)
    assert made.status_code == 200 and made.json()["state"] == "signed_in"
    assert "admin" in made.json()["roles"] and "httponly" in made.headers["set-cookie"].lower()
    assert "samesite=strict" in made.headers["set-cookie"].lower()
    assert empty.post("/api/first-account", json=entered).status_code == 409
    assert empty.get("/api/scope").json()["as_of"] is None
    assert empty.get("/api/cockpit").status_code == 404


def test_serving_others_needs_an_account_first(empty: TestClient) -> None:
    with pytest.raises(BadInput, match="sanhe account add"):
        serve(empty.app_state["sanhe"], host="0.0.0.0")


@pytest.mark.parametrize("path", READS)
def test_nobody_reads_anything_unknown(site: Site, path: str) -> None:
    answer = site.anybody().get(path)
    assert answer.status_code == 401 and "sign in" in answer.json()["detail"]
    wrong = site.anybody().get(path, headers={"Authorization": "Bearer nothing"})
    assert wrong.status_code == 401


def test_a_write_needs_the_token_of_its_session(site: Site) -> None:
    planner, other = site.signed_in("planner"), site.signed_in("buyer")
    good = planner.headers["X-CSRF-Token"]
    for token in ("", "wrong", other.headers["X-CSRF-Token"]):
        planner.headers["X-CSRF-Token"] = token
        answer = planner.post("/api/decisions/approve", json={"numbers": [999_999]})
        assert answer.status_code == 403, token
    planner.headers["X-CSRF-Token"] = good
    assert planner.post("/api/decisions/approve", json={"numbers": [999_999]}).status_code == 404
    cross = planner.post(
        "/api/decisions/approve",
        json={"numbers": [999_999]},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert cross.status_code == 403


def test_signing_out_ends_the_session(site: Site) -> None:
    client = site.signed_in("planner")
    cookie = client.cookies["sanhe_session"]
    assert client.get("/api/session").json()["name"] == "planner"
    assert client.delete("/api/session").json()["state"] == "signed_out"
    stolen = site.anybody()
    stolen.cookies["sanhe_session"] = cookie
    assert stolen.get("/api/workbench").status_code == 401


def test_a_wrong_password_tells_nothing_and_is_limited(fresh_site: Site) -> None:
    client = fresh_site.anybody()
    told = set()
    for name in ("planner", "nobody"):
        answer = client.post("/api/session", json={"name": name, "password": "x" * 12})
        assert answer.status_code == 401
        told.add(answer.json()["detail"])
    assert len(told) == 1
    for _ in range(10):
        answer = client.post("/api/session", json={"name": "planner", "password": "x" * 12})
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0


def test_keys_open_what_their_roles_may(site: Site) -> None:
    admin = site.signed_in("admin")
    made = admin.post("/api/keys", json={"label": "till import", "roles": ["planner"]})
    secret = made.json()["secret"]
    program = site.anybody()
    program.headers["Authorization"] = f"Bearer {secret}"
    assert program.get("/api/workbench").status_code == 200
    assert program.get("/api/accounts").status_code == 403
    assert program.put("/api/views/workbench/mine", json={"search": ""}).status_code == 403
    (key,) = [k for k in admin.get("/api/keys").json()["rows"] if k["label"] == "till import"]
    assert secret not in admin.get("/api/keys").text
    assert admin.delete(f"/api/keys/{key['id']}").status_code == 204
    assert program.get("/api/workbench").status_code == 401


@pytest.mark.parametrize(
    ("role", "open_to", "closed_to"),
    [
        ("planner", "/api/cockpit", "/api/accounts"),
        ("buyer", "/api/orders", "/api/keys"),
        ("pricing", "/api/cockpit", "/api/orders"),
        ("growth", "/api/cockpit", "/api/workbench"),
        ("service", "/api/scope", "/api/cockpit"),
        ("service", "/api/orders", "/api/accounts"),
        ("service", "/api/decisions", "/api/policy"),
        ("admin", "/api/accounts", None),
        ("supplier", "/api/orders", "/api/workbench"),
    ],
)
def test_each_role_opens_its_pages(
    site: Site, role: str, open_to: str, closed_to: str | None
) -> None:
    client = site.signed_in(role)
    assert client.get(open_to).status_code == 200
    if closed_to is not None:
        answer = client.get(closed_to)
        assert answer.status_code == 403 and "role" in answer.json()["detail"]


def test_views_are_ones_own(site: Site) -> None:
    planner, buyer = site.signed_in("planner"), site.signed_in("buyer")
    kept = planner.put("/api/views/workbench/北区 dairy", json={"search": "region=North"})
    assert kept.status_code == 204
    rows = planner.get("/api/views/workbench").json()["rows"]
    assert rows == [{"name": "北区 dairy", "search": "region=North"}]
    assert buyer.get("/api/views/workbench").json()["rows"] == []
    assert buyer.delete("/api/views/workbench/北区 dairy").status_code == 404
    assert planner.delete("/api/views/workbench/北区 dairy").status_code == 204


def test_the_trail_is_ones_own_but_for_the_administrator(site: Site) -> None:
    site.signed_in("buyer")
    admin = site.signed_in("admin").get("/api/audit").json()
    buyer = site.signed_in("buyer").get("/api/audit").json()
    assert {row["actor"] for row in buyer["rows"]} <= {"buyer"}
    assert admin["total"] > buyer["total"]
    assert PASSWORD not in str(admin)


def test_every_answer_carries_the_headers(site: Site) -> None:
    client = site.anybody()
    for path in ("/", "/api/session", "/api/workbench", "/api/nothing", "/workbench"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe-eval" not in policy
        assert "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert client.get("/api/session").headers["cache-control"] == "no-store"
    nonces = {client.get("/").headers["content-security-policy"] for _ in range(3)}
    assert len(nonces) == 3


def test_large_bodies_and_odd_letters_are_refused(site: Site) -> None:
    planner = site.signed_in("planner")
    large = planner.post("/api/decisions/approve", content=b"x" * 1_000_001)
    assert large.status_code == 413
    streamed = planner.post("/api/decisions/approve", content=(b"x" * 100_000 for _ in range(11)))
    assert streamed.status_code == 413
    odd = planner.post("/api/decisions/reject", json={"numbers": [1], "reason": "a\x00b"})
    assert odd.status_code == 422
