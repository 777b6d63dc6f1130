"""How late deliveries come relative to their lead time: the SCMS delivery history (USAID).

Lines whose order date, scheduled and delivered dates are known; ratio = (delivered - scheduled) /
(scheduled - ordered). Orders scheduled for less than a week ahead are left out: of so short a lead
time a ratio says little.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanhe.models.replay import Lateness

LEAST_LEAD_DAYS = 7
BOUNDS = (-1.0, 2.0)
"""Ratios beyond these are set to them: nothing comes before it is ordered."""


def read_lateness(path: Path) -> Lateness:
    """The pool of ratios of a SCMS delivery file."""
    import pyarrow.parquet as pq

    names = ("PO Sent to Vendor Date", "Scheduled Delivery Date", "Delivered to Client Date")
    table = pq.read_table(path, columns=list(names))
    ordered, scheduled, delivered = (_days(table[name].to_pylist()) for name in names)
    lead = scheduled - ordered
    use = np.isfinite(lead) & np.isfinite(delivered) & (lead >= LEAST_LEAD_DAYS)
    ratio = (delivered[use] - scheduled[use]) / lead[use]
    return Lateness(np.clip(ratio, *BOUNDS))


def _days(values: list[str | None]) -> NDArray[np.float64]:
    """Dates as day numbers, nan where none was captured (the file has two ways to write them)."""
    from datetime import datetime

    found = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        for form in ("%d-%b-%y", "%m/%d/%y"):
            try:
                found[row] = datetime.strptime(value or "", form).toordinal()
            except ValueError:
                continue
    return found
