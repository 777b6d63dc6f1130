"""Which merchant of WeChat Pay we are, with which keys: read from a file beside its secrets."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sanhe.connectors.wechatpay.signing import read_private_key, read_public_key
from sanhe.core.access import is_safe_address
from sanhe.core.errors import BadInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

API_KEY: Final = "SANHE_WECHATPAY_KEY"
"""The environment's name for the API v3 key, where no file holds it."""
NOTICE_PATH: Final = "/api/partner/wechatpay/notice"
"""Where notices arrive, behind the address at which the world reaches sanhe."""
_ADDRESS: Final = "https://api.mch.weixin.qq.com"
_TEXTS: Final = ("merchant", "app", "serial", "private_key_file", "notify_address")
_MORE: Final = ("api_key_file", "address", "platform_keys")
_GUIDE: Final = "docs/guide/payments.md has one"


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
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(
            f"the file can't be read: {error}",
            place=str(path),
            remedy=f"SANHE_PAYMENTS names a TOML file; {_GUIDE}",
        ) from error
    table = told.get("wechatpay")
    others = sorted(set(told) - {"wechatpay"})
    if others or not isinstance(table, dict):
        name = others[0] if others else "wechatpay"
        raise BadInput(f"{name} is no provider here", place=str(path), remedy="write [wechatpay]")
    return _config(_Table(table, path), given)


class _Table:
    """The table of the file, with the file's folder for the files it names."""

    def __init__(self, told: Mapping[str, Any], path: Path) -> None:
        self.told, self._path = told, path
        for name in told:
            if name not in (*_TEXTS, *_MORE):
                secret = name in ("api_key", "private_key")
                raise self.wrong(
                    name,
                    "a secret does not belong into this file" if secret else "it is not known",
                    f"name a file with {name}_file" if secret else _GUIDE,
                )

    def wrong(self, name: str, what: str, remedy: str) -> BadInput:
        """The error of a value."""
        return BadInput(what, place=f"{self._path} [wechatpay] {name}", remedy=remedy)

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.told.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(name, "a text is missing", f'write {name} = "…"')
        return value.strip()

    def file(self, name: str, value: object) -> bytes:
        """The content of a file that is named in the table, from the table's folder on."""
        if not isinstance(value, str) or not value:
            raise self.wrong(name, "no file is named", f'write {name} = "FILE"')
        try:
            return (self._path.parent / value).read_bytes()
        except OSError as error:
            raise self.wrong(name, str(error), "name a file that can be read") from error

    def address(self, name: str, default: str | None = None) -> str:
        """An https address of scheme and host; http to this machine alone."""
        value = self.text(name) if default is None or name in self.told else default
        value = value.rstrip("/")
        if not is_safe_address(value) or urlsplit(value).path or urlsplit(value).query:
            raise self.wrong(name, f"{value!r} is no https address", "write https://HOST")
        return value

    def place(self, name: str) -> str:
        """What an error about a value names."""
        return f"{self._path} [wechatpay] {name}"


def _config(table: _Table, environment: Mapping[str, str]) -> WechatPayConfig:
    merchant, app, serial, key_file = (table.text(name) for name in _TEXTS[:4])
    platform = table.told.get("platform_keys")
    if not isinstance(platform, dict) or not platform:
        raise table.wrong(
            "platform_keys", "none is named", 'write platform_keys = { KEY_ID = "FILE" }'
        )
    return WechatPayConfig(
        merchant=merchant,
        app=app,
        serial=serial,
        notify_address=table.address("notify_address"),
        private_key=read_private_key(
            table.file("private_key_file", key_file), table.place("private_key_file")
        ),
        platform_keys={
            name: read_public_key(
                table.file("platform_keys", value), table.place(f"platform_keys {name}")
            )
            for name, value in platform.items()
        },
        api_key=_api_key(table, environment),
        address=table.address("address", _ADDRESS),
    )


def _api_key(table: _Table, environment: Mapping[str, str]) -> bytes:
    key = environment.get(API_KEY, "").encode()
    if "api_key_file" in table.told:
        key = table.file("api_key_file", table.told["api_key_file"]).strip()
    if len(key) != 32:
        raise table.wrong(
            "api_key_file",
            "the API v3 key is missing or has not 32 characters",
            f"put it into a file of its own or into the environment as {API_KEY}",
        )
    return key
