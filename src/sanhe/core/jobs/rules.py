"""The rules of jobs: what is tried again, what a job and a message may hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson

from sanhe.core.errors import BadInput, Temporary
from sanhe.core.values import Json

MOST_ATTEMPTS = 20
"""A job that fails for a passing reason so many times has failed."""


def retry_delay_seconds(error: BaseException, *, attempts: int) -> float | None:
    """After how long a failed job is tried again; None = it has failed for good.

    `attempts` counts the tries before this one.
    """
    if isinstance(error, Temporary) and attempts + 1 < MOST_ATTEMPTS:
        return max(error.delay_seconds, 0.0)
    return None


def failure(task: str, error: BaseException) -> str:
    """The words for a failed job."""
    return f"{task}: {type(error).__name__}: {error}"


def json_arguments(task: str, arguments: Mapping[str, Json]) -> str:
    """Arguments or a payload as JSON text; raises BadInput when they are none."""
    try:
        return orjson.dumps(dict(arguments)).decode()
    except TypeError as error:
        raise BadInput(f"{error}", place=task, remedy="give plain JSON values") from error


def check_moment(at: datetime | None, *, task: str) -> None:
    """Raise BadInput for a time without a zone."""
    if at is not None and at.tzinfo is None:
        raise BadInput(f"{at} has no time zone", place=task, remedy="give an offset")
