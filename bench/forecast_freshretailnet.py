"""Accuracy on FreshRetailNet: the champion against the mean of the last four same weekdays.

The last three weekly origins, horizon 1-7, raw sales, all days, all series; each origin is tuned
and fitted only on what lies before it. Promotions, holidays and the realised weather of the
horizon are known inputs; `--without-weather` also measures the champion without the weather.

    python -m bench.forecast_freshretailnet --data FILE
"""

import dataclasses
import resource
import time

import numpy as np
from numpy.typing import NDArray

from bench.freshretailnet import HORIZON_DAYS, NAMES, WEATHER, data_path, read_panel
from bench.results_file import Figure, write_results
from sanhe.models.forecast import (
    ACCURATE,
    ChampionSettings,
    Forecast,
    Panel,
    bias,
    coverage,
    forecast,
    same_weekday_mean,
    uncensored_days,
    wape,
)

ORIGINS = 3
CHAMPION = ChampionSettings(gbm=dataclasses.replace(ACCURATE.gbm, target="sales", names=NAMES))


@dataclasses.dataclass(frozen=True, slots=True)
class Week:
    """What one origin showed."""

    champion: float
    mean: float
    simple: float
    bias: float
    bias_median: float
    in_stock: float
    coverage: float
    method: str
    cpu_seconds: float
    wall_seconds: float


def score(panel: Panel, origin: int, settings: ChampionSettings = CHAMPION) -> Week:
    """Forecast one week and compare it with what came."""
    seen = panel.cut(origin)
    cpu, wall = time.process_time(), time.perf_counter()
    made = forecast(seen, settings)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    actual = panel.sales[:, origin : origin + HORIZON_DAYS]
    clean = uncensored_days(panel)[:, origin : origin + HORIZON_DAYS]
    return Week(
        champion=wape(actual, made.median),
        mean=wape(actual, made.mean),
        simple=wape(actual, same_weekday_mean(seen)),
        bias=bias(actual, made.mean),
        bias_median=bias(actual, made.median),
        in_stock=wape(np.where(clean, actual, np.nan), made.median),
        coverage=band(made, actual, clean),
        method=made.method,
        cpu_seconds=cpu,
        wall_seconds=wall,
    )


def band(made: Forecast, actual: NDArray[np.float32], clean: NDArray[np.bool_]) -> float:
    """Share of uncensored days inside the 5-95 % band."""
    low, high = (
        made.dispersion.quantile(made.mean, q, spread=made.spread[:, None]) for q in (0.05, 0.95)
    )
    return coverage(actual, low, high, where=clean)


def figures(panel: Panel) -> dict[str, Figure]:
    """Run the three origins, with and without the weather."""
    origins = [panel.days - HORIZON_DAYS * (k + 1) for k in range(ORIGINS)]
    weeks = []
    for origin in origins:
        weeks.append(score(panel, origin))
        print(f"origin {origin}: {weeks[-1]}", flush=True)
    dry = panel.without(tuple(name for name in WEATHER if name in panel.known_names))
    blind = [score(dry, origin) for origin in origins]
    found: dict[str, Figure] = {
        "wape_champion": _average(weeks, "champion"),
        "wape_same_weekday_mean": _average(weeks, "simple"),
        "coverage_90": _average(weeks, "coverage"),
        "bias": _average(weeks, "bias"),
        "series": panel.series,
        "cpu_ms_per_series": round(1000 * weeks[0].cpu_seconds / panel.series, 3),
        "wape_champion_mean": _average(weeks, "mean"),
        "bias_median": _average(weeks, "bias_median"),
        "wape_in_stock_days": _average(weeks, "in_stock"),
        "wape_without_weather": _average(blind, "champion"),
        "wape_champion_by_origin": _each(weeks, "champion"),
        "wape_same_weekday_mean_by_origin": _each(weeks, "simple"),
        "wape_without_weather_by_origin": _each(blind, "champion"),
        "coverage_90_by_origin": _each(weeks, "coverage"),
        "bias_by_origin": _each(weeks, "bias"),
        "seconds_per_origin": _average(weeks, "wall_seconds"),
        "origins_won_by_global_model": sum(week.method == "global_gbm" for week in weeks),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    return found


def _each(weeks: list[Week], name: str) -> list[float]:
    return [round(float(getattr(week, name)), 4) for week in weeks]


def _average(weeks: list[Week], name: str) -> float:
    return round(float(np.mean([getattr(week, name) for week in weeks])), 4)


def main() -> None:
    """Measure and write bench/results/forecast_freshretailnet.json."""
    found = figures(read_panel(data_path("Forecast accuracy on FreshRetailNet")))
    path = write_results("forecast_freshretailnet", found)
    for name, value in found.items():
        print(f"{name}: {value}")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
