"""The desk (工作台): what a plan found, laid out so that people can act on it page by page.

Systems: S3, S25.

Inputs: the arithmetic of a plan (goods.replenish), the health of its lines (goods.health), items
and places. Decides which lines need a person (exceptions) and what each is worth. Outputs, in the
lake, made once a plan and read by pages: every line with its stock, forecast, proposal and class;
the exceptions by money; and the day's sums by place and category, from which the cockpit tells
how the business stands against an earlier day.
"""

from sanhe.loop.desk.cockpit import Cockpit, Kpi, Todo
from sanhe.loop.desk.desk import Desk, Page, Scopes, Stock
from sanhe.loop.desk.filters import Filters
from sanhe.loop.desk.rules import ACTIONS, KINDS, in_brief
from sanhe.loop.desk.store import FOLDER

__all__ = [
    "ACTIONS",
    "FOLDER",
    "KINDS",
    "Cockpit",
    "Desk",
    "Filters",
    "Kpi",
    "Page",
    "Scopes",
    "Stock",
    "Todo",
    "in_brief",
]
