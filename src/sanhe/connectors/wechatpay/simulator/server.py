"""The simulated WeChat Pay on a port of this machine."""

from __future__ import annotations

import json
import logging
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from sanhe.connectors.wechatpay.config import WechatPayConfig
from sanhe.connectors.wechatpay.signing import (
    CLOCKS_APART_SECONDS,
    SCHEME,
    fits,
    lines_of,
    seal,
    sign,
)
from sanhe.connectors.wechatpay.simulator.notices import Faults, Notice, Schedule
from sanhe.connectors.wechatpay.simulator.trades import Refusal, Trades, moment
from sanhe.core.clock import Clock
from sanhe.core.errors import MissingPart

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

MERCHANT: Final = "1900000109"
APP: Final = "wxd678efh567hg6787"
SERIAL: Final = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
PLATFORM: Final = "PUB_KEY_ID_0119000001092024061300001"
PATIENCE_SECONDS: Final = 5
"""A notice that is not answered within so many seconds was not taken."""
_LOG = logging.getLogger("sanhe.wechatpay.simulator")
_NAMED = re.compile(r'(\w+)="([^"]*)"')
_Answer = tuple[int, Mapping[str, Any] | None]


class WechatPaySimulator:
    """Answers the documented requests of WeChat Pay and sends its notices, for one merchant.

    It proves our signatures and signs with keys of its own; `config` is what sanhe needs to know
    of it, `save` the same as a file. A shopper pays by `pay`; `deliver` sends the notices that
    are due by the clock, one after the other, with the faults drawn by the seed. Use it as a
    context manager: it answers within the block.
    """

    def __init__(
        self,
        notify_address: str,
        clock: Clock,
        *,
        seed: int = 0,
        faults: Faults | None = None,
        scale: float = 1.0,
        refund_time: timedelta = timedelta(0),
        keys: tuple[RSAPrivateKey, RSAPrivateKey] | None = None,
    ) -> None:
        self._clock, self._notify_address = clock, notify_address
        self._own, self._platform = keys or (new_key(), new_key())
        self._api_key = secrets.token_hex(16).encode()
        self._lock = threading.Lock()
        self.trades = Trades(MERCHANT, APP, seed=seed, refund_time=refund_time)
        self.schedule = Schedule(Random(seed), faults or Faults(), scale)
        self.notify_url = ""
        self.answers = False
        self._server = self._listening(0)
        self._port = self._server.server_address[1]

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def config(self) -> WechatPayConfig:
        """The merchant, with the keys."""
        return WechatPayConfig(
            merchant=MERCHANT,
            app=APP,
            serial=SERIAL,
            notify_address=self._notify_address,
            private_key=self._own,
            platform_keys={PLATFORM: self._platform.public_key()},
            api_key=self._api_key,
            address=self.address,
        )

    def save(self, folder: Path) -> Path:
        """Write the merchant with the keys into a folder; the file for SANHE_PAYMENTS."""
        from cryptography.hazmat.primitives import serialization as kinds

        folder.mkdir(parents=True, exist_ok=True)
        own = self._own.private_bytes(
            kinds.Encoding.PEM, kinds.PrivateFormat.PKCS8, kinds.NoEncryption()
        )
        platform = self._platform.public_key().public_bytes(
            kinds.Encoding.PEM, kinds.PublicFormat.SubjectPublicKeyInfo
        )
        for name, content in (
            ("apiclient_key.pem", own),
            ("pub_key.pem", platform),
            ("api_key.txt", self._api_key),
        ):
            path = folder / name
            path.touch(mode=0o600)
            path.write_bytes(content)
        told = folder / "payments.toml"
        told.write_text(
            f'[wechatpay]\nmerchant = "{MERCHANT}"\napp = "{APP}"\nserial = "{SERIAL}"\n'
            'private_key_file = "apiclient_key.pem"\napi_key_file = "api_key.txt"\n'
            f'address = "{self.address}"\nnotify_address = "{self._notify_address}"\n'
            f'platform_keys = {{ {PLATFORM} = "pub_key.pem" }}\n',
            encoding="utf-8",
        )
        return told

    def pay(self, order: UUID, *, amount: int | None = None) -> str:
        """The shopper pays an order; the transaction's number. A notice of it is planned.

        `amount` in fen: another than was asked for. Raises Refusal for what can't be paid.
        """
        with self._lock:
            now = self._clock.now()
            told = self.trades.pay(order.hex, now, amount=amount)
            self.schedule.add("TRANSACTION.SUCCESS", told, now)
        return str(told["transaction_id"])

    def waiting(self, seconds: float) -> list[str]:
        """The numbers of trades that were asked for so long ago and can still be paid."""
        with self._lock:
            return self.trades.waiting(self._clock.now(), timedelta(seconds=seconds))

    def given_back(self, order: UUID) -> int:
        """What went back of an order, in fen."""
        with self._lock:
            return self.trades.given_back(order.hex)

    def deliver(self) -> list[int]:
        """Send the notices that are due, in order; the status that each was answered with.

        0 stands for no answer. Refunds whose time has come are ended first.
        """
        statuses: list[int] = []
        while True:
            with self._lock:
                now = self._clock.now()
                for ended in self.trades.finish(now):
                    self.schedule.add(f"REFUND.{ended['status']}", _notice_of(ended), now)
                notice = self.schedule.next_due(now)
            if notice is None:
                return statuses
            answered = self._send(notice)
            statuses.extend(answered)
            with self._lock:
                taken = any(200 <= status < 300 for status in answered)
                self.schedule.sent(notice, self._clock.now(), taken=taken)

    @contextmanager
    def delivering(self, every_seconds: float = 0.2) -> Iterator[None]:
        """Send what is due again and again, in a thread, until the block ends."""
        ended = threading.Event()

        def run() -> None:
            while not ended.wait(every_seconds):
                self.deliver()

        thread = threading.Thread(target=run, name="wechatpay-notices", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(2 * PATIENCE_SECONDS)

    def signed(self, body: bytes, *, timestamp: int | None = None) -> dict[str, str]:
        """The headers that prove a body to be of this WeChat Pay, at another time if told."""
        at = int(self._clock.now().timestamp()) if timestamp is None else timestamp
        nonce = secrets.token_hex(16)
        return {
            "Content-Type": "application/json",
            "Wechatpay-Serial": PLATFORM,
            "Wechatpay-Timestamp": str(at),
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": sign(self._platform, lines_of(str(at), nonce, body)),
            "Wechatpay-Signature-Type": SCHEME,
        }

    def notice_body(self, event_type: str, content: Mapping[str, Any], *, name: str) -> bytes:
        """The body of a notice: its content is sealed by the API v3 key."""
        beside = event_type.partition(".")[0].lower()
        sealed = seal(
            json.dumps(content, ensure_ascii=False).encode(),
            self._api_key,
            nonce=secrets.token_hex(6),
            beside=beside,
        )
        told = {
            "id": name,
            "create_time": moment(self._clock.now()),
            "resource_type": "encrypt-resource",
            "event_type": event_type,
            "summary": event_type,
            "resource": sealed,
        }
        return json.dumps(told, ensure_ascii=False).encode()

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], *, body: bytes
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of the answer to a request."""
        try:
            self._check(method, target, headers.get("Authorization", ""), body=body)
            with self._lock:
                status, told = self._done(method, target, json.loads(body) if body else {})
        except Refusal as refused:
            status, told = refused.status, {"code": refused.code, "message": refused.message}
        octets = b"" if told is None else json.dumps(told, ensure_ascii=False).encode()
        return status, octets, self.signed(octets)

    def _check(self, method: str, target: str, authorization: str, *, body: bytes) -> None:
        named = dict(_NAMED.findall(authorization))
        at, nonce = named.get("timestamp", ""), named.get("nonce_str", "")
        own = (named.get("mchid"), named.get("serial_no")) == (MERCHANT, SERIAL)
        now = self._clock.now().timestamp()
        fresh = at.isdecimal() and abs(now - int(at)) <= CLOCKS_APART_SECONDS
        message = lines_of(method, target, at, nonce, body)
        proved = fits(self._own.public_key(), message, named.get("signature", ""))
        if not (authorization.startswith(f"{SCHEME} ") and own and fresh and proved):
            raise Refusal(401, "SIGN_ERROR", "签名错误")

    def _done(self, method: str, target: str, asked: Mapping[str, Any]) -> _Answer:
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        match method, path.removeprefix("/v3/").split("/"):
            case "POST", ["pay", "transactions", ("jsapi" | "h5" | "native") as way]:
                told = self.trades.prepay(way, asked, self._clock.now())
                self.notify_url = str(asked.get("notify_url", ""))
                return 200, told
            case "GET", ["pay", "transactions", "out-trade-no", number]:
                if query.get("mchid") != [MERCHANT]:
                    raise Refusal(400, "PARAM_ERROR", "mchid 错误")
                return 200, self.trades.query(number)
            case "POST", ["pay", "transactions", "out-trade-no", number, "close"]:
                self.trades.close(number)
                return 204, None
            case "POST", ["refund", "domestic", "refunds"]:
                return 200, self.trades.refund(asked, self._clock.now())
            case "GET", ["refund", "domestic", "refunds", number]:
                return 200, self.trades.query_refund(number)
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "请求的资源不存在")

    def _send(self, notice: Notice) -> Sequence[int]:
        """Send a notice, its copies at once; the statuses of the answers."""
        with ThreadPoolExecutor(notice.copies) as pool:
            return list(pool.map(lambda _: self._post(notice), range(notice.copies)))

    def _post(self, notice: Notice) -> int:
        try:
            import httpx
        except ImportError as error:
            raise MissingPart("the simulator needs: pip install 'sanhe[payments]'") from error

        body = self.notice_body(notice.event_type, notice.content, name=notice.id)
        try:
            answer = httpx.post(
                self.notify_url, content=body, headers=self.signed(body), timeout=PATIENCE_SECONDS
            )
        except httpx.HTTPError as error:
            _LOG.info("notice %s was not taken: %s", notice.id, type(error).__name__)
            return 0
        return answer.status_code

    def start(self) -> None:
        """Answer, also again after `stop`, at the same address."""
        if self._server.socket.fileno() < 0:
            self._server = self._listening(self._port)
        self.answers = True
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()

    def stop(self) -> None:
        """Answer no more: WeChat Pay is away, and keeps what it knows."""
        self.answers = False
        self._server.shutdown()
        self._server.server_close()

    def _listening(self, port: int) -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(("127.0.0.1", port), _Requests)
        server.daemon_threads = True
        server.simulator = self  # type: ignore[attr-defined]
        return server

    def __enter__(self) -> WechatPaySimulator:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Requests(BaseHTTPRequestHandler):
    """Hands requests to the simulator of its server."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: no waiting for an acknowledgement between them

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        simulator: WechatPaySimulator = self.server.simulator  # type: ignore[attr-defined]
        if not simulator.answers:  # a connection that was opened before the end
            self.close_connection = True
            return
        status, octets, headers = simulator.answer(
            self.command, self.path, dict(self.headers.items()), body=body
        )
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(octets))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(octets)

    do_GET = do_POST = _answer  # noqa: N815 -- what http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as overridden
        """Say it in the log, not on the terminal."""
        _LOG.debug(format, *args)


def _notice_of(refund: Mapping[str, Any]) -> dict[str, Any]:
    """A refund as a notice tells it."""
    told = {name: value for name, value in refund.items() if name not in ("status", "channel")}
    return told | {"mchid": MERCHANT, "refund_status": refund["status"]}


def new_key() -> RSAPrivateKey:
    """An RSA key of 2,048 bits."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(public_exponent=65537, key_size=2048)
