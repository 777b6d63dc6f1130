"""The settings of a simulated retailer, and the presets that tests, demo and benchmarks share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from sanhe.core.errors import BadInput

VELOCITIES = ("fast", "medium", "slow", "very_slow")
"""The four velocity classes (动销等级), from the fastest to the slowest."""


@dataclass(frozen=True, slots=True)
class VelocityClass:
    """How one velocity class behaves.

    `share` of the SKUs; `daily_units` = (low, high) mean units a day in a store of size 1;
    `dispersion` = the k of the negative binomial, variance = mean + mean² / k;
    `cases` = the case sizes its goods may have, in base units.
    """

    share: float
    daily_units: tuple[float, float]
    dispersion: float
    cases: tuple[int, ...]


def _classes() -> tuple[VelocityClass, ...]:
    return (
        VelocityClass(0.12, (6.0, 18.0), 6.0, (6, 12, 24)),
        VelocityClass(0.28, (1.2, 4.5), 4.0, (4, 6, 12)),
        VelocityClass(0.35, (0.25, 0.95), 2.5, (2, 3, 6)),
        VelocityClass(0.25, (0.03, 0.18), 1.2, (1, 1, 2)),
    )


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """What a simulated retailer is made of. The same settings give the same world.

    `history_days` lie before the first day to plan for; `future_days` lie after and have
    demand, promotions and weather too, so that a simulation can go on. Shares are 0 to 1.

    `season`, `shocks`, `weather` and `trend` scale how strongly the year, chance level shifts,
    the weather and the drift of single SKUs move the demand; 0 switches them off.
    `late_share` of the deliveries come late, `short_share` of the lines come short.
    `opening_cover_days` is the stock every line opens with, in days of its mean demand.
    `case_of_one` makes every case hold one base unit. `lead_time_days` = (low, high) agreed;
    `fresh_lead_time_days` for suppliers of perishable goods, None = the low one.
    """

    seed: int = 1
    stores: int = 12
    warehouses: int = 1
    skus: int = 120
    suppliers: int = 10
    first_day: date = date(2025, 3, 8)
    history_days: int = 201
    future_days: int = 42
    classes: tuple[VelocityClass, ...] = field(default_factory=_classes)
    assortment_share: float = 0.86
    promotions_per_week: float = 3.0
    season: float = 1.0
    shocks: float = 1.0
    weather: float = 1.0
    trend: float = 1.0
    late_share: float = 0.15
    short_share: float = 0.07
    new_item_share: float = 0.06
    dying_item_share: float = 0.05
    opening_cover_days: float = 30.0
    case_of_one: bool = False
    poisson: bool = False
    order_weekdays: tuple[int, ...] | None = None
    lead_time_days: tuple[int, int] = (2, 7)
    fresh_lead_time_days: int | None = None

    def __post_init__(self) -> None:
        """Refuse a world that can't exist; raises BadInput naming the setting."""
        for name in ("stores", "skus", "suppliers", "history_days"):
            if getattr(self, name) < 1:
                raise BadInput(f"{name} must be at least 1", place=f"WorldSettings.{name}")
        for name in ("warehouses", "future_days", "seed"):
            if getattr(self, name) < 0:
                raise BadInput(f"{name} must not be negative", place=f"WorldSettings.{name}")
        if len(self.classes) != len(VELOCITIES):
            raise BadInput("four velocity classes are needed", place="WorldSettings.classes")
        if not 1 <= self.lead_time_days[0] <= self.lead_time_days[1]:
            raise BadInput(
                "lead times must be at least 1 day, low before high",
                place="WorldSettings.lead_time_days",
            )

    @property
    def days(self) -> int:
        """All days of the world: history and future."""
        return self.history_days + self.future_days

    @property
    def as_of(self) -> date:
        """The first day to plan for: the day after the last one whose sales are known."""
        return self.first_day + timedelta(days=self.history_days)

    @property
    def last_history_day(self) -> date:
        """The last day whose sales are known when planning begins."""
        return self.first_day + timedelta(days=self.history_days - 1)


def demo_world(seed: int = 1) -> WorldSettings:
    """The retailer of `sanhe demo`: 12 stores and a warehouse, 120 SKUs, 201 days of history.

    Its history ends on 2025-09-24, a week before National Day.
    """
    return WorldSettings(seed=seed)


def department_world(seed: int = 1) -> WorldSettings:
    """The omnichannel retailer of the headline: general merchandise with a food hall.

    Twelve stores and an online warehouse. Suppliers need one to three weeks, come late a
    quarter of the time and take orders once or twice a week; fresh goods come in two days.
    65 weeks of history: its old policy (`department_cover`) runs the first 39 of them, then a
    new policy has 13 to sell the stock down and 13 to be measured in. Written down, with its
    old policy, before any policy of ours ran in it; it is not tuned afterwards.
    """
    return WorldSettings(
        seed=seed,
        first_day=date(2024, 6, 27),
        history_days=455,
        late_share=0.25,
        short_share=0.07,
        opening_cover_days=60.0,
        lead_time_days=(7, 21),
        fresh_lead_time_days=2,
    )


def tiny_world(seed: int = 1, *, history_days: int = 70) -> WorldSettings:
    """A few stores and SKUs, for quick tests and the loop on a real database."""
    first_day = date(2025, 9, 24) - timedelta(days=history_days - 1)
    return WorldSettings(
        seed=seed,
        stores=3,
        skus=16,
        suppliers=3,
        first_day=first_day,
        history_days=history_days,
        future_days=35,
        promotions_per_week=1.0,
    )


def calm_world(seed: int = 1) -> WorldSettings:
    """Demand without pattern, suppliers without fault, cases of one: nothing left to gain.

    With the order-up-to levels of `optimal_levels` its old policy is near the optimum, so
    that a new policy can show no gain here and must do no harm.
    """
    return WorldSettings(
        seed=seed,
        stores=6,
        warehouses=0,
        skus=60,
        suppliers=4,
        history_days=201,
        promotions_per_week=0.0,
        season=0.0,
        shocks=0.0,
        weather=0.0,
        trend=0.0,
        late_share=0.0,
        short_share=0.0,
        new_item_share=0.0,
        dying_item_share=0.0,
        opening_cover_days=10.0,
        case_of_one=True,
        poisson=True,
        order_weekdays=(1, 2, 3, 4, 5, 6, 7),
        lead_time_days=(2, 2),
    )


def censored_world(seed: int = 1) -> WorldSettings:
    """The retailer of the censoring benchmark: run with `scarce_levels`, 30 % of days run dry."""
    return WorldSettings(
        seed=seed,
        stores=20,
        warehouses=0,
        skus=100,
        suppliers=6,
        history_days=180,
        future_days=28,
        case_of_one=True,
        new_item_share=0.0,
        order_weekdays=(1, 3, 5),
    )
