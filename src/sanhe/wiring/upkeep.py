"""What goes on by itself: orders let go, prepared, answered, told; payments; members."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sanhe.wiring.fulfilling import FulfilRun, fulfil_orders
from sanhe.wiring.membership import LoyaltyRun, run_loyalty
from sanhe.wiring.ordering import TOLD_AT_ONCE, expire_orders, tell_sales
from sanhe.wiring.paying import PaymentsRun, settle_payments
from sanhe.wiring.recipients import erase_recipients

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe

ACTOR: Final = "upkeep"


@dataclass(frozen=True, slots=True)
class OrdersRun:
    """What one run over the orders came to: `expired` orders, `told` parts that left a place."""

    expired: int = 0
    fulfil: FulfilRun = field(default_factory=FulfilRun)
    told: int = 0


@dataclass(frozen=True, slots=True)
class UpkeepRun:
    """What one run of all upkeep came to; `forgotten` answers to old commands,
    `erased` recipients of guests' orders."""

    orders: OrdersRun
    payments: PaymentsRun
    loyalty: LoyaltyRun
    forgotten: int
    erased: int


def upkeep_orders(sanhe: Sanhe) -> OrdersRun:
    """Let go of unpaid orders in time, prepare the paid ones, tell what left; to be done every
    second or two. Nothing of it is waited for by who orders."""
    expired = expire_orders(sanhe)
    done = fulfil_orders(sanhe)
    told = last = tell_sales(sanhe)
    while last >= TOLD_AT_ONCE:
        last = tell_sales(sanhe)
        told += last
    return OrdersRun(expired, done, told)


def forget_commands(sanhe: Sanhe) -> int:
    """Forget the answers to commands whose time is over; how many."""
    with sanhe.work(actor=ACTOR) as work:
        return work.commands.forget()


def upkeep(sanhe: Sanhe) -> UpkeepRun:
    """One run of everything that goes on by itself; a server does it without being asked."""
    return UpkeepRun(
        upkeep_orders(sanhe),
        settle_payments(sanhe),
        run_loyalty(sanhe),
        forget_commands(sanhe),
        erase_recipients(sanhe),
    )
