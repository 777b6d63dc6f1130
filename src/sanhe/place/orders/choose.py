"""Which places give what: the port of sourcing, and the simplest answer, one named place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sanhe.core.values import Json
from sanhe.place.orders.basket import Basket, PricedLine


@dataclass(frozen=True, slots=True)
class Piece:
    """So many units of a line at a place."""

    line: int
    place: str
    units: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Where an order's goods come from, and when they reach the shopper.

    `place` answers for the order; `keep` are base units of (place, SKU) that stay free beside
    it (safety); `why` are the terms of the choice, told to whoever asks.
    """

    place: str
    pieces: tuple[Piece, ...]
    delivery_cents: int = 0
    ready_at: datetime | None = None
    arrives_at: datetime | None = None
    keep: Mapping[tuple[str, str], int] = field(default_factory=dict)
    why: Mapping[str, Json] = field(default_factory=dict)


class Sourcing(Protocol):
    """Chooses the places. What it reads is of now; the ledger alone decides what is held."""

    def choose(self, basket: Basket, lines: Sequence[PricedLine], *, now: datetime) -> Plan:
        """The places that give each line. Raises Shortage when nobody can, BadInput when the
        shopper can't be reached."""
        ...


@dataclass(frozen=True, slots=True)
class AtPlace:
    """All of it from the place the shopper named."""

    def choose(self, basket: Basket, lines: Sequence[PricedLine], *, now: datetime) -> Plan:
        """Everything at the named place, ready at once."""
        place = basket.delivery.place or ""
        pieces = tuple(Piece(line.line, place, line.quantity) for line in lines)
        return Plan(place, pieces, ready_at=now, why={"chosen": "named by the shopper"})
