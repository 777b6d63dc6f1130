"""The plan's headline: 60 days of stock to under 30 at a fill rate of 97 % and more.

In the simulated retailer of `sim.department_world`, against its committed old policy. Both were
written down before any policy of ours ran there. The old policy runs 39 weeks, then each policy
goes its own way for 13 weeks uncounted and 13 counted, with the same shoppers and suppliers.

    python -m bench.policy_headline [--seeds 20] [--workers 2]

Figures (in policy.json): headline {days_before, days_after, fill, fill_before, low and high of the
difference in days, profit_gain as a share of the old profit}; 95 % intervals, by places.
"""

import argparse

from bench.policy_results import keep_part
from sanhe.sim import WhatIf, department_cover, department_world, what_if

WEEKS = 13


def main() -> None:
    """Run the benchmark and write its part of bench/results/policy.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many retailers, 1..")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    chosen = parser.parse_args()
    compared = what_if(
        department_world(),
        weeks=WEEKS,
        settle_weeks=WEEKS,
        seeds=range(1, chosen.seeds + 1),
        old=department_cover,
        workers=chosen.workers,
        progress=lambda done, total: print(f"{done} of {total} retailers", flush=True),
    )
    headline = figures(compared)
    print(headline, compared.verdict)
    path = keep_part("headline", {"headline": headline, "headline_by_class": by_class(compared)})
    print(f"written to {path}")


def figures(compared: WhatIf) -> dict[str, float]:
    """The headline and its intervals."""
    days, fill, profit = (compared.row(n) for n in ("inventory_days", "fill_rate", "profit"))
    return {
        "days_before": round(days.old, 2),
        "days_after": round(days.new, 2),
        "days_difference_low": round(days.low, 2),
        "days_difference_high": round(days.high, 2),
        "fill": round(fill.new, 4),
        "fill_before": round(fill.old, 4),
        "fill_difference_low": round(fill.low, 4),
        "fill_difference_high": round(fill.high, 4),
        "profit_gain_share": round(profit.difference / profit.old, 4),
        "profit_gain_share_low": round(profit.low / profit.old, 4),
        "profit_gain_share_high": round(profit.high / profit.old, 4),
        "seeds": len(compared.seeds),
    }


def by_class(compared: WhatIf) -> dict[str, float]:
    """Mean over the seeds of days and fill of each velocity class, before and after."""
    found: dict[str, float] = {}
    table = compared.classes.group_by(["class", "policy"]).aggregate(
        [("inventory_days", "mean"), ("fill_rate", "mean")]
    )
    for row in table.to_pylist():
        when = "before" if row["policy"] == compared.old else "after"
        found[f"{row['class']}_days_{when}"] = round(row["inventory_days_mean"], 2)
        found[f"{row['class']}_fill_{when}"] = round(row["fill_rate_mean"], 4)
    return found


if __name__ == "__main__":
    main()
