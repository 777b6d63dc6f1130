"""bench/results/policy.json holds the figures of three benchmarks; each replaces its own part.

Figures: inventory_days_ratio_at_equal_fill {freshretailnet, iowa} from bench.policy_freshretailnet
and bench.policy_iowa, headline {days_before, days_after, fill} from bench.policy_headline, and
beside them those that start with the part's name.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from bench.results_file import RESULTS, Figure, write_results

RATIO = "inventory_days_ratio_at_equal_fill"


def keep_part(
    part: str, figures: Mapping[str, Figure], *, ratio: float | None = None, folder: Path = RESULTS
) -> Path:
    """Put the figures of one part (`part` or `part_...`) in place of its former ones."""
    path = folder / "policy.json"
    found: dict[str, Figure] = {}
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))["figures"]
    kept = {name: value for name, value in found.items() if not name.startswith(part)}
    if ratio is not None:
        before = kept.get(RATIO)
        ratios = dict(before) if isinstance(before, dict) else {}
        kept = {RATIO: {**ratios, part: ratio}, **{k: v for k, v in kept.items() if k != RATIO}}
    return write_results("policy", {**kept, **figures}, folder)
