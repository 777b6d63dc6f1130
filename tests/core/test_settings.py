"""The settings an environment gives, and what is refused."""

from __future__ import annotations

import pytest

from sanhe.core.errors import BadInput
from sanhe.core.settings import Settings


def test_who_bought_is_learned_from_only_when_asked_for() -> None:
    assert not Settings.from_environment({}).customers
    assert Settings.from_environment({"SANHE_CUSTOMERS": "1"}).customers


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
