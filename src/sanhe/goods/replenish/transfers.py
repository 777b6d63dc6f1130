"""Transfers (调拨) before purchase: what one place does not need covers what another one needs.

A place gives what lies there, promised to nobody, beyond its order-up-to level and its demand of
the policy's days, where it does not expire; of what does, the lots it won't sell in time. A place
takes that orders today and would wait no longer for it than for its supplier. Which moves are
worth their cost is decided by `models.inventory.match`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.core.decisions import DecisionKind, ProposalTable
from sanhe.goods.replenish.expiring import dated_lots
from sanhe.goods.replenish.lines import LONGEST_DAYS
from sanhe.goods.replenish.matching import Texts, encoded
from sanhe.goods.replenish.moving import Moving
from sanhe.goods.replenish.policy import TRANSFER, Policy
from sanhe.goods.replenish.ports import Known
from sanhe.goods.replenish.prepared import Prepared
from sanhe.models.inventory import (
    Bools,
    Floats,
    Ints,
    Moves,
    Needs,
    Offers,
    expected_demand,
    match,
    share_of_delay,
    unsold_by_lot,
)

if TYPE_CHECKING:
    import pyarrow as pa

TRANSFER_TERMS: Final = ("needed", "not_spared", "not_full_case")
"""The terms of a transfer: the need of the place that takes, less what the other can't spare or
what would expire before it is sold, less what fills no case."""

TRANSFER_KIND = DecisionKind(
    name=TRANSFER,
    owner="goods.replenish",
    version=1,
    unit="base units",
    terms=TRANSFER_TERMS,
    meaning="How much of an SKU a place takes from another one (调拨)",
)

TRANSFER_WORDS: Final[Mapping[str, str]] = {
    "needed": "what the place needs until its next order arrives",
    "not_spared": "less what the other place can't spare, or what would not be sold in time",
    "not_full_case": "less what fills no case",
}
"""What each term means to a person."""

METHOD: Final = "transfer/1"


@dataclass(frozen=True, slots=True)
class Transfers:
    """M moves between lines of a plan, arrays [M].

    `giver`, `taker`: their lines. `quantity` and `terms` [M, 3] in base units, each row of the
    terms sums to its quantity. `level` [M, 2]: the order-up-to levels of both. `saved_cents`: what
    it saves, without what moving it costs, `moving_cents`. `lots`: of each the (days until it
    expires, units) taken, the first first. `lead_time_days`: on the way.
    """

    giver: Ints
    taker: Ints
    quantity: Ints
    terms: Ints
    level: Ints
    saved_cents: Floats
    moving_cents: Floats
    lots: tuple[tuple[tuple[int, int], ...], ...]
    lead_time_days: int


def planned_transfers(
    prepared: Prepared, known: Known, policy: Policy, *, closed: Bools | None = None
) -> Transfers | None:
    """The transfers that save money; None where there are none.

    `closed` [N]: lines that take nothing in this run, as a person said so.
    """
    cost = policy.moving.cost
    if cost is None or known.places is None:
        return None
    lines, level = prepared.lines, prepared.lines.level()
    group = _groups(prepared, known.places, policy.moving)
    group[prepared.assumed["on_hand"]] = -1
    # What was found for an SKU in a region stands until it is carried out or closed: seeking on
    # among what is left would give other transfers at every plan.
    group[np.isin(group, group[lines.transferred_in > 0])] = -1
    offers = _offers(prepared, known, policy, level=level, group=group)
    need = level - lines.position()
    takes = (group >= 0) & (need > 0)
    takes &= lines.can_order & ~lines.blocked
    takes &= prepared.supply.arrives_in >= cost.lead_time_days
    takes[offers.giver] = False
    if closed is not None:
        takes &= ~closed
    rows = np.flatnonzero(takes & np.isin(group, offers.group))
    needs = Needs(
        group=group[rows],
        taker=rows,
        quantity=need[rows],
        moq=lines.moq[rows],
        case_size=lines.case_size[rows],
        unit_cost_cents=lines.unit_cost_cents[rows],
        position=lines.position()[rows],
        by_day=prepared.mean[rows],
    )
    found = match(offers, needs, cost)
    if not found.need.size:
        return None
    moves = _gathered(found, offers, needs, level=level)
    return replace(
        moves,
        moving_cents=np.asarray(cost.cents_per_line + cost.cents_per_unit * moves.quantity),
        lead_time_days=cost.lead_time_days,
    )


def with_transfers(prepared: Prepared, moves: Transfers) -> Prepared:
    """The lines as they stand when these transfers are decided."""
    lines = prepared.lines
    leaving, transferred_in = lines.leaving.copy(), lines.transferred_in.copy()
    np.add.at(leaving, moves.giver, moves.quantity)
    np.add.at(transferred_in, moves.taker, moves.quantity)
    expiring = prepared.lots.unsold(lines.on_hand, lines.reserved + leaving)
    lines = replace(lines, leaving=leaving, transferred_in=transferred_in, expiring=expiring)
    if prepared.chain is not None:
        lines = replace(lines, downstream_gap=prepared.chain.downstream_gap(lines))
    return replace(prepared, lines=lines)


def _groups(prepared: Prepared, places: pa.Table, moving: Moving) -> Ints:
    """The SKU × region of each line as a number, -1 where its place helps nobody, [N]."""
    region = dict(
        zip(places.column("id").to_pylist(), places.column(moving.within).to_pylist(), strict=True)
    )
    of_place: dict[str, tuple[str, str] | None] = {
        code: None if name is None else (moving.within, name) for code, name in region.items()
    }
    for name, codes in moving.groups.items():
        of_place |= dict.fromkeys(codes, ("group", name))
    number = {name: at for at, name in enumerate(sorted({n for n in of_place.values() if n}))}
    at_place = encoded(prepared.place)
    listed = [of_place.get(code) for code in at_place.dictionary.to_pylist()]
    by_code = np.array([-1 if name is None else number[name] for name in listed], np.int64)
    own = by_code[np.asarray(at_place.indices, np.int64)]
    sku = np.asarray(encoded(prepared.sku).indices, np.int64)
    return np.where(own >= 0, sku * max(len(number), 1) + own, -1)


def _offers(
    prepared: Prepared, known: Known, policy: Policy, *, level: Ints, group: Ints
) -> Offers:
    """What lines can give, so that what is left there reaches their level.

    What expires before the cover ends counts for nothing where it lies, so all of it may go.
    """
    lines, beyond_days = prepared.lines, policy.moving.beyond_days
    spare = np.maximum(lines.free() - np.maximum(lines.downstream_gap, 0) - level, 0)
    lots, of_spare = _lots_to_give(prepared, known, policy.moving, spare=spare, group=group)
    keeps = prepared.shelf_life_days >= LONGEST_DAYS
    rows = np.flatnonzero((group >= 0) & keeps & (spare > of_spare))
    free = lines.free()[rows]
    demand = expected_demand(prepared.mean[rows], np.full(rows.size, float(beyond_days)))
    beyond = np.floor(free - demand + 1e-9).astype(np.int64)
    units = np.maximum(np.minimum(spare[rows], beyond) - of_spare[rows], 0)
    # It would be sold last, half of it before the middle of it.
    daily = demand / beyond_days
    days = np.divide(free - units / 2, daily, out=np.full(rows.size, np.inf), where=daily > 0)
    share = share_of_delay(days, holding_rate_per_year=policy.holding_rate_per_year)
    some = units > 0
    return Offers(
        group=np.concatenate([lots.group, group[rows[some]]]),
        giver=np.concatenate([lots.giver, rows[some]]),
        days=np.concatenate([lots.days, np.full(int(some.sum()), np.inf)]),
        quantity=np.concatenate([lots.quantity, units[some]]),
        share=np.concatenate([lots.share, share[some]]),
    )


def _lots_to_give(
    prepared: Prepared, known: Known, moving: Moving, *, spare: Ints, group: Ints
) -> tuple[Offers, Ints]:
    """The lots that will not be sold where they lie before they expire, and keep long enough to
    be moved; and how much of them is part of what a line can spare, [N]."""
    import pyarrow as pa

    lines, none = prepared.lines, np.zeros(0, np.int64)
    if known.lots is None or known.lots.num_rows == 0:
        return Offers(none, none, np.zeros(0), none, np.zeros(0)), np.zeros_like(spare)
    keys = pa.table({"sku": encoded(prepared.sku), "place": encoded(prepared.place)})
    cover = prepared.supply.next_arrival_in
    days_seen = np.maximum(cover, float(moving.beyond_days))
    lots = dated_lots(known.lots, prepared.forecast, keys, cover_days=days_seen)
    promised = (lines.reserved + lines.leaving)[lots.line]
    unsold = unsold_by_lot(lots.line, lots.days, lots.quantity, demand=lots.demand + promised)
    # Whole units of the running total, so that no half unit is given twice.
    total = np.cumsum(unsold)
    first = np.searchsorted(lots.line, lots.line)
    running = total - np.where(first > 0, total[first - 1], 0.0)
    whole = np.floor(running + 1e-9).astype(np.int64)
    units = whole - np.where(np.arange(whole.size) > first, np.append(0, whole[:-1]), 0)
    late = lots.days >= cover[lots.line]
    kept = np.where(late, units, 0)
    before = np.cumsum(kept) - kept
    used = before - before[first]
    units = np.where(late, np.clip(spare[lots.line] - used, 0, units), units)
    fits = (units > 0) & (lots.days > moving.lead_time_days) & (group[lots.line] >= 0)
    at, quantity = lots.line[fits], units[fits]
    of_spare = np.bincount(at, np.where(late[fits], quantity, 0), spare.size).astype(np.int64)
    days = lots.days[fits].astype(np.float64)
    return Offers(group[at], at, days, quantity, np.ones(at.size)), of_spare


def _gathered(moves: Moves, offers: Offers, needs: Needs, *, level: Ints) -> Transfers:
    """The pieces of each taker as one transfer with its terms."""
    taken, start = np.unique(moves.need, return_index=True)
    ends = np.append(start[1:], moves.need.size)
    quantity = np.bincount(moves.need, moves.quantity, needs.taker.size)[taken].astype(np.int64)
    saved = np.bincount(moves.need, moves.saved_cents, needs.taker.size)[taken]
    needed, loose = needs.quantity[taken], moves.loose[ends - 1]
    giver, taker = offers.giver[moves.offer[start]], needs.taker[taken]
    days, units = offers.days[moves.offer].tolist(), moves.quantity.tolist()
    lots = tuple(
        tuple((int(days[at]), units[at]) for at in range(begin, end) if np.isfinite(days[at]))
        for begin, end in zip(start.tolist(), ends.tolist(), strict=True)
    )
    return Transfers(
        giver=giver,
        taker=taker,
        quantity=quantity,
        terms=np.stack([needed, quantity + loose - needed, -loose], axis=1),
        level=np.stack([level[giver], level[taker]], axis=1),
        saved_cents=np.asarray(saved, np.float64),
        moving_cents=np.zeros(taken.size),
        lots=lots,
        lead_time_days=0,
    )


def transfer_proposals(
    prepared: Prepared, moves: Transfers, valid_until: datetime | None
) -> ProposalTable:
    """A proposal for each transfer."""
    import pyarrow as pa

    today = prepared.forecast.as_of
    arrives_on = today + timedelta(days=moves.lead_time_days)
    taker, giver, cost = moves.taker, moves.giver, prepared.lines.unit_cost_cents
    from_place, to_place = prepared.place[giver], prepared.place[taker]
    inputs = {
        "as_of": pa.repeat(today.isoformat(), len(taker)),
        "item_name": _texts(prepared.item_name[taker]),
        "from_place": _texts(from_place),
        "arrives_on": pa.repeat(arrives_on.isoformat(), len(taker)),
        "lead_time_days": pa.repeat(moves.lead_time_days, len(taker)),
        "giver_left": pa.array(prepared.lines.free()[giver]),
        "giver_expiring_left": pa.array(prepared.lines.expiring[giver]),
        "giver_level": pa.array(moves.level[:, 0]),
        "taker_level": pa.array(moves.level[:, 1]),
        "taker_position_after": pa.array(prepared.lines.position()[taker]),
        "unit_cost_cents": pa.array(np.round(cost[taker], 4)),
        "saves_cents": pa.array(np.round(moves.saved_cents, 2)),
        "moving_cents": pa.array(np.round(moves.moving_cents, 2)),
        "lots": _lots(prepared, moves),
    }
    columns = {
        "sku": _texts(prepared.sku[taker]),
        "place": _texts(to_place),
        "value": moves.quantity,
        "value_cents": np.floor(moves.quantity * cost[taker] + 0.5).astype(np.int64),
        "terms": pa.array(moves.terms.tolist(), pa.list_(pa.int64())),
        "label": _texts(prepared.label[taker]),
        "valid_until": pa.repeat(pa.scalar(valid_until, pa.timestamp("us", "UTC")), len(taker)),
        "reason": pa.array(_reasons(prepared, moves), pa.string()),
        "method": pa.repeat(f"{METHOD} on {prepared.forecast.method}", len(taker)),
        "inputs": pa.StructArray.from_arrays(list(inputs.values()), names=list(inputs)),
    }
    return ProposalTable(TRANSFER, pa.table(columns))


def _lots(prepared: Prepared, moves: Transfers) -> pa.Array:
    """The lots to take, the first to expire first."""
    import pyarrow as pa

    today = prepared.forecast.as_of
    told = [
        [
            {"expires": (today + timedelta(days=days - 1)).isoformat(), "quantity": units}
            for days, units in lots
        ]
        for lots in moves.lots
    ]
    kind = pa.list_(pa.struct([("expires", pa.string()), ("quantity", pa.int64())]))
    return pa.array(told, kind)


def _reasons(prepared: Prepared, moves: Transfers) -> list[str]:
    """One plain sentence for each transfer."""
    sentences = []
    for at, giver in enumerate(moves.giver.tolist()):
        dated = sum(units for _, units in moves.lots[at])
        why = f", {dated:,} of it expires there unsold" if dated else ", which does not need it"
        sentences.append(
            f"Move {moves.quantity[at]:,} from {prepared.place[giver]}{why}: saves "
            f"{moves.saved_cents[at] / 100:,.2f} for {moves.moving_cents[at] / 100:,.2f}."
        )
    return sentences


def _texts(values: Texts) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())
