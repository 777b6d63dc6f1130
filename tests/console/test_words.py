"""What the server names by a word has that word in both languages of the console."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from sanhe.core.access import Refusal, Role
from sanhe.core.decisions import Status
from sanhe.core.errors import Code
from sanhe.goods.replenish import (
    ASSUMED_WORDS,
    CONSTRAINTS,
    KIND,
    TERMS,
    TRANSFER,
    TRANSFER_TERMS,
    Policy,
    settings_of,
)
from sanhe.loop.desk import KINDS
from sanhe.web.console.told import Cause

WORDS = Path(__file__).parents[2] / "frontend" / "console" / "src" / "words"
NAMED: dict[str, tuple[str, ...]] = {
    "term": (*TERMS, *TRANSFER_TERMS),
    "part": (*TERMS, *TRANSFER_TERMS),
    "limit": tuple(CONSTRAINTS),
    "assumed": tuple(ASSUMED_WORDS),
    "exception": KINDS,
    "status": tuple(Status),
    "decisionKind": (KIND, TRANSFER),
    "problem": tuple(Code),
    "setting": tuple(one.name.replace(".", "_") for one in settings_of(Policy())),
    "role": tuple(Role),
    "cause": tuple(cause for cause in get_args(Cause) if cause),
}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("group", NAMED)
def test_every_name_has_words(language: str, group: str) -> None:
    words: dict[str, Any] = json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"))
    assert [name for name in NAMED[group] if not words[group].get(name)] == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_refusal_of_a_provider_has_words(language: str) -> None:
    words: dict[str, Any] = json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"))
    told = words["signIn"]["refused"]
    assert told.keys() == {*get_args(Refusal), "too_many", "away"} and all(told.values())
