"""The façade of demand: panels, forecast runs, backtests over one lake."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sanhe.core.errors import BadInput, NotFound
from sanhe.goods.demand.backtest import backtest_table
from sanhe.goods.demand.forecasting import Progress, make_run, run_id, silent
from sanhe.goods.demand.methods import CHAMPION, METHODS
from sanhe.goods.demand.panel import DemandPanel, build_panel
from sanhe.goods.demand.store import find_run, last_day, load_run, save_run, stamp
from sanhe.models.forecast import ACCURATE, ChampionSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from sanhe.core.lake import Lake
    from sanhe.goods.demand.run import ForecastRun

DEFAULT_HISTORY_DAYS = 400


class Demand:
    """Forecasts from the facts of one lake.

    `settings` are the champion's; `history_days` is how far back it learns. Bring the lake up to
    date (core.lake's refresh) before asking.
    """

    def __init__(
        self,
        lake: Lake,
        *,
        settings: ChampionSettings = ACCURATE,
        history_days: int = DEFAULT_HISTORY_DAYS,
    ) -> None:
        if history_days < 1:
            raise BadInput(f"history_days is {history_days}", remedy="give at least 1")
        self._lake, self._settings, self._history_days = lake, settings, history_days

    def last_sale_day(self) -> date | None:
        """The last business day with a sale, None without sales. The day after it is a good
        as_of for data that ends in the past."""
        return last_day(self._lake)

    def panel(
        self,
        as_of: date,
        *,
        horizon_days: int = 28,
        history_days: int | None = None,
        realised_weather: bool = False,
    ) -> DemandPanel:
        """All series as they were visible on `as_of`, the first forecast day.

        Raises BadInput when nothing was sold before as_of, or for days below 1.
        """
        days = self._history_days if history_days is None else history_days
        if horizon_days < 1 or days < 1:
            raise BadInput(
                f"horizon of {horizon_days} and history of {days} days",
                place="the panel",
                remedy="give at least 1 day each",
            )
        return build_panel(
            self._lake,
            as_of,
            horizon_days=horizon_days,
            history_days=days,
            realised_weather=realised_weather,
        )

    def forecast(
        self,
        as_of: date,
        horizon_days: int = 28,
        method: str = CHAMPION,
        *,
        progress: Progress = silent,
    ) -> ForecastRun:
        """Forecast every series from `as_of` on, and keep the run in the lake.

        The same facts, as_of, horizon, method and model version name the same run: asked again,
        the kept one is returned. A run that is killed leaves nothing behind; asking again makes
        it. Raises BadInput for an unknown method or when nothing was sold before as_of.
        """
        if method not in METHODS:
            raise BadInput(
                f"unknown forecast method {method!r}", remedy=f"choose one of {', '.join(METHODS)}"
            )
        progress("looking for a kept run", 0.0)
        data_stamp = f"{stamp(self._lake)} {self._settings!r} {self._history_days}"
        kept = find_run(
            self._lake,
            {
                "stamp": data_stamp,
                "as_of": as_of.isoformat(),
                "horizon_days": horizon_days,
                "method": method,
            },
        )
        if kept is None:
            progress("building the panel", 0.02)
            panel = self.panel(as_of, horizon_days=horizon_days)
            kept = load_run(self._lake, run_id(panel, method, self._settings))
            if kept is None:
                kept = make_run(panel, method, self._settings, progress=progress)
            save_run(self._lake, kept, data_stamp=data_stamp)
        progress("forecast ready", 1.0)
        return kept

    def trial(self, as_of: date, horizon_days: int = 28, method: str = CHAMPION) -> ForecastRun:
        """A forecast as it would have been made on `as_of`, not kept in the lake.

        Raises BadInput for an unknown method or when nothing was sold before as_of.
        """
        if method not in METHODS:
            raise BadInput(
                f"unknown forecast method {method!r}", remedy=f"choose one of {', '.join(METHODS)}"
            )
        return make_run(self.panel(as_of, horizon_days=horizon_days), method, self._settings)

    def latest(self) -> ForecastRun:
        """The run that was kept last. Raises NotFound when there is none."""
        kept = find_run(self._lake, {})
        if kept is None:
            raise NotFound("no forecast yet; run sanhe plan")
        return kept

    def run(self, run_id: str) -> ForecastRun:
        """A run by its id. Raises NotFound."""
        kept = load_run(self._lake, run_id)
        if kept is None:
            raise NotFound(f"no forecast run {run_id}")
        return kept

    def backtest(
        self,
        as_of: date,
        *,
        origins: int = 3,
        horizon_days: int = 7,
        methods: Sequence[str] = (CHAMPION, "same_weekday_mean", "seasonal_naive"),
        by: str = "velocity",
        progress: Progress = silent,
    ) -> pa.Table:
        """How good each method would have been at the last `origins` horizons before as_of.

        At each origin only what was visible then is used, and the methods forecast sales as they
        come (stock-outs included). Columns: method, origin (date), group, series, units, wape,
        bias, pinball_05, pinball_50, pinball_95, coverage_90, beaten_by (the better method, null
        when none is). Group "all", then those of `by`: category, store or velocity.
        Raises BadInput for an unknown method or grouping, or too short a history.
        """
        return backtest_table(
            self.panel,
            self._settings,
            as_of,
            origins=origins,
            horizon_days=horizon_days,
            methods=methods,
            by=by,
            progress=progress,
        )
