"""The retailer's own past under two policies: what would have been, before anything is changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.goods.replay import (
    Past,
    Point,
    ProductRule,
    Replayed,
    past_of,
    point,
    replayed,
    with_terms,
)
from sanhe.goods.replenish import Assumptions, Known, Policy
from sanhe.models.replay import Cover, cover_rule
from sanhe.wiring.planning import known_today, next_day
from sanhe.wiring.progress import Report, silent

if TYPE_CHECKING:
    from sanhe.goods.demand import DemandPanel, ForecastRun
    from sanhe.models.replay import Rule
    from sanhe.wiring.sanhe import Sanhe

DAYS_OF_COVER = "days-of-cover"
FORECAST_EVERY_DAYS = 7
Sweep: TypeAlias = Literal["service", "review", "lead", "moq"]


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What to replay: the `weeks` before `as_of` (None = the day after the newest sale).

    `policy`: the new policy's TOML file, see `Sanhe.policy`. `against`: the old one's file,
    "days-of-cover", or None = the new policy before the change of a class, or days of cover where
    no class is changed. `cover_days`: of days of cover. `label` with `review_days`,
    `lowest_service` and `highest_service` changes a class of the new policy. `settle_weeks` go
    before the counted weeks. `seeds`: how many fates of the deliveries.
    """

    weeks: int = 8
    settle_weeks: int = 2
    seeds: int = 5
    as_of: date | None = None
    method: str = "champion"
    policy: Path | None = None
    against: str | None = None
    cover_days: int = 30
    assumptions: Path | None = None
    label: str = ""
    review_days: int | None = None
    lowest_service: float | None = None
    highest_service: float | None = None

    def __post_init__(self) -> None:
        least = (("weeks", 1), ("settle_weeks", 0), ("seeds", 1), ("cover_days", 1))
        for name, lowest in least:
            if getattr(self, name) < lowest:
                raise BadInput(
                    f"{name} is {getattr(self, name)}",
                    place="replay",
                    remedy=f"give at least {lowest}",
                )
        numbers = (self.review_days, self.lowest_service, self.highest_service)
        if bool(self.label) != any(number is not None for number in numbers):
            raise BadInput(
                "a class and its new numbers belong together",
                place="replay",
                remedy="give a class with review days or service bounds, or neither",
            )

    def policies(self, base: Policy) -> tuple[Policy | None, Policy]:
        """The old policy, None = days of cover, and the new one, made of `base`."""
        new = base
        if self.label:
            new = base.with_class(
                self.label,
                review_days=self.review_days,
                lowest=self.lowest_service,
                highest=self.highest_service,
            )
        if self.against == DAYS_OF_COVER or (self.against is None and not self.label):
            return None, new
        return base if self.against is None else Policy.load(Path(self.against)), new


@dataclass(frozen=True, slots=True)
class _Stage:
    """What is read once for all rules: the panel, the forecasts and what is known."""

    seen: DemandPanel
    first: ForecastRun
    forecast_on: Callable[[int], ForecastRun]
    known: Known
    assumptions: Assumptions
    settle_days: int

    def past(self, known: Known, policy: Policy) -> Past:
        """The lines under these terms."""
        return past_of(
            self.seen,
            self.first,
            known,
            policy=policy,
            assumptions=self.assumptions,
            settle_days=self.settle_days,
        )

    def rule(self, policy: Policy, *, name: str, known: Known | None = None) -> ProductRule:
        """The product's rule under a policy."""
        return ProductRule(
            self.first.keys,
            self.forecast_on,
            known or self.known,
            policy=policy,
            assumptions=self.assumptions,
            name=name,
            every_days=FORECAST_EVERY_DAYS,
        )


def replay_past(
    sanhe: Sanhe, request: ReplayRequest, *, actor: str, report: Report = silent
) -> Replayed:
    """Both policies over the retailer's own weeks; nothing is recorded.

    Every forecast is made from what was visible on its morning. Terms, prices and lead times are
    those of `as_of`; the opening stock is days of expected demand, as assumed, and wears off in
    the settling weeks. Raises BadInput for too short a past or a policy that can't be used.
    """
    old, new = request.policies(sanhe.policy(request.policy))
    stage = _staged(sanhe, request, actor=actor, report=report)
    past = stage.past(stage.known, new)
    before: Rule = _cover(request)
    if old is not None:
        before = stage.rule(old, name="old policy")
    after = stage.rule(new, name="new policy")
    return replayed(past, before, after, seeds=range(1, request.seeds + 1))


