"""The installation's secret for coupons: it signs them, and what is kept of codes is made with it.

It lies in a file beside the database, not in it: who has a copy of the database alone can neither
sign coupons nor try codes against what is kept of them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sanhe.core.errors import BadInput
from sanhe.core.secret_file import write_once
from sanhe.people.coupons.rules import plain

_BYTES: Final = 32


class Keys:
    """The keys that are derived from the secret in a file, which is made at its first use."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @cached_property
    def signing(self) -> Ed25519PrivateKey:
        """What coupons are signed with."""
        return Ed25519PrivateKey.from_private_bytes(self._derived(b"sanhe coupon signing 1"))

    @cached_property
    def public(self) -> Ed25519PublicKey:
        """What a till checks signed coupons with."""
        return self.signing.public_key()

    @property
    def public_bytes(self) -> bytes:
        """The 32 raw bytes of the public key."""
        return self.public.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def code_hash(self, code: str) -> bytes:
        """What is kept of a typed code: HMAC-SHA-256."""
        return hmac.new(self._hashing, plain(code).encode(), hashlib.sha256).digest()

    @cached_property
    def _hashing(self) -> bytes:
        return self._derived(b"sanhe coupon code 1")

    def _derived(self, purpose: bytes) -> bytes:
        return hmac.new(self._secret, purpose, hashlib.sha256).digest()

    @cached_property
    def _secret(self) -> bytes:
        if not self._file.exists():
            write_once(self._file, secrets.token_bytes(_BYTES))
        found = self._file.read_bytes()
        if len(found) != _BYTES:
            raise BadInput(
                f"{len(found)} bytes are no secret",
                place=str(self._file),
                remedy="bring it back from a backup: with another one no coupon is valid",
            )
        return found
