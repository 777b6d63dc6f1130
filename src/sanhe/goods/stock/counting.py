"""What somebody counted, as facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from sanhe.core.errors import BadInput
from sanhe.core.facts import Fact

SOURCE: Final = "sanhe.counts"
"""The source of counts that people enter here."""


def count_facts(
    place: str, counts: Mapping[str, int], *, note: str, at: datetime, day: date
) -> list[Fact]:
    """Snapshots of what lies at a place, in base units by SKU, sold and not yet handed over
    included. `note` names the count: the same one again gives the same facts.

    Raises BadInput for no SKU at all or a quantity below 0.
    """
    if not counts:
        raise BadInput("nothing was counted", place="lines", remedy="name an SKU and its units")
    for sku, units in counts.items():
        if units < 0:
            raise BadInput(f"{units} of {sku}", place="lines", remedy="count 0 or more")
    return [
        Fact(
            type="stock.counted",
            source=SOURCE,
            external_id=f"{note}/{sku}",
            event_at=at,
            day=day,
            sku=sku,
            place=place,
            quantity=units,
            payload={},
        )
        for sku, units in sorted(counts.items())
    ]
