"""Prints the OpenAPI document: what the console's client is generated from.

python -m sanhe.web.openapi > openapi.json
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sanhe.core.clock import FixedClock
from sanhe.core.settings import Settings


def document() -> dict[str, Any]:
    """The OpenAPI document of this version; no installation is opened."""
    from sanhe.core.lake import MemoryLake
    from sanhe.web.app import make_app
    from sanhe.wiring import Sanhe

    clock = FixedClock(datetime(2024, 1, 1, tzinfo=UTC))
    closed = cast(Any, None)  # the document asks nothing of a database
    sanhe = Sanhe(Settings(home=Path()), clock, closed, cast(Any, MemoryLake(clock)))
    return make_app(sanhe).openapi()


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
    sys.stdout.write("\n")
