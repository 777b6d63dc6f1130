"""The policy of membership: what points are worth and how long they live, tiers, events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from sanhe.core.errors import BadInput
from sanhe.core.toml import Page, Table
from sanhe.people.loyalty.rules import PERCENT, Life, Until
from sanhe.people.loyalty.standing import Level, Terms, flaws

_GUIDE: Final = "docs/guide/membership.md"
_MOST: Final = 10**9


@dataclass(frozen=True, slots=True)
class MemberDays:
    """Days on which what is bought earns `percent` of the usual points (会员日)."""

    month_days: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    percent: int = PERCENT

    def percent_on(self, day: date) -> int:
        """What a day's purchases earn, in percent of the usual."""
        special = day.day in self.month_days or day.isoweekday() in self.weekdays
        return self.percent if special else PERCENT


@dataclass(frozen=True, slots=True)
class Events:
    """The points of what members do besides buying; 0 gives none.

    A friend counts once their first order is complete and `after_days` more went by without its
    goods coming back. `tasks` are points by the task's code.
    """

    birthday: int = 0
    sign_in: int = 0
    referral: int = 0
    friend: int = 0
    after_days: int = 7
    tasks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """How members are rewarded (会员制度); see policy.toml for the meaning of each number."""

    terms: Terms
    life: Life = field(default_factory=Life)
    per_yuan: int = 100
    grace_days: int = 30
    redeemed_percent: int = 80
    spend_percent: int = 50
    member_days: MemberDays = field(default_factory=MemberDays)
    events: Events = field(default_factory=Events)

    @staticmethod
    def load(path: Path | None = None) -> Policy:
        """The policy of a file, the shipped one without; read once.

        Raises BadInput naming the place in the file and the remedy.
        """
        return _loaded(path or Path(str(resources.files(__package__).joinpath("policy.toml"))))

    def worth_cents(self, points: int) -> int:
        """What points are worth when they are spent, rounded down."""
        return points * 100 // self.per_yuan

    def points_worth(self, cents: int) -> int:
        """The points that pay an amount, rounded up."""
        return -(-cents * self.per_yuan // 100)

    def per_100_yuan(self, tier: str) -> int:
        """The points of a tier's members for 100 yuan; none for who is no member."""
        at = self.terms.rank(tier)
        return self.terms.levels[at].per_100_yuan if at >= 0 else 0


@cache
def _loaded(path: Path) -> Policy:
    whole = Page(path, "SANHE_LOYALTY", _GUIDE).read()
    parts = [whole.inner(name) for name in ("points", "tiers", "member_days", "events")]
    levels = tuple(_level(table) for table in whole.several("tier"))
    if wrong := flaws(levels):
        raise BadInput(wrong, place=whole.place("tier"), remedy=f"see {_GUIDE}")
    points, tiers, days, events = parts
    terms = Terms(levels) if tiers is None else _terms(tiers, levels)
    policy = Policy(terms) if points is None else _points(points, terms)
    if days is not None:
        policy = replace(policy, member_days=_member_days(days))
    if events is not None:
        policy = replace(policy, events=_events(events))
    whole.end()
    return policy


def _level(table: Table) -> Level:
    found = Level(
        code=table.text("code"),
        from_cents=table.whole("from_yuan", default=0, most=_MOST) * 100,
        keep_cents=table.whole("keep_yuan", default=0, most=_MOST) * 100,
        per_100_yuan=table.whole("per_100_yuan", default=100, most=1_000_000),
    )
    table.end()
    return found


def _terms(table: Table, levels: tuple[Level, ...]) -> Terms:
    usual = Terms(levels)
    found = Terms(
        levels,
        window_months=table.whole("window_months", default=usual.window_months, most=120),
        valid_months=table.whole("valid_months", default=usual.valid_months, most=120),
        grace_days=table.whole("grace_days", default=usual.grace_days, most=3650),
    )
    for name in ("window_months", "valid_months"):
        if getattr(found, name) < 1:
            raise table.wrong(name, "0 months are no time", "give 1 or more")
    table.end()
    return found


def _points(table: Table, terms: Terms) -> Policy:
    until = table.text("until", default=Until.MONTH)
    if until not in set(Until):
        raise table.wrong("until", f"{until!r} is unknown", f"give one of {', '.join(Until)}")
    usual = Policy(terms)
    found = Policy(
        terms,
        life=Life(Until(until), table.whole("count", default=usual.life.count, most=3650)),
        per_yuan=table.whole("per_yuan", default=usual.per_yuan, most=1_000_000),
        grace_days=table.whole("grace_days", default=usual.grace_days, most=3650),
        redeemed_percent=table.whole("redeemed_percent", default=usual.redeemed_percent, most=100),
        spend_percent=table.whole("spend_percent", default=usual.spend_percent, most=100),
    )
    if found.per_yuan < 1:
        raise table.wrong("per_yuan", "0 points are worth nothing", "give 1 or more")
    table.end()
    return found


def _member_days(table: Table) -> MemberDays:
    found = MemberDays(
        month_days=table.wholes("month_days", most=31),
        weekdays=table.wholes("weekdays", most=7),
        percent=table.whole("percent", default=PERCENT, most=10_000),
    )
    table.end()
    return found


def _events(table: Table) -> Events:
    usual = Events()
    names = ("birthday", "sign_in", "referral", "friend")
    tasks = table.inner("tasks")
    found = Events(
        **{name: table.whole(name, default=0, most=_MOST) for name in names},
        after_days=table.whole("after_days", default=usual.after_days, most=3650),
        tasks={} if tasks is None else tasks.numbers(most=_MOST),
    )
    table.end()
    return found
