"""An application on the tiny retailer, planned; and people who ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from sanhe.core.storage import EmbeddedServer
from sanhe.web import make_app
from sanhe.wiring import PlanRequest, Sanhe, plan, record_facts
from tests.wiring.files import deliveries
from tests.wiring.installation import installed, opened

PASSWORD = "a long way to the sea"
PLANNED_DAY = date(2025, 9, 25)


@dataclass(frozen=True)
class Site:
    """The installation and its application."""

    sanhe: Sanhe
    app: Any

    def anybody(self) -> TestClient:
        """A browser in which nobody is signed in."""
        return TestClient(self.app, raise_server_exceptions=False)

    def signed_in(self, name: str) -> TestClient:
        """A browser in which this account is signed in, sending its CSRF token."""
        client = self.anybody()
        told = client.post("/api/session", json={"name": name, "password": PASSWORD})
        assert told.status_code == 200, told.text
        client.headers["X-CSRF-Token"] = told.json()["csrf"]
        return client


def prepared(server: EmbeddedServer, home: Any) -> Iterator[Site]:
    """The tiny retailer, planned on two mornings, with an account for each role."""
    with installed(server, home) as settings, opened(settings) as sanhe:
        record_facts(sanhe, deliveries(), source="sim", actor="importer")
        for back in (1, 0):
            as_of = PLANNED_DAY - timedelta(days=back)
            request = PlanRequest(as_of=as_of, horizon_days=14, method="same_weekday_mean")
            plan(sanhe, request, actor="planner")
        with sanhe.work(actor="admin") as work:
            for role in ("planner", "buyer", "pricing", "growth", "service", "admin"):
                work.access.add(role, PASSWORD, roles=[role], language="en")
            first = work.places.all()["id"][0].as_py()
            work.access.add("store", PASSWORD, roles=["store"], places=[first])
            supplier = work.suppliers.suppliers()["supplier"][0].as_py()
            work.access.add("supplier", PASSWORD, roles=["supplier"], suppliers=[supplier])
        app = make_app(sanhe)
        with TestClient(app):
            yield Site(sanhe, app)


@pytest.fixture(scope="module")
def site(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for the tests of a module."""
    yield from prepared(server, tmp_path_factory.mktemp("web"))


@pytest.fixture
def fresh_site(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One of its own, for tests that change much."""
    yield from prepared(server, tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def planner(site: Site) -> TestClient:
    """A planner's browser."""
    return site.signed_in("planner")


Ask = Callable[..., Any]
