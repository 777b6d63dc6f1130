"""The import flow: a file becomes facts, and all that follows from them, in one transaction."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from sanhe.connectors.files import (
    ImportPlan,
    Known,
    ReadOptions,
    Reject,
    Summary,
    find_mappings,
    plan_import,
)
from sanhe.core.errors import BadInput, Conflict
from sanhe.wiring.jobs import queue_seal, run_jobs
from sanhe.wiring.progress import Report, silent

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Which file, and how to read it.

    `mapping` names a shipped mapping, a family of them or a TOML file; None = the one that fits.
    `max_reject_share` is the share of rows that may be refused while the rest is recorded.
    `create_missing` describes unknown SKUs, places and suppliers by their code.
    `today` is the last day that may have happened; None = the latest local day among the places
    and the installation. `save_mapping` keeps the mapping that was used, once it has worked.
    """

    path: Path
    mapping: str | None = None
    source: str | None = None
    revision: int = 0
    options: ReadOptions = field(default_factory=ReadOptions)
    max_reject_share: float = 0.0
    create_missing: bool = False
    dry_run: bool = False
    save_mapping: Path | None = None
    today: date | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file. `batch` is None after a dry run; `samples` are first facts by type.

    `rejects_file` and `mapping_file` are the files that were written, a dry run's too.
    """

    path: Path
    mapping: str
    source: str
    summary: Summary
    batch: UUID | None
    new: int
    repeated: int
    rejects_file: Path | None
    mapping_file: Path | None
    first_rejects: tuple[Reject, ...]
    samples: Mapping[str, list[dict[str, object]]]


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did: the batch that compensates, and the facts it retracted."""

    batch: UUID
    undoes: UUID
    name: str
    facts: int


def import_file(
    sanhe: Sanhe, request: ImportRequest, *, actor: str, report: Report = silent
) -> Imported:
    """Read, check and record a file; all of it and what follows from it, or nothing.

    Raises NotFound for no such file, BadInput when it or too many of its rows can't be used.
    Rows that can't be used are kept in a rejects file below the home's `rejects` folder. A dry
    run writes that file and the mapping where one was asked for, and records nothing.
    """
    with sanhe.work(actor=actor) as work:
        known = _known(work)
    plan = plan_import(
        request.path,
        as_of=request.today or _latest_local_day(sanhe, known),
        mapping=find_mappings(request.mapping) if request.mapping else None,
        known=known,
        currency=sanhe.settings.currency,
        time_zone=sanhe.settings.time_zone,
        source=request.source,
        revision=request.revision,
        options=request.options,
        create_missing=request.create_missing,
        progress=lambda stage, share: report(stage, round(share * 100), 100),
    )
    with plan:
        mapping = _mapping_text(plan, request.save_mapping)
        batch, new, repeated = None, 0, 0
        if not request.dry_run:
            batch, new, repeated = _record(sanhe, plan, request, actor=actor, report=report)
        folder = sanhe.settings.home / "rejects"
        if request.save_mapping is not None:
            _write_whole(request.save_mapping, mapping)
        return Imported(
            path=request.path,
            mapping=plan.mapping.name,
            source=plan.source,
            summary=plan.summary,
            batch=batch,
            new=new,
            repeated=repeated,
            rejects_file=plan.write_rejects(folder),
            mapping_file=request.save_mapping,
            first_rejects=tuple(plan.rejects(10)),
            samples={name: table.to_pylist() for name, table in plan.samples().items()},
        )


def _known(work: Work) -> Known:
    """The codes the masters hold."""
    places = work.places.all()
    return Known(
        skus=set(work.catalog.items().column("sku").to_pylist()),
        places=set(places.column("id").to_pylist()),
        suppliers=set(work.suppliers.suppliers().column("supplier").to_pylist()),
        calendars=work.places.calendars(),
    )


def _latest_local_day(sanhe: Sanhe, known: Known) -> date:
    """The latest day that has begun anywhere the retailer is; a UTC date would lag behind."""
    names = {sanhe.settings.time_zone, *(zone for zone, _ in known.calendars.values())}
    now = sanhe.clock.now()
    return max(now.astimezone(ZoneInfo(name)).date() for name in names)


def _mapping_text(plan: ImportPlan, path: Path | None) -> str:
    """The mapping to keep, empty when none is. Raises BadInput before anything is recorded."""
    if path is None:
        return ""
    if not path.parent.is_dir():
        raise BadInput("no such folder", place=str(path), remedy="make it, or name another file")
    return plan.mapping.to_toml()


def _write_whole(path: Path, text: str) -> None:
    """Write a file whole, or leave what stood there."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _record(
    sanhe: Sanhe, plan: ImportPlan, request: ImportRequest, *, actor: str, report: Report
) -> tuple[UUID, int, int]:
    """Record the plan's facts and let the projections follow, in one transaction."""
    try:
        plan.require_usable(request.max_reject_share)
        total = sum(found.facts for found in plan.summary.types)
        with sanhe.work(actor=actor) as work:
            batch = work.facts.open_batch(
                source=plan.source, name=request.path.name, digest=plan.digest
            )
            new = repeated = 0
            for table in plan.tables():
                appended = work.facts.append(batch, table)
                new, repeated = new + appended.new, repeated + appended.repeated
                plan.refuse_contradicting(appended.contradicting)
                report("recording", new + repeated, total)
            plan.require_usable(request.max_reject_share)
            work.facts.reject(batch, plan.summary.rejected_rows)
            report("following", 0, 1)
            work.follow(batch)
            work.audit.record("import", str(batch), {"file": request.path.name, "new": new})
            queue_seal(work)
        run_jobs(sanhe)
    except BadInput as error:
        # What was refused is kept for whoever mends the file; nothing else was written.
        kept = plan.write_rejects(sanhe.settings.home / "rejects")
        if kept is None:
            raise
        remedy = f"{error.remedy}; every refused row, with its reason: {kept}"
        raise BadInput(error.what, place=error.place, remedy=remedy) from error
    return batch, new, repeated


def record_facts(
    sanhe: Sanhe,
    deliveries: Mapping[str, pa.Table],
    *,
    source: str,
    actor: str,
    report: Report = silent,
) -> int:
    """Record deliveries of facts by name, each a batch and a transaction; returns the new facts.

    The door for whoever has facts already, such as the simulated retailer. Raises BadInput for
    facts that don't fit their type, Conflict for facts that contradict what is recorded.
    """
    new = 0
    for done, (name, table) in enumerate(deliveries.items(), start=1):
        if table.num_rows:
            with sanhe.work(actor=actor) as work:
                batch = work.facts.open_batch(source=source, name=name)
                appended = work.facts.append(batch, table)
                if appended.contradicting:
                    raise Conflict(
                        f"{name}: {len(appended.contradicting)} facts contradict what is recorded, "
                        f"first {appended.contradicting[0]}; give them a higher revision"
                    )
                work.follow(batch)
                queue_seal(work)
            new += appended.new
        report("recording", done, len(deliveries))
    run_jobs(sanhe)
    return new


def undo_import(sanhe: Sanhe, batch: UUID, *, actor: str) -> Undone:
    """Compensate a batch: its facts no longer hold, what they superseded holds again.

    Raises NotFound for no such batch, Conflict when it was undone or is an undo.
    """
    with sanhe.work(actor=actor) as work:
        compensating = work.facts.undo(batch)
        work.follow(compensating)
        work.audit.record("undo", str(batch), {"by": str(compensating)})
        queue_seal(work)
        made, undone = work.facts.batch(compensating), work.facts.batch(batch)
    run_jobs(sanhe)
    return Undone(compensating, batch, undone.name, made.new)
