"""The console is built when its sources changed, from a lock file that names no registry."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "frontend" / "console"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    pytest.importorskip("hatchling", reason="the build's own requirement")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hatch_build"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path, hook: ModuleType) -> Path:
    """A checkout whose console was just built."""
    sources = tmp_path / hook.SOURCES
    (sources / "src").mkdir(parents=True)
    (sources / "src" / "main.tsx").write_text("one", encoding="utf-8")
    (tmp_path / hook.BUILT).mkdir(parents=True)
    stamp = tmp_path / hook.BUILT / hook.STAMP
    stamp.write_text(hook.digest(tmp_path), encoding="ascii")
    return tmp_path


def test_a_console_of_these_sources_is_used_as_it_is(hook: ModuleType, checkout: Path) -> None:
    assert hook.is_fresh(checkout)
    hook.build(checkout)  # would need npm if it built


def test_changed_sources_are_built_anew(hook: ModuleType, checkout: Path) -> None:
    (checkout / hook.SOURCES / "src" / "main.tsx").write_text("two", encoding="utf-8")
    assert not hook.is_fresh(checkout)


def test_a_renamed_source_is_a_change(hook: ModuleType, checkout: Path) -> None:
    source = checkout / hook.SOURCES / "src" / "main.tsx"
    source.rename(source.with_name("other.tsx"))
    assert not hook.is_fresh(checkout)


def test_what_npm_downloads_is_no_source(hook: ModuleType, checkout: Path) -> None:
    downloaded = checkout / hook.SOURCES / "node_modules"
    downloaded.mkdir()
    (downloaded / "part.js").write_text("x", encoding="utf-8")
    assert hook.is_fresh(checkout)


def test_the_lock_file_names_checksums_and_no_address() -> None:
    lock = json.loads((CONSOLE / "package-lock.json").read_text(encoding="utf-8"))
    parts = {name: part for name, part in lock["packages"].items() if name}
    assert parts
    assert not [name for name, part in parts.items() if "resolved" in part]
    assert not [name for name, part in parts.items() if "integrity" not in part]


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
def test_both_languages_have_the_same_words_and_none_is_unused() -> None:
    ended = subprocess.run(
        ["node", "scripts/check-words.mjs"],
        cwd=CONSOLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
