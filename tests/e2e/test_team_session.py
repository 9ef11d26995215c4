"""An agent's session over its lives: the same one after a stop, after its death, and after a supervisor's restart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from teamops.effects.confine import means
from teamops.tmux.ending import is_alive
from tests.e2e.test_team import Team, until

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

CLIENT = Path(__file__).with_name("fake_claude.py")
TOML = """\
project = "shop"

[tmux]
socket_path = "s"

[notify]
desktop = false

[stop]
grace_s = "3s"

[sandbox]
write = ["../logs"]

[roles.CODER]
client = "claude"
command = {command}
env = {env}
"""


class OneAgent(Team):
    """A team of one, whose client keeps its session."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        program = folder / "claude"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {CLIENT} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        self.file = folder / "logs" / "starts"
        env = f'{{ HOME = "{folder}", STARTS = "{self.file}" }}'
        text = TOML.format(command=json.dumps([str(program), "--model", "opus"]), env=env)
        (self.root / "teamops.toml").write_text(text, encoding="utf-8")

    @property
    def starts(self) -> list[dict[str, Any]]:
        rows = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        return [json.loads(row) for row in rows]

    def started(self, count: int) -> dict[str, Any]:
        """Wait until it was started so often, and return the last one."""
        until(f"start {count}", lambda: len(self.starts) >= count)
        assert len(self.starts) == count
        return self.starts[-1]

    def hooks(self) -> list[dict[str, Any]]:
        (spool,) = (self.root / ".teamops" / "spool" / "CODER").glob("hooks*.jsonl")
        return [json.loads(line) for line in spool.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def team(short_dir: Path) -> Iterator[OneAgent]:
    made = OneAgent(short_dir)
    yield made
    made.tmux("kill-server")
    for start in made.starts:
        if is_alive(start["pid"]):
            os.kill(start["pid"], signal.SIGKILL)


def test_a_new_session_then_the_same_one(team: OneAgent) -> None:
    assert team.run("up") == {"CODER": "started"}
    first = team.started(1)
    around = psutil.Process(first["pid"]).ppid() if means().bwrap else first["pid"]
    assert team.pids() == {"shop-coder": around}
    assert first["argv"][0] == "--session-id"
    session = first["argv"][1]
    assert str(uuid.UUID(session)) == session
    assert first["argv"][-2:] == ["--model", "opus"]
    assert (first["role"], first["project"]) == ("CODER", str(team.root))
    assert "Kevin" in first["profile"]
    assert team.tmux("show-options", "-p", "-v", "-t", "=shop-coder:", "remain-on-exit") == "on"

    assert team.run("stop", "CODER", "--yes") == {"CODER": "stopped"}
    assert team.run("up") == {"CODER": "started"}
    assert team.started(2)["argv"][:2] == ["--resume", session]
    assert [(row["hook"], row["session"], row["detail"]) for row in team.hooks()] == [
        ("SessionStart", session, "startup"),
        ("SessionStart", session, "resume"),
    ]


def test_a_dead_one_is_begun_again_in_its_pane(team: OneAgent) -> None:
    team.run("up")
    first = team.started(1)
    pane = team.tmux("list-panes", "-a", "-F", "#{pane_id}")
    os.kill(first["pid"], signal.SIGKILL)
    until("its death", lambda: not is_alive(first["pid"]))
    assert team.run("up") == {"CODER": "started"}
    second = team.started(2)
    assert second["argv"][:2] == ["--resume", first["argv"][1]]
    assert team.tmux("list-panes", "-a", "-F", "#{pane_id} #{pane_dead}") == f"{pane} 0"
    assert team.run("down", "--yes") == {"CODER": "stopped"}


def test_a_session_that_cannot_be_resumed_is_left_for_a_new_one(team: OneAgent) -> None:
    team.run("up")
    first = team.started(1)
    session = first["argv"][1]
    (transcript,) = (team.root.parent / ".claude" / "projects").glob(f"*/{session}.jsonl")
    (transcript.parent / "lost").touch()
    os.kill(first["pid"], signal.SIGKILL)
    until("its death", lambda: not is_alive(first["pid"]))
    told = subprocess.run(team.words("up"), capture_output=True, text=True, timeout=60, check=True).stdout
    assert "its session was not resumed: its command ended at once" in told
    assert session in told
    second = team.started(2)
    assert second["argv"][0] == "--session-id"
    assert second["argv"][1] != session


def test_a_restart_by_rule_goes_on_with_the_session(team: OneAgent) -> None:
    team.run("up")
    first = team.started(1)
    watcher = subprocess.Popen(team.words("watch"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert watcher.stdout is not None
        for line in watcher.stdout:
            if "CODER" in line and "state" in line:
                break
        os.kill(first["pid"], signal.SIGKILL)
        told = next(line for line in watcher.stdout if " action " in line and "restart:" in line)
        assert "its session is resumed" in told
        assert team.started(2)["argv"][:2] == ["--resume", first["argv"][1]]
    finally:
        watcher.terminate()
        watcher.communicate(timeout=20)


def test_what_is_not_installed_is_said(team: OneAgent) -> None:
    text = (team.root / "teamops.toml").read_text(encoding="utf-8")
    command = next(line for line in text.splitlines() if line.startswith("command"))
    (team.root / "teamops.toml").write_text(text.replace(command, 'command = "no-such-client"'), encoding="utf-8")
    done = subprocess.run(team.words("up"), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "no-such-client: not found" in done.stdout
    assert "install no-such-client, or give its whole path" in done.stdout
    assert done.stderr.splitlines() == ["CODER: starting", "CODER: failed"]


def test_a_stop_says_what_it_waits_for(team: OneAgent) -> None:
    team.run("up")
    done = subprocess.run(
        team.words("stop", "CODER", "--grace", "2", "--yes"), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["CODER: stopping (killed if that takes more than 2 s)", "CODER: stopped"]
    assert "ended by TERM" in done.stdout
