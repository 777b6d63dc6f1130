"""What every implementation of the facts port does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from uuid import uuid4

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.facts import FACT_SCHEMA, Fact, Facts, MemoryFacts, PostgresFacts, facts_table
from sanhe.core.storage import Database
from tests.core.facts.samples import TYPES, sale

Opener = Callable[[], AbstractContextManager[Facts]]
SHARED_FIXTURE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class _RollBack(Exception):
    pass


@pytest.fixture(params=["memory", "postgres"])
def fresh(request: pytest.FixtureRequest, clock: FixedClock) -> Opener:
    """A function that opens facts without any; what is written is dropped afterwards."""

    @contextmanager
    def memory() -> Iterator[Facts]:
        yield MemoryFacts(TYPES, clock=clock)

    if request.param == "memory":
        return memory
    database: Database = request.getfixturevalue("database")

    @contextmanager
    def postgres() -> Iterator[Facts]:
        try:
            with database.transaction(actor="test") as tx:
                yield PostgresFacts(tx, TYPES)
                raise _RollBack
        except _RollBack:
            return

    return postgres


@pytest.fixture
def facts(fresh: Opener) -> Iterator[Facts]:
    with fresh() as opened:
        yield opened


def quantities(facts: Facts) -> dict[str, int]:
    rows = facts.current(["sale.day"]).to_pylist()
    return {row["external_id"]: row["quantity"] for row in rows}


def add(facts: Facts, *rows: Fact) -> None:
    facts.append(facts.open_batch(source="till", name="file"), rows)


def test_what_is_appended_is_current_and_counted(facts: Facts) -> None:
    batch = facts.open_batch(source="till", name="sales.csv", digest="d1")
    done = facts.append(batch, [sale("1", 3), sale("2", 4)])
    assert (done.new, done.repeated, done.contradicting) == (2, 0, ())
    assert quantities(facts) == {"1": 3, "2": 4}
    (found,) = facts.batches()
    assert (found.id, found.kind, found.source, found.name) == (
        batch,
        "import",
        "till",
        "sales.csv",
    )
    assert (found.digest, found.actor, found.new) == ("d1", "test", 2)


def test_what_devices_bring_is_found_by_its_id_and_not_listed(facts: Facts) -> None:
    listed = facts.open_batch(source="erp", name="sales.csv")
    synced = facts.open_batch(source="till/1", name="till-1 1-9", kind="sync")
    facts.append(synced, [sale("1", 3)])
    assert [batch.id for batch in facts.batches()] == [listed]
    found = facts.batch(synced)
    assert (found.kind, found.name, found.new) == ("sync", "till-1 1-9", 1)
    undo = facts.undo(synced)
    assert facts.batch(undo).undoes == synced and quantities(facts) == {}
    assert [batch.id for batch in facts.batches()] == [listed, undo]
    with pytest.raises(NotFound, match="no batch"):
        facts.batch(uuid4())


def test_every_column_survives(facts: Facts) -> None:
    full = sale(
        party="P9",
        amount_cents=-1250,
        currency="CNY",
        payload={"in_stock_share": 0.25, "opened_empty": False},
        external_id='quote " comma , line\nbreak 三合 \\N',
    )
    bare = sale("bare")
    add(facts, full, bare)
    table = facts.current(["sale.day"])
    assert table.schema == FACT_SCHEMA
    assert table.equals(facts_table(sorted([full, bare], key=lambda f: f.external_id.encode())))


def test_a_repeated_fact_is_counted_and_changes_nothing(facts: Facts) -> None:
    add(facts, sale())
    digest = facts.digest()
    done = facts.append(facts.open_batch(source="till", name="again"), [sale(), sale()])
    assert (done.new, done.repeated) == (0, 2)
    assert facts.digest() == digest


@pytest.mark.parametrize(
    "other",
    [
        {"quantity": 4},
        {"sku": "B"},
        {"place": "S2"},
        {"day": date(2024, 6, 4)},
        {"amount_cents": 1},
        {"currency": "CNY"},
        {"party": "P"},
        {"payload": {"in_stock_share": 0.5}},
    ],
)
def test_other_content_under_a_known_key_is_named_and_not_written(
    facts: Facts, other: dict[str, object]
) -> None:
    add(facts, sale())
    done = facts.append(
        facts.open_batch(source="till", name="other"),
        [sale("9"), sale(**other)],  # type: ignore[arg-type]
    )
    assert (done.new, done.repeated, done.contradicting) == (1, 0, (("till", "1", 0),))
    assert quantities(facts) == {"1": 3, "9": 3}


def test_of_two_contents_in_one_delivery_the_first_holds(facts: Facts) -> None:
    done = facts.append(
        facts.open_batch(source="till", name="f"), [sale("1", 3), sale("1", 4), sale("1", 3)]
    )
    assert (done.new, done.repeated, done.contradicting) == (1, 1, (("till", "1", 0),))


def test_the_highest_revision_holds_whatever_comes_first(facts: Facts) -> None:
    add(facts, sale("1", 5, revision=2))
    add(facts, sale("1", 3), sale("1", 4, revision=1))
    assert quantities(facts) == {"1": 5}


def test_the_same_id_from_another_source_is_another_fact(facts: Facts) -> None:
    add(facts, sale("1", 3), sale("1", 4, source="erp"))
    assert facts.current(["sale.day"])["quantity"].to_pylist() == [4, 3]


def test_an_undone_batch_leaves_the_state_before_it(facts: Facts) -> None:
    add(facts, sale("1", 3))
    before = facts.digest()
    batch = facts.open_batch(source="till", name="correction")
    facts.append(batch, [sale("1", 8, revision=1), sale("2", 9)])
    assert quantities(facts) == {"1": 8, "2": 9}
    undo = facts.undo(batch)
    assert facts.digest() == before
    assert quantities(facts) == {"1": 3}
    found = {b.id: b for b in facts.batches()}
    assert (found[undo].kind, found[undo].undoes) == ("undo", batch)
    assert found[batch].undone_by == undo


def test_what_was_undone_can_be_delivered_again_even_corrected(facts: Facts) -> None:
    batch = facts.open_batch(source="till", name="wrong unit")
    facts.append(batch, [sale("1", 3000), sale("2", 1)])
    facts.undo(batch)
    second = facts.open_batch(source="till", name="right unit")
    assert facts.append(second, [sale("1", 3), sale("2", 1)]).new == 2
    assert quantities(facts) == {"1": 3, "2": 1}
    facts.undo(second)
    assert quantities(facts) == {}


def test_undo_refuses_what_it_can_not_undo(facts: Facts) -> None:
    with pytest.raises(NotFound):
        facts.undo(uuid4())
    batch = facts.open_batch(source="till", name="f")
    undo = facts.undo(batch)
    with pytest.raises(Conflict, match="undone already"):
        facts.undo(batch)
    with pytest.raises(Conflict, match="itself an undo"):
        facts.undo(undo)
    with pytest.raises(Conflict, match="is an undo"):
        facts.append(undo, [sale()])
    with pytest.raises(NotFound):
        facts.append(uuid4(), [sale()])


def test_rejected_rows_are_counted(facts: Facts) -> None:
    batch = facts.open_batch(source="till", name="f")
    facts.reject(batch, 7)
    assert facts.batches()[0].rejected == 7


def test_a_fact_that_does_not_fit_is_refused_and_nothing_is_written(facts: Facts) -> None:
    batch = facts.open_batch(source="till", name="f")
    with pytest.raises(BadInput, match=r"fact 1 .*'2'.*sku is missing"):
        facts.append(batch, [sale("1"), sale("2", sku=None)])
    assert quantities(facts) == {}


def test_a_batch_names_what_it_touched_in_all_its_revisions(facts: Facts) -> None:
    add(facts, sale("1", 3, place="S1"), sale("other"))
    batch = facts.open_batch(source="till", name="moved")
    facts.append(batch, [sale("1", 3, place="S2", revision=1)])
    touched = facts.touched(batch, ["sale.day"])
    assert [(r["external_id"], r["place"]) for r in touched.to_pylist()] == [
        ("1", "S1"),
        ("1", "S2"),
    ]
    (held,) = facts.current_of(batch, ["sale.day"]).to_pylist()
    assert (held["external_id"], held["place"]) == ("1", "S2")
    undo = facts.undo(batch)
    (held,) = facts.current_of(undo, ["sale.day"]).to_pylist()
    assert held["place"] == "S1"
    assert facts.touched(batch, ["item.described"]).num_rows == 0


def test_arrow_tables_may_leave_out_columns_and_change_their_order(facts: Facts) -> None:
    table = facts_table([sale()]).drop(["payload", "revision", "party", "currency"])
    table = table.select(table.column_names[::-1])
    assert facts.append(facts.open_batch(source="till", name="f"), table).new == 1
    assert facts.append(facts.open_batch(source="till", name="f"), [sale()]).repeated == 1


def test_no_facts_are_no_error(facts: Facts) -> None:
    done = facts.append(facts.open_batch(source="till", name="f"), FACT_SCHEMA.empty_table())
    assert (done.new, done.repeated) == (0, 0)
    assert facts.current(["sale.day"]).schema == FACT_SCHEMA


@st.composite
def deliveries(draw: st.DrawFn) -> list[Fact]:
    """Facts without contradictions: the content follows from the key."""
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from("abcd"), st.integers(0, 2), st.sampled_from(["till", "erp"])),
            min_size=1,
            max_size=12,
        )
    )
    return [
        sale(i, ord(i) * 10 + r, revision=r, source=s, sku=f"{i}{r}", payload={})
        for i, r, s in keys
    ]


@SHARED_FIXTURE
@given(delivered=deliveries(), data=st.data())
def test_any_order_repetition_and_split_end_in_the_same_state(
    fresh: Opener, delivered: list[Fact], data: st.DataObject
) -> None:
    with fresh() as once:
        add(once, *delivered)
        expected = once.digest()
    shuffled = data.draw(st.permutations(delivered + delivered[:3]))
    cut = data.draw(st.integers(0, len(shuffled)))
    with fresh() as other:
        noise = other.open_batch(source="till", name="undone")
        other.append(noise, [sale("z", 1), sale("a", 999, revision=9)])
        add(other, *shuffled[:cut])
        other.undo(noise)
        add(other, *shuffled[cut:])
        assert other.digest() == expected


@SHARED_FIXTURE
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 4))))
def test_both_implementations_agree_after_any_steps(
    database: Database, clock: FixedClock, steps: list[tuple[int, int, int]]
) -> None:
    """Steps: append a fact (contradictions included) or, at 4, undo one of the batches."""
    outcomes = []
    try:
        with database.transaction(actor="test") as tx:
            for facts in (MemoryFacts(TYPES, clock=clock), PostgresFacts(tx, TYPES)):
                outcomes.append(_run(facts, steps))
            raise _RollBack
    except _RollBack:
        assert outcomes[0] == outcomes[1]


def _run(facts: Facts, steps: list[tuple[int, int, int]]) -> list[object]:
    seen: list[object] = []
    batches = []
    for name, revision, quantity in steps:
        if quantity == 4 and batches:
            try:
                batches.append(facts.undo(batches[name % len(batches)]))
            except Conflict:
                seen.append("conflict")
        else:
            batches.append(facts.open_batch(source="till", name="f"))
            seen.append(facts.append(batches[-1], [sale(str(name), quantity, revision=revision)]))
    seen.append(facts.digest())
    seen.append([(b.kind, b.new, b.repeated) for b in facts.batches()])
    seen.append(facts.current(["sale.day"]).to_pylist())
    return seen


def test_a_table_of_another_size_has_the_same_digest(facts: Facts) -> None:
    """The digest does not depend on how the rows were cut into Arrow chunks."""
    from sanhe.core.facts.schema import StateDigest

    table = facts_table([sale(str(n).zfill(4), n) for n in range(300)])
    one, many = StateDigest(), StateDigest()
    one.feed(table)
    for start in range(0, 300, 7):
        many.feed(pa.concat_tables([table.slice(start, 3), table.slice(start + 3, 4)]).slice(0, 7))
    assert one.hexdigest() == many.hexdigest()
    changed = StateDigest()
    changed.feed(facts_table([sale(str(n).zfill(4), n + (n == 250)) for n in range(300)]))
    assert one.hexdigest() != changed.hexdigest()
