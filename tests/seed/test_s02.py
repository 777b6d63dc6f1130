"""S2 demand forecast, from outside: what a planner may expect of the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.goods.demand import ForecastRun
from sanhe.wiring import ImportRequest, backtest, import_file, next_day, record_facts
from tests.wiring.files import SALES, deliveries, tiny_retailer, written
from tests.wiring.installation import installed, opened

MONDAY = date(2025, 7, 28)
DAYS = 56
EMPTY_DAYS = 14


@pytest.fixture(scope="module")
def retailer(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The tiny retailer, recorded."""
    with installed(server, tmp_path_factory.mktemp("retailer")) as settings:
        with opened(settings) as sanhe:
            record_facts(sanhe, deliveries(), source="sim", actor="importer")
        yield settings


def corner_shop() -> Iterator[tuple[object, ...]]:
    """Eight weeks of three goods that sell 10 a day, and 30 on Saturdays.

    In the last two weeks STEADY goes on, EMPTY is out of stock, OVER lies there and sells nothing.
    """
    for number in range(DAYS):
        day = MONDAY + timedelta(days=number)
        demand = 30 if day.isoweekday() == 6 else 10
        ended = number >= DAYS - EMPTY_DAYS
        yield day, "S1", "STEADY", demand, demand, 1.0
        yield day, "S1", "EMPTY", 0 if ended else demand, 0 if ended else demand, float(not ended)
        yield day, "S1", "OVER", 0 if ended else demand, 0 if ended else demand, 1.0


@pytest.fixture(scope="module")
def forecast(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> ForecastRun:
    """The corner shop's forecast for the week after."""
    folder = tmp_path_factory.mktemp("corner")
    path = written(folder / "sales.csv", SALES, corner_shop())
    with installed(server, folder / "home") as settings, opened(settings) as sanhe:
        import_file(sanhe, ImportRequest(path, create_missing=True), actor="importer")
        sanhe.refresh_lake()
        return sanhe.demand.forecast(next_day(sanhe), 7)


def week(forecast: ForecastRun, sku: str) -> float:
    """The expected demand of the week."""
    return float(forecast.mean[forecast.row(sku, "S1")].sum())


def test_days_out_of_stock_are_not_learned_as_no_demand(forecast: ForecastRun) -> None:
    assert week(forecast, "STEADY") == pytest.approx(90, rel=0.15)
    assert week(forecast, "EMPTY") == pytest.approx(90, rel=0.25)
    # The control: the same figures with the goods on the shelf are no demand.
    assert week(forecast, "OVER") < 45


def test_the_week_has_its_shape(forecast: ForecastRun) -> None:
    assert forecast.as_of == MONDAY + timedelta(days=DAYS)
    steady = forecast.mean[forecast.row("STEADY", "S1")]
    assert int(np.argmax(steady)) == 5, "Saturday, the sixth day from Monday"
    assert steady[5] > 2 * steady[0]


def test_a_forecast_is_a_distribution(forecast: ForecastRun) -> None:
    low, middle, high = (forecast.quantile(q) for q in (0.05, 0.5, 0.95))
    assert (low <= middle).all() and (middle <= high).all() and (high > low).any()
    longer = forecast.quantile(0.95, days=7)
    assert (longer <= high.sum(axis=1) + 1).all(), "chance evens out over a week"


def test_it_is_near_the_demand_that_nobody_told_it(retailer: Settings) -> None:
    world, history = tiny_retailer()
    with opened(retailer) as sanhe:
        sanhe.refresh_lake()
        run = sanhe.demand.forecast(next_day(sanhe), 7)
        again = sanhe.demand.forecast(next_day(sanhe), 7)
    assert again.id == run.id, "the same facts and day give the same run"
    truth = world.truth.mean[history.days : history.days + 7].sum(axis=0)
    rows = [run.row(*key) for key in zip(world.sku_ids, world.place_ids, strict=True)]
    told = run.mean[rows].sum(axis=1)
    error = np.abs(told - truth).sum() / truth.sum()
    flat = np.full(len(truth), truth.mean())
    assert error < 0.5 < np.abs(flat - truth).sum() / truth.sum()


def test_the_backtest_shows_gains_and_losses(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        scores = backtest(sanhe, origins=1, by="velocity").to_pylist()
    pooled = {score["method"]: score for score in scores if score["group"] == "all"}
    assert pooled["champion"]["wape"] < pooled["seasonal_naive"]["wape"]
    assert 0.8 <= pooled["champion"]["coverage_90"] <= 1
    groups = {score["group"] for score in scores} - {"all"}
    assert groups <= {"fast", "medium", "slow", "intermittent"} and len(groups) >= 2
    for score in scores:
        rivals = {
            other["method"]: other["wape"]
            for other in scores
            if (other["group"], other["origin"]) == (score["group"], score["origin"])
        }
        best = min(rivals.values())
        if score["beaten_by"] is None:
            assert score["wape"] == best
        else:
            assert rivals[score["beaten_by"]] == best < score["wape"]


def test_the_future_is_not_seen(retailer: Settings, tmp_path: Path) -> None:
    """Sales from the origin on change no forecast for it; sales before it do."""
    origin = date(2025, 9, 11)
    with opened(retailer) as sanhe:
        sanhe.refresh_lake()
        before = sanhe.demand.forecast(origin, 7, "same_weekday_mean")
        for day, moves in ((date(2025, 9, 15), False), (date(2025, 9, 8), True)):
            path = written(
                tmp_path / f"{day}.csv",
                "date,store,sku,quantity,revision",
                [(day, "ST-001", "SKU-0014", 5_000, 1)],
            )
            import_file(sanhe, ImportRequest(path, source="sim"), actor="importer")
            sanhe.refresh_lake()
            after = sanhe.demand.forecast(origin, 7, "same_weekday_mean")
            row = before.row("SKU-0014", "ST-001")
            changed = bool((after.mean[row] != before.mean[row]).any())
            assert changed is moves, day
