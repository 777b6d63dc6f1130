"""The forecast studio: backtests made once in the background, and read by pages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from sanhe.core.errors import Code, NotFound
from sanhe.wiring.planning import backtest, losses, next_day
from sanhe.wiring.progress import Report, silent

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake
    from sanhe.wiring.sanhe import Sanhe

FOLDER: Final = "studio/"
LEAGUES: Final = ("velocity", "category", "store")
PAST_WEEKS: Final = 52
GROUPS: Final = ("category", "department", "region")


def keep_studio(sanhe: Sanhe, *, report: Report = silent) -> date:
    """Try the methods on the past and forecast the groups, and keep it all for pages to read.

    Returns the morning it was made for. Raises BadInput without enough sales.
    """
    sanhe.refresh_lake()
    as_of = next_day(sanhe)
    for by in LEAGUES:
        scores = backtest(sanhe, as_of=as_of, by=by, report=report)
        _keep(sanhe, f"league/{by}", scores, as_of=as_of)
    report("finding where it loses", 0, 1)
    _keep(sanhe, "losses", losses(sanhe, as_of=as_of, report=report), as_of=as_of)
    for by in GROUPS:
        report(f"forecasting by {by}", 0, 1)
        _keep_groups(sanhe, as_of, by=by)
    return as_of


def league(lake: Lake, *, by: str) -> pa.Table:
    """The kept scores, see `Demand.backtest`. Raises NotFound before the first backtest."""
    return _kept(lake, f"league/{by}")


def kept_losses(lake: Lake) -> pa.Table:
    """Where the forecast loses, see `Demand.losses`. Raises NotFound before the first backtest."""
    return _kept(lake, "losses")


def groups(lake: Lake, *, by: str) -> tuple[dict[str, Any], pa.Table, pa.Table]:
    """What is kept of groups: details (as_of, notes), weeks (group, first_day, sold or mean), and
    their league. Raises NotFound before the first backtest, or for one that lacks what was sold."""
    name = f"{FOLDER}groups/{by}"
    weeks = _kept(lake, f"groups/{by}")
    if "sold" not in weeks.column_names:
        raise NotFound(
            "the kept backtest is of an older version of sanhe: start one anew here",
            code=Code.OLDER_VERSION,
        )
    return dict(lake.tables()[name].details), weeks, _kept(lake, f"group_league/{by}")


def _keep_groups(sanhe: Sanhe, as_of: date, *, by: str) -> None:
    import numpy as np
    import pyarrow as pa

    made = sanhe.demand.aggregates(as_of, by=by)
    sold = made.sold[:, -PAST_WEEKS:]
    past, ahead = sold.shape[1], len(made.first_days)
    days = [as_of + timedelta(weeks=week) for week in range(-past, ahead)]
    values = np.concatenate([sold, made.mean], axis=1)
    is_past = np.tile(np.arange(past + ahead) < past, len(made.groups))
    table = pa.table(
        {
            "group": np.repeat(np.array(made.groups, object), past + ahead),
            "first_day": pa.array(days * len(made.groups), pa.date32()),
            "sold": pa.array(values.ravel(), mask=~is_past),
            "mean": pa.array(values.ravel(), mask=is_past),
        }
    )
    _keep(sanhe, f"group_league/{by}", made.league, as_of=as_of)
    details = {"as_of": as_of.isoformat(), "notes": list(made.notes)}
    sanhe.lake.write(f"{FOLDER}groups/{by}", table, details=details)


def _keep(sanhe: Sanhe, name: str, table: pa.Table, *, as_of: date) -> None:
    sanhe.lake.write(FOLDER + name, table, details={"as_of": as_of.isoformat()})


def _kept(lake: Lake, name: str) -> pa.Table:
    if FOLDER + name not in lake.tables():
        raise NotFound(
            "no backtest is kept yet: start one here; it takes some minutes",
            code=Code.NOT_BACKTESTED,
        )
    return lake.read(FOLDER + name)
