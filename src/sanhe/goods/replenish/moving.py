"""The policy of moving stock between places (调拨): between which, at what cost, how soon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sanhe.core.errors import BadInput
from sanhe.models.inventory import MovingCost

WITHIN: Final = ("parent", "region")
"""What places may share to help each other, besides the groups of the policy."""

KEYS: Final = frozenset(
    {
        *("cents_per_line", "cents_per_unit", "lead_time_days", "beyond_days"),
        *("full_cases", "within", "groups"),
    }
)
"""The keys of the policy's table [transfers]."""

_PLACE: Final = "policy, [transfers]"


@dataclass(frozen=True, slots=True)
class Moving:
    """When a place gives stock to another; see policy.toml for the meaning of each number.

    `cents_per_line` None: nothing is moved. `groups`: places that help each other, by a name;
    those of a group help nobody else.
    """

    cents_per_line: float | None = None
    cents_per_unit: float = 0.0
    lead_time_days: int = 1
    beyond_days: int = 28
    full_cases: bool = False
    within: str = "parent"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = (self.cents_per_line or 0.0, self.cents_per_unit)
        if not all(math.isfinite(cents) and cents >= 0 for cents in numbers):
            raise BadInput(f"costs {numbers}", place=_PLACE, remedy="give 0 or more cents")
        if self.lead_time_days < 0 or self.beyond_days < 1:
            raise BadInput(
                f"lead_time_days {self.lead_time_days}, beyond_days {self.beyond_days}",
                place=_PLACE,
                remedy="give at least 0 days on the way, and at least 1 beyond",
            )
        if self.within not in WITHIN:
            raise BadInput(
                f"within = {self.within!r}", place=_PLACE, remedy=f"give one of {', '.join(WITHIN)}"
            )
        listed = [code for places in self.groups.values() for code in places]
        if twice := sorted({code for code in listed if listed.count(code) > 1}):
            raise BadInput(
                f"{', '.join(twice)} in several groups",
                place="policy, [transfers.groups]",
                remedy="list each place in one group",
            )

    @property
    def cost(self) -> MovingCost | None:
        """What moving takes; None where nothing is moved."""
        if self.cents_per_line is None:
            return None
        return MovingCost(
            self.cents_per_line, self.cents_per_unit, self.lead_time_days, self.full_cases
        )


def read_moving(table: Mapping[str, object], place: str) -> Moving:
    """The table [transfers] of a policy. Raises BadInput for a value of the wrong kind."""
    given = dict(table)
    groups = given.pop("groups", {})
    if not isinstance(groups, Mapping) or not all(
        isinstance(codes, list) and all(isinstance(code, str) for code in codes)
        for codes in groups.values()
    ):
        raise BadInput(
            "groups is not understood",
            place=place,
            remedy='write [transfers.groups] and NAME = ["S01", "S02"]',
        )
    kinds: Mapping[str, tuple[type, ...]] = {
        "full_cases": (bool,),
        "within": (str,),
        "lead_time_days": (int,),
        "beyond_days": (int,),
    }
    for name, value in given.items():
        wanted = kinds.get(name, (int, float))
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise BadInput(f"{name} = {value!r} is no {wanted[-1].__name__}", place=place)
    named = {name: tuple(codes) for name, codes in groups.items()}
    return Moving(**given, groups=named)  # type: ignore[arg-type]
