"""How a decision is told to people: its arithmetic line by line, then all that bears on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.panel import Panel
from rich.text import Text

from sanhe.cli.output import money, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.goods.replenish import Explanation


def explanation_parts(told: Explanation, currency: str) -> list[RenderableType]:
    """The parts to print for one explanation."""
    name = f" {told.item_name}" if told.item_name else ""
    head = f"{told.sku}{name} at {told.place}"
    number = f"decision {told.number} ({told.status})" if told.number else "no decision"
    steps = [(term.words, term.value, term.running) for term in told.terms]
    steps.append(("= quantity", told.quantity, told.quantity))
    parts: list[RenderableType] = [
        Panel(Text(told.reason, "bold"), title=Text(f"{number}: {head}"), expand=False),
        table("", ("term", "value", "total"), steps),
        f"at stake {money(told.value_cents, currency)}; class {told.label or '–'}; "
        f"method {told.method}",
    ]
    if told.decided != told.quantity:
        parts.append(f"decided otherwise: {told.decided:,}")
    parts += _steered(told)
    parts += [f"limit: {limit}" for limit in told.limits]
    parts += [f"assumed: {assumed}" for assumed in told.assumed]
    parts += _lots(told)
    parts += _drivers(told)
    if told.forecast:
        days = [(f"{day:%a %m-%d}", round(demand, 1)) for day, demand in told.forecast[:14]]
        parts.append(table("expected demand", ("day", "units"), days))
    parts += _alternatives(told)
    parts += [
        f"{event.at:%Y-%m-%d %H:%M} {event.actor}: {event.status} {event.reason}".rstrip()
        for event in told.history
    ]
    if told.actions:
        parts.append(f"carried out as {', '.join(told.actions)}")
    return parts


def _steered(told: Explanation) -> list[RenderableType]:
    """Which settings the line's class changes, and the class of the policy that says so."""
    rules = told.inputs.get("class_rules")
    if not isinstance(rules, dict) or not rules:
        return []
    words = ", ".join(f"{setting} (class {of})" for setting, of in rules.items())
    return [f"set by its class: {words}"]


def _drivers(told: Explanation) -> list[RenderableType]:
    """What the demand over cover is made of, where the snapshot holds it."""
    made_of = told.inputs.get("drivers")
    if not isinstance(made_of, Mapping):
        return []
    rows = [(name, units) for name, units in made_of.items() if units]
    return [table("demand over cover by driver", ("driver", "units"), rows)]


def _lots(told: Explanation) -> list[RenderableType]:
    """The lots that expire before the next arrival, and the demand expected until they do; of a
    transfer the lots to take."""
    taken = told.inputs.get("lots")
    if isinstance(taken, list | tuple) and taken:
        rows = [tuple(lot.values()) for lot in taken if isinstance(lot, Mapping)]
        return [table("lots to take", ("last day of sale", "units"), rows)]
    lots = told.inputs.get("expiring_lots")
    if not isinstance(lots, list | tuple) or not lots:
        return []
    rows = [tuple(lot.values()) for lot in lots if isinstance(lot, Mapping)]
    words = ("last day of sale", "units left", "expected demand until then")
    return [table("stock that expires before the next arrival", words, rows)]


def _alternatives(told: Explanation) -> list[RenderableType]:
    if not told.alternatives:
        return []
    columns = tuple(dict.fromkeys(key for choice in told.alternatives for key in choice))
    rows = [tuple(choice.get(column) for column in columns) for choice in told.alternatives]
    words = tuple(column.replace("_", " ") for column in columns)
    return [table("alternatives", words, rows)]
