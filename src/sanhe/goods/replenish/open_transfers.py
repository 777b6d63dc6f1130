"""Transfers that are decided on or waiting to be: what they take and bring counts in every plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from sanhe.core.decisions import OPEN, Decision, Decisions, Status
from sanhe.goods.replenish.matching import lines_of
from sanhe.goods.replenish.policy import TRANSFER
from sanhe.goods.replenish.ports import Known
from sanhe.goods.replenish.prepared import Prepared
from sanhe.goods.replenish.transfers import Transfers
from sanhe.models.inventory import Bools

ALL = 100_000_000
"""Large enough to mean every decision of a run."""

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class OpenTransfers:
    """The open transfers: those that `stand`, and those that are planned `anew`."""

    stand: Sequence[Decision]
    anew: Sequence[Decision]

    @classmethod
    def of(cls, decisions: Decisions, *, anew: bool) -> OpenTransfers:
        """All open transfers; with `anew` those that nobody has decided on are planned anew."""
        found = decisions.find(kind=TRANSFER, statuses=OPEN, limit=ALL)
        again = {one.number for one in found if anew and one.status is Status.PROPOSED}
        return cls(
            [one for one in found if one.number not in again],
            [one for one in found if one.number in again],
        )

    def __bool__(self) -> bool:
        return bool(self.stand or self.anew)

    def planned_for(self, asked: pa.Table | None) -> OpenTransfers:
        """For a plan of lines (sku, place) with all others of their SKUs: transfers of other SKUs
        stand; None = all lines are planned."""
        if asked is None or not self.anew:
            return self
        skus = set(asked.column("sku").unique().to_pylist())
        mine = [one.proposal.subject.sku in skus for one in self.anew]
        return OpenTransfers(
            [*self.stand, *(one for one, own in zip(self.anew, mine, strict=True) if not own)],
            [one for one, own in zip(self.anew, mine, strict=True) if own],
        )

    def added_to(self, known: Known) -> Known:
        """What is known, with those that stand."""
        import pyarrow as pa

        if not self.stand:
            return known
        subjects = [one.proposal.subject for one in self.stand]
        columns = {
            "sku": pa.array([one.sku for one in subjects], pa.string()),
            "place": pa.array([one.place for one in subjects], pa.string()),
            "giver": pa.array([giver_of(one) for one in self.stand], pa.string()),
            "quantity": pa.array([one.value for one in self.stand], pa.int64()),
        }
        return replace(known, transfers=pa.table(columns))

    def stale(self, prepared: Prepared, moves: Transfers | None) -> list[int]:
        """The numbers of those planned anew that the plan no longer makes."""
        made = set() if moves is None else set(_made(prepared, moves))
        return [
            one.number
            for one in self.anew
            if (
                one.proposal.subject.sku,
                one.proposal.subject.place,
                giver_of(one),
                one.proposal.terms,
            )
            not in made
        ]


def giver_of(decision: Decision) -> str:
    """The place that gives."""
    return str(decision.proposal.inputs["from_place"])


def refused(decisions: Decisions, prepared: Prepared, run: UUID) -> Bools:
    """The lines whose transfer of this run people decided otherwise: they get no other one."""
    found = decisions.overruled(TRANSFER, run)
    lines = lines_of(prepared.sku, prepared.place, of=found)
    closed = np.zeros(len(prepared.sku), bool)
    closed[lines[lines >= 0]] = True
    return closed


def _made(
    prepared: Prepared, moves: Transfers
) -> list[tuple[str | None, str | None, str, tuple[int, ...]]]:
    """The planned transfers by SKU, taker, giver and terms."""
    rows = zip(moves.taker.tolist(), moves.giver.tolist(), moves.terms.tolist(), strict=True)
    return [
        (prepared.sku[taker], prepared.place[taker], prepared.place[giver], tuple(terms))
        for taker, giver, terms in rows
    ]
