"""OpenID Connect (OIDC 单点登录): people sign in at a provider, and its word is proved here.

`OpenIdProvider` sends a browser to the provider and proves what comes back: authorization code
with PKCE, state and nonce; ID tokens signed with RS256 or ES256 by a key the provider publishes.
Needs the extra `oidc`. See docs/guide/access.md.
"""

from sanhe.connectors.oidc.provider import Begun, OpenIdProvider

__all__ = ["Begun", "OpenIdProvider"]
