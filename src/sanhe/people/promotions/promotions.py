"""The façade: promotions kept with all their versions, and published by a decision."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sanhe.core.decisions import Decision, Status
from sanhe.core.errors import BadInput, Code, Conflict, NotFound, Shortage
from sanhe.core.ledger import Account, Ledger, Transfer, account_code
from sanhe.core.storage import Transaction
from sanhe.core.values import derived_id
from sanhe.people.promotions import editions, store
from sanhe.people.promotions.book import Book
from sanhe.people.promotions.checks import flaws
from sanhe.people.promotions.rules import USUAL, Promotion, Stacking
from sanhe.people.promotions.written import read, write

PUBLISHING: Final = "promotion.publish"
"""The kind of decision that publishes."""


class PromotionState(StrEnum):
    """Whether a promotion holds."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Kept:
    """A promotion as it was saved last, its `version`, and which one is `published` by which
    `decision`."""

    promotion: Promotion
    version: int
    saved_at: datetime
    saved_by: str
    published: int | None = None
    decision: int | None = None
    published_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def state(self) -> PromotionState:
        """Whether it holds; a published one may have been saved again since."""
        if self.published is not None:
            return PromotionState.PUBLISHED
        return PromotionState.DRAFT if self.withdrawn_at is None else PromotionState.WITHDRAWN


def budget_account(promotion: str) -> str:
    """The account of what is left of a promotion's budget."""
    return account_code("budget", promotion)


def spent_account(promotion: str) -> str:
    """The account of what was used of a promotion's budget."""
    return account_code("budget.used", promotion)


