"""The value of forecast and order rules on Iowa liquor: a warehouse, lead time 7-28 days.

See bench.policy_value for both policies. Lines: the items that the state's warehouse ships to the
153 kept stores (store_orders summed by item and day), sold on 50 days and more of the year before
the tuning weeks. Reviewed on Mondays, ordered in whole cases (`pack` of the item master). The
lead time is drawn per vendor, 7, 14, 21 or 28 days; relative lateness comes from the SCMS
delivery history; costs are the bottle costs of the master, the margin is the same share for all
(bench/assumptions_iowa.toml). Test weeks: 51 weeks from 2020-01-06; the cover is tuned on 26
weeks from 2019-07-01; 8 weeks of warm-up each. Stock-outs are not recorded: demand is what was
shipped.

    python -m bench.policy_iowa --data FOLDER --lateness SCMS_FILE [--seeds 20]

Writes its part of bench/results/policy.json.
"""

import argparse
import dataclasses
import datetime
import tomllib
from pathlib import Path

import numpy as np

from bench.iowa_dc import Items, read_items
from bench.lateness import read_lateness
from bench.policy_results import keep_part
from bench.policy_value import Case, Stretch, run_case, velocity_of, whole_demand
from sanhe.models.forecast import ACCURATE, ChampionSettings, FeatureNames
from sanhe.models.replay import Grid, Lateness, Terms

ASSUMED = Path(__file__).parent / "assumptions_iowa.toml"
FIRST, LAST = datetime.date(2018, 1, 1), datetime.date(2020, 12, 31)
WARM_DAYS, HORIZON_DAYS = 56, 35
TUNE = Stretch((datetime.date(2019, 7, 1) - FIRST).days - WARM_DAYS, WARM_DAYS, 26 * 7)
TEST = Stretch((datetime.date(2020, 1, 6) - FIRST).days - WARM_DAYS, WARM_DAYS, 51 * 7)
ROWS = 250_000
"""A third of the panel's days, as goods.demand sizes the model."""


def case_of(items: Items, lateness: Lateness) -> Case:
    """The warehouse with the assumed terms."""
    assumed = tomllib.loads(ASSUMED.read_text(encoding="utf-8"))
    demand = whole_demand(items.panel)
    lines = items.panel.series
    drawn = np.random.default_rng(assumed["seed"]).choice(
        assumed["lead_time_days"], int(items.vendor.max()) + 1
    )
    weekday = np.zeros((lines, 7), np.bool_)
    weekday[:, assumed["order_weekday"] - 1] = True
    names, group = np.unique(items.category, return_inverse=True)
    margin = items.cost_cents * assumed["margin_rate"] / (1 - assumed["margin_rate"])
    return Case(
        name="iowa",
        panel=items.panel,
        demand=demand,
        terms=Terms(
            lead_time_days=drawn[items.vendor].astype(np.int64),
            case_size=items.pack,
            moq=items.pack,
            shelf_life_days=np.zeros(lines, np.int64),
            order_weekday=weekday,
            unit_cost_cents=items.cost_cents,
            margin_cents=margin,
        ),
        base_units=assumed["base_units"],
        review_days=7,
        lateness=lateness,
        velocity=velocity_of(demand, TUNE.start),
        group=group.astype(np.int64),
        groups=tuple(str(name) for name in names),
        counted=True,
    )


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder iowa_liquor")
    parser.add_argument("--lateness", type=Path, required=True, help="scms_delivery.parquet")
    parser.add_argument("--seeds", type=int, default=20)
    chosen = parser.parse_args()
    for path in (chosen.data / "store_orders.parquet", chosen.lateness):
        if not path.is_file():
            parser.error(f"{path} is not a file")
    items = read_items(
        chosen.data, first=FIRST, last=LAST, seen=TUNE.start, horizon_days=HORIZON_DAYS
    )
    gbm = dataclasses.replace(
        ACCURATE.gbm, rows=ROWS, median=False, names=FeatureNames(places=("vendor",))
    )
    ratio, figures = run_case(
        case_of(items, read_lateness(chosen.lateness)),
        tune=TUNE,
        test=TEST,
        settings=ChampionSettings(gbm=gbm),
        refit_days=91,
        grid=Grid(tuple(np.round(np.arange(0.8, 3.01, 0.1), 2))),
        target_fill=0.97,
        seeds=chosen.seeds,
    )
    for name, value in figures.items():
        print(name, value)
    print(f"ratio {ratio}; {keep_part('iowa', figures, ratio=ratio)}")


if __name__ == "__main__":
    main()
