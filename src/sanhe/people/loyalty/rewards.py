"""The façade: what earns points and leads into a tier, each with its cap."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.storage import Transaction
from sanhe.core.values import business_day
from sanhe.people.loyalty import store
from sanhe.people.loyalty.points import Points
from sanhe.people.loyalty.policy import Policy
from sanhe.people.loyalty.rules import last_day, points_for, share
from sanhe.people.loyalty.tiers import NO_MEMBER, Tiers


class Rewards:
    """What members get for what they do (会员权益), under a policy.

    A cap is the name of what happened: a sign-in is named by its day, a birthday by its year, a
    task by its code, a referral by the friend; the same name earns once.
    """

    def __init__(
        self,
        tx: Transaction,
        *,
        points: Points,
        tiers: Tiers,
        policy: Policy | None = None,
        time_zone: str = "Asia/Shanghai",
    ) -> None:
        self._tx, self._points, self._tiers = tx, points, tiers
        self._policy, self._zone = policy or Policy.load(), time_zone

    def points_of(self, member: str, cents: int, *, at: datetime) -> int:
        """The points that buying for an amount earns at a moment; 0 for who is no member.

        floor(cents × the tier's rate × the day's multiplier): rounded down once, for the whole.
        """
        tier = self._tiers.tier(member, at=at)
        percent = self._policy.member_days.percent_on(self._day(at))
        rate = self._policy.per_100_yuan(tier)
        return points_for(cents, per_100_yuan=rate, percent=percent)

    def bought(self, member: str, cents: int, *, cause: str, at: datetime) -> int:
        """An order is complete: its points, its amount towards the tier, and a friend's first
        order. The points it earned. Once for a cause; nothing for who is no member.

        The tier and the day are those of the first telling.
        """
        if self._tiers.tier(member, at=at) == NO_MEMBER:
            return 0
        earned = self._points.earned(member, cause)
        if earned is None:
            earned = self.points_of(member, cents, at=at)
            self._earn(member, earned, cause=cause, at=at)
        if self._tiers.qualify(member, cents, cause=cause, at=at):
            due_on = self._day(at) + timedelta(days=self._policy.events.after_days)
            store.friend_bought(self._tx, member, cause=cause, due_on=due_on)
        return earned

    def returned(
        self,
        member: str,
        cents: int,
        *,
        cause: str,
        step: str,
        whole: tuple[int, int],
        at: datetime,
    ) -> int:
        """Goods of an order for `cents` came back: its points are taken back in proportion.

        `whole` is what the order was worth and what of it came back before. However a return is
        split, it ends the same. The points taken back. Once for a step.
        """
        worth, before = whole
        if not 0 <= before <= before + cents <= worth:
            raise BadInput(f"{cents} of {worth} can't come back after {before}", place=cause)
        earned = self._points.earned(member, cause)
        if earned is None:
            return 0
        taken = share(earned, before + cents, worth) - share(earned, before, worth)
        self._points.take_back(member, taken, cause=cause, step=step, at=at)
        self._tiers.qualify(member, -cents, cause=f"{cause}/{step}", at=at)
        store.friend_returned(self._tx, member, cause=cause)
        return taken

    def sign_in(self, member: str, *, at: datetime) -> int:
        """A member signed in: points once a day, where the retailer is. The points of that day."""
        name = f"sign_in/{self._day(at).isoformat()}"
        return self._event(member, self._policy.events.sign_in, name, at=at)

    def birthday(self, member: str, *, at: datetime) -> int:
        """It is a member's birthday: points once a year. The points of that year."""
        name = f"birthday/{self._day(at).year}"
        return self._event(member, self._policy.events.birthday, name, at=at)

    def task(self, member: str, task: str, *, at: datetime) -> int:
        """A member did a task: its points, once. Raises NotFound for one the policy lacks."""
        points = self._policy.events.tasks.get(task)
        if points is None:
            known = ", ".join(sorted(self._policy.events.tasks)) or "none"
            raise NotFound(f"the policy has no task {task!r}: it has {known}")
        return self._event(member, points, f"task/{task}", at=at)

    def refer(self, member: str, friend: str, *, at: datetime) -> None:
        """A member brought a friend: both earn once the friend's first order has stayed bought.

        A friend is brought once, before they buy. Raises BadInput for oneself, NotFound for who
        is no member, Conflict when the friend was brought by another or has bought before.
        """
        if member == friend:
            raise BadInput(f"{member} can't bring themselves", place="friend")
        for one in (member, friend):
            self._tiers.standing(one)
        brought_by = store.refer(self._tx, friend, member=member, at=at)
        if brought_by is None:
            raise Conflict(f"{friend} has bought before: only who is new is brought")
        if brought_by != member:
            raise Conflict(f"{friend} was brought by another member before")

    def settle_referrals(self, day: date, *, limit: int) -> int:
        """Give the points of referrals whose order has stayed bought by a day; how many."""
        due = store.lock_referrals(self._tx, day, limit)
        now, events = self._tx.clock.now(), self._policy.events
        for row in due:
            member, friend = row["member"], row["friend"]
            self._event(member, events.referral, f"referral/{friend}", at=now)
            self._event(friend, events.friend, f"referred/{member}", at=now)
        return len(due)

    def _event(self, member: str, points: int, cause: str, *, at: datetime) -> int:
        if self._tiers.tier(member, at=at) == NO_MEMBER:
            raise NotFound(f"{member} is no member: let them join first")
        earned = self._points.earned(member, cause)
        if earned is None:
            earned = points
            self._earn(member, points, cause=cause, at=at)
        return earned

    def _earn(self, member: str, points: int, *, cause: str, at: datetime) -> None:
        ends = last_day(self._policy.life, self._day(at))
        self._points.earn(member, points, cause=cause, at=at, expires_on=ends)

    def _day(self, moment: datetime) -> date:
        return business_day(moment, time_zone=self._zone, cut_off=time())
