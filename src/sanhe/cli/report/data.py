"""What the report shows, as plain values; whoever has them can make the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Tile:
    """A headline figure: `name` is (English, Chinese), `value` is ready to read with its unit."""

    name: tuple[str, str]
    value: str
    note: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class WhatIfRow:
    """One measure under the old policy and the proposed one; `better` is "lower" or "higher"."""

    name: tuple[str, str]
    unit: tuple[str, str]
    old: float
    new: float
    better: str
    digits: int = 1


@dataclass(frozen=True, slots=True)
class SeriesChart:
    """One SKU at one place: history, forecast with its 5–95 % band, stock-outs and promotions.

    `sold` covers the days from `first_day`; `mean`, `low`, `high` the days after them.
    `stocked_out` and `promoted` are day indexes counted from `first_day`.
    """

    title: str
    unit: str
    first_day: date
    sold: Sequence[float]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    stocked_out: Sequence[int] = ()
    promoted: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class TermLine:
    """One term of a proposal: its words and its signed number."""

    name: tuple[str, str]
    value: int


@dataclass(frozen=True, slots=True)
class ProposalCard:
    """One proposal with its arithmetic; `terms` sum to `quantity`."""

    number: int
    sku: str
    name: str
    place: str
    supplier: str
    label: str
    quantity: int
    unit: str
    money: str
    reason: str
    terms: Sequence[TermLine]
    constraints: Sequence[str] = ()
    assumed: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts per bin before and after; `bins` are the labels."""

    bins: Sequence[str]
    before: Sequence[int]
    after: Sequence[int]


@dataclass(frozen=True, slots=True)
class HealthCell:
    """One cell of the ABC × XYZ matrix: items, money in stock, median days of cover."""

    abc: str
    xyz: str
    items: int
    stock_cents: int
    cover_days: float | None


@dataclass(frozen=True, slots=True)
class AgeBar:
    """Money in stock by the age of the stock."""

    label: tuple[str, str]
    stock_cents: int


@dataclass(frozen=True, slots=True)
class LeagueRow:
    """One method in the backtest, over all origins."""

    method: str
    wape: float
    bias: float
    pinball: float | None
    coverage: float | None
    champion: bool = False


@dataclass(frozen=True, slots=True)
class LosingGroup:
    """A group where another method was better than the champion."""

    group: str
    champion_wape: float
    best_method: str
    best_wape: float


@dataclass(frozen=True, slots=True)
class ReportData:
    """The whole page."""

    title: str
    as_of: date
    made_at: str
    currency: str
    tiles: Sequence[Tile]
    what_if: Sequence[WhatIfRow] = ()
    what_if_note: tuple[str, str] = ("", "")
    series: Sequence[SeriesChart] = ()
    proposals: Sequence[ProposalCard] = ()
    proposal_count: int = 0
    cover: Histogram | None = None
    health: Sequence[HealthCell] = ()
    ages: Sequence[AgeBar] = ()
    league: Sequence[LeagueRow] = ()
    losing: Sequence[LosingGroup] = ()
    notes: Sequence[tuple[str, str]] = field(default_factory=tuple)
