"""The value of forecast and order rules on FreshRetailNet: lead time 1-3 days, daily review.

See bench.policy_value for both policies. The last 21 days are the test weeks; the cover is tuned on
the 21 days before them (7 days of warm-up each). Quantities are normalised: 0.01 is one base unit.
Demand is estimated: hours out of stock are filled (models.forecast.demand_panel); raw sales are the
second figure. Lead times are drawn per line, 1, 2 or 3 days, all cost the same (assumptions in
bench/assumptions_freshretailnet.toml); relative lateness comes from the SCMS delivery history.
Promotions and holidays are known ahead, the weather is not used.

    python -m bench.policy_freshretailnet --data FILE --lateness SCMS_FILE [--every 1] [--seeds 20]

Writes its part of bench/results/policy.json.
"""

import argparse
import dataclasses
import tomllib
from pathlib import Path

import numpy as np

from bench.freshretailnet import NAMES, WEATHER, read_panel
from bench.lateness import read_lateness
from bench.policy_results import keep_part
from bench.policy_value import Case, Stretch, run_case, velocity_of, whole_demand
from sanhe.models.forecast import ACCURATE, ChampionSettings, Panel
from sanhe.models.replay import Grid, Lateness, plain_terms

ASSUMED = Path(__file__).parent / "assumptions_freshretailnet.toml"
TUNE, TEST = Stretch(41, 7, 21), Stretch(62, 7, 21)
HORIZON_DAYS = 5


def case_of(panel: Panel, lateness: Lateness) -> Case:
    """The data set with the assumed terms."""
    assumed = tomllib.loads(ASSUMED.read_text(encoding="utf-8"))
    panel = panel.cut(panel.days, panel.horizon_days)
    demand = whole_demand(panel) * np.float32(assumed["base_units"])
    low, high = assumed["lead_time_days"]
    drawn = np.random.default_rng(assumed["seed"]).integers(low, high + 1, panel.series)
    column = panel.static_names.index("first_category_id")
    codes, group = np.unique(panel.static[:, column], return_inverse=True)
    return Case(
        name="freshretailnet",
        panel=panel,
        demand=demand,
        terms=plain_terms(drawn, unit_cost_cents=assumed["unit_cost_cents"]),
        base_units=assumed["base_units"],
        review_days=assumed["review_days"],
        lateness=lateness,
        velocity=velocity_of(demand, TUNE.start),
        group=group.astype(np.int64),
        groups=tuple(f"category {code}" for code in codes),
        counted=False,
    )


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="train_daily.parquet")
    parser.add_argument("--lateness", type=Path, required=True, help="scms_delivery.parquet")
    parser.add_argument("--every", type=int, default=1, help="take every n-th series only")
    parser.add_argument("--seeds", type=int, default=20)
    chosen = parser.parse_args()
    for path in (chosen.data, chosen.lateness):
        if not path.is_file():
            parser.error(f"{path} is not a file")
    panel = read_panel(chosen.data).without(WEATHER)
    panel = dataclasses.replace(
        panel.only(np.arange(0, panel.series, chosen.every)),
        known=panel.known[:: chosen.every, : panel.days + HORIZON_DAYS],
        horizon_days=HORIZON_DAYS,
    )
    case = case_of(panel, read_lateness(chosen.lateness))
    gbm = dataclasses.replace(ACCURATE.gbm, names=NAMES, median=False)
    raw = np.nan_to_num(case.panel.sales.T) * np.float32(case.base_units)
    ratio, figures = run_case(
        case,
        tune=TUNE,
        test=TEST,
        settings=ChampionSettings(gbm=gbm),
        refit_days=14,
        grid=Grid(tuple(np.round(np.arange(0.8, 4.01, 0.1), 2))),
        target_fill=0.97,
        seeds=chosen.seeds,
        also=np.ascontiguousarray(raw, np.float32),
    )
    for name, value in figures.items():
        print(name, value)
    print(f"ratio {ratio}; {keep_part('freshretailnet', figures, ratio=ratio)}")


if __name__ == "__main__":
    main()
