"""Any input at all for every operation of the OpenAPI document, by every role."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import schemathesis.openapi
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from sanhe.core.access import Role

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS = {"GET /api/events"}
"""A stream has no end to wait for; it has a test of its own."""
ENDS_THE_SESSION = "DELETE /api/session"


@dataclass
class Tried:
    """What came of it: inputs by status, answers of 500 and above, and answers unlike the
    document, the first of each kind in words."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """How many were sent."""
        return sum(self.statuses.values())


def operations(document: dict[str, Any]) -> list[Any]:
    """The operations that end."""
    schema = schemathesis.openapi.from_dict(document)
    found = [result.ok() for result in schema.get_all_operations()]
    return [operation for operation in found if operation.label not in ENDLESS]


Headers = dict[str, str]


def callers(
    admin: TestClient, planner: TestClient, *, place: str, supplier: str
) -> dict[str, Headers]:
    """What each caller sends with a request: a key of each role, and a planner's session."""
    seen = {Role.STORE: {"places": [place]}, Role.SUPPLIER: {"suppliers": [supplier]}}
    found = {str(role): _key(admin, {"roles": [role], **seen.get(role, {})}) for role in Role}
    found["session"] = {
        "Cookie": f"sanhe_session={planner.cookies['sanhe_session']}",
        "X-CSRF-Token": str(planner.headers["X-CSRF-Token"]),
    }
    return found


def _key(admin: TestClient, given: dict[str, Any]) -> Headers:
    answer = admin.post("/api/keys", json={"label": "fuzz", **given})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['secret']}"}


def bombard(
    client: TestClient, operation: Any, headers: Headers, *, inputs: int, seed: int, tried: Tried
) -> None:
    """Send so many inputs to an operation: half such as the document allows, half not."""
    # The session is to last: signing out is tried without one.
    if operation.label == ENDS_THE_SESSION and "Cookie" in headers:
        headers = {}
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        half = (inputs + 1) // 2
        _half(client, operation, headers, mode=mode, inputs=half, seed=seed, tried=tried)


def _half(
    client: TestClient,
    operation: Any,
    headers: Headers,
    *,
    mode: GenerationMode,
    inputs: int,
    seed: int,
    tried: Tried,
) -> None:
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

    @seeded(random.Random(f"{operation.label} {mode} {seed}").getrandbits(64))
    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=quiet,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        asked = case.as_transport_kwargs(base_url="http://testserver")
        asked["headers"] = {**dict(asked.get("headers") or {}), **headers}
        asked.pop("cookies", None)
        if asked.get("files"):
            asked["files"] = [(name, _content(value)) for name, value in asked["files"]]
        try:
            answer = client.request(**{k: v for k, v in asked.items() if v is not None})
        except httpx.InvalidURL:  # longer than this client sends: no input, and not counted
            return
        answer.request.read()
        tried.statuses[answer.status_code] += 1
        if answer.status_code >= 500 and answer.status_code not in (501, 503):
            tried.faults.append(f"{operation.label}: {case.as_curl_command()}")
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            told = " | ".join(str(one)[:200] for one in group.exceptions)
            tried.violations.append(f"{operation.label} {answer.status_code}: {told}")

    if mode is GenerationMode.POSITIVE or _can_be_wrong(operation):
        send()


def _content(value: Any) -> Any:
    """A part of a form as bytes, with its file's name where it has one."""
    if isinstance(value, tuple):
        return (value[0], _content(value[1]), *value[2:])
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def _can_be_wrong(operation: Any) -> bool:
    """Whether the operation takes anything that could be unlike the document."""
    return bool(operation.body or operation.query or operation.path_parameters)
