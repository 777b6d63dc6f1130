"""S35 tills, from outside: offline for hours, killed in a payment, two tabs: each receipt once."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.web import make_app
from sanhe.web.till.signature import content_digest, signature_base, signature_params
from tests.place.devices.till import Till
from tests.web.serving import served
from tests.wiring.files import written
from tests.wiring.installation import MORNING, Terminal, installed, opened

SYNC = "/api/till/sync"
EVENING = MORNING + timedelta(hours=9)


@pytest.fixture
def pop_up(server: EmbeddedServer, tmp_path: Path) -> Iterator[Settings]:
    """A pop-up store with a hundred scarves."""
    with installed(server, tmp_path / "home") as settings:
        sanhe = Terminal(settings)
        places = [("POP", "Pop-up", "store")]
        items = [("SCARF", "scarf", "wear", 90)]
        stock = [("2025-09-24", "POP", "SCARF", 100)]
        for name, head, rows in (
            ("places.csv", "place,name,kind", places),
            ("items.csv", "sku,item name,category,price", items),
            ("stock.csv", "count date,store,sku,on hand", stock),
        ):
            sanhe.well("import", written(tmp_path / name, head, rows))
        yield settings


def sold_offline(till: Till) -> int:
    """A day without a network; returns the scarves sold. Every tenth payment is killed: the till
    finds the receipt in its log when it starts again, is not sure, and writes it once more."""
    scarves = 0
    for number in range(40):
        moment = (MORNING + timedelta(hours=1, minutes=10 * number)).isoformat()
        quantity = 1 + number % 3
        event = till.sell("SCARF", quantity, at=moment)
        scarves += quantity
        if number % 10 == 9:
            read = orjson.loads(event.payload)
            till.write(read["kind"], read["body"], id=read["id"], at=read["at"])
    return scarves


def sync(address: str, till: Till, *, at: datetime, events: slice) -> Any:
    """One request as the till sends it."""
    sent = [
        {"payload": event.payload, "signature": base64.b64encode(event.signature).decode()}
        for event in till.events[events]
    ]
    body = orjson.dumps({"events": sent})
    digest, params = content_digest(body), signature_params(till.name, int(at.timestamp()))
    raw = till.key.sign(signature_base("POST", SYNC, digest=digest, params=params))
    headers = {
        "Content-Type": "application/json",
        "Content-Digest": digest,
        "Signature-Input": f"sig={params}",
        "Signature": f"sig=:{base64.b64encode(raw).decode()}:",
    }
    answer = httpx.post(address + SYNC, content=body, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_receipt_of_a_day_offline_arrives_once(pop_up: Settings) -> None:
    sanhe, till = Terminal(pop_up), Till("pop-1")
    with opened(pop_up, at=MORNING) as early, early.work(actor="manager") as work:
        work.devices.register("pop-1", "POP", till.public_key, name="by the door")
    scarves = sold_offline(till)
    with opened(pop_up, at=EVENING) as running, served(make_app(running)) as address:
        got: list[Any] = []

        def tab(parts: list[slice]) -> None:
            got.extend(sync(address, till, at=EVENING, events=part) for part in parts)

        # Two tabs send the same log at once, in parts that overlap, the later part first.
        tabs = [
            threading.Thread(target=tab, args=(parts,))
            for parts in (
                [slice(20, None), slice(0, 30), slice(0, None)],
                [slice(0, 15), slice(10, None), slice(0, None)],
            )
        ]
        for one in tabs:
            one.start()
        for one in tabs:
            one.join()
    assert len(got) == 6 and sum(one["accepted"] for one in got) == len(till.events) == 44
    (device,) = sanhe.asked("device", "list")
    assert (device["sequence"], device["told"], device["state"]) == (44, 44, "active")
    assert sanhe.asked("device", "problems") == []
    with opened(pop_up, at=EVENING) as running, running.work(actor="auditor") as work:
        lines = work.facts.current(["sale.line"])
        assert lines.num_rows == 40
        assert sum(lines["quantity"].to_pylist()) == scarves
        (position,) = work.stock.positions([("SCARF", "POP")]).to_pylist()
        assert position["on_hand"] == 100 - scarves
        work.stock.verify()
        work.ledger.verify()
