"""Places (网点): the master of stores, warehouses and pop-ups, and their calendars.

Goods need nodes as much as place does, so the master lies in the core; place.stores extends it.
In: place.described and holiday.declared facts. Out: places by id and by distance, business
days, holidays.
"""

from sanhe.core.places.facts import FACT_TYPES
from sanhe.core.places.official import OfficialHoliday, official_days, official_holidays
from sanhe.core.places.places import Places
from sanhe.core.places.rules import Holiday, Place, Point, metres_between

__all__ = [
    "FACT_TYPES",
    "Holiday",
    "OfficialHoliday",
    "Place",
    "Places",
    "Point",
    "metres_between",
    "official_days",
    "official_holidays",
]
