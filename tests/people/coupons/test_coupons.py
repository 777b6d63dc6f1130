"""Coupons issued, shown, held, spent, freed and given back; each used once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Conflict, NotFound, Shortage
from sanhe.core.storage import Database
from sanhe.people.coupons import BY_MEMBER, Lack, Use
from tests.people.coupons.desk import (
    END,
    FULL,
    NOW,
    SOON,
    SPRING,
    WELCOME,
    Desk,
    codes_of,
    use,
)


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    with database.transaction(actor="till-1") as tx:
        yield Desk.of(tx, tmp_path)


def test_a_coupon_is_known_by_its_code_and_by_its_signature(desk: Desk) -> None:
    desk.campaign()
    (made,) = desk.coupons.issue("spring", count=1)
    for code in (made.code, made.code.lower().replace("-", " "), made.signed):
        shown = desk.coupons.shown([code], member=None, at=NOW)
        (coupon,) = shown.coupons
        assert (coupon.code, coupon.promotion) == (code, "welcome")
        assert (coupon.begins_at, coupon.ends_at) == (NOW, END)


def test_what_each_other_code_lacks(desk: Desk) -> None:
    desk.campaign()
    desk.coupons.save(replace(SPRING, id="later", begins_at=NOW + timedelta(days=1)))
    desk.coupons.save(replace(SPRING, id="short", days=1))
    mine, later, short = desk.code("M1"), desk.code("M1", "later"), desk.code("M1", "short")
    assert desk.lack(mine, "M1") is None
    assert desk.lack(mine, "M2") is Lack.ANOTHERS
    assert desk.lack(mine) is Lack.ANOTHERS
    assert desk.lack("0000-0000-0000-0000") is Lack.UNKNOWN
    assert desk.lack("hello") is Lack.UNKNOWN
    assert desk.lack("S" * 200) is Lack.FORGED
    assert desk.lack(later, "M1") is Lack.NOT_YET
    assert desk.lack(short, "M1", at=NOW + timedelta(days=1)) is Lack.OVER
    holds = desk.hold(use(mine), member="M1")
    assert desk.lack(mine, "M1") is Lack.HELD
    desk.ledger.post_all(holds)
    assert desk.lack(mine, "M1") is Lack.USED
    assert desk.lack(mine, "M2") is Lack.ANOTHERS
    desk.coupons.stop("short")
    assert desk.lack(short, "M1") is Lack.STOPPED
    shown = desk.coupons.shown([later], member="M1", at=NOW)
    assert str(shown.refused[later]) == "it begins 2024-06-04T00:00:00+00:00"


def test_a_coupon_is_used_once(desk: Desk) -> None:
    desk.campaign()
    code = desk.code()
    first = desk.hold(use(code), cause="one")
    with pytest.raises(Shortage, match=f"coupon …{code[-4:]} was used, or lies in another basket"):
        desk.hold(use(code), cause="two")
    assert desk.hold(use(code), cause="one") == first
    desk.ledger.void_all(first)
    second = desk.hold(use(code), cause="two")
    desk.ledger.post_all(second)
    with pytest.raises(Shortage):
        desk.hold(use(code), cause="three")
    desk.ledger.verify()


def test_a_hold_ends_by_itself(desk: Desk) -> None:
    desk.campaign()
    code = desk.code()
    desk.hold(use(code))
    desk.ledger.expire(SOON)
    assert desk.lack(code) is None


def test_all_or_none_is_held(desk: Desk) -> None:
    desk.campaign()
    desk.publish(replace(FULL, budget_cents=999))
    code = desk.code()
    with pytest.raises(Shortage, match="promotion full: less than 1000 cents of its budget"):
        desk.hold(use(code), use(promotion="full", cents=1_000))
    assert desk.lack(code) is None
    assert len(desk.hold(use(code), use(promotion="full", cents=999))) == 2
    assert desk.promotions.left_cents(["full"]) == {"full": 0}


def test_a_promotion_without_limits_holds_nothing(desk: Desk) -> None:
    desk.publish(FULL)
    assert desk.hold(use(promotion="full"), member="M1") == []
    assert desk.hold() == []


def test_a_member_has_a_promotion_so_often_and_a_later_limit_counts_at_once(desk: Desk) -> None:
    desk.publish(replace(FULL, per_member=2))
    assert desk.coupons.had("M1", ["full"]) == {}
    first = desk.hold(use(promotion="full"), cause="1", member="M1")
    desk.ledger.post_all(first)
    second = desk.hold(use(promotion="full"), cause="2", member="M1")
    assert desk.coupons.had("M1", ["full", "none"]) == {"full": 2}
    with pytest.raises(Shortage, match="promotion full: this member had it 2 times"):
        desk.hold(use(promotion="full"), cause="3", member="M1")
    desk.hold(use(promotion="full"), cause="3", member="M2")
    desk.hold(use(promotion="full"), cause="guest")
    desk.ledger.void_all(second)
    assert desk.coupons.had("M1", ["full"]) == {"full": 1}
    desk.publish(replace(FULL, per_member=1))
    with pytest.raises(Shortage):
        desk.hold(use(promotion="full"), cause="4", member="M1")
    desk.publish(replace(FULL, per_member=5))
    for cause in "5678":
        desk.hold(use(promotion="full"), cause=cause, member="M1")
    with pytest.raises(Shortage):
        desk.hold(use(promotion="full"), cause="9", member="M1")


def test_an_order_undone_gives_all_back_once(desk: Desk) -> None:
    desk.campaign(budget_cents=5_000, per_member=1)
    code = desk.code("M1")
    used = use(code)
    desk.ledger.post_all(desk.hold(used, member="M1"))
    assert desk.promotions.left_cents(["welcome"]) == {"welcome": 4_500}
    for _ in range(2):
        desk.coupons.give_back([used], cause="order", step="cancelled", at=NOW)
        assert desk.lack(code, "M1") is None
        assert desk.promotions.left_cents(["welcome"]) == {"welcome": 5_000}
        assert desk.coupons.had("M1", ["welcome"]) == {"welcome": 0}
    with pytest.raises(Conflict, match="order gave welcome back by cancelled"):
        desk.coupons.give_back([used], cause="order", step="returned", at=NOW)
    with pytest.raises(NotFound, match="other holds nothing of promotion welcome"):
        desk.coupons.give_back([used], cause="other", step="cancelled", at=NOW)
    assert desk.lack(code, "M1", at=END) is Lack.OVER
    desk.hold(used, cause="again", member="M1")
    desk.ledger.verify()


def test_what_is_still_held_is_given_back_alike_and_what_was_let_go_is_not(desk: Desk) -> None:
    desk.campaign(budget_cents=5_000)
    one, two = desk.code(), desk.code()
    desk.hold(use(one), cause="held")
    desk.coupons.give_back([use(one)], cause="held", step="cancelled", at=NOW)
    assert desk.lack(one) is None
    desk.ledger.void_all(desk.hold(use(two), cause="let go"))
    with pytest.raises(Conflict, match="already voided"):
        desk.coupons.give_back([use(two)], cause="let go", step="cancelled", at=NOW)
    assert desk.promotions.left_cents(["welcome"]) == {"welcome": 5_000}


def test_a_limit_taken_away_later_does_not_keep_what_was_held_from_coming_back(desk: Desk) -> None:
    desk.publish(replace(FULL, budget_cents=2_000, per_member=3))
    used = use(promotion="full", cents=1_000)
    desk.ledger.post_all(desk.hold(used, member="M1"))
    desk.publish(FULL)
    desk.coupons.give_back([used], cause="order", step="cancelled", at=NOW)
    assert desk.coupons.had("M1", ["full"]) == {"full": 0}
    desk.publish(replace(FULL, budget_cents=2_000))
    assert desk.promotions.left_cents(["full"]) == {"full": 2_000}


def test_a_budget_is_not_lowered_below_what_is_used(desk: Desk) -> None:
    desk.publish(replace(FULL, budget_cents=2_000))
    desk.hold(use(promotion="full", cents=1_500))
    with pytest.raises(BadInput, match="1500 cents of the budget are used or held"):
        desk.publish(replace(FULL, budget_cents=1_499))


def test_what_does_not_hold_is_not_held(desk: Desk) -> None:
    desk.campaign()
    code = desk.code("M1")
    for used, member, what in (
        (use(code), "M2", "given to another member"),
        (use("0000-0000-0000-0000"), "M1", "is no coupon of promotion welcome"),
        (use(""), "M1", "is no coupon of promotion welcome"),
        (Use("none", "", 1), "M1", "promotion none does not hold"),
    ):
        with pytest.raises(Conflict, match=what):
            desk.hold(used, member=member)
    with pytest.raises(Conflict, match="does not hold"):
        desk.hold(use(code), member="M1", at=END)
    desk.publish(FULL)
    with pytest.raises(Conflict, match="is no coupon of promotion full"):
        desk.hold(use(code, promotion="full"), member="M1")
    desk.promotions.withdraw("welcome")
    with pytest.raises(Conflict, match="promotion welcome does not hold"):
        desk.hold(use(code), member="M1")
    with pytest.raises(BadInput, match="used twice"):
        desk.hold(use(code), use(code), member="M1")


def test_a_campaign_issues_no_more_than_it_may(desk: Desk) -> None:
    desk.campaign(replace(SPRING, most=5, per_member=2))
    assert len(desk.coupons.issue("spring", members=["M1", "M1", "M1", "M2"])) == 3
    assert len(desk.coupons.issue("spring", members=["M1", "M2"])) == 1
    assert desk.coupons.issue("spring", members=["M1"]) == []
    with pytest.raises(Shortage, match="campaign spring has 1 coupons left, not 2"):
        desk.coupons.issue("spring", count=2)
    assert desk.coupons.campaign("spring").issued == 4
    with pytest.raises(Conflict, match="4 coupons of spring are issued"):
        desk.coupons.save(replace(SPRING, most=3))
    with pytest.raises(BadInput, match="0 members and 0 besides"):
        desk.coupons.issue("spring")
    desk.coupons.stop("spring")
    with pytest.raises(Conflict, match="was stopped"):
        desk.coupons.issue("spring", count=1)
    with pytest.raises(NotFound):
        desk.coupons.stop("none")


def test_a_campaign_gives_coupons_of_one_promotion_that_takes_them(desk: Desk) -> None:
    desk.publish(FULL)
    with pytest.raises(BadInput, match="promotion full holds without a coupon"):
        desk.coupons.save(replace(SPRING, promotion="full"))
    with pytest.raises(NotFound):
        desk.coupons.save(SPRING)
    desk.campaign()
    desk.publish(replace(WELCOME, id="other", priority=1))
    with pytest.raises(Conflict, match="gives coupons of welcome"):
        desk.coupons.save(replace(SPRING, promotion="other"))


def test_a_campaign_tells_what_was_issued_held_and_used(desk: Desk) -> None:
    desk.campaign()
    codes = codes_of(desk.coupons.issue("spring", count=3))
    desk.hold(use(codes[0]), cause="1")
    desk.ledger.post_all(desk.hold(use(codes[1]), cause="2"))
    (kept,) = desk.coupons.campaigns()
    assert (kept.issued, kept.held, kept.used) == (3, 1, 1)
    lacks = {
        None if lack is None else lack.lack for _, lack in desk.coupons.issued("spring", at=NOW)
    }
    assert lacks == {None, Lack.HELD, Lack.USED}


def test_members_have_their_coupons_signed(desk: Desk) -> None:
    desk.campaign()
    desk.coupons.issue("spring", members=["M1", "M2"])
    (carried,) = desk.coupons.of_member("M1", at=NOW)
    assert carried.lack is None and desk.lack(carried.signed, "M1") is None
    assert desk.lack(carried.signed, "M2") is Lack.ANOTHERS
    assert desk.coupons.of_member("M1", at=END + timedelta(days=91)) == []
    (ended,) = desk.coupons.of_member("M1", at=END)
    assert ended.lack is not None and ended.lack.lack is Lack.OVER


def test_no_code_is_kept_or_told_in_plain(desk: Desk) -> None:
    desk.campaign()
    code = desk.code().replace("-", "")
    rows = desk.tx.connection.exec_driver_sql(
        "SELECT string_agg(to_jsonb(c)::text, '') FROM coupon AS c"
    ).scalar_one()
    assert code not in rows
    kept = desk.tx.connection.exec_driver_sql("SELECT code_hash FROM coupon").scalar_one()
    assert len(bytes(kept)) == 32


def test_a_coupon_written_into_the_tables_has_nothing_to_draw_from(desk: Desk) -> None:
    desk.campaign()
    code = desk.code()
    forge = sa.text(
        "INSERT INTO coupon SELECT gen_random_uuid(), campaign, NULL, NULL, :hash, begins_at, "
        "ends_at, issued_at, issued_by FROM coupon"
    )
    forged = "0000-0000-0000-0000"
    desk.tx.connection.execute(forge, {"hash": desk.coupons._keys.code_hash(forged)})
    desk.hold(use(code), cause="1")
    with pytest.raises(Conflict, match="more coupons are shown than were issued"):
        desk.hold(use(forged), cause="2")


def test_who_tries_codes_has_to_wait_and_a_rollback_does_not_help(
    database: Database, tmp_path: Path, clock: FixedClock
) -> None:
    class Undone(Exception):
        pass

    with database.transaction(actor="app") as tx:
        desk = Desk.of(tx, tmp_path)
        desk.campaign()
        code = desk.code()

    def tried(code: str, member: str, *, actor: str = "app") -> Lack | None:
        found = None
        try:
            with database.transaction(actor=actor) as tx:
                found = Desk.of(tx, tmp_path).lack(code, member)
                raise Undone
        except Undone:
            return found

    wrong = [f"0000-0000-0000-{number:04}" for number in range(BY_MEMBER.attempts)]
    assert {tried(one, "M1") for one in wrong} == {Lack.UNKNOWN}
    assert tried(code, "M1") is Lack.TOO_MANY
    assert tried(code, "M1", actor="another key") is Lack.TOO_MANY
    assert tried(code, "M2") is None
    clock.moment += BY_MEMBER.refill - timedelta(seconds=1)
    assert tried(code, "M1") is Lack.TOO_MANY
    clock.moment += timedelta(seconds=1)
    assert tried(code, "M1") is None
    assert tried(wrong[0], "M1") is Lack.UNKNOWN
    assert tried(code, "M1") is Lack.TOO_MANY


def test_a_key_is_limited_over_all_members(database: Database, tmp_path: Path) -> None:
    wrong = [f"0000-0000-0000-{number:04}" for number in range(20)]
    with database.transaction(actor="app") as tx:
        desk = Desk.of(tx, tmp_path)
        for number in range(30):
            shown = desk.coupons.shown(wrong, member=f"M{number}", at=NOW)
            assert {one.lack for one in shown.refused.values()} == {Lack.UNKNOWN}
        shown = desk.coupons.shown(wrong[:1], member="M99", at=NOW)
        assert [one.lack for one in shown.refused.values()] == [Lack.TOO_MANY]
        with pytest.raises(BadInput, match="21 codes at once"):
            desk.coupons.shown([*wrong, "x"], member=None, at=NOW)
