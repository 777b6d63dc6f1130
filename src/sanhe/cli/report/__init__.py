"""The report: one self-contained HTML page, in English and Chinese, light and dark."""

from sanhe.cli.report.data import (
    AgeBar,
    HealthCell,
    Histogram,
    LeagueRow,
    LosingGroup,
    ProposalCard,
    ReportData,
    SeriesChart,
    TermLine,
    Tile,
    WhatIfRow,
)
from sanhe.cli.report.page import report_page

__all__ = [
    "AgeBar",
    "HealthCell",
    "Histogram",
    "LeagueRow",
    "LosingGroup",
    "ProposalCard",
    "ReportData",
    "SeriesChart",
    "TermLine",
    "Tile",
    "WhatIfRow",
    "report_page",
]
