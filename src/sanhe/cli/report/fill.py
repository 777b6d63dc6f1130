"""Gathers what the report shows from an installation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from sanhe.cli.options import default_actor
from sanhe.cli.output import money
from sanhe.cli.report.data import (
    AgeBar,
    HealthCell,
    Histogram,
    LeagueRow,
    LosingGroup,
    ProposalCard,
    ReportData,
    SeriesChart,
    TermLine,
    Tile,
    WhatIfRow,
)
from sanhe.cli.report.words import METHOD_WORDS, TERM_WORDS

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.cli.output import Report
    from sanhe.core.decisions import Decision
    from sanhe.goods.demand import DemandPanel, ForecastRun
    from sanhe.models.forecast import Panel
    from sanhe.wiring import Sanhe

SHOWN_PROPOSALS, SHOWN_SERIES, HISTORY_DAYS = 12, 6, 56
COVER_EDGES = (0, 8, 15, 31, 61, 91)
COVER_BINS = ("0", "1–7", "8–14", "15–30", "31–60", "61–90", "90+")
AGES = (
    (30, ("under 30 days", "30 天内")),
    (60, ("30–59 days", "30–59 天")),
    (90, ("60–89 days", "60–89 天")),
    (180, ("90–179 days", "90–179 天")),
    (10**9, ("180 days and more", "180 天以上")),
)


def report_data(
    sanhe: Sanhe,
    *,
    with_backtest: bool,
    report: Report,
    what_if: Sequence[WhatIfRow] = (),
    what_if_note: tuple[str, str] = ("", ""),
) -> ReportData:
    """The report of the latest plan. Raises NotFound when nothing was planned yet."""
    from sanhe.wiring import backtest, health

    run = sanhe.demand.latest()
    with sanhe.work(actor=default_actor()) as work:
        decisions = work.decisions.find(kind="replenish", limit=1_000_000)
        names = {
            item["sku"]: (item["name"], item["base_unit"])
            for item in work.catalog.items().to_pylist()
        }
    lines, cells = health(sanhe, actor=default_actor(), as_of=run.as_of)
    fresh = [d for d in decisions if d.proposal.inputs.get("as_of") == run.as_of.isoformat()]
    scores = backtest(sanhe, as_of=run.as_of, report=report) if with_backtest else None
    league, losing = _league(scores) if scores is not None else ([], [])
    currency = sanhe.settings.currency
    return ReportData(
        title="sanhe 三合",
        as_of=run.as_of - timedelta(days=1),
        made_at=f"{sanhe.clock.now():%Y-%m-%d %H:%M} UTC",
        currency=currency,
        tiles=_tiles(lines, fresh, decisions=decisions, run=run, currency=currency),
        what_if=what_if,
        what_if_note=what_if_note,
        series=_series(sanhe, run, fresh, names=names),
        proposals=[_card(d, names, currency) for d in fresh[:SHOWN_PROPOSALS]],
        proposal_count=len(fresh),
        cover=_cover(lines, fresh),
        health=[
            HealthCell(c["abc"], c["xyz"], c["lines"], c["stock_value_cents"], c["cover_days"])
            for c in cells.to_pylist()
        ],
        ages=_ages(lines),
        league=league,
        losing=losing,
        notes=_notes(run, fresh),
    )


def _tiles(
    lines: pa.Table,
    fresh: Sequence[Decision],
    *,
    decisions: Sequence[Decision],
    run: ForecastRun,
    currency: str,
) -> list[Tile]:
    stock_cents = sum(value or 0 for value in lines["stock_value_cents"].to_pylist())
    on_hand = np.array([value or 0 for value in lines["on_hand"].to_pylist()], float)
    rate = np.asarray(lines["daily_mean"].to_numpy())
    days = on_hand.sum() / max(rate.sum(), 1e-9)
    known = [value for value in lines["on_hand"].to_pylist() if value is not None]
    empty = sum(1 for value in known if value == 0) / max(len(known), 1)
    decided = [d for d in decisions if d.status.value not in {"proposed", "snoozed", "expired"}]
    taken = sum(d.status.value != "rejected" and d.value == d.proposal.value for d in decided)
    at_stake = sum(d.proposal.value_cents for d in fresh)
    return [
        Tile(("Inventory days", "库存天数"), f"{days:,.1f}" if known else "–",
             ("on hand over daily sales", "现有库存 ÷ 日均销量")),
        Tile(("Stock", "库存金额"), f"{stock_cents / 100:,.0f}" if known else "–",
             (currency, currency)),
        Tile(("Lines empty", "断货行"), f"{empty:.1%}" if known else "–",
             (f"of {len(known):,} counted", f"共 {len(known):,} 行有库存记录")),
        Tile(("Proposed", "建议订货"), f"{at_stake / 100:,.0f}",
             (f"{currency}, {len(fresh):,} lines", f"{currency}，{len(fresh):,} 行")),
        Tile(("Forecast", "预测"), f"{len(run.mean):,}",
             ("SKU × place series", "SKU × 门店序列")),
        Tile(("Taken as proposed", "原样采纳"),
             f"{taken / len(decided):.0%}" if decided else "–",
             (f"of {len(decided):,} decided", f"共 {len(decided):,} 条已决")),
    ]  # fmt: skip


def _series(
    sanhe: Sanhe,
    run: ForecastRun,
    fresh: Sequence[Decision],
    *,
    names: dict[str, tuple[str, str]],
) -> list[SeriesChart]:
    """The series behind the proposals with the most money at stake."""
    chosen = [d.proposal.subject for d in fresh[:SHOWN_SERIES]]
    if not chosen:
        return []
    panel = sanhe.demand.panel(run.as_of, horizon_days=run.horizon_days, history_days=HISTORY_DAYS)
    places = zip(panel.keys["sku"].to_pylist(), panel.keys["place"].to_pylist(), strict=True)
    at = {key: row for row, key in enumerate(places)}
    low, high = run.quantile(0.05), run.quantile(0.95)
    charts = []
    for subject in chosen:
        sku, place = subject.sku or "", subject.place or ""
        if (sku, place) in at:
            row, mine = at[(sku, place)], run.row(sku, place)
            name, unit = names.get(sku, (sku, ""))
            charts.append(
                _chart(panel, row, title=f"{name} · {place}", unit=unit,
                       forecast=(run.mean[mine], low[mine], high[mine]))
            )  # fmt: skip
    return charts


def _chart(
    panel: DemandPanel,
    row: int,
    *,
    title: str,
    unit: str,
    forecast: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> SeriesChart:
    inner = panel.panel
    sold = np.nan_to_num(inner.sales[row]) / panel.scale[row]
    share = np.nan_to_num(inner.in_stock[row], nan=1.0)
    out = np.flatnonzero(inner.opened_empty[row] | (share < 0.999))
    promoted = np.flatnonzero(_offers(inner, row))
    mean, low, high = forecast
    return SeriesChart(
        title=title,
        unit=unit,
        first_day=inner.first_day,
        sold=sold.tolist(),
        mean=mean.tolist(),
        low=low.tolist(),
        high=high.tolist(),
        stocked_out=out.tolist(),
        promoted=promoted.tolist(),
    )


def _offers(panel: Panel, row: int) -> NDArray[np.bool_]:
    """Days, history and horizon, on which the line is discounted or in an activity."""
    offered = np.zeros(panel.known.shape[1], bool)
    if "discount" in panel.known_names:
        offered |= panel.known[row, :, panel.known_names.index("discount")] < 0.999
    if "activity" in panel.known_names:
        offered |= panel.known[row, :, panel.known_names.index("activity")] > 0
    return offered


def _card(decision: Decision, names: dict[str, tuple[str, str]], currency: str) -> ProposalCard:
    from sanhe.goods.replenish import TERMS

    proposal, sku = decision.proposal, decision.proposal.subject.sku or ""
    name, unit = names.get(sku, (sku, ""))
    assumed = proposal.inputs.get("assumed") or ()
    return ProposalCard(
        number=decision.number,
        sku=sku,
        name=name,
        place=proposal.subject.place or "",
        supplier=str(proposal.inputs.get("supplier") or "–"),
        label=proposal.label,
        quantity=proposal.value,
        unit=unit,
        money=money(proposal.value_cents, currency),
        reason=proposal.reason,
        terms=[
            TermLine(TERM_WORDS.get(term, (term, term)), value)
            for term, value in zip(TERMS, proposal.terms, strict=True)
        ],
        constraints=proposal.constraints,
        assumed=[str(word) for word in assumed] if isinstance(assumed, (list, tuple)) else [],
    )


def _cover(lines: pa.Table, fresh: Sequence[Decision]) -> Histogram | None:
    """Lines by days of cover, as they are and once the proposals have arrived."""
    ordered = {(d.proposal.subject.sku, d.proposal.subject.place): d.value for d in fresh}
    before: list[float] = []
    after: list[float] = []
    for line in lines.select(["sku", "place", "on_hand", "daily_mean"]).to_pylist():
        if line["on_hand"] is None or not line["daily_mean"]:
            continue
        more = ordered.get((line["sku"], line["place"]), 0)
        before.append(line["on_hand"] / line["daily_mean"])
        after.append((line["on_hand"] + more) / line["daily_mean"])
    if not before:
        return None
    return Histogram(COVER_BINS, _binned(before), _binned(after))


def _binned(days: list[float]) -> list[int]:
    whole = np.ceil(np.array(days))
    bins = np.bincount(np.digitize(whole, (1, *COVER_EDGES[1:])), minlength=7)
    return [int(count) for count in bins]


def _ages(lines: pa.Table) -> list[AgeBar]:
    held = lines.select(["age_days", "stock_value_cents"]).to_pylist()
    bars, least = [], 0
    for limit, words in AGES:
        cents = sum(
            line["stock_value_cents"] or 0
            for line in held
            if line["age_days"] is not None and least <= line["age_days"] < limit
        )
        bars.append(AgeBar(words, cents))
        least = limit
    return bars if any(bar.stock_cents for bar in bars) else []


def _league(scores: pa.Table) -> tuple[list[LeagueRow], list[LosingGroup]]:
    """Means over the origins; the groups where another method beat the champion."""
    rows = scores.to_pylist()
    methods = list(dict.fromkeys(row["method"] for row in rows))

    def mean(method: str, group: str, figure: str) -> float | None:
        found = [
            row[figure]
            for row in rows
            if row["method"] == method and row["group"] == group and row[figure] is not None
        ]
        return sum(found) / len(found) if found else None

    league = [
        LeagueRow(
            METHOD_WORDS.get(method, method),
            mean(method, "all", "wape") or 0.0,
            mean(method, "all", "bias") or 0.0,
            mean(method, "all", "pinball_50"),
            mean(method, "all", "coverage_90"),
            champion=method == "champion",
        )
        for method in methods
    ]
    losing = []
    for group in dict.fromkeys(row["group"] for row in rows):
        own = mean("champion", group, "wape")
        others = [(mean(m, group, "wape"), m) for m in methods if m != "champion"]
        best = min(((w, m) for w, m in others if w is not None), default=None)
        if group != "all" and own is not None and best is not None and best[0] < own:
            losing.append(LosingGroup(group, own, METHOD_WORDS.get(best[1], best[1]), best[0]))
    return league, losing


def _notes(run: ForecastRun, fresh: Sequence[Decision]) -> list[tuple[str, str]]:
    notes = [
        (
            "Every proposal's terms sum to its quantity; the database refuses one that does not.",
            "每条建议的各项之和等于建议数量，不相等的记录会被数据库拒绝。",
        ),
        (
            "The band is where 90 % of days with stock should fall.",
            "区间应覆盖 90% 的有货日。",
        ),
    ]
    assumed = sum(bool(d.proposal.inputs.get("assumed")) for d in fresh)
    if assumed:
        notes.append(
            (
                f"{assumed:,} of the proposals rest on assumed stock, cost or terms; each says so.",
                f"{assumed:,} 条建议用到假设的库存、成本或条款，逐条注明。",
            )
        )
    return notes + [(note, note) for note in run.notes]
