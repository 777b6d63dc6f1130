"""The façade: campaigns, coupons issued, shown, held by a basket, and given back."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict, NotFound, Shortage
from sanhe.core.ledger import Account, Balance, Ledger, Transfer
from sanhe.core.limits import Limit
from sanhe.core.storage import Transaction
from sanhe.core.values import new_id
from sanhe.people.coupons import drawing, rules, store
from sanhe.people.coupons.drawing import Draw
from sanhe.people.coupons.keys import Keys
from sanhe.people.coupons.rules import (
    ALPHABET,
    BY_KEY,
    BY_MEMBER,
    CODE_LENGTH,
    MOST_SHOWN,
    STAMPS,
    Campaign,
    IssuedCoupon,
    Lack,
    NotUsable,
    Shown,
    Use,
)
from sanhe.people.coupons.signing import MARK, Signed, read_signed, sign
from sanhe.people.promotions import Coupon, Promotions

MOST_ISSUED: Final = 100_000
"""So many are issued in one go."""
KEPT_FOR: Final = timedelta(days=90)
"""A member's coupons are shown so long after their end."""
_NOTHING: Final = Balance(0, 0, 0)


@dataclass(frozen=True, slots=True)
class KeptCampaign:
    """A campaign as it is kept, and how many of its coupons are `issued`, held and used."""

    campaign: Campaign
    issued: int
    held: int
    used: int
    saved_at: datetime
    saved_by: str
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewCoupon:
    """A coupon just issued. Its `code` is told this once; `signed` is for a QR code."""

    coupon: IssuedCoupon
    code: str
    signed: str


@dataclass(frozen=True, slots=True)
class Carried:
    """A coupon that a member has, and what it lacks now, if anything."""

    coupon: IssuedCoupon
    signed: str
    lack: NotUsable | None


