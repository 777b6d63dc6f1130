"""The proof of an ID token: its signature, and that it was made for us, now, for this sign-in."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sanhe.core.access import NotAdmitted, Oidc

KINDS: Final = {"RS256": "RSA", "ES256": "EC"}
"""The algorithms that are taken, each with its kind of key. Never `none`; never HS256, whose
key a published one could be mistaken for."""

FindKey = Callable[[str | None, str], dict[str, Any]]
"""The published key (JWK) of an id and kind; raises NotAdmitted."""


def verified(token: str, find: FindKey) -> dict[str, Any]:
    """The claims of a token that is signed by the key it names. Raises NotAdmitted."""
    from joserfc import jwk, jwt
    from joserfc.errors import JoseError

    def key_of(signed: Any) -> Any:
        header = signed.headers()
        kid, kind = header.get("kid"), KINDS.get(header.get("alg"))
        if kind is None:
            raise NotAdmitted("the token is not signed by RS256 or ES256", why="provider")
        found = find(kid, kind)
        if found.get("alg", header["alg"]) != header["alg"]:
            raise NotAdmitted("the key is for another algorithm", why="provider")
        return jwk.RSAKey.import_key(found) if kind == "RSA" else jwk.ECKey.import_key(found)

    try:
        return dict(jwt.decode(token, key_of, algorithms=list(KINDS)).claims)
    except (JoseError, ValueError) as error:
        what = f"the token can't be proved ({type(error).__name__})"
        raise NotAdmitted(what, why="provider") from error


def checked(claims: Mapping[str, Any], oidc: Oidc, *, nonce: str, now: datetime) -> None:
    """Raise NotAdmitted unless the claims are of this provider, for us, of now, and asked for.

    By OpenID Connect Core 1.0, section 3.1.3.7: issuer, audience, authorized party, expiry, time
    of issue and nonce, with the leeway of the settings between the clocks.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not re.fullmatch(r"[\x20-\x7e]{1,255}", subject):
        raise NotAdmitted("the token names no subject", why="provider")
    if claims.get("iss") != oidc.issuer:
        raise NotAdmitted("the token is another issuer's", why="provider")
    audience = claims.get("aud")
    told = [audience] if isinstance(audience, str) else audience
    if not isinstance(told, list) or oidc.client_id not in told:
        raise NotAdmitted("the token is made for somebody else", why="provider")
    party = claims.get("azp")
    if (party is not None or len(told) > 1) and party != oidc.client_id:
        raise NotAdmitted("the token was given to somebody else", why="provider")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(_octets(given), _octets(nonce)):
        raise NotAdmitted("the token belongs to another sign-in", why="provider")
    _check_times(claims, now.timestamp(), oidc.leeway_seconds)


def _check_times(claims: Mapping[str, Any], now: float, leeway: int) -> None:
    ends, issued = _moment(claims, "exp"), _moment(claims, "iat")
    if ends is None or issued is None:
        raise NotAdmitted("the token does not say when it holds", why="provider")
    if ends + leeway <= now:
        raise NotAdmitted("the token has expired", why="expired")
    begins = max(issued, _moment(claims, "nbf") or issued)
    if begins - leeway > now:
        raise NotAdmitted("the token is of a time to come: look at the clocks", why="provider")


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    """Seconds since 1970; None for what is none."""
    value = claims.get(name)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
