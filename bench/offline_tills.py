"""Tills that come back from offline: whatever arrives when and how often, the end is one.

Each till writes its events down and signs them. A schedule cuts them into deliveries, sends 30 % of
the events again, and shuffles the deliveries of all tills. What is refused because of a hole is
sent again later, as a till does. After each schedule the state (facts, stock on the ledger, the
tills' logs) must be the same, and be what a plain replay of the events in time gives.

Control: two servers without a sequence on the same deliveries. One takes every event as it comes,
one takes each id once; a count sets the stock at the moment it arrives. Both must end differently
from schedule to schedule: else the schedules would show nothing.

python -m bench.offline_tills
python -m bench.offline_tills --events 5000 --schedules 1 --name offline_tills_large
"""

from __future__ import annotations

import argparse
import hashlib
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.results_file import write_results
from sanhe.core.clock import FixedClock
from sanhe.core.facts import Fact
from sanhe.core.settings import Settings
from sanhe.place.devices import SignedEvent, event_hash, event_message, genesis
from sanhe.wiring import Sanhe

OPENING = datetime(2024, 6, 3, tzinfo=UTC)
ARRIVAL = OPENING + timedelta(days=30)
TILLS_PER_PLACE = 2
SKUS = 100
STOCK = 40
AGAIN = 0.3
LARGEST_DELIVERY = 500
Delivery = tuple[int, int, int]
"""A till and the range of its events, the end left out."""
Nets = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Happened:
    """What an event does: `lines` (SKU, quantity) are sold, or counted."""

    id: UUID
    at: datetime
    is_count: bool
    lines: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Till:
    """A till with all it wrote down."""

    name: str
    place: str
    public_key: bytes
    events: list[SignedEvent] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)


def written(number: int, count: int, *, seed: int) -> Till:
    """A till that sold, took back and counted; 1 receipt in 50 was written down twice."""
    name, dice = f"till-{number}", random.Random(f"{seed}/{number}")
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest())
    till = Till(name, f"S{number // TILLS_PER_PLACE}", key.public_key().public_bytes_raw())
    previous, moment = genesis(till.public_key), OPENING + timedelta(microseconds=number)
    for sequence in range(1, count + 1):
        if till.happened and dice.random() < 0.02:
            what = till.happened[-1]
        else:
            moment += timedelta(seconds=dice.randrange(20, 400))
            what = _something(dice, moment)
            moment = what.at
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in what.lines]
        body = {"lines": lines} if what.is_count else {"receipt": str(what.id), "lines": lines}
        payload = orjson.dumps(
            {
                "device": name,
                "sequence": sequence,
                "previous": previous.hex(),
                "id": str(what.id),
                "kind": "count" if what.is_count else "receipt",
                "at": what.at.isoformat(),
                "body": body,
            }
        ).decode()
        till.events.append(SignedEvent(payload, key.sign(event_message(payload))))
        till.happened.append(what)
        previous = event_hash(payload)
    return till


def _something(dice: random.Random, moment: datetime) -> Happened:
    is_count = dice.random() < 0.01
    skus = dice.sample(range(SKUS), dice.randrange(1, 4))
    lines = []
    for sku in skus:
        sold = -1 if dice.random() < 0.03 else dice.randrange(1, 4)
        lines.append((f"A{sku}", dice.randrange(0, 60) if is_count else sold))
    return Happened(UUID(int=dice.getrandbits(128)), moment, is_count, tuple(lines))


def schedule(tills: list[Till], seed: int) -> list[Delivery]:
    """All events in deliveries, 30 % of them a second time, all tills and parts mixed."""
    dice = random.Random(seed)
    deliveries: list[Delivery] = []
    for number, till in enumerate(tills):
        total, start = len(till.events), 0
        while start < total:
            end = min(total, start + dice.randrange(1, LARGEST_DELIVERY + 1))
            deliveries.append((number, start, end))
            start = end
        again = 0
        while again < AGAIN * total:
            size = min(dice.randrange(1, LARGEST_DELIVERY + 1), int(AGAIN * total) + 1 - again)
            start = dice.randrange(0, max(total - size, 0) + 1)
            deliveries.append((number, start, min(total, start + size)))
            again += size
    dice.shuffle(deliveries)
    return deliveries


