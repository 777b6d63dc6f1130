"""Orders of a channel: quoted, placed, followed, cancelled, handed over."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool

from sanhe.web.asked import Key
from sanhe.web.caller import Caller, depends
from sanhe.web.storefront.asked import (
    AskedBasket,
    AskedCancel,
    AskedCharge,
    AskedHandOver,
    AskedOrder,
    AskedTender,
    ChargeTold,
    PlacedTold,
    Quoted,
    RefundTold,
    SettledTold,
    pieces_of,
)
from sanhe.web.told import ShopOrder, StateTold
from sanhe.wiring import (
    Payer,
    cancel_order,
    hand_over,
    masked_recipient,
    place_order,
    prepare_payment,
    queue_order,
    quote_basket,
    take_at_till,
)

router = APIRouter(prefix="/shop", tags=["shop"])
Places = Annotated[Caller, depends("sales.place")]
Reads = Annotated[Caller, depends("sales.read")]
Hands = Annotated[Caller, depends("sales.hand_over")]
Takes = Annotated[Caller, depends("sales.take_money")]
OrderId = Annotated[UUID, Path()]


@router.post("/quotes")
def quote(asked: AskedBasket, caller: Places) -> Quoted:
    """What a basket costs and promises now; nothing is held for it."""
    return Quoted.of(quote_basket(caller.sanhe, asked.basket(), by=caller.by))


@router.post("/orders", status_code=201)
async def place(asked: AskedOrder, key: Key, caller: Places) -> PlacedTold:
    """Order a basket at the total the shopper saw: all of its stock is held, or nothing is."""
    wanted, sanhe, by = asked.placing(), caller.sanhe, caller.by
    queued = queue_order(sanhe, wanted, key=key, by=by)
    if queued is None:
        told = await run_in_threadpool(place_order, sanhe, wanted, key=key, by=by)
    else:
        told = (await asyncio.wrap_future(queued)).result()
    return PlacedTold.of(told)


@router.get("/orders/{order}")
def read(order: OrderId, caller: Reads) -> ShopOrder:
    """One order."""
    with caller.work() as work:
        found = work.orders.get(order)
    return ShopOrder.of(found, masked_recipient(caller.sanhe, found))


@router.post("/orders/{order}/charges")
def charge(order: OrderId, asked: AskedCharge, caller: Places) -> ChargeTold:
    """Have a provider collect the money; asked again it gives the same."""
    told = prepare_payment(
        caller.sanhe,
        order,
        asked.provider,
        payer=Payer(asked.way, asked.payer, asked.address),
        by=caller.by,
    )
    return ChargeTold(provider=asked.provider, parameters=dict(told))


@router.post("/orders/{order}/tenders")
def take(order: OrderId, asked: AskedTender, caller: Takes) -> SettledTold:
    """Say that money was taken at the till; the same slip again is the same payment."""
    settled = take_at_till(
        caller.sanhe,
        order,
        asked.tender,
        amount_cents=asked.amount_cents,
        reference=asked.reference,
        by=caller.by,
    )
    return SettledTold(outcome=settled.outcome.value, refund=settled.refund)


@router.post("/orders/{order}/cancel")
def cancel(order: OrderId, asked: AskedCancel, *, key: Key, caller: Places) -> RefundTold:
    """Cancel what was not handed over, or pieces of it; money that was paid goes back."""
    told = cancel_order(
        caller.sanhe,
        order,
        reason=asked.reason,
        pieces=pieces_of(asked.pieces),
        key=key,
        by=caller.by,
    )
    return RefundTold.model_validate(told)


@router.post("/orders/{order}/hand-over")
def hand(order: OrderId, asked: AskedHandOver, *, key: Key, caller: Hands) -> StateTold:
    """Say that goods left for the shopper."""
    pieces = pieces_of(asked.pieces)
    told = hand_over(caller.sanhe, order, pieces=pieces, key=key, by=caller.by)
    return StateTold.model_validate(told)
