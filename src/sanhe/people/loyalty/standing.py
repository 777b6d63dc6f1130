"""The rules of tiers (等级): who rises, who keeps a tier, who falls, and when to look again."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Level:
    """A tier: reached with `from_cents` bought within the window, kept with `keep_cents` bought
    while it lasted. `per_100_yuan` are the points of its members."""

    code: str
    from_cents: int
    keep_cents: int
    per_100_yuan: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The tiers from the lowest, which asks for nothing, to the highest.

    What was bought in the `window_months` up to a day leads into a tier. It lasts `valid_months`,
    and `grace_days` more for who has not bought enough to keep it.
    """

    levels: tuple[Level, ...]
    window_months: int = 12
    valid_months: int = 12
    grace_days: int = 30

    def rank(self, tier: str) -> int:
        """The place of a tier from 0; -1 for one that is no more."""
        return next((at for at, one in enumerate(self.levels) if one.code == tier), -1)

    def reached(self, window_cents: int) -> Level:
        """The highest tier that an amount leads into."""
        return [one for one in self.levels if one.from_cents <= max(window_cents, 0)][-1]


class Reason(StrEnum):
    """Why a standing is what it is."""

    JOINED = "joined"
    REACHED = "reached"
    KEPT = "kept"
    FELL = "fell"


@dataclass(frozen=True, slots=True)
class Standing:
    """A member's tier since a day until another, the last one included; the lowest has no end."""

    tier: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Bought:
    """What counts for a member in cents: within the window, and while the tier lasted."""

    window_cents: int
    kept_cents: int


def months_after(day: date, months: int) -> date:
    """The same day so many months later (earlier below 0), or the last one of that month.

    >>> str(months_after(date(2026, 1, 31), 1)), str(months_after(date(2026, 1, 31), -11))
    ('2026-02-28', '2025-02-28')
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def joined(terms: Terms, day: date) -> Standing:
    """Where a member begins."""
    return Standing(terms.levels[0].code, day, None)


def judge(
    terms: Terms, standing: Standing, bought: Bought, *, day: date
) -> tuple[Standing, Reason] | None:
    """A member's standing from a day on and why; None where it stays as it is.

    A tier is reached at once. It does not fall before its time is over: then it is kept for as
    long again if enough was bought meanwhile, and falls after the days of grace to the tier that
    the window leads into.
    """
    now, reached = terms.rank(standing.tier), terms.reached(bought.window_cents)
    if terms.rank(reached.code) > now:
        return _entered(terms, reached, day), Reason.REACHED
    if standing.until is None or day <= standing.until:
        return None
    if bought.kept_cents >= terms.levels[now].keep_cents or reached.code == standing.tier:
        since = standing.until + timedelta(days=1)
        until = months_after(standing.until, terms.valid_months)
        return Standing(standing.tier, since, until), Reason.KEPT
    if day <= standing.until + timedelta(days=terms.grace_days):
        return None
    return _entered(terms, reached, day), Reason.FELL


def _entered(terms: Terms, level: Level, day: date) -> Standing:
    if level == terms.levels[0]:
        return Standing(level.code, day, None)
    return Standing(level.code, day, months_after(day, terms.valid_months))


def next_look(terms: Terms, standing: Standing, *, day: date) -> date | None:
    """When a standing changes at the earliest without anything bought; None: never."""
    if standing.until is None:
        return None
    if day <= standing.until:
        return standing.until + timedelta(days=1)
    return standing.until + timedelta(days=terms.grace_days + 1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a member is within the window: what was bought, the tier above (empty for the
    highest) and the cents that lead into it, the cents that are missing to keep the tier, and the
    last day on which it can still be kept."""

    window_cents: int
    next_tier: str
    to_rise_cents: int
    to_keep_cents: int
    keep_by: date | None


def progress(terms: Terms, standing: Standing, bought: Bought) -> Progress:
    """How far a member is; what was reached and is not looked at yet counts as reached."""
    reached = terms.levels.index(terms.reached(bought.window_cents))
    now = max(terms.rank(standing.tier), reached)
    above = terms.levels[now + 1] if now + 1 < len(terms.levels) else None
    if standing.until is None:
        missing, keep_by = 0, None
    else:
        missing = max(terms.levels[now].keep_cents - bought.kept_cents, 0)
        keep_by = standing.until + timedelta(days=terms.grace_days)
    return Progress(
        bought.window_cents,
        next_tier=above.code if above else "",
        to_rise_cents=max(above.from_cents - bought.window_cents, 0) if above else 0,
        to_keep_cents=missing if reached < now else 0,
        keep_by=keep_by,
    )


def flaws(levels: Sequence[Level]) -> str:
    """What is wrong with tiers, empty when nothing is."""
    if not levels or levels[0].from_cents or levels[0].keep_cents:
        return "the first tier asks for something: let it begin at 0 for every member"
    for low, high in pairwise(levels):
        if high.from_cents <= low.from_cents:
            return f"{high.code} asks for no more than {low.code}: order them from low to high"
    if len({one.code for one in levels}) < len(levels):
        return "two tiers have one code"
    for one in levels:
        if one.keep_cents > one.from_cents:
            return f"{one.code} asks for more to be kept than to be reached"
    return ""
