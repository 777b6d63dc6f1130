"""Puts the report's parts into one HTML page that needs nothing else to be read."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files

from sanhe.cli.report.charts import (
    age_bars,
    both,
    health_matrix,
    histogram,
    series_chart,
    waterfall,
)
from sanhe.cli.report.data import ProposalCard, ReportData, Tile, WhatIfRow


@cache
def _asset(name: str) -> str:
    return files("sanhe.cli.report").joinpath(name).read_text(encoding="utf-8")


def report_page(data: ReportData) -> str:
    """The page as HTML text. Everything that came from outside is escaped."""
    parts = [
        _header(data),
        f'<div class="tiles">{"".join(_tile(tile) for tile in data.tiles)}</div>',
        _what_if(data) if data.what_if else "",
        _forecasts(data) if data.series else "",
        _proposals(data) if data.proposals else "",
        _stock(data),
        _league(data) if data.league else "",
        _notes(data) if data.notes else "",
    ]
    return (
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(data.title)}</title><style>{_asset('style.css')}</style></head>"
        f"<body><main>{''.join(parts)}</main><script>{_asset('behaviour.js')}</script>"
        "</body></html>\n"
    )


def _header(data: ReportData) -> str:
    known = both((f"known up to {data.as_of}", f"数据截至 {data.as_of}"))
    return (
        f'<header><div><h1>{escape(data.title)}</h1><div class="soft">{known} · '
        f"{escape(data.made_at)}</div></div><div>"
        '<button id="language" type="button"><span class="en">中文</span>'
        '<span class="zh">English</span></button> '
        f'<button id="theme" type="button">{both(("Light / dark", "明 / 暗"))}</button>'
        "</div></header>"
    )


def _tile(tile: Tile) -> str:
    note = f'<span class="soft small">{both(tile.note)}</span>' if any(tile.note) else ""
    return (
        f'<div class="tile"><span class="soft small">{both(tile.name)}</span>'
        f"<b>{escape(tile.value)}</b>{note}</div>"
    )


def _heading(title: tuple[str, str], note: tuple[str, str] = ("", "")) -> str:
    shown = f'<p class="soft small" style="margin:0 0 10px">{both(note)}</p>' if any(note) else ""
    return f"<h2>{both(title)}</h2>{shown}"


def _what_if(data: ReportData) -> str:
    head = "".join(
        f'<th class="{css}">{both(words)}</th>'
        for css, words in (
            ("", ("measure", "指标")),
            ("n", ("old policy", "原策略")),
            ("n", ("proposed", "建议策略")),
            ("n", ("change", "变化")),
        )
    )
    rows = "".join(_what_if_row(row) for row in data.what_if)
    heading = _heading(("What if", "假设推演"), data.what_if_note)
    return (
        f'<section id="what-if">{heading}<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _what_if_row(row: WhatIfRow) -> str:
    change = row.new - row.old
    improved = change < 0 if row.better == "lower" else change > 0
    css = "good" if improved else "bad"
    if abs(change) < 0.5 * 10**-row.digits:
        css = "soft"
    percent = f" ({change / row.old:+.0%})" if row.old and row.unit[0] != "%" else ""
    return (
        f'<tr><td>{both(row.name)} <span class="soft small">{both(row.unit)}</span></td>'
        f'<td class="n">{row.old:,.{row.digits}f}</td><td class="n">{row.new:,.{row.digits}f}</td>'
        f'<td class="n {css}">{change:+,.{row.digits}f}{percent}</td></tr>'
    )


def _key(*entries: tuple[str, tuple[str, str]]) -> str:
    return (
        '<div class="key">'
        + "".join(
            f'<span><i style="background:var(--{colour})"></i>{both(words)}</span>'
            for colour, words in entries
        )
        + "</div>"
    )


def _forecasts(data: ReportData) -> str:
    options = "".join(
        f'<option value="{index}">{escape(chart.title)}</option>'
        for index, chart in enumerate(data.series)
    )
    charts = "".join(
        f'<div class="chart"{" hidden" if index else ""}>{series_chart(chart)}</div>'
        for index, chart in enumerate(data.series)
    )
    key = _key(
        ("grey", ("sold", "销量")),
        ("blue", ("forecast", "预测")),
        ("band", ("5–95 % band", "5–95% 区间")),
        ("out", ("out of stock", "缺货")),
        ("orange", ("promotion", "促销")),
    )
    heading = _heading(
        ("Forecast", "需求预测"),
        ("Units a day. Days out of stock are not learned as days without demand.",
         "每日销量。缺货日不当作没有需求。"),
    )  # fmt: skip
    choice = f'<select id="series" aria-label="series">{options}</select>'
    return f'<section id="forecast">{heading}{choice}{key}{charts}</section>'


def _proposals(data: ReportData) -> str:
    shown, total = len(data.proposals), max(data.proposal_count, len(data.proposals))
    heading = _heading(
        ("Proposals", "补货建议"),
        (
            f"The {shown} with the most money at stake, of {total:,}. Open one for its arithmetic.",
            f"共 {total:,} 条，列出金额最大的 {shown} 条，点开看算式。",
        ),
    )
    cards = "".join(_proposal(card, is_open=not at) for at, card in enumerate(data.proposals))
    return f'<section id="proposals">{heading}{cards}</section>'


def _proposal(card: ProposalCard, *, is_open: bool) -> str:
    tags = "".join(f'<span class="tag">{escape(word)}</span>' for word in card.constraints)
    if card.assumed:
        words = ", ".join(card.assumed)
        tags += f'<span class="tag">{both((f"assumed: {words}", f"假设：{words}"))}</span>'
    return (
        f'<details{" open" if is_open else ""}><summary><span class="soft">#{card.number}</span>'
        f'<span>{escape(card.name)} <span class="soft small">{escape(card.sku)} · '
        f"{escape(card.place)} · {escape(card.supplier)}</span></span>"
        f'<span class="q">{card.quantity:,} {escape(card.unit)} '
        f'<span class="soft small">{escape(card.money)}</span></span></summary>'
        f'<div class="proof"><p>{escape(card.reason)}</p>'
        f"{waterfall(card.terms, card.quantity, card.unit)}"
        f'<p><span class="tag">{escape(card.label)}</span>{tags}</p></div></details>'
    )


def _stock(data: ReportData) -> str:
    parts = []
    if data.cover is not None:
        key = _key(("grey", ("now", "当前")), ("blue", ("with the proposals", "采纳建议后")))
        heading = _heading(
            ("Days of cover", "库存可售天数"), ("Lines by days of stock", "各行的库存天数分布")
        )
        parts.append(f'<section id="cover">{heading}{key}{histogram(data.cover)}</section>')
    if data.health:
        heading = _heading(
            ("Inventory health", "库存健康度"),
            (
                f"Circles: money in stock ({data.currency}), lines, median days of cover",
                f"圆：库存金额（{data.currency}）、行数、可售天数中位数",
            ),
        )
        parts.append(f'<section id="health">{heading}{health_matrix(data.health)}</section>')
    pair = f'<div class="pair">{"".join(parts)}</div>' if parts else ""
    if data.ages:
        heading = _heading(
            ("Ageing", "库龄"), ("Money by days since the last receipt", "按距上次入库的天数")
        )
        bars = age_bars(data.ages, data.currency)
        pair += f'<section id="ageing">{heading}{bars}</section>'
    return pair


def _league(data: ReportData) -> str:
    def share(value: float | None) -> str:
        return "–" if value is None else f"{value:.1%}"

    rows = "".join(
        f"<tr><td>{'<b>' if row.champion else ''}{escape(row.method)}"
        f'{"</b>" if row.champion else ""}</td><td class="n">{share(row.wape)}</td>'
        f'<td class="n">{row.bias:+.1%}</td><td class="n">'
        f"{'–' if row.pinball is None else f'{row.pinball:.3f}'}</td>"
        f'<td class="n">{share(row.coverage)}</td></tr>'
        for row in data.league
    )
    losing = "".join(
        f'<tr><td>{escape(row.group)}</td><td class="n">{row.champion_wape:.1%}</td>'
        f'<td>{escape(row.best_method)}</td><td class="n">{row.best_wape:.1%}</td></tr>'
        for row in data.losing
    )
    heading = _heading(
        ("Backtest", "回测"),
        ("Each forecast saw only what lay before it.", "每次预测只用此前的数据。"),
    )
    table = (
        f'<div class="scroll"><table><thead><tr><th>{both(("method", "方法"))}</th>'
        f'<th class="n">WAPE</th><th class="n">{both(("bias", "偏差"))}</th>'
        f'<th class="n">pinball</th><th class="n">{both(("90 % band holds", "90% 区间覆盖"))}</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    if losing:
        table += (
            f'<h2 style="margin-top:18px">{both(("Where it loses", "输在哪里"))}</h2>'
            f'<div class="scroll"><table><thead><tr><th>{both(("group", "分组"))}</th>'
            f'<th class="n">{both(("champion", "冠军"))}</th>'
            f"<th>{both(('better', '更优方法'))}</th>"
            f'<th class="n">WAPE</th></tr></thead><tbody>{losing}</tbody></table></div>'
        )
    return f'<section id="backtest">{heading}{table}</section>'


def _notes(data: ReportData) -> str:
    items = "".join(f"<li>{both(note)}</li>" for note in data.notes)
    heading = _heading(("How to read this", "说明"))
    return f'<section id="notes">{heading}<ul class="soft small">{items}</ul></section>'
