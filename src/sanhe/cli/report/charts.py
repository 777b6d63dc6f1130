"""The report's drawings: small pure functions from values to inline SVG.

Colours are classes that the page's style sheet fills for light and dark; text that differs by
language carries both and the style sheet shows one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from html import escape

from sanhe.cli.report.data import AgeBar, HealthCell, Histogram, SeriesChart, TermLine

WIDTH, NARROW = 720, 480


def both(words: tuple[str, str], tag: str = "span") -> str:
    """The words in English and Chinese; the style sheet hides one of them."""
    english, chinese = (escape(word) for word in words)
    return f'<{tag} class="en">{english}</{tag}><{tag} class="zh">{chinese}</{tag}>'


def label(words: tuple[str, str], at: tuple[float, float], css: str = "axis") -> str:
    """SVG text in both languages at one point."""
    x, y = at
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}">{both(words, "tspan")}</text>'


def nice_step(largest: float, *, ticks: int = 4) -> float:
    """A round step (1, 2 or 5 times a power of ten) that gives about `ticks` grid lines."""
    if largest <= 0:
        return 1.0
    rough = largest / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


def short(value: float) -> str:
    """A number for an axis: 1,200 -> 1.2k, 3,400,000 -> 3.4M."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.1f}".rstrip("0").rstrip(".") + suffix
    return f"{value:g}"


def svg(height: int, body: str, name: str, *, width: int = WIDTH) -> str:
    """The drawing with its accessible name."""
    return (
        f'<div class="scroll"><svg viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(name)}">{body}</svg></div>'
    )


