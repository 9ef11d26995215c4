"""Beats from a shell loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sdk.test_beats import agent


def beat(project: Path, *words: str, role: str = "CODER") -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "TEAMOPS_ROLE": role, "TEAMOPS_PROJECT": str(project)}
    return subprocess.run(
        [sys.executable, "-m", "teamops", "beat", *words],
        env=env,
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def rows(project: Path, role: str = "CODER") -> list[dict[str, Any]]:
    path = project / ".teamops" / "spool" / role / "shell.jsonl"
    said = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    return [{key: row[key] for key in row if key not in {"v", "t", "pid"}} for row in said]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), [{"kind": "beat"}]),
        (("still", "here"), [{"kind": "beat", "message": "still here"}]),
        (
            ("--status", "working", "--tokens=1200", "--cost", "0.25", "--tool-calls", "3", "--interval", "30"),
            [
                {
                    "kind": "beat",
                    "status": "working",
                    "tokens": 1200,
                    "tool_calls": 3,
                    "cost_usd": "0.25",
                    "interval_s": 30.0,
                }
            ],
        ),
        (("--begin",), [{"kind": "cycle-begin"}]),
        (("--end", "--tokens", "5"), [{"kind": "beat", "tokens": 5}, {"kind": "cycle-end"}]),
        (("--shutdown",), [{"kind": "shutdown", "grace_s": 60.0}]),
        (("--shutdown", "5"), [{"kind": "shutdown", "grace_s": 5.0}]),
        (("--role", "reviewer"), None),
    ],
)
def test_what_a_shell_loop_can_say(tmp_path: Path, words: tuple[str, ...], wanted: list[dict[str, Any]] | None) -> None:
    done = beat(tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert rows(tmp_path, "CODER" if wanted is not None else "REVIEWER") == (wanted or [{"kind": "beat"}])


def test_its_beats_are_the_loop_s_own(tmp_path: Path) -> None:
    beat(tmp_path)
    path = tmp_path / ".teamops" / "spool" / "CODER" / "shell.jsonl"
    assert json.loads(path.read_text())["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--tokens", "many"), "--tokens is a number"),
        (("--tokens", "-5"), "--tokens is a number"),
        (("--cost",), "--cost needs a value"),
        (("--nosuch",), "there is no option --nosuch"),
    ],
)
def test_wrong_use_is_said(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    done = beat(tmp_path, *words)
    assert done.returncode == 2
    assert why in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_is_there() -> None:
    assert beat(Path("/nowhere"), "--help").stdout.startswith("Usage: teamops beat")


def test_a_loop_without_a_role_or_a_place_is_not_broken(tmp_path: Path) -> None:
    done = beat(tmp_path, role="")
    assert (done.returncode, done.stdout) == (0, "")
    assert "beats go nowhere" in done.stderr


CRASH = """
    import sys
    def mine(kind, error, trace): sys.stderr.write("mine\\n")
    sys.excepthook = mine
    teamops.init("bot")
    {}
"""


def last(project: Path) -> dict[str, Any]:
    (path,) = (project / ".teamops" / "spool" / "CODER").glob("*.jsonl")
    row = json.loads(path.read_text().splitlines()[-1])
    return {key: row[key] for key in row if key not in {"v", "t", "pid"}}


def run(project: Path, code: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[3]
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "TEAMOPS_ROLE": "CODER",
        "TEAMOPS_PROJECT": str(project),
    }
    lines = "import teamops\n" + "\n".join(line.strip() for line in code.strip().splitlines())
    return subprocess.run(
        [sys.executable, "-c", lines], env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_last_error_is_told_and_done_with_as_before(tmp_path: Path) -> None:
    done = run(tmp_path, CRASH.format('raise ValueError("no\\n such  model")'))
    assert (done.returncode, done.stderr) == (1, "mine\n")
    assert last(tmp_path) == {"kind": "error", "status": "error", "message": "ValueError: no such model"}


def test_so_is_one_that_ends_a_thread(tmp_path: Path) -> None:
    thread = "import threading; teamops.init('bot'); t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()"
    done = run(tmp_path, thread)
    assert done.returncode == 0
    assert "ZeroDivisionError" in done.stderr
    assert last(tmp_path)["message"] == "ZeroDivisionError: division by zero"


def test_a_person_s_ctrl_c_is_no_error(tmp_path: Path) -> None:
    run(tmp_path, CRASH.format("raise KeyboardInterrupt"))
    assert last(tmp_path)["kind"] == "beat"


def test_a_cost_by_itself_is_a_beat(tmp_path: Path) -> None:
    assert agent(tmp_path, 'teamops.log_cost("0.25", tokens=7)') == ""
    assert last(tmp_path) == {"kind": "beat", "tokens": 7, "cost_usd": "0.25"}
