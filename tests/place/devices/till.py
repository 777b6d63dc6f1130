"""A till as its software would be: a key, a chain, receipts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sanhe.place.devices import SignedEvent, event_hash, event_message, genesis

START = datetime(2024, 6, 3, tzinfo=UTC)
_NAMES = UUID(int=35)


def signed(key: Ed25519PrivateKey, payload: str) -> SignedEvent:
    return SignedEvent(payload, key.sign(event_message(payload)))


@dataclass
class Till:
    """Writes events down, each signed after the one before."""

    name: str = "till-1"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    events: list[SignedEvent] = field(default_factory=list)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def previous(self) -> bytes:
        return event_hash(self.events[-1].payload) if self.events else genesis(self.public_key)

    def write(self, kind: str, body: dict[str, Any], /, **given: Any) -> SignedEvent:
        """The next event; fields can be given otherwise than a sound till would."""
        number = len(self.events) + 1
        fields = {
            "device": self.name,
            "sequence": number,
            "previous": self.previous.hex(),
            "id": str(uuid5(_NAMES, f"{self.name}/{number}")),
            "kind": kind,
            "at": (START + timedelta(minutes=number)).isoformat(),
            "body": body,
        }
        event = signed(self.key, orjson.dumps(fields | given).decode())
        self.events.append(event)
        return event

    def sell(self, sku: str = "A", quantity: int = 1, **given: Any) -> SignedEvent:
        """A receipt of one line, paid in cash."""
        amount = 500 * quantity
        body = {
            "receipt": f"R{len(self.events) + 1}",
            "currency": "CNY",
            "lines": [{"sku": sku, "quantity": quantity, "amount_cents": amount}],
            "payments": [{"method": "cash", "amount_cents": amount}],
        }
        return self.write("receipt", body, **given)

    def count(self, quantities: dict[str, int], **given: Any) -> SignedEvent:
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]
        return self.write("count", {"lines": lines}, **given)

    def clone(self) -> Till:
        """Somebody else with the same key and memory."""
        return Till(self.name, self.key, list(self.events))
