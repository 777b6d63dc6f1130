"""The command that serves the console and the API."""

from __future__ import annotations

from typing import Annotated

import typer

from sanhe.cli.options import Home, Json, opened
from sanhe.cli.output import Output


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(serve)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port.")] = 8000,
    passwords: Annotated[
        bool,
        typer.Option("--passwords", help="Take names and passwords, whatever the settings say."),
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Serve the console and the HTTP API; it listens to this machine alone until told otherwise."""
    from sanhe.web import serve as run

    address = f"http://{host}:{port}"

    def ready() -> None:
        Output(json).show({"address": address}, f"sanhe is at {address} (end it with Ctrl-C)")

    with opened(home) as sanhe:
        run(sanhe, host=host, port=port, passwords=passwords, ready=ready)
