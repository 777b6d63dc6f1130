"""Promotions in a browser: drafted, weighed, published by another; tried on a basket."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sanhe.people.promotions import Goods, MemberPrice, Percent, Promotion
from tests.console.conftest import Shop
from tests.console.test_browser import LOOKS, open_page, settled, violations
from tests.people.promotions.publishing import publish
from tests.place.fulfil.store import fact
from tests.web.conftest import PASSWORD


@pytest.fixture
def staff(shop: Shop) -> Shop:
    """The shop with accounts for growth and pricing."""
    with shop.town.sanhe.work(actor="admin") as work:
        known = {account.name for account in work.access.accounts()}
        for role in {"growth", "pricing"} - known:
            work.access.add(role, PASSWORD, roles=[role], language="en")
    return shop


def sell(shop: Shop) -> None:
    """Five receipts of one A each, the days before."""
    moment = shop.town.clock.now()
    facts = []
    for day in range(1, 6):
        at = moment - timedelta(days=day)
        told = {
            "quantity": 1,
            "amount_cents": 1_000,
            "currency": "CNY",
            "event_at": at,
            "day": at.date(),
        }
        payload = {"receipt": f"r{day}"}
        facts.append(fact("sale.line", sku="A", place="S1", payload=payload, **told))
    with shop.town.sanhe.work(actor="importer") as work:
        batch = work.facts.open_batch(source="pos", name="receipts")
        work.facts.append(batch, facts)
        work.follow(batch)


def filled(page: Any, label: str, text: str) -> None:
    """Type into the field of a label."""
    field = page.get_by_label(label, exact=True).last
    field.fill(text)
    field.press("Tab")


def dated(page: Any, shop: Shop) -> None:
    """Give a week around today's orders as the days."""
    now = shop.town.clock.now()
    first, last = (page.locator(".ant-picker-range input").nth(at) for at in (0, 1))
    first.fill(now.strftime("%Y-%m-01 00:00"))
    first.press("Tab")
    last.fill(now.strftime("%Y-12-28 00:00"))
    last.press("Tab")


def test_growth_drafts_and_weighs_and_pricing_publishes(staff: Shop) -> None:
    desk = staff.desk
    sell(staff)
    page = desk.signed_in("growth")
    page.click("nav >> text=Promotions")
    page.click("text=New promotion")
    filled(page, "Code", "TEA-10")
    filled(page, "Name", "Ten percent off tea")
    filled(page, "Share off, %", "10")
    filled(page, "Categories", "tea,")
    dated(page, staff)
    page.click("text=Save the draft")
    page.wait_for_url("**promotion=TEA-10**")
    page.wait_for_selector(".drawer-told .reason")
    assert page.inner_text(".drawer-told .reason") == "10 % off tea."
    assert not page.locator("text=Approve and publish").count()
    page.click("text=Weigh and propose")
    page.wait_for_selector("table[aria-label='On past receipts'], .ant-drawer-footer .failure")
    assert not page.locator(".failure").count(), page.inner_text(".failure")
    pricing = desk.signed_in("pricing")
    open_page(pricing, f"{desk.address}/promotions?promotion=TEA-10")
    pricing.click("text=Approve and publish")
    pricing.fill(".ant-modal textarea", "small, and the tea is fresh")
    pricing.click(".ant-modal button[type=submit]")
    pricing.wait_for_selector(".ant-drawer-extra >> text=Published")
    with staff.town.sanhe.work(actor="reader") as work:
        kept = work.promotions.get("TEA-10")
    assert kept.published == 1 and kept.promotion.offer == Percent(1_000)
    # What the server refuses is told, and nothing is lost of what was entered.
    page.reload()
    page.click(".ant-drawer-footer >> text=Change")
    filled(page, "Budget in all", "0")
    page.click("text=Save the draft")
    page.wait_for_selector(".ant-drawer-body .failure")
    assert page.get_by_label("Name", exact=True).last.input_value() == "Ten percent off tea"
    assert not desk.complaints


def test_a_basket_is_priced_and_told_why_not(staff: Shop) -> None:
    town, desk = staff.town, staff.desk
    now = town.clock.now()
    tea = Goods(categories=frozenset({"tea"}))
    with town.sanhe.work(actor="growth") as work:
        if "TEA-10" not in work.promotions.published():
            begins, ends = now - timedelta(days=1), now + timedelta(days=30)
            ten = Promotion("TEA-10", "Ten", Percent(1_000), "item", begins, ends, goods=tea)
            publish(work.promotions, work.decisions, ten)
    page = desk.signed_in("service")
    open_page(page, f"{desk.address}/promotions?tab=try")
    filled(page, "Fetched at place", "S1")
    filled(page, "SKU", "A")
    filled(page, "Coupon codes", "0000-0000-0000-0000,")
    page.click("button >> text=Price it")
    page.wait_for_selector("table.terms tfoot")
    cents = page.eval_on_selector_all(
        "table.terms tbody td",
        "cells => cells.map(one => Math.round(100 * one.innerText.replace(/[^0-9.-]/g, '')))",
    )
    total = round(100 * float(page.inner_text("table.terms tfoot strong").strip("¥")))
    assert sum(cents) == total == 900 and -100 in cents
    why = page.inner_text("table[aria-label='What does not count, and why']")
    assert "0000" in why and "Unknown" in why
    filled(page, "SKU", "no such thing")
    page.click("button >> text=Price it")
    page.wait_for_selector(".failure")
    assert not desk.complaints


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_each_view_is_whole_in_each_look(
    staff: Shop, *, language: str, dark: bool, width: int
) -> None:
    town, desk = staff.town, staff.desk
    now = town.clock.now()
    with town.sanhe.work(actor="growth") as work:
        if "MEMBERS" not in work.promotions.published():
            ends = now.replace(year=now.year + 20)
            price = Promotion("MEMBERS", "Member price", MemberPrice(), "price", now, ends)
            publish(work.promotions, work.decisions, price)
    page = desk.signed_in("admin", language=language, dark=dark, width=width)
    for search in ("", "?tab=calendar", "?tab=try", "?promotion=MEMBERS", "?promotion=new"):
        open_page(page, f"{desk.address}/promotions{search}")
        page.wait_for_selector("[role=tabpanel]")
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), search
        assert not violations(page), search
    assert not desk.complaints
