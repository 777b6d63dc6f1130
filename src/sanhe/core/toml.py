"""Settings that stand in a TOML file: taken value by value, each error naming its place."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sanhe.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Page:
    """A file of settings: `setting` names it, `guide` has an example of it.

    `secrets` are names that must not stand in it, each with where they belong.
    """

    path: Path
    setting: str
    guide: str
    secrets: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> Table:
        """The file's table; raises BadInput when it can't be read."""
        try:
            told = tomllib.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadInput(
                f"the file can't be read: {error}",
                place=str(self.path),
                remedy=f"{self.setting} names a TOML file; {self.guide} has one",
            ) from error
        return Table(told, str(self.path), self)


class Table:
    """A table of a file: each name is taken once, and what nobody took is an error (`end`).

    `place` is what errors name. Further tables in it have the same `page`.
    """

    def __init__(self, told: Mapping[str, Any], place: str, page: Page) -> None:
        self._left, self._place, self._page = dict(told), place, page

    def wrong(self, name: str, what: str, remedy: str) -> BadInput:
        """The error of a value."""
        return BadInput(what, place=self.place(name), remedy=remedy)

    def text(self, name: str, *, default: str | None = None) -> str:
        """One text."""
        value = self._left.pop(name, default)
        if not isinstance(value, str) or (not value.strip() and default is None):
            raise self.wrong(name, "a text is missing", f'write {name} = "…"')
        return value.strip()

    def is_text(self, name: str, text: str) -> bool:
        """Whether it is this text, which is then taken."""
        found = self._left.get(name) == text
        if found:
            del self._left[name]
        return found

    def texts(self, name: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts."""
        value = self._left.pop(name, default)
        if not isinstance(value, (list, tuple)) or not all(
            isinstance(one, str) and one for one in value
        ):
            raise self.wrong(name, "a list of texts is missing", f'write {name} = ["…"]')
        return tuple(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._left.pop(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, f"{value!r} is neither true nor false", "write true or false")
        return value

    def given(self, name: str) -> bool:
        """Whether something stands there that nobody took yet."""
        return name in self._left

    def decimal(self, name: str, *, default: float, least: float, most: float) -> float:
        """A number, with or without decimals."""
        value = self._left.pop(name, default)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not least <= value <= most:
            raise self.wrong(name, f"{value!r} is no such number", f"give {least} to {most}")
        return float(value)

    def whole(self, name: str, *, default: int, most: int) -> int:
        """A number from 0 on."""
        value = self._left.pop(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise self.wrong(name, f"{value!r} is no number", f"give 0 to {most}")
        return value

    def wholes(self, name: str, *, most: int) -> tuple[int, ...]:
        """A list of numbers from 1 on; empty where there is none."""
        value = self._left.pop(name, [])
        if not isinstance(value, list) or not all(
            isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= most for one in value
        ):
            raise self.wrong(name, f"{value!r} are no numbers", f"give [1, …] up to {most}")
        return tuple(value)

    def numbers(self, *, most: int) -> dict[str, int]:
        """All that is left of this table, each name with a number from 1 on."""
        for name, value in self._left.items():
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise self.wrong(name, f"{value!r} is no number", f"give 1 to {most}")
        found, self._left = dict(self._left), {}
        return found

    def inner(self, name: str) -> Table | None:
        """A table within, None where there is none."""
        if name not in self._left:
            return None
        value = self._left.pop(name)
        if not isinstance(value, dict):
            raise self.wrong(name, "it is no table", f"write [{name}]")
        return Table(value, f"{self._place} [{name}]", self._page)

    def several(self, name: str) -> list[Table]:
        """Tables of one kind; at least one."""
        value = self._left.pop(name, None)
        if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
            raise self.wrong(name, "there is none", f"write one or more [[…{name}]]")
        return [
            Table(one, f"{self._place} {name} {n}", self._page) for n, one in enumerate(value, 1)
        ]

    def named(self, name: str) -> dict[str, str]:
        """A table of texts by name; at least one."""
        value = self._left.pop(name, None)
        if not isinstance(value, dict) or not value:
            raise self.wrong(name, "there is none", f'write {name} = {{ NAME = "…" }}')
        if not all(isinstance(one, str) and one for one in value.values()):
            raise self.wrong(name, "one of them is no text", f'write {name} = {{ NAME = "…" }}')
        return value

    def place(self, name: str) -> str:
        """What an error about a value names."""
        return f"{self._place} {name}"

    def file(self, name: str, value: str) -> bytes:
        """The content of a file that a value names, from the folder of this one on."""
        try:
            return (self._page.path.parent / value).read_bytes()
        except OSError as error:
            raise self.wrong(name, str(error), "name a file that can be read") from error

    def end(self) -> None:
        """Raise BadInput for a name that means nothing, such as one that is misspelt."""
        for name in self._left:
            if name in self._page.secrets:
                remedy = self._page.secrets[name]
                raise self.wrong(name, "a secret does not belong into this file", remedy)
            raise self.wrong(name, "nothing of this name is known", f"see {self._page.guide}")
