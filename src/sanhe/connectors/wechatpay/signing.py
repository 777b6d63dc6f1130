"""Signatures and ciphers of WeChat Pay API v3: pure functions over keys and octets.

A signature (WECHATPAY2-SHA256-RSA2048) is RSA PKCS #1 v1.5 with SHA-256 over lines that each end
with a line feed; a notice's content is sealed by AES-256-GCM (RFC 5116). Source: the "API v3" pages
of https://pay.weixin.qq.com/doc/v3, signature generation, verification and decryption.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sanhe.core.errors import BadInput, Denied

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
CIPHER: Final = "AEAD_AES_256_GCM"
CLOCKS_APART_SECONDS: Final = 300
"""A signature is taken within so many seconds before and after its timestamp."""
_SMALLEST_BITS: Final = 2048


def lines_of(*lines: str | bytes) -> bytes:
    """What is signed: each line with a line feed behind it.

    >>> lines_of("GET", b"")
    b'GET\\n\\n'
    """
    return b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """The signature of a message in base64."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def fits(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether a signature in base64 is this key's over the message."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def authorization(
    signed: bytes, key: RSAPrivateKey, *, merchant: str, serial: str, timestamp: int, nonce: str
) -> str:
    """The header `Authorization` of a request; `signed` are its lines: method, path with query,
    timestamp, nonce, body."""
    named = {
        "mchid": merchant,
        "nonce_str": nonce,
        "signature": sign(key, signed),
        "timestamp": str(timestamp),
        "serial_no": serial,
    }
    return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in named.items())


def check_signed(
    headers: Mapping[str, str], body: bytes, *, keys: Mapping[str, RSAPublicKey], now: float
) -> None:
    """Raise Denied unless the body was signed by one of the platform's keys, just now.

    `keys` by serial number or key id; `now` in seconds since 1970; names of headers in any case.
    """
    told = {name.lower(): value for name, value in headers.items()}
    serial, timestamp, nonce, signature = (
        told.get(f"wechatpay-{name}", "") for name in ("serial", "timestamp", "nonce", "signature")
    )
    if not (timestamp.isascii() and timestamp.isdecimal() and nonce and signature):
        raise Denied("there is no signature of WeChat Pay")
    if abs(now - int(timestamp)) > CLOCKS_APART_SECONDS:
        raise Denied(f"the signature is not of the last {CLOCKS_APART_SECONDS} seconds")
    key = keys.get(serial)
    if key is None:
        raise Denied(
            "the signature names a key that is not known here: fetch the platform's public key "
            "and name it in the file of SANHE_PAYMENTS"
        )
    if not fits(key, lines_of(timestamp, nonce, body), signature):
        raise Denied("the signature is not WeChat Pay's over this content")


def unseal(resource: object, api_key: bytes) -> bytes:
    """The content of a notice's `resource`.

    Raises BadInput for what is no such resource, Denied when the key does not open it.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    told = resource if isinstance(resource, Mapping) else {}
    sealed, nonce, beside = (
        told.get(name, "") for name in ("ciphertext", "nonce", "associated_data")
    )
    texts = isinstance(sealed, str) and isinstance(nonce, str) and isinstance(beside, str)
    if told.get("algorithm") != CIPHER or not texts:
        raise BadInput(f"the content is not sealed by {CIPHER}", place="resource")
    try:
        octets = base64.b64decode(sealed, validate=True)
        return AESGCM(api_key).decrypt(nonce.encode(), octets, beside.encode())
    except InvalidTag as error:
        raise Denied(
            "the API v3 key does not open the content: compare it with the merchant platform's"
        ) from error
    except (binascii.Error, ValueError, UnicodeEncodeError) as error:
        raise BadInput("the sealed content can't be read", place="resource") from error


def seal(content: bytes, api_key: bytes, *, nonce: str, beside: str) -> dict[str, str]:
    """A `resource` that holds the content: the other side of `unseal`."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = AESGCM(api_key).encrypt(nonce.encode(), content, beside.encode())
    return {
        "original_type": beside,
        "algorithm": CIPHER,
        "ciphertext": base64.b64encode(sealed).decode(),
        "associated_data": beside,
        "nonce": nonce,
    }


def read_private_key(pem: bytes, place: str) -> RSAPrivateKey:
    """The merchant's key (PKCS #8 in PEM); raises BadInput naming the place, never the key."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise _no_key(place, "apiclient_key.pem of the merchant platform") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < _SMALLEST_BITS:
        raise _no_key(place, "apiclient_key.pem of the merchant platform")
    return key


def read_public_key(pem: bytes, place: str) -> RSAPublicKey:
    """A platform's public key or certificate in PEM; raises BadInput naming the place."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        if b"CERTIFICATE" in pem:
            key = load_pem_x509_certificate(pem).public_key()
        else:
            key = load_pem_public_key(pem)  # type: ignore[assignment]
    except ValueError as error:
        raise _no_key(place, "the platform's public key") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < _SMALLEST_BITS:
        raise _no_key(place, "the platform's public key")
    return key


def _no_key(place: str, remedy: str) -> BadInput:
    return BadInput(
        f"this is no RSA key of {_SMALLEST_BITS} bits or more in PEM",
        place=place,
        remedy=f"name the file of {remedy}",
    )