def replay_sweep(
    sanhe: Sanhe,
    request: ReplayRequest,
    *,
    over: Sweep,
    values: Sequence[float],
    actor: str,
    report: Report = silent,
) -> tuple[Point, ...]:
    """The new policy at several values of one setting, over the same weeks and fates.

    `over`: "service" sets the service level of all lines (0 to below 1), "review" the days
    between reviews, "lead" the lead time in days, "moq" the minimum quantity in base units.
    Raises BadInput for a value that can't be, and a lead time beyond the settling weeks: its
    first orders would come while it is measured, and what the stock began with would be its.
    """
    _, new = request.policies(sanhe.policy(request.policy))
    chosen = [_setting(over, value, new) for value in values]
    if not chosen:
        raise BadInput("no values to sweep", place="replay", remedy="give some: 0.8,0.9,0.95")
    if over == "lead":
        _check_settled(max(values), request.settle_weeks)
    stage = _staged(sanhe, request, actor=actor, report=report)
    found: list[Point] = []
    for value, (policy, terms) in zip(values, chosen, strict=True):
        report("sweeping", len(found), len(values))
        known = with_terms(stage.known, **terms)
        rule = stage.rule(policy, name=f"{over} {value:g}", known=known)
        past = stage.past(known, policy)
        found.append(point(past, rule, value=value, seeds=range(1, request.seeds + 1)))
    return tuple(found)


def _setting(over: Sweep, value: float, policy: Policy) -> tuple[Policy, dict[str, int]]:
    """The policy and the changed terms of one value."""
    if over == "service":
        return replace(
            policy,
            lowest_service=value,
            highest_service=value,
            lowest_service_by_class={},
            highest_service_by_class={},
        ), {}
    if value != int(value) or value < 1:
        raise BadInput(
            f"{over} {value:g}", place="the values to sweep", remedy="give whole numbers from 1 on"
        )
    whole = int(value)
    if over == "review":
        return replace(policy, review_days=whole, review_days_by_class={}), {}
    return policy, {"lead_time_days" if over == "lead" else "moq": whole}


def _check_settled(lead_days: float, settle_weeks: int) -> None:
    """Raise BadInput where no order of the longest lead time arrives in the settling weeks."""
    if lead_days > 7 * settle_weeks:
        raise BadInput(
            f"a lead time of {lead_days:g} days, longer than the {settle_weeks} weeks of settling",
            place="the values to sweep",
            remedy=f"settle for {math.ceil(lead_days / 7)} weeks, or give shorter lead times",
        )


def _cover(request: ReplayRequest) -> Rule:
    """Days of cover on every order day of the supplier."""
    days = np.array(float(request.cover_days))
    return cover_rule(Cover(days, np.array(1.0)), name=f"{request.cover_days} days of cover")


def _staged(sanhe: Sanhe, request: ReplayRequest, *, actor: str, report: Report) -> _Stage:
    """Read the past and make the first forecast."""
    report("bringing the lake up to date", 0, 1)
    sanhe.refresh_lake()
    end = request.as_of or next_day(sanhe)
    weeks = request.weeks + request.settle_weeks
    first_day = end - timedelta(weeks=weeks)
    assumptions = Assumptions.load(request.assumptions)
    made: dict[int, ForecastRun] = {}

    def forecast_on(index: int) -> ForecastRun:
        if index not in made:
            report("forecasting past weeks", index // FORECAST_EVERY_DAYS, weeks)
            made[index] = sanhe.demand.trial(
                first_day + timedelta(days=index), method=request.method
            )
        return made[index]

    first = forecast_on(0)
    with sanhe.work(actor=actor) as work:
        today = known_today(sanhe, work, end, assumptions=assumptions)
        then = known_today(sanhe, work, first_day, assumptions=assumptions)
    # Today's terms, but the classes of the first morning; the stock of that morning is not kept.
    known = replace(today, classes=then.classes, positions=None, on_order=None)
    return _Stage(
        seen=sanhe.demand.panel(end),
        first=first,
        forecast_on=forecast_on,
        known=known,
        assumptions=assumptions,
        settle_days=7 * request.settle_weeks,
    )
