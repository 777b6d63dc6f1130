"""The retailer's own policy file rules quotes, and where missing goods are looked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sanhe.core.errors import BadInput
from sanhe.core.settings import Settings
from sanhe.place.orders import State
from tests.place.fulfil.store import town

OURS = """
[fee]
cents = 600
free_from_cents = 3000

[sourcing]
pickup_metres = 800
"""


def test_fee_and_reach_are_those_of_the_file(database_settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(OURS, encoding="utf-8")
    with town(replace(database_settings, delivery=path)) as at:
        assert at.place(("A", 2), at=None).total_cents == 2_000 + 600
        assert at.place(("A", 3), at=None).total_cents == 3_000
        pickup = at.paid(("A", 1))
        assert at.order(pickup).delivery_cents == 0
        at.run()
        at.pick("S1", {"A": 0})
        # By the shipped policy S2, 1.1 km away, would have it (test_fulfil).
        assert at.states(pickup) == [("S1", "cancelled")]
        assert at.order(pickup).state is State.CANCELLED
        assert at.open_refunds(pickup) == [1_000]
        at.money_is_exact(pickup)


def test_nothing_is_opened_with_a_policy_that_cannot_be_used(
    database_settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "ours.toml"
    path.write_text("[fee]\ncents = -600\n", encoding="utf-8")
    with pytest.raises(BadInput, match="-600"), town(replace(database_settings, delivery=path)):
        pass
