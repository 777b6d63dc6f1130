"""Commands that decide: list decisions, explain one, approve, edit, reject, snooze."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Annotated

import typer

from sanhe.cli.options import Actor, Home, Json, Numbers, day, default_actor, opened
from sanhe.cli.output import Output, money, table
from sanhe.core.decisions import Decision, Status
from sanhe.core.errors import BadInput

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
        found = work.decisions.find(
            statuses={status} if status else None, sku=sku, place=place, limit=limit
        )
        total = work.decisions.count(statuses={status} if status else None)
        currency = sanhe.settings.currency
    title = f"{len(found)} of {total:,} decisions" if len(found) < total else ""
    Output(json).show(found, decision_table(found, currency, title=title))


def decision_table(found: list[Decision], currency: str, *, title: str = "") -> object:
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
    number: Annotated[int, typer.Argument(help="The decision's number.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Show how a quantity came about: terms that add up, limits, assumptions, history."""
    from sanhe.cli.explaining import explanation_parts

    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        explanation = work.replenish.explain(number)
        currency = sanhe.settings.currency
    Output(json).show(explanation, *explanation_parts(explanation, currency))


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
    with opened(home) as sanhe:
        with sanhe.work(actor=actor or default_actor()) as work:
            chosen = numbers or []
            if not chosen:
                if not (all_proposed or label or max_value is not None):
                    raise BadInput(
                        "nothing chosen", remedy="give numbers, --all, --class or --max-value"
                    )
                cents = None if max_value is None else round(max_value * 100)
                chosen = work.replenish.proposed_numbers(label=label, max_value_cents=cents)
            approved = work.decisions.approve(chosen, reason=reason)
        orders = sanhe.carry_out(actor=actor or default_actor())
    result = {"approved": approved, "orders": orders}
    Output(json).show(result, f"approved {approved:,}", *order_lines(orders))


def order_lines(orders: list[dict[str, object]]) -> list[str]:
    """One line of text for each purchase order that was written."""
    return [
        f"order {order['order']} to {order['supplier']} for {order['place']}: "
        f"{order['lines']} lines, due {order['due']} -> {order['file']}"
        for order in orders[:20]
    ] + ([f"… and {len(orders) - 20:,} more orders"] if len(orders) > 20 else [])


def edit(
    number: Annotated[int, typer.Argument(help="The decision's number.")],
    quantity: Annotated[int, typer.Argument(min=0, help="The quantity to order instead.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; required.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Approve with another quantity; the reason is kept and its effect measured."""
    with opened(home) as sanhe:
        with sanhe.work(actor=actor or default_actor()) as work:
            work.decisions.edit(number, quantity, reason=reason)
        orders = sanhe.carry_out(actor=actor or default_actor())
    result = {"edited": number, "quantity": quantity, "orders": orders}
    Output(json).show(result, f"decision {number} now orders {quantity:,}", *order_lines(orders))


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
    moment = datetime.combine(wake, time(), tzinfo=UTC)
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        count = work.decisions.snooze(numbers, until=moment, reason=reason)
    Output(json).show({"snoozed": count}, f"snoozed {count:,} until {wake}")
