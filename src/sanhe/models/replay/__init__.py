"""Replay recorded demand under any ordering rule, many fates at once.

A `Record` is a stretch of demand with the terms of its lines; `draw_fates` draws what chance does
once for all rules; `replay` runs a rule day by day, all seeds and lines as arrays. Arrays in,
arrays out; errors are ValueError.
"""

from sanhe.models.replay.compare import (
    HOLDING_RATE_PER_YEAR,
    Row,
    Totals,
    Verdict,
    compared_rows,
    half_width,
)
from sanhe.models.replay.engine import Morning, Played, Rule, replay, totals_of
from sanhe.models.replay.equal_fill import (
    Grid,
    Standing,
    days_at,
    standing,
    tuned_cover,
)
from sanhe.models.replay.record import (
    Fates,
    Lateness,
    Record,
    Terms,
    draw_fates,
    plain_terms,
)
from sanhe.models.replay.rules import (
    Cover,
    LevelRule,
    Levels,
    cover_rule,
    fixed_levels,
    in_cases,
    no_orders,
    recent_mean,
)

__all__ = [
    "HOLDING_RATE_PER_YEAR",
    "Cover",
    "Fates",
    "Grid",
    "Lateness",
    "LevelRule",
    "Levels",
    "Morning",
    "Played",
    "Record",
    "Row",
    "Rule",
    "Standing",
    "Terms",
    "Totals",
    "Verdict",
    "compared_rows",
    "cover_rule",
    "days_at",
    "draw_fates",
    "fixed_levels",
    "half_width",
    "in_cases",
    "no_orders",
    "plain_terms",
    "recent_mean",
    "replay",
    "standing",
    "totals_of",
    "tuned_cover",
]
