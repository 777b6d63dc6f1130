"""Signing in at an OpenID provider, which is real but for its people."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from sanhe.connectors.oidc import provider as client
from sanhe.connectors.oidc import token as proof
from sanhe.core.access import Oidc, SignIn, read_sign_in
from sanhe.core.access.ports import Role
from sanhe.core.access.sign_in import Grant
from sanhe.core.storage import EmbeddedServer
from sanhe.web import make_app
from sanhe.web.console.provider import is_local
from sanhe.wiring import Sanhe, record_facts
from tests.connectors.oidc.provider import (
    CLIENT,
    SECRET,
    Provider,
    running,
    signed_by_another,
    signed_with_the_public_key,
    unsigned,
)
from tests.web.conftest import PASSWORD
from tests.wiring.files import deliveries
from tests.wiring.installation import installed, opened

ADDRESS = "http://localhost"
PEOPLE = itertools.count(1)
LIN = {
    "sub": "248289761001",
    "email": "lin@shop.example",
    "email_verified": True,
    "groups": ["staff", "planners"],
    "locale": "en-GB",
}


@dataclass
class House:
    """An installation with a provider beside it."""

    sanhe: Sanhe
    provider: Provider
    sign_in: SignIn

    @property
    def oidc(self) -> Oidc:
        """The provider as the settings tell of it."""
        assert self.sign_in.oidc is not None
        return self.sign_in.oidc

    def browser(self, sign_in: SignIn | None = None, address: str = ADDRESS) -> TestClient:
        """A browser; it stops at every redirection."""
        app = make_app(self.sanhe, sign_in=sign_in or self.sign_in)
        return TestClient(
            app, base_url=address, follow_redirects=False, raise_server_exceptions=False
        )

    @property
    def name(self) -> str:
        """What the account of the provider's person is called."""
        return str(self.provider.person["email"])

    def told(self, action: str) -> dict[str, Any]:
        """What the audit trail tells of the last such action."""
        with self.sanhe.work(actor="auditor") as work:
            found = work.audit.trail(limit=10)
        return dict(next(one for one in found if one.action == action).details)


@pytest.fixture(scope="module")
def planted(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sanhe]:
    """An installation with stores and an administrator."""
    home = tmp_path_factory.mktemp("provider")
    with installed(server, home) as settings, opened(settings) as sanhe:
        record_facts(sanhe, deliveries(), source="sim", actor="importer")
        with sanhe.work(actor="boss") as work:
            work.access.add("boss", PASSWORD, roles=["admin"])
        yield sanhe


@pytest.fixture
def house(planted: Sanhe) -> Iterator[House]:
    """With a provider and a person of its own, and grants for planners, stores and heads."""
    grants = (
        Grant("groups", "planners", frozenset({Role.PLANNER}), None),
        Grant("realm.roles", "shop", frozenset({Role.STORE}), (), "stores"),
        Grant("groups", "heads", frozenset({Role.ADMIN}), None),
    )
    with running(ADDRESS + client.CALLBACK, planted.clock.now) as provider:
        provider.person = {**LIN, "email": f"lin{next(PEOPLE)}@shop.example"}
        oidc = Oidc(provider.issuer, CLIENT, ADDRESS, grants, SECRET, label="Shop account")
        with planted.database.transaction(actor="test") as tx:
            tx.connection.exec_driver_sql("DELETE FROM sign_in_limit")
        yield House(planted, provider, SignIn(oidc=oidc))


def sent(browser: TestClient, back: str = "/") -> str:
    """Go to the provider, who sends the browser back to this address."""
    begun = browser.get("/api/session/oidc", params={"back": back})
    assert begun.status_code == 303, begun.text
    told = httpx.get(begun.headers["location"])
    assert told.status_code == 302, told.text
    return str(told.headers["location"])


def signed_in(browser: TestClient, back: str = "/") -> httpx.Response:
    """Sign in at the provider and come back."""
    return browser.get(sent(browser, back))


