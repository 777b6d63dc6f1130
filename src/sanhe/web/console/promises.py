"""The map of promises: which part of the demand around each place could be there in time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from sanhe.web.asked import ScopeAsked
from sanhe.web.caller import Caller, depends
from sanhe.wiring import PromiseMap, Spot, promise_map

router = APIRouter(tags=["promises"])


class PromisesAsked(ScopeAsked):
    """Whose demand, and when it is ordered: at the next `hour` o'clock where the retailer is; left
    out = now."""

    hour: Annotated[int, Field(ge=0, le=23)] | None = None


class PromiseSpot(BaseModel):
    """A place: units asked for around it in a day, the share of them that could be at the door
    within each window, and within the first from the place itself; how far it reaches, in metres.
    Shares are null where nothing is asked for."""

    place: str
    name: str
    latitude: float
    longitude: float
    per_day: float
    shares: list[float | None]
    own_share: float | None
    reach_metres: list[int]


class PromisesTold(BaseModel):
    """The map. `skus` of those that are asked for most were looked at, with `looked_at` of all
    demand; `unplaced` are places whose position is not known."""

    at: datetime
    hours: list[int]
    per_day: float
    shares: list[float | None]
    rows: list[PromiseSpot]
    skus: int
    looked_at: float
    unplaced: list[str]


@router.get("/promises")
def read_promises(
    asked: Annotated[PromisesAsked, Query()], caller: Annotated[Caller, depends("promises.read")]
) -> PromisesTold:
    """What of the forecast demand around each place could be there within 2, 24 and 48 hours, with
    the stock, hours, queues and couriers as they are. 404 before the first plan."""
    sanhe = caller.sanhe
    lines = caller.desk.export(asked.filters(), sort="forecast_per_day")
    at = _moment(sanhe.clock.now(), asked.hour, sanhe.settings.time_zone)
    return _told(promise_map(sanhe, lines, at=at))


def _moment(now: datetime, hour: int | None, time_zone: str) -> datetime:
    """Now, or the next time that it is this hour."""
    if hour is None:
        return now
    zone = ZoneInfo(time_zone)
    today = datetime.combine(now.astimezone(zone).date(), time(hour), zone)
    return (today if today >= now else today + timedelta(days=1)).astimezone(UTC)


def _told(found: PromiseMap) -> PromisesTold:
    spots = found.spots
    per_day = sum(one.covered.per_day for one in spots)
    sums = [
        sum(one.covered.within[number] for one in spots) for number in range(len(found.windows))
    ]
    return PromisesTold(
        at=found.at,
        hours=[round(window / timedelta(hours=1)) for window in found.windows],
        per_day=per_day,
        shares=[_share(units, per_day) for units in sums],
        rows=[_spot(one) for one in spots],
        skus=found.skus,
        looked_at=found.share,
        unplaced=list(found.unplaced),
    )


def _spot(one: Spot) -> PromiseSpot:
    point, covered = one.place.point, one.covered
    assert point is not None, "a spot has a position"
    return PromiseSpot(
        place=one.place.id,
        name=one.place.name,
        latitude=point.latitude,
        longitude=point.longitude,
        per_day=covered.per_day,
        shares=[_share(units, covered.per_day) for units in covered.within],
        own_share=_share(covered.own, covered.per_day),
        reach_metres=[round(metres) for metres in one.reach],
    )


def _share(units: float, of: float) -> float | None:
    return None if of <= 0 else units / of
