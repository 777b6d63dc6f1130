"""The distribution of sums over a protection interval on FreshRetailNet, L = 2..7 days.

The last three weekly origins; sums of L days without a stock-out, raw sales. 10,000 series drawn
with a seed, one global model per origin; the distribution is the product's own, from the errors of
the week before the origin and each series' spread. exceedance_95: share of sums above our 95 %
quantile, 5 % is right. pinball_ratio_to_normal: our pinball loss over the 5, 25, 50, 75 and 95 %
quantiles by that of a normal with the same mean and variance; pinball_95_ratio: at 95 % alone.
How the tail is calibrated was chosen on origins before the test weeks.

    python -m bench.quantiles --data FILE
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from bench.freshretailnet import HORIZON_DAYS, data_path, read_panel
from bench.league import LARGE_SETTINGS
from bench.results_file import Figure, write_results
from sanhe.models.forecast import (
    GlobalGbm,
    Panel,
    coverage,
    uncensored_days,
    uncertainty,
)
from sanhe.models.forecast.scores import PINBALL_QUANTILES

SERIES = 10_000
SEED = 20_252
ORIGINS = 3
SUMS_DAYS = tuple(range(2, HORIZON_DAYS + 1))
MODEL = dataclasses.replace(
    LARGE_SETTINGS.gbm, rows=80_000, trees=100, leaves=31, learning_rate=0.1, median=False
)
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True)
class Week:
    """seen: the panel cut at the origin; mean, actual, clean: [N, H] of the week after it."""

    seen: Panel
    mean: F32
    actual: F32
    clean: Bool


def weeks(panel: Panel) -> list[Week]:
    """The week before the test origins and theirs, old first, each forecast once."""
    clean = uncensored_days(panel)
    found: list[Week] = []
    for back in range(ORIGINS + 1, 0, -1):
        at = panel.days - HORIZON_DAYS * back
        seen = panel.cut(at)
        mean = GlobalGbm(MODEL).fit(seen).predict(seen)
        span = slice(at, at + HORIZON_DAYS)
        found.append(Week(seen, mean, panel.sales[:, span], clean[:, span]))
        print(f"origin {at} forecast", flush=True)
    return found


def sums(week: Week, days: int, spread: F64) -> tuple[F64, F64, F64]:
    """Means, outcomes and spreads of the first `days` days of series never out of stock in them."""
    whole = (week.clean & ~np.isnan(week.actual))[:, :days].all(1)
    mean = week.mean[whole, :days].sum(1, dtype=np.float64)
    return mean, week.actual[whole, :days].sum(1, dtype=np.float64), spread[whole]


def loss(outcome: F64, quantile: F64, q: float) -> float:
    """Sum of the pinball loss."""
    gap = outcome - quantile
    return float(np.maximum(q * gap, (q - 1) * gap).sum())


def figures(found: list[Week]) -> dict[str, Figure]:
    """Exceedance and pinball ratios over the test origins, all and by L."""
    from scipy.stats import norm

    days = (1, *SUMS_DAYS)
    above = np.zeros((ORIGINS, len(days)))
    lines = np.zeros((ORIGINS, len(days)))
    ours, normal = (np.zeros((len(PINBALL_QUANTILES), len(days))) for _ in range(2))
    inside: list[float] = []
    for k in range(ORIGINS):
        week = found[k + 1]
        dispersion, own = uncertainty(week.seen, found[k].mean)
        low, high = (dispersion.quantile(week.mean, q, spread=own[:, None]) for q in (0.05, 0.95))
        inside.append(coverage(week.actual, low, high, where=week.clean))
        for at, length in enumerate(days):
            mean, outcome, spread = sums(week, length, own)
            one = dispersion.of(length)
            sd = np.sqrt(one.variance(mean, spread=spread))
            for row, q in enumerate(PINBALL_QUANTILES):
                ours[row, at] += loss(outcome, one.quantile(mean, q, spread=spread), q)
                normal[row, at] += loss(outcome, mean + norm.ppf(q) * sd, q)
            above[k, at] = (outcome > one.quantile(mean, 0.95, spread=spread)).sum()
            lines[k, at] = len(outcome)
    many = slice(1, None)
    by_days = {str(length): at for at, length in enumerate(days) if length > 1}
    share = above.sum(0) / lines.sum(0)
    return {
        "exceedance_95": round(float(above[:, many].sum() / lines[:, many].sum()), 4),
        "pinball_ratio_to_normal": round(float(ours[:, many].sum() / normal[:, many].sum()), 4),
        "pinball_95_ratio": round(float(ours[-1, many].sum() / normal[-1, many].sum()), 4),
        "exceedance_95_by_days": {name: round(share[at], 4) for name, at in by_days.items()},
        "pinball_ratio_by_days": {
            name: round(float(ours[:, at].sum() / normal[:, at].sum()), 4)
            for name, at in by_days.items()
        },
        "exceedance_95_by_origin": [
            round(float(one), 4) for one in above[:, many].sum(1) / lines[:, many].sum(1)
        ],
        "coverage_90_of_days": round(float(np.mean(inside)), 4),
        "coverage_90_of_days_by_origin": [round(one, 4) for one in inside],
        "series": len(found[0].mean),
    }


def main() -> None:
    """Measure and write bench/results/quantiles.json."""
    panel = read_panel(data_path("Quantiles of sums on FreshRetailNet"))
    order = np.random.default_rng(SEED).permutation(panel.series)
    found = figures(weeks(panel.only(order[:SERIES])))
    path = write_results("quantiles", found)
    for name, value in found.items():
        print(f"{name}: {value}")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
