"""The global model of weekly series: the log-ratio of a week to last year's week times growth.

One model (LightGBM, absolute error weighted by size) learns from all series, all origins of the
past and all weeks of the horizon at once. Features are ratios, so that big and small series
speak the same language: growth over several spans, the weeks around last year's week, the
seasonal indices of earlier years, the same of the total, and the calendar.
"""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Final

import numpy as np

from sanhe.models.forecast.panel import F32, F64

YEAR_WEEKS: Final = 52
GROWTH_LIMIT: Final = 1.0
GROWTH_SPANS: Final = (4, 8, 13, 26, 52)
BASE_SPAN: Final = 26
FEATURE_WEEKS: Final = 2 * YEAR_WEEKS
LEAST_TRAINING_WEEKS: Final = FEATURE_WEEKS + YEAR_WEEKS
SOFT_SHARE: Final = 0.05
TARGET_LIMIT: Final = 2.0
EVENT_WEEKS: Final = 3.0


@dataclasses.dataclass(frozen=True, slots=True)
class WeeklyPanel:
    """N weekly series of T weeks and what is known of the H weeks ahead.

    sales: [N, T], 0 or more, up to the week before the first forecast week. calendar: [K, T + H],
    numbers known ahead: the week of the year, weeks to the nearest of each yearly event.
    """

    sales: F64
    calendar: F64
    horizon_weeks: int = 13

    def __post_init__(self) -> None:
        if self.calendar.shape[1] != self.weeks + self.horizon_weeks:
            raise ValueError(
                f"the calendar has {self.calendar.shape[1]} weeks, not {self.weeks} of history"
                f" and {self.horizon_weeks} ahead"
            )
        if not np.isfinite(self.sales).all() or (self.sales < 0).any():
            raise ValueError("weekly sales must be finite and not below 0")

    @property
    def series(self) -> int:
        """How many series there are."""
        return len(self.sales)

    @property
    def weeks(self) -> int:
        """How many weeks of history there are."""
        return int(self.sales.shape[1])

    def cut(self, origin: int) -> "WeeklyPanel":
        """The panel as it was after `origin` weeks of history."""
        ahead = origin + self.horizon_weeks
        return WeeklyPanel(self.sales[:, :origin], self.calendar[:, :ahead], self.horizon_weeks)


def weekly_calendar(
    first_week: datetime.date, weeks: int, yearly_events: Sequence[Sequence[datetime.date]] = ()
) -> F64:
    """What is known of each week ahead: its place in the year, and how far events are.

    first_week: the first day of the first week. yearly_events: for each kind of event its days,
    past and to come (Spring Festival moves from year to year). Returns [1 + events, weeks]: the
    day of the year by 7, then the weeks from the nearest day of the event to the start of the
    week, within +-3; 3 for an event without days.
    """
    starts = [first_week + datetime.timedelta(days=7 * week) for week in range(weeks)]
    rows = [np.array([day.timetuple().tm_yday / 7 for day in starts])]
    ordinals = np.array([day.toordinal() for day in starts])
    for days in yearly_events:
        gaps = ordinals[:, None] - np.array([day.toordinal() for day in days])[None]
        nearest = np.full(weeks, EVENT_WEEKS * 7)
        if len(days):
            nearest = gaps[np.arange(weeks), np.abs(gaps).argmin(1)]
        rows.append(np.clip(nearest / 7, -EVENT_WEEKS, EVENT_WEEKS))
    return np.array(rows, np.float64)


def last_year(panel: WeeklyPanel) -> F64:
    """The weeks of the horizon, 52 weeks earlier, [N, H]; the last year again beyond 52."""
    back = panel.weeks - YEAR_WEEKS + np.arange(panel.horizon_weeks) % YEAR_WEEKS
    return np.asarray(panel.sales[:, back], np.float64)


def growth(sales: F64, weeks: int) -> F64:
    """ln of the last `weeks` weeks over the same a year before, within +-1, [N]; 0 when unsure.

    The year before may reach back further than the history: then only what is there counts.
    """
    span = min(weeks, sales.shape[1] - YEAR_WEEKS)
    now = sales[:, -span:].sum(1)
    before = sales[:, -YEAR_WEEKS - span : sales.shape[1] - YEAR_WEEKS].sum(1)
    soft = SOFT_SHARE * sales[:, -YEAR_WEEKS:].mean(1) * span + 1e-9
    ratio = np.log((now + soft) / (before + soft))
    return np.asarray(np.clip(ratio, -GROWTH_LIMIT, GROWTH_LIMIT), np.float64)


