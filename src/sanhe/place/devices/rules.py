"""The protocol of tills: which of the events that a device sends are the next ones of its chain.

A device numbers its events from 1 and signs each with the hash of the one before. So the server
needs to know the head alone: it takes what follows the head without a hole, whatever the order or
repetition of what is sent. Two genuine events in one position show that two hold the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import orjson

from sanhe.core.errors import BadInput
from sanhe.place.devices.signing import event_hash, event_message, verifies

MOST_EVENTS: Final = 1000
"""So many events one sync may bring."""
MOST_PAYLOAD: Final = 16_384
"""Characters of one event."""

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KIND = re.compile(r"[a-z][a-z_.]{0,31}")
_HASH = re.compile(r"[0-9a-f]{64}")
_LARGEST: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exact."""
_FIELDS: Final = frozenset({"device", "sequence", "previous", "id", "kind", "at", "body"})


class DeviceState(StrEnum):
    """Whether a device may sync."""

    ACTIVE = "active"
    BLOCKED = "blocked"


class Reason(StrEnum):
    """Why some of the events sent were not taken."""

    MALFORMED = "malformed"
    TAMPERED = "tampered"
    HOLE = "hole"
    FORK = "fork"


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """An event as it is sent: `payload` is the JSON text that was signed, byte for byte."""

    payload: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The last event that was taken: its number, 0 for none, and its hash."""

    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class TillEvent:
    """An event read: the `sequence`-th of its device, after the one with the hash `previous`.

    `id` names what happened, however often it is written down; `at` is the device's own clock.
    """

    device: str
    sequence: int
    previous: bytes
    id: UUID
    kind: str
    at: datetime
    body: Mapping[str, Any]
    signed: SignedEvent
    hash: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not all was taken. `sequence` is the position that is asked for or fought over; None
    where an event could not be read."""

    reason: Reason
    sequence: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a device sends: the events that can be read, and why others can't."""

    device: str
    events: tuple[TillEvent, ...]
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What becomes of a delivery: events to take, in order; the head after them; how many were
    known; the refusal, if not all of the rest was known; the genuine events that make a fork."""

    accepted: tuple[TillEvent, ...]
    head: Head
    duplicates: int
    refusal: Refusal | None
    forked: tuple[TillEvent, ...] = ()


def checked_device(device: str) -> str:
    """A device's name. Raises BadInput."""
    if not _DEVICE.fullmatch(device):
        raise BadInput(
            f"{device!r} is no name of a device",
            place="device",
            remedy="1 to 64 letters, digits and . _ -, beginning with a letter or digit",
        )
    return device


def read_event(signed: SignedEvent, device: str) -> TillEvent:
    """The event of a payload. Raises BadInput for one that can't be read or is of another device.

    The fields are device, sequence, previous (hash, hex), id (UUID), kind, at (with offset) and
    body (an object), and no others.
    """
    if len(signed.payload) > MOST_PAYLOAD:
        raise BadInput("the event is too long", remedy=f"up to {MOST_PAYLOAD} characters")
    try:
        found = orjson.loads(signed.payload)
        if not isinstance(found, dict) or found.keys() != _FIELDS:
            raise ValueError(f"the fields are not {', '.join(sorted(_FIELDS))}")
        return TillEvent(
            device=_of_device(found["device"], device),
            sequence=_sequence(found["sequence"]),
            previous=bytes.fromhex(_text(found["previous"], _HASH, "previous")),
            id=UUID(_text(found["id"], None, "id")),
            kind=_text(found["kind"], _KIND, "kind"),
            at=_moment(found["at"]),
            body=_object(found["body"]),
            signed=signed,
            hash=event_hash(signed.payload),
        )
    except (ValueError, UnicodeEncodeError) as error:
        raise BadInput(f"an event can't be read: {error}", remedy="send what was signed") from error


