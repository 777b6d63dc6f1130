"""The guide's example runs as printed."""

from __future__ import annotations

import re
from pathlib import Path

from sanhe.sim import tiny_world

GUIDE = Path(__file__).parents[2] / "docs/guide/simulate.md"


def test_the_python_example_runs() -> None:
    found = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    # The tiny retailer stands in for the demo's, in one process, so that the test is quick.
    code = found[1].replace("workers=2", "workers=1").replace("weeks=8", "weeks=5")
    names: dict[str, object] = {}
    exec(code.replace("demo_world(", "tiny_world("), {"tiny_world": tiny_world}, names)
    assert set(names) >= {"told", "world", "history", "facts"}
