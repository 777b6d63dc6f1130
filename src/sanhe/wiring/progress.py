"""How long work tells what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Report: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done, how much is done, and how much there is."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""
