"""The generated pages say what the code says."""

from __future__ import annotations

from pathlib import Path

from sanhe.cli.app import EXIT_CODES
from sanhe.cli.reference import all_commands, commands_page
from sanhe.cli.systems import answers, map_page
from sanhe.core.errors import SanheError

DOCS = Path(__file__).parents[2] / "docs"


def test_the_map_is_true() -> None:
    assert (DOCS / "map.md").read_text(encoding="utf-8") == map_page(answers()), "run: make docs"


def test_the_commands_page_is_true() -> None:
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert page == commands_page(), "run: make docs"


def test_every_command_is_explained_and_takes_json() -> None:
    for name, command in all_commands().items():
        assert command.help, f"{name} has no help"
        flags = {flag for option in command.params for flag in option.opts}
        assert "--json" in flags, f"{name} has no --json"


def test_every_exit_code_has_a_meaning() -> None:
    assert set(EXIT_CODES) == {0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12}, "codes are never given anew"
    classes = SanheError.__subclasses__()
    assert len({error.exit_code for error in classes}) == len(classes)
    assert all(EXIT_CODES.values())


def test_links_between_pages_lead_somewhere() -> None:
    import re

    root = DOCS.parent
    pages = [*DOCS.rglob("*.md"), root / "README.md", root / "CONTRIBUTING.md"]
    broken = [
        f"{page.relative_to(root)} -> {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken, broken
