"""The policy simulator: one setting at several values over the retailer's own past."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from sanhe.core.errors import BadInput
from sanhe.web.asked import Word
from sanhe.web.caller import Caller, depends_everywhere
from sanhe.web.console.jobs import JobRow
from sanhe.web.running import Report
from sanhe.wiring import ReplayRequest, replay_past, replay_sweep

router = APIRouter(prefix="/simulations", tags=["simulations"])
Simulates = Annotated[Caller, depends_everywhere("policy.simulate")]

_SWEEPS: Final = {
    "service": "service",
    "review_days": "review",
    "lead_time_days": "lead",
    "moq": "moq",
}
_FIGURES: Final = {
    "inventory_days": "inventory_days",
    "fill_rate": "fill_rate",
    "waste": "waste_cents",
    "profit": "profit_cents",
    "purchases": "purchases_cents",
    "order_lines": "order_lines",
}
Values = Annotated[list[float], Field(min_length=1, max_length=12)]


class Asked(BaseModel):
    """Exactly one setting with its values; `weeks` of the past, and seeds for the deliveries."""

    service: Values | None = None
    review_days: Values | None = None
    lead_time_days: Values | None = None
    moq: Values | None = None
    weeks: int = Field(default=6, ge=1, le=52)
    seeds: int = Field(default=3, ge=1, le=20)


class Point(BaseModel):
    """What one value comes to; money in minor units over all the weeks."""

    value: float | None = None
    inventory_days: float | None = None
    fill_rate: float | None = None
    waste_cents: float | None = None
    order_lines: float | None = None
    purchases_cents: float | None = None
    profit_cents: float | None = None


class Simulation(BaseModel):
    """How far it is, and, once done, the curve; `today`: the policy as it stands."""

    id: str
    state: str
    error: str | None = None
    sweep: str | None = None
    points: list[Point] = []
    today: Point | None = None


@router.post("", status_code=202)
def start_simulation(asked: Asked, caller: Simulates) -> JobRow:
    """Replay the past under each value; nothing is recorded."""
    chosen = [name for name in _SWEEPS if getattr(asked, name)]
    if len(chosen) != 1:
        raise BadInput(
            f"{len(chosen)} settings", place="simulation", remedy="give values of exactly one"
        )
    (name,) = chosen
    values = getattr(asked, name)
    sanhe, actor = caller.sanhe, caller.identity.actor
    settle = 2 if name != "lead_time_days" else max(2, -(-int(max(values)) // 7))
    request = ReplayRequest(weeks=asked.weeks, seeds=asked.seeds, settle_weeks=settle)

    def work(report: Report) -> dict[str, Any]:
        points = replay_sweep(
            sanhe,
            request,
            over=_SWEEPS[name],  # type: ignore[arg-type]
            values=values,
            actor=actor,
            report=report,
        )
        base = replay_past(sanhe, request, actor=actor, report=report)
        today = {
            # Money and counts are summed over the seeds there; a point is their mean.
            _FIGURES[row.metric]: row.new / (asked.seeds if row.unit in ("cents", "count") else 1)
            for row in base.rows
            if row.metric in _FIGURES
        }
        return {"sweep": name, "points": [asdict(point) for point in points], "today": today}

    what = f"simulation of {name}"
    return JobRow.of(caller.served.running.start(what, actor, work, lane="trials"))


@router.get("/{id}")
def read_simulation(job_id: Annotated[Word, Path(alias="id")], caller: Simulates) -> Simulation:
    """A simulation's state and curve."""
    job = caller.served.running.get(job_id)
    result = job.result if isinstance(job.result, dict) else {}
    return Simulation(
        id=job.id,
        state=job.state,
        error=job.error or None,
        sweep=result.get("sweep"),
        points=[Point.model_validate(point) for point in result.get("points", [])],
        today=Point.model_validate(result["today"]) if "today" in result else None,
    )
