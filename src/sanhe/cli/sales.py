"""Commands for shoppers' orders: sale promise, place, list, show, recipient, pay, cancel …"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sanhe.cli.options import Actor, Home, Json, default_actor, opened
from sanhe.cli.output import Output, money, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.place.fulfil import Shipment
    from sanhe.place.orders import Basket, Order, OrderEvent, Quote, Recipient, State
    from sanhe.wiring import Sanhe, Work

Number = Annotated[int, typer.Argument(help="The order's number.", min=1)]
MOST = 500


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    sales = typer.Typer(help="Shoppers' orders.", no_args_is_help=True)
    sales.command("promise")(sale_promise)
    sales.command("place")(sale_place)
    sales.command("list")(sale_list)
    sales.command("show")(sale_show)
    sales.command("recipient")(sale_recipient)
    sales.command("pay")(sale_pay)
    sales.command("cancel")(sale_cancel)
    sales.command("hand-over")(sale_hand_over)
    app.add_typer(sales, name="sale")


def sale_promise(
    lines: Annotated[list[str], typer.Argument(help="SKU=UNITS, e.g. TEA-1=2.")],
    place: Annotated[
        str | None, typer.Option("--place", help="The store where it would be fetched.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Where it is wanted: LATITUDE,LONGITUDE.")
    ] = None,
    pick_ups: Annotated[
        int, typer.Option("--pick-ups", min=0, max=5, help="So many stores near --to are told.")
    ] = 1,
    channel: Annotated[str, typer.Option("--channel", help="What sells it.")] = "web",
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Tell by when and how a basket could be had, and for how much; nothing is held."""
    from sanhe.core.places import Point
    from sanhe.wiring import By, Where, promise_baskets

    with opened(home) as sanhe:
        basket = _basket(
            sanhe,
            lines,
            channel=channel,
            place=None if to else place,
            to=to,
            carry=False,
        )
        where = Where(None if to is None else Point(*_point(to)), place, pick_ups)
        found = promise_baskets(sanhe, [basket], where, by=By(actor or default_actor()))
    (told,) = found.baskets
    if told.refused is not None:
        raise told.refused
    currency = basket.currency
    rows = [
        (
            one.method.value,
            one.due_at.isoformat(timespec="minutes"),
            one.quote.plan.arrives_at,
            ", ".join(f"{at} ({found.places[at].kind})" for at in one.places),
            money(one.delivery_cents, currency),
            money(one.quote.total_cents, currency),
        )
        for one in told.promises
    ]
    names = ("how", "by", "expected", "from", "delivery", "total")
    Output(json).show([dict(zip(names, row, strict=True)) for row in rows], table("", names, rows))


