"""A store's day on a phone: picked, handed over by code, taken back, looked at, counted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from sanhe.goods.suppliers import OrderLine
from sanhe.wiring import tell_sales
from tests.console.conftest import Desk, Shop
from tests.console.test_browser import LOOKS, open_page, settled, violations
from tests.web.test_store import browser, post
from tests.web.test_storegoods import on_hand, ordered

PHONE = 390


def scan(page: Any, code: str) -> None:
    """What a scanner does: types a code, wherever the focus is, and ends it with Enter."""
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def task(desk: Desk, page: Any, name: str) -> None:
    """Open the first task whose card says this, and take it."""
    open_page(page, f"{desk.address}/store")
    page.click(f".card >> text={name} >> nth=0")
    page.click(".ant-drawer-body >> text=Take it")


def test_a_whole_day(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    channel = browser(town, "channel")
    wanted = {
        "channel": "miniprogram",
        "currency": "CNY",
        "lines": [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}],
        "delivery": {"method": "pickup", "place": "S1"},
    }
    placing = {"basket": wanted, "agreed_cents": 2_333}
    placed = post(channel, "/shop/orders", placing, "a-whole-day").json()
    order, number = UUID(placed["id"]), placed["number"]
    town.pay(order)
    town.run()
    before = on_hand(town, "A", "S1")
    page = desk.signed_in("store", width=PHONE)
    page.wait_for_url("**/store")

    task(desk, page, "Pick")
    page.wait_for_selector(".scan input")
    scan(page, "Z")
    page.wait_for_selector("text=Z is not part of this")
    for code in ("A", "A", "B"):
        scan(page, code)
    page.wait_for_selector(".task-lines li.whole >> nth=1")
    page.click(".ant-drawer-body >> text=Done")
    page.wait_for_selector("text=The task is done")

    (shipment,) = town.shipments(order)
    assert shipment.state.value == "ready"
    task(desk, page, "Hand over")
    page.wait_for_selector(".scan input")
    code = town.code(shipment.id)
    scan(page, "0" * 8 if code != "0" * 8 else "1" * 8)
    page.wait_for_selector(".store-wrong")
    scan(page, code)
    page.wait_for_selector("text=Handed over to the shopper")
    assert town.order(order).state.value == "complete"

    body = {"lines": [{"line": 0, "units": 2}], "reason": "too small"}
    post(channel, f"/shop/orders/{order}/returns", body, "brought-back")
    open_page(page, f"{desk.address}/store?tab=returns")
    scan(page, str(number))
    page.click("text=These came")
    page.wait_for_selector("text=As good as new")
    page.click("[aria-label='One more of A: As good as new']")
    page.click("[aria-label='One more of A: Waste']")
    page.click("text=Done: give the money back")
    page.wait_for_selector("text=go back")
    assert town.open_refunds(order) == [2_000]
    while tell_sales(town.sanhe):
        continue
    assert on_hand(town, "A", "S1") == before - 2 + 1
    town.money_is_exact(order)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not desk.complaints


def test_what_is_not_there_is_asked_about_and_comes_from_elsewhere(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    order = town.paid(("B", 2))
    town.run()
    page = desk.signed_in("store", width=PHONE)
    task(desk, page, "Pick")
    page.wait_for_selector(".scan input")
    scan(page, "B")
    page.click("text=1 missing: finish")
    page.click("text=Finish short")
    page.wait_for_selector("text=The task is done")
    places = {(one.place, one.state.value) for one in town.shipments(order)}
    assert ("S1", "ready") in places and any(place != "S1" for place, _ in places)
    assert not desk.complaints


def test_the_label_of_a_parcel_is_shown_and_stands_alone_on_paper(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    order = town.paid(("A", 1), at=None)
    town.run()
    (shipment,) = town.shipments(order)
    assert shipment.place == "S1"
    town.pick("S1")
    town.run()
    town.wait(seconds=5)
    town.run()
    (mine,) = (one for one in town.tasks("S1", "hand_over") if str(shipment.id) in one.subject)
    page = desk.signed_in("store", width=PHONE)
    open_page(page, f"{desk.address}/store?task={mine.id}")
    page.click(".ant-drawer-body >> text=Take it")
    page.click(".ant-drawer-body >> text=Show the label")
    label = page.wait_for_selector("address.recipient")
    for text in (f"Order {town.order(order).number}", "张小明 138 0013 1234", "海椒路", "放门口"):
        assert text in label.inner_text()
    page.emulate_media(media="print")
    assert label.is_visible()
    for other in (".ant-drawer-title", "text=Print the label", "text=Done"):
        assert not page.locator(other).first.is_visible()
    with town.sanhe.work(actor="reader") as work:
        (entry, *_) = work.audit.trail(subject=f"order {town.order(order).number}")
    assert (entry.actor, entry.action) == ("store", "recipient shown")
    assert not desk.complaints


def test_something_like_it_is_picked_where_the_shopper_takes_it(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    order = town.pay(town.place(("A", 2), substitutes=True).id)
    town.run()
    page = desk.signed_in("store", width=PHONE)
    task(desk, page, "Pick")
    page.wait_for_selector(".scan input")
    scan(page, "A")
    page.click("text=Pick something like it")
    page.click("[aria-label='Pick something like it']")
    page.click(".ant-select-item-option >> text=B · ¥3.33")
    page.wait_for_selector(".ant-select-dropdown", state="hidden")
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("text=Done")
    page.wait_for_selector("text=The task is done.")
    found = town.order(order)
    assert [(line.sku, line.instead_of, line.state.open) for line in found.lines] == [
        ("A", None, 1),
        ("B", 0, 1),
    ]
    assert town.open_refunds(order) == [1_000 - 333]
    town.money_is_exact(order)
    service = desk.signed_in("service")
    open_page(service, f"{desk.address}/sales?sale={found.number}")
    service.wait_for_selector("text=instead of line 1")
    assert not desk.complaints


def test_a_task_is_taken_over_from_another(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    town.paid(("B", 1))
    town.run()
    mine = town.tasks("S1", "pick")[0]
    with town.sanhe.work(actor="li") as work:
        work.tasks.take(mine.id)
    page = desk.signed_in("store", width=PHONE)
    open_page(page, f"{desk.address}/store?task={mine.id}")
    page.click("text=Take it over from li")
    page.click("text=All are there")
    page.click(".ant-drawer-body >> text=Done")
    page.wait_for_selector("text=The task is done")
    assert not desk.complaints


def test_goods_are_received_sent_and_counted(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    name = ordered(town, OrderLine("A", "S1", "V1", 24))
    transfer = ordered(town, OrderLine("B", "S2", "S1", 1, transfer=True))
    before, there = on_hand(town, "A", "S1"), on_hand(town, "B", "S1")
    page = desk.signed_in("store", width=PHONE)
    for way, order in (("", name), ("&way=send", transfer)):
        open_page(page, f"{desk.address}/store?tab=deliveries{way}")
        page.click(f".card >> text={order}")
        page.click("text=All that is open")
        page.fill(".store-note input", "DN-7")
        page.click(".ant-drawer-body button.ant-btn-primary >> nth=-1")
        page.wait_for_selector("text=the stock follows")
    assert on_hand(town, "A", "S1") == before + 24
    assert on_hand(town, "B", "S1") == there - 1
    open_page(page, f"{desk.address}/store?tab=count")
    for code in ("no such", "A", "A"):
        scan(page, code)
    page.wait_for_selector("text=No item has the code no such")
    page.wait_for_selector(".units input[aria-valuenow='2']")
    page.click("text=Enter the count")
    page.click(".ant-popconfirm >> text=Enter the count")
    page.wait_for_selector("text=1 items counted")
    assert on_hand(town, "A", "S1") == 2
    with town.sanhe.work(actor="auditor") as work:
        work.stock.verify()
    assert not desk.complaints


def test_each_role_and_store_sees_its_own(shop: Shop) -> None:
    town, desk = shop.town, shop.desk
    town.paid(("A", 1), at="S2")
    town.run()
    task_there = town.tasks("S2", "pick")[0].id
    page = desk.signed_in("store", width=PHONE)
    open_page(page, f"{desk.address}/store?place=S2")
    page.wait_for_selector("text=Nothing waits")
    asked = f"fetch('/api/store/tasks/{task_there}').then(told => told.status)"
    assert page.evaluate(asked) == 404
    for name, pages in (("service", {"Shopper orders"}), ("buyer", set())):
        found = desk.signed_in(name)
        assert {"Store today", "Shopper orders"} & set(found.inner_text("nav").split("\n")) == pages
        if name == "buyer":
            assert found.evaluate(asked) == 403
    assert not desk.complaints


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_page_is_whole_in_each_look(shop: Shop, language: str, dark: bool, width: int) -> None:
    town, desk = shop.town, shop.desk
    town.paid(("B", 1))
    town.run()
    waits = town.tasks("S1", "pick")[0].id
    name = ordered(town, OrderLine("A", "S1", "V1", 24))
    page = desk.signed_in("store", language=language, dark=dark, width=width)
    wrong = []
    for path in (
        "",
        f"?task={waits}",
        f"?tab=deliveries&order={name}",
        "?tab=returns",
        "?tab=count",
        "?kind=inspect",
    ):
        open_page(page, f"{desk.address}/store{path}")
        if "task=" in path or "order=" in path:
            page.wait_for_selector(".ant-drawer-body .task-lines")
        settled(page)
        page.wait_for_timeout(400)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{path} is wider than the window")
        wrong += [f"{path}: {one}" for one in violations(page)]
    assert not wrong
    assert not desk.complaints
    assert not desk.outside
