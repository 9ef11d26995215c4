"""Standard output that takes nothing: one line says so, and the exit code is that of a command that failed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAID = "teamops: standard output can't be written: No space left on device\n"


def run(root: Path, words: str, stdout: int | None = None) -> subprocess.CompletedProcess[str]:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - the device
        return subprocess.run(
            [sys.executable, "-m", "teamops", *words.split()],
            cwd=root, stdout=full if stdout is None else stdout, stderr=subprocess.PIPE, text=True, check=False,
            timeout=60, env={"PATH": "/usr/bin:/bin", "HOME": str(root), "TEAMOPS_STATE_DIR": str(root / "state")},
        )  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "current.md").write_text("", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("words", ["check", "check --json", "check --nosuch"])
def test_a_monitor_hears_that_it_is_unknown(root: Path, words: str) -> None:
    done = run(root, words)
    assert (done.returncode, done.stderr) == (3, SAID)


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "status --json",
        "status --format tmux",
        "alerts",
        "alerts --codes",
        "handoff tasks",
        "--help",
        "--version",
    ],
)
def test_any_other_command_has_failed(root: Path, words: str) -> None:
    done = run(root, words)
    assert (done.returncode, done.stderr) == (1, SAID)


def test_a_refusal_is_said_as_ever(root: Path) -> None:
    done = run(root, "nosuch")
    assert done.returncode == 2
    assert done.stderr.startswith('teamops: there is no command "nosuch"')


def test_nothing_can_be_said_at_all(root: Path) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - the device
        done = subprocess.run(
            [sys.executable, "-m", "teamops", "check", "-C", str(root), "--state-dir", str(root / "state")],
            stdout=full, stderr=full, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 3


def test_a_reader_that_has_gone_is_no_trouble(root: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE) as gone:
        gone.wait(20)
        assert gone.stdin is not None
        done = run(root, "alerts --codes", gone.stdin.fileno())
    assert (done.returncode, done.stderr) == (0, "")
