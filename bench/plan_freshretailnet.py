"""Speed: forecast every series of a FreshRetailNet file and keep proposals with arithmetic.

A fresh home in a temporary folder; the file is imported through the product's own door by a
process of its own; then `sanhe plan` is timed: lake brought up to date, panel, forecast,
proposals as decisions in the database. Planning once more must propose nothing.

    python -m bench.plan_freshretailnet --data train_daily.parquet

Figures: seconds (without the import), peak_rss_mb (of the planning process), proposals; also
import_seconds, cpu_seconds, server_rss_mb, the seconds and the peak memory after each step, those
of planning again, and the load of the machine (processes wanting a core) when it began.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.results_file import Figure, write_results
from sanhe.core.settings import Settings
from sanhe.wiring import ImportRequest, PlanRequest, Sanhe, import_file, plan

ACTOR = "benchmark"
HORIZON_DAYS = 14
PLANNED_SECONDS, PLANNED_MB = 240, 4096


def main() -> None:
    """Run the benchmark and write bench/results/plan_freshretailnet.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a FreshRetailNet Parquet file")
    parser.add_argument("--home", type=Path, help="a home with the file imported; made if absent")
    parser.add_argument("--import-only", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if not chosen.data.is_file():
        parser.error(f"{chosen.data} is not a file; give the path of train_daily.parquet")
    if chosen.import_only:
        bring_in(chosen.home, chosen.data)
        return
    with tempfile.TemporaryDirectory(prefix="sanhe-") as folder:
        home = chosen.home or Path(folder) / "home"
        figures: dict[str, Figure] = {}
        if not home.exists():
            begun = time.perf_counter()
            bring_in_apart(home, chosen.data)
            figures["import_seconds"] = round(time.perf_counter() - begun, 1)
        figures = {**measure(home), **figures}
    print(f"written to {write_results('plan_freshretailnet', figures)}")


def bring_in_apart(home: Path, data: Path) -> None:
    """Import in a process of its own, so that its memory is not counted as the plan's."""
    command = [sys.executable, "-m", "bench.plan_freshretailnet", "--import-only"]
    subprocess.run([*command, "--home", str(home), "--data", str(data)], check=True)


def bring_in(home: Path, data: Path) -> None:
    """Import the file by the shipped mapping."""
    with Sanhe.open(Settings(home=home)) as sanhe:
        request = ImportRequest(path=data, mapping="freshretailnet")
        done = import_file(sanhe, request, actor=ACTOR)
        print(f"imported {done.new:,} facts", flush=True)


def measure(home: Path) -> dict[str, Figure]:
    """Plan twice; the second time nothing may be proposed."""
    steps, load = Steps(), os.getloadavg()[0]
    with Sanhe.open(Settings(home=home)) as sanhe, ServerMemory(home) as server:
        begun, cpu = time.perf_counter(), time.process_time()
        request = PlanRequest(horizon_days=HORIZON_DAYS)
        planned = plan(sanhe, request, actor=ACTOR, report=steps)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        steps.done()
        peak_mb = own_peak_mb()
        begun = time.perf_counter()
        again = plan(sanhe, request, actor=ACTOR)
        again_seconds = time.perf_counter() - begun
    if again.plan.proposed or again.forecast_run != planned.forecast_run:
        sys.exit(f"planning again proposed {again.plan.proposed} lines; it must propose none")
    proposals = planned.plan.proposed
    print(
        f"{planned.series:,} series, {proposals:,} proposals in {seconds:.0f} s"
        f" (planned: under {PLANNED_SECONDS}), {peak_mb:.0f} MB (under {PLANNED_MB})"
    )
    return {
        "seconds": round(seconds, 1),
        "peak_rss_mb": round(peak_mb),
        "proposals": proposals,
        "series": planned.series,
        "horizon_days": HORIZON_DAYS,
        "cpu_seconds": round(cpu, 1),
        "server_rss_mb": round(server.peak_mb),
        "again_seconds": round(again_seconds, 1),
        "no_order_needed": planned.plan.no_order_needed,
        "load_before": round(load, 1),
        "step_seconds": steps.seconds,
        "step_peak_mb": steps.peak_mb,
        "notes": "; ".join(planned.notes),
    }


def own_peak_mb() -> float:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Steps:
    """A report that times the steps it is told of."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peak_mb: dict[str, float] = {}
        self._now, self._since = "", time.perf_counter()

    def __call__(self, what: str, _done: int, _total: int) -> None:
        """Begin another step when its name differs."""
        if what != self._now:
            self.done()
            self._now = what

    def done(self) -> None:
        """Close the step under way."""
        moment = time.perf_counter()
        if self._now:
            spent = self.seconds.get(self._now, 0.0) + moment - self._since
            self.seconds[self._now] = round(spent, 2)
            self.peak_mb[self._now] = round(own_peak_mb())
            print(f"  {self._now}: {spent:.1f} s, peak {own_peak_mb():.0f} MB", flush=True)
        self._now, self._since = "", moment


class ServerMemory:
    """The peak memory of the embedded server's processes, each page counted once (PSS)."""

    def __init__(self, home: Path) -> None:
        self._home, self.peak_mb = str(home), 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "ServerMemory":
        self._thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(1.0):
            self.peak_mb = max(self.peak_mb, sum(map(_pss_mb, self._processes())))

    def _processes(self) -> list[Path]:
        """The server that works in this home, and its children."""
        heads = list(Path(self._home).glob("**/postmaster.pid"))
        pids = {head.read_text().split()[0] for head in heads}
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            text = _read(stat)
            parent = text.rpartition(")")[2].split()[1:2]
            if stat.parent.name in pids or (parent and parent[0] in pids):
                found.append(stat.parent)
        return found


def _pss_mb(process: Path) -> float:
    for line in _read(process / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _read(path: Path) -> str:
    """A file of /proc; empty when the process is gone or not ours to look into."""
    try:
        return path.read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
