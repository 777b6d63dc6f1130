"""Tills over HTTP: known by their signature, synced once, refused with words."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient

from sanhe.web.till.signature import content_digest, signature_base, signature_params
from tests.place.devices.till import Till
from tests.web.conftest import PASSWORD, Site, prepared

SYNC, HEAD = "/api/till/sync", "/api/till/head"
HERE, ELSEWHERE = "ST-001", "ST-002"


@pytest.fixture(scope="module")
def site(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    for made in prepared(server, tmp_path_factory.mktemp("tills")):
        with made.sanhe.work(actor="admin") as work:
            work.access.add("clerk", PASSWORD, roles=["store"], places=[HERE])
        yield made


def registered(site: Site, name: str) -> Till:
    till = Till(name)
    entered = {"id": name, "place": HERE, "public_key": till.public_key.hex()}
    told = site.signed_in("clerk").post("/api/devices", json=entered)
    assert told.status_code == 201, told.text
    return till


def headers(
    till: Till, method: str, path: str, *, body: bytes = b"", created: int
) -> dict[str, str]:
    """What a till signs a request with."""
    digest, params = content_digest(body), signature_params(till.name, created)
    raw = till.key.sign(signature_base(method, path, digest=digest, params=params))
    return {
        "Content-Digest": digest,
        "Signature-Input": f"sig={params}",
        "Signature": f"sig=:{base64.b64encode(raw).decode()}:",
    }


def now(site: Site) -> int:
    return int(site.sanhe.clock.now().timestamp())


def body_of(till: Till) -> bytes:
    sent = [
        {"payload": event.payload, "signature": base64.b64encode(event.signature).decode()}
        for event in till.events
    ]
    return json.dumps({"events": sent}).encode()


def sync(site: Site, till: Till, **other: Any) -> Any:
    """A sync as a till sends it; parts of the request can be made otherwise."""
    body = body_of(till)
    signed = headers(till, "POST", SYNC, body=body, created=now(site))
    given = {"content": body, "headers": signed} | other
    given["headers"] = {"Content-Type": "application/json", **given["headers"]}
    return site.anybody().post(SYNC, **given)


def test_a_till_syncs_and_is_told_where_it_stands(site: Site) -> None:
    till = registered(site, "till-1")
    till.sell()
    till.sell()
    told = sync(site, till).json()
    assert (told["sequence"], told["accepted"], told["duplicates"]) == (2, 2, 0)
    assert (told["hash"], told["refusal"]) == (till.previous.hex(), None)
    assert sync(site, till).json()["duplicates"] == 2
    head = site.anybody().get(HEAD, headers=headers(till, "GET", HEAD, created=now(site)))
    assert (head.json()["sequence"], head.json()["state"]) == (2, "active")
    rows = site.signed_in("clerk").get("/api/devices").json()["rows"]
    assert [(row["id"], row["sequence"], row["told"]) for row in rows] == [("till-1", 2, 2)]


def test_what_is_not_signed_as_it_is_sent_is_refused(site: Site) -> None:
    till = registered(site, "till-2")
    till.sell()
    body = body_of(till)
    good = headers(till, "POST", SYNC, body=body, created=now(site))
    other = Till("till-2")
    wrong: Mapping[str, dict[str, str]] = {
        "nothing": {},
        "no digest": {name: good[name] for name in ("Signature-Input", "Signature")},
        "digest of another body": good | {"Content-Digest": content_digest(b"{}")},
        "another key": headers(other, "POST", SYNC, body=body, created=now(site)),
        "an unknown device": headers(
            Till("till-99", till.key), "POST", SYNC, body=body, created=now(site)
        ),
        "another path": headers(till, "POST", HEAD, body=body, created=now(site)),
        "another method": headers(till, "PUT", SYNC, body=body, created=now(site)),
        "long ago": headers(till, "POST", SYNC, body=body, created=now(site) - 301),
        "ahead": headers(till, "POST", SYNC, body=body, created=now(site) + 301),
        "another label": good | {"Signature": good["Signature"].replace("sig", "two")},
        "no base64": good | {"Signature": "sig=:====:"},
        "another algorithm": good
        | {"Signature-Input": good["Signature-Input"].replace("ed25519", "hmac-sha256")},
        "fewer components": good
        | {"Signature-Input": good["Signature-Input"].replace(' "content-digest"', "")},
    }
    for name, given in wrong.items():
        told = sync(site, till, headers=given)
        assert told.status_code == 401, name
        assert told.headers["content-type"] == "application/problem+json", name
    assert "clock_off" in sync(site, till, headers=wrong["long ago"]).json()["type"]
    assert "the key of till-99" in sync(site, till, headers=wrong["an unknown device"]).text
    assert "the key of till-2" in sync(site, till, headers=wrong["another key"]).text
    assert sync(site, till).json()["accepted"] == 1


def test_what_is_changed_on_the_way_is_refused(site: Site) -> None:
    till = registered(site, "till-3")
    till.sell()
    changed = body_of(till).replace(b"500", b"100")
    assert changed != body_of(till)
    assert sync(site, till, content=changed).status_code == 401


def test_a_clone_is_blocked_and_a_new_key_lets_the_till_on(site: Site) -> None:
    till = registered(site, "till-4")
    till.sell()
    clone = till.clone()
    till.sell()
    clone.sell("B")
    assert sync(site, till).json()["accepted"] == 2
    assert sync(site, clone).json()["refusal"]["reason"] == "fork"
    refused = sync(site, till)
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("device_blocked"), refused.text
    head = site.anybody().get(HEAD, headers=headers(till, "GET", HEAD, created=now(site)))
    assert head.json()["state"] == "blocked"
    store = site.signed_in("clerk")
    problems = store.get("/api/devices/till-4/problems").json()["rows"]
    (kept, why) = problems[:2]
    assert kept["why"] == "a genuine event 2 that was not taken"
    assert why["why"].startswith("two genuine events claim position 2")
    fresh = Till("till-4")
    told = store.post("/api/devices/till-4/renew", json={"public_key": fresh.public_key.hex()})
    assert told.json()["state"] == "active"
    assert sync(site, fresh).json()["accepted"] == 0


def test_too_much_at_once_is_refused_with_a_remedy(site: Site) -> None:
    till = registered(site, "till-5")
    event = till.sell()
    till.events = [event] * 1001
    assert sync(site, till).status_code == 422
    till.events = [till.write("note", {"text": "x" * 17_000})]
    assert sync(site, till).status_code == 422
    body = b'{"events": "' + b"x" * 1_000_000 + b'"}'
    signed = headers(till, "POST", SYNC, body=body, created=now(site))
    assert sync(site, till, content=body, headers=signed).status_code == 413


def test_a_store_manages_its_own_tills_and_others_none(site: Site) -> None:
    store, entered = site.signed_in("clerk"), {"public_key": Till().public_key.hex()}
    there = {"id": "till-6", "place": ELSEWHERE} | entered
    assert store.post("/api/devices", json=there).status_code == 404
    admin = site.signed_in("admin")
    assert admin.post("/api/devices", json=there).status_code == 201
    assert store.post("/api/devices/till-6/block", json={"why": "x"}).status_code == 404
    assert store.post("/api/devices/till-6/renew", json=entered).status_code == 404
    assert "till-6" not in store.get("/api/devices").text
    mine = {"id": "till-7", "place": HERE} | entered
    assert store.post("/api/devices", json=mine).status_code == 409, "the key is till-6's"
    third = registered(site, "till-8")
    assert store.post("/api/devices/till-8/renew", json=entered).status_code == 409
    assert sync(site, third).status_code == 200
    for role in ("planner", "supplier", "service"):
        assert site.signed_in(role).get("/api/devices").status_code == 403


def test_a_browser_page_of_elsewhere_can_not_sync(site: Site) -> None:
    till = registered(site, "till-9")
    body = body_of(till)
    signed = headers(till, "POST", SYNC, body=body, created=now(site))
    told = sync(site, till, headers=signed | {"Sec-Fetch-Site": "cross-site"})
    assert told.status_code == 403


def test_the_signature_is_that_of_the_standard() -> None:
    """The base of RFC 9421 section 2.5: components in order, then the parameters, no last line."""
    params = signature_params("till-1", 1618884473)
    base = signature_base("POST", "/foo", digest=content_digest(b"{}"), params=params)
    assert base.decode().splitlines() == [
        '"@method": POST',
        '"@path": /foo',
        '"content-digest": sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:',
        '"@signature-params": ("@method" "@path" "content-digest");created=1618884473;'
        'keyid="till-1";alg="ed25519"',
    ]
    assert not base.endswith(b"\n")


def test_anybody_is_anybody(site: Site) -> None:
    assert isinstance(site.anybody(), TestClient)
    assert site.anybody().get("/api/devices").status_code == 401