def _grid(top: float, *, left: int, bottom: int, height: int, width: int = WIDTH) -> str:
    step, lines, value = nice_step(top), [], 0.0
    while value <= top * 1.0001:
        y = bottom - value / top * height
        lines.append(f'<line x1="{left}" x2="{width - 8}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        lines.append(f'<text x="{left - 8}" y="{y + 4:.1f}" class="axis end">{short(value)}</text>')
        value += step
    return "".join(lines)


def series_chart(chart: SeriesChart) -> str:
    """History as a line, stock-outs shaded, promotions marked, forecast with its band."""
    left, bottom, height = 52, 232, 196
    days = len(chart.sold) + len(chart.mean)
    top = max(1.0, *chart.sold, *(chart.high or (0.0,))) * 1.08
    pitch = (WIDTH - 8 - left) / max(days - 1, 1)

    def x(day: float) -> float:
        return left + day * pitch

    def y(value: float) -> float:
        return bottom - value / top * height

    def path(values: Sequence[float], start: int) -> str:
        return " ".join(f"{x(start + i):.1f},{y(v):.1f}" for i, v in enumerate(values))

    now = len(chart.sold)
    shade = "".join(
        f'<rect x="{x(d - 0.5):.1f}" y="{bottom - height}" width="{pitch:.1f}" '
        f'height="{height}" class="out"/>'
        for d in chart.stocked_out
    )
    marks = "".join(
        f'<rect x="{x(d - 0.5):.1f}" y="{bottom + 2}" width="{pitch:.1f}" '
        'height="5" class="promo"/>'
        for d in chart.promoted
    )
    band = path(chart.high, now) + " " + " ".join(reversed(path(chart.low, now).split()))
    dates = "".join(_date(chart, day, (x(day), bottom + 24)) for day in range(0, days, 14))
    body = (
        _grid(top, left=left, bottom=bottom, height=height)
        + shade
        + f'<polygon points="{band}" class="band"/>'
        + f'<polyline points="{path(chart.sold, 0)}" class="sold"/>'
        + f'<polyline points="{path(chart.mean, now)}" class="mean"/>'
        + f'<line x1="{x(now - 0.5):.1f}" x2="{x(now - 0.5):.1f}" y1="{bottom - height}" '
        f'y2="{bottom}" class="today"/>' + marks + dates
    )
    return svg(264, body, f"{chart.title}: {chart.unit}")


def _date(chart: SeriesChart, day: int, at: tuple[float, float]) -> str:
    x, y = at
    shown = (chart.first_day + timedelta(days=day)).strftime("%m-%d")
    return f'<text x="{x:.1f}" y="{y:.1f}" class="axis mid">{shown}</text>'


def waterfall(terms: Sequence[TermLine], quantity: int, unit: str) -> str:
    """The terms of a proposal as bars that start where the last one ended."""
    row, left, right = 24, 190, 86
    shown = [term for term in terms if term.value] or list(terms[:1])
    running, edges = 0, [0]
    for term in shown:
        running += term.value
        edges.append(running)
    low, high = min(*edges, quantity, 0), max(*edges, quantity, 1)
    scale = (WIDTH - left - right) / (high - low)
    parts, start = [], 0
    for index, term in enumerate(shown):
        end = start + term.value
        css = "plus" if term.value >= 0 else "minus"
        parts.append(_bar(index, (start, end), scale=(low, scale), css=css))
        parts.append(label(term.name, (0, index * row + 16), "axis"))
        parts.append(_figure(index, f"{term.value:+,}", "axis end"))
        start = end
    last = len(shown)
    parts.append(_bar(last, (0, quantity), scale=(low, scale), css="total"))
    parts.append(label(("order", "建议订货"), (0, last * row + 16), "axis strong"))
    parts.append(_figure(last, f"{quantity:,} {unit}", "axis end strong"))
    return svg((last + 1) * row + 4, "".join(parts), "arithmetic")


def _bar(index: int, ends: tuple[int, int], *, scale: tuple[float, float], css: str) -> str:
    low, per_unit = scale
    x = 190 + (min(ends) - low) * per_unit
    width = max(abs(ends[1] - ends[0]) * per_unit, 1.5)
    return (
        f'<rect x="{x:.1f}" y="{index * 24 + 4}" width="{width:.1f}" height="16" rx="2" '
        f'class="{css}"/>'
    )


def _figure(index: int, text: str, css: str) -> str:
    return f'<text x="{WIDTH - 2}" y="{index * 24 + 16}" class="{css}">{escape(text)}</text>'


def histogram(data: Histogram) -> str:
    """SKU × place counts per bin of stock days, before beside after."""
    left, bottom, height = 52, 204, 176
    top = float(max(1, *data.before, *data.after)) * 1.08
    slot = (NARROW - 8 - left) / len(data.bins)
    parts = [_grid(top, left=left, bottom=bottom, height=height, width=NARROW)]
    for index, name in enumerate(data.bins):
        for side, (count, css) in enumerate(
            ((data.before[index], "before"), (data.after[index], "after"))
        ):
            x = left + index * slot + slot * (0.12 + 0.38 * side)
            tall = count / top * height
            parts.append(
                f'<rect x="{x:.1f}" y="{bottom - tall:.1f}" width="{slot * 0.36:.1f}" '
                f'height="{tall:.1f}" rx="2" class="{css}"><title>{count:,}</title></rect>'
            )
        centre = left + (index + 0.5) * slot
        parts.append(f'<text x="{centre:.1f}" y="{bottom + 18}" class="axis mid">{name}</text>')
    return svg(232, "".join(parts), "stock days before and after", width=NARROW)


def health_matrix(cells: Sequence[HealthCell]) -> str:
    """ABC × XYZ: the area of a circle is the money in stock."""
    left, top, wide, tall = 98, 30, 126, 84
    columns, rows = ("X", "Y", "Z"), ("A", "B", "C")
    names = {
        "X": ("X steady", "X 平稳"),
        "Y": ("Y varying", "Y 波动"),
        "Z": ("Z sporadic", "Z 零星"),
        "A": ("A high value", "A 高价值"),
        "B": ("B middle", "B 中等"),
        "C": ("C low value", "C 低价值"),
    }
    largest = max((cell.stock_cents for cell in cells), default=1) or 1
    parts = [
        label(names[c], (left + (i + 0.5) * wide, 20), "axis mid") for i, c in enumerate(columns)
    ]
    parts += [
        label(names[r], (left - 12, top + (i + 0.5) * tall + 4), "axis end")
        for i, r in enumerate(rows)
    ]
    for cell in cells:
        if cell.abc not in rows or cell.xyz not in columns:
            continue
        cx = left + (columns.index(cell.xyz) + 0.5) * wide
        cy = top + (rows.index(cell.abc) + 0.5) * tall
        radius = 30 * math.sqrt(cell.stock_cents / largest)
        parts.append(
            f'<circle cx="{cx - 30:.1f}" cy="{cy:.1f}" r="{max(radius, 2):.1f}" class="bubble"/>'
        )
        cover = "–" if cell.cover_days is None else f"{cell.cover_days:.0f}"
        money, count = short(cell.stock_cents / 100), short(cell.items)
        parts.append(f'<text x="{cx + 6:.1f}" y="{cy - 14:.1f}" class="axis strong">{money}</text>')
        parts.append(label((f"{count} lines", f"{count} 行"), (cx + 6, cy + 4)))
        parts.append(label((f"{cover} days", f"{cover} 天"), (cx + 6, cy + 22)))
    frame = "".join(
        f'<rect x="{left + i * wide}" y="{top + j * tall}" width="{wide}" height="{tall}" '
        'class="frame"/>'
        for i in range(3)
        for j in range(3)
    )
    return svg(top + 3 * tall + 8, frame + "".join(parts), "health matrix", width=NARROW)


def age_bars(ages: Sequence[AgeBar], currency: str) -> str:
    """Money in stock by age, as horizontal bars."""
    row, left, right = 30, 130, 110
    largest = max((bar.stock_cents for bar in ages), default=1) or 1
    parts = []
    for index, bar in enumerate(ages):
        width = (WIDTH - left - right) * bar.stock_cents / largest
        parts.append(label(bar.label, (left - 10, index * row + 19), "axis end"))
        parts.append(
            f'<rect x="{left}" y="{index * row + 5}" width="{max(width, 1):.1f}" height="20" '
            f'rx="2" class="after"/>'
        )
        figure = f"{short(bar.stock_cents / 100)} {currency}"
        parts.append(
            f'<text x="{left + width + 8:.1f}" y="{index * row + 19}" class="axis">{figure}</text>'
        )
    return svg(len(ages) * row + 6, "".join(parts), "stock by age")
