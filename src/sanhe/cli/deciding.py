"""Commands that decide: list decisions, explain one, approve, edit, reject, snooze."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from sanhe.cli.options import Actor, Home, Json, Numbers, day, default_actor, opened
from sanhe.cli.output import Output, money, table
from sanhe.core.decisions import Decision, Status
from sanhe.core.errors import BadInput, NotFound

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.wiring import Sanhe

REPLENISH = "replenish"
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
Label = Annotated[str | None, typer.Option("--class", help="Only this class, e.g. AX.")]
Every = Annotated[bool, typer.Option("--all", help="All that are proposed.")]
MaxValue = Annotated[
    float | None, typer.Option("--max-value", help="Only up to this money at stake.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (decisions, explain, approve, edit, reject, snooze):
        app.command()(command)


def decisions(
    status: Annotated[Status | None, typer.Option(help="Only this status.")] = None,
    sku: Annotated[str | None, typer.Option(help="Only this SKU.")] = None,
    place: Annotated[str | None, typer.Option(help="Only this place.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    home: Home = None,
    json: Json = False,
) -> None:
    """List decisions, the most money at stake first."""
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        statuses = {status} if status else None
        found = work.decisions.find(statuses=statuses, sku=sku, place=place, limit=limit)
        total = work.decisions.count(statuses=statuses, sku=sku, place=place)
        currency = sanhe.settings.currency
    title = f"{len(found)} of {total:,} decisions" if len(found) < total else ""
    Output(json).show(found, decision_table(found, currency, title=title))


def decision_table(found: list[Decision], currency: str, *, title: str = "") -> RenderableType:
    """Decisions as a table for people."""
    rows = [
        (
            d.number,
            str(d.status),
            d.proposal.label,
            d.proposal.subject.sku,
            d.proposal.subject.place,
            d.value,
            money(d.proposal.value_cents, currency),
            d.proposal.reason,
        )
        for d in found
    ]
    columns = ("number", "status", "class", "SKU", "place", "quantity", "at stake", "reason")
    return table(title, columns, rows)


def explain(
    number: Annotated[int | None, typer.Argument(help="The decision's number.")] = None,
    sku: Annotated[str | None, typer.Option(help="A line by its SKU, ordered or not …")] = None,
    place: Annotated[str | None, typer.Option(help="… and its place.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show how a quantity came about: terms that add up, limits, assumptions, history."""
    from sanhe.cli.explaining import explanation_parts
    from sanhe.wiring import explain_line

    with opened(home) as sanhe:
        if number is not None:
            with sanhe.work(actor=default_actor()) as work:
                told = work.replenish.explain(number)
        elif sku and place:
            told = explain_line(sanhe, sku=sku, place=place, actor=default_actor())
        else:
            raise BadInput("nothing to explain", remedy="give a number, or --sku and --place")
        currency = sanhe.settings.currency
    Output(json).show(told, *explanation_parts(told, currency))


def approve(
    numbers: Numbers = None,
    all_proposed: Every = False,
    label: Label = None,
    max_value: MaxValue = None,
    reason: Reason = "",
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Approve proposals by number, or all that fit; they become purchase orders at once."""
    from sanhe.wiring import approve as run_approve
    from sanhe.wiring import run_jobs

    who = actor or default_actor()
    with opened(home) as sanhe:
        chosen = numbers or _chosen(sanhe, all_proposed, label=label, max_value=max_value)
        approved = run_approve(sanhe, chosen, reason=reason, actor=who)
        made = run_jobs(sanhe)
        orders = order_lines(sanhe, made)
    Output(json).show({"approved": approved, "orders": made}, f"approved {approved:,}", *orders)


def _chosen(
    sanhe: Sanhe, all_proposed: bool, *, label: str | None, max_value: float | None
) -> list[int]:
    """The numbers of the orders that are proposed and fit.

    Raises BadInput when nothing was chosen, NotFound when nothing was ever proposed.
    """
    from sanhe.goods.replenish import ORDERING

    if not (all_proposed or label or max_value is not None):
        raise BadInput("nothing chosen", remedy="give numbers, --all, --class or --max-value")
    with sanhe.work(actor=default_actor()) as work:
        work.decisions.expire()
        found = work.decisions.find(statuses={Status.PROPOSED}, limit=1_000_000)
        if not found and not work.decisions.count():
            raise NotFound("nothing was ever proposed: sanhe plan does")
    most = float("inf") if max_value is None else round(max_value * 100)
    return [
        decision.number
        for decision in found
        if decision.proposal.kind in ORDERING
        and decision.proposal.label.startswith(label or "")
        and decision.proposal.value_cents <= most
    ]


def order_lines(sanhe: Sanhe, names: tuple[str, ...]) -> list[str]:
    """One line of text for each purchase order that was made."""
    with sanhe.work(actor=default_actor()) as work:
        found = work.suppliers.orders(names=names[:20]) if names else []
        waiting = work.decisions.count(statuses={Status.APPROVED, Status.EDITED})
    if waiting:
        # A worker that runs or was killed holds the queue: silence would hide the order.
        still = [f"{waiting:,} approved wait for another run of sanhe to end: sanhe plan goes on"]
    else:
        still = [] if names else ["no order was needed"]
    lines = [
        f"{order.name} to {order.supplier} for {order.place}: {len(order.lines)} lines, "
        f"due {order.due} -> {sanhe.orders_folder / order.name}.csv"
        for order in found
    ]
    more = len(names) - len(lines)
    return [*lines, *([f"… and {more:,} more orders: sanhe orders"] if more else []), *still]


def edit(
    number: Annotated[int, typer.Argument(help="The decision's number.")],
    quantity: Annotated[int, typer.Argument(min=0, help="The quantity to order instead.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; required.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Approve with another quantity; the reason is kept and its effect measured."""
    from sanhe.wiring import edit as run_edit
    from sanhe.wiring import run_jobs

    with opened(home) as sanhe:
        run_edit(sanhe, number, quantity, reason=reason, actor=actor or default_actor())
        made = run_jobs(sanhe)
        orders = order_lines(sanhe, made)
    result = {"edited": number, "quantity": quantity, "orders": made}
    Output(json).show(result, f"decision {number} now orders {quantity:,}", *orders)


def reject(
    numbers: Annotated[list[int], typer.Argument(help="Decision numbers.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; required.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Close proposals without ordering."""
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        count = work.decisions.reject(numbers, reason=reason)
    Output(json).show({"rejected": count}, f"rejected {count:,}")


def snooze(
    numbers: Annotated[list[int], typer.Argument(help="Decision numbers.")],
    until: Annotated[str, typer.Option("--until", help="A day, YYYY-MM-DD.")],
    reason: Reason = "",
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Put proposals off until a day; nothing is proposed twice meanwhile."""
    wake = day(until, option="--until")
    if wake is None:
        raise BadInput("no day given", place="--until", remedy="write it as YYYY-MM-DD")
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        # The day begins where the planner is, not in Greenwich.
        moment = datetime.combine(wake, time(), tzinfo=ZoneInfo(sanhe.settings.time_zone))
        count = work.decisions.snooze(numbers, until=moment, reason=reason)
    Output(json).show({"snoozed": count}, f"snoozed {count:,} until {wake}")
