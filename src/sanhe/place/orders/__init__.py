"""Orders (订单): one order for every channel: quoted, placed, paid, handed over, taken back.

Systems: S30.
Commands: sanhe sale promise, sanhe sale place, sanhe sale list, sanhe sale show,
sanhe sale recipient, sanhe sale pay, sanhe sale cancel, sanhe sale hand-over.

Inputs: baskets of any channel and who they go to, payment notices, hand-overs and returns.
Decides: what an order costs, whether its stock is held, what becomes of each payment. Outputs:
orders with their timeline; stock held and posted on the ledger, money beside it; what left the
places, to be told as `sale.line` facts; refunds in the outbox.
"""

from sanhe.place.orders.basket import (
    CHANNELS,
    METHODS,
    MOST_LINES,
    Basket,
    BasketLine,
    Delivery,
    Discount,
    PricedLine,
)
from sanhe.place.orders.benefits import Benefits, Offered
from sanhe.place.orders.choose import AtPlace, Piece, Plan, Sourcing
from sanhe.place.orders.dues import PAY_BEFORE, Dues, OpenCharge, ends_at
from sanhe.place.orders.facts import SOURCE, sale_facts
from sanhe.place.orders.instead import Choice, Instead, lines_short
from sanhe.place.orders.nearby import Nearby, needs_of
from sanhe.place.orders.orders import REFUND_TOPIC, Orders, Settled
from sanhe.place.orders.placing import Placed, Placing, Quote
from sanhe.place.orders.ports import Charge, PaymentNotice, Payments, Refund, RefundNotice
from sanhe.place.orders.promising import Promise, brought, fetched
from sanhe.place.orders.reading import (
    AskedRefund,
    Order,
    OrderEvent,
    OrderLine,
    OrderPart,
    Payment,
    Sold,
    Wanted,
)
from sanhe.place.orders.recipient import Kept, Masked, Recipient
from sanhe.place.orders.recipients import Recipients
from sanhe.place.orders.rules import LineState, Outcome, State, Tenders

__all__ = [
    "CHANNELS",
    "METHODS",
    "MOST_LINES",
    "PAY_BEFORE",
    "REFUND_TOPIC",
    "SOURCE",
    "AskedRefund",
    "AtPlace",
    "Basket",
    "BasketLine",
    "Benefits",
    "Charge",
    "Choice",
    "Delivery",
    "Discount",
    "Dues",
    "Instead",
    "Kept",
    "LineState",
    "Masked",
    "Nearby",
    "Offered",
    "OpenCharge",
    "Order",
    "OrderEvent",
    "OrderLine",
    "OrderPart",
    "Orders",
    "Outcome",
    "Payment",
    "PaymentNotice",
    "Payments",
    "Piece",
    "Placed",
    "Placing",
    "Plan",
    "PricedLine",
    "Promise",
    "Quote",
    "Recipient",
    "Recipients",
    "Refund",
    "RefundNotice",
    "Settled",
    "Sold",
    "Sourcing",
    "State",
    "Tenders",
    "Wanted",
    "brought",
    "ends_at",
    "fetched",
    "lines_short",
    "needs_of",
    "sale_facts",
]