class Coupons:
    """Coupons (优惠券): signed, used once, and never more of a promotion than its limits allow.

    What is scarce lies on the ledger: one unit for each coupon, the cents of budgets, a member's
    stamps. A basket holds them as pending transfers, which `Ledger.post_all` spends and
    `Ledger.void_all` frees.
    """

    def __init__(
        self,
        tx: Transaction,
        ledger: Ledger,
        *,
        promotions: Promotions,
        keys: Keys,
        currency: str = "CNY",
    ) -> None:
        self._tx, self._ledger, self._promotions = tx, ledger, promotions
        self._keys, self._currency = keys, currency

    def save(self, campaign: Campaign) -> None:
        """Keep a campaign, also one that has issued coupons: those keep their own time.

        Raises BadInput for one that can't be, or whose promotion takes no coupons; Conflict for
        another promotion than before, or fewer coupons than were issued; NotFound for one that is
        not saved.
        """
        rules.check_campaign(campaign)
        promotion = self._promotions.get(campaign.promotion).promotion
        if not promotion.coupon:
            raise BadInput(
                f"promotion {promotion.id} holds without a coupon",
                place=f"campaigns/{campaign.id}/promotion",
                remedy="save it with coupon = true, or name another",
            )
        known = store.campaign(self._tx, campaign.id, lock=True)
        if known is not None and known.promotion != campaign.promotion:
            raise Conflict(
                f"campaign {campaign.id} gives coupons of {known.promotion}: make another campaign"
            )
        if known is not None and campaign.most is not None and known.issued > campaign.most:
            raise Conflict(f"{known.issued} coupons of {campaign.id} are issued: let most be more")
        store.save(self._tx, campaign)
        new, issued, used = _accounts(campaign.id)
        self._ledger.open_accounts(
            [
                Account(new, drawing.COUPON_UNIT),
                Account(issued, drawing.COUPON_UNIT, floor=0),
                Account(used, drawing.COUPON_UNIT, floor=0),
            ]
        )

    def campaign(self, name: str) -> KeptCampaign:
        """A campaign. Raises NotFound."""
        return self._kept([self._require(name)])[0]

    def campaigns(self, *, limit: int = 50, offset: int = 0) -> list[KeptCampaign]:
        """Campaigns, those saved last first."""
        return self._kept(store.campaigns(self._tx, limit=limit, offset=offset))

    def stop(self, name: str) -> None:
        """Let no coupon of a campaign be issued or shown any more. Raises NotFound.

        What baskets hold by then stays theirs.
        """
        if not store.stop(self._tx, name):
            raise NotFound(f"no campaign {name!r}")

    def issue(self, name: str, *, members: Sequence[str] = (), count: int = 0) -> list[NewCoupon]:
        """Issue coupons: one for each member named, and `count` that anybody may use.

        A member who was given as many as the campaign allows is left out. Raises NotFound,
        Conflict for a stopped campaign, Shortage beyond its most, BadInput for none or too many
        at once, or a campaign that is over.
        """
        row = self._require(name, lock=True)
        campaign = _campaign(row)
        if row.stopped_at is not None:
            raise Conflict(f"campaign {name} was stopped: make another one")
        if count < 0 or "" in members or not 0 < len(members) + count <= MOST_ISSUED:
            raise BadInput(
                f"{len(members)} members and {count} besides",
                place=f"campaigns/{name}",
                remedy=f"name members or give a count, up to {MOST_ISSUED} at once",
            )
        numbered = [*self._numbered(campaign, members), *[(None, 0)] * count]
        if not numbered:
            return []
        if not store.take(self._tx, name, len(numbered)):
            left = (campaign.most or 0) - row.issued
            raise Shortage(f"campaign {name} has {left} coupons left, not {len(numbered)}")
        return self._issue(campaign, numbered)

    def shown(self, codes: Sequence[str], *, member: str | None, at: datetime) -> Shown:
        """What codes are worth to a member (None = a guest) at a moment; nothing is held.

        Codes that there are not count against the limits of the member and of who asks, whatever
        becomes of this transaction. Raises BadInput beyond 20 codes.
        """
        wanted = list(dict.fromkeys(codes))
        if len(wanted) > MOST_SHOWN:
            remedy = f"show {MOST_SHOWN} at most"
            raise BadInput(f"{len(wanted)} codes at once", place="coupons", remedy=remedy)
        limits = self._limits(member)
        typed = [code for code in wanted if not _is_signed(code)]
        wait = store.waits(self._tx, limits) if typed else None
        refused = {} if wait is None else {one: NotUsable(Lack.TOO_MANY, wait) for one in typed}
        asked = [code for code in wanted if code not in refused]
        found = self._found(asked)
        missing = [code for code in asked if code not in found]
        refused |= {
            code: NotUsable(Lack.FORGED if _is_signed(code) else Lack.UNKNOWN) for code in missing
        }
        self._count(sum(1 for code in missing if not _is_signed(code)), limits)
        lacks = self._lacks(found.values(), member, at)
        refused |= {code: lack for code in found if (lack := lacks[found[code].id]) is not None}
        usable = (
            Coupon(code, one.promotion, one.begins_at, one.ends_at)
            for code, one in found.items()
            if code not in refused
        )
        return Shown(tuple(usable), refused)

    def hold(
        self,
        used: Sequence[Use],
        *,
        cause: str,
        member: str | None,
        at: datetime,
        until: datetime,
    ) -> list[UUID]:
        """Hold what a basket uses until a moment, all of it or nothing; the pending transfers.

        `cause` names the basket (an order's id): the same again changes nothing. A guest's uses
        are not counted by member. Raises Shortage naming the coupon or promotion where something
        is used up or held by another, Conflict where a coupon or promotion does not hold.
        """
        promotions = [use.promotion for use in used]
        if not cause or len(set(promotions)) < len(promotions):
            raise BadInput("no cause, or a promotion is used twice", place="used")
        parts = self._parts(used, member, at)
        flat = [draw for _, _, draws in parts for draw in draws]
        self._fill(flat)
        pending = [draw.pending(cause, at) for draw in flat]
        keep = {draw.source: draw.stays for draw in flat if draw.stays}
        try:
            self._ledger.reserve_all(pending, expires_at=until, keep=keep)
        except Shortage as error:
            raise self._short(flat) from error
        rows = [
            {
                "promotion": use.promotion,
                "coupon": None if coupon is None else coupon.id,
                "cents": use.cents,
                "transfers": [draw.name(cause) for draw in draws],
            }
            for use, coupon, draws in parts
        ]
        store.hold(self._tx, rows, cause=cause, member=member, at=at)
        return [transfer.id for transfer in pending]

    def give_back(self, used: Sequence[Use], *, cause: str, step: str, at: datetime) -> None:
        """Undo what a cause used, because the whole of it was: an order cancelled or returned.

        A coupon may be used again within its own time; budget and count are as before. What is
        still pending is spent first, so that the end is the same. `step` names the undoing: the
        same again changes nothing. When a part comes back, don't call this: the coupon stays used
        and the budget spent. Raises NotFound for what the cause does not hold, Conflict where it
        was given back by another step, or was let go before.
        """
        promotions = [use.promotion for use in used]
        rows = store.held(self._tx, cause, promotions)
        unknown = set(promotions) - {row.promotion for row in rows}
        if unknown:
            raise NotFound(f"{cause} holds nothing of promotion {min(unknown)}")
        other = [row for row in rows if row.step not in (None, step)]
        if other:
            raise Conflict(f"{cause} gave {other[0].promotion} back by {other[0].step}")
        fresh = [row for row in rows if row.step is None]
        self._ledger.post_all([name for row in fresh for name in row.transfers])
        self._ledger.transfer(
            draw.back(cause, step, at=at) for row in fresh for draw in self._draws_of(row, cause)
        )
        store.give_back(self._tx, cause, [row.promotion for row in fresh], step=step, at=at)

    def had(self, member: str, promotions: Collection[str]) -> Mapping[str, int]:
        """How often a member had each of these promotions, what they hold among it: of those that
        count by member; those they never had are left out."""
        codes = {drawing.card_account(one, member): one for one in promotions}
        balances = self._ledger.balances(codes)
        return {codes[code]: STAMPS - balance.available for code, balance in balances.items()}

    def of_member(self, member: str, *, at: datetime, limit: int = 200) -> list[Carried]:
        """A member's coupons, the first to end first, with those that ended not long ago."""
        found = store.of_member(self._tx, member, since=at - KEPT_FOR, limit=limit)
        lacks = self._lacks(found, member, at)
        return [Carried(one, self._signed(one), lacks[one.id]) for one in found]

    def issued(
        self, name: str, *, at: datetime, limit: int = 50, offset: int = 0
    ) -> list[tuple[IssuedCoupon, NotUsable | None]]:
        """A campaign's coupons, those issued last first, and what each lacks for its holder."""
        found = store.issued(self._tx, name, limit=limit, offset=offset)
        balances = self._balances(found)
        return [(one, _lack(one, one.member, at, balance=balances.get(one.id))) for one in found]

    @property
    def public_key(self) -> bytes:
        """The raw Ed25519 key that tills check signed coupons with."""
        return self._keys.public_bytes

    def _require(self, name: str, *, lock: bool = False) -> Any:
        row = store.campaign(self._tx, name, lock=lock)
        if row is None:
            raise NotFound(f"no campaign {name!r}")
        return row

    def _kept(self, rows: Sequence[Any]) -> list[KeptCampaign]:
        codes = {row.id: drawing.used_account(row.id) for row in rows}
        balances = self._ledger.balances(codes.values())
        return [
            KeptCampaign(
                campaign=_campaign(row),
                issued=row.issued,
                held=balances.get(codes[row.id], _NOTHING).pending_in,
                used=balances.get(codes[row.id], _NOTHING).posted,
                saved_at=row.saved_at,
                saved_by=row.saved_by,
                stopped_at=row.stopped_at,
            )
            for row in rows
        ]

    def _numbered(self, campaign: Campaign, members: Sequence[str]) -> list[tuple[str | None, int]]:
        """The members who may have another coupon, and the how-manieth it is of theirs."""
        given = Counter(store.given_to(self._tx, campaign.id, set(members)))
        numbered: list[tuple[str | None, int]] = []
        for member in members:
            if campaign.per_member is None or given[member] < campaign.per_member:
                given[member] += 1
                numbered.append((member, given[member]))
        return numbered

    def _issue(
        self, campaign: Campaign, numbered: Sequence[tuple[str | None, int]]
    ) -> list[NewCoupon]:
        begins, ends = campaign.window(self._tx.clock.now())
        made = [
            IssuedCoupon(new_id(), campaign.id, campaign.promotion, member, begins, ends)
            for member, _ in numbered
        ]
        codes = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in made]
        hashes = [self._keys.code_hash(code) for code in codes]
        store.issue(self._tx, made, ordinals=[number for _, number in numbered], hashes=hashes)
        new, issued, _ = _accounts(campaign.id)
        transfer = Transfer(
            id=new_id(),
            source=new,
            target=issued,
            amount=len(made),
            reason="issue",
            reference=campaign.id,
            effective_at=self._tx.clock.now(),
        )
        self._ledger.transfer([transfer])
        return [
            NewCoupon(one, rules.spaced(code), self._signed(one))
            for one, code in zip(made, codes, strict=True)
        ]

    def _signed(self, one: IssuedCoupon) -> str:
        said = Signed(one.id, one.campaign, one.member, one.begins_at, one.ends_at)
        return sign(said, self._keys.signing)

    def _found(self, codes: Sequence[str]) -> dict[str, IssuedCoupon]:
        """The coupons of these codes, in their order; what is no coupon is left out."""
        ids: dict[str, UUID] = {}
        hashes: dict[str, bytes] = {}
        for code in codes:
            if _is_signed(code):
                said = read_signed(code, self._keys.public)
                if said is not None:
                    ids[code] = said.id
            elif rules.is_typed(rules.plain(code)):
                hashes[code] = self._keys.code_hash(code)
        if not ids and not hashes:
            return {}
        by_id, by_hash = store.find(self._tx, ids.values(), hashes.values())
        known = {code: by_id[ids[code]] for code in ids if ids[code] in by_id}
        known |= {code: by_hash[hashes[code]] for code in hashes if hashes[code] in by_hash}
        return {code: known[code] for code in codes if code in known}

    def _limits(self, member: str | None) -> Mapping[str, Limit]:
        own = {} if member is None else {f"member {member}": BY_MEMBER}
        return {**own, f"key {self._tx.actor}": BY_KEY}

    def _count(self, count: int, limits: Mapping[str, Limit]) -> None:
        if not count:
            return
        with self._tx.apart() as apart:
            for key, limit in limits.items():
                store.count_attempts(apart, key, count, limit=limit)

    def _balances(self, coupons: Collection[IssuedCoupon]) -> Mapping[UUID, Balance]:
        codes = {drawing.coupon_account(one.id): one.id for one in coupons}
        found = self._ledger.balances(codes) if codes else {}
        return {codes[code]: balance for code, balance in found.items()}

    def _lacks(
        self, coupons: Collection[IssuedCoupon], member: str | None, at: datetime
    ) -> Mapping[UUID, NotUsable | None]:
        balances = self._balances(coupons)
        return {one.id: _lack(one, member, at, balance=balances.get(one.id)) for one in coupons}

    def _parts(
        self, used: Sequence[Use], member: str | None, at: datetime
    ) -> list[tuple[Use, IssuedCoupon | None, Sequence[Draw]]]:
        """What each use draws. Raises Conflict for a coupon or promotion that does not hold."""
        published = self._promotions.published()
        found = self._found([use.coupon_code for use in used if use.coupon_code])
        parts = []
        for use in used:
            promotion = published.get(use.promotion)
            if promotion is None or not promotion.begins_at <= at < promotion.ends_at:
                raise Conflict(f"promotion {use.promotion} does not hold: price the basket again")
            coupon = found.get(use.coupon_code)
            if promotion.coupon or use.coupon_code:
                name = rules.masked(use.coupon_code)
                if coupon is None or coupon.promotion != use.promotion:
                    raise Conflict(f"{name} is no coupon of promotion {use.promotion}")
                if (lack := coupon.lack(member, at)) is not None:
                    raise Conflict(f"{name}: {lack}")
            draws = drawing.draws(
                use, promotion, coupon=coupon, member=member, currency=self._currency
            )
            parts.append((use, coupon, draws))
        return parts

    def _fill(self, draws: Sequence[Draw]) -> None:
        """Open what accounts are missing, and fill those that are held for the first time."""
        if not draws:
            return
        codes = {code for draw in draws for code in draw.codes}
        known = self._ledger.balances(codes)
        missing = [draw for draw in draws if draw.fill and not draw.codes <= known.keys()]
        if not missing:
            return
        opened = {account.code: account for draw in missing for account in draw.accounts}
        # Opened by code, then locked by number: two that are the first never wait for each
        # other, nor for those who find the accounts open.
        self._ledger.open_accounts(opened.values())
        self._ledger.balances(codes | opened.keys(), lock=True)
        fresh = [draw for draw in missing if draw.source not in known]
        try:
            self._ledger.transfer([draw.filling() for draw in fresh])
        except Shortage as error:
            raise Conflict("more coupons are shown than were issued: run sanhe verify") from error

    def _short(self, draws: Sequence[Draw]) -> Shortage:
        """The shortage by its own name."""
        balances = self._ledger.balances({draw.source for draw in draws})
        for draw in draws:
            if draw.is_short(balances[draw.source]):
                return Shortage(draw.short)
        return Shortage("it was used meanwhile: price the basket again")

    def _draws_of(self, row: Any, cause: str) -> list[Draw]:
        """What a cause drew of a promotion, as far as it was held."""
        found = []
        if row.coupon is not None:
            found.append(drawing.of_coupon(row.coupon, row.campaign))
        if row.cents:
            found.append(drawing.of_budget(row.promotion, row.cents, unit=self._currency))
        if row.member is not None:
            found.append(drawing.of_card(row.promotion, row.member, per_member=STAMPS))
        return [draw for draw in found if draw.name(cause) in row.transfers]


def _accounts(campaign: str) -> tuple[str, str, str]:
    return (
        drawing.new_account(campaign),
        drawing.issued_account(campaign),
        drawing.used_account(campaign),
    )


def _is_signed(code: str) -> bool:
    """Whether a code is meant to be a signed one: far longer than one that is typed."""
    return code.startswith(MARK) and len(code) > 4 * CODE_LENGTH


def _lack(
    one: IssuedCoupon, member: str | None, at: datetime, *, balance: Balance | None
) -> NotUsable | None:
    """What keeps a coupon from being used, its own terms first."""
    lack = one.lack(member, at)
    if balance is None or balance.available > 0 or (lack and lack.lack is Lack.ANOTHERS):
        return lack
    return NotUsable(Lack.HELD if balance.pending_out else Lack.USED)


def _campaign(row: Any) -> Campaign:
    return Campaign(
        id=row.id,
        name=row.name,
        promotion=row.promotion,
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        days=row.days,
        most=row.most,
        per_member=row.per_member,
    )
