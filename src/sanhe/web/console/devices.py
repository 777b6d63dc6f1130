"""Tills and other devices: register, block, renew, and what went wrong with them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from sanhe.place.devices import Device, public_key_of
from sanhe.web.asked import Reason, Word
from sanhe.web.caller import Caller, depends

router = APIRouter(tags=["devices"])
Manages = Annotated[Caller, depends("devices.manage")]
Name = Annotated[Word, Path()]


class DeviceTold(BaseModel):
    """A device. `sequence` events arrived, of which `told` are told as facts."""

    id: str
    place: str
    name: str
    state: Literal["active", "blocked"]
    blocked_why: str
    sequence: int
    told: int
    registered_at: datetime
    seen_at: datetime | None


class DeviceRows(BaseModel):
    """The devices that the caller may see."""

    rows: list[DeviceTold]


class DeviceEntered(BaseModel):
    """A device to register; `public_key` is its raw Ed25519 key in base64 or hex."""

    id: Word
    place: Word
    public_key: Word
    name: Word = ""


class DeviceKeyEntered(BaseModel):
    """A device's new key."""

    public_key: Word


class WhyEntered(BaseModel):
    """Why a device is blocked."""

    why: Reason = Field(min_length=1)


class ProblemTold(BaseModel):
    """Something to look at: the event's position, if it has one, and why."""

    device: str
    sequence: int | None
    why: str
    at: datetime


class ProblemRows(BaseModel):
    """The latest problems."""

    rows: list[ProblemTold]


@router.get("/devices")
def read_devices(caller: Manages) -> DeviceRows:
    """The devices of the places that the caller sees."""
    with caller.work() as work:
        found = work.devices.all()
    return DeviceRows(rows=[_told(one) for one in found])


@router.post("/devices", status_code=201)
def add_device(entered: DeviceEntered, caller: Manages) -> DeviceTold:
    """Register a device: from now on its key speaks for the place."""
    key = public_key_of(entered.public_key)
    with caller.work() as work:
        made = work.devices.register(entered.id, entered.place, key, name=entered.name)
    return _told(made)


@router.post("/devices/{name}/block")
def block_device(name: Name, entered: WhyEntered, caller: Manages) -> DeviceTold:
    """Let a device sync no more."""
    with caller.work() as work:
        return _told(work.devices.block(name, why=entered.why))


@router.post("/devices/{name}/renew")
def renew_device(name: Name, entered: DeviceKeyEntered, caller: Manages) -> DeviceTold:
    """Give a device a new key; a blocked one goes on with it."""
    key = public_key_of(entered.public_key)
    with caller.work() as work:
        return _told(work.devices.renew(name, key))


@router.get("/devices/{name}/problems")
def read_problems(name: Name, caller: Manages) -> ProblemRows:
    """What went wrong with a device, the newest first."""
    with caller.work() as work:
        work.devices.get(name)
        found = work.devices.problems(name)
    return ProblemRows(
        rows=[
            ProblemTold(device=one.device, sequence=one.sequence, why=one.why, at=one.at)
            for one in found
        ]
    )


def _told(device: Device) -> DeviceTold:
    return DeviceTold(
        id=device.id,
        place=device.place,
        name=device.name,
        state=device.state.value,
        blocked_why=device.blocked_why,
        sequence=device.head.sequence,
        told=device.told,
        registered_at=device.registered_at,
        seen_at=device.seen_at,
    )
