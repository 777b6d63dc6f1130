"""The application: all commands, and one place where every refusal becomes a line and a code.

Results go to stdout, progress and errors to stderr. Every command takes `--json`. The exit code
is 0 when all went well; otherwise it is the code of the error's class (see `EXIT_CODES`).
"""

from __future__ import annotations

import json
import logging
import sys
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from sanhe.cli import (
    access,
    changes,
    daily,
    data,
    deciding,
    devices,
    forecasting,
    health,
    keeping,
    membership,
    persons,
    planning,
    promoting,
    replaying,
    sales,
    serving,
    trying,
    upkeep,
)
from sanhe.core.errors import SanheError

EXIT_CODES = {0: "all went well", 1: "sanhe refused or could not do it"} | {
    error.exit_code: (error.__doc__ or "").split("\n")[0]
    for error in sorted(SanheError.__subclasses__(), key=lambda error: error.exit_code)
}

app = typer.Typer(
    name="sanhe",
    help="Sanhe 三合: from a retailer's files to explained, approved orders.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for verbs in (
    trying,
    replaying,
    data,
    planning,
    daily,
    forecasting,
    health,
    deciding,
    changes,
    keeping,
    access,
    devices,
    promoting,
    sales,
    membership,
    persons,
    serving,
    upkeep,
):
    verbs.register(app)


def main() -> None:
    """Run the command line; every refusal is one clear line and an exit code."""
    # A failed job is told as the refusal it is; the queue's own log would repeat it.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    try:
        app()
    except SanheError as error:
        _refuse(error, exit_code=error.exit_code)
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        remedy = "check that it exists, that you may use it and that the disk has room"
        _refuse(error, f"{place}{error.strerror or error} ({remedy})")
    except _database_errors() as error:
        # The first line says what; the rest is the statement.
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        _refuse(error, f"the database failed: {said} (see `sanhe doctor`, then run this again)")


def _database_errors() -> tuple[type[Exception], ...]:
    """Asked for only when something has failed: the drivers are slow to import."""
    from sanhe.core.storage import database_errors

    return database_errors()


def _refuse(error: Exception, message: str = "", exit_code: int = 1) -> NoReturn:
    message = message or str(error)
    if "--json" in sys.argv:
        refusal = {"error": type(error).__name__, "message": message, "exit": exit_code}
        print(json.dumps({"refused": refusal}, ensure_ascii=False), file=sys.stderr)  # noqa: T201
    else:
        Console(stderr=True, soft_wrap=True, highlight=False, emoji=False).print(
            Text.assemble(("sanhe:", "bold red"), " ", message)
        )
    sys.exit(exit_code)
