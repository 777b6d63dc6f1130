"""The policy of sourcing: what places are chosen by, and what shoppers pay to have it brought."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import time
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from sanhe.core.errors import BadInput
from sanhe.core.toml import Page, Table

_GUIDE: Final = "docs/guide/service.md"
_MOST_CENTS: Final = 10**9
_MOST_METRES: Final = 1_000_000
_MOST_DAYS: Final = 3_650


@dataclass(frozen=True, slots=True)
class DeliveryFee:
    """What shoppers pay for a courier: `cents`, nothing from goods of `free_from_cents` on."""

    cents: int = 0
    free_from_cents: int | None = None

    def of(self, goods_cents: int) -> int:
        """The fee of a basket."""
        free = self.free_from_cents is not None and goods_cents >= self.free_from_cents
        return 0 if free else self.cents


@dataclass(frozen=True, slots=True)
class Policy:
    """What sourcing weighs, and the delivery fee; policy.toml is the shipped one.

    Roads are `detour` times as long as the crow flies; handing over at the door takes
    `door_minutes`. A part costs `pick_cents` to pick and pack. A part that comes after its due
    time costs `late_cents` and `late_cents_per_hour`; a queue counts by the lateness it brings. A
    unit taken is worth `scarcity` × its margin × the probability that it would have been asked
    for here. A same-day order is at the door by `day_ends`, local time. Shoppers go
    `pickup_metres` to fetch an order, as the crow flies. Who an order of a guest went to is erased
    `keep_days` after it is closed.
    """

    detour: float = 1.3
    door_minutes: float = 5.0
    pick_cents: int = 200
    late_cents: int = 1000
    late_cents_per_hour: int = 500
    scarcity: float = 0.1
    day_ends: time = time(22)
    pickup_metres: int = 5_000
    keep_days: int = 60
    fee: DeliveryFee = field(default_factory=DeliveryFee)

    def __post_init__(self) -> None:
        if self.detour < 1:
            raise BadInput(f"detour is {self.detour}", remedy="give 1 or more")
        for name in (
            *("door_minutes", "pick_cents", "late_cents", "late_cents_per_hour"),
            *("scarcity", "pickup_metres", "keep_days"),
        ):
            if getattr(self, name) < 0:
                raise BadInput(f"{name} is negative", remedy="give 0 or more")

    @staticmethod
    def load(path: Path | None = None) -> Policy:
        """The policy of a file, the shipped one without; read once.

        Raises BadInput naming the place in the file and the remedy.
        """
        return _loaded(path or Path(str(resources.files(__package__).joinpath("policy.toml"))))


@cache
def _loaded(path: Path) -> Policy:
    whole = Page(path, "SANHE_DELIVERY", _GUIDE).read()
    fee, weighed = whole.inner("fee"), whole.inner("sourcing")
    recipients = whole.inner("recipients")
    whole.end()
    paid = DeliveryFee() if fee is None else _fee(fee)
    found = Policy(fee=paid) if weighed is None else _policy(weighed, paid)
    return found if recipients is None else replace(found, keep_days=_keep_days(recipients))


def _keep_days(table: Table) -> int:
    found = table.whole("keep_days", default=Policy().keep_days, most=_MOST_DAYS)
    table.end()
    return found


def _fee(table: Table) -> DeliveryFee:
    usual, free = DeliveryFee(), table.given("free_from_cents")
    found = DeliveryFee(
        table.whole("cents", default=usual.cents, most=_MOST_CENTS),
        table.whole("free_from_cents", default=0, most=_MOST_CENTS) if free else None,
    )
    table.end()
    return found


def _policy(table: Table, fee: DeliveryFee) -> Policy:
    usual = Policy()

    def cents(name: str) -> int:
        return table.whole(name, default=getattr(usual, name), most=_MOST_CENTS)

    found = Policy(
        detour=table.decimal("detour", default=usual.detour, least=1, most=10),
        door_minutes=table.decimal("door_minutes", default=usual.door_minutes, least=0, most=240),
        pick_cents=cents("pick_cents"),
        late_cents=cents("late_cents"),
        late_cents_per_hour=cents("late_cents_per_hour"),
        scarcity=table.decimal("scarcity", default=usual.scarcity, least=0, most=10),
        day_ends=_time(table, "day_ends", usual.day_ends),
        pickup_metres=table.whole("pickup_metres", default=usual.pickup_metres, most=_MOST_METRES),
        fee=fee,
    )
    table.end()
    return found


def _time(table: Table, name: str, usual: time) -> time:
    told = table.text(name, default=f"{usual:%H:%M}")
    try:
        found = time.fromisoformat(told)
    except ValueError as error:
        raise table.wrong(name, f"{told!r} is no time", 'write it as "22:00"') from error
    if found.tzinfo is not None:
        raise table.wrong(name, f"{told!r} has a time zone", "give the local time alone")
    return found
