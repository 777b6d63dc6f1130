"""Planning beside others: orders placed meanwhile, days, failed jobs, notes, old forecasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from sanhe.core.decisions import PostgresDecisions, Status
from sanhe.core.errors import BadInput, Conflict, Permanent
from sanhe.core.facts import lock
from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import (
    Planned,
    PlanRequest,
    Sanhe,
    approve,
    health,
    plan,
    record_facts,
    run_jobs,
)
from sanhe.wiring.planning import KEPT_FORECASTS
from tests.wiring.files import deliveries
from tests.wiring.installation import MORNING, installed, opened

REQUEST = PlanRequest(horizon_days=14, method="same_weekday_mean")
PLANNED_DAY = date(2025, 9, 25)


@pytest.fixture
def retailer(server: EmbeddedServer, tmp_path: Path) -> Iterator[Settings]:
    """The tiny retailer, recorded, with nothing planned."""
    with installed(server, tmp_path / "home") as settings:
        with opened(settings) as sanhe:
            record_facts(sanhe, deliveries(), source="sim", actor="importer")
        yield settings


def planned(sanhe: Sanhe) -> Planned:
    """The plan of the morning."""
    return plan(sanhe, REQUEST, actor="planner")


def planned_while_all_is_ordered(sanhe: Sanhe) -> Planned:
    """Plan again; between its reading and its proposing a colleague's order is carried out."""
    numbers = planned(sanhe).plan.numbers
    colleague = threading.Thread(target=approved, args=(sanhe, numbers))

    def meanwhile(what: str, done: int, total: int) -> None:
        if what == "proposing" and colleague.ident is None:
            colleague.start()
            colleague.join(timeout=4)

    try:
        again = plan(sanhe, REQUEST, actor="planner", report=meanwhile)
    finally:
        colleague.join()
    with sanhe.work(actor="auditor") as work:
        found = [work.decisions.get(number).status for number in numbers]
    assert set(found) == {Status.EXECUTED}
    return again


def approved(sanhe: Sanhe, numbers: tuple[int, ...]) -> tuple[str, ...]:
    """Approve and carry out; the orders."""
    approve(sanhe, numbers, reason="as proposed", actor="colleague")
    return run_jobs(sanhe)


def test_an_order_placed_while_a_plan_is_made_is_not_proposed_again(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        again = planned_while_all_is_ordered(sanhe).plan
        assert again.proposed == 0 and again.already_open >= 5


def test_without_the_lock_it_would_be_ordered_twice(
    retailer: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the race above."""
    monkeypatch.setattr(PostgresDecisions, "exclusive", lambda self, kind: None)
    with opened(retailer) as sanhe:
        again = planned_while_all_is_ordered(sanhe).plan
        assert again.proposed >= 5


@pytest.mark.parametrize("days_late", [0, 1, 3])
def test_what_was_ordered_counts_however_late_the_data_is(
    retailer: Settings, days_late: int
) -> None:
    with opened(retailer, at=MORNING + timedelta(days=days_late)) as sanhe:
        first = planned(sanhe)
        names = approved(sanhe, first.plan.numbers)
        with sanhe.work(actor="planner") as work:
            assert {o.ordered_on for o in work.suppliers.orders(names=names)} == {first.plan.as_of}
        assert planned(sanhe).plan.proposed == 0


def test_a_stale_proposal_is_refused_and_planned_afresh(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        first = planned(sanhe).plan
    with opened(retailer, at=MORNING + timedelta(days=4)) as sanhe:
        with pytest.raises(Conflict, match="plan again"):
            approve(sanhe, first.numbers[:1], reason="", actor="planner")
        with sanhe.work(actor="auditor") as work:
            assert work.jobs.counts().get("todo", 0) == 0
            assert work.suppliers.orders() == []
        fresh = planned(sanhe).plan
        assert fresh.proposed == first.proposed
        assert approve(sanhe, fresh.numbers[:1], reason="", actor="planner") == 1


def test_an_order_whose_file_could_not_be_written_is_written_next_time(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        (number, *_) = planned(sanhe).plan.numbers
        sanhe.orders_folder.write_text("a file where the folder should be")
        with pytest.raises(OSError):
            approved(sanhe, (number,))
        sanhe.orders_folder.unlink()
        assert run_jobs(sanhe) == ()
        with sanhe.work(actor="auditor") as work:
            (name,) = work.decisions.get(number).actions
        assert (sanhe.orders_folder / f"{name}.csv").exists()


def test_what_is_approved_is_queued_again_and_failed_jobs_are_told(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        one, two, *_ = planned(sanhe).plan.numbers
        with sanhe.work(actor="planner") as work:
            work.decisions.approve([one])
            # As if it had failed for good: approved, and no job that would carry it out.
            work.jobs.defer("gone", {})
        with pytest.raises(Permanent, match=r"gone: NotFound.*sanhe plan goes on"):
            run_jobs(sanhe)
        with sanhe.work(actor="auditor") as work:
            assert work.decisions.get(one).status is Status.EXECUTED
            assert work.decisions.get(two).status is Status.PROPOSED
        assert run_jobs(sanhe) == ()


def test_a_plan_of_the_past_says_that_stock_is_of_now(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        assert not any("those of now" in note for note in planned(sanhe).notes)
        past = replace(REQUEST, as_of=PLANNED_DAY - timedelta(days=5))
        told = plan(sanhe, past, actor="planner").notes
        assert any("up to 2025-09-24" in note and "those of now" in note for note in told)


def test_facts_that_wait_for_a_running_import_are_told(retailer: Settings) -> None:
    late = deliveries()["stock"].slice(0, 1)
    with opened(retailer) as sanhe:
        planned(sanhe)
        with sanhe.database.transaction(actor="importer") as tx:
            lock(tx, "an import of another table that takes long")
            tx.connection.exec_driver_sql("SELECT pg_current_xact_id()")
            changed = late.set_column(
                late.schema.get_field_index("external_id"), "external_id", [["late"]]
            )
            assert record_facts(sanhe, {"late": changed}, source="late", actor="importer") == 1
            told = planned(sanhe).notes
            assert any("wait for an older import" in note for note in told), told
        assert not any("wait for" in note for note in planned(sanhe).notes)


def test_the_lake_keeps_the_newest_forecasts(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        for back in range(KEPT_FORECASTS + 2):
            as_of = PLANNED_DAY - timedelta(days=back)
            sanhe.clock.moment += timedelta(minutes=1)  # type: ignore[attr-defined]
            ran = plan(sanhe, replace(REQUEST, as_of=as_of), actor="planner")
        kept = [name for name in sanhe.lake.tables() if name.startswith("forecast/")]
        assert len(kept) == KEPT_FORECASTS
        assert sanhe.demand.latest().id == ran.forecast_run


def test_health_takes_the_assumptions_of_the_plan(retailer: Settings, tmp_path: Path) -> None:
    path = tmp_path / "assumptions.toml"
    path.write_text("unit_cost_cents = -1\n")
    with opened(retailer) as sanhe:
        with pytest.raises(BadInput, match="unit_cost_cents"):
            health(sanhe, actor="planner", assumptions=path)
        path.write_text("unit_cost_cents = 5\n")
        lines, _ = health(sanhe, actor="planner", assumptions=path)
        assert lines.num_rows > 0
