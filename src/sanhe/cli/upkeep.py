"""The command for what goes on by itself, where no server runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

import typer

from sanhe.cli.options import Home, Json, opened
from sanhe.cli.output import Output

if TYPE_CHECKING:
    from sanhe.wiring import UpkeepRun


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    app.command()(upkeep)


def upkeep(
    every: Annotated[
        float | None,
        typer.Option(min=0.1, help="Go on, with so many seconds in between, until Ctrl-C."),
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Do what goes on by itself: orders let go, prepared and told, couriers, payments, refunds.

    `sanhe serve` does it all the time; this is for where no server runs.
    """
    from sanhe.wiring import upkeep as run

    with opened(home) as sanhe:
        _show(Output(json), run(sanhe))
        pause = threading.Event()
        while every is not None and not pause.wait(every):
            _show(Output(json), run(sanhe))


def _show(output: Output, done: UpkeepRun) -> None:
    fulfil = done.orders.fulfil
    told = {
        "expired": done.orders.expired,
        "taken_up": fulfil.taken_up,
        "answered": len(fulfil.answered),
        "not_fetched": fulfil.released,
        "couriers_asked": fulfil.booked,
        "told": done.orders.told,
        "payments_found": done.payments.found,
        "refunded": done.payments.refunded,
        "points_over": done.loyalty.expired,
        "standings": done.loyalty.evaluated,
        "referrals": done.loyalty.referred,
        "forgotten": done.forgotten,
        "recipients_erased": done.erased,
    }
    busy = [f"{name.replace('_', ' ')} {count}" for name, count in told.items() if count]
    output.show(told, ", ".join(busy) or "nothing to do")
