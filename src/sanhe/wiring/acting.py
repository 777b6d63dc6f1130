"""Who acts, and each of their commands once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanhe.core.errors import NotFound
from sanhe.core.scope import EVERYTHING, Scope
from sanhe.core.values import Json
from sanhe.place.orders import Order

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, and for which places.

    A command on an order writes what no scope covers, the ledger: it runs for everything, after
    it is checked here that the order lies in the scope.
    """

    actor: str
    scope: Scope = EVERYTHING

    def may_act(self, places: Sequence[str]) -> bool:
        """Whether one of these places is among those of the scope."""
        allowed = self.scope.places
        return self.scope.suppliers is None and (allowed is None or not allowed.isdisjoint(places))

    def check(self, order: Order) -> Order:
        """The order; raises NotFound for one at other places, as if there were none."""
        if not self.may_act([order.place, *(part.place for part in order.parts)]):
            raise NotFound(f"no order {order.id}: look it up by its number")
        return order


def once(
    sanhe: Sanhe, command: tuple[str, str], by: By, *, body: Json, run: Callable[[Work], Json]
) -> Json:
    """The answer to a command (name, key): carried out now, or what it was the first time.

    It runs for everything, as it writes what lies in no scope: `run` checks who may.
    """
    with sanhe.work(actor=by.actor) as work:
        answer = work.commands.once(*command, body=body, run=lambda: run(work))
    return answer.result()
