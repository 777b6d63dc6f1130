"""One gradient-boosted model for all series (LightGBM), direct over the horizon.

The mean is fitted with the Tweedie deviance (variance power 1.2) on top of a log-baseline offset:
mu = base exp(f(x)). The median is fitted with absolute errors of y / base weighted by base, which
is the sum of absolute errors of y. The mean serves stock; the median is what WAPE rewards.
Tweedie: Jorgensen (1987); boosting: Ke et al. (2017), LightGBM.
"""

import dataclasses
import json
import os
from typing import Any, Literal

import numpy as np

from sanhe.models.forecast.censoring import demand_panel
from sanhe.models.forecast.features import rows
from sanhe.models.forecast.history import FeatureNames, History, prepare
from sanhe.models.forecast.panel import F32, I64, Bool, Panel

Target = Literal["sales", "demand"]
MOST_CATEGORIES = 300


@dataclasses.dataclass(frozen=True, slots=True)
class GbmSettings:
    """How the global model is fitted.

    target: "sales" as they come, or "demand" with stock-outs taken out.
    rows: training rows, sampled over series, origins and horizons.
    trees, leaves, learning_rate, feature_share, row_share, least_rows: LightGBM's.
    least_history_days: earliest origin used for training.
    history_days: origins older than this are not used (two years keep both seasons).
    threads: at most 2 by default; more is faster where cores are free.
    """

    target: Target = "demand"
    rows: int = 400_000
    trees: int = 250
    leaves: int = 127
    learning_rate: float = 0.06
    feature_share: float = 0.5
    row_share: float = 0.7
    least_rows: int = 100
    bins: int = 127
    least_history_days: int = 21
    history_days: int = 730
    window_days: int = 56
    tweedie_power: float = 1.2
    median: bool = True
    names: FeatureNames = dataclasses.field(default_factory=FeatureNames)
    threads: int = 2
    seed: int = 1

    def __post_init__(self) -> None:
        if self.target not in ("sales", "demand"):
            raise ValueError(f"target must be sales or demand, got {self.target!r}")
        if min(self.rows, self.trees, self.threads, self.least_history_days) < 1:
            raise ValueError("rows, trees, threads and least_history_days must be at least 1")
        if not 1 < self.tweedie_power < 2:
            raise ValueError(f"tweedie_power must lie in (1, 2), got {self.tweedie_power}")


@dataclasses.dataclass(frozen=True, slots=True)
class Prediction:
    """Per series and day, [N, H]: the mean, to plan stock with, and the median, the point figure.

    The median is half-way between the mean and what the model of least absolute error gives.
    """

    mean: F32
    median: F32


class GlobalGbm:
    """The global model before it is fitted."""

    def __init__(self, settings: GbmSettings | None = None) -> None:
        self.settings = settings or GbmSettings()

    def fit(self, panel: Panel) -> "FittedGbm":
        """Fit on every day of the panel's history.

        Raises ValueError when the history is shorter than least_history_days + 1 or nothing sold.
        """
        chosen = self.settings
        if panel.days <= chosen.least_history_days:
            raise ValueError(
                f"{panel.days} days of history are too few: the global model needs more than"
                f" {chosen.least_history_days}; use same_weekday_mean or tsb"
            )
        history = prepare(_target_panel(panel, chosen), chosen.names)
        if not history.sales.any():
            raise ValueError("nothing was ever sold in this panel; there is nothing to learn")
        names, x, base, y = training_rows(history, panel.horizon_days, chosen)
        boosters = [_fit_mean(x, base, y, names=names, settings=chosen)]
        if chosen.median:
            boosters.append(_fit_median(x, base, y, names=names, settings=chosen))
        return FittedGbm(chosen, tuple(names), tuple(boosters))


