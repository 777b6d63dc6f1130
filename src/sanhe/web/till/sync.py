"""A till's sync: it brings what happened and is told up to where it arrived."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from sanhe.core.errors import BadInput, Code, Denied, NotFound
from sanhe.place.devices import MOST_EVENTS, MOST_PAYLOAD, Device, SignedEvent, Synced, verifies
from sanhe.web.caller import Served, served_of
from sanhe.web.till.signature import WINDOW_SECONDS, RequestSignature, read_signature
from sanhe.wiring import sync_device

router = APIRouter(prefix="/till", tags=["till"])


class EventSent(BaseModel):
    """An event: the JSON text that was signed, byte for byte, and the signature in base64."""

    payload: str = Field(max_length=MOST_PAYLOAD)
    signature: str = Field(max_length=100)


class EventsSent(BaseModel):
    """What a till delivers, in any order."""

    events: list[EventSent] = Field(max_length=MOST_EVENTS)


class RefusalTold(BaseModel):
    """Why not all was taken; `sequence` is the position asked for or fought over."""

    reason: Literal["malformed", "tampered", "hole", "fork"]
    sequence: int | None
    why: str


class ShortTold(BaseModel):
    """What is missing: sold although it was not there, or was reserved for somebody else."""

    sku: str
    quantity: int


class SyncTold(BaseModel):
    """What came of a sync: the next event is `sequence + 1` and names `hash`.

    `problems` events were taken and a person looks at them; `untold` wait to be told. `now` is
    the server's clock.
    """

    sequence: int
    hash: str
    accepted: int
    duplicates: int
    problems: int
    untold: int
    refusal: RefusalTold | None
    shorts: list[ShortTold]
    now: datetime


class HeadTold(BaseModel):
    """Where a till stands: its place, the last event that arrived, whether it may sync."""

    device: str
    place: str
    state: Literal["active", "blocked"]
    sequence: int
    hash: str
    now: datetime


async def signing_device(request: Request) -> Device:
    """The device that signed the request. Raises Denied."""
    headers = request.headers
    given = read_signature(
        request.method,
        request.url.path,
        await request.body(),
        signature_input=headers.get("signature-input", ""),
        signature=headers.get("signature", ""),
        digest=headers.get("content-digest", ""),
    )
    found = await run_in_threadpool(_proved, served_of(request), given)
    request.state.known = True
    return found


Signing = Annotated[Device, Depends(signing_device)]


def _proved(served: Served, given: RequestSignature) -> Device:
    now = served.sanhe.clock.now()
    if abs(now.timestamp() - given.created) > WINDOW_SECONDS:
        raise Denied(
            f"the signature is not of now: here it is {now:%Y-%m-%dT%H:%M:%SZ}",
            code=Code.CLOCK_OFF,
        )
    unproved = Denied(f"the request is not signed by the key of {given.device}: register it anew")
    with served.sanhe.work(actor="web") as work:
        try:
            found = work.devices.get(given.device)
        except NotFound:
            raise unproved from None
    if not verifies(found.public_key, given.message, given.signature):
        raise unproved
    return found


@router.post("/sync")
def sync(sent: EventsSent, request: Request, device: Signing) -> SyncTold:
    """Take events: those that follow the head, each once, whatever the order. What was not taken
    is told by `refusal`; 403 for a blocked device."""
    events = [_event(number, event) for number, event in enumerate(sent.events)]
    sanhe = served_of(request).sanhe
    done = sync_device(sanhe, device.id, events, actor=f"till {device.id}")
    return _told(done, sanhe.clock.now())


@router.get("/head")
def read_head(request: Request, device: Signing) -> HeadTold:
    """Where the till stands: what to send from, and the time to set its clock by."""
    return HeadTold(
        device=device.id,
        place=device.place,
        state=device.state.value,
        sequence=device.head.sequence,
        hash=device.head.hash.hex(),
        now=served_of(request).sanhe.clock.now(),
    )


def _event(number: int, sent: EventSent) -> SignedEvent:
    try:
        return SignedEvent(sent.payload, base64.b64decode(sent.signature, validate=True))
    except (binascii.Error, ValueError):
        raise BadInput(
            "the signature is no base64", place=f"events/{number}/signature", remedy="encode it"
        ) from None


def _told(done: Synced, now: datetime) -> SyncTold:
    refusal = done.refusal
    return SyncTold(
        sequence=done.head.sequence,
        hash=done.head.hash.hex(),
        accepted=done.accepted,
        duplicates=done.duplicates,
        problems=done.problems,
        untold=done.untold,
        refusal=None
        if refusal is None
        else RefusalTold(reason=refusal.reason.value, sequence=refusal.sequence, why=refusal.why),
        shorts=[ShortTold(sku=short.sku, quantity=short.quantity) for short in done.shorts],
        now=now,
    )
