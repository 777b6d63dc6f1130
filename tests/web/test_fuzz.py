"""A few inputs for every operation and role; `python -m bench.api_fuzz` sends 50,000."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.testclient import TestClient

from sanhe.web import problems
from tests.web.conftest import Site
from tests.web.fuzz import Tried, bombard, callers, operations


def test_no_input_is_a_fault_or_unlike_the_document(site: Site) -> None:
    place = site.sanhe.demand.latest().keys["place"][0].as_py()
    with site.sanhe.work(actor="auditor") as work:
        supplier = work.suppliers.suppliers()["supplier"][0].as_py()
    admin, planner = site.signed_in("admin"), site.signed_in("planner")
    sent = callers(admin, planner, place=place, supplier=supplier)
    client, tried = site.anybody(), Tried()
    for at, operation in enumerate(operations(site.app.openapi())):
        for caller in ("session", "admin", list(sent)[at % len(sent)]):
            bombard(client, operation, sent[caller], inputs=4, seed=1, tried=tried)
    assert tried.faults == [] and tried.violations == []
    assert tried.inputs > 300 and tried.statuses[200] > 30 and tried.statuses[422] > 50


def test_a_fault_and_a_false_answer_are_found() -> None:
    """The control: an operation that fails for some input, and one that says what it does not."""
    app = FastAPI()
    problems.install(app)

    @app.get("/broken", responses=problems.RESPONSES)
    def broken(number: int) -> int:
        return 1 // (number % 2)

    @app.get("/false", response_model=str, responses=problems.RESPONSES)
    def false(number: int) -> JSONResponse:
        return JSONResponse(number)

    tried = Tried()
    client = TestClient(app, raise_server_exceptions=False)
    for operation in operations(app.openapi()):
        bombard(client, operation, {}, inputs=40, seed=1, tried=tried)
    assert tried.faults and all("/broken" in one for one in tried.faults)
    assert any("/false" in one for one in tried.violations)
