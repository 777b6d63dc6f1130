"""A job as pages are told of it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from sanhe.web.running import Job


class JobRow(BaseModel):
    """Long work and how far it is; `state`: waiting, running, done or failed."""

    id: str
    what: str
    actor: str
    state: str
    step: str
    done: int
    total: int
    error: str
    started_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> JobRow:
        """A job as pages take it."""
        return cls(**{name: getattr(job, name) for name in cls.model_fields})
