"""An import leaves no folder behind, not even when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sanhe.connectors.files.workspace import sweep, workspace
from sanhe.core.errors import BadInput
from tests.connectors.files.desk import HEADER, planned, written

HOLD = """
import sys
from pathlib import Path
from sanhe.connectors.files.workspace import workspace
with workspace() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def holder() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_the_folder_goes_with_the_plan(temporary: Path, tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER}\n2024-05-01,S1,A1,1,1\n")
    with planned(path):
        assert len(list(temporary.iterdir())) == 1
    assert list(temporary.iterdir()) == []


def test_the_folder_goes_when_the_file_is_refused(temporary: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        planned(written(tmp_path, "a,b\n1,2\n"))
    assert list(temporary.iterdir()) == []


def test_what_a_killed_import_left_is_swept_and_a_living_one_is_not(temporary: Path) -> None:
    living, kept = holder()
    killed, left = holder()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert kept.exists() and left.exists()
    sweep(temporary)
    assert kept.exists() and not left.exists()
    living.communicate("")
    assert not kept.exists()


def test_a_folder_made_this_moment_is_left_alone(temporary: Path) -> None:
    fresh = temporary / "sanhe-import-fresh"
    fresh.mkdir()
    sweep(temporary)
    assert fresh.exists()
    os.utime(fresh, (0, 0))
    with workspace() as folder:
        assert folder.exists() and not fresh.exists()