def carry(browser: TestClient, cookie: str | dict[str, str]) -> None:
    """Let the browser carry this and nothing else for when it comes back."""
    browser.cookies.clear()
    if isinstance(cookie, dict):
        cookie = base64.urlsafe_b64encode(json.dumps(cookie).encode()).decode()
    browser.cookies["sanhe_oidc"] = cookie


def carried(browser: TestClient) -> dict[str, str]:
    """What the browser carries meanwhile."""
    kept: dict[str, str] = json.loads(base64.urlsafe_b64decode(browser.cookies["sanhe_oidc"]))
    return kept


def refused(answer: httpx.Response, why: str) -> None:
    """Nobody was let in, and the first page says why."""
    assert answer.status_code == 303 and answer.headers["location"] == f"/?refused={why}"
    assert "sanhe_session" not in answer.headers.get("set-cookie", "")


def test_somebody_signs_in_and_is_known(house: House) -> None:
    browser = house.browser()
    told = browser.get("/api/session").json()
    assert told["provider"] == "Shop account" and told["passwords"] is True
    answer = signed_in(browser, "/workbench?place=ST-001")
    assert answer.status_code == 303 and answer.headers["location"] == "/workbench?place=ST-001"
    session = browser.get("/api/session").json()
    assert session["state"] == "signed_in" and session["name"] == house.name
    assert session["roles"] == ["planner"] and session["language"] == "en"
    cookies = answer.headers.get_list("set-cookie")
    (kept,) = [one for one in cookies if one.startswith("sanhe_session=")]
    assert "HttpOnly" in kept and "SameSite=strict" in kept
    assert any(one.startswith("sanhe_oidc=") and "Max-Age=0" in one for one in cookies)
    view = "/api/views/workbench/mine"
    assert browser.put(view, json={"search": ""}).status_code == 403
    headers = {"X-CSRF-Token": session["csrf"]}
    assert browser.put(view, json={"search": ""}, headers=headers).status_code == 204
    assert house.told("signed in")["provider"] == house.provider.issuer
    assert house.told("account added")["roles"] == ["planner"]
    assert house.told("account linked")["subject"] == LIN["sub"]


def test_the_second_time_it_is_the_same_account_with_the_roles_of_now(house: House) -> None:
    assert signed_in(house.browser()).status_code == 303
    first = {one.name: one.id for one in accounts(house)}
    house.provider.person |= {"email": "wu@shop.example", "groups": [], "stores": ["ST-001"]}
    house.provider.person["realm"] = {"roles": ["shop"]}
    browser = house.browser()
    assert signed_in(browser).headers["location"] == "/"
    assert browser.get("/api/session").json()["roles"] == ["store"]
    places = browser.get("/api/places").json()["rows"]
    assert [one["id"] for one in places] == ["ST-001"]
    assert {one.name: one.id for one in accounts(house)} == first


def accounts(house: House) -> list[Any]:
    """All accounts."""
    with house.sanhe.work(actor="auditor") as work:
        return list(work.access.accounts())


def _without(*names: str) -> Callable[[dict[str, Any]], None]:
    def change(claims: dict[str, Any]) -> None:
        for name in names:
            del claims[name]

    return change