@dataclasses.dataclass(frozen=True, slots=True)
class FittedGbm:
    """A fitted global model: settings, feature names, the boosters of mean and median."""

    settings: GbmSettings
    names: tuple[str, ...]
    boosters: tuple[Any, ...]

    def predict(self, panel: Panel) -> F32:
        """The mean of each series and day of the horizon, [N, H]."""
        return self.predict_both(panel).mean

    def predict_both(self, panel: Panel, series: I64 | None = None) -> Prediction:
        """Mean and median of each day of the horizon: of all series, or of `series` (indexes [S]).

        A series is forecast alike whoever else is asked for: the others are its neighbourhood.
        """
        chosen = np.arange(panel.series) if series is None else series
        history = prepare(self.learned_panel(panel), self.settings.names)
        mean = np.empty((len(chosen), panel.horizon_days), np.float32)
        median = np.empty_like(mean)
        for h in range(panel.horizon_days):
            x, base = self._rows(history, h, chosen)
            mean[:, h] = np.exp(self._raw(0, x)) * base
            median[:, h] = mean[:, h]
            if len(self.boosters) > 1:
                # Half-way between both models errs less than either (Bates and Granger 1969).
                least_absolute = np.maximum(self._raw(1, x), 0.0) * base
                median[:, h] = 0.5 * (mean[:, h] + least_absolute)
        return Prediction(mean, median)

    def learned_panel(self, panel: Panel) -> Panel:
        """The panel as the model sees it: with stock-outs taken out where it learns demand."""
        return _target_panel(panel, self.settings)

    def mean_at(self, panel: Panel, cells: Bool) -> F32:
        """The mean of some series-days, chosen by the mask `cells` [N, H]; nan elsewhere.

        panel: one from `learned_panel`, so that its known inputs can be changed many times
        while its stock-outs are taken out once.
        """
        history = prepare(panel, self.settings.names)
        mean = np.full(cells.shape, np.nan, np.float32)
        for h in np.flatnonzero(cells.any(0)):
            series = np.flatnonzero(cells[:, h])
            x, base = self._rows(history, int(h), series)
            mean[series, h] = np.exp(self._raw(0, x)) * base
        return mean

    def dump(self) -> bytes:
        """The fitted model as bytes (JSON around LightGBM's own text); `load` reads them."""
        content = {
            "settings": dataclasses.asdict(self.settings),
            "names": self.names,
            "boosters": [booster.model_to_string() for booster in self.boosters],
        }
        return json.dumps(content).encode()

    @classmethod
    def load(cls, kept: bytes) -> "FittedGbm":
        """The model that was dumped; it predicts to the last bit what the original does."""
        import lightgbm

        content = json.loads(kept)
        settings = dict(content["settings"])
        names = {name: _frozen(value) for name, value in settings.pop("names").items()}
        return cls(
            GbmSettings(**settings, names=FeatureNames(**names)),
            tuple(content["names"]),
            tuple(lightgbm.Booster(model_str=text) for text in content["boosters"]),
        )

    def _rows(self, history: History, ahead: int, series: I64) -> tuple[F32, F32]:
        """Features [S, C] and base [S] of the day `ahead` days after the first of the horizon."""
        columns, base = rows(
            history,
            history.days,
            series,
            horizon=np.full(len(series), ahead + 1),
            window_days=self.settings.window_days,
        )
        return np.stack([columns[name] for name in self.names], axis=1), base

    def _raw(self, k: int, x: F32) -> F32:
        threads = self.settings.threads
        raw = self.boosters[k].predict(x, raw_score=True, num_threads=threads)
        return np.asarray(raw, np.float32)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def training_rows(
    history: History, horizon_days: int, settings: GbmSettings
) -> tuple[list[str], F32, F32, F32]:
    """Sampled rows: feature names, x [n, C], base [n], y [n]. Only days inside the history."""
    rng = np.random.default_rng(settings.seed)
    first = max(settings.least_history_days, history.days - settings.history_days)
    origins = np.arange(first, history.days)
    each = max(settings.rows // len(origins), 1)
    blocks: list[tuple[F32, F32, F32]] = []
    names: list[str] = []
    for origin in origins:
        reach = min(horizon_days, history.days - int(origin))
        series = rng.integers(0, len(history.sales), each)
        horizon = rng.integers(1, reach + 1, each)
        series, horizon = _usable(history, int(origin), series, horizon=horizon)
        if not len(series):
            continue
        columns, base = rows(
            history, int(origin), series, horizon=horizon, window_days=settings.window_days
        )
        names = list(columns)
        blocks.append(
            (
                np.stack(list(columns.values()), axis=1),
                base,
                history.sales[series, origin + horizon - 1],
            )
        )
    if not blocks:
        raise ValueError("no day of the history can be learned from; all are dropped or unseen")
    x, base, y = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return names, x, base, y


def _usable(history: History, origin: int, series: I64, *, horizon: I64) -> tuple[I64, I64]:
    """Rows whose target was seen and whose series had been seen before the origin."""
    target = history.seen[series, origin + horizon - 1] > 0
    began = history.seen[series, max(0, origin - 28) : origin].any(1)
    keep = target & began
    return series[keep], horizon[keep]


def _target_panel(panel: Panel, settings: GbmSettings) -> Panel:
    return demand_panel(panel) if settings.target == "demand" else panel


def _fit_mean(x: F32, base: F32, y: F32, *, names: list[str], settings: GbmSettings) -> object:
    extra = {"objective": "tweedie", "tweedie_variance_power": settings.tweedie_power}
    data = {"label": y, "init_score": np.log(base)}
    return _train(x, data, names, settings=settings, extra=extra)


def _fit_median(x: F32, base: F32, y: F32, *, names: list[str], settings: GbmSettings) -> object:
    data = {"label": y / base, "weight": base}
    return _train(x, data, names, settings=settings, extra={"objective": "l1"})


def _train(
    x: F32,
    data: dict[str, F32],
    names: list[str],
    *,
    settings: GbmSettings,
    extra: dict[str, object],
) -> object:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve each other
    import lightgbm

    codes = [
        k
        for k, name in enumerate(names)
        if name.startswith("code_") and len(np.unique(x[:, k])) <= MOST_CATEGORIES
    ]
    ignored = [k for k, name in enumerate(names) if name.startswith("code_") and k not in codes]
    parameters = {
        "num_threads": settings.threads,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.least_rows,
        "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "max_bin": settings.bins,
        "cat_smooth": 50,
        "verbose": -1,
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "ignore_column": ignored,
        **extra,
    }
    dataset = lightgbm.Dataset(
        x, feature_name=names, categorical_feature=codes, params=parameters, **data
    )
    return lightgbm.train(parameters, dataset, settings.trees)
