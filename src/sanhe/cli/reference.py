"""Writes the generated pages: docs/map.md and docs/reference/commands.md.

`python -m sanhe.cli.reference` from the project's folder; a test holds the pages true.
"""

from __future__ import annotations

from pathlib import Path

import click
import typer

from sanhe.cli.systems import answers, map_page


def commands_page() -> str:
    """The text of docs/reference/commands.md: every command with its options and exit codes."""
    from sanhe.cli.app import EXIT_CODES, app

    group = typer.main.get_command(app)
    assert isinstance(group, click.Group)
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
    for name in sorted(group.commands):
        lines += _command(name, group.commands[name])
    return "\n".join(lines).rstrip() + "\n"


def _command(name: str, command: click.Command) -> list[str]:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option)]
    usage = " ".join(["sanhe", name, *(p.make_metavar(click.Context(command)) for p in arguments)])
    lines = [f"## sanhe {name}", "", (command.help or "").strip(), "", f"`{usage}`", ""]
    shown = [option for option in options if not option.hidden]
    if shown:
        lines += ["| option | meaning |", "| --- | --- |"]
        for option in shown:
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
