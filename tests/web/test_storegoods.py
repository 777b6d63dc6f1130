"""A store's goods over HTTP: counted, received, sent to another place; only one's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sanhe.core.settings import Settings
from sanhe.core.values import new_id
from sanhe.goods.suppliers import OrderLine
from sanhe.place.tasks import NewTask, TaskLine
from tests.place.fulfil.store import OPENING, Town, fact, town
from tests.web.test_store import browser, post


@pytest.fixture
def at(database_settings: Settings) -> Iterator[Town]:
    """A town of three stores."""
    with town(database_settings) as made:
        yield made


def ordered(at: Town, *lines: OrderLine) -> str:
    """An order of ours, by its name."""
    with at.sanhe.work(actor="buyer") as work:
        batch = work.facts.open_batch(source="erp", name=f"supplier {new_id()}")
        work.facts.append(batch, [fact("supplier.described", party="V1", payload={"name": "V1"})])
        work.follow(batch)
        (order,) = work.suppliers.order(list(lines), new_id(), day=OPENING.date())
    return order.name


def on_hand(at: Town, sku: str, place: str) -> int:
    with at.sanhe.work(actor="reader") as work:
        (row,) = work.stock.positions({(sku, place)}).to_pylist()
    return int(row["on_hand"])


def test_what_was_counted_is_the_stock(at: Town) -> None:
    at.paid(("A", 2))  # sold, and still there: it is counted too
    with at.sanhe.work(actor="shelf") as work:
        (task,) = work.tasks.open([NewTask("S1", "count", "sku/A", (TaskLine("A", 10),))])
    here, there = browser(at, "store", "S1"), browser(at, "store", "S2")
    body = {"place": "S1", "counts": {"A": 9, "B": 4}, "task": str(task.id)}
    assert post(there, "/store/counts", body, "not-my-store").status_code == 422
    assert post(browser(at, "channel"), "/store/counts", body, "no-store").status_code == 403
    for wrong in ({"counts": {}}, {"counts": {"A": -1}}, {"place": ""}):
        assert post(here, "/store/counts", {**body, **wrong}, "wrong-count").status_code == 422
    strange = {**body, "counts": {"Z": 1}}
    assert post(here, "/store/counts", strange, "strange-item").status_code == 404
    for _ in range(2):
        told = post(here, "/store/counts", body, "counted-it")
        assert (told.status_code, told.json()) == (200, {"counted": 2})
    assert (on_hand(at, "A", "S1"), at.free("A", "S1"), on_hand(at, "B", "S1")) == (9, 7, 4)
    with at.sanhe.work(actor="reader") as work:
        ended = work.tasks.get(task.id)
        work.stock.verify()
    assert (ended.state.value, ended.lines[0].done) == ("done", 9)


def test_a_count_ends_no_task_of_another_kind_or_place(at: Town) -> None:
    at.paid(("A", 1))
    at.run()
    pick = at.tasks("S1", "pick")[0]
    here = browser(at, "store", "S1")
    body = {"place": "S1", "counts": {"A": 1}, "task": str(pick.id)}
    assert post(here, "/store/counts", body, "wrong-task").status_code == 409
    assert on_hand(at, "A", "S1") == 10  # nothing of it took effect


def test_what_came_for_an_order_is_in_stock(at: Town) -> None:
    name = ordered(at, OrderLine("A", "S1", "V1", 24))
    here, there = browser(at, "store", "S1"), browser(at, "store", "S2")
    path = f"/store/orders/{name}/receive"
    body = {"note": "DN-1", "lines": [{"sku": "A", "units": 20, "lot": "L1"}]}
    assert post(there, path, body, "not-my-order").status_code == 404
    assert post(here, "/store/orders/SH-999999/receive", body, "no-order").status_code == 404
    for _ in range(2):
        told = post(here, path, body, "took-it-in")
        assert (told.status_code, told.json()) == (200, {"state": "part_received"})
    other = {**body, "lines": [{"sku": "A", "units": 4}]}
    assert post(here, path, other, "same-note-again").status_code == 409
    assert on_hand(at, "A", "S1") == 30
    rest = post(here, path, {**other, "note": "DN-2"}, "all-the-rest")
    assert rest.json() == {"state": "received"}
    assert on_hand(at, "A", "S1") == 34
    row = here.get("/api/orders", params={"place": "S1"}).json()["rows"][0]
    assert (row["name"], row["received"]) == (name, 24)


def test_a_transfer_leaves_one_place_and_comes_to_the_other(at: Town) -> None:
    name = ordered(at, OrderLine("A", "S2", "S1", 3, transfer=True))
    gives, gets = browser(at, "store", "S1"), browser(at, "store", "S2")
    seen = gives.get("/api/orders", params={"supplier": "S1"}).json()["rows"]
    assert [row["name"] for row in seen] == [name]
    goods = {"lines": [{"sku": "A", "units": 3}]}
    path = f"/store/orders/{name}"
    assert post(gets, f"{path}/send", {**goods, "note": "LL-1"}, "none-of-mine").status_code == 404
    assert post(gives, f"{path}/receive", {**goods, "note": "1"}, "not-here").status_code == 404
    sent = post(gives, f"{path}/send", {**goods, "note": "LL-1"}, "it-left-here")
    assert sent.status_code == 200, sent.text
    assert (on_hand(at, "A", "S1"), on_hand(at, "A", "S2")) == (7, 3)
    came = post(gets, f"{path}/receive", {**goods, "note": "LL-1"}, "it-came-here")
    assert came.json() == {"state": "received"}
    assert (on_hand(at, "A", "S1"), on_hand(at, "A", "S2")) == (7, 6)


def test_another_store_finds_what_it_may_take_in(at: Town) -> None:
    order = at.paid(("A", 2), at="S1")
    with at.sanhe.work(actor="till") as work:
        work.orders.hand_over(order)
    number = at.order(order).number
    elsewhere = browser(at, "store", "S2")
    assert elsewhere.get(f"/api/store/awaited/{number}").json() == {"rows": []}
    asked = {"lines": [{"line": 0, "units": 2}], "reason": "too small"}
    post(browser(at, "service"), f"/shop/orders/{order}/returns", asked, "ask-for-it")
    (row,) = elsewhere.get(f"/api/store/awaited/{number}").json()["rows"]
    assert (row["order"], row["names"], row["lines"][0]["units"]) == (number, {"0": "A"}, 2)
    came = {"place": "S2", "lines": [{"line": 0, "units": 2}]}
    assert (
        post(elsewhere, f"/store/returns/{row['id']}/receive", came, "short").status_code == 422
    )  # no key
    told = post(elsewhere, f"/store/returns/{row['id']}/receive", came, "came-back")
    assert told.status_code == 200, told.text
    assert elsewhere.get(f"/api/store/awaited/{number}").json() == {"rows": []}
    assert browser(at, "store", "S3").get("/api/store/returns").json()["rows"] == []
    (here,) = elsewhere.get("/api/store/returns", params={"place": "S2"}).json()["rows"]
    assert (here["state"], here["names"]) == ("received", {"0": "A"})
    assert browser(at, "planner").get(f"/api/store/awaited/{number}").status_code == 403


def test_a_return_meant_for_one_store_is_awaited_there_alone(at: Town) -> None:
    order = at.paid(("A", 1), at="S1")
    with at.sanhe.work(actor="till") as work:
        work.orders.hand_over(order)
    number = at.order(order).number
    body = {"lines": [{"line": 0, "units": 1}], "reason": "broken", "place": "S3"}
    post(browser(at, "service"), f"/shop/orders/{order}/returns", body, "ask-for-it")

    def awaited(place: str) -> int:
        told = browser(at, "store", place).get(f"/api/store/awaited/{number}")
        return len(told.json()["rows"])

    assert (awaited("S2"), awaited("S3")) == (0, 1)
