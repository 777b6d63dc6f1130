"""The control of the races: a shop that reads, thinks and writes in two transactions.

Served like sanhe, on the same database and ledger, with accounts that have no floor. Asked as
often at once as sanhe is, it sells what it has not got. If it doesn't, the load is no race and
shows nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

import orjson
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from bench.http_load import Request, fire, serving
from sanhe.core.clock import SystemClock
from sanhe.core.ledger import Account, PostgresLedger, Transfer
from sanhe.core.settings import Settings
from sanhe.core.storage import Database
from sanhe.core.values import new_id

LIES: Final = 5
WANTED: Final = 100
_NAME: Final = "bench.race_naive"


class Wish(BaseModel):
    """One unit of what lies on a shelf."""

    shelf: str


def make_naive(database: Database) -> FastAPI:
    """The shop: POST /orders gives one unit, or 409 where none is left to be seen."""
    app = FastAPI()

    @app.post("/orders", status_code=201)
    def order(wish: Wish) -> dict[str, str]:
        with database.transaction(actor="naive") as tx:
            left = PostgresLedger(tx).balances([wish.shelf])[wish.shelf].available
        if left < 1:
            raise HTTPException(409, "sold out")
        made = new_id()
        with database.transaction(actor="naive") as tx:
            at = tx.clock.now()
            moved = Transfer(made, wish.shelf, "naive.sold", 1, "sale", f"order/{made}", at)
            PostgresLedger(tx).transfer([moved])
        return {"id": str(made)}

    return app


def naive_oversold(settings: Settings, attempts: int) -> int:
    """The units that the naive shop sold beyond what it had, after so many attempts."""
    shelves = [f"naive.shelf/{number}" for number in range(max(attempts // WANTED, 1))]
    with Database.open(settings, clock=SystemClock()) as database:
        _fill(database, shelves)
        with serving(settings, module=_NAME) as address:
            wishes = [shelves[n * len(shelves) // attempts] for n in range(attempts)]
            fire(address, (Request("/orders", orjson.dumps({"shelf": one})) for one in wishes))
        with database.transaction(actor="auditor") as tx:
            left = PostgresLedger(tx).balances(shelves)
    return sum(max(-one.posted, 0) for one in left.values())


def _fill(database: Database, shelves: Sequence[str]) -> None:
    with database.transaction(actor="naive") as tx:
        ledger, at = PostgresLedger(tx), tx.clock.now()
        codes = ["naive.world", "naive.sold", *shelves]
        ledger.open_accounts(Account(code, "each:naive") for code in codes)
        ledger.transfer(
            Transfer(new_id(), "naive.world", shelf, LIES, "count", "naive", at)
            for shelf in shelves
        )


def main() -> None:
    """Serve the naive shop; see `bench.http_load.serving`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("serve")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    settings = Settings.from_environment()
    with Database.open(settings, clock=SystemClock()) as database:
        uvicorn.run(make_naive(database), port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
