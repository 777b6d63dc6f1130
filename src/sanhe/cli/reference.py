"""Writes the generated pages: docs/map.md and docs/reference/commands.md.

`python -m sanhe.cli.reference` from the project's folder; a test holds the pages true.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from sanhe.cli.systems import answers, map_page


def commands_page() -> str:
    """The text of docs/reference/commands.md: every command with its options and exit codes."""
    from sanhe.cli.app import EXIT_CODES

    commands = all_commands()
    lines = [
        "# Commands",
        "",
        "Made by `make docs` from the command line itself. Every command takes `--json` and",
        "`--home`; results go to stdout, progress and errors to stderr.",
        "",
        "| exit code | meaning |",
        "| --- | --- |",
        *(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()),
        "",
    ]
    for name in sorted(commands):
        lines += _command(name, commands[name])
    return "\n".join(lines).rstrip() + "\n"


def all_commands() -> dict[str, Any]:
    """The application's commands by name; one of a group is named with it: "run daily"."""
    from sanhe.cli.app import app

    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            found |= {f"{name} {below}": one for below, one in command.commands.items()}
        else:
            found[name] = command
    return found


def _command(name: str, command: Any) -> list[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    names = [p.name.upper() if p.required else f"[{p.name.upper()}]"
             for p in arguments]  # fmt: skip
    lines = [f"## sanhe {name}", "", (command.help or "").strip(), ""]
    lines += [f"`{' '.join(['sanhe', name, *names])}`", ""]
    if options:
        lines += ["| option | meaning |", "| --- | --- |"]
        for option in options:
            flags = ", ".join(option.opts + option.secondary_opts)
            lines.append(f"| `{flags}` | {(option.help or '').strip()} |")
        lines.append("")
    return lines


def main() -> None:
    """Write both pages below the present folder's docs."""
    docs = Path("docs")
    (docs / "reference").mkdir(parents=True, exist_ok=True)
    (docs / "map.md").write_text(map_page(answers()), encoding="utf-8")
    (docs / "reference" / "commands.md").write_text(commands_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
