"""Pictures of every page of the console, in both languages and themes: docs/screenshots.

    python -m bench.screenshots [--home FOLDER] [--only PAGE …]

They are made on the retailer of `bench.showroom`, in Chromium, with the console that is built in
this checkout. `--home` keeps the installation for the next time (making it takes some minutes).
Chinese needs a font on the machine (Debian: fonts-noto-cjk).
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from PIL import Image

from bench.browser import Looker, looking, served, settle
from bench.showroom import showroom

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
LANGUAGES = ("en", "zh-CN")
THEMES = ("light", "dark")
COLOURS = 256
LARGEST_BYTES = 200_000
PHONE = 390
DESK = 1440


@dataclass(frozen=True)
class Shot:
    """A page to be pictured: where it is, what it shows, who looks, what is waited for."""

    name: str
    path: str
    about: str
    account: str = "planner"
    phone: bool = False
    wait: str = ""


SHOTS = (
    Shot("cockpit", "/", "what to do now, and how the figures stand", phone=True),
    Shot("workbench", "/workbench", "the morning's proposals", phone=True, wait="[data-row='0']"),
    Shot(
        "line",
        "/workbench?sort=-value_cents&line={line}",
        "a proposal opened: its reason, arithmetic and history",
        wait=".terms tbody tr",
    ),
    Shot("exceptions", "/exceptions", "what needs somebody, by the money in it"),
    Shot("decisions", "/decisions", "what was proposed, decided and done"),
    Shot("orders", "/orders", "purchase orders and what has arrived", account="buyer"),
    Shot("sales", "/sales", "what shoppers ordered, and where it is", account="service"),
    Shot(
        "sale",
        "/sales?sale={sale}",
        "an order opened: lines, money, and why it comes from there",
        account="service",
        wait=".drawer-told .facts",
    ),
    Shot("store", "/store", "a store's tasks by time", "store", phone=True, wait=".card"),
    Shot(
        "pick",
        "/store?kind=pick&task={task}",
        "a store's task: collect an order by scan",
        "store",
        phone=True,
        wait=".ant-drawer-body button",
    ),
    Shot("returns", "/store?tab=returns", "goods that came back, looked at", "store", phone=True),
    Shot("promises", "/promises?hour=12", "what comes within 2, 24 and 48 hours", wait=".plain"),
    Shot("promotions", "/promotions", "what each promotion gives, and when", "growth"),
    Shot(
        "promotion",
        "/promotions?promotion=TEN",
        "a promotion opened",
        "pricing",
        wait=".drawer-told .facts",
    ),
    Shot("calendar", "/promotions?tab=calendar", "promotions over the weeks", "growth"),
    Shot("try", "/promotions?tab=try", "a basket tried: why not?", "service", phone=True),
    Shot("liability", "/members", "what members may still ask for", "growth", wait="canvas"),
    Shot(
        "member",
        "/members?member=M1035",
        "what a member has, and what happened to it",
        "service",
        phone=True,
        wait=".plain tbody tr",
    ),
    Shot("health", "/health", "where the money lies, how old it is, how long it lasts"),
    Shot("items", "/items?search=SKU-00&item=SKU-0012", "an item's price and stock", "service"),
    Shot("forecast", "/forecast", "what groups of items sell, and the weeks ahead"),
    Shot("league", "/forecast?tab=league", "how near each method came on days it had not seen"),
    Shot("overrides", "/forecast?tab=overrides", "what planners said otherwise, and its worth"),
    Shot("simulator", "/simulator?simulation={simulation}", "another policy on the past"),
    Shot("imports", "/imports", "files taken in, and what was refused"),
    Shot("admin", "/admin", "accounts, keys, places, jobs and the audit trail", account="admin"),
)


def pictures(looker: Looker, shots: tuple[Shot, ...], names: dict[str, str]) -> Iterator[str]:
    """Make the pictures of these pages; gives the name of each file that is written."""
    for language, theme in product(LANGUAGES, THEMES):
        for account in dict.fromkeys(shot.account for shot in shots):
            mine = [shot for shot in shots if shot.account == account]
            for width in (DESK, PHONE):
                wanted = [shot for shot in mine if width == DESK or shot.phone]
                if not wanted:
                    continue
                with looker.window(
                    language=language, dark=theme == "dark", width=width, height=900
                ) as page:
                    looker.sign_in(page, account)
                    for shot in wanted:
                        suffix = "-phone" if width == PHONE else ""
                        file = f"{shot.name}{suffix}-{language}-{theme}.png"
                        opened(page, looker.address + shot.path.format(**names), shot.wait)
                        write(page, FOLDER / file)
                        yield file


def opened(page: Any, address: str, wait: str) -> None:
    """Go to a page and wait until it is all there."""
    page.goto(address)
    settle(page)
    if wait:
        page.wait_for_selector(wait)
        settle(page)


def write(page: Any, path: Path) -> None:
    """The window as a PNG of few colours. Raises RuntimeError for one that is too large."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = seen.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise RuntimeError(f"{path.name} has {size:,} bytes; at most {LARGEST_BYTES:,}")


