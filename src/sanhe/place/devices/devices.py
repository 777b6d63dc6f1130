"""The façade: devices and their syncs within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sanhe.core.audit import Audit
from sanhe.core.errors import BadInput, Code, Conflict, Denied, NotFound, SanheError
from sanhe.core.facts import Fact, PostgresFacts, Projection
from sanhe.core.places import Places
from sanhe.core.storage import Transaction
from sanhe.goods.stock import Short, Stock
from sanhe.place.devices import rules, store
from sanhe.place.devices.meaning import Meaning, Standing, meaning, source_of
from sanhe.place.devices.rules import (
    MOST_EVENTS,
    DeviceState,
    Head,
    Reason,
    Refusal,
    SignedEvent,
    Taken,
    TillEvent,
)
from sanhe.place.devices.signing import genesis
from sanhe.place.devices.store import Device, DeviceProblem
from sanhe.place.tasks import NewTask, TaskLine, Tasks

_NOTED: Final = 100
"""So many problems of one sync are noted one by one."""
_MOST_TOLD: Final = 2 * MOST_EVENTS
"""So many events one sync tells; those that waited longer than others come first."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What came of a sync. `head` is the last event taken: the next is `head.sequence + 1`.

    `accepted` events are new, `duplicates` were known. `refusal` says why others were not taken;
    `problems` are events taken that a person has to look at. `untold` events wait to be told.
    """

    head: Head
    accepted: int
    duplicates: int
    refusal: Refusal | None
    problems: int
    untold: int
    shorts: tuple[Short, ...]


class Devices:
    """The tills within one transaction.

    `projections` follow what is told, the stock among them. `currency` is that of receipts.
    """

    def __init__(
        self,
        tx: Transaction,
        facts: PostgresFacts,
        *,
        stock: Stock,
        tasks: Tasks,
        places: Places,
        audit: Audit,
        projections: Sequence[Projection],
        currency: str,
    ) -> None:
        self._tx, self._facts, self._stock = tx, facts, stock
        self._tasks, self._places, self._audit = tasks, places, audit
        self._projections, self._currency = projections, currency

    def register(self, device: str, place: str, public_key: bytes, *, name: str = "") -> Device:
        """Let a device of this key speak for a place. Registered again alike changes nothing.

        Raises NotFound for no such place, BadInput for a name that is none, Conflict where the
        device or the key is known otherwise.
        """
        rules.checked_device(device)
        self._places.get(place)
        start = Head(0, genesis(public_key))
        new = Device(
            id=device,
            place=place,
            name=name,
            public_key=public_key,
            state=DeviceState.ACTIVE,
            head=start,
            told=0,
            registered_at=self._tx.clock.now(),
            seen_at=None,
            blocked_why="",
        )
        if store.add_device(self._tx, new):
            self._audit.record("device.registered", device, {"place": place})
            return new
        known = store.read_device(self._tx, device)
        if known is None or (known.place, known.public_key) != (place, public_key):
            raise Conflict(
                f"the device {device} or its key is known otherwise: give it another name, or a "
                "new key by sanhe device renew"
            )
        return known

    def get(self, device: str) -> Device:
        """One device. Raises NotFound."""
        found = store.read_device(self._tx, device)
        if found is None:
            raise NotFound(f"no device {device!r}: register it first (sanhe device add)")
        return found

    def all(self, place: str | None = None) -> list[Device]:
        """The devices of a place, or all, by name."""
        return store.read_devices(self._tx, place)

    def problems(self, device: str | None = None, *, limit: int = 100) -> list[DeviceProblem]:
        """What a person has to look at, the newest first: of one device, or of all."""
        return store.read_problems(self._tx, device, limit)

    def block(self, device: str, *, why: str) -> Device:
        """Let a device sync no more, as it is lost or has been copied. Raises NotFound."""
        return self._blocked(self._locked(device), why or "blocked by hand")

    def renew(self, device: str, public_key: bytes) -> Device:
        """Give a device a new key, and let a blocked one go on with it.

        Its next event follows the head in number and names the genesis of the new key. What it
        has not delivered it signs anew, under the same ids: what arrived before counts once.
        Raises NotFound, Conflict for a key that is known.
        """
        before = self._locked(device)
        head = Head(before.head.sequence, genesis(public_key))
        after = replace(
            before, public_key=public_key, head=head, state=DeviceState.ACTIVE, blocked_why=""
        )
        if before.public_key == public_key or not store.save_unless_known(self._tx, after):
            raise Conflict(f"this key is known: make a new one for {device}")
        self._audit.record("device.renewed", device, {"after": head.sequence})
        return after

    def sync(self, device: str, events: Sequence[SignedEvent]) -> Synced:
        """Take what a device delivers; again, in another order or in other parts ends the same.

        The events that follow the head are kept, told as facts, and the stock follows, in this
        transaction: what physically happened is never refused. What goes below the stock and what
        can't be told becomes a task of the store. A fork blocks the device. Raises NotFound,
        Denied for a blocked device, BadInput for more than `MOST_EVENTS`.
        """
        if len(events) > MOST_EVENTS:
            raise BadInput(
                f"{len(events)} events at once",
                place="events",
                remedy=f"send at most {MOST_EVENTS} at a time",
            )
        before = self._locked(device)
        if before.state is DeviceState.BLOCKED:
            raise Denied(
                f"the device {device} is blocked: {before.blocked_why}; ask the store",
                code=Code.DEVICE_BLOCKED,
            )
        delivery = rules.read(events, device)
        known = store.known_hashes(self._tx, device, (event.sequence for event in delivery.events))
        taken = rules.take(delivery, before.head, known, public_key=before.public_key)
        store.add_events(self._tx, device, taken.accepted)
        told, problems, shorts = self._tell(before, taken)
        now = replace(before, head=taken.head, told=told, seen_at=self._tx.clock.now())
        store.save(self._tx, now)
        problems += self._note_refusal(now, taken)
        return Synced(
            head=taken.head,
            accepted=len(taken.accepted),
            duplicates=taken.duplicates,
            refusal=taken.refusal,
            problems=problems,
            untold=taken.head.sequence - told,
            shorts=shorts,
        )

    def digest(self) -> str:
        """A SHA-256 over all events taken, by device and position: equal logs have equal ones."""
        return store.events_digest(self._tx)

    def _locked(self, device: str) -> Device:
        found = store.read_device(self._tx, device, lock=True)
        if found is None:
            raise NotFound(f"no device {device!r}: register it first (sanhe device add)")
        return found

    def _blocked(self, device: Device, why: str) -> Device:
        after = replace(device, state=DeviceState.BLOCKED, blocked_why=why)
        store.save(self._tx, after)
        self._audit.record("device.blocked", device.id, {"why": why})
        return after

    def _tell(self, device: Device, taken: Taken) -> tuple[int, int, tuple[Short, ...]]:
        """Tell the events that were not told yet as facts, all or none of them.

        Returns the last one told, how many have problems, and what is short.
        """
        events = self._untold(device, taken)
        if not events:
            return device.told, 0, ()
        standing = self._standing(device)
        meanings = [
            (event, meaning(event, standing, received_at=received_at))
            for received_at, event in events
        ]
        facts = [fact for _, found in meanings for fact in found.facts]
        until = events[-1][1].sequence
        savepoint = self._tx.connection.begin_nested()
        try:
            against = self._record(device.id, facts, name=f"{device.told + 1}-{until}")
        except SanheError as error:
            # What happened stays taken; it is told once somebody has settled what stands against.
            savepoint.rollback()
            if device.told == device.head.sequence:
                self._note(device, [(None, f"events from {device.told + 1} on wait: {error}")])
            return device.told, 1, ()
        savepoint.commit()
        wrong = _wrong(meanings, against)
        self._note(device, wrong)
        pairs = {(fact.sku or "", fact.place or "") for fact in facts}
        return until, len(wrong), self._shorts(pairs)

    def _untold(self, device: Device, taken: Taken) -> list[tuple[datetime, TillEvent]]:
        """The next events to tell, with the moments they arrived: those that wait come first."""
        now = self._tx.clock.now()
        events = [(now, event) for event in taken.accepted]
        if device.told == device.head.sequence:
            return events
        until = min(device.head.sequence, device.told + _MOST_TOLD)
        kept = store.read_events(self._tx, device.id, device.told, until=until)
        waited = [(at, rules.read_event(signed, device.id)) for at, signed in kept]
        return (waited + events)[:_MOST_TOLD] if until == device.head.sequence else waited

    def _standing(self, device: Device) -> Standing:
        zone, cut_off = self._places.calendars()[device.place]
        return Standing(device.place, device.registered_at, zone, cut_off, self._currency)

    def _record(self, device: str, facts: list[Fact], *, name: str) -> Collection[str]:
        """Record the facts and let the projections follow; returns the external ids of those that
        contradict what is recorded."""
        if not facts:
            return ()
        batch: UUID = self._facts.open_batch(
            source=source_of(device), name=f"{device} {name}", kind="sync"
        )
        appended = self._facts.append(batch, facts)
        for projection in self._projections:
            projection.apply(batch)
        return {external_id for _, external_id, _ in appended.contradicting}

    def _shorts(self, pairs: Collection[tuple[str, str]]) -> tuple[Short, ...]:
        """What is missing of these SKU × place, with a task for each."""
        if not pairs:
            return ()
        shorts = self._stock.shorts(pairs)
        self._tasks.open(
            NewTask(
                short.place,
                "discrepancy",
                f"stock {short.sku}",
                lines=(TaskLine(short.sku, short.quantity),),
                note="more was sold than was there or free: count it",
            )
            for short in shorts
        )
        return tuple(shorts)

    def _note_refusal(self, device: Device, taken: Taken) -> int:
        """Note a refusal that a person has to look at; a fork blocks the device."""
        refusal = taken.refusal
        if refusal is None or refusal.reason not in (Reason.FORK, Reason.TAMPERED):
            return 0
        self._note(device, [(refusal.sequence, refusal.why)])
        for event in taken.forked:
            why = f"a genuine event {event.sequence} that was not taken"
            store.add_problem(
                self._tx, device.id, why, sequence=event.sequence, signed=event.signed
            )
        if refusal.reason is Reason.FORK:
            self._blocked(device, refusal.why)
        return 1

    def _note(self, device: Device, wrong: Sequence[tuple[int | None, str]]) -> None:
        """Note problems of a device, and open one task for the person who looks at them."""
        for sequence, why in wrong[:_NOTED]:
            store.add_problem(self._tx, device.id, why, sequence=sequence, signed=None)
        if len(wrong) > _NOTED:
            why = f"{len(wrong) - _NOTED} events more have problems, the last is {wrong[-1][0]}"
            store.add_problem(self._tx, device.id, why, sequence=wrong[-1][0], signed=None)
        if wrong:
            sequence, why = wrong[0]
            where = "" if sequence is None else f"event {sequence}: "
            note = f"{where}{why}; all: sanhe device problems {device.id}"
            self._tasks.open(
                [NewTask(device.place, "discrepancy", f"device {device.id}", note=note[:2000])]
            )


def _wrong(
    meanings: Sequence[tuple[TillEvent, Meaning]], against: Collection[str]
) -> list[tuple[int | None, str]]:
    """What is wrong with events, by their positions."""
    found: list[tuple[int | None, str]] = []
    for event, told in meanings:
        if told.problem:
            found.append((event.sequence, told.problem))
        if any(fact.external_id in against for fact in told.facts):
            why = f"{event.id} was told before with other content: the first one counts"
            found.append((event.sequence, why))
    return found
