"""Decisions as rows: proposals into an Arrow table, records back into decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from sanhe.core.decisions import rules
from sanhe.core.decisions.ports import Decision, Effect, Event, Proposal, Status, Subject
from sanhe.core.values import new_id

if TYPE_CHECKING:
    import pyarrow as pa


def proposal_table(proposals: Sequence[tuple[Proposal, int]]) -> pa.Table:
    """Proposals with their kind's version as the rows of one bulk insert, in their order."""
    import pyarrow as pa

    given = [proposal for proposal, _ in proposals]
    text, number, moment = pa.string(), pa.int64(), pa.timestamp("us", "UTC")
    columns: dict[str, tuple[list[Any], pa.DataType]] = {
        "position": (list(range(len(given))), number),
        "id": ([str(new_id()) for _ in given], text),
        "kind": ([p.kind for p in given], text),
        "kind_version": ([version for _, version in proposals], number),
        "sku": ([p.subject.sku for p in given], text),
        "place": ([p.subject.place for p in given], text),
        "party": ([p.subject.party for p in given], text),
        "value": ([p.value for p in given], number),
        "value_cents": ([p.value_cents for p in given], number),
        "terms": ([list(p.terms) for p in given], pa.list_(number)),
        "valid_until": ([p.valid_until for p in given], moment),
        "reason": ([p.reason for p in given], text),
        "method": ([p.method for p in given], text),
        "label": ([p.label for p in given], text),
        "inputs": ([json_text(p.inputs) for p in given], text),
        "constraints": ([json_text(p.constraints) if p.constraints else None for p in given], text),
        "alternatives": (
            [json_text(p.alternatives) if p.alternatives else None for p in given],
            text,
        ),
        "expected": (
            [json_text(rules.effect_json(p.expected)) if p.expected else None for p in given],
            text,
        ),
        "guard_rails": ([json_text(p.guard_rails) if p.guard_rails else None for p in given], text),
    }
    return pa.table({name: pa.array(*column) for name, column in columns.items()})


def json_text(value: object) -> str:
    """A value as JSON text."""
    return orjson.dumps(value).decode()


def decision_of(row: Any, history: Sequence[Event] = ()) -> Decision:
    """A decision from its record."""
    proposal = Proposal(
        kind=row.kind,
        subject=Subject(row.sku, row.place, row.party),
        value=row.proposed_value,
        value_cents=row.value_cents,
        terms=tuple(row.terms),
        reason=row.reason,
        inputs=row.inputs,
        method=row.method,
        constraints=tuple(row.constraints or ()),
        alternatives=tuple(row.alternatives or ()),
        expected=effect_of(row.expected),
        guard_rails=tuple(row.guard_rails or ()),
        label=row.label,
        valid_until=row.valid_until,
    )
    return Decision(
        id=row.id,
        number=row.number,
        run=row.run,
        proposal=proposal,
        status=Status(row.status),
        value=row.value,
        created_at=row.created_at,
        snoozed_until=row.snoozed_until,
        actions=tuple(row.actions or ()),
        arm=row.arm,
        measured=effect_of(row.measured),
        history=tuple(history),
        kind_version=row.kind_version,
    )


def event_of(row: Any) -> Event:
    """An event from its record."""
    return Event(row.at, row.actor, Status(row.status), row.reason, row.value, row.details or {})


def effect_of(value: Mapping[str, Any] | None) -> Effect | None:
    """An effect from its JSON."""
    if value is None:
        return None
    return Effect(value["metric"], float(value["value"]), float(value["low"]), float(value["high"]))
