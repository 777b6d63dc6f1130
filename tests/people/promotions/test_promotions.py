"""Promotions kept: versions, what is refused, published by decisions alone, budgets, the book."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import sqlalchemy as sa

from sanhe.core.decisions import PostgresDecisions
from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.ledger import PostgresLedger
from sanhe.core.storage import Database, Transaction
from sanhe.people.promotions import (
    PUBLISHING,
    Goods,
    Off,
    Percent,
    Promotion,
    Promotions,
    PromotionState,
    Step,
)
from tests.people.promotions.publishing import proposed, publish

NOW = datetime(2024, 6, 3, tzinfo=UTC)
BEGIN, END = NOW - timedelta(days=1), NOW + timedelta(days=30)
FULL = Promotion("full", "ten off a hundred", Off((Step(10_000, 1_000),)), "basket", BEGIN, END)
TEA = Promotion(
    "tea", "a tenth off tea", Percent(1_000), "item", BEGIN, END, Goods(frozenset({"TEA"}))
)


@dataclass
class Desk:
    tx: Transaction
    promotions: Promotions
    decisions: PostgresDecisions

    @classmethod
    def of(cls, tx: Transaction) -> Desk:
        return cls(tx, Promotions(tx, PostgresLedger(tx)), PostgresDecisions(tx))

    def publish(self, promotion: Promotion) -> int:
        return publish(self.promotions, self.decisions, promotion)

    def holding(self, at: datetime = NOW) -> list[str]:
        return [one.id for one in self.promotions.book(at=at).promotions]


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with database.transaction(actor="growth") as tx:
        yield Desk.of(tx)


def test_each_version_is_kept_and_the_same_is_no_new_one(desk: Desk) -> None:
    assert desk.promotions.save(FULL) == 1
    assert desk.promotions.save(FULL) == 1
    assert desk.promotions.save(replace(FULL, priority=2), based_on=1) == 2
    kept = desk.promotions.get("full")
    assert (kept.promotion.priority, kept.version, kept.saved_by) == (2, 2, "growth")
    assert kept.state is PromotionState.DRAFT
    with pytest.raises(Conflict, match="at version 2, not 1"):
        desk.promotions.save(FULL, based_on=1)
    with pytest.raises(NotFound, match="no promotion 'none'"):
        desk.promotions.get("none")


def test_what_cant_hold_among_the_others_is_refused_with_place_and_remedy(desk: Desk) -> None:
    desk.publish(FULL)
    other = replace(FULL, id="other")
    with pytest.raises(BadInput, match="overlaps with full") as refused:
        desk.promotions.save(other)
    assert refused.value.place == "promotions/other/priority"
    assert "higher priority" in refused.value.remedy
    for wrong, what in (
        (replace(TEA, budget_cents=0), "0 lets it never count"),
        (replace(TEA, begins_at=BEGIN - timedelta(9), ends_at=BEGIN), "it is over since"),
        (replace(TEA, excludes=frozenset({"none"})), "no promotion 'none'"),
        (replace(TEA, excludes=frozenset({"tea"})), "in a circle"),
    ):
        with pytest.raises(BadInput, match=what):
            desk.promotions.save(wrong)
    assert desk.promotions.save(replace(other, priority=1)) == 1


def test_a_flaw_is_laid_at_the_one_that_brings_it_whatever_their_names(desk: Desk) -> None:
    desk.publish(replace(FULL, id="z"))
    with pytest.raises(BadInput, match="overlaps"):
        desk.promotions.save(replace(FULL, id="a"))


def test_a_flaw_of_others_keeps_nobody_from_saving(desk: Desk) -> None:
    desk.publish(FULL)
    desk.publish(replace(TEA, excludes=frozenset({"full"})))
    desk.promotions.withdraw("full")  # tea excludes what is not there now
    assert desk.promotions.save(replace(FULL, id="another")) == 1


def test_it_holds_once_a_decision_that_is_carried_out_publishes_it(desk: Desk) -> None:
    version = desk.promotions.save(FULL)
    number = proposed(desk.decisions, "full", version)
    with pytest.raises(Conflict, match="is proposed: it publishes once approved"):
        desk.promotions.publish("full", decision=desk.decisions.get(number))
    desk.decisions.approve([number])
    with pytest.raises(Conflict, match="is approved"):
        desk.promotions.publish("full", decision=desk.decisions.get(number))
    assert desk.holding() == []
    (decision,) = desk.decisions.start(PUBLISHING)
    assert desk.promotions.publish("full", decision=decision) == 1
    assert desk.holding() == ["full"]
    kept = desk.promotions.get("full")
    assert (kept.state, kept.published, kept.decision) == ("published", 1, number)
    desk.decisions.executed({number: ["1"]})
    with pytest.raises(Conflict, match="is executed"):
        desk.promotions.publish("full", decision=desk.decisions.get(number))


def test_a_decision_publishes_what_it_weighed_and_nothing_else(desk: Desk) -> None:
    number = proposed(desk.decisions, "full", desk.promotions.save(FULL))
    desk.promotions.save(TEA)
    desk.decisions.approve([number])
    (decision,) = desk.decisions.start(PUBLISHING)
    with pytest.raises(Conflict, match="not on tea"):
        desk.promotions.publish("tea", decision=decision)
    desk.promotions.save(replace(FULL, priority=3))
    with pytest.raises(Conflict, match="in version 1, not on full in version 2: weigh it again"):
        desk.promotions.publish("full", decision=decision)


def test_a_published_one_holds_as_it_was_while_a_draft_is_made(desk: Desk) -> None:
    desk.publish(FULL)
    desk.promotions.save(replace(FULL, name="new"))
    assert desk.promotions.published()["full"].name == FULL.name
    desk.publish(replace(FULL, name="new"))
    assert desk.promotions.published()["full"].name == "new"
    desk.promotions.withdraw("full")
    assert desk.promotions.get("full").state is PromotionState.WITHDRAWN
    assert desk.holding() == []
    with pytest.raises(Conflict, match="only a published one can end"):
        desk.promotions.withdraw("full")
    assert [one.version for one in desk.promotions.page(state=PromotionState.WITHDRAWN)] == [2]
    assert desk.promotions.page(state=PromotionState.DRAFT) == []


def test_the_book_has_those_that_hold_at_the_moment(desk: Desk) -> None:
    desk.publish(FULL)
    desk.publish(replace(TEA, begins_at=NOW + timedelta(days=2)))
    assert desk.holding() == ["full"]
    assert desk.holding(NOW + timedelta(days=2)) == ["tea", "full"]
    assert desk.holding(END - timedelta(seconds=1)) == ["tea", "full"]
    assert desk.holding(END) == []
    assert desk.holding() == ["full"]


def test_the_book_is_read_once_and_then_asked_for_by_its_number(desk: Desk) -> None:
    desk.publish(FULL)
    first = desk.promotions.book(at=NOW)
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    sa.event.listen(desk.tx.connection, "before_cursor_execute", note)
    assert desk.promotions.book(at=NOW + timedelta(hours=1)) is first
    assert asked == ["SELECT edition FROM promotion_book"]
    sa.event.remove(desk.tx.connection, "before_cursor_execute", note)
    desk.publish(TEA)
    assert desk.promotions.book(at=NOW) is not first


def test_what_is_rolled_back_is_in_nobodys_book(database: Database) -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone), database.transaction(actor="growth") as tx:
        desk = Desk.of(tx)
        desk.publish(FULL)
        assert desk.holding() == ["full"]
        raise Undone
    with database.transaction(actor="growth") as tx:
        assert Desk.of(tx).holding() == []


def test_budgets_are_money_on_the_ledger(desk: Desk) -> None:
    desk.publish(replace(FULL, budget_cents=5_000))
    desk.publish(TEA)
    assert desk.promotions.left_cents(["full", "tea", "none"]) == {"full": 5_000}
    desk.publish(replace(FULL, budget_cents=7_000))
    assert desk.promotions.left_cents(["full"]) == {"full": 7_000}
    desk.publish(replace(FULL, budget_cents=6_000))
    assert desk.promotions.left_cents(["full"]) == {"full": 6_000}
    desk.publish(FULL)
    assert desk.promotions.left_cents(["full"]) == {}


def test_two_that_publish_at_once_can_not_both_overlap(database: Database) -> None:
    with database.transaction(actor="growth") as tx:
        desk = Desk.of(tx)
        desk.promotions.save(FULL)
        desk.promotions.save(replace(FULL, id="other"))
        numbers = [proposed(desk.decisions, one, 1) for one in ("full", "other")]
        desk.decisions.approve(numbers)
        decisions = {
            one.proposal.subject.party or "": one for one in desk.decisions.start(PUBLISHING)
        }
    outcomes: list[str] = []

    def run(name: str) -> None:
        try:
            with database.transaction(actor="growth") as tx:
                Desk.of(tx).promotions.publish(name, decision=decisions[name])
            outcomes.append("published")
        except BadInput:
            outcomes.append("refused")

    threads = [Thread(target=run, args=(name,)) for name in decisions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["published", "refused"]
