"""``teamops up``, ``stop`` and ``down`` through the real command line, on a tmux server of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from teamops.effects.confine import means
from teamops.tmux.ending import is_alive

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

AGENT = Path(__file__).parents[1] / "tmux" / "fake_agent.py"
TOML = """\
project = "shop"

[tmux]
socket_path = "s"

[notify]
desktop = false

[stop]
grace_s = "1s"

[sandbox]
write = ["../logs"]

[roles.CODER]
client = "sdk"
command = {coder}

[roles.REVIEWER]
client = "sdk"
command = {reviewer}
"""


class Team:
    """Two agents, of which the second ignores what ends others."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state, self.log = folder / "p", folder / "state", folder / "logs" / "log"
        self.servers: set[int] = set()
        self.root.mkdir()
        self.log.parent.mkdir()
        coder, reviewer = (json.dumps([sys.executable, str(AGENT), str(self.log), habit]) for habit in ("well", "deaf"))
        (self.root / "teamops.toml").write_text(TOML.format(coder=coder, reviewer=reviewer), encoding="utf-8")

    def words(self, *words: str) -> list[str]:
        where = ["-C", str(self.root), "--state-dir", str(self.state)]
        return [sys.executable, "-m", "teamops", words[0], *where, *words[1:]]

    def run(self, *words: str, code: int = 0) -> dict[str, str]:
        """Run a command with --json and return each role's result."""
        done = subprocess.run(self.words(*words, "--json"), capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        assert told["schema"] == f"teamops.{words[0]}/1"
        return {row["role"]: row["result"] for row in told["agents"]}

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.root / "s"), "-f", "/dev/null", *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def pids(self) -> dict[str, int]:
        """Return the living panes' pids by their sessions."""
        rows = self.tmux("list-panes", "-a", "-F", "#{session_name} #{pane_pid} #{pane_dead} #{pid}").splitlines()
        self.servers.update(int(row.split()[3]) for row in rows)
        return {row.split()[0]: int(row.split()[1]) for row in rows if row.split()[2] == "0"}

    def logged(self, word: str) -> list[int]:
        rows = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [int(row.split()[1]) for row in rows if row.split()[0] == word]


@pytest.fixture
def team(short_dir: Path) -> Iterator[Team]:
    made = Team(short_dir)
    yield made
    made.tmux("kill-server")
    for pid in made.servers:  # one whose client was killed in the middle of a command may wait for it
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    for word in ("start", "child", "stranger"):
        for pid in made.logged(word):
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def until(what: str, condition: Callable[[], object], deadline_s: float = 20.0) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_up_stop_up_down(team: Team) -> None:
    assert team.run("up") == {"CODER": "started", "REVIEWER": "started"}
    first = team.pids()
    assert set(first) == {"shop-coder", "shop-reviewer"}
    # The pane's pid is the agent's, or that of the program around it.
    around = {pid: psutil.Process(pid).ppid() if means().bwrap else pid for pid in team.logged("start")}
    assert sorted(first.values()) == sorted(around.values())
    assert team.run("up") == {"CODER": "running", "REVIEWER": "running"}
    assert team.pids() == first

    assert team.run("stop", "REVIEWER", "--yes") == {"REVIEWER": "stopped"}
    assert team.pids() == {"shop-coder": first["shop-coder"]}
    assert len(team.logged("stranger")) == 1
    assert not any(is_alive(pid) for word in ("child", "stranger") for pid in team.logged(word))

    assert team.run("up", "REVIEWER") == {"REVIEWER": "started"}
    assert team.run("down", "--yes") == {"CODER": "stopped", "REVIEWER": "stopped"}
    assert team.pids() == {}
    assert not any(is_alive(pid) for word in ("start", "child", "stranger") for pid in team.logged(word))


