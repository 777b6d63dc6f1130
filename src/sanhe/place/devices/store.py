"""The tables of devices: keys and heads, the events as they were signed, what was wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sanhe.core.storage import Transaction
from sanhe.place.devices.rules import DeviceState, Head, SignedEvent, TillEvent

_COLUMNS = (
    "id, place, name, public_key, state, sequence, hash, told, registered_at, seen_at, blocked_why"
)
_ADD = sa.text(
    "INSERT INTO device (id, place, name, public_key, state, sequence, hash, told, registered_at) "
    "VALUES (:id, :place, :name, :key, 'active', 0, :hash, 0, :now) ON CONFLICT DO NOTHING"
)
_ONE = sa.text(f"SELECT {_COLUMNS} FROM device WHERE id = :id")  # noqa: S608
_LOCKED = sa.text(
    f"SELECT {_COLUMNS} FROM device WHERE id = :id FOR NO KEY UPDATE"  # noqa: S608 -- constants
)
_ALL = sa.text(
    f"SELECT {_COLUMNS} FROM device "  # noqa: S608 -- constants
    "WHERE (CAST(:place AS text) IS NULL OR place = :place) ORDER BY id"
)
_SAVE = sa.text(
    "UPDATE device SET public_key = :public_key, state = :state, sequence = :sequence, "
    "hash = :hash, told = :told, seen_at = :seen_at, blocked_why = :blocked_why WHERE id = :id"
)
_KNOWN = sa.text(
    "SELECT sequence, hash FROM device_event "
    "WHERE device = :device AND sequence = ANY(CAST(:sequences AS bigint[]))"
)
# As JSON, as the driver writes long arrays of texts many times slower.
_ADD_EVENTS = sa.text("""
    INSERT INTO device_event (device, sequence, hash, received_at, payload, signature)
    SELECT :device, sequence, decode(hash, 'hex'), :now, payload, decode(signature, 'hex')
    FROM json_to_recordset(CAST(:events AS json))
        AS given (sequence bigint, hash text, payload text, signature text)
""")
_UNTOLD = sa.text(
    "SELECT received_at, payload, signature FROM device_event "
    "WHERE device = :device AND sequence > :told AND sequence <= :most ORDER BY sequence"
)
_ADD_PROBLEM = sa.text(
    "INSERT INTO device_problem (device, sequence, why, at, payload, signature) "
    "VALUES (:device, :sequence, :why, :now, :payload, :signature)"
)
_PROBLEMS = sa.text(
    "SELECT device, sequence, why, at FROM device_problem "
    "WHERE CAST(:device AS text) IS NULL OR device = :device ORDER BY number DESC LIMIT :limit"
)
_HASHES = sa.text("SELECT device, sequence, hash FROM device_event ORDER BY device, sequence")


@dataclass(frozen=True, slots=True)
class Device:
    """A till with the key that proves it and the head of its chain.

    `told` is the number of the last event whose facts are recorded. `blocked_why` says why a
    blocked one is. Times are UTC; `seen_at` is the last sync.
    """

    id: str
    place: str
    name: str
    public_key: bytes
    state: DeviceState
    head: Head
    told: int
    registered_at: datetime
    seen_at: datetime | None
    blocked_why: str


@dataclass(frozen=True, slots=True)
class DeviceProblem:
    """Something that a person has to look at: the event's position, if it has one, and why."""

    device: str
    sequence: int | None
    why: str
    at: datetime


def add_device(tx: Transaction, device: Device) -> bool:
    """Add a device; False when its name or key is taken."""
    given: dict[str, Any] = {"id": device.id, "place": device.place, "name": device.name}
    given |= {"key": device.public_key, "hash": device.head.hash, "now": device.registered_at}
    return bool(tx.connection.execute(_ADD, given).rowcount)


