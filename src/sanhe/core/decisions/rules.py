"""The rules of decisions: which moves are allowed, what a proposal must hold, what approves itself.

Pure functions; the database holds the same arithmetic and uniqueness by constraints.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from sanhe.core.decisions.ports import (
    AutoApproval,
    Decision,
    DecisionKind,
    Effect,
    Proposal,
    ProposalTable,
    Ruling,
    Status,
)
from sanhe.core.errors import BadInput, Code, Conflict
from sanhe.core.values import Json

if TYPE_CHECKING:
    import pyarrow as pa

MOVES: Mapping[Status, frozenset[Status]] = {
    Status.PROPOSED: frozenset(
        {Status.APPROVED, Status.EDITED, Status.REJECTED, Status.SNOOZED, Status.EXPIRED}
    ),
    Status.SNOOZED: frozenset(
        {
            Status.PROPOSED,
            Status.APPROVED,
            Status.EDITED,
            Status.REJECTED,
            Status.SNOOZED,
            Status.EXPIRED,
        }
    ),
    Status.APPROVED: frozenset({Status.EDITED, Status.REJECTED, Status.EXECUTING}),
    Status.EDITED: frozenset({Status.EDITED, Status.REJECTED, Status.EXECUTING}),
    Status.EXECUTING: frozenset({Status.EXECUTED, Status.FAILED}),
    Status.EXECUTED: frozenset({Status.MEASURED}),
    Status.MEASURED: frozenset({Status.MEASURED}),
    Status.REJECTED: frozenset(),
    Status.FAILED: frozenset(),
    Status.EXPIRED: frozenset(),
}
"""From each status, the statuses a decision may move to. A measure may be taken again later."""

WAITING = frozenset({Status.PROPOSED, Status.SNOOZED})
"""What nobody has decided on yet."""

BY_PEOPLE = frozenset({Status.APPROVED, Status.EDITED, Status.REJECTED, Status.SNOOZED})
"""What people make of a proposal."""

OVER = "validity is over"
AWAKE = "snoozed long enough"
"""Why a decision has expired, or is proposed again."""

LARGEST = 2**63 - 1


def allowed(present: Status, wanted: Status) -> bool:
    """Whether a decision may move from one status to another."""
    return wanted in MOVES[present]


def sources(wanted: Status) -> frozenset[Status]:
    """The statuses from which a decision may move to `wanted`."""
    return frozenset(status for status in Status if wanted in MOVES[status])


def check_move(number: int, present: Status, wanted: Status) -> None:
    """Raise Conflict when the move is not allowed."""
    if allowed(present, wanted):
        return
    froms = ", ".join(sorted(sources(wanted))) or "nothing"
    raise Conflict(
        f"decision {number} is {present.value}: only what is {froms} can become {wanted.value}",
        code=Code.DECIDED,
    )


def check_valid(
    number: int, present: Status, *, valid_until: datetime | None, now: datetime
) -> None:
    """Raise Conflict for the approval of a proposal whose validity is over."""
    if present in WAITING and valid_until is not None and valid_until <= now:
        first = "reject it, then " if present is Status.SNOOZED else ""
        raise Conflict(
            f"decision {number} was valid until {valid_until:%Y-%m-%d %H:%M %Z}; stock and orders "
            f"may have changed since: {first}plan again for a fresh one",
            code=Code.OVER,
        )


def check_kind(kind: DecisionKind) -> None:
    """Raise BadInput for a kind without name, unit or terms, or with a term named twice."""
    place = f"decision kind {kind.name!r}"
    if not kind.name or not kind.unit or not kind.terms:
        raise BadInput("a kind needs a name, a unit and terms", place=place)
    if len(set(kind.terms)) != len(kind.terms):
        raise BadInput(f"terms {kind.terms} name one twice", place=place)
    if kind.version < 1:
        raise BadInput(f"version {kind.version} is below 1", place=place)


def check_same_kind(known: DecisionKind, given: DecisionKind) -> None:
    """Raise Conflict when one version of a kind is published with other terms."""
    if (known.terms, known.unit, known.owner) != (given.terms, given.unit, given.owner):
        raise Conflict(
            f"decision kind {given.name} version {given.version} is published with terms "
            f"{', '.join(known.terms)} in {known.unit} by {known.owner}: raise the version"
        )


def check_proposal(proposal: Proposal, kind: DecisionKind) -> None:
    """Raise BadInput when the arithmetic doesn't add up or doesn't fit the kind."""
    subject = proposal.subject
    if "" in (subject.sku, subject.place, subject.party):
        raise BadInput(
            "the subject has an empty name", place=place_of(proposal), remedy="give None instead"
        )
    if len(proposal.terms) != len(kind.terms):
        raise BadInput(
            f"{len(proposal.terms)} terms for {len(kind.terms)} names",
            place=place_of(proposal),
            remedy=f"give {', '.join(kind.terms)}",
        )
    total = sum(proposal.terms)
    if total != proposal.value:
        raise BadInput(
            f"terms {proposal.terms} sum to {total}, the value is {proposal.value}",
            place=place_of(proposal),
            remedy="every unit of the value must lie in a term",
        )
    if max(abs(total), abs(proposal.value_cents), *map(abs, proposal.terms)) > LARGEST:
        raise BadInput("a number is beyond 64 bits", place=place_of(proposal))
    if proposal.valid_until is not None:
        check_moment(proposal.valid_until, place=place_of(proposal))
    if not finite(proposal.inputs):
        check_finite(proposal.inputs, place=f"{place_of(proposal)} inputs")


def check_table(table: ProposalTable, kind: DecisionKind) -> None:
    """`check_proposal` for all rows at once: raise BadInput for the first that is wrong."""
    rows = table.rows
    wanted = {"value", "value_cents", "terms"}
    if missing := wanted - set(rows.column_names):
        raise BadInput(f"no column {', '.join(sorted(missing))}", place=f"proposals {table.kind}")
    for name in wanted:
        if rows.column(name).null_count:
            raise BadInput(f"{name} is missing in a row", place=f"proposals {table.kind}")
    _check_names(table)
    _check_terms(table, kind)
    if "valid_until" in rows.column_names and rows.schema.field("valid_until").type.tz is None:
        raise BadInput(
            "valid_until has no time zone",
            place=f"proposals {table.kind}",
            remedy="give timestamps in UTC",
        )
    for name in {"inputs", "alternatives", "expected"} & set(rows.column_names):
        _check_leaves(rows.column(name), place=f"proposals {table.kind} {name}")


def _check_names(table: ProposalTable) -> None:
    import pyarrow.compute as pc

    for name in {"sku", "place", "party"} & set(table.rows.column_names):
        if pc.any(pc.equal(table.rows.column(name).cast("string"), "")).as_py():
            raise BadInput(
                f"a subject has an empty name as {name}",
                place=f"proposals {table.kind}",
                remedy="give null instead",
            )


def _check_terms(table: ProposalTable, kind: DecisionKind) -> None:
    """Every row has as many terms as its kind, and they sum to the value."""
    import pyarrow.compute as pc

    rows, width = table.rows, len(kind.terms)
    lengths = pc.list_value_length(rows.column("terms")).to_numpy()
    flat = pc.list_flatten(rows.column("terms")).to_numpy()
    if (wrong := np.flatnonzero(lengths != width)).size:
        raise BadInput(
            f"{lengths[wrong[0]]} terms for {width} names",
            place=_row_name(table, int(wrong[0])),
            remedy=f"give {', '.join(kind.terms)}",
        )
    terms = flat.reshape(-1, width)
    # Far below 64 bits, so that no sum can run over.
    if (wrong := np.flatnonzero((np.abs(terms.astype(np.float64)) > 2.0**56).any(axis=1))).size:
        raise BadInput("a number is beyond 56 bits", place=_row_name(table, int(wrong[0])))
    totals, values = terms.sum(axis=1), rows.column("value").to_numpy()
    if (wrong := np.flatnonzero(totals != values)).size:
        at = int(wrong[0])
        raise BadInput(
            f"terms {tuple(terms[at].tolist())} sum to {totals[at]}, the value is {values[at]}",
            place=_row_name(table, at),
            remedy="every unit of the value must lie in a term",
        )


def _check_leaves(column: pa.ChunkedArray | pa.Array, *, place: str) -> None:
    """Raise BadInput for a number in a nested column that can't be recorded."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_struct(column.type):
        for at, field in enumerate(column.type):
            _check_leaves(pc.struct_field(column, [at]), place=f"{place}.{field.name}")
    elif pa.types.is_list(column.type):
        _check_leaves(pc.list_flatten(column), place=place)
    elif pa.types.is_floating(column.type) and pc.all(pc.is_finite(column)).as_py() not in (
        True,
        None,
    ):
        raise BadInput(
            "a number that is not finite can't be recorded", place=place, remedy="give null instead"
        )