def opened_with(sanhe: Sanhe, tills: list[Till]) -> None:
    """Places, a first count of everything, and the tills registered."""
    day, places = OPENING.date(), sorted({till.place for till in tills})
    described = {"kind": "store", "name": "store"}
    facts = [
        Fact("place.described", "bench", place, OPENING, day, place=place, payload=described)
        for place in places
    ]
    facts += [
        Fact(
            "stock.counted", "bench", f"{place}/{sku}", OPENING, day, f"A{sku}", place, None, STOCK
        )
        for place in places
        for sku in range(SKUS)
    ]
    with sanhe.work(actor="bench") as work:
        batch = work.facts.open_batch(source="bench", name="opening")
        work.facts.append(batch, facts)
        work.follow(batch)
        for till in tills:
            work.devices.register(till.name, till.place, till.public_key)


@dataclass
class Run:
    """What came of one schedule."""

    state: str
    nets: Nets
    sent: int
    taken: int
    seconds: float
    syncs: list[float]


def run(tills: list[Till], deliveries: list[Delivery], *, seed: int) -> Run:
    """Deliver to a fresh installation until everything has arrived."""
    with tempfile.TemporaryDirectory(prefix="sanhe-b-", dir="/tmp") as home:
        clock = FixedClock(OPENING)
        with Sanhe.open(Settings(home=Path(home)), clock=clock) as sanhe:
            opened_with(sanhe, tills)
            clock.moment = ARRIVAL
            begun, done = time.perf_counter(), Run("", {}, 0, 0, 0.0, [])
            heads = [0] * len(tills)
            for number, start, end in _until_all_arrived(tills, deliveries, heads, seed=seed):
                till, moment = tills[number], time.perf_counter()
                with sanhe.work(actor=f"till {till.name}") as work:
                    got = work.devices.sync(till.name, till.events[start:end])
                done.syncs.append(time.perf_counter() - moment)
                if got.problems or got.untold:
                    raise AssertionError(f"{till.name}: {got}")
                heads[number] = got.head.sequence
                done.sent += end - start
                done.taken += got.accepted
            done.seconds = time.perf_counter() - begun
            done.state, done.nets = _state(sanhe)
    return done


def _until_all_arrived(
    tills: list[Till], deliveries: list[Delivery], heads: list[int], *, seed: int
) -> Iterator[Delivery]:
    """The schedule, then what is missing from each head on, in any order of tills."""
    yield from deliveries
    dice = random.Random(seed)
    while missing := [n for n, till in enumerate(tills) if heads[n] < len(till.events)]:
        dice.shuffle(missing)
        for number in missing:
            start = heads[number]
            yield number, start, min(len(tills[number].events), start + LARGEST_DELIVERY)


def _state(sanhe: Sanhe) -> tuple[str, Nets]:
    """A digest of all that must not depend on the schedule; and the stock."""
    with sanhe.work(actor="bench") as work:
        work.stock.verify()
        rows = work.stock.positions().to_pylist()
        heads = [(one.id, one.head.sequence, one.head.hash.hex()) for one in work.devices.all()]
        whole = [work.facts.digest(), work.devices.digest(), heads]
    stock = [(r["sku"], r["place"], r["on_hand"], r["discrepancy"], r["net"]) for r in rows]
    digest = hashlib.sha256(orjson.dumps([*whole, stock])).hexdigest()
    return digest, {(row["sku"], row["place"]): row["net"] for row in rows}


