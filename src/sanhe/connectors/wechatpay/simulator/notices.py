"""The notices that the simulated WeChat Pay sends: when, how often, and with which faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

BACK_OFF_SECONDS: Final = (
    *(15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600),
    *(10_800, 10_800, 10_800, 21_600, 21_600),
)
"""After how long a notice that was not taken is sent again; then never. In all 24 h 4 min."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How unreliable notices are. `lost`, `repeated` and `twins` are shares from 0 to 1.

    `lost`: never sent. `late_seconds`: each is put off by up to so much, so that they overtake
    each other. `repeated`: sent again although it was taken. `twins`: sent twice at once.
    """

    lost: float = 0.0
    late_seconds: float = 0.0
    repeated: float = 0.0
    twins: float = 0.0


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: what it tells, when it is sent next, how often it was sent before."""

    number: int
    id: str
    event_type: str
    content: Mapping[str, Any]
    created_at: datetime
    due_at: datetime
    tries: int = 0
    copies: int = 1
    again: bool = False


@dataclass
class Schedule:
    """The notices that wait, in the order in which they fall due. Drawn by `random` alone.

    `scale` divides the times between two tries: 60 makes a minute of an hour.
    """

    random: Random
    faults: Faults
    scale: float = 1.0
    waiting: list[Notice] = field(default_factory=list)
    count: int = 0

    def add(self, event_type: str, content: Mapping[str, Any], now: datetime) -> None:
        """Plan a notice; a lost one is not planned."""
        self.count += 1
        lost, late, again, twin = (self.random.random() for _ in range(4))
        if lost < self.faults.lost:
            return
        notice = Notice(
            number=self.count,
            id=f"EV-{self.random.getrandbits(96):024x}",
            event_type=event_type,
            content=content,
            created_at=now,
            due_at=now + timedelta(seconds=late * self.faults.late_seconds),
            copies=2 if twin < self.faults.twins else 1,
            again=again < self.faults.repeated,
        )
        self.waiting.append(notice)

    def next_due(self, now: datetime) -> Notice | None:
        """Take the notice that fell due first; None when none has."""
        due = [notice for notice in self.waiting if notice.due_at <= now]
        if not due:
            return None
        first = min(due, key=lambda notice: (notice.due_at, notice.number))
        self.waiting.remove(first)
        return first

    def sent(self, notice: Notice, now: datetime, *, taken: bool) -> None:
        """Plan what follows a try: nothing once it was taken, unless it is to be repeated."""
        if taken and not notice.again:
            return
        if notice.tries >= len(BACK_OFF_SECONDS):
            return
        wait = timedelta(seconds=BACK_OFF_SECONDS[notice.tries] / self.scale)
        again = notice.again and not taken
        self.waiting.append(
            replace(notice, due_at=now + wait, tries=notice.tries + 1, again=again, copies=1)
        )
