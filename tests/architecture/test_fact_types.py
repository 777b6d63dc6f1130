"""A fact type names the packages that write and read it, and names them rightly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

import sanhe
from sanhe.core.facts import FactType
from sanhe.wiring import FACT_TYPES

ROOT = Path(sanhe.__file__).parent
CAPABILITIES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts)
    for path in [*ROOT.glob("*/*/__init__.py"), ROOT / "sim" / "__init__.py"]
)
TYPES = {published.name: published for published in FACT_TYPES}


def mentions(package: str, published: FactType) -> Iterator[Path]:
    """The files of a package that speak of a type: by its name, or by its table in the lake.

    Where it is defined is left aside, and so is prose: in Python and TOML names are quoted.
    """
    either = published.name.replace(".", "[._]")
    name = {".sql": re.compile(rf"\b{either}\b")}
    name[".py"] = name[".toml"] = re.compile(f"[\"']{either}[\"']")
    defined = re.compile(rf'FactType\(\s*(name=)?"{re.escape(published.name)}"')
    for path in sorted((ROOT / package.replace(".", "/")).rglob("*")):
        if path.suffix in name:
            text = path.read_text(encoding="utf-8")
            if name[path.suffix].search(text) and not defined.search(text):
                yield path


def faults(published: FactType) -> list[str]:
    """What is wrong with the writers and readers of a type."""
    found = []
    for role, packages in (("writer", published.writers), ("reader", published.readers)):
        if not packages:
            found.append(f"no {role}")
        for package in packages:
            if find_spec(f"sanhe.{package}") is None:
                found.append(f"{role} {package} is no package")
                continue
            files = {path.name for path in mentions(package, published)}
            # SQL only reads facts: they are recorded by their name.
            if role == "writer":
                files = {name for name in files if name != "store.py" and name[-4:] != ".sql"}
            if not files:
                found.append(f"{role} {package} never speaks of it")
    named = {*published.writers, *published.readers}
    for package in CAPABILITIES:
        if package not in named and any(mentions(package, published)):
            found.append(f"{package} speaks of it and is neither writer nor reader")
    return found


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_type_has_the_writers_and_readers_it_names(name: str) -> None:
    assert faults(TYPES[name]) == []


def test_the_owner_publishes_its_own_types() -> None:
    for published in FACT_TYPES:
        assert find_spec(f"sanhe.{published.owner}") is not None, published.name


def test_wrong_lists_are_found() -> None:
    sale = TYPES["sale.day"]
    assert faults(replace(sale, writers=())) == [
        "no writer",
        "connectors.files speaks of it and is neither writer nor reader",
        "sim speaks of it and is neither writer nor reader",
    ]
    assert "no reader" in faults(replace(sale, readers=()))
    assert faults(replace(sale, writers=(*sale.writers, "nowhere"))) == [
        "writer nowhere is no package"
    ]
    assert faults(replace(sale, readers=(*sale.readers, "core.ledger"))) == [
        "reader core.ledger never speaks of it"
    ]
    closed = TYPES["purchase.closed"]
    assert faults(replace(closed, writers=("goods.suppliers", "sim"))) == [
        "writer goods.suppliers never speaks of it"
    ]
