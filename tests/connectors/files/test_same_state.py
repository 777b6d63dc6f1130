"""However rows are shuffled, repeated and split over files, the same facts are recorded."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanhe.connectors.files import plan_import
from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput
from sanhe.core.facts import MemoryFacts
from tests.connectors.files.desk import AS_OF, GOODS_TYPES, HEADER, KNOWN, planned, written

ROWS = [
    f"2024-05-{day:02d},{place},{sku},{day},{day * 2.5:.2f}"
    for day in range(1, 11)
    for place in ("S1", "S2")
    for sku in ("A1", "A2")
]


def memory() -> MemoryFacts:
    return MemoryFacts(
        GOODS_TYPES, clock=FixedClock(datetime(2024, 6, 30, tzinfo=UTC)), actor="planner"
    )


def record(facts: MemoryFacts, path: Path, revision: int = 0) -> tuple[int, int]:
    """Import a file as the wiring does; returns new and repeated."""
    with plan_import(path, as_of=AS_OF, known=KNOWN, revision=revision) as plan:
        batch = facts.open_batch(source=plan.source, name=path.name, digest=plan.digest)
        new = repeated = 0
        for table in plan.tables():
            appended = facts.append(batch, table)
            plan.refuse_contradicting(appended.contradicting)
            new, repeated = new + appended.new, repeated + appended.repeated
        plan.require_usable()
    return new, repeated


def imported(folder: Path, *files: list[str]) -> str:
    facts = memory()
    for number, rows in enumerate(files):
        text = "\n".join([HEADER, *rows]) + "\n"
        record(facts, written(folder, text, name=f"{number}.csv"))
    return facts.digest()


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(1, 4), extra=st.integers(0, 12))
def test_shuffled_repeated_and_split_rows_end_in_the_same_state(
    tmp_path: Path, seed: int, parts: int, extra: int
) -> None:
    chance = random.Random(seed)
    rows = ROWS + chance.sample(ROWS, extra)
    chance.shuffle(rows)
    cuts = sorted(chance.sample(range(1, len(rows)), parts - 1))
    files = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    assert imported(tmp_path, *files) == imported(tmp_path, ROWS)


def test_another_figure_makes_another_state(tmp_path: Path) -> None:
    changed = [ROWS[0].replace(",1,2.50", ",2,2.50"), *ROWS[1:]]
    assert changed != ROWS
    assert imported(tmp_path, changed) != imported(tmp_path, ROWS)


def test_the_same_file_again_is_repeated(tmp_path: Path) -> None:
    facts = memory()
    path = written(tmp_path, "\n".join([HEADER, *ROWS]))
    assert record(facts, path) == (40, 0)
    assert record(facts, path) == (0, 40)


def test_a_contradiction_becomes_a_reject_and_a_revision_mends_it(tmp_path: Path) -> None:
    facts = memory()
    record(facts, written(tmp_path, "\n".join([HEADER, *ROWS])))
    changed = written(tmp_path, "\n".join([HEADER, ROWS[0].replace(",1,", ",7,")]), name="b.csv")
    with pytest.raises(BadInput) as refusal:
        record(facts, changed)
    assert "b.csv row 2" in str(refusal.value)
    assert "recorded before with other content" in str(refusal.value)
    assert "--revision 1" in str(refusal.value)
    record(facts, changed, revision=1)
    first = facts.current(["sale.day"]).to_pylist()[0]
    assert (first["external_id"], first["revision"], first["quantity"]) == (
        "sale/S1/A1/2024-05-01",
        1,
        7,
    )


def test_the_file_may_carry_its_revisions(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER},revision\n{ROWS[0]},3\n{ROWS[1]},\n")
    with planned(path) as plan:
        found = [row["revision"] for table in plan.tables() for row in table.to_pylist()]
    assert sorted(found) == [0, 3]


def test_large_files_come_in_chunks(tmp_path: Path) -> None:
    rows = [f"2024-05-01,S1,K{number},1,1" for number in range(5_000)]
    path = written(tmp_path, "\n".join([HEADER, *rows]))
    with plan_import(path, as_of=AS_OF) as plan:
        sizes = [table.num_rows for table in plan.tables(rows=2_048)]
    assert sum(sizes) == 5_000
    assert len(sizes) > 1 and max(sizes) <= 2_048
