"""50,000 inputs for the HTTP API, by every role and a session: no fault, no false answer.

Half of the inputs are such as the OpenAPI document allows, half are not. Every answer is held
against the document: status, content type, schema.

    python -m bench.api_fuzz [--inputs 50000]
"""

import argparse
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from bench.results_file import write_results
from sanhe.core.settings import Settings
from sanhe.core.storage import start_server
from tests.web.conftest import prepared
from tests.web.fuzz import Headers, Tried, bombard, callers, operations

FEW, MANY = 4, 32


def few_or_many(
    client: TestClient, operation: Any, headers: Headers, *, seed: int, tried: Tried
) -> int:
    """How many inputs: few where the first ones show that this role may not do it at all."""
    before = tried.statuses.copy()
    bombard(client, operation, headers, inputs=FEW, seed=seed, tried=tried)
    return MANY if (tried.statuses - before).keys() - {401, 403} else FEW


def main() -> None:
    """Send the inputs and write bench/results/api_fuzz.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=50_000)
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="sanhe-fuzz-"))
    server = start_server(home)
    from sanhe.core.clock import SystemClock
    from sanhe.core.storage import Database

    Database.open(Settings(home=home), clock=SystemClock()).close()
    tried, began = Tried(), time.monotonic()
    for site in prepared(server, home / "site"):
        place = site.sanhe.demand.latest().keys["place"][0].as_py()
        with site.sanhe.work(actor="auditor") as work:
            supplier = work.suppliers.suppliers()["supplier"][0].as_py()
        admin, planner = site.signed_in("admin"), site.signed_in("planner")
        sent = callers(admin, planner, place=place, supplier=supplier)
        chosen, turn = operations(site.app.openapi()), 0
        # Entered, it keeps one event loop for all requests; alone it would make one for each.
        with TestClient(site.app, raise_server_exceptions=False) as client:
            while tried.inputs < asked.inputs:
                turn += 1
                for operation, headers in product(chosen, sent.values()):
                    inputs = few_or_many(client, operation, headers, seed=-turn, tried=tried)
                    bombard(client, operation, headers, inputs=inputs, seed=turn, tried=tried)
                print(f"{tried.inputs:,} inputs, {len(tried.faults)} faults", flush=True)
    server.close()
    figures = {
        "inputs": tried.inputs,
        "status_5xx": len(tried.faults),
        "schema_violations": len(tried.violations),
        "operations": len(chosen),
        "callers": len(sent),
        "by_status": {str(status): count for status, count in sorted(tried.statuses.items())},
        "seconds": round(time.monotonic() - began),
    }
    print(figures, *tried.faults[:10], *tried.violations[:20], sep="\n")
    print(f"written to {write_results('api_fuzz', figures)}")


if __name__ == "__main__":
    main()
