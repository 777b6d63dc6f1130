"""An OpenID provider on a port of this machine: it signs real tokens and rotates its keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwk, jws, jwt

from tests.web.serving import served

CLIENT, SECRET = "sanhe", "a secret/with: marks"


@dataclass
class Provider:
    """Who signs in is `person`; `change` alters a token's claims before it is signed."""

    redirect_uri: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    change: Callable[[dict[str, Any]], None] = lambda claims: None
    sign: Callable[[Provider, dict[str, Any]], str] | None = None
    replays: bool = False
    keys: list[Any] = field(default_factory=list)
    asked_for_keys: int = 0
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    called_by: str | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rotate(self, kind: str = "RSA") -> None:
        """Publish a new key alone and sign with it from now on."""
        size: Any = 2048 if kind == "RSA" else "P-256"
        made = jwk.JWKRegistry.generate_key(kind, size, {"kid": secrets.token_hex(4)})
        self.keys = [made]

    def token(self, claims: dict[str, Any]) -> str:
        """A token signed by the key of now."""
        (key,) = self.keys[-1:]
        alg = "RS256" if key.key_type == "RSA" else "ES256"
        return jws.serialize_compact({"alg": alg, "kid": key.kid}, json.dumps(claims).encode(), key)

    def claims_of(self, asked: dict[str, str]) -> dict[str, Any]:
        """What a token says of the person."""
        now = int(self.now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "nonce": asked["nonce"], **self.person}
        claims |= {"iat": now, "exp": now + 300}
        self.change(claims)
        return claims


def make_provider(provider: Provider) -> FastAPI:
    """Its application."""
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def discovery() -> dict[str, Any]:
        return {
            "issuer": provider.called_by or provider.issuer,
            "authorization_endpoint": f"{provider.issuer}/authorize",
            "token_endpoint": f"{provider.issuer}/token",
            "jwks_uri": f"{provider.issuer}/keys",
            "token_endpoint_auth_methods_supported": provider.methods,
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        provider.asked_for_keys += 1
        return {"keys": [key.as_dict(private=False) for key in provider.keys]}

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        fits = (
            asked["client_id"] == CLIENT
            and asked["redirect_uri"] == provider.redirect_uri
            and asked["response_type"] == "code"
            and asked["code_challenge_method"] == "S256"
            and "openid" in asked["scope"].split()
        )
        if not fits:
            return JSONResponse({"error": "invalid_request"}, 400)
        code = secrets.token_urlsafe(16)
        provider.codes[code] = asked
        told = {"code": code, "state": asked["state"], "iss": provider.issuer}
        return RedirectResponse(f"{provider.redirect_uri}?{urlencode(told)}", 302)

    @app.post("/token")
    async def token(request: Request) -> JSONResponse:
        form = {name: str(value) for name, value in (await request.form()).items()}
        asked = provider.codes.get(form["code"])
        if not provider.replays:
            provider.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
            or not _knows_the_secret(request, form)
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = provider.claims_of(asked)
        made = provider.token(claims) if provider.sign is None else provider.sign(provider, claims)
        return JSONResponse({"id_token": made, "access_token": "x", "token_type": "Bearer"})

    return app


def _knows_the_secret(request: Request, form: dict[str, str]) -> bool:
    if "client_secret" in form:
        return form["client_secret"] == SECRET
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    expected = base64.b64encode(f"{CLIENT}:a%20secret%2Fwith%3A%20marks".encode()).decode()
    return (kind, given) == ("Basic", expected)


def unsigned(provider: Provider, claims: dict[str, Any]) -> str:
    """A token of the algorithm `none`."""
    parts = ({"alg": "none", "kid": provider.keys[-1].kid}, claims)
    return ".".join([*(_packed(part) for part in parts), ""])


def signed_with_the_public_key(provider: Provider, claims: dict[str, Any]) -> str:
    """A token of HS256 whose secret is the public key, which everybody knows."""
    key = provider.keys[-1]
    signed = ".".join(_packed(part) for part in ({"alg": "HS256", "kid": key.kid}, claims))
    mac = hmac.new(key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def signed_by_another(provider: Provider, claims: dict[str, Any]) -> str:
    """A token under the published key's id, signed by a key that is not published."""
    other = jwk.RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256", "kid": provider.keys[-1].kid}, claims, other)


def _packed(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@contextmanager
def running(redirect_uri: str, now: Callable[[], datetime]) -> Iterator[Provider]:
    """A provider that answers until the block ends; `now` is its clock."""
    provider = Provider(redirect_uri, now)
    provider.rotate()
    with served(make_provider(provider)) as address:
        provider.issuer = address
        yield provider
