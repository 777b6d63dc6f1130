"""The flash sale in small: exactly as many orders as there are units, whoever is turned away."""

from __future__ import annotations

from bench.flash_sale import over_http
from sanhe.core.settings import Settings


def test_a_sale_over_http_gives_what_there_is(database_settings: Settings) -> None:
    figures = over_http(database_settings, 30, 300).figures
    assert (figures["http_orders"], figures["status_5xx"]) == (30, 0)
    assert figures["http_attempts"] >= 300
