"""The README's commands run, in their order, and say what it shows."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanhe.core.storage import EmbeddedServer

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
# A figure differs from run to run (times, ids, dates); words do not.
FIGURE = re.compile(r"\S*\d\S*")


def steps(page: str) -> list[tuple[str, list[str]]]:
    """The commands of sanhe on a page with the output shown below each.

    Of a line such as `python3 -m venv .venv && … && .venv/bin/sanhe demo` the last part counts:
    the environment that runs the tests stands for the one it makes.
    """
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:].split("&& ")[-1].removeprefix(".venv/bin/"), []))
            elif found:
                found[-1][1].append(line)
    return [(command, shown) for command, shown in found if command.startswith("sanhe ")]


def missing_words(shown: list[str], printed: str) -> list[str]:
    """Words of the shown output that the command did not print; `…` stands for anything."""
    said = set(re.split(r"\s+", printed))
    words = [word for line in shown for word in line.split() if word != "…"]
    return [word for word in words if not FIGURE.fullmatch(word) and word not in said]


PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md")))
    if steps(page.read_text(encoding="utf-8"))
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's own account can pass; pytest closes its folders to others."""
    made = Path(tempfile.mkdtemp(prefix="sanhe-readme-"))
    yield made
    EmbeddedServer.stop(made / "home")
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page: Path, folder: Path) -> None:
    commands = steps(page.read_text(encoding="utf-8"))
    environment = {
        **os.environ,
        "SANHE_HOME": str(folder / "home"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "160",
    }
    for command, shown in commands:
        if "$SANHE_DATA" in command:
            break  # what follows needs a public data set; bench/ runs it
        ended = subprocess.run(
            shlex.split(command),
            capture_output=True,
            text=True,
            cwd=folder,
            env=environment,
            timeout=1200,
            check=False,
        )
        assert ended.returncode == 0, f"{command}: {ended.stderr}"
        assert not missing_words(shown, ended.stdout), f"{command}\n{ended.stdout}"


def test_the_check_of_shown_output_can_fail() -> None:
    assert missing_words(["proposals written"], "nothing") == ["proposals", "written"]
    assert not missing_words(["312 proposals …"], "8 proposals and more")


def test_the_main_job_is_among_the_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert steps(readme)[0][0] == "sanhe demo"


def test_the_readme_names_its_test_command_for_ci() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    after = readme.split("<!-- test command -->")[1]
    assert after.lstrip().startswith("```console\n$ ")
