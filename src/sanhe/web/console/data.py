"""Imports and data quality, planning, and the jobs that run."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date, datetime
from pathlib import Path as FilePath
from pathlib import PurePath
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, UploadFile
from pydantic import BaseModel, Field

from sanhe.core.access import may
from sanhe.core.errors import BadInput
from sanhe.web.asked import WindowQuery, Word
from sanhe.web.caller import Caller, depends, depends_everywhere, signed_in
from sanhe.web.console.jobs import JobRow
from sanhe.web.running import Event, Report
from sanhe.wiring import ImportRequest, PlanRequest, import_file, plan, undo_import
from sanhe.wiring.rejects import kept_rejects

router = APIRouter(tags=["data"])
Reads = Annotated[Caller, depends("data.read")]
Everywhere = Annotated[Caller, depends_everywhere("data.read")]
Imports = Annotated[Caller, depends_everywhere("data.import")]


class Batch(BaseModel):
    """One delivery of facts, or the undo of one."""

    id: UUID
    kind: str
    source: str
    name: str
    actor: str
    begun_at: datetime
    new: int
    repeated: int
    rejected: int
    undone_by: UUID | None


class BatchPage(BaseModel):
    """Some batches, the newest first."""

    rows: list[Batch]
    total: int
    offset: int


class Reject(BaseModel):
    """A row that could not be used: where, why, and the remedy."""

    row: int | None
    column: str | None
    value: str | None
    message: str
    remedy: str | None


class RejectPage(BaseModel):
    """Some refused rows of an import."""

    rows: list[Reject]
    total: int
    offset: int


class JobRows(BaseModel):
    """The jobs since the server was started, the newest first."""

    rows: list[JobRow]


class PlanAsked(BaseModel):
    """What to plan; see `wiring.PlanRequest`."""

    as_of: date | None = None
    horizon_days: int = Field(default=28, ge=1, le=365)
    changed: bool = False


@router.get("/imports")
def read_imports(window: WindowQuery, caller: Reads) -> BatchPage:
    """What was taken in, by whom and what came of it."""
    with caller.work() as work:
        batches = list(reversed(work.facts.batches()))
    rows = batches[window.offset : window.offset + window.limit]
    return BatchPage(
        rows=[Batch.model_validate(row, from_attributes=True) for row in rows],
        total=len(batches),
        offset=window.offset,
    )


@router.post("/imports", status_code=202)
def start_import(
    file: UploadFile,
    caller: Imports,
    *,
    mapping: Annotated[Word | None, Form()] = None,
    create_missing: Annotated[bool, Form()] = False,
) -> JobRow:
    """Take in a file; the job tells what came of it. A file is taken in whole or not at all."""
    name = PurePath((file.filename or "").replace("\\", "/")).name
    if not name or name.startswith("."):
        raise BadInput("the file has no name", place="file", remedy="give it one with its ending")
    if mapping and ("/" in mapping or "\\" in mapping):
        raise BadInput("no path is taken here", place="mapping", remedy="name a shipped mapping")
    folder = FilePath(tempfile.mkdtemp(prefix="sanhe-import-"))
    path = folder / name
    sanhe, actor = caller.sanhe, caller.identity.actor
    request = ImportRequest(path, mapping=mapping or None, create_missing=create_missing)

    def work(report: Report) -> None:
        try:
            import_file(sanhe, request, actor=actor, report=report)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    try:
        with path.open("wb") as sink:
            shutil.copyfileobj(file.file, sink)
        return JobRow.of(caller.served.running.start(f"import {name}", actor, work))
    except BaseException:  # too many wait, or the disk is full: nobody else takes it away
        shutil.rmtree(folder, ignore_errors=True)
        raise


@router.post("/imports/{batch}/undo")
def undo(batch: Annotated[UUID, Path()], caller: Imports) -> Batch:
    """Compensate an import: its facts no longer hold."""
    undone = undo_import(caller.sanhe, batch, actor=caller.identity.actor)
    with caller.work() as work:
        made = work.facts.batch(undone.batch)
    return Batch.model_validate(made, from_attributes=True)


@router.get("/imports/{batch}/rejects")
def read_rejects(
    batch: Annotated[UUID, Path()], window: WindowQuery, caller: Everywhere
) -> RejectPage:
    """The rows of an import that could not be used."""
    found = kept_rejects(caller.sanhe, batch)
    rows = found[window.offset : window.offset + window.limit]
    return RejectPage(
        rows=[
            Reject(
                row=one.row,
                column=one.column or None,
                value=one.value or None,
                message=one.reason,
                remedy=one.remedy or None,
            )
            for one in rows
        ],
        total=len(found),
        offset=window.offset,
    )


@router.post("/plans", status_code=202)
def start_plan(
    asked: PlanAsked, caller: Annotated[Caller, depends_everywhere("plan.run")]
) -> JobRow:
    """Forecast every line and propose orders; nothing is proposed twice."""
    served, actor = caller.served, caller.identity.actor
    request = PlanRequest(as_of=asked.as_of, horizon_days=asked.horizon_days, changed=asked.changed)

    def work(report: Report) -> None:
        made = plan(served.sanhe, request, actor=actor, report=report)
        served.running.tell(Event("plan", {"as_of": made.plan.as_of.isoformat()}))

    return JobRow.of(served.running.start("plan", actor, work))


@router.get("/jobs")
def read_jobs(caller: Annotated[Caller, Depends(signed_in)]) -> JobRows:
    """Long work of this server: imports, plans, backtests, simulations; one's own where one sees
    a part of the places, or does not look after the data."""
    who = caller.identity
    sees_all = who.scope.is_everything and may(who, "data.read")
    rows = [
        JobRow.of(job) for job in caller.served.running.all() if sees_all or job.actor == who.actor
    ]
    return JobRows(rows=rows)