def _with(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.update(changes)


def _later(seconds: int, *names: str) -> Callable[[dict[str, Any]], None]:
    def change(claims: dict[str, Any]) -> None:
        claims.update(dict.fromkeys(names, claims["iat"] + seconds))

    return change


WRONG: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "another nonce": (_with(nonce="another"), "provider"),
    "no nonce": (_without("nonce"), "provider"),
    "half a letter as nonce": (_with(nonce="\ud800"), "provider"),
    "another audience": (_with(aud="another"), "provider"),
    "no audience": (_without("aud"), "provider"),
    "two audiences, no party": (_with(aud=[CLIENT, "another"]), "provider"),
    "another party": (_with(azp="another"), "provider"),
    "another issuer": (_with(iss="http://127.0.0.1:1"), "provider"),
    "expired": (_later(-61, "exp"), "expired"),
    "no expiry": (_without("exp"), "provider"),
    "an expiry that is no number": (_with(exp="tomorrow"), "provider"),
    "of a time to come": (_later(120, "iat", "exp"), "provider"),
    "not yet": (_later(120, "nbf"), "provider"),
    "no subject": (_without("sub"), "provider"),
    "an odd subject": (_with(sub="a\x00b"), "provider"),
    "no role": (_with(groups=["staff"]), "no_role"),
    "no groups": (_without("groups"), "no_role"),
    "no such place": (_with(groups=[], realm={"roles": ["shop"]}, stores=["NO"]), "places"),
    "no place": (_with(groups=[], realm={"roles": ["shop"]}), "places"),
    "a name that is taken": (_with(email="Boss"), "name"),
    "no name": (_without("email"), "name"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_does_not_fit_lets_nobody_in(house: House, wrong: str) -> None:
    house.provider.change, why = WRONG[wrong]
    browser, before = house.browser(), accounts(house)
    refused(signed_in(browser), why)
    assert browser.get("/api/session").json()["state"] == "signed_out"
    assert accounts(house) == before
    assert house.told("sign-in refused")["why"] == why
    house.provider.change = lambda claims: None
    assert signed_in(browser).headers["location"] == "/"  # the control: it was the claim alone


@pytest.mark.parametrize("sign", [unsigned, signed_with_the_public_key, signed_by_another])
def test_a_token_that_nobody_signed_lets_nobody_in(
    house: House, sign: Callable[[Provider, dict[str, Any]], str]
) -> None:
    house.provider.sign = sign
    refused(signed_in(house.browser()), "provider")


def test_clocks_may_differ_by_the_leeway(house: House) -> None:
    for change in (
        _later(-50, "exp"),
        _later(50, "iat", "nbf"),
        _with(aud=[CLIENT, "x"], azp=CLIENT),
    ):
        house.provider.change = change
        assert signed_in(house.browser()).headers["location"] == "/"


def test_the_answer_belongs_to_the_browser_that_asked(house: House) -> None:
    one, other = house.browser(), house.browser()
    back = sent(one)
    refused(other.get(back), "expired")  # another browser, which began nothing
    sent(other)
    refused(other.get(back), "expired")  # and one that began its own: login CSRF
    assert house.told("sign-in refused")["why"] == "expired"
    again = house.browser()
    back = sent(again)
    state = parse_qs(urlsplit(back).query)["state"][0]
    refused(again.get(back.replace(state, "x" * len(state))), "expired")


def test_a_code_is_taken_once(house: House) -> None:
    browser = house.browser()
    back = sent(browser)
    kept = browser.cookies["sanhe_oidc"]
    assert browser.get(back).headers["location"] == "/"
    refused(browser.get(back), "expired")  # the browser has forgotten what it began
    thief = house.browser()
    carry(thief, kept)
    refused(thief.get(back), "provider")  # and the provider takes the code no more
    house.provider.replays = True
    thief.cookies.clear()
    back = sent(thief)
    stolen = thief.cookies["sanhe_oidc"]
    assert thief.get(back).headers["location"] == "/"
    carry(thief, stolen)
    assert thief.get(back).headers["location"] == "/"  # the control: a provider that takes it


def test_another_verifier_does_not_fit_the_code(house: House) -> None:
    browser = house.browser()
    back = sent(browser)
    carry(browser, {**carried(browser), "verifier": "x" * 43})
    refused(browser.get(back), "provider")


def test_an_answer_of_another_provider_is_refused(house: House) -> None:
    browser = house.browser()
    back = sent(browser)
    refused(browser.get(back.split("&iss=")[0] + "&iss=https%3A%2F%2Felse.example"), "provider")
    denied = sent(browser).replace("code=", "error=access_denied&nothing=")
    refused(browser.get(denied), "provider")


def test_keys_are_rotated(house: House) -> None:
    browser = house.browser()
    assert signed_in(browser).headers["location"] == "/"
    before = house.provider.asked_for_keys
    assert signed_in(browser).headers["location"] == "/"
    assert house.provider.asked_for_keys == before
    for kind in ("RSA", "EC"):
        old = house.provider.keys
        house.provider.rotate(kind)
        assert signed_in(browser).headers["location"] == "/"
        made, house.provider.keys = house.provider.keys, old
        back = sent(browser)
        house.provider.keys = made
        house.provider.sign = lambda provider, claims, old=old: Provider("", keys=old).token(claims)
        refused(browser.get(back), "provider")  # a key that is no longer published
        house.provider.sign = None


def test_a_key_is_used_as_it_is_meant_alone(house: House) -> None:
    key = house.provider.keys[0].as_dict(private=False)
    for odd in ({"use": "enc"}, {"kid": "another"}, {"kty": "EC"}):
        with pytest.raises(proof.NotAdmitted):
            proof.verified(
                house.provider.token({"a": 1}),
                lambda kid, kind, odd=odd: _found([{**key, **odd}], kid, kind),
            )
    assert proof.verified(house.provider.token({"a": 1}), lambda kid, kind: key) == {"a": 1}


def _found(keys: list[dict[str, Any]], kid: str | None, kind: str) -> dict[str, Any]:
    found = client._matching(keys, kid, kind)
    if found is None:
        raise proof.NotAdmitted("none", why="provider")
    return found


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"email": "lin@else.example"}, "domain"),
        ({"email": "lin@shop.example.else.example"}, "domain"),
        ({"email": "shop.example"}, "domain"),
        ({"email_verified": False}, "domain"),
        ({"email_verified": "true"}, "domain"),
        ({"email": "lin@SHOP.example"}, None),
    ],
)
def test_only_verified_addresses_of_the_domains_are_let_in(
    house: House, claims: dict[str, Any], why: str | None
) -> None:
    house.provider.person |= claims
    named = replace(house.oidc, domains=frozenset({"shop.example"}))
    answer = signed_in(house.browser(SignIn(oidc=named)))
    if why is None:
        assert answer.headers["location"] == "/"
    else:
        refused(answer, why)


