"""What is sealed opens for its person and field alone, and no byte of it can be another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput, Tampered
from sanhe.core.persons import masked_name, masked_phone, sealing

names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
MASTER = bytes(range(32))


@given(person=names, field=names, text=st.text(max_size=300))
def test_what_is_sealed_opens_as_it_was(person: str, field: str, text: str) -> None:
    key = sealing.new_key(person)
    sealed = sealing.seal(key, field, text)
    assert sealing.key_of(sealed) == key.id
    assert sealing.open_sealed(key, field, sealed) == text
    assert sealed != sealing.seal(key, field, text)


@given(text=st.text(max_size=50), data=st.data())
def test_no_byte_can_be_another(text: str, data: st.DataObject) -> None:
    key = sealing.new_key("order/1")
    sealed = bytearray(sealing.seal(key, "name", text))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Tampered):
        opened = sealing.key_of(bytes(sealed))
        sealing.open_sealed(replace(key, id=opened), "name", bytes(sealed))


@given(text=st.text(max_size=50), cut=st.integers(1, 60))
def test_what_is_cut_off_is_missed(text: str, cut: int) -> None:
    key = sealing.new_key("order/1")
    sealed = sealing.seal(key, "name", text)
    with pytest.raises(Tampered):
        part = sealed[:-cut]
        sealing.key_of(part)
        sealing.open_sealed(key, "name", part)


@given(names=st.lists(names, min_size=4, max_size=4, unique=True))
def test_another_field_person_or_key_opens_nothing(names: list[str]) -> None:
    person, field, other_person, other_field = names
    key = sealing.new_key(person)
    sealed = sealing.seal(key, field, "张小明")
    stolen = replace(key, person=other_person)
    for wrong, under in ((key, other_field), (stolen, field), (sealing.new_key(person), field)):
        with pytest.raises(Tampered):
            sealing.open_sealed(wrong, under, sealed)


def test_a_wrapped_key_opens_under_its_master_for_its_person_alone() -> None:
    key = sealing.new_key("member/M-1")
    kept = sealing.WrappedKey(key.id, key.person, sealing.wrap(key, MASTER), "m")
    assert sealing.unwrap(kept, MASTER) == key
    wrong = ((replace(kept, person="member/M-2"), MASTER), (kept, bytes(32)))
    for one, master in wrong:
        with pytest.raises(Tampered):
            sealing.unwrap(one, master)


def test_nothing_secret_is_shown() -> None:
    key = sealing.new_key("member/M-1")
    kept = sealing.WrappedKey(key.id, key.person, sealing.wrap(key, MASTER), "m")
    given = sealing.Given("member/M-1", "name", "张小明")
    assert "张小明" not in repr(given)
    for secret in (key.secret, kept.wrapped):
        assert repr(secret) not in repr((key, kept))


@pytest.mark.parametrize("person", ["", "a\nb", "x" * 201])
def test_what_names_nobody_is_refused(person: str) -> None:
    with pytest.raises(BadInput, match="can't name a person"):
        sealing.new_key(person)


def test_masks_tell_two_apart_and_name_nobody() -> None:
    assert [masked_name(name) for name in ("张小明", "Li Lei", "")] == ["张**", "L**", ""]
    told = [masked_phone(one) for one in ("+86 138-0013-1234", "13800131234", "110", "010 555 123")]
    assert told == ["861****1234", "138****1234", "****10", "****23"]
