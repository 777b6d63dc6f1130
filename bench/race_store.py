"""Races for what stores do: tasks, hand-over by code, returns, and what tills bring."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, Final
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.http_load import Request
from bench.race_rounds import Attempt, Outcomes, Round, accepted, contended, refused_with
from bench.race_world import CENTS, Goods, World, audited
from sanhe.core.values import new_id
from sanhe.place.devices import event_hash, event_message, genesis
from sanhe.place.returns import Asked
from sanhe.place.tasks import TaskState
from sanhe.web.till.signature import content_digest, signature_base, signature_params
from sanhe.wiring import finished

EACH: Final = 50
"""So many attempts want each task, shipment or return."""
EVENTS: Final = 20
"""So many receipts each till has written down."""
Check = Callable[[Outcomes], list[str]]


def _every(found: Outcomes) -> list[Any]:
    return [one for outcomes in found.values() for one in outcomes]


def _picking(world: World, count: int) -> tuple[Goods, dict[UUID, UUID]]:
    """Paid orders of three units with the task to pick each, by task."""
    goods = world.goods([3 * count], elsewhere=count)
    orders = world.orders([(goods.skus[0], 3)], count, is_paid=True)
    shipments = world.taken_up(orders)
    by_shipment = {shipment: order for order, shipment in shipments.items()}
    tasks = world.pick_tasks(by_shipment)
    return goods, {task: by_shipment[shipment] for shipment, task in tasks.items()}


def take(world: World, dice: Random, attempts: int) -> Round:
    """Four people want each task."""
    goods, orders = _picking(world, max(attempts // EACH, 2))

    def command(task: UUID, n: int) -> Attempt:
        who = n % len(world.pickers)
        request = world.post(f"/store/tasks/{task}/take", {}, by=world.pickers[who])
        return Attempt(f"{task} by {who}", task, request, who)

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for task, outcomes in found.items():
                steps = [step.state for step in work.tasks.history(task)]
                if len(accepted(outcomes)) != 1 or steps.count(TaskState.TAKEN) != 1:
                    wrong.append(f"task {task}: {len(accepted(outcomes))} have it, {steps}")
        return [*wrong, *refused_with(_every(found), 409), *audited(world, goods)]

    return Round(contended(dice, list(orders), attempts=attempts, command=command), check)


def finish(world: World, dice: Random, attempts: int) -> Round:
    """Tasks said to be done with all, some or none of the three units there: one of them holds.
    What is short comes from the next store as long as there is some, or the money goes back."""
    goods, orders = _picking(world, max(attempts // EACH, 2))
    with world.sanhe.work(actor="key picker 0") as work:
        for task in orders:
            work.tasks.take(task)

    def command(task: UUID, n: int) -> Attempt:
        units, key = (3, 3, 2, 0)[n % 4], f"finish-{new_id()}"
        path, body = f"/store/tasks/{task}/finish", {"done": {goods.skus[0]: units}}
        return Attempt(key, task, world.post(path, body, key=key, by=world.pickers[0]), units)

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for task, outcomes in found.items():
                said = {one.attempt.said for one in accepted(outcomes)}
                steps = [step.state for step in work.tasks.history(task)]
                (line,) = work.tasks.get(task).lines
                if said != {line.done} or steps.count(TaskState.DONE) != 1:
                    wrong.append(f"task {task}: {said} told, {line.done} done, {steps}")
                picked = [e.kind for e in work.orders.timeline(orders[task])].count("picked")
                if picked != 1:
                    wrong.append(f"task {task}: picked {picked} times")
        return [*wrong, *refused_with(_every(found), 409), *audited(world, goods)]

    return Round(contended(dice, list(orders), attempts=attempts, command=command), check)


def drop(world: World, dice: Random, attempts: int) -> Round:
    """Tasks that one drops while another says they are done."""
    goods, orders = _picking(world, max(attempts // EACH, 2))
    with world.sanhe.work(actor="key picker 0") as work:
        for task in orders:
            work.tasks.take(task)

    def command(task: UUID, n: int) -> Attempt:
        if n % 3 == 2:
            key = f"finish-{new_id()}"
            path = f"/store/tasks/{task}/finish"
            return Attempt(key, task, world.post(path, {}, key=key, by=world.pickers[0]), "done")
        who = n % len(world.pickers)
        body, path = {"note": f"not needed, says {who}"}, f"/store/tasks/{task}/drop"
        request = world.post(path, body, by=world.pickers[who])
        return Attempt(f"{task} {who}", task, request, "dropped")

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for task, outcomes in found.items():
                said = {one.attempt.said for one in accepted(outcomes)}
                state = work.tasks.get(task).state
                steps = [step.state for step in work.tasks.history(task)]
                if said != {state.value} or steps.count(state) != 1:
                    wrong.append(f"task {task}: {said} told, it is {state}, {steps}")
        return [*wrong, *refused_with(_every(found), 409), *audited(world, goods)]

    return Round(contended(dice, list(orders), attempts=attempts, command=command), check)


def _ready(world: World, count: int) -> tuple[Goods, dict[UUID, UUID]]:
    """Picked orders of three units that wait to be fetched: the order of each shipment."""
    goods, orders = _picking(world, count)
    with world.sanhe.work(actor="picker") as work:
        for task in orders:
            work.tasks.take(task)
            finished(work, task)
        shipments = {one.id: one.order_id for one in work.fulfil.of(list(orders.values()))}
    return goods, shipments


def code(world: World, dice: Random, attempts: int) -> Round:
    """Codes drawn for each shipment: each draw leaves one entry, and no two are alike."""
    goods, orders = _ready(world, max(attempts // EACH, 2))

    def command(shipment: UUID, n: int) -> Attempt:
        path = f"/shop/orders/{orders[shipment]}/shipments/{shipment}/code"
        return Attempt(f"{shipment} {n}", shipment, world.post(path, {}))

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for shipment, outcomes in found.items():
                events = [one.kind for one in work.orders.timeline(orders[shipment])]
                if events.count("code_drawn") != len(outcomes):
                    wrong.append(f"{shipment}: {events.count('code_drawn')} of {len(outcomes)}")
        return [*wrong, *refused_with(_every(found)), *audited(world, goods)]

    made = contended(dice, list(orders), attempts=attempts, command=command)
    # A code is told once: there is no asking again for the same one.
    alone = [Attempt(f"{one.name} {n}", one.target, one.request) for n, one in enumerate(made)]
    return Round(alone, check)


def fetch(world: World, dice: Random, attempts: int) -> Round:
    """Shipments fetched by their code, by whoever shows it first; two people cancel as well."""
    goods, orders = _ready(world, max(attempts // EACH, 2))
    with world.sanhe.work(actor="shopper") as work:
        codes = {shipment: work.fulfil.new_code(shipment) for shipment in orders}

    def command(shipment: UUID, n: int) -> Attempt:
        if n % 12 == 11:
            key, path = f"cancel-{new_id()}", f"/shop/orders/{orders[shipment]}/cancel"
            return Attempt(key, shipment, world.post(path, {"reason": "no"}, key=key), "cancel")
        key, path = f"fetch-{new_id()}", f"/store/shipments/{shipment}/hand-over"
        body, who = {"code": codes[shipment]}, world.pickers[n % len(world.pickers)]
        return Attempt(key, shipment, world.post(path, body, key=key, by=who), "fetch")

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for shipment, outcomes in found.items():
                fetched = sum(one.attempt.said == "fetch" for one in accepted(outcomes))
                state = work.fulfil.get(shipment).state.value
                order = work.orders.get(orders[shipment]).state.value
                ends = {("handed", "complete", 1), ("cancelled", "cancelled", 0)}
                if (state, order, fetched) not in ends:
                    wrong.append(f"{shipment} is {state}, {order}; fetched {fetched} times")
        return [*wrong, *refused_with(_every(found), 409), *audited(world, goods)]

    return Round(contended(dice, list(orders), attempts=attempts, command=command), check)


def ask_return(world: World, dice: Random, attempts: int) -> Round:
    """Returns asked for of orders of four units: not more than were handed over."""
    count = max(attempts // EACH, 2)
    goods = world.goods([4 * count])
    targets = world.handed([(goods.skus[0], 4)], count)

    def command(order: UUID, n: int) -> Attempt:
        units, key = 1 + (n % 3 == 2), f"ask-{new_id()}"
        body = {"lines": [{"line": 0, "units": units}], "reason": "too small"}
        path = f"/shop/orders/{order}/returns"
        return Attempt(key, order, world.post(path, body, key=key), units)

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for order, outcomes in found.items():
                done = accepted(outcomes)
                kept = {str(one.id) for one in work.returns.of(order)}
                units = sum(one.attempt.said for one in done)
                if units != 4 or kept != {one.body["id"] for one in done} or len(kept) != len(done):
                    wrong.append(f"order {order}: {units} of 4 asked for, {len(kept)} returns")
        return [*wrong, *refused_with(_every(found), 409), *audited(world, goods)]

    return Round(contended(dice, targets, attempts=attempts, command=command), check)


def _asked(world: World, count: int) -> tuple[Goods, list[UUID]]:
    """Returns of two units of orders of three, that were asked for."""
    goods = world.goods([3 * count])
    orders = world.handed([(goods.skus[0], 3)], count)
    with world.sanhe.work(actor="shopper") as work:
        return goods, [work.returns.ask(Asked(one, {0: 2}, "too small")).id for one in orders]


def receive(world: World, dice: Random, attempts: int) -> Round:
    """Returns received in two stores, whole or in part, or said not to come: one of them holds."""
    goods, targets = _asked(world, max(attempts // EACH, 2))

    def command(back: UUID, n: int) -> Attempt:
        key = f"receive-{new_id()}"
        if n % 9 == 8:
            path, body = f"/store/returns/{back}/drop", {"reason": "keeps it"}
            return Attempt(key, back, world.post(path, body, key=key), "dropped")
        where, units = ("S1", "S2")[n % 2], 1 + (n % 3 > 0)
        body = {"place": where, "lines": [{"line": 0, "units": units}]}
        request = world.post(f"/store/returns/{back}/receive", body, key=key, by=world.pickers[0])
        return Attempt(key, back, request, (where, units))

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for back, outcomes in found.items():
                kept = work.returns.get(back)
                came: Any = (kept.place, kept.lines[0].received)
                if kept.state.value == "dropped":
                    came = "dropped"
                said = {one.attempt.said for one in accepted(outcomes)}
                events = Counter(one.kind for one in work.orders.timeline(kept.order_id))
                once = events["return_received"] + events["return_dropped"]
                if said != {came} or once != 1:
                    wrong.append(f"return {kept.number}: {said} told, it is {came}, {once} times")
        return [*wrong, *refused_with(_every(found), 409), *audited(world, goods)]

    return Round(contended(dice, targets, attempts=attempts, command=command), check)


def inspect(world: World, dice: Random, attempts: int) -> Round:
    """Returns judged as new, outlet or waste by several people: one judgement, one refund."""
    goods, targets = _asked(world, max(attempts // EACH, 2))
    with world.sanhe.work(actor="store") as work:
        for back in targets:
            work.returns.receive(back, "S1", {0: 2})

    def command(back: UUID, n: int) -> Attempt:
        key, said = f"inspect-{new_id()}", ((2, 0, 0), (1, 1, 0), (1, 0, 1))[n % 3]
        line = {"line": 0, "sellable": said[0], "outlet": said[1], "waste": said[2]}
        path = f"/store/returns/{back}/inspect"
        request = world.post(path, {"lines": [line]}, key=key, by=world.pickers[0])
        return Attempt(key, back, request, said)

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for back, outcomes in found.items():
                kept = work.returns.get(back)
                verdict = kept.lines[0].verdict
                known = (verdict.sellable, verdict.outlet, verdict.waste)
                said = {one.attempt.said for one in accepted(outcomes)}
                refunds = [one.amount_cents for one in work.orders.refunds(kept.order_id)]
                if said != {known} or refunds != [2 * CENTS]:
                    wrong.append(f"return {kept.number}: {said} told, {known} kept, {refunds}")
        return [*wrong, *refused_with(_every(found), 409), *audited(world, goods)]

    return Round(contended(dice, targets, attempts=attempts, command=command), check)


def sync(world: World, dice: Random, attempts: int) -> Round:
    """Tills that bring parts of their chain over many lines at once, all of the same SKU: each
    receipt is sold once."""
    count = max(attempts // EACH, 2)
    goods = world.goods([EVENTS * count])
    tills = {f"{goods.skus[0]}-till-{n}": Ed25519PrivateKey.generate() for n in range(count)}
    with world.sanhe.work(actor="admin") as work:
        for name, key in tills.items():
            work.devices.register(name, "S1", key.public_key().public_bytes_raw())
    written = {name: _written(world, name, key, sku=goods.skus[0]) for name, key in tills.items()}

    def command(name: str, n: int) -> Attempt:
        first = 0 if n < 2 or n % 3 == 0 else dice.randrange(EVENTS)
        last = EVENTS if n < 2 else dice.randrange(first, EVENTS) + 1
        body = orjson.dumps({"events": written[name][first:last]})
        return Attempt(f"{name} {n}", name, _signed(world, name, tills[name], body=body))

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for name, outcomes in found.items():
                taken = sum(one.body["accepted"] for one in accepted(outcomes))
                head = work.devices.get(name).head.sequence
                if (taken, head) != (EVENTS, EVENTS):
                    wrong.append(f"{name}: {taken} of {EVENTS} taken, head {head}")
        sold = {(goods.skus[0], "S1"): EVENTS * len(found)}
        return [*wrong, *refused_with(_every(found)), *audited(world, goods, at_tills=sold)]

    made = contended(dice, list(tills), attempts=attempts, command=command)
    # What is answered depends on where the till stands by then.
    alone = [Attempt(f"{one.name} {n}", one.target, one.request) for n, one in enumerate(made)]
    return Round(alone, check)


def _written(world: World, name: str, key: Ed25519PrivateKey, *, sku: str) -> list[dict[str, str]]:
    """The till's chain as it is sent: receipts of one unit."""
    events, previous = [], genesis(key.public_key().public_bytes_raw())
    now = world.sanhe.clock.now().isoformat()
    for number in range(1, EVENTS + 1):
        line = {"sku": sku, "quantity": 1, "amount_cents": CENTS}
        event = {
            "device": name,
            "sequence": number,
            "previous": previous.hex(),
            "id": str(new_id()),
            "kind": "receipt",
            "at": now,
            "body": {"receipt": f"R{number}", "currency": "CNY", "lines": [line]},
        }
        payload = orjson.dumps(event).decode()
        signature = base64.b64encode(key.sign(event_message(payload))).decode()
        events.append({"payload": payload, "signature": signature})
        previous = event_hash(payload)
    return events


def _signed(world: World, name: str, key: Ed25519PrivateKey, *, body: bytes) -> Request:
    path, created = "/api/till/sync", int(world.sanhe.clock.now().timestamp())
    digest, params = content_digest(body), signature_params(name, created)
    raw = key.sign(signature_base("POST", path, digest=digest, params=params))
    signed = {
        "Content-Digest": digest,
        "Signature-Input": f"sig={params}",
        "Signature": f"sig=:{base64.b64encode(raw).decode()}:",
    }
    return Request(path, body, signed)
