"""Turn computed lines into proposals a person can judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np

from sanhe.core.decisions import Effect, Proposal, Subject
from sanhe.core.values import Json
from sanhe.goods.replenish.effects import Choice, Effects
from sanhe.goods.replenish.policy import KIND
from sanhe.goods.replenish.prepared import Prepared
from sanhe.goods.replenish.rules import TERMS, Outcome
from sanhe.goods.replenish.words import in_days, reason
from sanhe.models.inventory import Floats, Ints

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many lines of how many are done."""

METHOD = "order-up-to/1"
"""The method of the arithmetic and its version."""

_STEP_LINES = 1000


@dataclass(frozen=True, slots=True)
class Columns:
    """The numbers of the ordered lines as plain Python lists, ready for records."""

    values: dict[str, list[Json]]
    forecast: list[list[float]]
    terms: list[list[int]]

    def inputs(self, at: int) -> dict[str, Json]:
        """The snapshot of one line's inputs."""
        return {name: column[at] for name, column in self.values.items()}


def proposals(
    prepared: Prepared,
    outcome: Outcome,
    bought: Effects,
    *,
    valid_until: datetime | None,
    progress: Progress | None = None,
) -> Iterator[Proposal]:
    """One proposal for each line of `bought`, in its order."""
    columns = _columns(prepared, outcome, bought)
    hits = {name: hit[bought.rows].tolist() for name, hit in outcome.hits.items()}
    saved = _effects(bought)
    choices = [_choice_rows(choice) for choice in bought.others]
    reasons = _reasons(prepared, outcome, bought)
    cents = _value_cents(prepared, outcome, bought.rows)
    total = len(bought.rows)
    for at, row in enumerate(bought.rows.tolist()):
        terms = tuple(columns.terms[at])
        inputs = columns.inputs(at)
        inputs["forecast_by_day"] = columns.forecast[at]
        inputs["assumed"] = list(prepared.assumed[row])
        inputs["class_rules"] = dict(prepared.class_rules[row])
        yield Proposal(
            kind=KIND,
            subject=Subject(sku=prepared.sku[row], place=prepared.place[row]),
            value=sum(terms),
            value_cents=cents[at],
            terms=terms,
            reason=reasons[at],
            inputs=inputs,
            method=f"{METHOD} on {prepared.forecast.method}",
            constraints=tuple(name for name, hit in hits.items() if hit[at]),
            alternatives=tuple(other for rows in choices if (other := rows[at]) is not None),
            expected=saved[at],
            label=prepared.label[row],
            valid_until=valid_until,
        )
        if progress is not None and (at + 1 == total or (at + 1) % _STEP_LINES == 0):
            progress(at + 1, total)


