"""When a place has an order ready and at the door, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from sanhe.core.errors import BadInput
from sanhe.core.places import Point, metres_between
from sanhe.place.sourcing.policy import Policy
from sanhe.place.stores import Courier, Store

PAID: Final = frozenset({"courier", "distance", "picking", "late"})
"""The terms that are paid in money; the other weighs what it takes from later orders."""

TWO_HOURS: Final = timedelta(hours=2)
ONE_DAY: Final = timedelta(hours=24)
TWO_DAYS: Final = timedelta(hours=48)


class Method(StrEnum):
    """How an order comes to the shopper: the windows that can be promised, and pick-up."""

    TWO_HOUR = "two_hour"
    SAME_DAY = "same_day"
    WITHIN_24_HOURS = "within_24_hours"
    WITHIN_48_HOURS = "within_48_hours"
    SHIP = "ship"
    PICK_UP = "pick_up"


@dataclass(frozen=True, slots=True)
class Need:
    """A line of an order in base units; `margin_cents` is what a unit earns (0 = not told)."""

    sku: str
    quantity: int
    margin_cents: int = 0

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise BadInput(
                f"the quantity of {self.sku} is {self.quantity}", remedy="give 1 or more"
            )


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: `at` in UTC, `point` the address (None = pick-up only).

    `due_at` is what was promised: to come later costs; None = nothing yet. What comes later than
    `by` is no choice at all; None = any time will do. A `whole` order comes from one place.
    `time_zone` is the shopper's.
    """

    needs: tuple[Need, ...]
    at: datetime
    point: Point | None = None
    due_at: datetime | None = None
    time_zone: str = "Asia/Shanghai"
    by: datetime | None = None
    whole: bool = False

    def __post_init__(self) -> None:
        for moment in (self.at, self.due_at, self.by):
            if moment is not None and moment.tzinfo is None:
                raise BadInput(f"{moment} has no time zone", remedy="give an offset: +08:00")
        if not self.needs:
            raise BadInput("an order without lines", remedy="give at least one")
        if len({need.sku for need in self.needs}) < len(self.needs):
            raise BadInput("a SKU stands in two lines", remedy="add up their quantities")


@dataclass(frozen=True)
class Node:
    """A place as an order finds it.

    `available` is what can be promised of each SKU (on hand and quota, nothing kept back yet);
    `open_picks` the orders that wait or are being picked; `expected` the units of each SKU that
    will be asked for here until the next delivery (missing = 0).
    """

    store: Store
    available: Mapping[str, int]
    open_picks: float = 0.0
    expected: Mapping[str, float] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Its id."""
        return self.store.place.id

    @cached_property
    def point(self) -> Point | None:
        """Where it lies; None = not told: then it delivers nothing."""
        return self.store.place.point

    def sellable(self, sku: str) -> int:
        """What an order may take: available less the store's safety units."""
        return max(0, self.available.get(sku, 0) - self.store.safety_units)

    def holds(self, needs: Sequence[Need]) -> bool:
        """Whether it can send all of them."""
        return all(self.sellable(need.sku) >= need.quantity for need in needs)

    def less(self, part: Part) -> Node:
        """The place once it has been given a part: less stock, one more order to pick."""
        return self._changed(part, 1)

    def more(self, part: Part) -> Node:
        """The place once a part has been taken from it again."""
        return self._changed(part, -1)

    def _changed(self, part: Part, sign: int) -> Node:
        taken = {
            line.sku: self.available.get(line.sku, 0) - sign * line.quantity for line in part.lines
        }
        return replace(
            self, available={**self.available, **taken}, open_picks=self.open_picks + sign
        )


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a sourcing's arithmetic, over all its parts, in cents."""

    name: str
    cents: int


@dataclass(frozen=True, slots=True)
class Part:
    """What one place sends: one parcel, or one pick-up where `courier` is None.

    `metres` as the crow flies; `cost_cents` what the part costs in money.
    """

    place: str
    lines: tuple[Need, ...]
    courier: str | None
    metres: float
    ready_at: datetime
    arrives_at: datetime
    cost_cents: int


@dataclass(frozen=True, slots=True)
class Alternative:
    """Other places that could have sent it all, and how they weighed."""

    places: tuple[str, ...]
    weighed_cents: int
    arrives_at: datetime


