"""Which merchant of WeChat Pay we are, with which keys: read from a file beside its secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sanhe.connectors.wechatpay.signing import read_private_key, read_public_key
from sanhe.core.access import is_safe_address
from sanhe.core.toml import Page, Table

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

API_KEY: Final = "SANHE_WECHATPAY_KEY"
"""The environment's name for the API v3 key, where no file holds it."""
NOTICE_PATH: Final = "/api/partner/wechatpay/notice"
"""Where notices arrive, behind the address at which the world reaches sanhe."""
_ADDRESS: Final = "https://api.mch.weixin.qq.com"
_GUIDE: Final = "docs/guide/payments.md"
_SECRETS: Final = {
    "api_key": f"put it into the environment ({API_KEY}) or a file (api_key_file)",
    "private_key": "name its file with private_key_file",
}


@dataclass(frozen=True, slots=True)
class WechatPayConfig:
    """A merchant of WeChat Pay; its keys are in no `repr`.

    `merchant`: its number (mchid). `app`: the app or mini-program paid in (appid). `serial`: the
    number of the merchant's certificate. `platform_keys`: WeChat Pay's own, by serial number or
    key id; several while they change over. `api_key`: the API v3 key, 32 octets. `address`: where
    WeChat Pay answers. `notify_address`: where the world reaches sanhe, scheme and host.
    """

    merchant: str
    app: str
    serial: str
    notify_address: str
    private_key: RSAPrivateKey = field(repr=False)
    platform_keys: Mapping[str, RSAPublicKey] = field(repr=False)
    api_key: bytes = field(repr=False)
    address: str = _ADDRESS

    @property
    def notify_url(self) -> str:
        """Where notices are sent to."""
        return self.notify_address + NOTICE_PATH


def read_config(
    path: Path | None, environment: Mapping[str, str] | None = None
) -> WechatPayConfig | None:
    """The merchant that `[wechatpay]` of a file tells; None without a file or such a table.

    Raises BadInput, naming the place in the file, for what can't be used.
    """
    if path is None:
        return None
    given = os.environ if environment is None else environment
    table = Page(path, "SANHE_PAYMENTS", _GUIDE, _SECRETS).read()
    merchant = table.inner("wechatpay")
    table.end()
    return None if merchant is None else _config(merchant, given)


def _config(table: Table, environment: Mapping[str, str]) -> WechatPayConfig:
    key = table.file("private_key_file", table.text("private_key_file"))
    made = WechatPayConfig(
        merchant=table.text("merchant"),
        app=table.text("app"),
        serial=table.text("serial"),
        notify_address=_address(table, "notify_address"),
        private_key=read_private_key(key, table.place("private_key_file")),
        platform_keys={
            name: read_public_key(
                table.file("platform_keys", file), table.place(f"platform_keys {name}")
            )
            for name, file in table.named("platform_keys").items()
        },
        api_key=_api_key(table, environment),
        address=_address(table, "address", _ADDRESS),
    )
    table.end()
    return made


def _address(table: Table, name: str, default: str | None = None) -> str:
    """An https address of scheme and host; http to this machine alone."""
    value = table.text(name, default=default).rstrip("/")
    if not is_safe_address(value) or urlsplit(value).path or urlsplit(value).query:
        raise table.wrong(name, f"{value!r} is no https address", "write https://HOST")
    return value


def _api_key(table: Table, environment: Mapping[str, str]) -> bytes:
    key = environment.get(API_KEY, "").encode()
    kept_in = table.text("api_key_file", default="")
    if kept_in:
        key = table.file("api_key_file", kept_in).strip()
    if len(key) != 32:
        raise table.wrong(
            "api_key_file",
            "the API v3 key is missing or has not 32 characters",
            f"put it into a file of its own or into the environment as {API_KEY}",
        )
    return key
