"""Sealing: AES-256-GCM (NIST SP 800-38D), bound to the person, the field and the key.

What is sealed: one byte of format, 16 of the key's id, 12 of nonce, the ciphertext with its tag.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sanhe.core.errors import BadInput, Tampered
from sanhe.core.values import new_id

KEY_BYTES: Final = 32
_FORMAT: Final = b"\x01"
_NONCE_BYTES: Final = 12
_HEAD: Final = len(_FORMAT) + 16
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Given:
    """A text to be sealed for a person; what names them is not shown."""

    person: str
    field: str
    text: str = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A person's key as it is used; `secret` is not shown."""

    id: UUID
    person: str
    secret: bytes = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A person's key as it is kept: under the master key `master`. `is_current`: it seals."""

    id: UUID
    person: str
    wrapped: bytes = dataclasses.field(repr=False)
    master: str
    is_current: bool = True


def new_key(person: str) -> PersonKey:
    """A key of 256 random bits. Raises BadInput for what can't name a person."""
    if not 1 <= len(person) <= _LONGEST or not person.isprintable():
        raise BadInput("this can't name a person", place="person", remedy="e.g. member/M-1007")
    return PersonKey(new_id(), person, secrets.token_bytes(KEY_BYTES))


def wrap(key: PersonKey, master: bytes) -> bytes:
    """The key as it is kept, under a master key."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(master).encrypt(nonce, key.secret, _bound(key.id, key.person, "key"))


def unwrap(kept: WrappedKey, master: bytes) -> PersonKey:
    """The inverse of `wrap`. Raises Tampered for another key, person or master."""
    bound = _bound(kept.id, kept.person, "key")
    secret = _opened(master, kept.wrapped, bound, what=f"key {kept.id}")
    return PersonKey(kept.id, kept.person, secret)


def seal(key: PersonKey, field: str, text: str) -> bytes:
    """The text under the key, for this field alone."""
    nonce = os.urandom(_NONCE_BYTES)
    bound = _bound(key.id, key.person, f"field {field}")
    sealed = AESGCM(key.secret).encrypt(nonce, text.encode(), bound)
    return _FORMAT + key.id.bytes + nonce + sealed


def key_of(sealed: bytes) -> UUID:
    """Which key it is sealed with. Raises Tampered for what was never sealed here."""
    if len(sealed) < _HEAD + _NONCE_BYTES or not sealed.startswith(_FORMAT):
        raise Tampered("this was not sealed by sanhe: bring it back from a backup")
    return UUID(bytes=sealed[len(_FORMAT) : _HEAD])


def open_sealed(key: PersonKey, field: str, sealed: bytes) -> str:
    """The inverse of `seal`. Raises Tampered for other bytes, field or person."""
    bound = _bound(key.id, key.person, f"field {field}")
    return _opened(key.secret, sealed[_HEAD:], bound, what=f"{field} of {key.person}").decode()


def _opened(secret: bytes, sealed: bytes, bound: bytes, *, what: str) -> bytes:
    try:
        return AESGCM(secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise Tampered(f"{what} is not as it was sealed: bring it back from a backup") from error


def _bound(key: UUID, *names: str) -> bytes:
    """Key and names as one, with their lengths, so that no two lists of names are alike."""
    octets = [key.bytes, *(name.encode() for name in names)]
    return b"".join(len(one).to_bytes(4, "big") + one for one in octets)


def masked_name(name: str) -> str:
    """A name as it is shown to who need not know it.

    >>> masked_name("张小明")
    '张**'
    """
    return f"{name[0]}**" if name else ""


def masked_phone(phone: str) -> str:
    """A telephone number likewise: enough to tell two apart.

    >>> masked_phone("138 0013 1234")
    '138****1234'
    >>> masked_phone("555 123")
    '****23'
    """
    digits = "".join(sign for sign in phone if sign.isdigit())
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) > 9 else f"****{digits[-2:]}"
