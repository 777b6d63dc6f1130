"""Secrets: passwords (argon2id), tokens and key secrets, one-time codes (RFC 6238)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from sanhe.core.errors import BadInput, Code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from argon2 import PasswordHasher

SHORTEST: Final = 12
_LONGEST: Final = 256
_FEWEST_CHARACTERS: Final = 5
_LIST = "common_passwords.txt"
KEY_PREFIX: Final = "sanhe_"

_ROOM: Final = threading.BoundedSemaphore(4)
"""So many passwords are hashed at a time in a process: each takes 64 MiB."""


def check_password(password: str, *, name: str) -> None:
    """Raise BadInput for a password that is short, guessed first, or the account's name.

    At least 12 characters of at least 5 kinds. What is left of it without digits and marks at
    its ends may not be in the list of common ones. The message never shows it.
    """
    folded = password.casefold()
    if not SHORTEST <= len(password) <= _LONGEST:
        what = f"a password has {SHORTEST} to {_LONGEST} characters"
    elif len(set(folded)) < _FEWEST_CHARACTERS:
        what = f"a password has at least {_FEWEST_CHARACTERS} different characters"
    elif folded == name or (len(name) >= 4 and len(folded.replace(name, "")) < SHORTEST - 4):
        what = "the password is made of the account's name"
    elif not {folded, _core(folded)}.isdisjoint(_common()):
        what = "this password is among those that are guessed first"
    else:
        return
    raise BadInput(
        what,
        place="password",
        remedy="take four or more words that don't belong",
        code=Code.WEAK_PASSWORD,
    )


def hash_password(password: str) -> str:
    """The argon2id hash (RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes)."""
    with _ROOM:
        return _hasher().hash(_octets(password))


def password_fits(password: str, hashed: str | None) -> bool:
    """Whether it is the password of the hash. Without a hash it is the same work, and False."""
    from argon2.exceptions import InvalidHashError, VerifyMismatchError

    try:
        with _ROOM:
            fits = _hasher().verify(hashed or _nobody(), _octets(password[: _LONGEST + 1]))
    except (VerifyMismatchError, InvalidHashError):
        return False
    return fits and hashed is not None


def is_outdated(hashed: str) -> bool:
    """Whether a hash was made with other costs than those of today."""
    return _hasher().check_needs_rehash(hashed)


def new_token() -> str:
    """256 random bits as 43 characters."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """The SHA-256 of a token: all that is kept. 256 random bits need no slow hash."""
    return hashlib.sha256(_octets(secret)).digest()


def csrf_of(token: str) -> str:
    """What a page proves with that it holds the session, derived from its token (HMAC-SHA-256)."""
    return hmac.new(_octets(token), b"csrf", hashlib.sha256).hexdigest()


def new_factor() -> bytes:
    """The key of a second factor: 160 bits, as RFC 4226 section 4 recommends."""
    return secrets.token_bytes(20)


def factor_uri(name: str, key: bytes) -> str:
    """What an authenticator app reads (otpauth), with its defaults: SHA-1, 6 digits, 30 s."""
    given = {"secret": base64.b32encode(key).decode(), "issuer": "sanhe"}
    return f"otpauth://totp/sanhe:{quote(name)}?{urlencode(given)}"


def code_at(key: bytes, step: int) -> str:
    """The 6-digit code of a 30-second step (RFC 6238 section 4, RFC 4226 section 5.3).

    >>> code_at(b"12345678901234567890", 59 // 30)
    '287082'
    """
    mac = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 1_000_000:06d}"


def step_of(key: bytes, code: str, steps: Iterable[int]) -> int | None:
    """The step whose code this is, the latest first; None when it is none of theirs."""
    given = _octets(code.replace(" ", ""))
    fits = [step for step in steps if hmac.compare_digest(code_at(key, step).encode(), given)]
    return max(fits, default=None)


def _octets(text: str) -> bytes:
    """UTF-8; halves of surrogate pairs, which JSON can bring in, are let through as they are."""
    return text.encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)


@cache
def _nobody() -> str:
    return str(_hasher().hash(new_token()))


@cache
def _common() -> frozenset[str]:
    text = Path(__file__).with_name(_LIST).read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def _core(folded: str) -> str:
    """Without the digits and marks at both ends: `password2024!` is `password`."""
    marks = "0123456789!@#$%^&*()-_=+.,?/~` "
    return folded.strip(marks)
