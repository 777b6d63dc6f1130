"""Commands that look after the installation: doctor, where, backup, restore, verify, version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sanhe import __version__
from sanhe.cli.options import Home, Json, opened, settings
from sanhe.cli.output import Output, table


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (doctor, where, backup, restore, verify, version):
        app.command()(command)


def doctor(home: Home = None, json: Json = False) -> None:
    """Examine machine, parts, disk, database and clock, with a remedy for what is wrong."""
    from sanhe.cli.doctor import examine

    findings = list(examine(settings(home)))
    rows = [
        ("ok" if f.well else "mend", f.name, f.detail, "" if f.well else f.remedy) for f in findings
    ]
    Output(json).show(findings, table("", ("", "what", "found", "remedy"), rows))
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def where(
    question: Annotated[str, typer.Argument(help="A system, in English, Chinese or S-number.")],
    json: Json = False,
) -> None:
    """Tell which part answers a question such as "dynamic pricing", and its commands."""
    from sanhe.cli.systems import answers, search

    built = answers()
    found = []
    for system in search(question, built):
        mine = [answer for answer in built if system.number in answer.systems]
        found.append(
            {
                "system": system.number,
                "name": f"{system.english} {system.chinese}",
                "packages": [answer.package for answer in mine],
                "commands": sorted({c for answer in mine for c in answer.commands}),
            }
        )
    output = Output(json)
    if not found:
        output.show([], f"Nothing fits {question!r}. All systems are listed in docs/map.md.")
        raise typer.Exit(3)
    rows = [
        (
            f["system"],
            f["name"],
            ", ".join(f["packages"]) or "not built",
            ", ".join(f["commands"]) or "–",
        )
        for f in found
    ]
    output.show(found, table("", ("system", "name", "package", "commands"), rows))


def backup(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Save the database and the lake, with a checksum for every file.

    The keys of personal data are not among them: see `sanhe persons save-keys`.
    """
    with opened(home) as sanhe:
        saved = sanhe.backup(folder)
    Output(json).show(saved, f"saved {len(saved.files)} files to {folder}")


def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `sanhe backup` made.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Bring a backup back into an empty home; refuses one that holds data.

    Personal data in it is read once `sanhe persons load-keys` has brought its keys back.
    """
    from sanhe.wiring import Sanhe

    restored = Sanhe.restore(settings(home), folder)
    Output(json).show(restored, f"restored {len(restored.files)} files from {folder}")


def verify(
    folder: Annotated[
        Path | None, typer.Argument(help="A backup to check instead of the live data.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Check ledger, stock and the lake's files, then seal the ledger; or a backup's checksums."""
    from sanhe.core.storage import check_backup

    if folder is not None:
        saved = check_backup(folder)
        Output(json).show(saved, f"{len(saved.files)} files of {folder} match their checksums")
        return
    with opened(home) as sanhe:
        verified = sanhe.verify()
    Output(json).show(
        verified, table("all in order", ("checked", "result"), list(verified.items()))
    )


def version(json: Json = False) -> None:
    """Print the version."""
    Output(json).show({"version": __version__}, f"sanhe {__version__}")
