"""The schema changes form one line: each follows exactly one other."""

from __future__ import annotations

import re
from pathlib import Path

import sanhe.migrations

FOLDER = Path(sanhe.migrations.__file__ or "").parent / "versions"


def heads(before: dict[str, str | None]) -> set[str]:
    """The changes that no other one follows."""
    return set(before) - set(before.values())


def followed() -> dict[str, str | None]:
    """What each change follows, as its file says; no two have the same number."""
    found: dict[str, str | None] = {}
    for path in FOLDER.glob("[0-9]*.py"):
        names = dict(re.findall(r"^(revision|down_revision) = (.+)$", path.read_text(), re.M))
        last, number = names["down_revision"].strip('"'), names["revision"].strip('"')
        assert number not in found, f"two changes are {number}: renumber {path.name}"
        found[number] = None if last == "None" else last
    return found


def test_the_changes_form_one_line() -> None:
    before = followed()
    assert len(heads(before)) == 1, heads(before)
    assert len(set(before.values())) == len(before)


def test_two_that_follow_the_same_one_are_found() -> None:
    assert heads({"1": None, "2": "1", "3": "1"}) == {"2", "3"}
