"""The daily run (日跑): take in what waits, order what is approved, plan the morning."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sanhe.wiring.intake import TakenIn, take_in
from sanhe.wiring.jobs import queue_forgetting, run_jobs
from sanhe.wiring.membership import run_loyalty
from sanhe.wiring.planning import Planned, PlanRequest, plan
from sanhe.wiring.progress import Report, silent

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe

INBOX = "inbox"
"""The folder of the home in which files wait to be taken in."""


@dataclass(frozen=True, slots=True)
class DailyRequest:
    """What the run works with. `inbox`: where files wait; None = `inbox` in the home.

    `plan`: how to plan. `plan_anyway`: plan although a file was refused.
    """

    inbox: Path | None = None
    plan: PlanRequest = field(default_factory=lambda: PlanRequest(changed=True))
    plan_anyway: bool = False


@dataclass(frozen=True, slots=True)
class Daily:
    """What the run came to. `planned` is None when a refused file kept it from planning.

    `taken`: the files. `orders`: purchase orders made of what was approved before the run.
    `seconds`: how long each step took.
    """

    taken: tuple[TakenIn, ...]
    planned: Planned | None
    orders: tuple[str, ...]
    seconds: dict[str, float]

    @property
    def refused(self) -> tuple[TakenIn, ...]:
        """The files that could not be used."""
        return tuple(one for one in self.taken if one.refused is not None)


def run_daily(sanhe: Sanhe, request: DailyRequest, *, actor: str, report: Report = silent) -> Daily:
    """Take in the inbox, keep membership up, carry out what is approved, and plan the morning.

    Every step may be done again: files become the same facts, a forecast of the same facts is
    kept, nothing is proposed or ordered twice. So a run that was killed is simply started again.
    A refused file stops the run before it plans, as a plan without its sales would order wrongly.
    Raises Conflict while another daily run is at work, BadInput for no such inbox.
    """
    inbox = request.inbox or sanhe.settings.home / INBOX
    if request.inbox is None:
        inbox.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, float] = {}
    with sanhe.lake.exclusive("daily", wait=False):
        started = time.monotonic()
        taken = take_in(sanhe, inbox, actor=actor, report=report)
        seconds["files"] = _since(started)
        started = time.monotonic()
        with sanhe.work(actor=actor) as work:
            queue_forgetting(work)
        run_loyalty(sanhe)
        orders = run_jobs(sanhe)
        seconds["orders"] = _since(started)
        planned = None
        if request.plan_anyway or all(one.refused is None for one in taken):
            started = time.monotonic()
            planned = plan(sanhe, request.plan, actor=actor, report=report)
            seconds["plan"] = _since(started)
        made = Daily(taken, planned, orders, seconds)
        with sanhe.work(actor=actor) as work:
            work.audit.record("daily", _subject(made), _summary(made))
    return made


def _subject(made: Daily) -> str:
    return "nothing planned" if made.planned is None else made.planned.plan.as_of.isoformat()


def _summary(made: Daily) -> dict[str, int]:
    return {
        "files": len(made.taken) - len(made.refused),
        "refused": len(made.refused),
        "new facts": sum(one.new for one in made.taken),
        "proposed": 0 if made.planned is None else made.planned.plan.proposed,
        "orders": len(made.orders),
    }


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
