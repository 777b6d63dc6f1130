"""What a race is made of: attempts that want the same few things, and what must be true after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeAlias, TypeVar

import orjson

from bench.http_load import Answer, Request

TWINS: Final = 0.25
"""The share of attempts that are another one sent again, at the same time or later."""
Target = TypeVar("Target")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request. `name` is what it is known by: those of one name are one command and must be
    answered alike. `said` is what it asks for, for the check."""

    name: str
    target: Any
    request: Request
    said: Any = None


Told: TypeAlias = Sequence[tuple[Attempt, Answer]]
"""Attempts with their answers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one answer that a command had, however often it was sent."""

    attempt: Attempt
    status: int
    body: Any

    @property
    def is_accepted(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300


Outcomes: TypeAlias = Mapping[Any, Sequence[Outcome]]
"""The outcomes of a round's commands by target."""


@dataclass(frozen=True, slots=True)
class Round:
    """Attempts with their check: `check` names what is wrong once they were answered, given the
    outcomes by target. It is asked again for a while, as what follows is told by and by."""

    attempts: Sequence[Attempt]
    check: Callable[[Outcomes], list[str]] = field(repr=False)


def contended(
    dice: Random,
    targets: Sequence[Target],
    *,
    attempts: int,
    command: Callable[[Target, int], Attempt],
) -> list[Attempt]:
    """So many attempts, spread evenly over the targets, one or two of which are wanted at a time.

    `command` makes the n-th command for a target; a quarter of the attempts repeat one.
    """
    each, more = divmod(attempts, len(targets))
    made: list[Attempt] = []
    ends = [0]
    for number, target in enumerate(targets):
        count = each + (number < more)
        fresh = max(1, round(count * (1 - TWINS)))
        own = [command(target, n) for n in range(min(fresh, count))]
        own += dice.choices(own, k=count - len(own)) if own else []
        dice.shuffle(own)
        made += own
        ends.append(len(made))
    for start in range(0, len(targets) - 1, 2):
        first, last = ends[start], ends[start + 2]
        mixed = made[first:last]
        dice.shuffle(mixed)
        made[first:last] = mixed
    return made


def outcomes_of(told: Told) -> tuple[dict[Any, list[Outcome]], list[str]]:
    """The outcome of each command by target; and the commands that were answered in two ways."""
    first: dict[str, tuple[Attempt, Answer]] = {}
    wrong = []
    for attempt, answer in told:
        kept = first.setdefault(attempt.name, (attempt, answer))[1]
        if (kept.status, kept.body) != (answer.status, answer.body):
            wrong.append(
                f"{attempt.name} was answered {kept.status} {kept.body[:200]!r} and "
                f"{answer.status} {answer.body[:200]!r}"
            )
    found: dict[Any, list[Outcome]] = {}
    for attempt, answer in first.values():
        body = orjson.loads(answer.body) if answer.body else None
        found.setdefault(attempt.target, []).append(Outcome(attempt, answer.status, body))
    return found, wrong


def accepted(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that were done."""
    return [one for one in outcomes if one.is_accepted]


def refused_with(outcomes: Sequence[Outcome], *statuses: int) -> list[str]:
    """A word for each that was refused otherwise than so."""
    return [
        f"{one.attempt.name}: {one.status} {one.body}"
        for one in outcomes
        if not one.is_accepted and one.status not in statuses
    ]