ELSEWHERE = (
    *("//evil.example", "https://evil.example/", "/\\evil.example", "\\/evil.example", "evil"),
    *("/\t/evil.example", "javascript:alert(1)", "", "/%0d\n", "/api/session", "///evil.example"),
)


@pytest.mark.parametrize("back", ELSEWHERE)
def test_nobody_is_led_elsewhere(house: House, back: str) -> None:
    browser = house.browser()
    assert not is_local(back)
    if back:
        answer = browser.get("/api/session/oidc", params={"back": back})
        assert answer.status_code == 422 and "set-cookie" not in answer.headers
    there = sent(browser)
    carry(browser, {**carried(browser), "back": back})
    assert browser.get(there).headers["location"] == "/"


def test_an_inactive_account_stays_out(house: House) -> None:
    signed_in(house.browser())
    with house.sanhe.work(actor="boss") as work:
        work.access.change(house.name, active=False)
    refused(signed_in(house.browser()), "inactive")


def test_the_last_administrator_is_not_made_less(house: House) -> None:
    house.provider.person["groups"] = ["heads"]
    assert signed_in(house.browser()).headers["location"] == "/"
    with house.sanhe.work(actor="x") as work:
        work.access.change("boss", roles=["planner"])
    house.provider.person["groups"] = ["planners"]
    refused(signed_in(house.browser()), "last_admin")
    with house.sanhe.work(actor="x") as work:
        work.access.change("boss", roles=["admin"])
    assert signed_in(house.browser()).headers["location"] == "/"  # the control


def test_an_account_that_was_there_is_linked(house: House) -> None:
    with house.sanhe.work(actor="boss") as work:
        work.access.add(house.name, PASSWORD, roles=["buyer"])
    refused(signed_in(house.browser()), "name")
    with house.sanhe.work(actor="boss") as work:
        work.access.link(house.name, house.provider.issuer, subject=LIN["sub"])
    browser = house.browser()
    assert signed_in(browser).headers["location"] == "/"
    assert browser.get("/api/session").json()["roles"] == ["planner"]


