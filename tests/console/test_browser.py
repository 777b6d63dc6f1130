"""What people do in the console, in a browser: decide, look around, in any theme and width."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.console.conftest import AXE, FIRST, Desk, missing

PAGES = (
    *(
        "/cockpit",
        "/workbench",
        "/items",
        "/exceptions",
        "/decisions",
        "/orders",
        "/health",
        "/forecast",
    ),
    *(
        "/forecast?tab=overrides",
        "/simulator",
        "/imports",
        "/admin",
        "/admin?tab=places",
        "/admin?tab=policy",
        "/admin?tab=audit",
        "/nothing",
    ),
)
LOOKS = [("en", False, 1440), ("zh-CN", True, 768), ("zh-CN", False, 390), ("en", True, 390)]


def open_page(page: Any, address: str) -> None:
    """Go to a page and wait until nothing of it is being waited for."""
    page.goto(address)
    page.wait_for_selector("main h1, .page h1, [role=main] h1")
    settled(page)


def settled(page: Any) -> None:
    """Wait until nothing of the page is being waited for."""
    waiting = page.locator(".page-wait, .ant-skeleton-active, .chart-wait")
    deadline = time.monotonic() + 20
    while waiting.count() and time.monotonic() < deadline:
        page.wait_for_timeout(50)


def test_a_planner_reads_edits_approves_and_sees_the_order(desk: Desk) -> None:
    page = desk.signed_in("planner")
    open_page(page, f"{desk.address}/workbench")
    page.wait_for_selector("[data-row='0']")
    page.focus("[data-row='0']")
    page.keyboard.press("o")
    page.wait_for_selector(".terms tbody tr")
    values = [
        int(cell.inner_text())
        for cell in page.query_selector_all(".terms td:nth-child(2)")
        if cell.inner_text().lstrip("+-").isdigit()
    ]
    total = int(page.inner_text(".terms tfoot td.numeric"))
    assert sum(values) == total
    page.keyboard.press("Escape")
    page.wait_for_selector(".ant-drawer-open", state="hidden")
    page.focus("[data-row='0']")
    page.keyboard.press("Enter")
    page.wait_for_selector(".edit-quantity input")
    page.fill(".edit-quantity input[role=spinbutton]", str(total + 1))
    page.fill(".edit-quantity input[type=text]:not([role])", "a feast is near")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-row='0'] del")
    page.focus("[data-row='1']")
    page.keyboard.press("a")
    page.wait_for_selector("[data-row='1'] .status-good")
    page.keyboard.press("o")  # what is decided tells what became of it, and offers nothing
    assert "planner approved it" in page.wait_for_selector(".happened").inner_text()
    assert not page.locator(".ant-drawer-footer").count() and not page.locator(".ruling").count()
    page.keyboard.press("Escape")
    page.wait_for_selector(".ant-drawer-open", state="hidden")
    page.focus("[data-row='2']")
    page.keyboard.press("o")
    assert "No rule of the policy" in page.wait_for_selector(".ruling").inner_text()
    assert page.locator(".ant-drawer-footer button").count() == 4
    page.keyboard.press("Escape")
    page.wait_for_selector(".ant-drawer-open", state="hidden")
    open_page(page, f"{desk.address}/orders")
    page.wait_for_selector("[data-row='0']")
    page.click("[data-row='0'] button")
    page.wait_for_selector(".ant-drawer-body tbody tr")
    assert not desk.complaints


def test_the_focus_stays_where_somebody_types_after_a_drawer_closed(desk: Desk) -> None:
    page = desk.signed_in("planner")
    open_page(page, f"{desk.address}/workbench?status=all")
    page.wait_for_selector("[data-row='0']")
    page.add_style_tag(content="* { transition-duration: 1s !important }")  # slides away slowly
    page.focus("[data-row='0']")
    page.keyboard.press("o")
    page.wait_for_selector(".terms tbody tr")
    page.keyboard.press("Escape")
    page.wait_for_selector(".ant-drawer-open", state="hidden")
    page.wait_for_selector("[data-row='0']:focus")  # at once, not when it has slid away
    search = page.locator(".filters input[type=search]:not([role])").first
    search.focus()
    page.wait_for_timeout(1_500)
    assert search.evaluate("one => one === document.activeElement")
    assert not desk.complaints


def test_the_menu_shows_what_a_role_may_open(desk: Desk) -> None:
    menu = {
        name: desk.signed_in(name).inner_text("nav").split("\n") for name in ("planner", "service")
    }
    assert "Policy simulator" in menu["planner"]
    assert "Administration" not in menu["planner"]
    assert {"Items and stock", "Orders", "Decision log"} <= set(menu["service"])
    assert not {"Replenishment", "Exceptions", "Cockpit"} & set(menu["service"])


@pytest.mark.parametrize(("role", "first"), FIRST.items())
def test_each_role_comes_to_a_page_of_its_own(desk: Desk, role: str, first: str) -> None:
    page = desk.signed_in(role)
    page.wait_for_url(f"**{first}")
    open_page(page, desk.address)
    page.wait_for_url(f"**{first}")
    assert page.locator("[role=main] h1").inner_text()
    assert not page.locator("[role=main] .failure, .empty h1").count()
    menu = page.locator("nav .ant-menu-item a")
    for at in range(menu.count()):  # whatever its menu offers, it may open
        menu.nth(at).click()
        page.wait_for_selector("[role=main] h1")
        settled(page)
        assert not page.locator("[role=main] .failure, .empty h1").count(), page.url
    assert not desk.complaints


def test_service_looks_an_item_up(desk: Desk) -> None:
    page = desk.signed_in("service")
    page.keyboard.press("Control+k")
    page.fill("[role=combobox][aria-controls=found]", "SKU-0001")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/items?search=SKU-0001")
    page.click(".plain .link")
    page.wait_for_selector(".ant-drawer-body td.numeric")
    page.keyboard.press("Escape")
    page.wait_for_selector(".ant-drawer-open", state="hidden")
    page.click(".besides >> text=Decision log")
    page.click("[data-row='0'] button")
    page.wait_for_selector(".terms tbody tr")
    assert not page.locator(".ant-drawer-footer").count()  # reads, and decides nothing
    assert not desk.complaints


def test_a_wrong_password_is_told_and_signing_out_ends_it(desk: Desk) -> None:
    page = desk.page()
    page.goto(desk.address)
    page.fill("input[autocomplete=username]", "planner")
    page.fill("input[type=password]", "not this one at all")
    page.keyboard.press("Enter")
    page.wait_for_selector(".failure")
    page = desk.signed_in("buyer")
    page.click("[aria-label=Account]")
    page.click("text=Sign out")
    page.wait_for_selector("input[autocomplete=username]")
    assert page.evaluate("fetch('/api/cockpit').then(told => told.status)") == 401


def test_who_is_signed_out_elsewhere_is_asked_to_sign_in(desk: Desk) -> None:
    page = desk.signed_in("buyer")
    page.evaluate("fetch('/api/session', {method: 'DELETE'})")
    page.click("nav >> text=Orders")
    page.wait_for_selector("input[autocomplete=username]")
    assert not page.locator("nav").count()
    assert not desk.complaints


def test_what_is_typed_stays_when_a_language_comes_late(desk: Desk) -> None:
    page = desk.page(language="zh-CN")
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/locale-zh*.js", hold)
    page.goto(desk.address)
    page.fill("input[autocomplete=username]", "buyer")
    assert held and page.input_value("input[autocomplete=username]") == "buyer"
    held.pop().continue_()
    page.wait_for_load_state("networkidle")
    assert page.input_value("input[autocomplete=username]") == "buyer"


def test_filters_live_in_the_address(desk: Desk) -> None:
    page = desk.signed_in("planner")
    open_page(page, f"{desk.address}/workbench?sort=cover_days&status=all")
    page.wait_for_selector("[aria-sort=ascending]")
    page.fill(".search-box input", "SKU-0001")
    page.wait_for_url("**search=SKU-0001**")
    page.click("nav >> text=Exceptions")
    page.wait_for_url("**/exceptions")  # a page's own filters stay behind
    page.keyboard.press("Control+k")
    page.fill("[role=combobox][aria-controls=found]", "SKU-0002")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/workbench?search=SKU-0002")


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_every_page_is_whole_in_each_look(
    desk: Desk, language: str, dark: bool, width: int
) -> None:
    page = desk.signed_in("admin", language=language, dark=dark, width=width)
    wrong = []
    for path in PAGES:
        open_page(page, desk.address + path)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{path} is wider than the window")
        wrong += [f"{path}: {one}" for one in violations(page)]
    assert not wrong
    assert not desk.complaints
    assert not desk.outside


def violations(page: Any) -> list[str]:
    """What axe-core finds; nothing where it is not installed (npm ci in frontend/console)."""
    if not AXE.is_file():
        return []
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{one['id']} at {one['nodes'][0]['target']}" for one in found["violations"]]


def test_axe_would_find_a_fault(desk: Desk) -> None:
    if not AXE.is_file():
        missing("axe-core is not installed: npm ci in frontend/console")
    page = desk.signed_in("admin")
    page.evaluate("document.body.append(document.createElement('button'))")
    assert any(one.startswith("button-name") for one in violations(page))
