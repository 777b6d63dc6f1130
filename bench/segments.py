"""Is one champion for all series beaten by the best method of each segment?

FreshRetailNet (15,000 series drawn with a seed, the last six weekly origins) and Iowa's warehouse
(the six quarterly origins of `bench.forecast_iowa`, 35 days). At each origin the champion is chosen
as the product does: simple methods over four earlier hold-outs, the global model on the last one;
then once more within each segment, where that has enough series, else the general choice holds.
Segments: velocity; velocity x age; velocity x age x intermittency. Judged is WAPE of each series'
sum. `hindsight`: the best method of each segment by the days that came, which nobody can know: no
choice by segment can be better.

    python -m bench.segments --data DIRECTORY
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
from bench.policy_iowa import FIRST, LAST, TUNE
from bench.policy_iowa import HORIZON_DAYS as IOWA_HORIZON_DAYS
from bench.quantiles import IOWA
from bench.results_file import Figure, write_results
from sanhe.goods.demand.methods import sized
from sanhe.models.forecast import (
    SIMPLE,
    ChampionSettings,
    GbmSettings,
    GlobalGbm,
    Panel,
    demand_panel,
    uncensored_days,
)

SERIES, SEED, ORIGINS = 15_000, 20_253, 6
HOLDOUTS = 4
GLOBAL = "global_gbm"
METHODS = (*SIMPLE, GLOBAL)
LEAST = (1, 200)
"""Series a segment needs for a choice of its own."""
SEGMENTS = ("velocity", "velocity_age", "velocity_age_zeros")
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Segments = dict[str, I64]


@dataclasses.dataclass(frozen=True, slots=True)
class Stretch:
    """One horizon: what was sold, [N], |error| of the sum by method, [N]; segments before it."""

    sold: F64
    errors: dict[str, F64]
    segments: Segments

    def wape(self, method: str, part: NDArray[np.bool_]) -> float:
        """WAPE of the sums of a part of the series; infinite where nothing was sold."""
        sold = float(self.sold[part].sum())
        return float(self.errors[method][part].sum()) / sold if sold > 0 else float("inf")


def segments(seen: Panel, young_days: int) -> Segments:
    """Codes of each series as known before the stretch."""
    last = seen.sales[:, -28:]
    rate = np.nan_to_num(last).sum(1) / np.maximum((~np.isnan(last)).sum(1), 1)
    days = (~np.isnan(seen.sales)).sum(1)
    zeros = (seen.sales == 0).sum(1) / np.maximum(days, 1)
    velocity = np.searchsorted([0.2, 1.0, 5.0], rate, "right").astype(np.int64)
    aged = velocity * 2 + (days >= young_days)
    return {
        "velocity": velocity,
        "velocity_age": aged,
        "velocity_age_zeros": aged * 3 + np.searchsorted([0.3, 0.7], zeros),
    }


def stretch(panel: Panel, origin: int, gbm: GbmSettings | None, *, clean: bool) -> Stretch:
    """All methods at one origin. gbm: None leaves the global model out. clean: only days without
    a stock-out, as the choice of the champion counts them."""
    seen = panel.cut(origin)
    source = demand_panel(seen) if (gbm or LARGE_SETTINGS.gbm).target == "demand" else seen
    made = {name: method(source) for name, method in SIMPLE.items()}
    if gbm is not None:
        made[GLOBAL] = GlobalGbm(gbm).fit(seen).predict_both(seen).mean
    actual = panel.sales[:, origin : origin + panel.horizon_days]
    known = ~np.isnan(actual)
    if clean:
        known &= uncensored_days(panel)[:, origin : origin + panel.horizon_days]
    sold = np.where(known, actual, 0).sum(1, dtype=np.float64)
    told = {name: np.where(known, one, 0).sum(1, dtype=np.float64) for name, one in made.items()}
    return Stretch(
        sold,
        {name: np.abs(one - sold) for name, one in told.items()},
        segments(seen, 8 * panel.horizon_days),
    )


def best(past: Sequence[Stretch], by: str, code: int | None) -> str:
    """The champion of a segment (None = of all) on earlier hold-outs, the newest first."""

    def part(one: Stretch) -> NDArray[np.bool_]:
        return np.ones(len(one.sold), bool) if code is None else one.segments[by] == code

    def mean(name: str) -> float:
        scores = [score for one in past if np.isfinite(score := one.wape(name, part(one)))]
        return float(np.mean(scores)) if scores else float("inf")

    simple = min(SIMPLE, key=mean)
    newest = past[0]
    beaten = newest.wape(GLOBAL, part(newest)) > newest.wape(simple, part(newest))
    return simple if beaten else GLOBAL


def judged(past: Sequence[Stretch], came: Stretch) -> dict[str, float]:
    """WAPE of one origin under each way to choose."""
    whole = np.ones(len(came.sold), bool)
    general = best(past, "", None)
    found = {"one_champion": came.wape(general, whole)}
    for by in SEGMENTS:
        code = came.segments[by]
        for least in LEAST:
            error = 0.0
            for one in np.unique(code):
                part = code == one
                chosen = best(past, by, int(one)) if part.sum() >= least else general
                error += float(came.errors[chosen][part].sum())
            found[f"{by}_from_{least}"] = error / float(came.sold.sum())
        least_error = sum(
            min(float(came.errors[name][code == one].sum()) for name in METHODS)
            for one in np.unique(code)
        )
        found[f"{by}_hindsight"] = least_error / float(came.sold.sum())
    return found


def measured(panel: Panel, origins: Sequence[int], settings: ChampionSettings) -> dict[str, Figure]:
    """Mean WAPE over the origins of each way to choose, and the gain of each over one champion."""
    rows = []
    effort = settings.holdout_effort
    for origin in origins:
        gbm = sized(settings, panel.cut(origin)).gbm
        smaller = dataclasses.replace(
            gbm,
            rows=int(gbm.rows * effort),
            trees=int(gbm.trees * effort),
            learning_rate=min(gbm.learning_rate / effort, 0.3),
        )
        came = stretch(panel, origin, gbm, clean=False)
        past = [
            stretch(
                panel,
                origin - back * panel.horizon_days,
                smaller if back == 1 else None,
                clean=True,
            )
            for back in range(1, HOLDOUTS + 1)
        ]
        rows.append(judged(past, came))
        print(origin, rows[-1], flush=True)
    mean = {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}
    worst = {
        name: round(max(row[name] - row["one_champion"] for row in rows), 4) for name in rows[0]
    }
    return {"wape": mean, "worst_origin_against_one_champion": worst}


def main() -> None:
    """Measure and write bench/results/segments.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    data = parser.parse_args().data
    fresh = read_panel(data / "freshretailnet50k" / "train_daily.parquet")
    fresh = fresh.only(np.random.default_rng(SEED).permutation(fresh.series)[:SERIES])
    weeks = [fresh.days - HORIZON_DAYS * back for back in range(ORIGINS, 0, -1)]
    found = {f"fresh_{k}": v for k, v in measured(fresh, weeks, LARGE_SETTINGS).items()}
    items = read_items(
        data / "iowa_liquor",
        first=FIRST,
        last=LAST,
        seen=TUNE.start,
        horizon_days=IOWA_HORIZON_DAYS,
    )
    quarters = [(week - FIRST).days for week in FIRST_WEEKS]
    found |= {f"iowa_{k}": v for k, v in measured(items.panel, quarters, IOWA).items()}
    path = write_results("segments", found)
    for name, value in found.items():
        print(f"{name}: {value}")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
