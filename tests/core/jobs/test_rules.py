"""The rules of jobs: what is tried again."""

from __future__ import annotations

import pytest

from sanhe.core.errors import BadInput, Permanent, SanheError, Temporary
from sanhe.core.jobs import MOST_ATTEMPTS, rules


def test_only_a_passing_failure_is_tried_again() -> None:
    passing = Temporary("away", delay_seconds=5)
    assert rules.retry_delay_seconds(passing, attempts=0) == 5
    assert rules.retry_delay_seconds(passing, attempts=MOST_ATTEMPTS - 2) == 5
    assert rules.retry_delay_seconds(passing, attempts=MOST_ATTEMPTS - 1) is None
    assert rules.retry_delay_seconds(Temporary("now", delay_seconds=-1), attempts=0) == 0
    for error in (Permanent("x"), SanheError("x"), KeyError("x"), KeyboardInterrupt()):
        assert rules.retry_delay_seconds(error, attempts=0) is None


def test_arguments_are_plain_json() -> None:
    assert rules.json_arguments("t", {"a": [1, "三", None]}) == '{"a":[1,"三",null]}'
    with pytest.raises(BadInput, match="t: "):
        rules.json_arguments("t", {"a": {1, 2}})  # type: ignore[dict-item]
