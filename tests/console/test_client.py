"""The console's API client is that of this server."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

SCHEMA = Path(__file__).parents[2] / "frontend" / "console" / "src" / "api" / "schema.d.ts"


def test_the_client_was_made_from_this_openapi_document() -> None:
    document = subprocess.run(
        [sys.executable, "-m", "sanhe.web.openapi"], capture_output=True, check=True
    ).stdout
    head = SCHEMA.read_text(encoding="utf-8").splitlines()[0]
    made_from = re.search(r"[0-9a-f]{64}", head)
    assert made_from, head
    assert made_from[0] == hashlib.sha256(document).hexdigest(), "run: make client"
