"""The order policy as a list of its settings, under the names they have in the policy file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sanhe.goods.replenish.policy import Policy


@dataclass(frozen=True, slots=True)
class Setting:
    """A number of the policy file, named TABLE.KEY.

    `unit`: share, days, cents, units, deliveries or pallets. `value` None: no limit is set, or
    what the setting is for is not done. `exceptions`: other values by class or by place.
    """

    name: str
    unit: str
    value: float | None
    exceptions: Mapping[str, float] = field(default_factory=dict)


def settings_of(policy: Policy) -> tuple[Setting, ...]:
    """Every number of a policy in the order of the file; rules and groups are not among them.

    >>> settings_of(Policy(budget_cents=5000))[8]
    Setting(name='budget.cents', unit='cents', value=5000, exceptions={})
    """
    moving = policy.moving
    of_service = (policy.lowest_service_by_class, policy.highest_service_by_class)
    pallets = policy.pallets if math.isfinite(policy.pallets) else None
    return (
        Setting("service.lowest", "share", policy.lowest_service, of_service[0]),
        Setting("service.highest", "share", policy.highest_service, of_service[1]),
        Setting("service.goodwill_rate", "share", policy.goodwill_rate),
        Setting("service.holding_rate_per_year", "share", policy.holding_rate_per_year),
        Setting("review.days", "days", policy.review_days, policy.review_days_by_class),
        Setting(
            "presentation.units", "units", policy.presentation_units, policy.presentation_by_class
        ),
        Setting(
            "lead_time.measured_from_deliveries", "deliveries", policy.measured_from_deliveries
        ),
        Setting("proposal.valid_days", "days", policy.valid_days),
        Setting("budget.cents", "cents", policy.budget_cents),
        Setting("receiving.pallets", "pallets", pallets, policy.pallets_by_place),
        Setting("transfers.cents_per_line", "cents", moving.cents_per_line),
        Setting("transfers.cents_per_unit", "cents", moving.cents_per_unit),
        Setting("transfers.lead_time_days", "days", moving.lead_time_days),
        Setting("transfers.beyond_days", "days", moving.beyond_days),
    )
