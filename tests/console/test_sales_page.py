"""Shoppers' orders in a browser: found, opened, acted on; each role sees and does its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.conftest import Desk, Shop
from tests.console.test_browser import LOOKS, open_page, settled, violations


def opened(desk: Desk, page: Any, number: int) -> None:
    """Open the drawer of an order."""
    open_page(page, f"{desk.address}/sales?sale={number}")
    page.wait_for_selector(".drawer-told .facts")


def test_service_finds_an_order_and_reads_why_it_comes_from_there(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    first = town.order(town.paid(("A", 1)))
    brought = town.order(town.paid(("A", 2), ("B", 1), at=None, channel="app"))
    page = desk.signed_in("service")
    page.wait_for_url("**/sales")
    page.fill(".search-box input", str(brought.number))
    page.wait_for_url(f"**search={brought.number}**")
    page.wait_for_selector("[aria-rowcount='2']")
    page.click("[data-row='0'] button")
    page.wait_for_url(f"**sale={brought.number}**")
    told = page.wait_for_selector(".drawer-told").inner_text()
    assert "Courier" in told and "Order " in page.inner_text(".ant-drawer-title")
    cents = page.eval_on_selector_all(
        ".terms tbody td:nth-child(2)",
        "cells => cells.map(one => Math.round(100 * one.innerText.replace(/[^0-9.-]/g, '')))",
    )
    total = page.inner_text(".terms tfoot strong")
    assert sum(cents) == round(100 * float(total.strip("¥"))) > 0
    others = page.locator("[aria-label='Alternatives'] tbody tr")
    assert others.count() >= 2 and "chosen" in others.nth(0).inner_text()
    assert "+¥" in others.nth(1).inner_text()
    open_page(page, f"{desk.address}/sales?method=pickup&search=A")
    page.wait_for_selector("[data-row='0']")
    rows = page.inner_text("[role=grid]")
    assert str(first.number) in rows and "App" not in rows
    assert not desk.complaints


def shown_to(shop: Shop, subject: str) -> list[str]:
    """Who was shown a recipient, as the trail says."""
    with shop.town.sanhe.work(actor="reader") as work:
        trail = work.audit.trail(subject=subject)
    return [one.actor for one in trail if one.action == "recipient shown"]


def test_service_is_shown_who_it_goes_to_and_others_the_mask(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    number = town.order(town.paid(("A", 1), at=None)).number
    page = desk.signed_in("planner")
    opened(desk, page, number)
    told = page.inner_text(".drawer-told")
    assert "张** 138****1234 上海市浦东新区" in told and "海椒路" not in told
    assert not page.locator("text=Show name and address").count()
    page = desk.signed_in("service")
    opened(desk, page, number)
    assert "张**" in page.inner_text(".drawer-told")
    page.click("text=Show name and address")
    whole = page.wait_for_selector("address.recipient").inner_text()
    assert "张小明 138 0013 1234" in whole and "海椒路 17 号 4 单元 402" in whole
    assert shown_to(shop, f"order {number}") == ["service"]
    page.keyboard.press("Escape")
    page.wait_for_selector(".drawer-told", state="detached")
    opened(desk, page, number)
    assert "海椒路" not in page.inner_text("body"), "it has to be asked for anew"
    assert not desk.complaints


def test_service_cancels_and_the_money_goes_back(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    order = town.paid(("B", 3))
    page = desk.signed_in("service")
    opened(desk, page, town.order(order).number)
    page.click(".ant-drawer-footer >> text=Cancel the order")
    page.click(".ant-modal button[type=submit]")
    page.wait_for_selector(".ant-form-item-explain-error")  # a reason is needed
    page.fill(".ant-modal textarea", "changed their mind")
    page.click(".ant-modal button[type=submit]")
    page.wait_for_selector(".ant-drawer-footer", state="detached")
    told = page.inner_text(".drawer-told")
    assert "changed their mind" in told and "has not given it back yet" in told
    assert town.open_refunds(order) == [999]
    assert not desk.complaints


def test_service_asks_for_a_return_of_what_was_handed_over(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    order = town.paid(("A", 2))
    with town.sanhe.work(actor="till") as work:
        work.orders.hand_over(order)
    page = desk.signed_in("service")
    opened(desk, page, town.order(order).number)
    assert page.locator(".ant-drawer-footer button").count() == 1
    page.click(".ant-drawer-footer button")
    page.fill(".ant-modal input[role=spinbutton]", "1")
    page.fill(".ant-modal textarea", "too small")
    page.click(".ant-modal button[type=submit]")
    page.wait_for_selector("[aria-label='Returns'] tbody tr")
    with town.sanhe.work(actor="reader") as work:
        (back,) = work.returns.of(order)
    assert [(line.line, line.units) for line in back.lines] == [(0, 1)]
    assert not desk.complaints


def test_who_only_reads_is_offered_nothing_and_others_orders_are_not_there(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    here = town.order(town.paid(("A", 1), at="S1")).number
    there = town.order(town.paid(("A", 1), at="S2")).number
    page = desk.signed_in("planner")
    opened(desk, page, here)
    assert not page.locator(".ant-drawer-footer").count()
    page = desk.signed_in("store")
    opened(desk, page, here)
    open_page(page, f"{desk.address}/sales?sale={there}")
    assert "not there" in page.wait_for_selector(".ant-drawer .failure").inner_text().lower()
    buyer = desk.signed_in("buyer")
    assert "Shopper orders" not in buyer.inner_text("nav")
    status = f"fetch('/api/sales/{here}').then(told => told.status)"
    assert (buyer.evaluate(status), page.evaluate(status)) == (403, 200)
    assert not desk.complaints


def test_the_promise_map_says_what_is_missing_before_a_plan(shop: Shop) -> None:
    page = shop.desk.signed_in("planner")
    open_page(page, f"{shop.desk.address}/promises")
    assert "There is no forecast yet" in page.wait_for_selector(".empty").inner_text()


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_page_is_whole_in_each_look(shop: Shop, language: str, dark: bool, width: int) -> None:
    town, desk = shop.town, shop.desk
    number = town.order(town.paid(("A", 1), at=None)).number
    page = desk.signed_in("admin", language=language, dark=dark, width=width)
    wrong = []
    for path in ("/sales", "/sales?search=nothing-of-it", f"/sales?sale={number}"):
        open_page(page, desk.address + path)
        if path.endswith(str(number)):
            page.wait_for_selector(".drawer-told .facts")
        settled(page)
        page.wait_for_timeout(400)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{path} is wider than the window")
        wrong += [f"{path}: {one}" for one in violations(page)]
    assert not wrong
    assert not desk.complaints
    assert not desk.outside
