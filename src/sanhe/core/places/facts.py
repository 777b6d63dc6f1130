"""The facts of places and calendars."""

from __future__ import annotations

from sanhe.core.facts import FactField, FactType

KINDS = ("store", "warehouse", "micro_warehouse", "popup")

FACT_TYPES = (
    FactType(
        name="place.described",
        owner="core.places",
        meaning="A store, warehouse, micro-warehouse or pop-up as it is from this day on.",
        needs=("place",),
        payload={
            "name": FactField("str", "What people call it.", required=True),
            "kind": FactField("str", f"One of {', '.join(KINDS)}.", required=True),
            "parent": FactField("str", "The place that supplies or contains it."),
            "time_zone": FactField("str", "IANA name; absent = the installation's."),
            "cut_off": FactField("str", "Local HH:MM at which its business day begins."),
            "city": FactField("str", "City, for weather."),
            "region": FactField("str", "Region, for planning."),
            "latitude": FactField(
                "float",
                "Degrees north; every place and address in one datum (WGS 84, or GCJ-02 as Amap "
                "and Tencent give it: they lie up to 700 m apart).",
            ),
            "longitude": FactField("float", "Degrees east, in the same datum."),
        },
        writers=("connectors.files", "sim"),
        readers=("core.places", "goods.demand"),
    ),
    FactType(
        name="holiday.declared",
        everywhere=True,
        owner="core.places",
        meaning="A day off, or a weekend day worked instead, everywhere or at one place.",
        payload={
            "name": FactField("str", "The holiday.", required=True),
            "kind": FactField("str", "public or working_day.", required=True),
        },
        writers=("connectors.files", "sim"),
        readers=("core.places", "goods.demand"),
    ),
)
