"""Places follow their facts in any order, and know their business day."""

from __future__ import annotations

import random
import threading
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.facts import Fact, FactTypes, PostgresFacts, lock
from sanhe.core.places import FACT_TYPES, Place, Places, store
from sanhe.core.places.rules import places
from sanhe.core.storage import Database, Transaction

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
TYPES = FactTypes(FACT_TYPES)


def described(place: str, name: str, *, days: int = 0, source: str = "erp", **more: str) -> Fact:
    moment = START + timedelta(days=days)
    return Fact(
        type="place.described",
        source=source,
        external_id=f"{place}/{days}",
        event_at=moment,
        day=moment.date(),
        place=place,
        payload={"name": name, "kind": "store", **more},
    )


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 5)), unique=True), st.randoms())
def test_the_last_description_counts_in_any_order(
    given_facts: list[tuple[str, int]], dice: random.Random
) -> None:
    facts = [described(code, f"{code}{days}", days=days) for code, days in given_facts]
    shuffled = list(facts)
    dice.shuffle(shuffled)
    assert places(shuffled) == places(facts)
    for place in places(facts):
        assert place.name == f"{place.id}{max(d for c, d in given_facts if c == place.id)}"


def test_the_business_day_begins_at_the_cut_off() -> None:
    bar = Place("S1", "night shop", "store", time_zone="Asia/Shanghai", cut_off=time(4))
    late = datetime(2026, 5, 1, 19, 30, tzinfo=UTC)  # 03:30 on 2 May in Shanghai
    assert bar.day(late, default_time_zone="UTC") == date(2026, 5, 1)
    assert bar.day(late + timedelta(hours=1), default_time_zone="UTC") == date(2026, 5, 2)


def test_a_cut_off_that_is_no_time_is_refused() -> None:
    with pytest.raises(BadInput, match=r"S1.*25:00"):
        places([described("S1", "x", cut_off="25:00")])


def test_the_table_follows_imports_and_undo(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        facts = PostgresFacts(tx, TYPES)
        kept = Places(tx, facts)
        first = facts.open_batch(source="erp", name="places")
        facts.append(first, [described("S1", "old name"), described("S2", "two")])
        kept.apply(first)
        second = facts.open_batch(source="erp", name="renamed")
        facts.append(second, [described("S1", "new name", days=1, cut_off="05:30")])
        kept.apply(second)
        assert kept.get("S1").name == "new name"
        assert kept.calendars() == {
            "S1": ("Asia/Shanghai", time(5, 30)),
            "S2": ("Asia/Shanghai", time()),
        }
        assert kept.all().column("cut_off").to_pylist() == ["05:30", "00:00"]
        kept.apply(facts.undo(second))
        assert kept.get("S1").name == "old name"
        with pytest.raises(NotFound, match="S9"):
            kept.get("S9")


def race(database: Database) -> list[str]:
    """Two imports of different sources, the second applied while the first is not committed."""

    def second() -> None:
        with database.transaction(actor="planner") as tx:
            facts = PostgresFacts(tx, TYPES)
            batch = facts.open_batch(source="pos", name="places")
            facts.append(batch, [described("S2", "two", source="pos")])
            Places(tx, facts).apply(batch)

    other = threading.Thread(target=second)
    with database.transaction(actor="planner") as tx:
        facts = PostgresFacts(tx, TYPES)
        batch = facts.open_batch(source="erp", name="places")
        facts.append(batch, [described("S1", "one")])
        Places(tx, facts).apply(batch)
        other.start()
        other.join(1)  # it waits for us, or has read a state without what we write
    other.join()
    with database.transaction(actor="planner") as tx:
        return [
            str(place) for place in Places(tx, PostgresFacts(tx, TYPES)).all()["id"].to_pylist()
        ]


def test_two_imports_at_once_lose_no_place(database: Database) -> None:
    assert race(database) == ["S1", "S2"]


def test_a_lock_after_the_reading_loses_the_place_of_the_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the race above does happen."""
    replace_places = store.replace_places

    def late(tx: Transaction, places: list[Place]) -> None:
        lock(tx, "core.places")
        replace_places(tx, places)

    monkeypatch.setattr("sanhe.core.places.places.lock", lambda tx, name: None)
    monkeypatch.setattr(store, "replace_places", late)
    assert race(database) == ["S2"]
