"""Tiers: reached at once, kept by buying on, fallen from after days of grace, with the reasons."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.storage import Database
from sanhe.people.loyalty import Policy, Reason, Standing, Tiers
from sanhe.people.loyalty.standing import Bought, judge, next_look, progress

TERMS = Policy.load().terms
DAY = date(2024, 6, 3)
NOON = datetime(2024, 6, 3, 4, tzinfo=UTC)
GOLD = Standing("gold", DAY, date(2025, 6, 3))
YUAN = 100


@pytest.mark.parametrize(
    ("window", "kept", "day", "tier", "reason"),
    [
        (4_999, 0, date(2025, 6, 3), None, None),
        (0, 0, date(2025, 6, 3), None, None),
        (0, 4_000, date(2025, 6, 4), "gold", Reason.KEPT),
        (5_000, 0, date(2025, 6, 4), "gold", Reason.KEPT),
        (4_999, 3_999, date(2025, 6, 4), None, None),
        (4_999, 3_999, date(2025, 7, 3), None, None),
        (4_999, 4_000, date(2025, 7, 3), "gold", Reason.KEPT),
        (4_999, 3_999, date(2025, 7, 4), "silver", Reason.FELL),
        (1_999, 3_999, date(2025, 7, 4), "basic", Reason.FELL),
        (-5, -5, date(2025, 7, 4), "basic", Reason.FELL),
    ],
)
def test_a_tier_lasts_is_kept_or_falls(
    window: int, kept: int, day: date, tier: str | None, reason: Reason | None
) -> None:
    verdict = judge(TERMS, GOLD, Bought(window * YUAN, kept * YUAN), day=day)
    assert (None if verdict is None else (verdict[0].tier, verdict[1])) == (
        None if tier is None else (tier, reason)
    )
    if reason is Reason.KEPT:
        assert verdict is not None
        assert verdict[0] == Standing("gold", date(2025, 6, 4), date(2026, 6, 3))


@given(
    window=st.integers(-100, 900_000),
    kept=st.integers(-100, 900_000),
    tier=st.sampled_from(["basic", "silver", "gold"]),
    days=st.integers(0, 800),
)
def test_after_a_look_there_is_nothing_more_to_change(
    window: int, kept: int, tier: str, days: int
) -> None:
    until = None if tier == "basic" else date(2025, 6, 3)
    standing, bought = Standing(tier, DAY, until), Bought(window, kept)
    day = DAY + timedelta(days=days)
    verdict = judge(TERMS, standing, bought, day=day)
    now = standing if verdict is None else verdict[0]
    look_on = next_look(TERMS, now, day=day)
    if verdict is None or verdict[1] is not Reason.KEPT:
        assert judge(TERMS, now, bought, day=day) is None
        while look_on is not None and (day := day + timedelta(days=1)) < look_on:
            assert judge(TERMS, now, bought, day=day) is None


def test_a_member_rises_and_falls_with_reasons(database: Database, clock: FixedClock) -> None:
    clock.moment = NOON
    with database.transaction(actor="shop") as tx:
        tiers = Tiers(tx)
        tiers.qualify("M1", 300_000, cause="order/1", at=NOON - timedelta(days=30))
        assert tiers.tier("M1", at=NOON) == ""
        assert tiers.join("M1", at=NOON) and not tiers.join("M1", at=NOON)
        assert tiers.tier("M1", at=NOON) == "basic"
        assert tiers.tier("M1", at=NOON - timedelta(seconds=1)) == ""
        assert tiers.evaluate(DAY, limit=10) == 1
        assert tiers.evaluate(DAY, limit=10) == 0
        assert tiers.standing("M1") == Standing("silver", DAY, date(2025, 6, 3))
        for _ in range(2):
            tiers.qualify("M1", 250_000, cause="order/2", at=NOON)
        with pytest.raises(Conflict, match="250000"):
            tiers.qualify("M1", 1, cause="order/2", at=NOON)
        clock.moment = NOON + timedelta(days=1)
        assert tiers.evaluate(date(2024, 6, 4), limit=10) == 1
        tiers.qualify("M1", -250_000, cause="return/1", at=clock.moment)
        assert tiers.evaluate(date(2024, 6, 4), limit=10) == 1
        assert tiers.standing("M1").tier == "gold"  # until its time is over
        clock.moment = NOON + timedelta(days=500)
        assert tiers.evaluate(date(2025, 6, 5), limit=10) == 1  # its days of grace begin
        assert tiers.evaluate(date(2025, 7, 4), limit=10) == 0
        assert tiers.evaluate(date(2025, 7, 5), limit=10) == 1
        told = [(change.tier, change.reason) for change in tiers.changes("M1")]
        assert told == [
            ("basic", Reason.FELL),
            ("gold", Reason.REACHED),
            ("silver", Reason.REACHED),
            ("basic", Reason.JOINED),
        ]
        with pytest.raises(NotFound, match="M2 is no member"):
            tiers.standing("M2")


def test_a_policy_says_what_is_wrong_in_it(tmp_path: Path) -> None:
    def refused(text: str) -> str:
        page = tmp_path / f"{abs(hash(text))}.toml"
        page.write_text(text, "utf-8")
        with pytest.raises(BadInput) as raised:
            Policy.load(page)
        return str(raised.value)

    tier = '[[tier]]\ncode = "a"\n'
    assert "begin at 0" in refused('[[tier]]\ncode = "a"\nfrom_yuan = 5\n')
    assert "order them" in refused(tier + '[[tier]]\ncode = "b"\n')
    assert "one code" in refused(tier + '[[tier]]\ncode = "a"\nfrom_yuan = 5\n')
    more = '[[tier]]\ncode = "b"\nfrom_yuan = 5\nkeep_yuan = 6\n'
    assert "more to be kept" in refused(tier + more)
    assert "nothing of this name" in refused(tier + "colour = 3\n")
    assert "give one of month, year, days" in refused('[points]\nuntil = "week"\n' + tier)
    assert "worth nothing" in refused("[points]\nper_yuan = 0\n" + tier)
    assert "0 months" in refused("[tiers]\nvalid_months = 0\n" + tier)
    assert "the file can't be read" in refused("[points\n")


def test_what_points_are_worth() -> None:
    policy = Policy.load()
    assert policy.worth_cents(199) == 199
    assert (policy.per_100_yuan("gold"), policy.per_100_yuan("")) == (150, 0)


@given(window=st.integers(-100, 900_000), kept=st.integers(-100, 900_000))
def test_what_progress_asks_for_is_just_what_the_rules_ask_for(window: int, kept: int) -> None:
    told = progress(TERMS, GOLD, Bought(window, kept))
    assert (told.next_tier, told.to_rise_cents) == ("", 0)
    assert told.keep_by == date(2025, 7, 3)
    for more, keeps in ((told.to_keep_cents, True), (told.to_keep_cents - 1, False)):
        if more < 0:
            continue
        verdict = judge(TERMS, GOLD, Bought(min(window, 0), kept + more), day=told.keep_by)
        if told.to_keep_cents:
            assert (verdict is not None and verdict[1] is Reason.KEPT) is keeps
    silver = Standing("silver", DAY, date(2025, 6, 3))
    rising = progress(TERMS, silver, Bought(window, kept))
    if rising.to_rise_cents:
        reached = judge(TERMS, silver, Bought(window + rising.to_rise_cents, kept), day=DAY)
        assert reached is not None and reached[0].tier == rising.next_tier
        short = judge(TERMS, silver, Bought(window + rising.to_rise_cents - 1, kept), day=DAY)
        assert short is None or short[0].tier != rising.next_tier
