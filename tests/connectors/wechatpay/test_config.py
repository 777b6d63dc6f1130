"""The merchant's file: what it must hold, what it may not, and where the secrets lie."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sanhe.connectors.wechatpay import WechatPay, read_config
from sanhe.core.errors import BadInput
from tests.connectors.wechatpay.conftest import Counterpart


@pytest.fixture
def told(pay: Counterpart, tmp_path: Path) -> Path:
    """A right file, with its keys beside it."""
    return pay.simulator.save(tmp_path)


def test_the_file_is_the_merchant(pay: Counterpart, told: Path) -> None:
    config = read_config(told, {})
    assert config is not None
    charge = pay.charge()
    WechatPay(config, pay.clock).prepare(charge)
    pay.simulator.pay(charge.order)
    assert WechatPay(config, pay.clock).find(charge.order) is not None
    assert config.notify_url == "http://127.0.0.1:9/api/partner/wechatpay/notice"
    assert read_config(None, {}) is None


def test_the_api_key_may_come_from_the_environment(pay: Counterpart, told: Path) -> None:
    lines = [line for line in told.read_text().splitlines() if "api_key_file" not in line]
    told.write_text("\n".join(lines))
    key = pay.simulator.config.api_key
    config = read_config(told, {"SANHE_WECHATPAY_KEY": key.decode()})
    assert config is not None and config.api_key == key
    with pytest.raises(BadInput, match="SANHE_WECHATPAY_KEY"):
        read_config(told, {})


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('merchant = "1900000109"', "", "merchant"),
        ('merchant = "1900000109"', "merchant = 1900000109", "merchant"),
        ('app = "', 'apps = "', "[wechatpay] app"),
        ("api_key_file =", 'api_key = "secret"\napi_key_file =', "api_key"),
        ('"apiclient_key.pem"', '"none.pem"', "private_key_file"),
        ('"apiclient_key.pem"', '"pub_key.pem"', "private_key_file"),
        ('= "pub_key.pem"', '= "api_key.txt"', "PUB_KEY_ID"),
        ('"api_key.txt"', '"pub_key.pem"', "api_key_file"),
        ("http://127.0.0.1:9", "http://shop.example", "notify_address"),
        ("http://127.0.0.1:9", "https://shop.example/path", "notify_address"),
        ("http://127.0.0.1:9", "https://me:word@shop.example", "notify_address"),
        ("[wechatpay]", "[alipay]", "alipay"),
        ("[wechatpay]", "[wechatpay", "payments.toml"),
        ("platform_keys =", "unused = 1\nplatform_keys =", "unused"),
        ("platform_keys = {", "platform_keys = {}\n#", "platform_keys"),
    ],
)
def test_what_is_wrong_in_it_is_named(told: Path, old: str, new: str, place: str) -> None:
    told.write_text(told.read_text().replace(old, new))
    with pytest.raises(BadInput) as refused:
        read_config(told, {})
    assert place in refused.value.place and refused.value.remedy


def test_the_secrets_are_in_no_message_and_no_log(
    pay: Counterpart, told: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = pay.simulator.config.api_key.decode()
    body = (told.parent / "apiclient_key.pem").read_text().splitlines()[1]
    paid = pay.paid()
    pay.provider.refund(pay.refund(paid, 1))
    (told.parent / "apiclient_key.pem").write_text(f"{body}\n")
    with pytest.raises(BadInput) as refused:
        read_config(told, {})
    texts = [str(refused.value), repr(refused.value), caplog.text]
    assert "HTTP" in caplog.text, "the control: there is a log"
    assert not any(key in text or body in text for text in texts)


def test_its_files_are_for_the_owner_alone(told: Path) -> None:
    for name in ("apiclient_key.pem", "api_key.txt"):
        assert (told.parent / name).stat().st_mode & 0o077 == 0
