"""How often something may be tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `attempts` at once, then one more each `refill`."""

    attempts: int
    refill: timedelta

    @property
    def most(self) -> timedelta:
        """How far ahead of now attempts may reach: `attempts` times `refill`."""
        return self.attempts * self.refill