def _columns(prepared: Prepared, outcome: Outcome, bought: Effects) -> Columns:
    """The numbers of the ordered lines, column by column."""
    rows = bought.rows
    lines, supply = prepared.lines, prepared.supply
    today = prepared.forecast.as_of

    def day(days_ahead: Floats) -> list[Json]:
        offsets = np.ceil(days_ahead[rows]).astype(int).tolist()
        names = {offset: (today + timedelta(days=offset)).isoformat() for offset in set(offsets)}
        return [names[offset] for offset in offsets]

    def pick(values: tuple[str | None, ...]) -> list[Json]:
        return [values[row] for row in rows.tolist()]

    def same(value: Json) -> list[Json]:
        return [value] * len(rows)

    demand = lines.until_next.take(rows)
    cover = supply.next_arrival_in[rows]
    values: dict[str, list[Json]] = {
        "as_of": same(today.isoformat()),
        "forecast_run": same(prepared.forecast.id),
        "item_name": pick(prepared.item_name),
        "supplier": pick(prepared.supply.supplier),
        "order_on": day(supply.order_in.astype(np.float64)),
        "arrives_on": day(supply.arrives_in),
        "next_arrival_on": day(supply.next_arrival_in),
        "cover_days": _rounded(cover),
        "lead_time_days": _rounded(supply.lead_time_days[rows]),
        "lead_time_sd_days": _rounded(supply.lead_time_sd_days[rows]),
        "review_days": _ints(supply.review_days[rows]),
        "service_level": _rounded(lines.service_level[rows]),
        "demand_mean": _rounded(demand.mean),
        "demand_sd": _rounded(np.sqrt(demand.variance)),
        "distribution": ["counts" if c else "continuous" for c in demand.counted.tolist()],
        "on_hand": _ints(lines.on_hand[rows]),
        "stock_known_since": pick(prepared.stock_known_since),
        "on_order": _ints(lines.on_order[rows]),
        "on_order_overdue": _ints(lines.on_order_overdue[rows]),
        "on_order_after_cover": _ints(lines.on_order_after_cover[rows]),
        "reserved": _ints(lines.reserved[rows]),
        "presentation_units": _ints(lines.presentation[rows]),
        "moq": _ints(lines.moq[rows]),
        "case_size": _ints(lines.case_size[rows]),
        "shelf_life_days": _rounded(prepared.shelf_life_days[rows]),
        "unit_cost_cents": _rounded(lines.unit_cost_cents[rows], 4),
        "margin_cents": _rounded(lines.margin_cents[rows], 4),
        "cover_before_days": _rounded(bought.cover_before_days, 1),
        "cover_after_days": _rounded(bought.chosen.cover_days, 1),
        "expected_fill": _rounded(bought.chosen.fill, 4),
        "stock_out_risk": _rounded(bought.stock_out_risk, 4),
    }
    ends = np.ceil(cover).astype(int).tolist()
    by_day = np.round(prepared.mean[rows], 3).tolist()
    forecast = [days[:end] for days, end in zip(by_day, ends, strict=True)]
    return Columns(values, forecast, outcome.terms[rows].tolist())


def _effects(bought: Effects) -> list[Effect]:
    """What each order saves from being short, in units, with its 90 % interval."""
    columns = (bought.avoided, bought.avoided_low, bought.avoided_high)
    rows = zip(*(np.round(column, 3).tolist() for column in columns), strict=True)
    return [Effect("shortage_avoided_units", *row) for row in rows]


def _reasons(prepared: Prepared, outcome: Outcome, bought: Effects) -> list[str]:
    """The sentence of each line, with a warning where stock may run out before the arrival."""
    rows = bought.rows
    columns = (
        outcome.terms[rows].tolist(),
        prepared.supply.next_arrival_in[rows].tolist(),
        prepared.supply.arrives_in[rows].tolist(),
        prepared.lines.case_size[rows].tolist(),
        bought.cover_before_days.tolist(),
    )
    told = []
    for terms, days, arrival, case_size, cover in zip(*columns, strict=True):
        named = dict(zip(TERMS, terms, strict=True))
        text = reason(named, sum(terms), days=days, case_size=case_size)
        if cover < arrival:
            ordered = "the order arrives" if sum(terms) else "an order would arrive"
            text += f" Stock lasts {in_days(cover)}, {ordered} in {in_days(arrival)}."
        told.append(text)
    return told


def _choice_rows(choice: Choice) -> list[dict[str, Json] | None]:
    """Another quantity of each line as a record; None where it is not open to the line."""
    columns = zip(
        choice.quantity.tolist(),
        _rounded(choice.fill, 4),
        _rounded(choice.cover_days, 1),
        strict=True,
    )
    return [
        None if quantity < 0 else {"quantity": quantity, "expected_fill": fill, "cover_days": cover}
        for quantity, fill, cover in columns
    ]


def _value_cents(prepared: Prepared, outcome: Outcome, rows: Ints) -> list[int]:
    """The money of each line in whole cents, half a cent rounded up."""
    exact = outcome.quantity[rows] * prepared.lines.unit_cost_cents[rows]
    cents: list[int] = np.floor(exact + 0.5 + 1e-9).astype(np.int64).tolist()
    return cents


def _rounded(values: Floats, digits: int = 3) -> list[Json]:
    """Numbers for a record: rounded, and None where they are not finite."""
    finite = np.isfinite(values).tolist()
    rounded = np.round(values, digits).tolist()
    return [v if ok else None for v, ok in zip(rounded, finite, strict=True)]


def _ints(values: Ints) -> list[Json]:
    listed: list[Json] = values.tolist()
    return listed