def read(events: Iterable[SignedEvent], device: str) -> Delivery:
    """The events that are sent as one of this device, as far as they can be read."""
    found: list[TillEvent] = []
    refusal = None
    for signed in events:
        try:
            found.append(read_event(signed, device))
        except BadInput as error:
            refusal = refusal or Refusal(Reason.MALFORMED, None, error.what)
    return Delivery(device, tuple(found), refusal)


def take(delivery: Delivery, head: Head, known: Mapping[int, bytes], *, public_key: bytes) -> Taken:
    """Decide on what a device with this head and key delivers.

    `known` gives the hashes of taken events, at least of the positions that are delivered again.
    Taken is the longest chain of genuine events that follows
    the head; what can't be read or is not signed by the device never changes that. A position
    that two genuine events claim, or one that follows another predecessor, is a fork: nothing is
    taken from there on.
    """
    refusal = delivery.refusal
    duplicates = 0
    accepted: list[TillEvent] = []
    by_sequence: dict[int, dict[bytes, list[TillEvent]]] = {}
    for event in delivery.events:
        by_sequence.setdefault(event.sequence, {}).setdefault(event.hash, []).append(event)
    for sequence in sorted(by_sequence):
        claims = by_sequence[sequence]
        again = claims.pop(known[sequence], []) if sequence <= head.sequence else []
        duplicates += len(again)
        if sequence > head.sequence + 1:
            refusal = refusal or _hole(head, sequence)
            break
        genuine, forged = _split(claims, public_key)
        if forged:
            why = f"event {sequence} is not signed by the key of {delivery.device}"
            refusal = refusal or Refusal(Reason.TAMPERED, sequence, why)
        if not genuine:
            continue
        duplicates += sum(len(claims[event.hash]) - 1 for event in genuine)
        (first, *others) = genuine
        if sequence <= head.sequence or others or first.previous != head.hash:
            return Taken(tuple(accepted), head, duplicates, _fork(sequence), tuple(genuine))
        accepted.append(first)
        head = Head(sequence, first.hash)
    return Taken(tuple(accepted), head, duplicates, refusal)


def _readable(events: Iterable[SignedEvent], device: str) -> tuple[list[TillEvent], Refusal | None]:
    read: list[TillEvent] = []
    refusal = None
    for signed in events:
        try:
            read.append(read_event(signed, device))
        except BadInput as error:
            refusal = refusal or Refusal(Reason.MALFORMED, None, error.what)
    return read, refusal


def _split(
    claims: Mapping[bytes, Sequence[TillEvent]], public_key: bytes
) -> tuple[list[TillEvent], bool]:
    """Of each hash one event that the device signed, by hash; and whether any was not."""
    genuine, forged = [], False
    for hash_ in sorted(claims):
        event = next((one for one in claims[hash_] if _is_genuine(one, public_key)), None)
        if event is None:
            forged = True
        else:
            genuine.append(event)
    return genuine, forged


def _is_genuine(event: TillEvent, public_key: bytes) -> bool:
    return verifies(public_key, event_message(event.signed.payload), event.signed.signature)


def _hole(head: Head, sequence: int) -> Refusal:
    why = f"event {head.sequence + 1} comes next, not {sequence}: send from there on"
    return Refusal(Reason.HOLE, head.sequence + 1, why)


def _fork(sequence: int) -> Refusal:
    why = f"two genuine events claim position {sequence}: somebody else has the device's key"
    return Refusal(Reason.FORK, sequence, why)


def _of_device(value: object, device: str) -> str:
    if value != device:
        raise ValueError(f"it is of the device {value!r}")
    return device


def _sequence(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST:
        raise ValueError("sequence is no number from 1 on")
    return value


def _text(value: object, form: re.Pattern[str] | None, name: str) -> str:
    if not isinstance(value, str) or (form is not None and not form.fullmatch(value)):
        raise ValueError(f"{name} is {value!r}")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value, None, "at"))
    if moment.tzinfo is None or not 1970 <= moment.year < 2200:
        raise ValueError(f"at is {value!r}: give a moment with its offset")
    return moment.astimezone(UTC)


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("body is no object")
    return value
