"""The clock port: time is an input, so that every run can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time in UTC."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment of this machine in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands at `moment` until someone moves it: for tests and simulations."""

    moment: datetime

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.moment
