"""How quick and how clean the console is in a browser, on a retailer of 50,000 lines.

The made-up retailer of `bench.plan_scale` is planned and laid out as in `bench.api_scale`, and the
console is served from the installed package's static files over HTTP, with what the server packs.
Chromium looks at it; each measure is repeated in fresh windows and its median kept.

    python -m bench.console [--lines 50000] [--times 5]

Figures: first_content_s (from the request of the address until the sign-in form is painted,
nothing cached); workbench_50k_rows_interactive_s (signed in, nothing cached, from the request until
rows are there and a key moves the focus); scroll_frame_ms_median (between two frames while the
grid runs through thousands of rows); route_change_ms (from the click in the menu until the next
page has its content, pages in turn; the pointer has been on the name for POINTED_MS, as people's
has, and the console has asked for the page's rows meanwhile), route_change_at_once_ms (likewise
with a click from nowhere); first_page_kb_gz (what the workbench's address brings over the
line but data), outside_requests, axe_violations (every page, both themes). `load` is the machine's
load average, as timings depend on it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.api_scale import laid_out
from bench.browser import Looker, looking, served, settle
from bench.plan_scale import given, planned
from bench.results_file import ROOT, Figure, write_results
from bench.showroom import PASSWORD
from sanhe.core.settings import Settings
from sanhe.goods.demand.store import save_run
from sanhe.wiring import Sanhe

AXE = ROOT / "frontend" / "console" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    *("cockpit", "workbench", "exceptions", "decisions", "orders", "items", "health"),
    *("forecast", "simulator", "imports", "admin"),
)
TOURED = ("Exceptions", "Inventory health", "Cockpit", "Replenishment", "Orders", "Decision log")
POINTED_MS = 150
FRAMES = """async () => {
  const box = document.querySelector('.paged-box'), gaps = [];
  let last = await new Promise(requestAnimationFrame);
  for (let at = 0; at < 120; at += 1) {
    box.scrollTop += 400;
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  return gaps;
}"""
PAINTED = """() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"""
# The click and the end are told by the page itself: no message to the bench lies between.
CHANGE = """(name) => new Promise((resolve) => {
  const link = [...document.querySelectorAll('nav a')].find((one) => one.textContent === name);
  const began = performance.now();
  const old = document.querySelector('[role=main] h1');
  const there = () => {
    const main = document.querySelector('[role=main]');
    const head = main.querySelector('h1');
    const waits = main.querySelector('.page-wait, .ant-skeleton-active, .paged-wait, .chart-wait');
    return head && head !== old && !waits;
  };
  const look = () => there()
    ? requestAnimationFrame(() => resolve(performance.now() - began))
    : requestAnimationFrame(look);
  link.click();
  look();
})"""


def first_content(looker: Looker) -> float:
    """Seconds until the first content of a first visit is painted."""
    with looker.window() as page:
        page.goto(looker.address)
        page.wait_for_selector("input[autocomplete=username]")
        formed: float = page.evaluate("performance.now()")
        return max(formed, float(page.evaluate(PAINTED) or 0)) / 1000


def interactive(looker: Looker) -> float:
    """Seconds until the workbench takes a key, in a window that has the session and no more."""
    with looker.window() as page:
        signed = page.request.post(
            f"{looker.address}/api/session", data={"name": "planner", "password": PASSWORD}
        )
        if not signed.ok:
            raise RuntimeError(signed.text())
        began = time.perf_counter()
        page.goto(f"{looker.address}/workbench", wait_until="commit")
        page.wait_for_selector("[data-row='0']")
        page.focus("[data-row='0']")
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("[data-row='1']:focus")
        return time.perf_counter() - began


def frames(looker: Looker) -> list[float]:
    """Milliseconds between the frames of a long scroll."""
    with looker.window() as page:
        looker.sign_in(page, "planner")
        page.goto(f"{looker.address}/workbench?status=all")
        page.wait_for_selector("[data-row='0']")
        settle(page)
        gaps: list[float] = page.evaluate(FRAMES)
        return gaps


def changes(looker: Looker, *, pointed: bool) -> list[float]:
    """Milliseconds of each change of page on a tour through the menu, seconds apart."""
    with looker.window() as page:
        looker.sign_in(page, "planner")
        settle(page)
        page.wait_for_timeout(2000)  # somebody reads the first page
        took = []
        for name in TOURED:
            if pointed:
                page.get_by_role("link", name=name, exact=True).hover()
                page.wait_for_timeout(POINTED_MS)
            took.append(float(page.evaluate(CHANGE, name)))
            page.wait_for_timeout(700)
        return took


def first_page_kb(looker: Looker) -> float:
    """Kilobytes over the line for the workbench's page, script, styles and words; no data."""
    with looker.window() as page:
        page.request.post(
            f"{looker.address}/api/session", data={"name": "planner", "password": PASSWORD}
        )
        asked: list[Any] = []

        def note(one: Any) -> None:  # Playwright marks what it calls; a list's method can't be
            asked.append(one)

        page.on("requestfinished", note)
        page.goto(f"{looker.address}/workbench")
        page.wait_for_selector(".chart canvas")
        brought = [one for one in asked if "/api/" not in one.url]
        return sum(int(one.sizes()["responseBodySize"]) for one in brought) / 1000


def violations(looker: Looker) -> list[str]:
    """What axe-core finds on every page in both themes."""
    axe, found = AXE.read_text(encoding="utf-8"), []
    for dark in (False, True):
        with looker.window(dark=dark) as page:
            looker.sign_in(page, "admin")
            for name in PAGES:
                page.goto(f"{looker.address}/{name}")
                settle(page)
                page.evaluate(axe)
                told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
                found += [f"{name}: {one['id']}" for one in told["violations"]]
    return found


def told_changes(tours: dict[str, list[list[float]]]) -> dict[str, Figure]:
    """The median of each way of changing the page, over all pages and by page."""
    told: dict[str, Figure] = {}
    for name, of in tours.items():
        told[f"{name}_ms"] = round(statistics.median(took for tour in of for took in tour))
        told[f"{name}_ms_by_page"] = {
            page: round(statistics.median(tour[at] for tour in of))
            for at, page in enumerate(TOURED)
        }
    return told


def measured(looker: Looker, times: int) -> dict[str, Figure]:
    """All figures of the pages at this address."""

    def medians(measure: Callable[[Looker], float]) -> float:
        took = [measure(looker) for _ in range(times)]
        print(measure.__name__, [round(one, 2) for one in took])
        return statistics.median(took)

    interactive(looker)  # the server's first: lists come into memory
    gaps = [gap for _ in range(times) for gap in frames(looker)]
    tours = {
        name: [changes(looker, pointed=pointed) for _ in range(times)]
        for name, pointed in (("route_change", True), ("route_change_at_once", False))
    }
    found = violations(looker)
    for one in found:
        print(one)
    return {
        "first_content_s": round(medians(first_content), 2),
        "workbench_50k_rows_interactive_s": round(medians(interactive), 2),
        "scroll_frame_ms_median": round(statistics.median(gaps), 1),
        "scroll_frame_ms_p95": round(statistics.quantiles(gaps, n=20)[-1], 1),
        **told_changes(tours),
        "first_page_kb_gz": round(medians(first_page_kb)),
        "axe_violations": len(found),
        "outside_requests": len(looker.outside),
    }


def main() -> None:
    """Measure and write bench/results/console.json."""
    parser = argparse.ArgumentParser(description="The console in a browser")
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    run, known = given(chosen.lines)
    with (
        tempfile.TemporaryDirectory(prefix="sanhe-b-") as home,
        Sanhe.open(Settings(home=Path(home))) as sanhe,
    ):
        planned(sanhe, run, known)
        laid_out(sanhe, known)
        save_run(sanhe.lake, run, data_stamp="")
        with sanhe.work(actor="admin") as work:
            for role in ("planner", "admin"):
                work.access.add(role, PASSWORD, roles=[role])
        with served(sanhe) as address, looking(address) as looker:
            figures = {
                "lines": run.keys.num_rows,
                "times": chosen.times,
                **measured(looker, chosen.times),
                "load": round(os.getloadavg()[0], 1),
            }
    for name, value in figures.items():
        print(f"{name}: {value}")
    print(f"written to {write_results('console', figures)}")


if __name__ == "__main__":
    main()
