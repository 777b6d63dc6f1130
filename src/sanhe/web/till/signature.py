"""A device's signature over a request: HTTP Message Signatures (RFC 9421) with Ed25519.

Of the standard one form is taken: the components "@method", "@path" and "content-digest" (RFC
9530, sha-256), with created, keyid (the device) and alg="ed25519". Nothing of a request that
matters is left unsigned, and there is no choice to be misused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from sanhe.core.errors import Denied

WINDOW_SECONDS: Final = 300
"""A signature made further from now is not taken: a request that was overheard grows old."""

_INPUT: Final = re.compile(
    r"([a-z*][a-z0-9_.*-]{0,31})=("
    r'\("@method" "@path" "content-digest"\)'
    r';created=(\d{1,12});keyid="([A-Za-z0-9][A-Za-z0-9._-]{0,63})";alg="ed25519")'
)


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """Who says to have signed (`device`), when (`created`, seconds since 1970), over which bytes
    (`message`, the signature base of RFC 9421 section 2.5)."""

    device: str
    created: int
    message: bytes
    signature: bytes


def content_digest(body: bytes) -> str:
    """The Content-Digest of a body (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signature_params(device: str, created: int) -> str:
    """The parameters that a device signs with, as they stand in Signature-Input after `sig=`."""
    covered = '("@method" "@path" "content-digest")'
    return f'{covered};created={created};keyid="{device}";alg="ed25519"'


def signature_base(method: str, path: str, *, digest: str, params: str) -> bytes:
    """The bytes that are signed."""
    return (
        f'"@method": {method}\n"@path": {path}\n"content-digest": {digest}\n'
        f'"@signature-params": {params}'
    ).encode()


def read_signature(
    method: str, path: str, body: bytes, *, signature_input: str, signature: str, digest: str
) -> RequestSignature:
    """The signature that the headers give. Raises Denied where they can't be taken."""
    found = _INPUT.fullmatch(signature_input.strip())
    if found is None:
        raise Denied(
            "the request is not signed by a device: give Signature-Input, Signature and "
            "Content-Digest (see the guide on tills)"
        )
    label, params, created, device = found.groups()
    if not hmac.compare_digest(digest.strip().encode(), content_digest(body).encode()):
        raise Denied("Content-Digest is not that of the body: give its sha-256")
    value = re.fullmatch(re.escape(label) + r"=:([A-Za-z0-9+/=]{1,200}):", signature.strip())
    try:
        raw = base64.b64decode("" if value is None else value[1], validate=True)
    except binascii.Error:
        raw = b""
    message = signature_base(method, path, digest=digest.strip(), params=params)
    return RequestSignature(device, int(created), message, raw)
