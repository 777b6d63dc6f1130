"""The promise map in a browser: a table and a map of its own."""

from __future__ import annotations

import pytest

from tests.console.conftest import Desk
from tests.console.test_browser import LOOKS, open_page, settled, violations


def test_a_planner_reads_what_comes_in_time(desk: Desk) -> None:
    page = desk.signed_in("planner")
    open_page(page, f"{desk.address}/promises?hour=10")
    page.wait_for_selector("canvas")
    rows = page.locator("table.plain tbody tr")
    assert rows.count() >= 2 and "%" in rows.nth(0).inner_text()
    page.click("[aria-label=Window]")
    page.click(".ant-select-item >> text=Within 24 h")
    page.wait_for_url("**within=24**")
    page.wait_for_selector("text=Map: what comes within 24 h")
    assert not desk.complaints


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_page_is_whole_in_each_look(desk: Desk, language: str, dark: bool, width: int) -> None:
    page = desk.signed_in("planner", language=language, dark=dark, width=width)
    open_page(page, f"{desk.address}/promises?hour=10")
    page.wait_for_selector("canvas")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    assert not desk.complaints
    assert not desk.outside