def replayed(tills: list[Till]) -> Nets:
    """The stock by a plain replay: each id once, in order of time."""
    told = {what.id: (what, till.place) for till in tills for what in till.happened}
    in_time = sorted(told.values(), key=lambda one: one[0].at)
    return _applied(in_time, tills)


def without_sequence(tills: list[Till], deliveries: list[Delivery], *, once: bool) -> str:
    """The stock of a server that takes events as they come; `once`: each id once."""
    seen: set[UUID] = set()
    came = []
    for number, start, end in deliveries:
        for what in tills[number].happened[start:end]:
            if not (once and what.id in seen):
                came.append((what, tills[number].place))
            seen.add(what.id)
    return hashlib.sha256(repr(sorted(_applied(came, tills).items())).encode()).hexdigest()


def _applied(came: list[tuple[Happened, str]], tills: list[Till]) -> Nets:
    nets = {(f"A{sku}", till.place): STOCK for till in tills for sku in range(SKUS)}
    for what, place in came:
        for sku, quantity in what.lines:
            before = nets[sku, place]
            nets[sku, place] = quantity if what.is_count else before - quantity
    return nets


def main() -> None:
    """Write bench/results/NAME.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--events", type=int, default=500, help="of each device")
    parser.add_argument("--schedules", type=int, default=20)
    parser.add_argument("--seed", type=int, default=35)
    parser.add_argument("--name", default="offline_tills")
    given = parser.parse_args()
    tills = [written(n, given.events, seed=given.seed) for n in range(given.devices)]
    print(f"{given.devices} tills wrote {given.events} events each", flush=True)
    expected = replayed(tills)
    # The controls cost little: with one schedule they are still tried on several.
    tried = [schedule(tills, given.seed + number) for number in range(max(given.schedules, 5))]
    controls = {
        once: len({without_sequence(tills, one, once=once) for one in tried})
        for once in (False, True)
    }
    runs: list[Run] = []
    for number, deliveries in enumerate(tried[: given.schedules]):
        runs.append(run(tills, deliveries, seed=number))
        figures = figures_of(tills, runs, expected) | {
            "control_schedules": len(tried),
            "control_without_sequence_end_states": controls[False],
            "control_each_id_once_end_states": controls[True],
        }
        # After each schedule, so that a run that is broken off leaves what it found.
        path = write_results(given.name, figures)
        print(f"schedule {number + 1}: {runs[-1].seconds:.0f} s, {runs[-1].state[:12]}", flush=True)
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    print(path)
    if figures["distinct_end_states"] != 1 or figures["end_states_unlike_a_plain_replay"]:
        raise SystemExit("the end depends on the schedule, or is not what happened")
    if 1 in controls.values():
        raise SystemExit("the control ends alike: the schedules show nothing")


def figures_of(tills: list[Till], runs: list[Run], expected: Nets) -> dict[str, float]:
    """What the schedules came to."""
    syncs = np.concatenate([one.syncs for one in runs])
    events = sum(len(till.events) for till in tills)
    return {
        "devices": len(tills),
        "events_per_device": events // len(tills),
        "events": events,
        "schedules": len(runs),
        "distinct_end_states": len({one.state for one in runs}),
        "end_states_unlike_a_plain_replay": sum(one.nets != expected for one in runs),
        "events_lost": sum(events - one.taken for one in runs),
        "positions_below_zero": sum(net < 0 for net in expected.values()),
        "events_sent_per_event": round(float(np.mean([r.sent / r.taken for r in runs])), 2),
        "new_events_per_second": round(sum(r.taken for r in runs) / sum(r.seconds for r in runs)),
        "events_sent_per_second": round(sum(r.sent for r in runs) / sum(r.seconds for r in runs)),
        "sync_p50_ms": round(float(np.percentile(syncs, 50)) * 1000),
        "sync_p95_ms": round(float(np.percentile(syncs, 95)) * 1000),
    }


if __name__ == "__main__":
    main()
