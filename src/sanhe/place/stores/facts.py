"""The fact types of what a place can do for orders."""

from __future__ import annotations

from sanhe.core.facts import FactField, FactType

STORE_DESCRIBED = FactType(
    name="store.described",
    owner="place.stores",
    meaning=(
        "How a place serves orders from the event day on; of several descriptions the one with "
        "the latest event counts, as a whole"
    ),
    needs=("place",),
    payload={
        "hours": FactField(
            "str",
            'opening hours as OpenStreetMap writes them: "Mo-Fr 09:00-21:00; Sa,Su 10:00-22:00; '
            'PH off", "24/7"',
            required=True,
        ),
        "pick_capacity_per_hour": FactField(
            "int", "orders that can be picked in an hour of opening", required=True
        ),
        "pick_minutes": FactField("int", "minutes from beginning an order to its being ready"),
        "service_radius_metres": FactField("int", "how far it delivers, as the crow flies"),
        "channels": FactField("str", 'channels it sells on: "app,livestream"; absent = all'),
        "safety_units": FactField("int", "units of each SKU kept for who walks in"),
    },
    writers=("connectors.files", "sim"),
    readers=("place.stores",),
)

COURIER_OFFERED = FactType(
    name="courier.offered",
    owner="place.stores",
    meaning="A courier that takes orders away from a place, at which price, from the event day on",
    needs=("place",),
    payload={
        "courier": FactField("str", "the courier's name", required=True),
        "base_fee_cents": FactField("int", "fee of one parcel", required=True),
        "per_km_cents": FactField("int", "further fee for each km of road"),
        "speed_km_per_hour": FactField("float", "km of road it comes on in an hour", required=True),
        "collect_minutes": FactField("int", "minutes until it has fetched a ready order"),
        "cut_off": FactField("str", "local HH:MM after which it fetches on the next open day only"),
        "radius_metres": FactField("int", "how far it goes, as the crow flies"),
        "offered": FactField("bool", "false = not any more"),
    },
    writers=("connectors.files", "sim"),
    readers=("place.stores",),
)

FACT_TYPES = (STORE_DESCRIBED, COURIER_OFFERED)
