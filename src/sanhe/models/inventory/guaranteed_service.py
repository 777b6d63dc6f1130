"""Where safety stock should lie in a chain of stages: the guaranteed-service model.

Every stage promises its customers an outbound service time S and waits an inbound service time
SI for its suppliers. With a processing time T it must bridge the net lead time SI + T - S from
stock. The promises are chosen so that the cost of all safety stock is least, by dynamic
programming on a spanning tree (Graves & Willems, "Optimizing strategic safety stock placement
in supply chains", M&SOM 2(1):68-83, 2000, with the erratum 5(2):176-177, 2003; Snyder & Shen,
"Fundamentals of Supply Chain Theory", 2nd ed., 6.3.6).

Arrays are of K systems (one an SKU) of N stages (one a place) that share the same arcs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sanhe.models.inventory.demand import Floats, Ints

NO_LIMIT: Final = 2**31
"""An outbound service time that no customer limits."""

_PIECE_CELLS: Final = 4_000_000
"""So many costs of a pair of service times are held at a time, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Chains:
    """K systems of N stages.

    `arcs` int64 [N - 1, 2]: from a stage to the one it supplies, a spanning tree whatever the
    directions. `processing_days`: what a stage needs once all it waits for is there.
    `inbound_days`: the least it waits for suppliers outside, 0 = none. `most_outbound_days`: the
    longest wait its customers outside accept, `NO_LIMIT` = they don't limit it. All int64
    [K, N], not below 0. `holding_cost` float64 [K, N]: of one unit for a period. `excess`
    float64 [K, N, H]: the demand bound over 0, 1, ... H - 1 days less the expected demand.
    """

    arcs: Ints
    processing_days: Ints
    inbound_days: Ints
    most_outbound_days: Ints
    holding_cost: Floats
    excess: Floats

    def __post_init__(self) -> None:
        """Raise ValueError for shapes that don't fit, negative times or costs, or no tree."""
        shape = self.processing_days.shape
        for name in ("inbound_days", "most_outbound_days", "holding_cost"):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, not {shape}")
        if self.excess.shape[:2] != shape:
            raise ValueError(f"excess has shape {self.excess.shape}, not {shape} and days")
        for name in ("processing_days", "inbound_days", "most_outbound_days", "holding_cost"):
            if not (getattr(self, name) >= 0).all():
                raise ValueError(f"{name} must not be below 0")
        _walk(self.arcs, shape[1])

    def piece(self, systems: slice) -> Chains:
        """Some of the systems."""
        return Chains(
            self.arcs,
            self.processing_days[systems],
            self.inbound_days[systems],
            self.most_outbound_days[systems],
            self.holding_cost[systems],
            self.excess[systems],
        )


@dataclass(frozen=True, slots=True)
class Placement:
    """The best promises and what they hold, arrays [K, N].

    `net_days` = inbound + processing - outbound; `safety_stock` is the excess over them, `cost`
    the holding cost of it.
    """

    inbound_days: Ints
    outbound_days: Ints
    net_days: Ints
    safety_stock: Floats
    cost: Floats


@dataclass(frozen=True, slots=True)
class _Step:
    """One stage of the walk: its `parent` (-1 = the root), and whether it supplies that."""

    stage: int
    parent: int
    supplies: bool


@dataclass(frozen=True, slots=True)
class _Told:
    """What a stage tells its parent about its side of the tree, arrays [K, M + 1].

    By its outbound days where it supplies the parent, else by its inbound days: the least
    `cost` of its side, and the other service time of its own that gives it.
    """

    cost: Floats
    other_days: Ints


def longest_replenishment(arcs: Ints, processing_days: Ints, inbound_days: Ints) -> Ints:
    """The longest time from an order outside the system to a stage's stock, int64 [K, N].

    M = T + max(inbound from outside, M of its suppliers): no net lead time is longer.
    """
    longest = processing_days + inbound_days
    for _ in range(processing_days.shape[1]):
        before = longest.copy()
        through = longest[:, arcs[:, 0]] + processing_days[:, arcs[:, 1]]
        np.maximum.at(longest.T, arcs[:, 1], through.T)
        if (longest == before).all():
            break
    return longest


