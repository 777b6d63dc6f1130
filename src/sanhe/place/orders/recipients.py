"""The recipients of orders: kept sealed, opened one at a time, erased by their person's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sanhe.core.errors import Code, NotFound
from sanhe.core.persons import Given, KeyAway, Persons
from sanhe.core.storage import Transaction
from sanhe.place.orders import store
from sanhe.place.orders.placing import Draft
from sanhe.place.orders.recipient import Kept, Masked, Recipient


class Recipients:
    """Who orders go to, within one transaction that sees everything."""

    def __init__(self, tx: Transaction, persons: Persons) -> None:
        self._tx, self._persons = tx, persons

    def sealed(self, drafts: Sequence[Draft]) -> Mapping[UUID, str]:
        """The recipients of those orders that have one, sealed, by order; as hex for the table."""
        given = {
            draft.id: Given(
                person_of(draft.id, draft.basket.member),
                _field(draft.id),
                draft.recipient.written(),
            )
            for draft in drafts
            if draft.recipient is not None
        }
        sealed = self._persons.seal_each(list(given.values()))
        return {order: f"\\x{one.hex()}" for order, one in zip(given, sealed, strict=True)}

    def open(self, order: UUID) -> Recipient | None:
        """Who an order goes to; None: nobody was named. Raises NotFound for an unknown order and,
        with the code `erased`, once they were erased; KeyAway where a key is missing."""
        row = store.read_recipient(self._tx, order)
        if row is None:
            raise NotFound(f"no order {order}: look it up by its number")
        if row["recipient_erased_at"] is not None:
            raise NotFound("this was erased, for good", code=Code.ERASED)
        if row["recipient"] is None:
            return None
        person = person_of(order, row["member"])
        return Recipient.read(self._persons.open(person, _field(order), row["recipient"]))

    def masked(self, order: UUID) -> Masked | None:
        """What anybody who sees the order may see of it; None: nobody was named."""
        try:
            found = self.open(order)
        except KeyAway:
            return Masked(Kept.AWAY)
        except NotFound as error:
            if error.code is not Code.ERASED:
                raise
            return Masked(Kept.ERASED)
        return None if found is None else Masked.of(found)

    def hold(self, member: str | None, order: UUID | None = None) -> list[int]:
        """Let nobody seal for a member, or a guest's order, until the transaction ends; the
        numbers of their orders that still need their recipient."""
        self._persons.hold(person_of(order, member))
        return store.read_needing(self._tx, member, order)

    def erase(self, reason: str, *, member: str | None = None, order: UUID | None = None) -> bool:
        """Erase a member, or the recipient of a guest's order, for good; False when there is
        nothing, as after the first time."""
        erased = self._persons.erase(person_of(order, member), reason)
        store.forget_recipients(self._tx, member, order)
        return erased

    def due(self, before: datetime, *, offset: int = 0, limit: int = 500) -> list[UUID]:
        """Guests' orders that were closed before a moment and still have their recipient, the
        oldest first, without the first `offset` of them."""
        return store.read_recipients_due(self._tx, before, offset=offset, limit=limit)


def person_of(order: UUID | None, member: str | None) -> str:
    """Who the recipient of an order is to us: the member, or for a guest the order itself."""
    return f"order/{order}" if member is None else f"member/{member}"


def _field(order: UUID) -> str:
    return f"recipient of {order}"
