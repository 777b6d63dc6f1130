"""The client of an OpenID provider: discovery, the way there, the code's exchange, the proof."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from sanhe.connectors.oidc.token import checked, verified
from sanhe.core.access import NotAdmitted, Oidc, is_safe_address
from sanhe.core.clock import Clock
from sanhe.core.errors import MissingPart, Temporary

CALLBACK: Final = "/api/session/oidc/callback"
"""Where the provider sends browsers back to; it is registered there with the address before it."""
KNOWN_FOR: Final = timedelta(hours=1)
"""Discovery and keys are asked anew after so long; keys also when a token names another."""
_PATIENCE_SECONDS: Final = 10
_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way: the browser keeps it until it comes back, and nobody else sees it."""

    state: str
    nonce: str
    verifier: str


class OpenIdProvider:
    """A provider, by the OpenID Connect core and discovery specifications and RFC 7636 and 9207.

    What it has published is kept for `KNOWN_FOR`. Raises MissingPart without the extra.
    """

    def __init__(self, oidc: Oidc, clock: Clock) -> None:
        try:
            import httpx
            import joserfc  # noqa: F401 -- to say now what is missing
        except ImportError as error:
            raise MissingPart(
                "signing in at an OpenID provider needs a further part: pip install 'sanhe[oidc]'"
            ) from error
        self._oidc, self._clock = oidc, clock
        self._http = httpx.Client(timeout=_PATIENCE_SECONDS, follow_redirects=False)
        self._lock = threading.Lock()
        self._published: dict[str, Any] = {}
        self._keys: list[dict[str, Any]] = []
        self._known_at = clock.now() - 2 * KNOWN_FOR

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends browsers back to."""
        return self._oidc.address + CALLBACK

    def begin(self) -> tuple[str, Begun]:
        """The provider's address to send a browser to, and what the browser keeps meanwhile.

        Raises Temporary when the provider does not answer.
        """
        endpoint = self._endpoint("authorization_endpoint")
        begun = Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(32), _verifier())
        challenge = hashlib.sha256(begun.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._oidc.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self._oidc.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}", begun

    def finish(self, answer: Mapping[str, str], begun: Begun) -> dict[str, Any]:
        """The proved claims about whoever came back with this answer (the callback's query).

        Raises NotAdmitted where anything does not fit, Temporary when the provider is away.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise NotAdmitted("the answer belongs to another sign-in", why="expired")
        if answer.get("iss", self._oidc.issuer) != self._oidc.issuer:  # RFC 9207: mix-up
            raise NotAdmitted("the answer is another provider's", why="provider")
        if "error" in answer or not answer.get("code"):
            raise NotAdmitted("the provider refused to sign in", why="provider")
        token = self._exchange(answer["code"], begun.verifier)
        claims = verified(token, self._key)
        checked(claims, self._oidc, nonce=begun.nonce, now=self._clock.now())
        return claims

    def close(self) -> None:
        """End the connections to the provider."""
        self._http.close()

    def _exchange(self, code: str, verifier: str) -> str:
        """The ID token for a code; a provider gives one once."""
        oidc, auth = self._oidc, None
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": oidc.client_id,
            "code_verifier": verifier,
        }
        endpoint = self._endpoint("token_endpoint")
        taken = self._published.get("token_endpoint_auth_methods_supported")
        if oidc.secret is not None:
            if isinstance(taken, list) and "client_secret_basic" not in taken:
                given["client_secret"] = oidc.secret
            else:  # RFC 6749 section 2.3.1: both are form-encoded first
                auth = (quote(oidc.client_id, safe=""), quote(oidc.secret, safe=""))
        told = self._ask("POST", endpoint, form=given, auth=auth)
        token = told.get("id_token")
        if not isinstance(token, str):
            raise NotAdmitted("the provider did not take the code", why="provider")
        return token

    def _key(self, kid: str | None, kind: str) -> dict[str, Any]:
        """The published key that a token names; asked for anew when it is not known yet."""
        self._refresh()
        found = _matching(self._keys, kid, kind)
        if found is None:
            with self._lock:
                self._read_keys()
            found = _matching(self._keys, kid, kind)
        if found is None:
            raise NotAdmitted("the token is signed by no key of the provider", why="provider")
        return found

    def _endpoint(self, name: str) -> str:
        self._refresh()
        found = self._published.get(name)
        if not isinstance(found, str) or not is_safe_address(found):
            raise _away(f"its {name} is no https address")
        return found

    def _refresh(self) -> None:
        with self._lock:
            if self._clock.now() - self._known_at < KNOWN_FOR:
                return
            base = self._oidc.issuer.rstrip("/")
            told = self._ask("GET", f"{base}/.well-known/openid-configuration")
            if told.get("issuer") != self._oidc.issuer:
                raise _away("it calls itself by another issuer than the settings")
            self._published = told
            self._read_keys()
            self._known_at = self._clock.now()

    def _read_keys(self) -> None:
        place = self._published.get("jwks_uri")
        if not isinstance(place, str) or not is_safe_address(place):
            raise _away("its jwks_uri is no https address")
        keys = self._ask("GET", place).get("keys")
        if not isinstance(keys, list):
            raise _away("it publishes no keys")
        self._keys = [key for key in keys if isinstance(key, dict)]

    def _ask(
        self,
        method: Literal["GET", "POST"],
        address: str,
        *,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON object that the provider answers; {} for a code that it refuses (400)."""
        import httpx

        body = bytearray()
        headers = {"accept": "application/json"}
        try:
            with self._http.stream(
                method, address, data=form, auth=auth, headers=headers
            ) as answer:
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise _away("its answer is too long")
        except httpx.HTTPError as error:
            raise _away(type(error).__name__) from error
        if form is not None and answer.status_code == 400:
            return {}
        if answer.status_code != 200:
            raise _away(f"it answered {answer.status_code}")
        try:
            told = json.loads(body)
        except ValueError as error:
            raise _away("its answer is no JSON") from error
        if not isinstance(told, dict):
            raise _away("its answer is no JSON object")
        return told


def _matching(keys: list[dict[str, Any]], kid: str | None, kind: str) -> dict[str, Any] | None:
    """The key for signatures with this id; without an id, the only one of its kind."""
    fitting = [
        key
        for key in keys
        if key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and (kid is None or key.get("kid") == kid)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _away(why: str) -> Temporary:
    return Temporary(f"the OpenID provider can't be used now: {why}", delay_seconds=30)


def _verifier() -> str:
    """43 characters of 256 random bits (RFC 7636 section 4.1)."""
    return secrets.token_urlsafe(32)