def read_device(tx: Transaction, device: str, *, lock: bool = False) -> Device | None:
    """One device; `lock` keeps other syncs of it waiting until the transaction ends."""
    row = tx.connection.execute(_LOCKED if lock else _ONE, {"id": device}).one_or_none()
    return None if row is None else _device(row)


def read_devices(tx: Transaction, place: str | None) -> list[Device]:
    """The devices of a place, or all, by name."""
    return [_device(row) for row in tx.connection.execute(_ALL, {"place": place})]


def save(tx: Transaction, device: Device) -> None:
    """Keep a device as it is now."""
    tx.connection.execute(
        _SAVE,
        {
            "id": device.id, "public_key": device.public_key, "state": device.state.value,
            "sequence": device.head.sequence, "hash": device.head.hash, "told": device.told,
            "seen_at": device.seen_at, "blocked_why": device.blocked_why,
        },
    )  # fmt: skip


def save_unless_known(tx: Transaction, device: Device) -> bool:
    """Like `save`; False, with nothing changed, when the key is another device's."""
    savepoint = tx.connection.begin_nested()
    try:
        save(tx, device)
    except IntegrityError:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def known_hashes(tx: Transaction, device: str, sequences: Iterable[int]) -> dict[int, bytes]:
    """The hashes of the events taken in these positions."""
    given = {"device": device, "sequences": sorted(set(sequences))}
    rows = tx.connection.execute(_KNOWN, given)
    return {row.sequence: bytes(row.hash) for row in rows}


def add_events(tx: Transaction, device: str, events: Sequence[TillEvent]) -> None:
    """Keep events as they were signed."""
    if events:
        rows = [
            {
                "sequence": event.sequence,
                "hash": event.hash.hex(),
                "payload": event.signed.payload,
                "signature": event.signed.signature.hex(),
            }
            for event in events
        ]
        given = {"device": device, "now": tx.clock.now(), "events": orjson.dumps(rows).decode()}
        tx.connection.execute(_ADD_EVENTS, given)


def read_events(
    tx: Transaction, device: str, after: int, *, until: int
) -> list[tuple[datetime, SignedEvent]]:
    """The events after a position up to another, with the moments they arrived."""
    given = {"device": device, "told": after, "most": until}
    return [
        (row.received_at, SignedEvent(row.payload, bytes(row.signature)))
        for row in tx.connection.execute(_UNTOLD, given)
    ]


def add_problem(
    tx: Transaction, device: str, why: str, *, sequence: int | None, signed: SignedEvent | None
) -> None:
    """Note what a person has to look at; `signed` is an event that was not taken."""
    given: dict[str, Any] = {"device": device, "sequence": sequence, "why": why}
    given |= {"now": tx.clock.now(), "payload": None, "signature": None}
    if signed is not None:
        given |= {"payload": signed.payload, "signature": signed.signature}
    tx.connection.execute(_ADD_PROBLEM, given)


def read_problems(tx: Transaction, device: str | None, limit: int) -> list[DeviceProblem]:
    """The latest problems of a device, or of all."""
    rows = tx.connection.execute(_PROBLEMS, {"device": device, "limit": limit})
    return [DeviceProblem(row.device, row.sequence, row.why, row.at) for row in rows]


def events_digest(tx: Transaction) -> str:
    """A SHA-256 over device, position and hash of every event, in order."""
    digest = hashlib.sha256()
    for row in tx.connection.execution_options(stream_results=True).execute(_HASHES):
        digest.update(f"{row.device}\n{row.sequence}\n".encode() + bytes(row.hash))
    return digest.hexdigest()


def _device(row: Any) -> Device:
    return Device(
        id=row.id,
        place=row.place,
        name=row.name,
        public_key=bytes(row.public_key),
        state=DeviceState(row.state),
        head=Head(row.sequence, bytes(row.hash)),
        told=row.told,
        registered_at=row.registered_at,
        seen_at=row.seen_at,
        blocked_why=row.blocked_why,
    )
