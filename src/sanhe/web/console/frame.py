"""What stands around every page: scopes, search, saved views, news."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from sanhe.core.access import may
from sanhe.core.errors import Denied, NotFound
from sanhe.web.asked import Word
from sanhe.web.caller import Caller, depends, identify_again, signed_in
from sanhe.web.running import Event
from sanhe.wiring import Work

router = APIRouter(tags=["frame"])

ASK_EVERY_SECONDS: Final = 15.0
"""So often a stream of news asks who listens: their session may be over, their places others."""

Page = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f/]+$")
]


class Place(BaseModel):
    """A place that can be chosen."""

    id: str
    name: str | None
    kind: str
    city: str | None


class Region(BaseModel):
    """A region with its places; the id is empty for places without one."""

    id: str
    places: list[Place]


class Scopes(BaseModel):
    """What pages can be narrowed to. `as_of`: the morning of the last plan, None before one."""

    as_of: date | None
    planned_days: list[date]
    regions: list[Region]
    categories: list[str]
    suppliers: list[str]
    labels: list[str]


@router.get("/scope")
def read_scope(caller: Annotated[Caller, depends("catalog.read")]) -> Scopes:
    """Regions, places, categories, suppliers and classes, as far as the caller sees them."""
    with caller.work() as work:
        places = work.places.all().to_pylist()
    by_region: dict[str, list[Place]] = {}
    for place in places:
        row = Place(id=place["id"], name=place["name"], kind=place["kind"], city=place["city"])
        by_region.setdefault(place["region"] or "", []).append(row)
    regions = [Region(id=name, places=of) for name, of in sorted(by_region.items())]
    try:
        found = caller.desk.scopes()
    except NotFound:  # before the first plan
        return Scopes(
            as_of=None, planned_days=[], regions=regions, categories=[], suppliers=[], labels=[]
        )
    return Scopes(
        as_of=found.as_of,
        planned_days=list(found.days),
        regions=regions,
        categories=list(found.categories),
        suppliers=list(found.suppliers),
        labels=list(found.labels),
    )


class Found(BaseModel):
    """Something to go to. `kind`: sku, place, order or decision."""

    kind: str
    id: str
    title: str
    subtitle: str | None = None


class FoundRows(BaseModel):
    """What a search found, the closest first."""

    rows: list[Found]


@router.get("/search")
def search(
    q: Annotated[Word, Query()], caller: Annotated[Caller, depends("catalog.read")]
) -> FoundRows:
    """Find an SKU, place, purchase order or decision by code, name or number."""
    text = q.strip()
    rows: list[Found] = []
    if not text:
        return FoundRows(rows=rows)
    with caller.work() as work:
        if text.isdecimal() and len(text) <= 18 and may(caller.identity, "decisions.read"):
            rows += _decision(work, int(text))
        if may(caller.identity, "orders.read"):
            rows += [
                Found(kind="order", id=order.name, title=order.name, subtitle=order.supplier_name)
                for order in work.suppliers.orders(names=[text, text.upper()])
            ]
        low = text.lower()
        rows += [
            Found(kind="place", id=place["id"], title=place["id"], subtitle=place["name"])
            for place in work.places.all().to_pylist()
            if low in place["id"].lower() or low in (place["name"] or "").lower()
        ][:5]
        items = work.catalog.search(text, limit=10).to_pylist()
    rows += [
        Found(kind="sku", id=item["sku"], title=item["name"] or item["sku"], subtitle=item["sku"])
        for item in items
    ]
    return FoundRows(rows=rows)


def _decision(work: Work, number: int) -> list[Found]:
    try:
        subject = work.decisions.get(number).proposal.subject
    except NotFound:
        return []
    about = " · ".join(part for part in (subject.sku, subject.place, subject.party) if part)
    return [Found(kind="decision", id=str(number), title=str(number), subtitle=about)]


class View(BaseModel):
    """A saved view: a page's address parameters under a name."""

    name: str
    search: str


class ViewRows(BaseModel):
    """The views of a page, by name."""

    rows: list[View]


class ViewEntered(BaseModel):
    """What to keep: the address's parameters."""

    search: str = Field(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")


@router.get("/views/{page}")
def read_views(page: Page, caller: Annotated[Caller, Depends(signed_in)]) -> ViewRows:
    """One's own views of a page."""
    with caller.work() as work:
        found = work.views.of(caller.account, page)
    return ViewRows(rows=[View(name=view.name, search=view.search) for view in found])


@router.put("/views/{page}/{name}", status_code=204)
def keep_view(
    page: Page,
    name: Name,
    entered: ViewEntered,
    *,
    caller: Annotated[Caller, Depends(signed_in)],
) -> Response:
    """Keep a view under a name, in the place of one of this name."""
    with caller.work() as work:
        work.views.keep(caller.account, page, name=name, search=entered.search)
    return Response(status_code=204)


@router.delete("/views/{page}/{name}", status_code=204)
def drop_view(page: Page, name: Name, caller: Annotated[Caller, Depends(signed_in)]) -> Response:
    """Forget a view."""
    with caller.work() as work:
        work.views.drop(caller.account, page, name=name)
    return Response(status_code=204)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def read_events(
    request: Request, caller: Annotated[Caller, Depends(signed_in)]
) -> StreamingResponse:
    """News as it happens: `job`, `decisions`, `plan`; only of what the caller may see.

    It ends with the session or key; roles and places are those of now.
    """

    async def lines() -> AsyncIterator[str]:
        yield "retry: 3000\n\n"
        known, asked_at = caller, time.monotonic()
        async for event in caller.served.running.events():
            if await request.is_disconnected():
                return
            if time.monotonic() - asked_at >= ASK_EVERY_SECONDS:
                try:
                    known = await run_in_threadpool(identify_again, request)
                except Denied:
                    return
                asked_at = time.monotonic()
            if event is None:
                yield ": still here\n\n"
            elif _concerns(event, known):
                told = json.dumps(dict(event.data), ensure_ascii=False, default=str)
                yield f"event: {event.kind}\ndata: {told}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


def _concerns(event: Event, caller: Caller) -> bool:
    scope = caller.identity.scope
    if event.kind == "job" and event.data.get("actor") == caller.identity.actor:
        return True
    if scope.is_everything:
        return event.kind != "job" or may(caller.identity, "data.read")
    if event.kind == "job":
        return False
    if event.kind == "decisions" and not may(caller.identity, "decisions.read"):
        return False
    if event.places is None:
        return True
    return scope.places is not None and not event.places.isdisjoint(scope.places)
