"""Where demand meets the lake: its SQL models, and the forecast runs it keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from sanhe.core.lake import current_facts, rows_of
from sanhe.goods.demand.drivers import CAUSES
from sanhe.goods.demand.run import (
    ForecastRun,
    History,
    Predicted,
    dispersion_from_json,
    dispersion_to_json,
)
from sanhe.models.forecast import FittedGbm

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.core.lake import Lake, LakeTable
    from sanhe.core.values import Json

FOLDER: Final = "forecast/"
MODEL_FOLDER: Final = "forecast_model/"

MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "span": ("sale_day", "sale_line"),
    "sale_cell": ("sale_day", "sale_line"),
    "series": ("sale_cell", "stock_counted"),
    "series_described": ("series", "item_described", "place_described"),
    "daily": ("sale_cell", "series"),
    "reported": ("sale_cell",),
    "stock_state": ("series", "stock_counted", "stock_moved", "purchase_received"),
    "promotion_period": ("series_described", "promotion_published"),
    "price_step": ("series", "price_set"),
    "unit_worth": ("series", "price_set", "supply_agreed", "item_described"),
    "group_sales": ("sale_cell", "item_described", "place_described"),
    "event_day": ("holiday_declared",),
    "holiday_flag": ("holiday_declared",),
    "weather_day": ("series", "place_described", "weather_observed", "weather_forecast"),
    "customers_period": ("series_described", "demand_customers"),
    "override_told": ("forecast_overridden",),
    "fact_behind": (
        "promotion_published",
        "price_set",
        "holiday_declared",
        "item_described",
    ),
}
"""Each SQL model of this package and its inputs: models, or fact types with `_` for the dot."""

NOT_FORECAST: Final = ("unit_worth",)
"""Models that no forecast reads: what changes their inputs makes no new run."""


def run_model(lake: Lake, model: str, parameters: Mapping[str, Json]) -> pa.Table:
    """The rows of one SQL model over the current facts of the lake.

    parameters: what the model's header names; others are left out. A fact type that was never
    recorded counts as an empty table.
    """
    order: list[str] = []
    _collect(model, order)
    facts = [_fact_type(name) for name in order if name not in MODELS]
    sources = current_facts(lake, facts)
    parts = [
        f"{name} AS (\n{_text(name) if name in MODELS else sources.sql[_fact_type(name)]}\n)"
        for name in order
    ]
    sql = f"WITH {', '.join(parts)}\nSELECT * FROM {model}"
    used = {name: value for name, value in parameters.items() if f"${name}" in sql}
    return lake.query(sql, used, tables=sources.tables)


def last_day(lake: Lake) -> date | None:
    """The last business day with a sale fact, None without any."""
    day = run_model(lake, "span", {"as_of": date.max.isoformat()})["last_day"][0].as_py()
    return cast("date | None", day)


def stamp(lake: Lake) -> str:
    """SHA-256 over the versions of all tables the panel reads: it changes when any fact does."""
    order: list[str] = []
    for model in MODELS:
        if model not in NOT_FORECAST:
            _collect(model, order)
    facts = sorted(_fact_type(name) for name in order if name not in MODELS)
    have = lake.tables()
    digest = hashlib.sha256()
    for name in current_facts(lake, facts).tables:
        table = have[name]
        digest.update(f"{name} {table.files} {table.rows} {table.written_at}\n".encode())
    return digest.hexdigest()


def save_run(lake: Lake, run: ForecastRun, *, data_stamp: str) -> None:
    """Keep a run in the lake, whole or not at all; the same id replaces itself."""
    import pyarrow as pa

    columns = {
        "sku": run.keys["sku"],
        "place": run.keys["place"],
        "counted": pa.array(run.counted),
        "scale": pa.array(run.scale),
        "spread": pa.array(run.spread),
        "mean": _lists(run.mean),
        "median": _lists(run.median),
        "last_days": _lists(run.history.last_days),
        "days_seen": pa.array(run.history.days_seen),
        "daily_mean": pa.array(run.history.daily_mean),
        "zero_share": pa.array(run.history.zero_share),
        "stock_out_share": pa.array(run.history.stock_out_share),
        "weekday_profile": _lists(run.history.weekday_profile),
    }
    # Base and season follow from the rest; a cause that is nowhere needs no column.
    columns |= {name: _lists(grid) for name, grid in run.causes.items()}
    if run.unadjusted is not None:
        columns["mean_unadjusted"] = _lists(run.unadjusted.mean)
        columns["median_unadjusted"] = _lists(run.unadjusted.median)
    details: dict[str, Json] = {
        "id": run.id,
        "as_of": run.as_of.isoformat(),
        "horizon_days": run.horizon_days,
        "method": run.method,
        "chosen": dict(run.chosen),
        "dispersion": dispersion_to_json(run.dispersion),
        "holdout_wape": {kind: dict(scores) for kind, scores in run.holdout_wape.items()},
        "notes": list(run.notes),
        "digest": run.digest,
        "origin": run.origin,
        "model": run.model,
        "stamp": data_stamp,
    }
    lake.write(FOLDER + run.id, pa.table(columns), details=details)


def save_models(lake: Lake, run: ForecastRun, models: Mapping[str, FittedGbm]) -> None:
    """Keep the fitted models behind a run; they are dropped when no kept run names them.

    To be called before the run is saved, so that a kept run has its models.
    """
    import pyarrow as pa

    if models:
        fitted = pa.array([model.dump() for model in models.values()], pa.binary())
        lake.write(MODEL_FOLDER + run.model, pa.table({"kind": list(models), "fitted": fitted}))


def load_models(lake: Lake, run: ForecastRun) -> dict[str, FittedGbm]:
    """The fitted models behind a run by kind of goods; none where they aren't kept."""
    name = MODEL_FOLDER + run.model
    if name not in lake.tables():
        return {}
    return {row["kind"]: FittedGbm.load(row["fitted"]) for row in lake.read(name).to_pylist()}


