"""Which decisions are looked for, as statements that walk an index however many there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from sanhe.core.decisions.ports import Status

if TYPE_CHECKING:
    import pyarrow as pa

RECORD: Final = (
    *("number", "id", "run", "kind", "kind_version", "sku", "place", "party", "status", "value"),
    *("proposed_value", "value_cents", "terms", "created_at", "created_by", "valid_until"),
    *("snoozed_until", "reason", "method", "label", "inputs", "constraints", "alternatives"),
    *("expected", "guard_rails", "snapshot", "snapshot_row", "actions", "arm", "measured"),
)
"""The columns of a decision."""

_DECISION = sa.table("decision", *(sa.column(name) for name in RECORD))


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; None = all.

    `lines`: of one of these, columns sku and place. `scope`: the places whose rows the transaction
    sees. The database leaves out the others by itself; told as a condition it also lets it go
    along the index of places.
    """

    kind: str | None = None
    statuses: Collection[Status] | None = None
    run: UUID | None = None
    sku: str | None = None
    place: str | None = None
    places: Collection[str] | None = None
    lines: pa.Table | None = None
    scope: Collection[str] | None = None

    def by_money(self, columns: Sequence[str], *, limit: int, offset: int) -> sa.Select[Any]:
        """The most money at stake first, then by number.

        The numbers are found in the index alone; only the rows of the page are then looked at.
        """
        several = [
            sa.select(_DECISION.c.number, _DECISION.c.value_cents)
            .where(*wanted)
            .order_by(*_order(_DECISION))
            .limit(offset + limit)
            for wanted in self._by_status()
        ]
        every = several[0].subquery()
        if len(several) > 1:
            every = sa.union_all(*(sa.select(one.subquery()) for one in several)).subquery()
        page = sa.select(every).order_by(*_order(every)).limit(limit).offset(offset).subquery()
        return (
            sa.select(*(_DECISION.c[name] for name in columns))
            .join_from(page, _DECISION, _DECISION.c.number == page.c.number)
            .order_by(*_order(_DECISION))
        )

    def count(self, *, most: int | None) -> sa.Select[int]:
        """How many there are; counting stops at `most`."""
        several = [
            sa.select(sa.literal(1)).select_from(_DECISION).where(*wanted).limit(most)
            for wanted in self._by_status()
        ]
        every = sa.union_all(*(sa.select(one.subquery()) for one in several))
        stopped = sa.select(every.subquery()).limit(most)
        return sa.select(sa.func.count()).select_from(stopped.subquery())

    def tally(self) -> sa.CompoundSelect[Any]:
        """Of each status that any stands in: status, decisions, cents."""
        told = (
            _DECISION.c.status,
            sa.func.count().label("decisions"),
            sa.cast(sa.func.sum(_DECISION.c.value_cents), sa.BigInteger).label("cents"),
        )
        several = (
            sa.select(*told).where(*wanted).group_by(_DECISION.c.status)
            for wanted in self._by_status()
        )
        return sa.union_all(*several)

    def _by_status(self) -> list[list[sa.ColumnElement[bool]]]:
        """The conditions for each status apart.

        An index holds the decisions of a status by money: those of several are merged, and the
        rest is not read. The status stands in the statement, as some indices hold a few of them.
        """
        statuses = sorted(set(Status if self.statuses is None else self.statuses))
        of_each, conditions = [], self._conditions()
        for one in statuses:
            told: sa.BindParameter[str] = sa.bindparam(None, one.value, literal_execute=True)
            of_each.append([_DECISION.c.status == told, *conditions])
        return of_each or [[sa.false()]]

    def _conditions(self) -> list[sa.ColumnElement[bool]]:
        equal = {"kind": self.kind, "run": self.run, "sku": self.sku, "place": self.place}
        wanted = [_DECISION.c[name] == value for name, value in equal.items() if value is not None]
        among = (of for of in (self.places, self.scope) if of is not None)
        wanted += [_DECISION.c.place.in_(sorted(of)) for of in among]
        if self.lines is not None:
            codes = (self.lines.column(name).to_pylist() for name in ("sku", "place"))
            pairs = sa.select(*(sa.func.unnest(sa.cast(of, sa.ARRAY(sa.Text))) for of in codes))
            wanted.append(sa.tuple_(_DECISION.c.sku, _DECISION.c.place).in_(pairs))
        return wanted


def _order(of: sa.FromClause) -> tuple[sa.ColumnElement[Any], ...]:
    return of.c.value_cents.desc(), of.c.number
