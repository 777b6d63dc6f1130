"""A forecast that is killed leaves nothing half-written; asked again it is made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sanhe.core.facts import facts_table
from sanhe.core.lake import ParquetLake, write_facts
from sanhe.goods.demand import Demand
from tests.goods.demand.facts_of import day
from tests.goods.demand.test_forecast import DAYS, shops

FORECAST = """
import sys, time
from pathlib import Path
from sanhe.core.lake import ParquetLake
from sanhe.goods.demand import Demand
from tests.goods.demand.facts_of import day
from tests.goods.demand.test_forecast import DAYS

def tell(what, share):
    print(what, flush=True)
    if what == sys.argv[2]:
        time.sleep(60)  # here it is killed

Demand(ParquetLake(Path(sys.argv[1]))).forecast(day(DAYS), 7, progress=tell)
"""


@pytest.fixture
def lake(tmp_path: Path) -> ParquetLake:
    lake = ParquetLake(tmp_path / "lake")
    write_facts(lake, facts_table(shops()))
    return lake


@pytest.mark.parametrize(
    ("at", "kept"),
    # The last one is the control: killed after the run was kept, the run is there.
    [("building the panel", 0), ("forecast made", 0), ("forecast ready", 1)],
)
def test_a_killed_forecast_leaves_all_or_nothing(
    lake: ParquetLake, tmp_path: Path, at: str, kept: int
) -> None:
    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(root), *sys.path])
    child = subprocess.Popen(
        [sys.executable, "-c", FORECAST, str(tmp_path / "lake"), at],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            if line.strip() == at:
                break
        else:
            pytest.fail(f"the forecast ended before {at}")
        os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    runs = [name for name in lake.tables() if name.startswith("forecast/")]
    assert len(runs) == kept
    run = Demand(lake).forecast(day(DAYS), 7)
    assert Demand(lake).latest().id == run.id
    assert (Demand(ParquetLake(tmp_path / "lake")).run(run.id).mean == run.mean).all()
    if kept:
        assert runs == [f"forecast/{run.id}"]
