"""Where a benchmark leaves its figures: bench/results/NAME.json."""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]

Row = dict[str, float | int | str | None]
Figure = float | int | str | None | list[float] | dict[str, float] | list[Row]


def write_results(name: str, figures: Mapping[str, Figure], folder: Path = RESULTS) -> Path:
    """Write the figures with date, machine and commit; returns the file.

    The file is put in place whole, so that a reader never sees half of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    body = {
        "name": name,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "commit": commit(),
        "figures": dict(figures),
    }
    draft = path.with_suffix(".json.new")
    draft.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def machine() -> str:
    """Processor, cores, memory and Python: what a timing depends on."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores,"
        f" {pages / 2**30:.0f} GiB, Python {platform.python_version()}"
    )


def commit() -> str:
    """The commit the figures were made with, marked when files differ from it."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
