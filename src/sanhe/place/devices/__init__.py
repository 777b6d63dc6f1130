"""Tills and pop-up stores (收银机、快闪店): what happened offline arrives exactly once.

Systems: S35.

Inputs: events that a registered device numbered, chained by hash and signed with its Ed25519 key.
Decides which of them are the next ones of the chain; refuses holes, forgeries and clones.
"""

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

__all__ = [
    "MOST_EVENTS",
    "MOST_PAYLOAD",
    "DeviceState",
    "Head",
    "Reason",
    "Refusal",
    "SignedEvent",
    "TillEvent",
    "event_hash",
    "event_message",
    "genesis",
    "public_key_of",
    "verifies",
]
