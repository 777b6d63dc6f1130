"""Signed coupons (QR): Ed25519 (RFC 8032) over what the coupon says, checked without a connection.

A signed coupon is `S` and Crockford's base 32 of

    version 1 | id, 16 bytes | begins, ends: seconds since 1970 UTC, 8 bytes each |
    length and UTF-8 of campaign and member, 2 bytes and so many each | signature, 64 bytes

Capitals and digits alone: the most compact form of a QR code. A text that reads as the same bytes
and is written otherwise is refused.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sanhe.core.errors import BadInput
from sanhe.people.coupons.rules import ALPHABET

MARK: Final = "S"
_VERSION: Final = 1
_NAMED: Final = b"sanhe coupon 1\n"
"""Keeps a signature of another purpose from being taken for a coupon's."""
_HEAD: Final = struct.Struct(">B16sQQ")
_LENGTH: Final = struct.Struct(">H")
_SIGNATURE: Final = 64
_RFC4648: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_CROCKFORD: Final = str.maketrans(_RFC4648, ALPHABET)
_FROM_CROCKFORD: Final = str.maketrans(ALPHABET, _RFC4648)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signed coupon says: whose it is (None = whoever shows it), and when it is valid."""

    id: UUID
    campaign: str
    member: str | None
    begins_at: datetime
    ends_at: datetime


def sign(coupon: Signed, key: Ed25519PrivateKey) -> str:
    """The coupon as a text to be shown. Raises BadInput for a name above 65,535 bytes."""
    said = _bytes(coupon)
    return MARK + _written(said + key.sign(_NAMED + said))


def read_signed(text: str, key: Ed25519PublicKey) -> Signed | None:
    """What a text says that the holder of the key signed; None for every other text."""
    given = _read(text)
    if given is None or len(given) < _HEAD.size + 2 * _LENGTH.size + _SIGNATURE:
        return None
    said, signature = given[:-_SIGNATURE], given[-_SIGNATURE:]
    try:
        key.verify(signature, _NAMED + said)
    except InvalidSignature:
        return None
    return _coupon(said)


def _bytes(coupon: Signed) -> bytes:
    times = (int(moment.timestamp()) for moment in (coupon.begins_at, coupon.ends_at))
    parts = [_HEAD.pack(_VERSION, coupon.id.bytes, *times)]
    for name in (coupon.campaign, coupon.member or ""):
        octets = name.encode()
        if len(octets) > 0xFFFF:
            raise BadInput(f"{len(octets)} bytes are no name", place="coupon")
        parts += [_LENGTH.pack(len(octets)), octets]
    return b"".join(parts)


def _coupon(said: bytes) -> Signed | None:
    """What signed bytes say; None for those of another version."""
    version, name, begins, ends = _HEAD.unpack_from(said)
    if version != _VERSION:
        return None
    texts, at = [], _HEAD.size
    for _ in range(2):
        (length,) = _LENGTH.unpack_from(said, at)
        at += _LENGTH.size
        texts.append(said[at : at + length].decode())
        at += length
    begins_at, ends_at = (datetime.fromtimestamp(one, UTC) for one in (begins, ends))
    return Signed(UUID(bytes=name), texts[0], texts[1] or None, begins_at, ends_at)


def _written(octets: bytes) -> str:
    return base64.b32encode(octets).decode().rstrip("=").translate(_TO_CROCKFORD)


def _read(text: str) -> bytes | None:
    """The bytes that are written as this text and no other."""
    if not text.startswith(MARK) or not set(text) <= set(ALPHABET):
        return None
    body = text[len(MARK) :].translate(_FROM_CROCKFORD)
    try:
        octets = base64.b32decode(body + "=" * (-len(body) % 8))
    except binascii.Error:
        return None
    return octets if MARK + _written(octets) == text else None
