"""Signing in at an OpenID provider as a person does it, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sanhe.connectors.oidc import provider as client
from sanhe.core.access import Oidc, SignIn
from sanhe.core.access.ports import Role
from sanhe.core.access.sign_in import Grant
from sanhe.core.storage import EmbeddedServer
from sanhe.web import make_app
from tests.connectors.oidc.provider import CLIENT, SECRET, Provider, running
from tests.console.conftest import AXE, Desk, looking, require_browser
from tests.web.conftest import PASSWORD
from tests.web.serving import served
from tests.wiring.installation import installed, opened


@pytest.fixture(scope="module")
def place(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, Provider]]:
    """A browser at an installation without data, and the provider beside it."""
    require_browser()
    apps: list[Any] = []

    async def later(scope: Any, receive: Any, send: Any) -> None:
        await apps[0](scope, receive, send)

    home = tmp_path_factory.mktemp("sign-in")
    with (
        installed(server, home) as settings,
        opened(settings) as sanhe,
        served(later) as address,
        running(address + client.CALLBACK, sanhe.clock.now) as provider,
    ):
        with sanhe.work(actor="boss") as work:
            work.access.add("boss", PASSWORD, roles=["admin"])
        grants = (Grant("groups", "planners", frozenset({Role.PLANNER}), None),)
        oidc = Oidc(provider.issuer, CLIENT, address, grants, SECRET, label="Shop account")
        apps.append(make_app(sanhe, sign_in=SignIn(oidc=oidc)))
        with looking(address) as desk:
            yield desk, provider


def test_somebody_goes_there_and_comes_back_to_the_page_they_wanted(
    place: tuple[Desk, Provider],
) -> None:
    desk, provider = place
    provider.person = {"sub": "7", "email": "lin@shop.example", "groups": ["planners"]}
    page = desk.page()
    page.goto(f"{desk.address}/forecast?category=Drinks")
    page.get_by_role("link", name="Sign in with Shop account").click()
    page.wait_for_selector("[role=main] h1")
    assert page.url == f"{desk.address}/forecast?category=Drinks"
    page.reload()  # the cookie is one that the browser sends again
    page.wait_for_selector("[role=main] h1")
    assert desk.complaints == []


@pytest.mark.parametrize(
    ("language", "button", "told"),
    [
        ("en", "Sign in with Shop account", "no role in sanhe"),
        ("zh-CN", "使用Shop account登录", "没有角色"),
    ],
)
def test_who_may_not_come_in_is_told_why(
    place: tuple[Desk, Provider], language: str, button: str, told: str
) -> None:
    desk, provider = place
    provider.person = {"sub": "8", "email": "wu@shop.example", "groups": []}
    page = desk.page(language=language)
    page.goto(desk.address)
    page.get_by_role("link", name=button).click()
    page.get_by_text(told).wait_for()
    page.fill("input[autocomplete=username]", "boss")
    if AXE.is_file():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa']})")
        assert [one["id"] for one in found["violations"]] == []
    page.fill("input[type=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=main] h1")
