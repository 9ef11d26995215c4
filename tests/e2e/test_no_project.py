"""Outside of a project every command that would tell of one says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "status --json",
        "alerts",
        "alerts --json",
        "alerts ack agent-dead CODER",
        "report",
        "report --format json",
    ],
)
def test_it_says_what_to_do_and_makes_nothing(tmp_path: Path, words: str) -> None:
    here, state = tmp_path / "here", tmp_path / "state"
    here.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "teamops", *words.split(), "-C", str(here), "--state-dir", str(state)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert f"there is no current.md and no teamops.toml in {here}" in done.stderr
    assert "teamops init" in done.stderr
    assert not state.exists()


def test_the_list_of_all_alerts_needs_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "teamops", "alerts", "--codes", "-C", str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert "agent-dead" in done.stdout
