"""Tills and pop-up stores (收银机、快闪店): what happened offline arrives exactly once.

Systems: S35.
Commands: sanhe device add, sanhe device list, sanhe device block, sanhe device renew,
sanhe device problems.

Inputs: events that a registered device numbered, chained by hash and signed with its Ed25519 key.
Decides which of them are the next ones of the chain; refuses holes, forgeries and clones. Outputs:
sale.line and stock.counted facts with the stock that follows them, tasks for what is short or
wrong, blocked devices.
"""

from sanhe.place.devices.devices import Devices, Synced
from sanhe.place.devices.rules import (
    MOST_EVENTS,
    MOST_PAYLOAD,
    DeviceState,
    Head,
    Reason,
    Refusal,
    SignedEvent,
    TillEvent,
)
from sanhe.place.devices.signing import (
    event_hash,
    event_message,
    genesis,
    public_key_of,
    verifies,
)
from sanhe.place.devices.store import Device, DeviceProblem

__all__ = [
    "MOST_EVENTS",
    "MOST_PAYLOAD",
    "Device",
    "DeviceProblem",
    "DeviceState",
    "Devices",
    "Head",
    "Reason",
    "Refusal",
    "SignedEvent",
    "Synced",
    "TillEvent",
    "event_hash",
    "event_message",
    "genesis",
    "public_key_of",
    "verifies",
]