def sale_place(
    lines: Annotated[list[str], typer.Argument(help="SKU=UNITS, e.g. TEA-1=2.")],
    place: Annotated[
        str | None, typer.Option("--place", help="The store where it is fetched.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Where a courier brings it: LATITUDE,LONGITUDE.")
    ] = None,
    carry: Annotated[
        bool, typer.Option("--carry", help="Taken along at once, at --place.")
    ] = False,
    channel: Annotated[str, typer.Option("--channel", help="What sells it.")] = "till",
    member: Annotated[str | None, typer.Option("--member", help="The shopper's code.")] = None,
    coupons: Annotated[
        list[str] | None, typer.Option("--coupon", help="A code shown; may be repeated.")
    ] = None,
    points: Annotated[int, typer.Option("--points", min=0, help="Paid with so many points.")] = 0,
    stored: Annotated[
        int, typer.Option("--stored", min=0, help="Paid with so many cents of stored value.")
    ] = 0,
    recipient: Annotated[
        Path | None,
        typer.Option(
            "--recipient",
            help="JSON with name, phone, lines … of who it goes to; - reads stdin.",
        ),
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Say what it costs, hold nothing.")
    ] = False,
    key: Annotated[
        str | None, typer.Option("--key", help="Placed again with the same key it is one order.")
    ] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Place an order at what it costs now: all of its stock is held for 15 minutes, or nothing."""
    from sanhe.core.values import new_id
    from sanhe.place.orders import Placing
    from sanhe.wiring import By, place_order, quote_basket

    by = By(actor or default_actor())
    with opened(home) as sanhe:
        basket = replace(
            _basket(sanhe, lines, channel=channel, place=place, to=to, carry=carry),
            member=member,
            coupons=tuple(coupons or ()),
            points=points,
            stored_cents=stored,
        )
        quote = quote_basket(sanhe, basket, by=by)
        cost = money(quote.tenders.money_cents, quote.currency)
        if dry:
            _show_quote(Output(json), quote)
            return
        asked = Placing(basket, quote.total_cents, _recipient(recipient))
        placed = place_order(sanhe, asked, key=key or new_id().hex, by=by)
    assert isinstance(placed, dict)
    Output(json).show(placed, f"order {placed['number']} is placed: {cost} to be paid")


def _show_quote(output: Output, quote: Quote) -> None:
    refused = {code: str(lack) for code, lack in quote.unusable.items()}
    refused |= {one.coupon or one.promotion: str(one) for one in quote.refused}
    told = {
        "total_cents": quote.total_cents,
        "due_cents": quote.tenders.money_cents,
        "place": quote.plan.place,
        "refused": refused,
    }
    lines = [f"{money(quote.tenders.money_cents, quote.currency)}, from {quote.plan.place}"]
    lines += [f"not {name}: {why}" for name, why in refused.items()]
    output.show(told, "\n".join(lines))


def sale_list(
    state: Annotated[str | None, typer.Option("--state", help="E.g. paid.")] = None,
    place: Annotated[str | None, typer.Option("--place", help="Of this place.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Of this channel.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST, help="How many.")] = 50,
    home: Home = None,
    json: Json = False,
) -> None:
    """List shoppers' orders, the newest first."""
    from sanhe.place.orders import Wanted

    wanted = Wanted(
        states=None if state is None else [_state(state)],
        places=None if place is None else [place],
        channel=channel,
    )
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        found, total = work.orders.page(wanted, limit=limit)
    rows = [
        (
            one.number,
            one.placed_at.isoformat(timespec="seconds"),
            one.channel,
            one.place,
            one.state.value,
            money(one.total_cents, one.currency),
        )
        for one in found
    ]
    names = ("number", "placed at", "channel", "place", "state", "total")
    told = {"total": total, "rows": [dict(zip(names, row, strict=True)) for row in rows]}
    Output(json).show(told, table(f"{total:,} orders", names, rows))


def sale_show(number: Number, home: Home = None, json: Json = False) -> None:
    """Show an order: its lines, shipments and what happened to it."""
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        order = _order(work, number)
        shipments = work.fulfil.of([order.id])
        events = work.orders.timeline(order.id)
    told = {
        "id": order.id,
        "number": order.number,
        "state": order.state,
        "total_cents": order.total_cents,
        "paid_cents": order.paid_cents,
        "refund_cents": order.refund_cents,
        "lines": [{"line": one.line, "sku": one.sku, "state": one.state} for one in order.lines],
        "shipments": [
            {"number": one.number, "place": one.place, "state": one.state} for one in shipments
        ],
        "events": events,
    }
    Output(json).show(told, *_parts(order, shipments, events))


def sale_recipient(
    number: Number, actor: Actor = "", home: Home = None, json: Json = False
) -> None:
    """Show who an order goes to; that it was shown is kept in the trail."""
    from sanhe.wiring import By, show_recipient

    with opened(home) as sanhe:
        order, by = find_order(sanhe, number), By(actor or default_actor())
        found = show_recipient(sanhe, order.id, any_time=True, by=by)
    told = {name: getattr(found, name) for name in found.__slots__}
    lines = [found.name, found.phone, *found.lines, found.region, found.postcode, found.note]
    Output(json).show(told, "\n".join(line for line in lines if line))


def sale_pay(
    number: Number,
    tender: Annotated[str, typer.Option("--tender", help="cash or card.")] = "cash",
    reference: Annotated[
        str | None, typer.Option("--reference", help="The slip [default: the order's number].")
    ] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Say that an order was paid whole, in cash or by card."""
    from sanhe.wiring import By, take_at_till

    with opened(home) as sanhe:
        order = find_order(sanhe, number)
        settled = take_at_till(
            sanhe,
            order.id,
            tender,
            reference=reference or f"order {number}",
            amount_cents=order.tenders.money_cents,
            by=By(actor or default_actor()),
        )
    told = {"order": settled.order, "outcome": settled.outcome, "refund": settled.refund}
    back = "" if settled.refund is None else ": give the money back"
    Output(json).show(told, f"order {number}: {settled.outcome.value}{back}")


def sale_cancel(
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Cancel what was not handed over of an order; paid money goes back."""
    from sanhe.core.values import new_id
    from sanhe.wiring import By, cancel_order

    with opened(home) as sanhe:
        order = find_order(sanhe, number)
        by, key = By(actor or default_actor()), new_id().hex
        told = cancel_order(sanhe, order.id, reason=reason, pieces=None, key=key, by=by)
    assert isinstance(told, dict)
    back = "" if told["refund"] is None else ", and the money goes back"
    Output(json).show(told, f"order {number} is cancelled{back}")


def sale_hand_over(
    number: Number, actor: Actor = "", home: Home = None, json: Json = False
) -> None:
    """Say that all that is open of an order left for the shopper."""
    from sanhe.core.values import new_id
    from sanhe.wiring import By, hand_over

    with opened(home) as sanhe:
        order = find_order(sanhe, number)
        by, key = By(actor or default_actor()), new_id().hex
        told = hand_over(sanhe, order.id, pieces=None, key=key, by=by)
    assert isinstance(told, dict)
    Output(json).show(told, f"order {number} is {told['state']}")


def _parts(
    order: Order, shipments: list[Shipment], events: list[OrderEvent]
) -> list[RenderableType]:
    total = money(order.total_cents, order.currency)
    head = f"order {order.number} by {order.channel}: {order.state.value}, {total}"
    lines = [
        (
            one.line,
            one.sku,
            one.name,
            one.state.quantity,
            one.state.handed,
            one.state.cancelled,
            one.state.returned,
            money(one.state.amount_cents, order.currency),
        )
        for one in order.lines
    ]
    columns = ("line", "SKU", "name", "units", "handed", "cancelled", "returned", "amount")
    parts: list[RenderableType] = [head, table("", columns, lines)]
    if shipments:
        rows = [(one.number, one.place, one.method, one.state.value) for one in shipments]
        parts.append(table("shipments", ("number", "place", "how", "state"), rows))
    told = [(one.at.isoformat(timespec="seconds"), one.actor, one.kind) for one in events]
    return [*parts, table("what happened", ("at", "by", "what"), told)]


def _basket(
    sanhe: Sanhe,
    lines: list[str],
    *,
    channel: str,
    place: str | None,
    to: str | None,
    carry: bool,
) -> Basket:
    from sanhe.core.errors import BadInput
    from sanhe.place.orders import Basket, BasketLine, Delivery

    if (place is None) == (to is None):
        raise BadInput("name either --place or --to", remedy="a store, or where a courier goes")
    if to is not None:
        delivery = Delivery("courier", None, *_point(to))
    else:
        delivery = Delivery("carry" if carry else "pickup", place)
    wanted = []
    for number, line in enumerate(lines):
        sku, _, units = line.rpartition("=")
        if not sku or not units.isascii() or not units.isdecimal():
            raise BadInput(
                f"{line!r} is no line", place=f"lines/{number}", remedy="write it as SKU=UNITS"
            )
        wanted.append(BasketLine(sku, int(units)))
    return Basket(channel, sanhe.settings.currency, tuple(wanted), delivery)


def _recipient(file: Path | None) -> Recipient | None:
    from sanhe.core.errors import BadInput
    from sanhe.place.orders import Recipient

    if file is None:
        return None
    text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    try:
        found = Recipient.read(text)
    except (ValueError, TypeError, KeyError) as error:
        # What the parser says may show what it could not read.
        wanted = 'JSON such as {"name": "…", "phone": "…", "lines": ["…"]}'
        raise BadInput("this names nobody", place=str(file), remedy=wanted) from error
    return found


def _point(text: str) -> tuple[float, float]:
    from sanhe.core.errors import BadInput

    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise BadInput(f"{text!r} is no point", place="--to", remedy="31.2,121.5") from error
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise BadInput(f"{text!r} lies nowhere", place="--to", remedy="latitude,longitude")
    return latitude, longitude


def _state(name: str) -> State:
    from sanhe.core.errors import BadInput
    from sanhe.place.orders import State

    try:
        return State(name)
    except ValueError as error:
        known = ", ".join(State)
        raise BadInput(f"no state {name!r}", place="--state", remedy=f"one of {known}") from error


def _order(work: Work, number: int) -> Order:
    from sanhe.core.errors import NotFound
    from sanhe.place.orders import Wanted

    found, _ = work.orders.page(Wanted(number=number), limit=1)
    if not found:
        raise NotFound(f"no order {number}: see sanhe sale list")
    return found[0]


def find_order(sanhe: Sanhe, number: int) -> Order:
    """A shopper's order by its number. Raises NotFound."""
    with sanhe.work(actor=default_actor()) as work:
        return _order(work, number)
