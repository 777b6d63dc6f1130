"""The table of actions, and the codes of RFC 6238."""

from __future__ import annotations

import pytest

from sanhe.core.access import ACTIONS, EVERYTHING, Identity, Role, actions_of, may
from sanhe.core.access.rules import address_key
from sanhe.core.access.secrets import code_at, step_of


def identity(*roles: Role) -> Identity:
    return Identity("lin", frozenset(roles), EVERYTHING, None, "en", "")


def test_each_action_is_somebodys_and_has_a_meaning() -> None:
    assert all(action.roles and action.meaning for action in ACTIONS.values())


def test_may_asks_for_one_fitting_role() -> None:
    assert may(identity(Role.GROWTH, Role.BUYER), "decisions.decide")
    assert not may(identity(Role.STORE, Role.GROWTH), "decisions.decide")
    assert "decisions.decide" in actions_of([Role.BUYER])
    with pytest.raises(KeyError):
        may(identity(Role.ADMIN), "decisions.delete")


def test_a_supplier_may_only_what_is_its_own() -> None:
    assert set(actions_of([Role.SUPPLIER])) == {"orders.read", "orders.answer", "terms.read"}


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238_appendix_b(moment: int, code: str) -> None:
    key = b"12345678901234567890"
    assert code_at(key, moment // 30) == code
    assert step_of(key, code, range(moment // 30 - 1, moment // 30 + 2)) == moment // 30
    assert step_of(key, "x", range(3)) is None


def test_an_ipv6_address_counts_as_its_network() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ff:1") == "2001:db8::/64"
    assert address_key("192.0.2.1") == "192.0.2.1"
    assert len(address_key("x" * 500)) == 64
