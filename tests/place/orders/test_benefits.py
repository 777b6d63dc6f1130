"""Orders with promotions, coupons, points and stored value: held, paid, given back to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from sanhe.core.errors import BadInput, Conflict, SanheError, Shortage
from sanhe.core.storage import Database
from sanhe.people.coupons import Campaign
from sanhe.people.promotions import FreePostage, Gift, Off, Percent, Promotion, Step
from sanhe.place.orders import AtPlace, Basket, Order, Placed, Placing, State, Tenders
from tests.place.orders.counter import Counter, basket_of

MEMBER = "M1"


@pytest.fixture
def counter(database: Database) -> Iterator[Counter]:
    with database.transaction(actor="tester") as tx:
        nested = tx.connection.begin_nested()
        yield Counter.of(tx)
        nested.rollback()