def names_in(looker: Looker, shots: tuple[Shot, ...]) -> dict[str, str]:
    """What the addresses need: the line with the most money, and a finished simulation."""
    simulation = ""
    with looker.window() as page:
        looker.sign_in(page, "planner")
        asked = "/api/workbench?status=ordered&sort=-value_cents&limit=1"
        rows = page.evaluate(f"fetch('{asked}').then(told => told.json())")["rows"]
        if any("{simulation}" in shot.path for shot in shots):
            page.goto(looker.address + "/simulator")
            page.click("button[type=submit]")
            page.wait_for_url("**simulation=**")
            page.wait_for_selector(".chart", timeout=900_000)
            simulation = page.evaluate("new URLSearchParams(location.search).get('simulation')")
    line = f"{rows[0]['place']}/{rows[0]['sku']}"
    return {"line": line, "simulation": simulation, **_in_the_store(looker)}


def _in_the_store(looker: Looker) -> dict[str, str]:
    """An order that a courier brings, and a task that waits to be picked."""
    sales = _rows(looker, "service", "sales?method=courier&state=paid")
    tasks = _rows(looker, "store", "store/tasks?kind=pick")
    return {"sale": str(sales[0]["number"]), "task": tasks[0]["id"]}


def _rows(looker: Looker, account: str, path: str) -> list[Any]:
    """A list as an account sees it."""
    with looker.window() as page:
        looker.sign_in(page, account)
        told = page.evaluate(f"fetch('/api/{path}').then(told => told.json())")
    return list(told["rows"])


def index(shots: tuple[Shot, ...]) -> str:
    """The page that lists the pictures."""
    lines = [
        "# The console in pictures",
        "",
        "Made by `make screenshots` on the demo's retailer after a fortnight of mornings.",
        "[What each page answers](../guide/console.md).",
        "",
        "| page | shows | English | 中文 |",
        "|---|---|---|---|",
    ]
    for shot in shots:
        for suffix in ("", "-phone") if shot.phone else ("",):
            cells = [
                " · ".join(
                    f"[{theme}]({shot.name}{suffix}-{language}-{theme}.png)" for theme in THEMES
                )
                for language in LANGUAGES
            ]
            name = f"{shot.name}, on a phone" if suffix else shot.name
            lines.append(f"| {name} | {shot.about} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the pictures and their index."""
    parser = argparse.ArgumentParser(description="Pictures of the console")
    parser.add_argument("--home", type=Path, help="keep the installation here")
    parser.add_argument("--only", nargs="*", default=[], help="these pages alone")
    chosen = parser.parse_args()
    shots = tuple(shot for shot in SHOTS if not chosen.only or shot.name in chosen.only)
    with tempfile.TemporaryDirectory(prefix="sanhe-p-") as folder:
        home = chosen.home or Path(folder)
        with showroom(home) as sanhe, served(sanhe) as address, looking(address) as looker:
            names = names_in(looker, shots)
            for file in pictures(looker, shots, names):
                print(file)
            if looker.outside or looker.complaints:
                raise RuntimeError(
                    f"asked of others, or failed: {looker.outside + looker.complaints}"
                )
    (FOLDER / "README.md").write_text(index(SHOTS), encoding="utf-8")


if __name__ == "__main__":
    main()