@dataclass(frozen=True, slots=True)
class Sourcing:
    """The places of an order, and why.

    `why` holds the terms: all of them sum to `weighed_cents`, by which it was chosen, those of
    `PAID` to `cost_cents`. `alternatives` are the next best, best first.
    """

    parts: tuple[Part, ...]
    cost_cents: int
    weighed_cents: int
    why: tuple[Term, ...]
    alternatives: tuple[Alternative, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """The places of its parts."""
        return tuple(part.place for part in self.parts)

    @property
    def ready_at(self) -> datetime:
        """When the last part is ready."""
        return max(part.ready_at for part in self.parts)

    @property
    def arrives_at(self) -> datetime:
        """When the last part is at the door."""
        return max(part.arrives_at for part in self.parts)


@dataclass(frozen=True, slots=True)
class Promise:
    """What may be promised: by `due_at`, expected `arrives_at`, at our cost of `cost_cents`.

    `places` are those that would send it, were it ordered now; `ready_at` when all is picked.
    """

    method: Method
    places: tuple[str, ...]
    ready_at: datetime
    arrives_at: datetime
    due_at: datetime
    cost_cents: int

    @property
    def place(self) -> str:
        """The place, or the first of several."""
        return self.places[0]


@dataclass(frozen=True, slots=True)
class Reach:
    """How one place can bring a part: by which courier, when, and what that costs whatever the
    part holds. `courier` None = the shopper fetches it."""

    node: Node
    courier: Courier | None
    metres: float
    ready_at: datetime
    arrives_at: datetime
    terms: tuple[Term, ...]

    @property
    def cents(self) -> int:
        """The sum of its terms."""
        return sum(term.cents for term in self.terms)


def ready_at(node: Node, at: datetime) -> datetime | None:
    """When an order that comes now is picked: after the queue's hours, in opening time.

    The queue of n orders takes n / capacity hours; then the order itself `pick_minutes`. None
    where nothing is picked, or not within `stores.hours.SEARCHED_DAYS`.
    """
    store = node.store
    if store.pick_capacity_per_hour <= 0:
        return None
    minutes = 60 * node.open_picks / store.pick_capacity_per_hour + store.pick_minutes
    return store.hours.after(at, minutes, time_zone=store.time_zone, holidays=store.holidays)


def handed_over_at(store: Store, ready: datetime, courier: Courier | None) -> datetime | None:
    """When what is ready leaves the place: in opening time, to a courier not after its cut-off.

    What is ready too late for the cut-off leaves on the next open day. None = never.
    """

    def opens(since: datetime) -> datetime | None:
        return store.hours.after(since, 0, time_zone=store.time_zone, holidays=store.holidays)

    if courier is None:
        return opens(ready)
    collecting, zone = timedelta(minutes=courier.collect_minutes), ZoneInfo(store.time_zone)
    leaves = opens(ready + collecting)
    # A day on which even what was ready at opening misses the cut-off is followed by such days
    # as a rule: a week is looked at.
    for _ in range(8):
        if leaves is None or courier.cut_off is None:
            return leaves
        local = leaves.astimezone(zone)
        if local.time() <= courier.cut_off:
            return leaves
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), zone)
        first = opens(midnight)
        leaves = None if first is None else opens(first + collecting)
    return None


def reaches(order: Order, node: Node, policy: Policy) -> Iterator[Reach]:
    """The couriers by which a place can bring a part of the order to its address.

    Lateness counts where the order has a due time; what comes after `by` is left out.
    """
    if order.point is None or node.point is None:
        return
    metres = metres_between(order.point, node.point)
    radius = node.store.service_radius_metres
    if radius is not None and metres > radius:
        return
    ready = ready_at(node, order.at)
    if ready is None:
        return
    road_km = metres * policy.detour / 1000
    for courier in node.store.couriers:
        if courier.radius_metres is not None and metres > courier.radius_metres:
            continue
        leaves = handed_over_at(node.store, ready, courier)
        if leaves is None:
            continue
        minutes = 60 * road_km / courier.speed_km_per_hour + policy.door_minutes
        arrives = leaves + timedelta(minutes=minutes)
        if order.by is not None and arrives > order.by:
            continue
        terms = (
            Term("courier", courier.base_fee_cents),
            Term("distance", round(courier.per_km_cents * road_km)),
            Term("picking", policy.pick_cents),
            Term("late", late_cents(order.due_at, arrives, policy)),
        )
        yield Reach(node, courier, metres, ready, arrives, terms)


def fetched(order: Order, node: Node, policy: Policy) -> Reach | None:
    """How a shopper can fetch the order at a place; None = never."""
    ready = ready_at(node, order.at)
    leaves = None if ready is None else handed_over_at(node.store, ready, None)
    if ready is None or leaves is None or (order.by is not None and leaves > order.by):
        return None
    home, there = order.point, node.point
    metres = 0.0 if home is None or there is None else metres_between(home, there)
    late = Term("late", late_cents(order.due_at, leaves, policy))
    return Reach(node, None, metres, ready, leaves, (Term("picking", policy.pick_cents), late))


def late_cents(due: datetime | None, arrives: datetime, policy: Policy) -> int:
    """What it costs to come at a time when another was promised."""
    if due is None or arrives <= due:
        return 0
    hours = (arrives - due) / timedelta(hours=1)
    return policy.late_cents + round(policy.late_cents_per_hour * hours)


def window_ends(
    at: datetime, policy: Policy, *, time_zone: str
) -> tuple[tuple[Method, datetime], ...]:
    """By when each window that is promised at a moment ends, in UTC, the widest first.

    The day's is left out when it is over; `time_zone` is the shopper's.
    """
    zone = ZoneInfo(time_zone)
    day = datetime.combine(at.astimezone(zone).date(), policy.day_ends, zone)
    ends = {
        Method.TWO_HOUR: at + TWO_HOURS,
        Method.SAME_DAY: day.astimezone(ZoneInfo("UTC")),
        Method.WITHIN_24_HOURS: at + ONE_DAY,
        Method.WITHIN_48_HOURS: at + TWO_DAYS,
    }
    open_ends = [(method, end) for method, end in ends.items() if end > at]
    return tuple(sorted(open_ends, key=lambda pair: pair[1], reverse=True))
