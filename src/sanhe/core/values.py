"""Small values used everywhere: ids, JSON, rounding, business days."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import TypeAlias
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sanhe.core.errors import BadInput

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""What a payload may hold."""

SANHE_NAMESPACE = UUID("8f3c52a4-6d1b-5c39-9f0e-3a9b3c1d5e70")
"""The namespace of ids derived from content, so that the same cause has the same id."""


def new_id() -> UUID:
    """A new UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def derived_id(*parts: str) -> UUID:
    """The id that belongs to these parts (UUIDv5): the same parts give the same id."""
    return uuid5(SANHE_NAMESPACE, "\x1f".join(parts))


def half_up(numerator: int, denominator: int) -> int:
    """The quotient of two whole numbers >= 0, half a unit rounded up.

    >>> half_up(5, 2), half_up(4, 3)
    (3, 1)
    """
    return (2 * numerator + denominator) // (2 * denominator)


def business_day(moment: datetime, *, time_zone: str, cut_off: time_of_day) -> date:
    """The local business day of a moment: sales before the cut-off belong to the day before.

    `moment` must be timezone-aware; `cut_off` is local wall time (00:00 = calendar days).
    """
    if moment.tzinfo is None:
        raise BadInput(f"{moment} has no time zone", remedy="give an offset such as +08:00")
    local = moment.astimezone(ZoneInfo(time_zone))
    shift = timedelta(hours=cut_off.hour, minutes=cut_off.minute)
    return (local - shift).date()
