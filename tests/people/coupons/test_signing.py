"""Signed coupons: what was signed is read, and nothing that was written otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.people.coupons import Keys, Signed, read_signed, sign
from sanhe.people.coupons.rules import ALPHABET

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
COUPON = Signed(UUID(int=7), "spring", "M-1", BEGIN, END)

moments = st.integers(0, 2**33).map(lambda second: datetime.fromtimestamp(second, UTC))
coupons = st.builds(
    Signed,
    st.uuids(),
    st.text(max_size=40),
    st.none() | st.text(min_size=1, max_size=40),
    moments,
    moments,
)


@given(coupons)
def test_what_was_signed_is_read(coupon: Signed) -> None:
    assert read_signed(sign(coupon, KEY), PUBLIC) == coupon


@given(coupons, st.data())
def test_one_character_changed_is_no_coupon(coupon: Signed, data: st.DataObject) -> None:
    text = sign(coupon, KEY)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda one: one != text[at]))
    assert read_signed(text[:at] + other + text[at + 1 :], PUBLIC) is None


@given(st.text(max_size=300) | st.text(ALPHABET, max_size=300).map(lambda text: "S" + text))
def test_any_other_text_is_no_coupon(text: str) -> None:
    assert read_signed(text, PUBLIC) is None


@pytest.mark.parametrize("cut", [1, 8, 64, 103, 150])
def test_a_part_is_no_coupon(cut: int) -> None:
    text = sign(COUPON, KEY)
    assert read_signed(text[:-cut], PUBLIC) is None
    assert read_signed(text + "0" * cut, PUBLIC) is None
    assert read_signed(text.lower(), PUBLIC) is None


def test_what_another_key_signed_is_no_coupon_here() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    assert read_signed(sign(COUPON, other), PUBLIC) is None


def test_a_qr_code_of_it_stays_small() -> None:
    assert len(sign(COUPON, KEY)) < 224  # version 8, level M, alphanumeric


def test_the_secret_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "coupons"
    first, second = Keys(file), Keys(file)
    assert first.public_bytes == second.public_bytes == Keys(file).public_bytes
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["coupons"]
    assert first.code_hash("7k2m-oil0") == second.code_hash("7K2M0110")
    assert first.code_hash("7K2M0110") != Keys(tmp_path / "other").code_hash("7K2M0110")


def test_a_secret_cut_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "coupons"
    file.write_bytes(b"short")
    with pytest.raises(BadInput, match="bring it back from a backup"):
        _ = Keys(file).public_bytes
