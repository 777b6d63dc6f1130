"""The what-if: two policies from the same evening on, with the same shoppers and suppliers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.models.replay import Row, Totals, Verdict, compared_rows
from sanhe.sim.figures import by_class, by_day, totals
from sanhe.sim.policies import DaysOfCover, old_parameters
from sanhe.sim.run import Policy, run
from sanhe.sim.world import World

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sanhe.sim.settings import WorldSettings

MakePolicy = Callable[[World], Policy]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Old against new over `first_day` to `last_day`, all seeds together.

    `rows`: the table, profit last. `classes`: by velocity class and policy. `days`: day by
    day and policy, of the first seed. `verdict`: by profit (margin less waste and holding).
    """

    old: str
    new: str
    seeds: tuple[int, ...]
    first_day: date
    last_day: date
    rows: tuple[Row, ...]
    classes: pa.Table
    days: pa.Table
    verdict: Verdict

    def row(self, metric: str) -> Row:
        """The row of a metric; raises BadInput for a name the table does not have."""
        for row in self.rows:
            if row.metric == metric:
                return row
        raise BadInput(
            f"no metric {metric!r}", remedy=f"choose of {', '.join(r.metric for r in self.rows)}"
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """Both policies in one world: sums by place, by class, and the days."""

    old: Totals
    new: Totals
    classes: pa.Table
    days: pa.Table


def days_of_cover(world: World) -> Policy:
    """The retailer's old policy."""
    return DaysOfCover()


def department_cover(world: World) -> Policy:
    """The old policy of the retailer of `department_world`."""
    return DaysOfCover(old_parameters("old_policy_department.toml"))


def sanhe(world: World) -> Policy:
    """sanhe's policy with the shipped settings."""
    from sanhe.sim.sanhe_policy import SanhePolicy

    return SanhePolicy()


def what_if(
    settings: WorldSettings,
    *,
    weeks: int = 10,
    settle_weeks: int = 0,
    seeds: Sequence[int] | None = None,
    old: MakePolicy = days_of_cover,
    new: MakePolicy = sanhe,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> WhatIf:
    """Compare two policies over the last `weeks` of the history, in one world per seed.

    The old policy runs all days before; from there on each policy goes its own way from the
    same stock, meeting the same demand and the same suppliers. `settle_weeks` before those
    weeks both policies run uncounted, so that the old stock sells down. `seeds` default to two from
    the settings' own on. With several `workers` the worlds are spread over as many processes;
    the policies' makers must then be functions of a module. `progress` hears of (seeds done,
    seeds). The result is the same for any number of workers.
    Raises BadInput when the history is too short to compare and to learn from.
    """
    first = settings.history_days - 7 * weeks
    begins = first - 7 * settle_weeks
    if weeks < 1 or settle_weeks < 0 or begins < 28:
        raise BadInput(
            f"{weeks} weeks and {settle_weeks} to settle of {settings.history_days} days leave too "
            "little to learn from",
            place="what-if",
            remedy="compare fewer weeks, or make a world with more history_days",
        )
    chosen = tuple(seeds or range(settings.seed, settings.seed + 2))
    one = partial(_trial, old=old, new=new, from_index=begins, counted_from=first)
    worlds = [replace(settings, seed=seed) for seed in chosen]
    trials = []
    with _mapper(workers) as spread:
        for done, trial in enumerate(spread(one, worlds), start=1):
            trials.append(trial)
            if progress is not None:
                progress(done, len(chosen))
    return gather(settings, trials, first=first, seeds=chosen)


def _trial(
    settings: WorldSettings,
    *,
    old: MakePolicy,
    new: MakePolicy,
    from_index: int,
    counted_from: int,
) -> Trial:
    world = World(settings)
    return compare(world, old(world), new(world), from_index=from_index, counted_from=counted_from)


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterable[Trial]]]:
    """`map`, in this process or over several."""
    if workers <= 1:
        yield map
        return
    # Fresh processes: a fork would copy threads that LightGBM and others may have running.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool.map


def compare(
    world: World,
    old: Policy,
    new: Policy,
    *,
    from_index: int,
    counted_from: int | None = None,
) -> Trial:
    """Run both policies from day `from_index` to the end of the history in one world.

    The sums count from day `counted_from` on, by default all days of both.
    """
    import pyarrow as pa

    last = world.settings.history_days - 1
    history = run(world, old, days=from_index)
    outcomes = [run(world, policy, days=last + 1, after=history) for policy in (old, new)]
    window = (from_index if counted_from is None else counted_from, last)
    sums = [
        totals(world, outcome, window, group=world.lines.place, groups=len(world.places))
        for outcome in outcomes
    ]
    return Trial(
        old=sums[0],
        new=sums[1],
        classes=pa.concat_tables([by_class(world, outcome, window) for outcome in outcomes]),
        days=pa.concat_tables([by_day(world, outcome, window) for outcome in outcomes]),
    )


def gather(
    settings: WorldSettings, trials: Sequence[Trial], *, first: int, seeds: tuple[int, ...]
) -> WhatIf:
    """The what-if of several worlds: each place of each world is one observation."""
    import pyarrow as pa

    old = Totals(**_stacked([trial.old for trial in trials]))
    new = Totals(**_stacked([trial.new for trial in trials]))
    rows = compared_rows(old, new)
    names = trials[0].classes["policy"].unique().to_pylist()
    start = settings.first_day
    return WhatIf(
        old=names[0],
        new=names[-1],
        seeds=seeds,
        first_day=date.fromordinal(start.toordinal() + first),
        last_day=settings.last_history_day,
        rows=rows,
        classes=pa.concat_tables(
            [
                trial.classes.append_column("seed", pa.array([seed] * trial.classes.num_rows))
                for seed, trial in zip(seeds, trials, strict=True)
            ]
        ),
        days=trials[0].days,
        verdict=rows[-1].verdict,
    )


def _stacked(parts: Sequence[Totals]) -> dict[str, npt.NDArray[np.float64]]:
    names = Totals.__dataclass_fields__
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
