"""50,000 inputs for every operation of the HTTP API, by every role: no fault, no false answer.

Half of the inputs are such as the OpenAPI document allows, half are not. Every answer is held
against the document: status, content type, schema.

    python -m bench.api_fuzz [--inputs 50000]
"""

import argparse
import tempfile
import time
from pathlib import Path

from bench.results_file import write_results
from sanhe.core.settings import Settings
from sanhe.core.storage import start_server
from tests.web.conftest import prepared
from tests.web.fuzz import Tried, bombard, keys_by_role, operations


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
        keys = dict(keys_by_role(site.signed_in("admin"), place, supplier))
        client, chosen, turn = site.anybody(), operations(site.app.openapi()), 0
        each = 32
        while tried.inputs < asked.inputs:
            turn += 1
            for operation in chosen:
                for key in keys.values():
                    bombard(client, operation, key, inputs=each, seed=turn, tried=tried)
            print(f"{tried.inputs:,} inputs, {len(tried.faults)} faults", flush=True)
    server.close()
    figures = {
        "inputs": tried.inputs,
        "status_5xx": len(tried.faults),
        "schema_violations": len(tried.violations),
        "operations": len(chosen),
        "roles": len(keys),
        "by_status": {str(status): count for status, count in sorted(tried.statuses.items())},
        "seconds": round(time.monotonic() - began),
    }
    print(figures, *tried.faults[:10], *tried.violations[:20], sep="\n")
    print(f"written to {write_results('api_fuzz', figures)}")


if __name__ == "__main__":
    main()