@dataclasses.dataclass(frozen=True, slots=True)
class YearlyRatioModel:
    """Settings of the global model; every `stride`-th earlier week is an origin to learn from."""

    trees: int = 200
    leaves: int = 15
    learning_rate: float = 0.05
    least_rows: int = 100
    stride: int = 2
    seed: int = 1
    threads: int = 1

    def forecast(self, panel: WeeklyPanel) -> F64:
        """Fit on the history and forecast its horizon, [N, H].

        Raises ValueError when the history is below LEAST_TRAINING_WEEKS.
        """
        import lightgbm as lgb

        if panel.weeks < LEAST_TRAINING_WEEKS:
            raise ValueError(f"{panel.weeks} weeks are too few, {LEAST_TRAINING_WEEKS} are needed")
        x, y, weight = self._training(panel)
        data = lgb.Dataset(x, y, weight=weight, params={"max_bin": 63, "verbose": -1})
        params = {
            "objective": "l1",
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.least_rows,
            "feature_fraction": 0.5,
            "bagging_fraction": 0.7,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "max_bin": 63,
            "num_threads": self.threads,
            "seed": self.seed,
            "deterministic": True,
            "verbose": -1,
        }
        model = lgb.train(params, data, self.trees)
        ahead, base = features(panel)
        flat = ahead.reshape(-1, ahead.shape[2])
        ratio = np.asarray(model.predict(flat, num_threads=self.threads)).reshape(base.shape)
        made = base * ((1 + SOFT_SHARE) * np.exp(ratio) - SOFT_SHARE)
        return np.asarray(np.maximum(made, 0.0), np.float64)

    def _training(self, panel: WeeklyPanel) -> tuple[F32, F64, F64]:
        """Features, targets and weights of all known weeks after earlier origins."""
        rows: list[F32] = []
        targets: list[F64] = []
        weights: list[F64] = []
        for origin in range(panel.weeks - 1, FEATURE_WEEKS - 1, -self.stride):
            known = min(panel.horizon_weeks, panel.weeks - origin)
            x, base = features(panel.cut(origin))
            base = base[:, :known].ravel()
            came = panel.sales[:, origin : origin + known].ravel()
            rows.append(x[:, :known].reshape(-1, x.shape[2]))
            targets.append(np.log((came + SOFT_SHARE * base) / ((1 + SOFT_SHARE) * base)))
            weights.append(base)
        weight = np.concatenate(weights)
        target = np.clip(np.concatenate(targets), -TARGET_LIMIT, TARGET_LIMIT)
        return np.concatenate(rows), target, weight / weight.mean()


def features(panel: WeeklyPanel) -> tuple[F32, F64]:
    """What the model sees of each series and week ahead, [N, H, F], and its base, [N, H]."""
    n, h = panel.series, panel.horizon_weeks
    own, base = _ratios(panel)
    total, _ = _ratios(dataclasses.replace(panel, sales=panel.sales.sum(0, keepdims=True)))
    ahead = panel.calendar[:, panel.weeks :]
    before = panel.calendar[:, panel.weeks - YEAR_WEEKS : panel.weeks - YEAR_WEEKS + h]
    shared = [np.arange(1, h + 1), *ahead, *(ahead - before)]
    year = panel.sales[:, -YEAR_WEEKS:].mean(1)
    size = np.log((year + 1.0) / (year.sum() + 1.0))
    columns = [
        *own,
        *(np.repeat(one, n, axis=0) for one in total),
        *(np.repeat(np.asarray(one, np.float64)[None], n, axis=0) for one in shared),
        np.repeat(size[:, None], h, axis=1),
        np.repeat(_unrest(panel.sales)[:, None], h, axis=1),
    ]
    return np.stack(columns, axis=2).astype(np.float32), base


def _unrest(sales: F64) -> F64:
    """Mean absolute log change from week to week over the last half year, [N]."""
    soft = SOFT_SHARE * sales[:, -YEAR_WEEKS:].mean(1, keepdims=True) + 1.0
    return np.asarray(np.abs(np.diff(np.log(sales[:, -BASE_SPAN:] + soft))).mean(1), np.float64)


def _ratios(panel: WeeklyPanel) -> tuple[list[F64], F64]:
    """Log-ratios [N, H] of levels, growth and seasons to the base, and the base itself."""
    sales, h = panel.sales, panel.horizon_weeks
    soft = SOFT_SHARE * sales[:, -YEAR_WEEKS:].mean(1, keepdims=True) + 1.0
    year = np.log(last_year(panel) + soft)
    grown = {weeks: growth(sales, weeks) for weeks in GROWTH_SPANS}
    log_base = year + grown[BASE_SPAN][:, None]
    level = [np.log(sales[:, -weeks:].mean(1, keepdims=True) + soft) for weeks in (4, 13, 52)]
    spans = [grown[weeks] - grown[BASE_SPAN] * (weeks != BASE_SPAN) for weeks in GROWTH_SPANS]
    around = {lag: _lagged(sales, lag, h) for lag in range(YEAR_WEEKS - 4, YEAR_WEEKS + 5)}
    near = np.mean([around[lag] for lag in range(YEAR_WEEKS - 1, YEAR_WEEKS + 2)], axis=0)
    wide = np.mean(list(around.values()), axis=0)
    index = _index(sales, YEAR_WEEKS, h, soft=soft)
    ratios = [
        *(one - log_base for one in level),
        *(np.repeat(one[:, None], h, axis=1) for one in spans),
        *(np.log(one + soft) - year for one in (around[51], around[53], near, wide)),
        index,
        *(_index(sales, YEAR_WEEKS * years, h, soft=soft) - index for years in (2, 3)),
    ]
    return ratios, np.exp(log_base)


def _lagged(sales: F64, lag: int, weeks: int) -> F64:
    start = sales.shape[1] - lag
    return sales[:, start : start + weeks]


def _index(sales: F64, lag: int, weeks: int, *, soft: F64) -> F64:
    """ln of the weeks `lag` back over the mean of the year around them; nan before the history."""
    half = YEAR_WEEKS // 2
    start = sales.shape[1] - lag
    if start - half < 0:
        return np.full((len(sales), weeks), np.nan)
    around = sales[:, start - half : start + half].mean(1, keepdims=True)
    return np.asarray(np.log((sales[:, start : start + weeks] + soft) / (around + soft)))