def pooled_sd(arcs: Ints, own_sd: Floats) -> Floats:
    """The standard deviation of all demand that runs through each stage, float64 [K, N].

    `own_sd` [K, N] is that of the demand from outside at the stage itself, 0 where there is
    none; the demands are independent, so the variances of all that a stage supplies add up.
    """
    variance = np.square(own_sd)
    passing = variance.copy()
    for _ in range(own_sd.shape[1]):
        upstream = np.zeros_like(passing)
        np.add.at(upstream.T, arcs[:, 0], passing[:, arcs[:, 1]].T)
        if not upstream.any():
            break
        variance += upstream
        passing = upstream
    sd: Floats = np.sqrt(variance)
    return sd


def normal_excess(sd: Floats, *, factor: float, days: int) -> Floats:
    """The usual bound: factor x sd x sqrt(t) over t = 0 .. days, float64 [K, N, days + 1].

    The factor is the quantile of the standard normal distribution that the service asks for
    (Graves & Willems 2000, section 3).
    """
    bound: Floats = factor * sd[:, :, None] * np.sqrt(np.arange(days + 1.0))
    return bound


def place_safety_stock(chains: Chains) -> Placement:
    """The promises that hold the least safety stock, by its cost.

    Minimises the sum of holding cost x excess(SI + T - S) over whole days, subject to
    SI >= S of every supplier, SI >= the inbound days, S <= SI + T and S <= the most outbound
    days. Of equal promises the shorter is chosen.
    Raises ValueError when `excess` doesn't reach to the longest replenishment time.
    """
    longest = longest_replenishment(chains.arcs, chains.processing_days, chains.inbound_days)
    most = int(longest.max(initial=0))
    if chains.excess.shape[2] <= most:
        raise ValueError(f"excess covers {chains.excess.shape[2] - 1} days, {most} are needed")
    systems, stages = chains.processing_days.shape
    inbound, outbound = (np.zeros((systems, stages), np.int64) for _ in range(2))
    size = max(_PIECE_CELLS // (most + 1) ** 2, 1)
    for start in range(0, systems, size):
        piece = slice(start, start + size)
        inbound[piece], outbound[piece] = _best_promises(chains.piece(piece), most)
    net = inbound + chains.processing_days - outbound
    stock = np.take_along_axis(chains.excess, net[:, :, None], axis=2)[:, :, 0]
    return Placement(inbound, outbound, net, stock, chains.holding_cost * stock)


def best_promise(
    source_days: Floats,
    source_cost: Floats,
    *,
    group: Ints,
    customer_days: Floats,
    customer_sd: Floats,
    customer_cost: Floats,
) -> Floats:
    """The outbound service time of K sources that each supply a group of customers, float64 [K].

    The chain of two stages in closed form, customers promising to deliver at once:

        C(S) = h s sqrt(T - S) + sum over e of h_e s_e sqrt(T_e + S),  s^2 = sum of s_e^2

    C is concave in S, so the least of it lies at an end (Simpson, "In-process inventories",
    Operations Research 6(6):863-873, 1958): S = 0, stock at the source, or S = T, none there.
    `source_days` and `source_cost` [K] are T and h; of E customers `group` [E] is the source,
    `customer_days`, `customer_sd` (a day), `customer_cost` are T_e, s_e, h_e. The same as
    `place_safety_stock` with `normal_excess`, whatever its factor.
    """
    sources = source_days.size
    pooled = np.sqrt(np.bincount(group, customer_sd**2, sources))
    rate = customer_cost * customer_sd
    waiting = rate * np.sqrt(customer_days + source_days[group])
    at_source = source_cost * pooled * np.sqrt(source_days)
    more = np.bincount(group, waiting - rate * np.sqrt(customer_days), sources)
    best: Floats = np.where(more < at_source - 1e-12, source_days, 0.0)
    return best


def _best_promises(chains: Chains, most: int) -> tuple[Ints, Ints]:
    """The inbound and outbound days of every stage, [K, N] each."""
    systems, stages = chains.processing_days.shape
    walk = _walk(chains.arcs, stages)
    told: dict[int, _Told] = {}
    chosen = {name: np.zeros((systems, stages), np.int64) for name in ("inbound", "outbound")}
    every, days = np.arange(systems), np.arange(most + 1)
    for step in reversed(walk):
        below = [(each, told[each.stage]) for each in walk if each.parent == step.stage]
        cost = _own_cost(chains, step.stage, most)
        for each, heard in below:
            cost += _least(heard.cost, each.supplies)
        if step.parent >= 0:
            axis = 2 if step.supplies else 1
            told[step.stage] = _Told(cost.min(axis=axis), cost.argmin(axis=axis))
            continue
        best = cost.reshape(systems, -1).argmin(axis=1)
        chosen["outbound"][:, step.stage], chosen["inbound"][:, step.stage] = np.divmod(
            best, most + 1
        )
    for step in walk[1:]:
        mine = told[step.stage]
        mine_by, other = ("outbound", "inbound") if step.supplies else ("inbound", "outbound")
        # A supplier promises at most what its customer waits; a customer waits at least that.
        bound = chosen[other][:, [step.parent]]
        allowed = days <= bound if step.supplies else days >= bound
        at = np.where(allowed, mine.cost, np.inf).argmin(axis=1)
        chosen[mine_by][:, step.stage] = at
        chosen[other][:, step.stage] = mine.other_days[every, at]
    return chosen["inbound"], chosen["outbound"]


def _own_cost(chains: Chains, stage: int, most: int) -> Floats:
    """The cost of a stage's own stock by outbound and inbound days, [K, M + 1, M + 1].

    Infinite where the two don't fit together or break a limit.
    """
    days = np.arange(most + 1)
    outbound, inbound = days[None, :, None], days[None, None, :]
    net = inbound + chains.processing_days[:, stage, None, None] - outbound
    allowed = (
        (net >= 0)
        & (net <= most)
        & (inbound >= chains.inbound_days[:, stage, None, None])
        & (outbound <= chains.most_outbound_days[:, stage, None, None])
    )
    flat = np.where(allowed, net, 0).reshape(len(net), -1)
    stock = np.take_along_axis(chains.excess[:, stage], flat, axis=1).reshape(net.shape)
    cost: Floats = np.where(allowed, chains.holding_cost[:, stage, None, None] * stock, np.inf)
    return cost


def _least(cost: Floats, supplies: bool) -> Floats:
    """A neighbour's least cost by what the stage itself chooses, to add to `_own_cost`.

    A supplier's by the stage's inbound days: it promises at most those. A customer's by the
    stage's outbound days: it waits at least those.
    """
    if supplies:
        return np.minimum.accumulate(cost, axis=1)[:, None, :]
    return np.minimum.accumulate(cost[:, ::-1], axis=1)[:, ::-1, None]


def _walk(arcs: Ints, stages: int) -> list[_Step]:
    """The stages from stage 0 on, each after its parent. Raises ValueError for what is no tree."""
    if arcs.shape != (stages - 1, 2):
        raise ValueError(f"{stages} stages need arcs of shape {(stages - 1, 2)}, not {arcs.shape}")
    if arcs.size and not (arcs.min() >= 0 and arcs.max() < stages):
        raise ValueError(f"arcs must name stages 0 to {stages - 1}")
    neighbours: dict[int, list[tuple[int, bool]]] = {stage: [] for stage in range(stages)}
    for supplier, customer in arcs.tolist():
        neighbours[supplier].append((customer, False))
        neighbours[customer].append((supplier, True))
    steps = [_Step(0, -1, supplies=False)]
    seen = {0}
    for step in steps:  # grows while it is walked
        for neighbour, supplies in neighbours[step.stage]:
            if neighbour not in seen:
                seen.add(neighbour)
                steps.append(_Step(neighbour, step.stage, supplies))
    if len(steps) != stages:
        raise ValueError("the arcs must connect all stages without a circle")
    return steps
