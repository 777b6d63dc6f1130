"""The distribution of sums over a protection interval, on two sets and six origins each.

FreshRetailNet, daily goods: the last six weekly origins, sums of 2..7 days without a stock-out,
10,000 series drawn with a seed. Iowa's warehouse, slow goods: the six quarterly origins of
`bench.forecast_iowa`, sums of 1..5 weeks without a dry day, items sold by the day before each.
The forecast and its distribution are the product's champion: fitted on what the origin can see,
each series with its own spread.

exceedance_95: share of sums above our 95 % quantile, 5 % is right; the mean of the two sets, each
the mean of its origins. pinball_ratio_to_normal: our pinball loss over the 5, 25, 50, 75 and 95 %
quantiles by that of a normal with the same mean and variance; pinball_95_ratio: at 95 % alone.
How the tail is calibrated was chosen on origins before these.

    python -m bench.quantiles --data DIRECTORY
"""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.forecast_iowa import FIRST_WEEKS
from bench.freshretailnet import HORIZON_DAYS, read_panel
from bench.iowa_dc import read_items
from bench.league import LARGE_SETTINGS
from bench.policy_iowa import FIRST, LAST, ROWS, TUNE
from bench.policy_iowa import HORIZON_DAYS as IOWA_HORIZON_DAYS
from bench.results_file import Figure, write_results
from sanhe.models.forecast import (
    ACCURATE,
    ChampionSettings,
    FeatureNames,
    Panel,
    forecast,
    uncensored_days,
)
from sanhe.models.forecast.scores import PINBALL_QUANTILES

SERIES = 10_000
SEED = 20_252
ORIGINS = 6
FRESH = ChampionSettings(
    gbm=dataclasses.replace(
        LARGE_SETTINGS.gbm, rows=80_000, trees=100, leaves=31, learning_rate=0.1, median=False
    )
)
FRESH_DAYS = tuple(range(2, HORIZON_DAYS + 1))
IOWA = ChampionSettings(
    gbm=dataclasses.replace(
        ACCURATE.gbm, rows=ROWS, median=False, names=FeatureNames(places=("vendor",))
    )
)
IOWA_DAYS = tuple(range(7, IOWA_HORIZON_DAYS + 1, 7))
F64 = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """One set's sums, [origins, lengths]: how many, how many above the 95 % quantile, and the
    pinball losses of ours and a normal's, [origins, lengths, quantiles]."""

    lengths: tuple[int, ...]
    lines: F64
    above: F64
    ours: F64
    normal: F64
    methods: tuple[str, ...]

    def exceedance(self) -> F64:
        """Share above the 95 % quantile by origin."""
        share: F64 = self.above.sum(1) / self.lines.sum(1)
        return share


def loss(outcome: F64, quantile: F64, q: float) -> float:
    """Sum of the pinball loss."""
    gap = outcome - quantile
    return float(np.maximum(q * gap, (q - 1) * gap).sum())


def told(
    panel: Panel, origins: Sequence[int], lengths: tuple[int, ...], *, settings: ChampionSettings
) -> Told:
    """Forecast at each origin and hold the sums of the days that came against it."""
    from scipy.stats import norm

    clean = uncensored_days(panel) & ~np.isnan(panel.sales)
    lines, above = (np.zeros((len(origins), len(lengths))) for _ in range(2))
    ours, normal = (np.zeros((*lines.shape, len(PINBALL_QUANTILES))) for _ in range(2))
    methods = []
    for row, at in enumerate(origins):
        made = forecast(panel.cut(at), settings)
        methods.append(made.method)
        for column, length in enumerate(lengths):
            whole = clean[:, at : at + length].all(1)
            mean = made.mean[whole, :length].sum(1, dtype=np.float64)
            outcome = panel.sales[whole, at : at + length].sum(1, dtype=np.float64)
            spread, sums = made.spread[whole], made.dispersion.of(length)
            sd = np.sqrt(sums.variance(mean, spread=spread))
            for k, q in enumerate(PINBALL_QUANTILES):
                quantile = sums.quantile(mean, q, spread=spread)
                ours[row, column, k] = loss(outcome, quantile, q)
                normal[row, column, k] = loss(outcome, mean + norm.ppf(q) * sd, q)
            above[row, column] = (outcome > sums.quantile(mean, 0.95, spread=spread)).sum()
            lines[row, column] = len(outcome)
        print(f"origin {at}: {made.method}, {above[row].sum() / lines[row].sum():.4f}", flush=True)
    return Told(lengths, lines, above, ours, normal, tuple(methods))


def fresh(data: Path) -> Told:
    """FreshRetailNet's last six weeks."""
    panel = read_panel(data)
    chosen = panel.only(np.random.default_rng(SEED).permutation(panel.series)[:SERIES])
    origins = [chosen.days - HORIZON_DAYS * back for back in range(ORIGINS, 0, -1)]
    return told(chosen, origins, FRESH_DAYS, settings=FRESH)


def iowa(data: Path) -> Told:
    """Iowa's warehouse at six quarters."""
    items = read_items(
        data, first=FIRST, last=LAST, seen=TUNE.start, horizon_days=IOWA_HORIZON_DAYS
    )
    origins = [(week - FIRST).days for week in FIRST_WEEKS]
    return told(items.panel, origins, IOWA_DAYS, settings=IOWA)


def figures(sets: dict[str, Told]) -> dict[str, Figure]:
    """Exceedance and pinball ratios, of all and by set, origin and length."""

    def share(values: F64) -> list[float]:
        return [round(float(one), 4) for one in values]

    def ratio(pick: slice) -> Figure:
        of_sets = [one.ours[..., pick].sum() / one.normal[..., pick].sum() for one in sets.values()]
        return round(float(np.mean(of_sets)), 4)

    found: dict[str, Figure] = {
        "exceedance_95": round(float(np.mean([s.exceedance().mean() for s in sets.values()])), 4),
        "pinball_ratio_to_normal": ratio(slice(None)),
        "pinball_95_ratio": ratio(slice(-1, None)),
    }
    for name, one in sets.items():
        by_length = one.above.sum(0) / one.lines.sum(0)
        found |= {
            f"{name}_exceedance_95": round(float(one.exceedance().mean()), 4),
            f"{name}_exceedance_95_by_origin": share(one.exceedance()),
            f"{name}_exceedance_95_by_days": dict(
                zip(map(str, one.lengths), share(by_length), strict=True)
            ),
            f"{name}_pinball_ratio_to_normal": round(float(one.ours.sum() / one.normal.sum()), 4),
            f"{name}_methods": " ".join(one.methods),
            f"{name}_sums": int(one.lines.sum()),
        }
    return found


def main() -> None:
    """Measure and write bench/results/quantiles.json."""
    parser = argparse.ArgumentParser(description="Quantiles of sums on two public sets")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    root = parser.parse_args().data
    found = figures(
        {
            "iowa": iowa(root / "iowa_liquor"),
            "freshretailnet": fresh(root / "freshretailnet50k/train_daily.parquet"),
        }
    )
    path = write_results("quantiles", found)
    for name, value in found.items():
        print(f"{name}: {value}")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
