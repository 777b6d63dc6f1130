"""Where health meets the lake: its SQL models over the current facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING, Final

from sanhe.core.lake import current_facts
from sanhe.goods.health.rules import superseded

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake

FOLDER: Final = "health/"
"""The folder of the lake with the classes of assessed days, one table a day."""

INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "sale_history": ("sale.day", "sale.line", "stock.counted"),
    "arrivals": ("purchase.received", "stock.moved"),
}
"""Each SQL model and the fact types it reads."""


def sale_history(lake: Lake, *, first_day: date, as_of: date) -> pa.Table:
    """What each SKU × place sold in the window, see sale_history.sql."""
    days = {"first_day": first_day.isoformat(), "as_of": as_of.isoformat()}
    return _run(lake, "sale_history", days)


def arrivals(lake: Lake, *, oldest_day: date, as_of: date) -> pa.Table:
    """What came in when, see arrivals.sql."""
    days = {"oldest_day": oldest_day.isoformat(), "as_of": as_of.isoformat()}
    return _run(lake, "arrivals", days)


def keep(lake: Lake, as_of: date, classes: pa.Table) -> None:
    """Keep the classes of a day, in the place of an earlier assessment of the same day.

    Of each week the newest day stays, of the newest weeks (`rules.KEPT_WEEKS`).
    """
    lake.write(FOLDER + as_of.isoformat(), classes, details={"as_of": as_of.isoformat()})
    for day in superseded(kept_days(lake)):
        lake.drop(FOLDER + day.isoformat())


def kept_days(lake: Lake) -> list[date]:
    """The days whose classes are kept, the oldest first."""
    names = (name for name in lake.tables() if name.startswith(FOLDER))
    return sorted(date.fromisoformat(name.removeprefix(FOLDER)) for name in names)


def kept(lake: Lake, as_of: date) -> pa.Table:
    """The classes kept of a day. Raises NotFound."""
    return lake.read(FOLDER + as_of.isoformat())


def _run(lake: Lake, model: str, parameters: Mapping[str, str]) -> pa.Table:
    """The rows of one SQL model over the current facts; a type never recorded is empty."""
    sources = current_facts(lake, INPUTS[model])
    named = ",\n".join(
        f"{kind.replace('.', '_')} AS (\n{sources.sql[kind]}\n)" for kind in INPUTS[model]
    )
    text = resources.files(__package__).joinpath(f"{model}.sql").read_text("utf-8")
    # The model's own WITH, where it has one, goes on after the facts it reads.
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    joined = f"WITH {named},\n{body[5:]}" if body.startswith("WITH ") else f"WITH {named}\n{body}"
    return lake.query(joined, parameters, tables=sources.tables)
