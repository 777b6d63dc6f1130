"""The classes of lines, and which entry of a table by class holds for a line."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from sanhe.core.errors import BadInput

LETTERS: Final = ("ABC", "XYZ", "HML", "01234")
"""What a label is made of, in this order: value, regularity, margin, age of the stock."""

_CLASS = re.compile("[ABC]([XYZ]([HML][0-4]?)?)?")


def check_class(name: str, *, place: str) -> None:
    """Raise BadInput unless `name` is a label ("CZL4") or the beginning of one ("C", "CZ")."""
    if not _CLASS.fullmatch(name):
        raise BadInput(
            f"{name!r} is no class",
            place=place,
            remedy="write the beginning of a label: A, B or C; then X, Y or Z; then H, M or L; "
            "then 0 to 4",
        )


def class_rule(listed: Container[str], label: str) -> str | None:
    """The entry that holds for a line: the longest listed beginning of its label, else None."""
    for end in range(len(label), 0, -1):
        if label[:end] in listed:
            return label[:end]
    return None
