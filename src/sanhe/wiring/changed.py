"""Which lines new facts touch, so that a second plan of the same morning looks at those alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.core.lake import touched
from sanhe.core.values import Json
from sanhe.wiring.work import FACT_TYPES

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.wiring.sanhe import Sanhe

    Bools = NDArray[np.bool_]

STATE: Final = "plan"
"""The state of the lake that tells what was planned last, and from which facts."""

FORECAST_TYPES: Final = frozenset(
    published.name for published in FACT_TYPES if "goods.demand" in published.readers
)
"""Facts of these types change a forecast; the others only what is ordered from it."""

LINE_TYPES: Final = frozenset(
    published.name
    for published in FACT_TYPES
    if any(reader.startswith("goods.") for reader in published.readers)
)
"""Facts of these types change what is ordered; how a store serves its orders does not."""


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """The last plan: its forecast `run`, what was asked (`request`), and the facts it knew: those
    of transactions below `below`."""

    run: str
    request: str
    below: int

    def as_state(self) -> dict[str, Json]:
        """As the lake keeps it."""
        return {"run": self.run, "request": self.request, "below": self.below}


def kept_plan(sanhe: Sanhe) -> KeptPlan | None:
    """The last plan, or None when there is none or its forecast is no longer kept."""
    manifest = sanhe.lake.manifest()
    state = manifest.states.get(STATE)
    if state is None or f"forecast/{state['run']}" not in manifest.tables:
        return None
    return KeptPlan(str(state["run"]), str(state["request"]), int(str(state["below"])))


def keep_plan(sanhe: Sanhe, plan: KeptPlan) -> None:
    """Remember the plan. A kill before this makes the next plan look at more lines than needed."""
    sanhe.lake.switch({}, states={STATE: plan.as_state()})


@dataclass(frozen=True, slots=True)
class Touched:
    """The lines that new facts speak of, as keys (sku, place), each once.

    `forecast`: their forecast has to be made again. `lines`: they have to be proposed again,
    the former among them.
    """

    forecast: pa.Table
    lines: pa.Table


def touched_since(sanhe: Sanhe, keys: pa.Table, *, since: int, below: int) -> Touched:
    """What the facts between two borders (see `core.lake.touched`) touch of the lines `keys`.

    A fact of an SKU at a place touches that line, one without a place all places of the SKU, one
    without an SKU all lines of the place, and one without either every line.
    """
    found = touched(sanhe.database, since, below)
    return Touched(
        forecast=_lines(found, keys, types=FORECAST_TYPES),
        lines=_lines(found, keys, types=LINE_TYPES),
    )


def _lines(found: pa.Table, keys: pa.Table, *, types: Collection[str]) -> pa.Table:
    """The lines that facts of these types speak of; pairs the keys don't hold come last."""
    import pyarrow as pa
    import pyarrow.compute as pc

    mine = found.filter(pc.is_in(found["type"], pa.array(sorted(types), pa.string())))
    whole = pc.and_(pc.is_null(mine["sku"]), pc.is_null(mine["place"]))
    if pc.any(whole).as_py():
        return keys.select(["sku", "place"])
    of_sku = mine.filter(pc.is_null(mine["place"]))["sku"]
    of_place = mine.filter(pc.is_null(mine["sku"]))["place"]
    wide = _among(keys["sku"], of_sku) | _among(keys["place"], of_place)
    pairs = mine.filter(pc.and_(pc.is_valid(mine["sku"]), pc.is_valid(mine["place"])))
    both = pa.concat_tables(
        [keys.select(["sku", "place"]).filter(pa.array(wide)), pairs.select(["sku", "place"])]
    )
    return (
        both.group_by(["sku", "place"])
        .aggregate([])
        .sort_by([("sku", "ascending"), ("place", "ascending")])
    )


def _among(column: pa.ChunkedArray, values: pa.ChunkedArray) -> Bools:
    import pyarrow.compute as pc

    found = pc.is_in(column, values.combine_chunks())
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)
