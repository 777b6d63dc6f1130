"""The till asks nobody: staff say what they take, and give back by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sanhe.connectors.till import Till
from sanhe.core.errors import BadInput, Denied
from sanhe.core.values import new_id
from sanhe.place.orders import Charge, Payments, Refund

CASH: Payments = Till("cash")


def test_nothing_is_asked_for_or_told_from_outside() -> None:
    at = datetime(2024, 6, 3, tzinfo=UTC)
    with pytest.raises(BadInput):
        CASH.prepare(Charge(new_id(), 1, "CNY", "x", at, "cash"))
    with pytest.raises(Denied):
        CASH.read_notice({}, b"{}")
    assert CASH.find(new_id()) is None and CASH.close(new_id())


def test_a_refund_is_done_by_hand() -> None:
    assert CASH.refund(Refund(new_id(), new_id(), "cash", "7", 1, 1, "CNY", "late"))
