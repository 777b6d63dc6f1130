"""What a device signs: Ed25519 (RFC 8032) over the bytes it sends, behind a line that names them.

The line keeps a signature of one purpose from being taken for another's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sanhe.core.errors import BadInput

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_EVENT: Final = b"sanhe till event 1\n"
_GENESIS: Final = b"sanhe till genesis 1\n"


def event_message(payload: str) -> bytes:
    """The bytes that a device signs for an event; their SHA-256 is the event's hash."""
    return _EVENT + payload.encode()


def event_hash(payload: str) -> bytes:
    """The hash by which the next event names this one: SHA-256 of `event_message`."""
    return hashlib.sha256(event_message(payload)).digest()


def genesis(public_key: bytes) -> bytes:
    """What the first event under a key names as its previous hash."""
    return hashlib.sha256(_GENESIS + public_key).digest()


def verifies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the holder of the key signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def public_key_of(text: str) -> bytes:
    """A raw Ed25519 public key from base64 or hex. Raises BadInput for what is none."""
    kept = "".join(text.split())
    try:
        if len(kept) == 2 * KEY_BYTES:
            key = bytes.fromhex(kept)
        else:
            key = base64.b64decode(kept.translate(_FROM_URL), validate=True)
        # Points of small order verify more than one holder could sign.
        if len(key) != KEY_BYTES or key in _SMALL_ORDER:
            raise ValueError
        Ed25519PublicKey.from_public_bytes(key)
    except (ValueError, binascii.Error):
        raise BadInput(
            "this is no Ed25519 public key",
            place="public key",
            remedy=f"give its {KEY_BYTES} raw bytes in base64 or hex",
        ) from None
    return key


_FROM_URL: Final = str.maketrans("-_", "+/")
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)