def test_without_passwords_the_provider_is_the_only_way(house: House) -> None:
    ways = replace(house.sign_in, local=False)
    browser = house.browser(ways)
    told = browser.get("/api/session").json()
    assert told["passwords"] is False and told["state"] == "signed_out"
    entered = {"name": "boss", "password": PASSWORD}
    assert browser.post("/api/session", json=entered).status_code == 403
    assert signed_in(browser).headers["location"] == "/"
    assert house.browser().post("/api/session", json=entered).status_code == 200


def test_an_account_of_the_provider_has_no_password(house: House) -> None:
    signed_in(house.browser())
    for password in ("", "None", PASSWORD):
        entered = {"name": house.name, "password": password}
        assert house.browser().post("/api/session", json=entered).status_code == 401


def test_a_provider_that_is_away_or_another_is_told(house: House) -> None:
    gone = replace(house.oidc, issuer="http://127.0.0.1:9")
    refused(house.browser(SignIn(oidc=gone)).get("/api/session/oidc"), "away")
    house.provider.called_by = "https://another.example"
    refused(house.browser().get("/api/session/oidc"), "away")


def test_attempts_are_limited_by_address(house: House) -> None:
    browser = house.browser()
    kept = {"state": "s", "nonce": "n", "verifier": "v", "back": "/"}
    for _ in range(30):
        carry(browser, kept)
        refused(browser.get(f"{client.CALLBACK}?state=s&code=none"), "provider")
    carry(browser, kept)
    refused(browser.get(f"{client.CALLBACK}?state=s&code=none"), "too_many")


def test_over_https_the_cookies_are_the_hosts_alone(house: House) -> None:
    https = replace(house.oidc, address="https://sanhe.example.com")
    house.provider.redirect_uri = https.address + client.CALLBACK
    browser = house.browser(SignIn(oidc=https), https.address)
    begun = browser.get("/api/session/oidc")
    assert begun.headers["set-cookie"].startswith("__Host-sanhe_oidc=")
    assert "Secure" in begun.headers["set-cookie"]
    answer = browser.get(httpx.get(begun.headers["location"]).headers["location"])
    (kept,) = [one for one in answer.headers.get_list("set-cookie") if "sanhe_session=" in one]
    assert "Secure" in kept and answer.headers["location"] == "/"


def test_a_secret_is_sent_as_the_provider_takes_it(house: House) -> None:
    house.provider.methods = ["client_secret_post"]
    assert signed_in(house.browser()).headers["location"] == "/"
    wrong = replace(house.oidc, secret="another")
    refused(signed_in(house.browser(SignIn(oidc=wrong))), "provider")


def test_without_a_provider_there_is_no_such_way(house: House) -> None:
    browser = house.browser(SignIn())
    assert browser.get("/api/session").json()["provider"] is None
    for path in ("/api/session/oidc", client.CALLBACK):
        assert browser.get(path).status_code == 404


def test_the_app_reads_the_settings_of_the_installation(house: House, tmp_path: Path) -> None:
    file = tmp_path / "sign-in.toml"
    file.write_text(
        f'[oidc]\nissuer = "{house.provider.issuer}"\nclient_id = "{CLIENT}"\n'
        f'address = "{ADDRESS}"\nclient_secret_file = "secret"\nlabel = "Shop"\n'
        '[[oidc.grant]]\nclaim = "groups"\nvalue = "planners"\nroles = ["planner"]\n'
        'places = "all"\n'
    )
    (tmp_path / "secret").write_text(SECRET + "\n")
    sanhe = replace(house.sanhe, settings=replace(house.sanhe.settings, sign_in=file))
    browser = House(sanhe, house.provider, read_sign_in(file)).browser()
    assert signed_in(browser).headers["location"] == "/"
