"""Lists as files: CSV and Excel in which no cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi.responses import Response

from sanhe.connectors.files import safe_cell

_EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_EXCEL_ROWS: Final = 200_000
"""A workbook is made in memory; more rows go into a CSV."""


class _AsFile:
    """Makes a response of rows; `responses` is what OpenAPI tells of it."""

    def __init__(self, media: str, ending: str) -> None:
        self._media, self._ending = media, ending
        self.responses: dict[int | str, dict[str, Any]] = {
            200: {"content": {media: {"schema": {"type": "string", "format": "binary"}}}}
        }

    def __call__(self, rows: Sequence[Mapping[str, Any]], name: str) -> Response:
        """A download of this name."""
        content = _csv(rows) if self._ending == "csv" else _excel(rows)
        headers = {"content-disposition": f'attachment; filename="{name}.{self._ending}"'}
        return Response(content, media_type=self._media, headers=headers)


csv_file: Final = _AsFile("text/csv", "csv")
excel_file: Final = _AsFile(_EXCEL, "xlsx")


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.writer(sink)
    if rows:
        writer.writerow(rows[0].keys())
    writer.writerows([safe_cell(value) for value in row.values()] for row in rows)
    return sink.getvalue().encode("utf-8-sig")


def _excel(rows: Sequence[Mapping[str, Any]]) -> bytes:
    from openpyxl import Workbook

    from sanhe.core.errors import BadInput

    if len(rows) > MOST_EXCEL_ROWS:
        raise BadInput(
            f"{len(rows):,} rows are too many for a workbook",
            remedy=f"narrow them to {MOST_EXCEL_ROWS:,}, or take the CSV",
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet("sanhe")
    if rows:
        sheet.append(list(rows[0].keys()))
    for row in rows:
        sheet.append([safe_cell(value) for value in row.values()])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()
