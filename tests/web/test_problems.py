"""Every refusal carries a stable name, by which pages say it in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from sanhe.core import errors
from sanhe.core.errors import Code, SanheError
from sanhe.web.problems import STATUS, TYPE
from tests.web.conftest import PASSWORD, Site


def classes(of: type[SanheError] = SanheError) -> Iterator[type[SanheError]]:
    """A class of errors and all below it."""
    yield of
    for below in of.__subclasses__():
        yield from classes(below)


def test_each_class_of_errors_has_a_code_of_its_own() -> None:
    ours = [kind for kind in classes() if kind.__module__.startswith("sanhe.")]
    assert len(ours) >= len(STATUS)
    assert len({kind.code for kind in ours}) == len(ours)


def test_an_error_may_be_named_more_closely() -> None:
    assert errors.Conflict("no").code is Code.CONFLICT
    assert errors.Conflict("no", code=Code.DECIDED).code is Code.DECIDED
    assert errors.BadInput("no", code=Code.OVER).code is Code.OVER
    assert errors.Denied("no", needs_code=True).code is Code.SECOND_FACTOR


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "code"),
    [
        ("planner", "POST", "/api/decisions/reject", {"numbers": [1]}, Code.REASON_MISSING),
        ("planner", "GET", "/api/decisions/999999", None, Code.NOT_FOUND),
        ("planner", "GET", "/api/workbench?sort=none", None, Code.BAD_INPUT),
        ("planner", "GET", "/api/workbench?limit=501", None, Code.INVALID),
        ("planner", "GET", "/api/nothing", None, Code.NO_OPERATION),
        ("planner", "GET", "/api/accounts", None, Code.FORBIDDEN),
        ("planner", "GET", "/api/simulations/none", None, Code.JOB_FORGOTTEN),
        ("planner", "GET", "/api/forecast/league", None, Code.NOT_BACKTESTED),
        ("planner", "GET", "/api/workbench?search=%00", None, Code.INVALID),
        ("store", "POST", "/api/plans", {}, Code.FORBIDDEN),
        ("nobody", "GET", "/api/workbench", None, Code.SIGNED_OUT),
        (
            *("nobody", "POST", "/api/session"),
            {"name": "planner", "password": PASSWORD + "!"},
            Code.WRONG_PASSWORD,
        ),
        (
            *("admin", "POST", "/api/accounts"),
            {"name": "planner", "password": PASSWORD, "roles": ["planner"]},
            Code.NAME_TAKEN,
        ),
        (
            *("admin", "POST", "/api/accounts"),
            {"name": "new", "password": "short", "roles": ["planner"]},
            Code.WEAK_PASSWORD,
        ),
    ],
)
def test_what_people_meet_is_named(
    site: Site, who: str, method: str, path: str, *, body: object, code: Code
) -> None:
    client = site.anybody() if who == "nobody" else site.signed_in(who)
    answer = client.request(method, path, json=body)
    assert answer.is_client_error, answer.text
    assert answer.json()["type"] == TYPE + code


def test_a_page_of_another_session_and_a_decided_proposal(fresh_site: Site) -> None:
    planner = fresh_site.signed_in("planner")
    rows = planner.get("/api/decisions?status=proposed").json()["rows"]
    numbers = {"numbers": [rows[0]["number"]], "reason": "enough"}
    assert planner.post("/api/decisions/reject", json=numbers).status_code == 200
    again = planner.post("/api/decisions/approve", json=numbers)
    assert (again.status_code, again.json()["type"]) == (409, TYPE + Code.DECIDED)
    planner.headers["X-CSRF-Token"] = "of yesterday"
    stale = planner.post("/api/decisions/reject", json=numbers)
    assert (stale.status_code, stale.json()["type"]) == (403, TYPE + Code.STALE_PAGE)


def test_groups_kept_by_an_older_version_say_so(fresh_site: Site) -> None:
    weeks = pa.table({"group": ["Dairy"], "first_day": ["2025-09-01"], "mean": [1.0]})
    lake, details = fresh_site.sanhe.lake, {"as_of": "2025-09-25", "notes": []}
    lake.write("studio/groups/category", weeks, details=details)
    answer = fresh_site.signed_in("planner").get("/api/forecast/groups")
    assert (answer.status_code, answer.json()["type"]) == (404, TYPE + Code.OLDER_VERSION)
