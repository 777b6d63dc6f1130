"""The refused rows of an import, read back from the file that was kept for whoever mends it."""

from __future__ import annotations

import csv
from pathlib import PurePath
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.errors import NotFound

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe


def kept_rejects(sanhe: Sanhe, batch: UUID) -> list[dict[str, object]]:
    """The refused rows of a batch: row, column, value, message, remedy; none where all were used.

    Raises NotFound for no such batch.
    """
    with sanhe.work(actor="web") as work:
        found = [one for one in work.facts.batches() if one.id == batch]
    if not found:
        raise NotFound(f"no import {batch}: the list of imports shows them")
    name = f"{PurePath(found[0].name).stem}.{found[0].digest[:8]}.rejects.csv"
    path = sanhe.settings.home / "rejects" / name
    if not found[0].digest or not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [
            {
                "row": int(row["row"]),
                "column": row["column"] or None,
                "value": row["value"] or None,
                "message": row["reason"],
                "remedy": row["remedy"] or None,
            }
            for row in csv.DictReader(stream)
        ]