def _row_name(table: ProposalTable, at: int) -> str:
    """The name of a row in messages."""
    named = [n for n in ("sku", "place", "party") if n in table.rows.column_names]
    return _name(table.kind, [table.rows.column(name)[at].as_py() for name in named])


def place_of(proposal: Proposal) -> str:
    """The name of a proposal in messages."""
    subject = proposal.subject
    return _name(proposal.kind, (subject.sku, subject.place, subject.party))


def _name(kind: str, subject: Sequence[str | None]) -> str:
    return f"proposal {kind} {' '.join(part for part in subject if part is not None)}".rstrip()


def check_moment(moment: datetime, *, place: str) -> None:
    """Raise BadInput for a time without a zone."""
    if moment.tzinfo is None:
        raise BadInput(f"{moment} has no time zone", place=place, remedy="give an offset")


def check_reason(reason: str, *, action: str) -> None:
    """Raise BadInput when a reason is required and none is given."""
    if not reason.strip():
        raise BadInput(
            f"a reason is required to {action}",
            remedy="say why, others will ask",
            code=Code.REASON_MISSING,
        )


def check_edited_value(value: int, *, number: int) -> None:
    """Raise BadInput for a negative value or one beyond 64 bits."""
    if not 0 <= value <= LARGEST:
        raise BadInput(
            f"value {value} is not within 0 and {LARGEST}",
            place=f"decision {number}",
            remedy="reject it to do nothing",
        )


