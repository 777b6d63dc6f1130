"""The schema changes form one line: each follows exactly one other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import sanhe.migrations

FOLDER = Path(sanhe.migrations.__file__ or "").parent / "versions"


def heads(before: dict[str, str | None]) -> set[str]:
    """The changes that no other one follows."""
    return set(before) - set(before.values())


def followed(texts: Iterable[str]) -> dict[str, str | None]:
    """What each change follows, as its file says; none has the name of another."""
    found: dict[str, str | None] = {}
    for text in texts:
        names = dict(re.findall(r"^(revision|down_revision) = (.+)$", text, re.M))
        name, last = names["revision"].strip('"'), names["down_revision"].strip('"')
        assert name not in found, f"two changes are called {name}"
        found[name] = None if last == "None" else last
    return found


def test_the_changes_form_one_line() -> None:
    before = followed(path.read_text() for path in FOLDER.glob("[0-9]*.py"))
    assert len(heads(before)) == 1, heads(before)
    assert len(set(before.values())) == len(before)


def test_two_of_one_name_are_found() -> None:
    twice = ['revision = "2"\ndown_revision = "1"'] * 2
    with pytest.raises(AssertionError, match="called 2"):
        followed(twice)


def test_two_that_follow_the_same_one_are_found() -> None:
    assert heads({"1": None, "2": "1", "3": "1"}) == {"2", "3"}