def test_a_stop_from_another_shell_is_no_alert(team: Team) -> None:
    team.run("up", "REVIEWER")
    watcher = subprocess.Popen(team.words("watch"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert watcher.stdout is not None
        seen = []
        for line in watcher.stdout:
            seen.append(line)
            if "acting" in line:
                break
        team.run("stop", "REVIEWER", "--yes")
        for line in watcher.stdout:
            seen.append(line)
            if "stopped by a person" in line:
                break
        end = time.monotonic() + 6  # an alert of a death fires after three rounds of the clock
        alerts: set[str] = set()
        while time.monotonic() < end:
            done = subprocess.run(
                team.words("status", "--json"), capture_output=True, text=True, timeout=20, check=False
            )
            alerts.update(row["code"] for row in json.loads(done.stdout)["alerts"])
    finally:
        watcher.terminate()
        watcher.communicate(timeout=20)
    assert any("acting" in line for line in seen)
    # Nothing of it, nor of the tmux server that went with its last session; and here is nobody to be told of that file.
    assert alerts - {"notify-failed"} == {"handoff-lost"}


def test_who_is_gone_with_the_server_is_missed_until_a_person_stops_it(team: Team) -> None:
    def alerts() -> set[str]:
        done = subprocess.run(team.words("status", "--json"), capture_output=True, text=True, timeout=20, check=False)
        return {row["code"] for row in json.loads(done.stdout)["alerts"]}

    team.run("up", "CODER")
    team.tmux("kill-server")
    until("the server's end", lambda: not team.pids())
    assert "tmux-down" in alerts()
    assert team.run("down", "--yes") == {"CODER": "stopped"}
    assert "tmux-down" not in alerts()
    assert team.run("down", "--yes") == {}


def test_what_was_there_is_adopted_and_left_alone(team: Team) -> None:
    team.tmux("new-session", "-d", "-s", "shop-coder", "exec sleep 300")
    theirs = team.pids()["shop-coder"]
    assert team.run("up", "CODER") == {"CODER": "adopted"}
    assert team.run("up", "CODER") == {"CODER": "running"}
    assert team.run("down", "--yes") == {"CODER": "left"}
    assert team.pids() == {"shop-coder": theirs}
    done = subprocess.run(team.words("stop", "CODER"), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 2
    assert is_alive(theirs)
    assert team.run("stop", "CODER", "--yes") == {"CODER": "stopped"}
    until("its end", lambda: not is_alive(theirs))


def test_what_a_person_opened_beside_an_agent_stays(team: Team) -> None:
    team.run("up", "CODER")
    agent = team.pids()["shop-coder"]
    pane = team.tmux("list-panes", "-a", "-F", "#{pane_id}")
    theirs = team.tmux("split-window", "-d", "-b", "-P", "-F", "#{pane_pid}", "-t", pane, "exec sleep 300")
    assert team.tmux("list-panes", "-a", "-F", "#{pane_pid}").split() == [theirs, str(agent)]  # theirs is the first now
    assert team.run("up", "CODER") == {"CODER": "running"}
    assert team.run("down", "--yes") == {"CODER": "stopped"}
    assert not is_alive(agent)
    assert is_alive(int(theirs))
    assert team.run("up", "CODER") == {"CODER": "started"}
    rows = team.tmux("list-panes", "-a", "-F", "#{pane_id} #{pane_pid} #{pane_dead}").splitlines()
    assert [row.split()[2] for row in rows] == ["0", "0"]
    assert rows[1].startswith(f"{pane} ")  # in its own pane
    assert rows[0].split()[1] == theirs


def test_up_killed_in_the_middle_is_gone_on_with(team: Team) -> None:
    child = subprocess.Popen(team.words("up", "CODER"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until("its session", lambda: "shop-coder" in team.pids())
    child.kill()
    child.wait()
    before = team.pids()
    assert team.run("up", "CODER")["CODER"] in {"started", "running"}  # its own, not adopted
    assert team.pids() == before
    assert team.run("down", "--yes") == {"CODER": "stopped"}
    assert team.pids() == {}