def load_run(lake: Lake, run_id: str) -> ForecastRun | None:
    """A run by its id, or None when it is not kept."""
    kept = lake.tables().get(FOLDER + run_id)
    return None if kept is None else _run(kept, lake.read(kept.name))


def find_run(lake: Lake, wanted: Mapping[str, Json]) -> ForecastRun | None:
    """The newest run whose details hold all of `wanted`, or None."""
    runs = [
        table
        for name, table in lake.tables().items()
        if name.startswith(FOLDER)
        and all(table.details.get(key) == value for key, value in wanted.items())
    ]
    if not runs:
        return None
    newest = max(runs, key=lambda table: (table.written_at, table.name))
    return _run(newest, lake.read(newest.name))


def load_line(lake: Lake, sku: str, place: str) -> ForecastRun | None:
    """The newest run of one series alone, or None where none is kept or it has no such series."""
    runs = [table for name, table in lake.tables().items() if name.startswith(FOLDER)]
    if not runs:
        return None
    newest = max(runs, key=lambda table: (table.written_at, table.name))
    rows = rows_of(lake, newest.name, {"sku": sku, "place": place})
    return _run(newest, rows) if rows.num_rows else None


def _run(kept: LakeTable, rows: pa.Table) -> ForecastRun:
    details = cast("Mapping[str, Any]", kept.details)
    return ForecastRun(
        id=str(details["id"]),
        as_of=date.fromisoformat(details["as_of"]),
        horizon_days=int(details["horizon_days"]),
        method=str(details["method"]),
        chosen=dict(details["chosen"]),
        keys=rows.select(["sku", "place"]),
        mean=_grid(rows, "mean"),
        median=_grid(rows, "median"),
        counted=np.asarray(rows["counted"].to_numpy(), bool),
        scale=np.asarray(rows["scale"].to_numpy(), np.float64),
        dispersion=dispersion_from_json(details["dispersion"]),
        # Runs kept before each series had its own spread had that of all.
        spread=np.asarray(rows["spread"].to_numpy(), np.float64)
        if "spread" in rows.column_names
        else np.ones(rows.num_rows),
        holdout_wape={kind: dict(scores) for kind, scores in details["holdout_wape"].items()},
        history=History(
            last_days=_grid(rows, "last_days"),
            days_seen=np.asarray(rows["days_seen"].to_numpy(), np.int32),
            daily_mean=np.asarray(rows["daily_mean"].to_numpy(), np.float32),
            zero_share=np.asarray(rows["zero_share"].to_numpy(), np.float32),
            stock_out_share=np.asarray(rows["stock_out_share"].to_numpy(), np.float32),
            weekday_profile=_grid(rows, "weekday_profile"),
        ),
        notes=tuple(details["notes"]),
        digest=str(details["digest"]),
        causes={name: _grid(rows, name) for name in CAUSES if name in rows.column_names},
        unadjusted=Predicted(_grid(rows, "mean_unadjusted"), _grid(rows, "median_unadjusted"))
        if "mean_unadjusted" in rows.column_names
        else None,
        origin=str(details.get("origin", details["id"])),
        model=str(details.get("model", details["id"])),
    )


def _lists(grid: NDArray[np.float32]) -> pa.Array:
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(grid, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, grid.shape[1])


def _grid(rows: pa.Table, name: str) -> NDArray[np.float32]:
    column = rows[name].combine_chunks()
    width = len(column[0]) if len(column) else 0
    return np.asarray(column.flatten().to_numpy(), np.float32).reshape(rows.num_rows, width)


def _collect(model: str, order: list[str]) -> None:
    """The model and all it reads, inputs first, each once."""
    for name in MODELS.get(model, ()):
        _collect(name, order)
    if model not in order:
        order.append(model)


def _fact_type(name: str) -> str:
    return name.replace("_", ".", 1)


def _text(model: str) -> str:
    return resources.files(__package__).joinpath(f"{model}.sql").read_text("utf-8")
