"""The order of layers holds: the contracts of .importlinter, and the doors of capabilities."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import grimp
import pytest
from importlinter import cli as import_linter

ROOT = Path(__file__).parents[2]
DOMAINS = ("core", "goods", "people", "place", "loop", "connectors", "models")
# A rule is a pure function of its inputs: these would make it something else.
IMPURE = ("sqlalchemy", "random", "time", "sanhe.core.clock", "sanhe.core.storage")


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("sanhe", include_external_packages=True, cache_dir=None)


def capability(module: str) -> str | None:
    """The capability a module belongs to: sanhe.goods.stock.rules -> sanhe.goods.stock."""
    parts = module.split(".")
    return ".".join(parts[:3]) if len(parts) >= 3 and parts[1] in DOMAINS else None


def imports() -> list[tuple[str, str]]:
    ours = [name for name in graph().modules if name.startswith("sanhe.")]
    return [
        (importer, imported)
        for importer in ours
        for imported in graph().find_modules_directly_imported_by(importer)
    ]


def entered_by_the_window(importer: str, imported: str) -> bool:
    """A module of another capability is imported past its package's façade."""
    home = capability(imported)
    return home is not None and imported != home and capability(importer) != home


def is_impure_rule(importer: str, imported: str) -> bool:
    if importer.rsplit(".", 1)[-1] != "rules":
        return False
    return imported.endswith(".store") or imported in IMPURE


def test_the_contracts_of_import_linter_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert import_linter.lint_imports(no_cache=True) == 0


def test_a_capability_is_entered_only_through_its_facade() -> None:
    wrong = [edge for edge in imports() if entered_by_the_window(*edge)]
    assert not wrong, f"import the package, not its inner module: {wrong}"


def test_the_check_of_doors_can_fail() -> None:
    assert entered_by_the_window("sanhe.goods.replenish.propose", "sanhe.goods.stock.store")
    assert not entered_by_the_window("sanhe.goods.stock.propose", "sanhe.goods.stock.store")
    assert not entered_by_the_window("sanhe.wiring", "sanhe.goods.stock")


def test_rules_import_no_clock_store_or_random() -> None:
    wrong = [edge for edge in imports() if is_impure_rule(*edge)]
    assert not wrong, f"pass what the rule needs as a parameter: {wrong}"


def test_the_check_of_rules_can_fail() -> None:
    assert is_impure_rule("sanhe.goods.stock.rules", "sanhe.goods.stock.store")
    assert is_impure_rule("sanhe.goods.stock.rules", "random")
    assert not is_impure_rule("sanhe.goods.stock.rules", "sanhe.core.values")
