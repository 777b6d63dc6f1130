"""Points and coupons in a browser: a member looked up and corrected; what all may still ask for."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sanhe.people.coupons import Campaign
from sanhe.people.promotions import Percent, Promotion
from sanhe.place.orders import AtPlace, Basket, BasketLine, Delivery, Placing
from tests.console.conftest import Shop
from tests.console.test_browser import LOOKS, open_page, settled, violations
from tests.people.promotions.publishing import publish

MEMBER = "M-1007"


@pytest.fixture
def member(shop: Shop) -> str:
    """A member with points, stored value, a coupon that can be used and one in a basket."""
    town = shop.town
    now = town.clock.now()
    begins, ends = now - timedelta(days=1), now + timedelta(days=30)
    with town.sanhe.work(actor="growth") as work:
        if not work.tiers.join(MEMBER, at=now):
            return MEMBER
        work.tiers.qualify(MEMBER, 150_000, cause="order 1", at=now)
        for number in range(60):
            cause, last = f"sign-in/2025-09-{number}", date(2026, 1 + number % 12, 28)
            work.points.earn(MEMBER, 10, cause=cause, at=now, expires_on=last)
        work.stored.top_up(MEMBER, 4_000, given_cents=1_000, cause="slip 1", at=now)
        percent = Percent(1_000)
        ten = Promotion("TEN", "Ten percent off", percent, "coupon", begins, ends, coupon=True)
        publish(work.promotions, work.decisions, ten)
        work.coupons.save(Campaign("AUTUMN", "Autumn", "TEN", begins, ends))
        work.coupons.issue("AUTUMN", members=[MEMBER])
    return MEMBER


def figure(page: Any, name: str) -> Decimal:
    """What the page says of a fact."""
    told = page.locator(f".facts div:has(dt:text-is('{name}')) dd").inner_text()
    return Decimal("".join(one for one in told if one in "0123456789.-"))


def test_service_looks_a_member_up_and_corrects_their_points(shop: Shop, member: str) -> None:
    town, desk = shop.town, shop.desk
    delivery = Delivery("pickup", "S1")
    basket = Basket("web", "CNY", (BasketLine("A", 1),), delivery, member=member, points=100)
    with town.sanhe.work(actor="shopper") as work:
        placed = work.orders.place(Placing(basket, 1_000), AtPlace())
    page = desk.signed_in("service")
    page.click("nav >> text=Membership")
    page.wait_for_selector("text=No member chosen")
    page.fill(".member-box input", member)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/members?member={member}")
    page.wait_for_selector(".facts")
    with town.sanhe.work(actor="reader") as work:
        had = work.points.balance(member)
    assert (figure(page, "Points"), figure(page, "Held")) == (had.available, had.held)
    assert had.held == 100
    told = page.inner_text("[role=main]")
    assert "Basic" in told and "500.00 more leads into Silver" in told
    assert "Ten percent off" in told and "Can be used" in told
    lots = page.locator("table[aria-label='Points by their last day'] tbody tr")
    assert lots.count() == len(had.lots)
    history = page.locator("table[aria-label='What happened'] tbody tr")
    assert history.count() == 50 and "Held" in history.nth(0).inner_text()
    page.click("text=Show earlier ones")
    history.nth(50).wait_for()
    page.click("text=Correct the points")
    page.click(".ant-modal button[type=submit]")
    page.wait_for_selector(".ant-form-item-explain-error")  # a number and a reason are needed
    page.fill(".ant-modal input", "-25")
    page.fill(".ant-modal textarea", "given twice")
    page.click(".ant-modal button[type=submit]")
    page.wait_for_selector("table[aria-label='What happened'] >> text=given twice")
    assert figure(page, "Points") == had.available - 25
    page.click(".ant-segmented >> text=Stored value")
    page.wait_for_url("**of=stored**")
    page.wait_for_selector("table[aria-label='What happened'] >> text=Topped up")
    with town.sanhe.work(actor="shopper") as work:
        work.orders.cancel(placed.id, "changed my mind")
    assert not desk.complaints


def test_what_members_may_still_ask_for_adds_up(shop: Shop, member: str) -> None:
    desk = shop.desk
    page = desk.signed_in("planner")
    open_page(page, f"{desk.address}/members")
    page.wait_for_selector("canvas")
    assert not page.locator(".member-box").count()  # a planner sees no single member
    cells = page.locator(
        "table[aria-label='Points by the month they end in'] tbody td:nth-child(2)"
    )
    months = [int(text.replace(",", "")) for text in cells.all_inner_texts()]
    assert sum(months) == figure(page, "Points outstanding") > 0
    assert figure(page, "Stored value paid ahead") == 40
    row = page.locator("table[aria-label='Coupons not used yet'] tbody tr").inner_text()
    assert row.split()[-3:] == ["1", "0", "1"]
    answer = page.evaluate(f"fetch('/api/members/{member}/points').then(told => told.status)")
    assert answer == 403
    assert not desk.complaints


def test_a_store_sees_what_a_member_has_and_corrects_nothing(shop: Shop, member: str) -> None:
    desk = shop.desk
    page = desk.signed_in("store")
    open_page(page, f"{desk.address}/members?member={member}")
    page.wait_for_selector(".facts")
    assert not page.locator("text=Correct the points").count()
    open_page(page, f"{desk.address}/members?member=nobody")
    page.wait_for_selector("text=Nothing happened yet.")
    assert "No member" in page.inner_text(".facts")
    assert not desk.complaints


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_both_sides_are_whole_in_each_look(
    shop: Shop, member: str, *, language: str, dark: bool, width: int
) -> None:
    page = shop.desk.signed_in("admin", language=language, dark=dark, width=width)
    for address in ("/members", f"/members?member={member}"):
        open_page(page, shop.desk.address + address)
        page.wait_for_selector(".facts")
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert not violations(page), address
    assert not shop.desk.complaints
