"""Refresh a kept run for some series: today's facts, the model that was fitted then."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sanhe.core.values import derived_id
from sanhe.goods.demand.drivers import CAUSES, causes_of
from sanhe.goods.demand.forecasting import history_of, parts
from sanhe.goods.demand.methods import is_new, lifted, simple_again
from sanhe.goods.demand.run import ForecastRun, History
from sanhe.models.forecast import Prediction

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.goods.demand.panel import DemandPanel
    from sanhe.models.forecast import ChampionSettings, FittedGbm, Panel

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]


def refreshed(
    run: ForecastRun,
    demand: DemandPanel,
    keys: pa.Table,
    *,
    models: Mapping[str, FittedGbm],
    settings: ChampionSettings,
) -> ForecastRun:
    """See `Demand.refresh`. run: without overrides. demand: the panel of today's facts.

    A kind of goods that the run had none of has no fitted model: its series are left out, and a
    note says how many.
    """
    old_row = run.rows(demand.keys)
    asked = _rows_of(demand.keys, keys) | (old_row < 0)
    known_kind = np.where(demand.counted, "counts" in run.chosen, "quantities" in run.chosen)
    fresh = np.flatnonzero(asked & known_kind)
    again = _predict(run, demand, fresh, models=models, settings=settings)
    kept = np.flatnonzero(~_rows_of(run.keys, keys))
    notes = run.notes
    if left := int((asked & ~known_kind).sum()):
        notes = (*notes, f"{left:,} new series are of a kind without a model: forecast anew")
    merged = _merged(run.only(kept), again)
    chosen = "\x1f".join(f"{sku}\x1e{place}" for sku, place in _pairs(keys))
    name = hashlib.sha256(chosen.encode()).hexdigest()
    new_id = str(derived_id("forecast refreshed", run.id, demand.digest, name))
    digest = hashlib.sha256(f"{run.digest} {demand.digest} {name}".encode()).hexdigest()
    return replace(merged, id=new_id, origin=new_id, notes=notes, digest=digest)


def _predict(
    run: ForecastRun,
    demand: DemandPanel,
    fresh: I64,
    *,
    models: Mapping[str, FittedGbm],
    settings: ChampionSettings,
) -> ForecastRun:
    """The rows `fresh` of the panel, predicted with what was chosen and fitted for the run."""
    size = (demand.panel.series, demand.panel.horizon_days)
    mean, median = np.zeros(size, np.float32), np.zeros(size, np.float32)
    causes: dict[str, F32] = {}
    for kind, mine, part in parts(demand):
        at = np.flatnonzero(np.isin(mine, fresh))
        rows = mine[at]
        if not len(at):
            continue
        if kind not in models:
            again = simple_again(part, run.chosen[kind], settings)
            mean[rows], median[rows] = again.mean[at], again.median[at]
            continue
        own = models[kind].predict_both(part, at)
        made, lift = _lifted(
            own, part, at, kept=_kept_forecast(run, demand, mine), model=models[kind]
        )
        mean[rows], median[rows] = made.mean, made.median
        for name, effect in causes_of(models[kind], part, own.mean, series=at).items():
            causes.setdefault(name, np.zeros(size, np.float32))[rows] = effect * lift[:, None]
    scale = demand.scale[fresh, None]
    before = run.rows(demand.keys)[fresh]
    return replace(
        run,
        keys=demand.keys.take(_indexes(fresh)),
        mean=(mean[fresh] / scale).astype(np.float32),
        median=(median[fresh] / scale).astype(np.float32),
        counted=demand.counted[fresh],
        scale=demand.scale[fresh],
        # A spread is learned from months; some new days don't change it.
        spread=np.where(before >= 0, run.spread[np.maximum(before, 0)], 1.0),
        history=history_of(demand.panel.only(fresh), demand.scale[fresh]),
        causes={n: (grid[fresh] / scale).astype(np.float32) for n, grid in causes.items()},
    )


def _lifted(
    own: Prediction, part: Panel, at: I64, *, kept: Prediction, model: FittedGbm
) -> tuple[Prediction, F64]:
    """The model's own word for the series `at` [S], new ones lifted to their launch; the lifts.

    kept: what the run says of all series of the part: what new ones are like.
    """
    if not is_new(part)[at].any():
        return own, np.ones(len(at))
    mean, median = kept.mean.copy(), kept.median.copy()
    mean[at], median[at] = own.mean, own.median
    made, lift = lifted(part, Prediction(mean, median), target=model.settings.target)
    return Prediction(made.mean[at], made.median[at]), lift[at]


def _kept_forecast(run: ForecastRun, demand: DemandPanel, mine: I64) -> Prediction:
    """What the run says of the series `mine` of the panel, in its unit; 0 where it has none."""
    row = run.rows(demand.keys)[mine]
    scale = np.where(row >= 0, demand.scale[mine], 0.0)[:, None]
    mean, median = ((grid[row] * scale).astype(np.float32) for grid in (run.mean, run.median))
    return Prediction(mean, median)


def _merged(old: ForecastRun, new: ForecastRun) -> ForecastRun:
    """The series of both runs, in the order of SKU and place."""
    import pyarrow as pa

    keys = pa.concat_tables([old.keys, new.keys]).combine_chunks()
    pairs = _pairs(keys)
    order = np.array(sorted(range(len(pairs)), key=pairs.__getitem__), np.int64)
    nothing, none_new = np.zeros_like(old.mean), np.zeros_like(new.mean)
    columns = History.__dataclass_fields__
    return replace(
        old,
        keys=keys,
        mean=np.concatenate([old.mean, new.mean]),
        median=np.concatenate([old.median, new.median]),
        counted=np.concatenate([old.counted, new.counted]),
        scale=np.concatenate([old.scale, new.scale]),
        spread=np.concatenate([old.spread, new.spread]),
        history=History(
            **{
                name: np.concatenate([getattr(old.history, name), getattr(new.history, name)])
                for name in columns
            }
        ),
        causes={
            name: np.concatenate([old.causes.get(name, nothing), new.causes.get(name, none_new)])
            for name in CAUSES
            if name in old.causes or name in new.causes
        },
    ).only(order)


def _rows_of(keys: pa.Table, wanted: pa.Table) -> NDArray[np.bool_]:
    """Which rows of `keys` are among the wanted (sku, place), a mask."""
    pairs = set(_pairs(wanted))
    return np.fromiter((pair in pairs for pair in _pairs(keys)), bool, keys.num_rows)


def _pairs(keys: pa.Table) -> list[tuple[str, str]]:
    return list(zip(keys["sku"].to_pylist(), keys["place"].to_pylist(), strict=True))


def _indexes(rows: I64) -> pa.Array:
    import pyarrow as pa

    return pa.array(rows)