def check_until(until: datetime, now: datetime) -> None:
    """Raise BadInput when a decision would be put off to the past."""
    check_moment(until, place="until")
    if until <= now:
        raise BadInput(f"{until:%Y-%m-%d %H:%M} is not later than now", place="until")


def covers(rule: AutoApproval, proposal: Proposal) -> bool:
    """Whether a rule approves a proposal: its kind, its class, its money at stake."""
    given = ruling([rule], proposal.kind, label=proposal.label, value_cents=proposal.value_cents)
    return given is not None and given.approves


def ruling(
    rules: Iterable[AutoApproval], kind: str, *, label: str, value_cents: int
) -> Ruling | None:
    """The first rule that approves such a proposal, or else the one that comes nearest.

    Nearest is one of its class, then the one it exceeds least. None without a rule of the kind.

    >>> small = AutoApproval("replenish", frozenset({"AX"}), 5000, "small")
    >>> ruling([small], "replenish", label="AXH1", value_cents=7200)
    Ruling(rule=AutoApproval(kind='replenish', labels=frozenset({'AX'}), max_value_cents=5000, \
name='small'), fits_class=True, over_cents=2200)
    """
    found = [
        Ruling(
            rule,
            fits_class=not rule.labels or label.startswith(tuple(rule.labels)),
            over_cents=max(value_cents - rule.max_value_cents, 0),
        )
        for rule in rules
        if rule.kind == kind
    ]
    return min(found, key=lambda one: (not one.fits_class, one.over_cents), default=None)


def may_still(status: Status, *, valid_until: datetime | None, now: datetime) -> frozenset[Status]:
    """What people can still make of a decision that waits for them; nothing of any other.

    One whose validity is over can only be closed: stock and orders may have changed since.
    """
    if status not in WAITING:
        return frozenset()
    over = valid_until is not None and valid_until <= now
    return MOVES[status] & (frozenset({Status.REJECTED}) if over else BY_PEOPLE)


def is_overruled(decision: Decision) -> bool:
    """Whether a person closed it otherwise than proposed: rejected, or with another value."""
    done = decision.status in {Status.EXECUTED, Status.MEASURED}
    return decision.status is Status.REJECTED or (
        done and decision.value != decision.proposal.value
    )


def finite(value: Json) -> bool:
    """Whether JSON can hold a value: no number in it is infinite or not a number."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(finite, value))
    return not isinstance(value, Mapping) or all(map(finite, value.values()))


def check_finite(value: Json, *, place: str) -> None:
    """Raise BadInput for a number that JSON can't hold (not a number, infinite)."""
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput(f"{value} can't be recorded", place=place, remedy="leave it out")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            check_finite(inner, place=f"{place}.{name}")
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            check_finite(inner, place=f"{place}[{index}]")


def effect_json(effect: Effect) -> Mapping[str, Json]:
    """An effect as JSON."""
    return {
        "metric": effect.metric,
        "value": effect.value,
        "low": effect.low,
        "high": effect.high,
    }


def check_effect(effect: Effect, *, number: int) -> None:
    """Raise BadInput for an effect with a number that can't be recorded."""
    check_finite(effect_json(effect), place=f"decision {number} effect")


def not_registered(name: str) -> str:
    """The message for an unknown kind."""
    return f"decision kind {name} is not registered: register it in the wiring"


def no_decision(numbers: Sequence[int]) -> str:
    """The message for numbers that no decision has."""
    names = ", ".join(map(str, numbers[:5])) + (" …" if len(numbers) > 5 else "")
    return f"no decision {names}: list them to see the numbers"
