"""The façade of demand: panels, forecast runs, backtests over one lake."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sanhe.core.errors import BadInput, Code, NotFound
from sanhe.goods.demand import override_value
from sanhe.goods.demand.aggregates import AggregateForecast, forecast_groups
from sanhe.goods.demand.backtest import Asked, backtest_table
from sanhe.goods.demand.explaining import ExplainedForecast, explained
from sanhe.goods.demand.forecasting import (
    Progress,
    learn,
    make_run,
    run_id,
    silent,
    with_causes,
)
from sanhe.goods.demand.hierarchy import CoherentForecast, coherent
from sanhe.goods.demand.losses import Worth, losses_table
from sanhe.goods.demand.methods import CHAMPION, LEARNED, METHODS
from sanhe.goods.demand.overrides import named, overridden
from sanhe.goods.demand.panel import DemandPanel, build_panel
from sanhe.goods.demand.refreshing import refreshed
from sanhe.goods.demand.store import (
    find_run,
    last_day,
    load_line,
    load_models,
    load_run,
    save_models,
    save_run,
    stamp,
)
from sanhe.models.forecast import ACCURATE, ChampionSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from sanhe.core.lake import Lake
    from sanhe.goods.demand.override_value import MeasuredOverride
    from sanhe.goods.demand.overrides import Override
    from sanhe.goods.demand.run import ForecastRun
    from sanhe.models.forecast import FittedGbm

DEFAULT_HISTORY_DAYS = 400
CHEAP = ("same_weekday_mean", "smoothed_mean", "seasonal_naive", "tsb")
"""Methods that cost next to nothing, to hold the champion against."""


class Demand:
    """Forecasts from the facts of one lake.

    `settings` are the champion's; `history_days` is how far back it learns; `customers`: whether
    it learns from who bought (`demand.customers`), too. Bring the lake up to date (core.lake's
    refresh) before asking.
    """

    def __init__(
        self,
        lake: Lake,
        *,
        settings: ChampionSettings = ACCURATE,
        history_days: int = DEFAULT_HISTORY_DAYS,
        customers: bool = False,
    ) -> None:
        if history_days < 1:
            raise BadInput(f"history_days is {history_days}", remedy="give at least 1")
        self._lake, self._settings, self._history_days = lake, settings, history_days
        self._customers = customers

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
            customers=self._customers,
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
        data_stamp = (
            f"{stamp(self._lake)} {self._settings!r} {self._history_days} {self._customers}"
        )
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
            predicted = self._predicted(panel, method, progress=progress)
            kept = self._kept(predicted, panel.panel.first_day, data_stamp=data_stamp)
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

    def _predicted(self, panel: DemandPanel, method: str, *, progress: Progress) -> ForecastRun:
        """The run of this panel before overrides: from a kept one where there is any."""
        origin = run_id(panel, method, self._settings)
        kept = find_run(self._lake, {"origin": origin})
        if kept is not None:
            return kept.without_overrides()
        learned = learn(panel, method, self._settings, progress=progress)
        progress("opening the forecast into its drivers", 0.9)
        run = with_causes(learned, panel)
        save_models(self._lake, run, learned.models)
        return run

    def _kept(self, predicted: ForecastRun, first_day: date, *, data_stamp: str) -> ForecastRun:
        """Apply the standing overrides to a run and keep it, and what they changed beside it."""
        run, holding = overridden(self._lake, predicted, first_day)
        if run.unadjusted is not None:
            override_value.keep(self._lake, run, holding, known_until=last_day(self._lake))
        save_run(self._lake, run, data_stamp=data_stamp)
        return run

    def refresh(
        self, run: ForecastRun, keys: pa.Table, *, progress: Progress = silent
    ) -> ForecastRun:
        """A new run in which some series of `run` are predicted again from today's facts.

        keys: columns sku, place. As_of, horizon and fitted models stay those of `run`, and so does
        the distribution; the other series keep their rows, series that are new since are added,
        and those of `keys` that are asleep now are left out. Overrides are applied as they stand.
        The same run, keys and facts give the same new run. Raises NotFound where the fitted model
        is no longer kept.
        """
        progress("building the panel", 0.1)
        panel = self.panel(run.as_of, horizon_days=run.horizon_days)
        progress(f"predicting {keys.num_rows:,} series again", 0.6)
        predicted = refreshed(
            run.without_overrides(), panel, keys, models=self._models(run), settings=self._settings
        )
        kept = self._kept(predicted, panel.panel.first_day, data_stamp="")
        progress("forecast ready", 1.0)
        return kept

    def _models(self, run: ForecastRun) -> Mapping[str, FittedGbm]:
        models = load_models(self._lake, run)
        missing = sorted(
            kind for kind, name in run.chosen.items() if name in LEARNED and kind not in models
        )
        if missing:
            raise NotFound(
                f"the fitted model of run {run.id} is not kept any more: forecast {run.as_of} anew"
            )
        return models

    def explain(
        self, run: ForecastRun, sku: str, place: str, *, days: int = 14
    ) -> ExplainedForecast:
        """What is expected of a series, day by day, opened into its drivers, and the facts behind.

        The facts are those of now; a run made before them doesn't know them. Raises NotFound for
        no such series, BadInput for more days than the run has.
        """
        return explained(self._lake, run, sku=sku, place=place, days=days)

    def override(self, override_id: str) -> Override:
        """An override by its id. Raises NotFound when there is none, or it was withdrawn."""
        return named(self._lake, override_id)

    def overrides(self) -> tuple[MeasuredOverride, ...]:
        """All overrides that are not withdrawn, the newest first, with their measured value."""

        def truth(as_of: date, history_days: int) -> DemandPanel:
            return self.panel(as_of, horizon_days=1, history_days=history_days)

        return override_value.listed(self._lake, truth)

    def aggregates(
        self, as_of: date, *, by: str = "category", horizon_weeks: int = 13
    ) -> AggregateForecast:
        """Forecast categories, departments or regions by week, a quarter ahead by default.

        Weeks are the seven-day stretches that end the day before as_of; all the history there is
        counts. Which methods make up the champion is decided by the errors of four earlier
        origins a horizon apart; the league tells them per group. Raises BadInput for an unknown
        grouping, a horizon outside 1-52 weeks, or less than a week of sales before as_of.
        """
        return forecast_groups(self._lake, as_of, by=by, horizon_weeks=horizon_weeks)

    def hierarchy(
        self,
        run: ForecastRun,
        *,
        by: Sequence[str] = ("category", "region"),
        weeks: int = 13,
        method: str = "weighted",
    ) -> CoherentForecast:
        """Lines, categories and regions by week as one forecast: every group is its lines' sum.

        run: what the lines say; beyond its horizon their last week repeats. by: levels among
        `AGGREGATES`, each forecast by itself as `aggregates` does. method: "weighted" moves lines
        and groups by the variance of their errors (groups that know no season yet have no say),
        "bottom_up" takes the lines' word, "top_down"
        that of the first level, shared out by the lines' forecasts. Groups forecast sales, lines
        demand. The run itself is not changed. Raises BadInput as `aggregates` does, or for an
        unknown method.
        """
        return coherent(
            self._lake,
            run,
            first_day=run.as_of - timedelta(days=self._history_days),
            by=by,
            weeks=weeks,
            method=method,
        )

    def latest(self) -> ForecastRun:
        """The run that was kept last. Raises NotFound when there is none."""
        kept = find_run(self._lake, {})
        if kept is None:
            raise NotFound("no forecast yet; run sanhe plan", code=Code.NOT_PLANNED)
        return kept

    def latest_of(self, sku: str, place: str) -> ForecastRun:
        """The run that was kept last, of one series alone; quick among a million.

        Raises NotFound where there is none, or it has no such series.
        """
        found = load_line(self._lake, sku, place)
        if found is None:
            raise NotFound(f"no forecast of {sku} at {place}: check the codes, or plan again")
        return found

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
        when none is). Group "all", then those of `by`: category, store, region, velocity or age.
        Raises BadInput for an unknown method or grouping, or too short a history.
        """
        return backtest_table(
            self._asked(as_of, origins, horizon_days, methods=methods), by=by, progress=progress
        )

    def losses(
        self,
        as_of: date,
        *,
        origins: int = 3,
        horizon_days: int = 7,
        methods: Sequence[str] = (CHAMPION, *CHEAP),
        worth: Worth = "price",
        worst: int = 20,
        progress: Progress = silent,
    ) -> pa.Table:
        """Where the first of `methods` loses, in money, at the last `origins` horizons to as_of.

        At each origin only what was visible then is used. Judged is each series' sum over the
        horizon (the mean, stock-outs included), valued at the price or the cost of that day.
        Rows: by "all"; then each segment by category, store, region, velocity and age of the item,
        as visible at the origin; then the `worst` series; the largest loss first. Columns:

        - by, group; sku, place: of a series, else null. series: how many; unvalued_series: without
          a price (cost) in `currency`, the one most have; their errors are in units alone.
        - units sold; wape: |error of the sums| / units, null where nothing was sold;
          too_much_units, too_little_units, in pieces, kilograms or litres.
        - too_much_cents, too_little_cents, loss_cents (their sum): int64, null where no series is
          valued; the parts of a kind of segment sum exactly to "all". currency.
        - share: of all loss in money; in units where nothing at all is valued.
        - better_method: the other method that lost least here, null when none lost less;
          better_loss_units, better_loss_cents: what it lost. A single series is noisy: a better
          method of one is a hint, of a segment a finding.

        Raises BadInput for an unknown method or worth, or too short a history.
        """
        asked = self._asked(as_of, origins, horizon_days, methods=methods)
        return losses_table(self._lake, asked, worth=worth, worst=worst, progress=progress)

    def _asked(
        self, as_of: date, origins: int, horizon_days: int, *, methods: Sequence[str]
    ) -> Asked:
        return Asked(self.panel, self._settings, as_of, origins, horizon_days, methods)
