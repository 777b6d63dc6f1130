"""The settings an environment gives, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanhe.core.errors import BadInput
from sanhe.core.settings import Settings


def test_who_bought_is_learned_from_only_when_asked_for() -> None:
    assert not Settings.from_environment({}).customers
    assert Settings.from_environment({"SANHE_CUSTOMERS": "1"}).customers


def test_a_policy_file_may_be_named_for_good(tmp_path: Path) -> None:
    assert Settings.from_environment({}).policy is None
    named = Settings.from_environment({"SANHE_POLICY": str(tmp_path / "ours.toml")})
    assert named.policy == tmp_path / "ours.toml"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SANHE_CUSTOMERS", "yes", "neither 0 nor 1"),
        ("SANHE_CURRENCY", "yuan", "no currency code"),
        ("SANHE_TIME_ZONE", "Mars/Base", "unknown time zone"),
    ],
)
def test_a_setting_that_cannot_be_used_names_itself(name: str, value: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as raised:
        Settings.from_environment({name: value})
    assert name in str(raised.value)


def test_payment_providers_stand_in_a_file(tmp_path: Path) -> None:
    assert Settings.from_environment({}).payments is None
    named = Settings.from_environment({"SANHE_PAYMENTS": str(tmp_path / "payments.toml")})
    assert named.payments == tmp_path / "payments.toml"


def test_the_policy_of_membership_stands_in_a_file(tmp_path: Path) -> None:
    assert Settings.from_environment({}).loyalty is None
    named = Settings.from_environment({"SANHE_LOYALTY": str(tmp_path / "ours.toml")})
    assert named.loyalty == tmp_path / "ours.toml"


def test_the_policy_of_delivery_stands_in_a_file(tmp_path: Path) -> None:
    assert Settings.from_environment({}).delivery is None
    named = Settings.from_environment({"SANHE_DELIVERY": str(tmp_path / "ours.toml")})
    assert named.delivery == tmp_path / "ours.toml"