class Promotions:
    """The store of promotions (促销): drafts, versions, and the book of those that hold.

    A budget is money on the ledger: put there when the promotion is published, held by baskets.
    """

    def __init__(
        self,
        tx: Transaction,
        ledger: Ledger,
        *,
        currency: str = "CNY",
        stacking: Stacking = USUAL,
    ) -> None:
        self._tx, self._ledger, self._currency = tx, ledger, currency
        self.stacking = stacking

    def save(self, promotion: Promotion, *, based_on: int | None = None) -> int:
        """Keep a draft; its version. Saved alike it is the version it was.

        What is published stays as it is until the draft is. Raises BadInput for the first flaw
        that it would bring among those that hold or are still to come; Conflict where `based_on`
        is not the newest version: somebody saved it meanwhile.
        """
        store.alone(self._tx)
        known = store.get(self._tx, [promotion.id])
        last = known[0].version if known else 0
        if based_on is not None and based_on != last:
            raise Conflict(
                f"promotion {promotion.id} is at version {last}, not {based_on}: look at it again",
                code=Code.OLDER_VERSION,
            )
        self._check(promotion)
        terms = write(promotion)
        if known and known[0].terms == terms:
            return last
        store.save(self._tx, promotion.id, terms, version=last + 1)
        return last + 1

    def publish(self, name: str, *, decision: Decision) -> int:
        """Let the version hold that the decision was made on; the version.

        One at a time. The decision is of the kind `promotion.publish` on this promotion, approved
        and being carried out, and its inputs name the version. Raises Conflict for another, or
        where it was saved again since; BadInput where it does not fit what holds by now.
        """
        store.alone(self._tx)
        kept = self.get(name)
        _check_decision(kept, decision)
        self._check(kept.promotion)
        self._fund(kept.promotion, kept.version)
        store.publish(self._tx, name, kept.version, decision=decision.number)
        return kept.version

    def withdraw(self, name: str) -> None:
        """Let it hold no longer, at once. Raises NotFound, Conflict where it does not hold."""
        store.alone(self._tx)
        kept = self.get(name)
        if not store.withdraw(self._tx, name):
            raise Conflict(f"promotion {name} is {kept.state.value}: only a published one can end")

    def get(self, name: str) -> Kept:
        """A promotion as it was saved last. Raises NotFound."""
        found = store.get(self._tx, [name])
        if not found:
            raise NotFound(f"no promotion {name!r}: sanhe promotion list shows them")
        return _kept(found[0])

    def page(
        self, *, state: PromotionState | None = None, limit: int = 50, offset: int = 0
    ) -> list[Kept]:
        """Promotions, those saved last first."""
        rows = store.page(self._tx, state=state, limit=limit, offset=offset)
        return [_kept(row) for row in rows]

    def book(self, *, at: datetime) -> Book:
        """Those that hold at a moment. It is read once for each edition and kept in this process:
        after that it costs one query of one row."""
        return editions.current(self._tx).book(at, self.stacking)

    def published(self) -> Mapping[str, Promotion]:
        """All that is published, also what is over or still to come, by id."""
        return editions.current(self._tx).promotions

    def left_cents(self, ids: Collection[str]) -> Mapping[str, int]:
        """What is left of the budgets of those that are published with one."""
        published = self.published()
        codes = {
            budget_account(one): one
            for one in ids
            if one in published and published[one].budget_cents is not None
        }
        if not codes:
            return {}
        balances = self._ledger.balances(codes)
        return {codes[code]: balance.available for code, balance in balances.items()}

    def _check(self, promotion: Promotion) -> None:
        """Raise BadInput for the first flaw that it brings among the others."""
        now = self._tx.clock.now()
        others = [
            one for one in self.published().values() if one.id != promotion.id and one.ends_at > now
        ]
        before = set(flaws(others, self.stacking, now=now))
        new = [promotion.id]
        for flaw in flaws([*others, promotion], self.stacking, now=now, new=new):
            if flaw not in before:
                raise BadInput(flaw.what, place=flaw.at, remedy=flaw.remedy)

    def _fund(self, promotion: Promotion, version: int) -> None:
        """Bring what was given to the budget in line with it. Raises BadInput below what is used.

        A budget taken away leaves its accounts: baskets held on them can still be given back.
        """
        if promotion.budget_cents is None:
            return
        left, given = budget_account(promotion.id), account_code("budget.given", promotion.id)
        floors: Sequence[tuple[str, int | None]] = (
            (given, None),
            (left, 0),
            (spent_account(promotion.id), 0),
        )
        self._ledger.open_accounts(Account(code, self._currency, floor) for code, floor in floors)
        before = -self._ledger.balances([given], lock=True)[given].posted
        more = promotion.budget_cents - before
        if not more:
            return
        name = f"{promotion.id} {version}"
        source, target = (given, left) if more > 0 else (left, given)
        transfer = Transfer(
            id=derived_id("promotion.budget", promotion.id, str(version)),
            source=source,
            target=target,
            amount=abs(more),
            reason="budget",
            reference=name,
            effective_at=self._tx.clock.now(),
        )
        try:
            self._ledger.transfer([transfer])
        except Shortage as error:
            used = before - self._ledger.balances([left])[left].available
            raise BadInput(
                f"{used} cents of the budget are used or held",
                place=f"promotions/{promotion.id}/budget_cents",
                remedy=f"give {used} or more, or withdraw it",
            ) from error


def _check_decision(kept: Kept, decision: Decision) -> None:
    proposal = decision.proposal
    on = (proposal.kind, proposal.subject.party, proposal.inputs.get("version"))
    if on != (PUBLISHING, kept.promotion.id, kept.version):
        raise Conflict(
            f"decision {decision.number} is {proposal.kind} on {proposal.subject.party} in version "
            f"{proposal.inputs.get('version')}, not on {kept.promotion.id} in version "
            f"{kept.version}: weigh it again",
            code=Code.OLDER_VERSION,
        )
    if decision.status is not Status.EXECUTING:
        raise Conflict(
            f"decision {decision.number} is {decision.status.value}: it publishes once approved"
        )


def _kept(row: Any) -> Kept:
    return Kept(
        promotion=read(Promotion, row.terms),
        version=row.version,
        saved_at=row.saved_at,
        saved_by=row.saved_by,
        published=row.published,
        decision=row.decision,
        published_at=row.published_at,
        withdrawn_at=row.withdrawn_at,
    )
