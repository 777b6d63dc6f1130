"""Requests to WeChat Pay: signed by the merchant, their answers proved, refusals told apart."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from sanhe.connectors.wechatpay.config import WechatPayConfig
from sanhe.connectors.wechatpay.signing import authorization, check_signed, lines_of
from sanhe.core.clock import Clock
from sanhe.core.errors import BadInput, Code, Denied, MissingPart, Permanent, Temporary

if TYPE_CHECKING:
    import httpx

PATIENCE_SECONDS: Final = 10
_SOON_SECONDS: Final = 5
_LATER_SECONDS: Final = 30


class Refused(Permanent):
    """WeChat Pay refuses for good: `word` is its documented code of the reason."""

    code = Code.PROVIDER_REFUSED

    def __init__(self, status: int, word: str, message: str) -> None:
        self.status, self.word = status, word
        super().__init__(f"WeChat Pay refuses ({status} {word}): {message}")


class Client:
    """Sends JSON under the merchant's signature and proves the answers.

    `transport` is what carries the requests; None = the network. Raises MissingPart without the
    extra `payments`.
    """

    def __init__(
        self, config: WechatPayConfig, clock: Clock, transport: httpx.BaseTransport | None = None
    ) -> None:
        try:
            import httpx
        except ImportError as error:
            raise MissingPart(
                "WeChat Pay needs a further part: pip install 'sanhe[payments]'"
            ) from error
        self._config, self._clock = config, clock
        self._http = httpx.Client(
            base_url=config.address,
            transport=transport,
            timeout=PATIENCE_SECONDS,
            follow_redirects=False,
        )

    def ask(
        self, method: Literal["GET", "POST"], target: str, content: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The answer to a request; `target` is its path with the query. {} for no content.

        Raises Refused, Denied for an answer that WeChat Pay did not sign, Temporary when it is
        away, too busy, or what it says can't be read.
        """
        import httpx

        body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        try:
            answer = self._http.request(
                method, target, content=body, headers=self._headers(method, target, body)
            )
        except httpx.HTTPError as error:
            raise _away(type(error).__name__) from error
        if not 200 <= answer.status_code < 300:
            raise _refusal(answer.status_code, answer.content)
        check_signed(
            answer.headers,
            answer.content,
            keys=self._config.platform_keys,
            now=self._clock.now().timestamp(),
        )
        return read_object(answer.content, "answer") if answer.content else {}

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def _headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        config, timestamp = self._config, int(self._clock.now().timestamp())
        nonce = secrets.token_hex(16)
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "sanhe",
            "Authorization": authorization(
                lines_of(method, target, str(timestamp), nonce, body),
                config.private_key,
                merchant=config.merchant,
                serial=config.serial,
                timestamp=timestamp,
                nonce=nonce,
            ),
        }


def read_object(octets: bytes, place: str) -> dict[str, Any]:
    """A JSON object; raises BadInput naming the place."""
    try:
        told = json.loads(octets)
    except (ValueError, RecursionError) as error:
        raise BadInput("this is no JSON", place=place) from error
    if not isinstance(told, dict):
        raise BadInput("this is no JSON object", place=place)
    return told


def _refusal(status: int, body: bytes) -> Exception:
    """What an answer of another status means."""
    try:
        told = read_object(body, "answer")
    except BadInput:
        told = {}
    code, message = str(told.get("code", "")), str(told.get("message", ""))[:300]
    if status == 401:
        return Denied(
            f"WeChat Pay does not take our signature ({message}): compare merchant, serial and "
            "private_key_file in the file of SANHE_PAYMENTS, and this machine's clock"
        )
    if status == 429 or code == "FREQUENCY_LIMITED":
        return Temporary("WeChat Pay asks for fewer requests", delay_seconds=_LATER_SECONDS)
    if status >= 500 or not code:
        return _away(f"it answered {status}")
    return Refused(status, code, message)


def _away(why: str) -> Temporary:
    return Temporary(f"WeChat Pay can't be reached now: {why}", delay_seconds=_SOON_SECONDS)
