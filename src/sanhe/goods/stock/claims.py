"""Claims on stock: reserved for an order line, from the channel's own quota first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sanhe.core.errors import BadInput
from sanhe.core.ledger import Account, Balance, Ledger, Transfer
from sanhe.core.values import derived_id
from sanhe.goods.stock import rules


@dataclass(frozen=True, slots=True)
class Claim:
    """`quantity` base units of an SKU at a place, for an order line whose id it has.

    `at` is when it was ordered, `reference` names the order. `channel` sells it. `keep` of the
    open stock stays for others (安全库存, safety stock); the channel's own quota knows no such.
    """

    id: UUID
    sku: str
    place: str
    quantity: int
    at: datetime
    reference: str
    channel: str | None = None
    keep: int = 0

    @property
    def on_hand(self) -> str:
        """The account of the open stock."""
        return rules.on_hand_account(self.place, self.sku)

    @property
    def committed(self) -> str:
        """The account of what is sold and not handed over."""
        return rules.committed_account(self.place, self.sku)

    @property
    def quota(self) -> str | None:
        """The account of its channel's quota."""
        if self.channel is None:
            return None
        return rules.quota_account(self.channel, self.place, self.sku)


Groups = Sequence[Sequence[Claim]]


def transfers_of(ledger: Ledger, groups: Groups) -> list[list[Transfer]]:
    """The pending transfers that would hold the claims of each group, in the order given.

    Opens what accounts are missing. Where a channel has something set aside, its quota and the
    open stock are locked, so that what is drawn from each is still there when it is reserved.
    Raises BadInput for a claim below 1.
    """
    claims = [claim for group in groups for claim in group]
    for claim in claims:
        if claim.quantity < 1:
            raise BadInput(f"{claim.quantity} is below 1", place=f"claim on {claim.sku}")
    quotas = {claim.quota for claim in claims if claim.quota is not None}
    found = ledger.balances({claim.committed for claim in claims} | quotas)
    missing = {c.committed: rules.unit_of(c.sku) for c in claims if c.committed not in found}
    ledger.open_accounts([Account(code, missing[code], floor=0) for code in sorted(missing)])
    drawn = {code for code in quotas if code in found and found[code].available > 0}
    if not drawn:
        return [[_transfer(claim, claim.on_hand, claim.quantity) for claim in g] for g in groups]
    balances = ledger.balances(drawn | {claim.on_hand for claim in claims}, lock=True)
    return _drawn(groups, balances)


def keep_of(claims: Iterable[Claim]) -> Mapping[str, int]:
    """What stays of each open stock: the most that one of its claims asks for."""
    keep: dict[str, int] = {}
    for claim in claims:
        keep[claim.on_hand] = max(claim.keep, keep.get(claim.on_hand, 0))
    return keep


def _drawn(groups: Groups, balances: Mapping[str, Balance]) -> list[list[Transfer]]:
    """Each claim from its quota first, then from the open stock; a group that does not fit leaves
    what it would have drawn to the next."""
    left = {code: balance.available for code, balance in balances.items()}
    keep = keep_of(claim for group in groups for claim in group)
    drawn = []
    for group in groups:
        parts = []
        after = dict[str, int]()
        for claim in group:
            quota = claim.quota or ""
            own = after.get(quota, left.get(quota, 0))
            from_quota = min(claim.quantity, own)
            after[quota] = own - from_quota
            open_left = after.get(claim.on_hand, left.get(claim.on_hand, 0))
            after[claim.on_hand] = open_left - (claim.quantity - from_quota)
            sources = ((quota, from_quota), (claim.on_hand, claim.quantity - from_quota))
            parts += [(claim, source, amount) for source, amount in sources if amount]
        taken_from_open = {claim.on_hand for claim, source, _ in parts if source == claim.on_hand}
        if all(after[code] >= keep[code] for code in taken_from_open):
            left |= after
        drawn.append(_named(parts))
    return drawn


def _named(parts: Sequence[tuple[Claim, str, int]]) -> list[Transfer]:
    """A transfer for each part. The first of a claim has the claim's own id, so that a claim made
    again is known, whatever it would be drawn from by then."""
    seen: set[UUID] = set()
    transfers = []
    for claim, source, amount in parts:
        rest = derived_id("stock.claim", str(claim.id)) if claim.id in seen else None
        seen.add(claim.id)
        transfers.append(_transfer(claim, source, amount, name=rest))
    return transfers


def _transfer(claim: Claim, source: str, amount: int, *, name: UUID | None = None) -> Transfer:
    return Transfer(
        id=name or claim.id,
        source=source,
        target=claim.committed,
        amount=amount,
        reason="order",
        reference=claim.reference,
        effective_at=claim.at,
    )
