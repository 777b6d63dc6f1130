"""The policies sanhe is compared with: the retailer's old rule, and fixed order-up-to levels."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from sanhe.sim.settings import VELOCITIES

if TYPE_CHECKING:
    from sanhe.sim.arrays import Bools, Ints, Lines
    from sanhe.sim.run import DayView
    from sanhe.sim.world import World


@dataclass(frozen=True, slots=True)
class OldParameters:
    """The parameters of an old policy (see old_policy.toml, where their meaning stands)."""

    mean_over_days: int
    review_every_days: int
    least_stock_cases: int
    shelf_life_share: float
    perishable_below_days: int
    cover_days: tuple[float, ...]
    class_from_units_per_day: tuple[float, ...]


@cache
def old_parameters(name: str = "old_policy.toml") -> OldParameters:
    """The parameters as committed in old_policy.toml, or in another file beside it."""
    text = files("sanhe.sim").joinpath(name).read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return OldParameters(
        mean_over_days=table["mean_over_days"],
        review_every_days=table["review_every_days"],
        least_stock_cases=table["least_stock_cases"],
        shelf_life_share=table["shelf_life_share"],
        perishable_below_days=table["perishable_below_days"],
        cover_days=tuple(float(table["cover_days"][name]) for name in VELOCITIES),
        class_from_units_per_day=tuple(
            float(table["class_from_units_per_day"][name]) for name in VELOCITIES[:-1]
        ),
    )


class DaysOfCover:
    """The old policy (库存天数法): fill stock and open orders up to N days of the recent mean.

    target = cover_days[class] x mean sales of the last 28 days, at least one case.
    """

    def __init__(
        self, parameters: OldParameters | None = None, *, name: str = "days of cover"
    ) -> None:
        self._parameters = parameters or old_parameters()
        self._name = name

    @property
    def name(self) -> str:
        """What tables call it."""
        return self._name

    def order(self, view: DayView) -> Ints:
        """Base units to order this morning, [lines]."""
        rule, lines = self._parameters, view.lines
        recent = view.sales[-rule.mean_over_days :]
        on_sale = np.minimum(view.index - lines.listed_from, recent.shape[0])
        mean = recent.sum(axis=0) / np.maximum(on_sale, 1)
        floors = np.array(rule.class_from_units_per_day)
        kind = (mean[:, None] < floors[None, :]).sum(axis=1)
        cover = np.array(rule.cover_days)[kind]
        spoils = lines.shelf_life_days > 0
        cover = np.where(
            spoils, np.minimum(cover, lines.shelf_life_days * rule.shelf_life_share), cover
        )
        target = np.maximum(np.ceil(mean * cover), rule.least_stock_cases * lines.case_size)
        perishable = spoils & (lines.shelf_life_days < rule.perishable_below_days)
        due = view.orderable & (perishable | self._review_day(view))
        short = np.where(due, target - view.on_hand - view.on_order, 0)
        return in_cases(short, lines)

    def _review_day(self, view: DayView) -> Bools:
        """One order day in every review period: the first the supplier offers in it."""
        weekday = view.day.weekday()
        period = self._parameters.review_every_days
        if period < 7:
            return np.ones(len(view.lines), dtype=np.bool_)
        first = view.lines.order_weekday.argmax(axis=1)
        week = view.index // 7
        return np.asarray((first == weekday) & (week % (period // 7) == 0))


class OrderUpTo:
    """Fixed order-up-to levels (base-stock policy): on every order day, fill up to the level."""

    def __init__(self, levels: Ints, *, name: str = "fixed levels") -> None:
        self._levels = levels
        self._name = name

    @property
    def name(self) -> str:
        """What tables call it."""
        return self._name

    def order(self, view: DayView) -> Ints:
        """Base units to order this morning, [lines]."""
        short = np.where(view.orderable, self._levels - view.on_hand - view.on_order, 0)
        return in_cases(short, view.lines)


def in_cases(short: Ints, lines: Lines) -> Ints:
    """What is short, in whole cases and at least the MOQ; 0 where nothing is short."""
    cases = np.ceil(np.maximum(short, 0) / lines.case_size).astype(np.int64)
    quantity = cases * lines.case_size
    least = -(-lines.moq // lines.case_size) * lines.case_size
    return np.where(quantity > 0, np.maximum(quantity, least), 0)


def optimal_levels(world: World) -> Ints:
    """Order-up-to levels from the true demand and the true costs, as no forecaster knows them.

    For steady Poisson demand of mean m a day, review every R days and lead time L, the level
    is the quantile of Poisson(m (R + L)) at the cost ratio of the line (newsvendor, per cycle;
    waste judged at expiry), with the holding rate and service bounds of the shipped policy.
    """
    from sanhe.goods.replenish import Policy
    from sanhe.models.inventory import (
        critical_ratio,
        demand_of,
        order_up_to,
        perishable_ratio,
        unit_costs,
    )

    lines, shipped = world.lines, Policy.load()
    review = 7 / np.maximum(lines.order_weekday.sum(axis=1), 1)
    costs = unit_costs(
        lines.unit_cost_cents,
        lines.margin_cents,
        review_days=review,
        holding_rate_per_year=shipped.holding_rate_per_year,
    )
    mean = world.truth.mean[: world.settings.history_days].mean(axis=0).astype(np.float64)
    cover = mean * (review + lines.lead_time_days)
    until_next = demand_of(cover, cover)
    bounds = {"lowest": shipped.lowest_service, "highest": shipped.highest_service}
    service = critical_ratio(costs, **bounds)
    spoils = np.flatnonzero(lines.shelf_life_days > 0)
    kept = (mean * (lines.lead_time_days + lines.shelf_life_days))[spoils]
    service[spoils] = perishable_ratio(
        costs.take(spoils), until_next.take(spoils), demand_of(kept, kept), **bounds
    )
    return np.asarray(order_up_to(until_next, service), dtype=np.int64)


def known_optimum(world: World) -> OrderUpTo:
    """The policy of a retailer who knows the true demand; near the optimum in `calm_world`."""
    return OrderUpTo(optimal_levels(world), name="known optimum")


def scarce_levels(world: World, *, share: float = 0.30, rounds: int = 9) -> Ints:
    """Levels so thin that in every velocity class `share` of the line-days run dry.

    A cover in days is sought per class by bisection; the level of a line is cover x its true
    mean, rounded up or down by a coin fixed per line, so that slow classes hit the share too.
    """
    from sanhe.sim.run import run

    lines, days = world.lines, world.settings.history_days
    mean = world.truth.mean[:days].mean(axis=0)
    coin = np.random.default_rng(world.settings.seed + 77).random(len(lines))
    low, high = np.zeros(len(VELOCITIES)), np.full(len(VELOCITIES), 40.0)
    levels = np.zeros(len(lines), dtype=np.int64)
    for _ in range(rounds):
        cover = (low + high) / 2
        levels = np.floor(mean * cover[lines.velocity] + coin).astype(np.int64)
        outcome = run(world, OrderUpTo(levels), days=days)
        dry = (outcome.in_stock_share[28:] < 1).mean(axis=0)
        for kind in range(len(VELOCITIES)):
            inside = lines.velocity == kind
            if inside.any() and dry[inside].mean() > share:
                low[kind] = cover[kind]
            else:
                high[kind] = cover[kind]
    return levels
