"""The file that says how people sign in: what it may hold, and what is refused and where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sanhe.core.access import NotAdmitted, SignIn, granted, is_safe_address, read_sign_in
from sanhe.core.access.ports import Role
from sanhe.core.access.sign_in import Grant
from sanhe.core.errors import BadInput

WHOLE = """
local = false
[oidc]
issuer = "https://login.shop.example/realms/shop"
client_id = "sanhe"
client_secret_file = "secret"
address = "https://sanhe.shop.example/"
label = "Shop account"
scopes = ["openid", "groups"]
name_claim = "preferred_username"
domains = ["Shop.example"]
leeway_seconds = 30
[[oidc.grant]]
claim = "groups"
value = "heads"
roles = ["admin", "planner"]
places = "all"
[[oidc.grant]]
claim = "groups"
value = "east"
roles = ["buyer"]
places = ["E"]
[[oidc.grant]]
claim = "realm.roles"
value = "shop"
roles = ["store"]
places_claim = "stores"
[[oidc.grant]]
claim = "groups"
value = "farms"
roles = ["supplier"]
suppliers_claim = "https://shop.example/suppliers"
"""


def read(folder: Path, text: str, environment: dict[str, str] | None = None) -> SignIn:
    file = folder / "sign-in.toml"
    file.write_text(text, encoding="utf-8")
    (folder / "secret").write_text("hush\n")
    return read_sign_in(file, environment or {})


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    oidc = found.oidc
    assert oidc is not None and not found.local
    assert oidc.address == "https://sanhe.shop.example" and oidc.secret == "hush"
    assert oidc.domains == {"shop.example"} and oidc.leeway_seconds == 30
    assert oidc.grants[0] == Grant("groups", "heads", frozenset({Role.ADMIN, Role.PLANNER}), None)
    without = read(tmp_path, WHOLE.replace('client_secret_file = "secret"', ""))
    assert without.oidc is not None and without.oidc.secret is None
    from_outside = read(
        tmp_path,
        WHOLE.replace('client_secret_file = "secret"', ""),
        {"SANHE_OIDC_SECRET": "whispered"},
    )
    assert from_outside.oidc is not None and from_outside.oidc.secret == "whispered"
    assert read_sign_in(None) == SignIn()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (("local = false", "local = 0"), "local"),
        (("[oidc]", "[oidc"), "sign-in.toml"),
        (("[oidc]", "[openid]"), "openid"),
        (("https://login", "http://login"), "issuer"),
        (("https://sanhe.shop.example/", "http://sanhe.shop.example"), "address"),
        (("https://sanhe.shop.example/", "https://sanhe.shop.example/a"), "address"),
        (('client_id = "sanhe"', ""), "client_id"),
        (('client_secret_file = "secret"', 'client_secret = "hush"'), "client_secret"),
        (('client_secret_file = "secret"', 'client_secret_file = "no"'), "client_secret_file"),
        (('["openid", "groups"]', '["groups"]'), "scopes"),
        (("leeway_seconds = 30", "leeway_seconds = 3000"), "leeway_seconds"),
        (('["buyer"]', '["king"]'), "roles"),
        (('places = ["E"]', ""), "places"),
        (('places = "all"', 'places = "E"'), "places"),
        (('suppliers_claim = "https://shop.example/suppliers"', ""), "suppliers"),
        (('["admin", "planner"]', '["planner"]'), "sign-in.toml"),
        (("label =", "labell ="), "labell"),
    ],
)
def test_what_can_not_be_used_is_named(tmp_path: Path, change: tuple[str, str], where: str) -> None:
    assert change[0] in WHOLE
    with pytest.raises(BadInput) as caught:
        read(tmp_path, WHOLE.replace(*change))
    assert where in caught.value.place and caught.value.remedy
    assert "hush" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="SANHE_SIGN_IN"):
        read_sign_in(tmp_path / "none.toml")


def test_grants_add_up_and_all_places_outweigh_some(tmp_path: Path) -> None:
    oidc = read(tmp_path, WHOLE).oidc
    assert oidc is not None
    oidc = replace(oidc, domains=frozenset())
    person = {"sub": "1", "preferred_username": "lin", "stores": ["E2", "W1"]}
    shop = {"realm": {"roles": ["shop"]}}
    east = granted({**person, "groups": ["east"], **shop}, oidc)
    assert east.roles == {Role.BUYER, Role.STORE} and east.places == ("E", "E2", "W1")
    head = granted({**person, "groups": ["heads", "east"]}, oidc)
    assert head.places is None and head.roles == {Role.ADMIN, Role.PLANNER, Role.BUYER}
    assert granted({**person, "realm.roles": "shop"}, oidc).places == ("E2", "W1")
    farm = {**person, "groups": "farms", "https://shop.example/suppliers": ["V1"]}
    assert granted(farm, oidc).suppliers == ("V1",)
    for nobody in ({}, {"groups": "head"}, {"groups": [["heads"]]}, {"groups": {"heads": 1}}):
        with pytest.raises(NotAdmitted) as caught:
            granted({**person, **nobody}, oidc)
        assert caught.value.why == "no_role"


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://login.example", True),
        ("http://127.0.0.1:9/x", True),
        ("http://[::1]/", True),
        ("http://login.example", False),
        ("http://localhost.login.example", False),
        ("https://me:pass@login.example", False),
        ("https://", False),
        ("ftp://127.0.0.1", False),
        ("https://[", False),
        ("https://a/#b", False),
    ],
)
def test_secrets_travel_hidden(address: str, safe: bool) -> None:
    assert is_safe_address(address) is safe
