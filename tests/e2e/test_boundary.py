"""Agents of a real team inside their boundaries: what they write, how they end, what teamops sees of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from teamops.effects.confine import means
from teamops.tmux.ending import is_alive
from tests.e2e.test_team import Team, until

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and bwrap are Linux's"),
]
AGENT = """\
import os, signal, sys, time
from pathlib import Path
import teamops
teamops.init()
teamops.heartbeat()
def attempt(path):
    try:
        Path(path).write_text("written")
        return f"{path}: written"
    except OSError as error:
        return f"{path}: {type(error).__name__}"
told = [f"pid {os.getpid()}", *map(attempt, sys.argv[1:])]
out = Path("reviews/told.txt")
out.with_suffix(".new").write_text("\\n".join(told) + "\\n")
out.with_suffix(".new").rename(out)
def leave(number, frame):
    time.sleep(0.3)  # its own end takes a moment, and is waited for
    Path("reviews/left").write_text("in good order")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
while True:
    signal.pause()
"""
TOML = """\
project = "shop"

[tmux]
socket_path = "s"

[notify]
desktop = false

[stop]
grace_s = "10s"

[sandbox]
mode = "require"

[roles.REVIEWER]
client = "sdk"
command = {command}
"""


class Bounded(Team):
    """A team of a reviewer that tries what it is told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self.root / "current.md").write_text("# handoff\n", encoding="utf-8")
        (self.root / "src").mkdir()
        agent = self.root / "agent.py"
        agent.write_text(AGENT, encoding="utf-8")
        tries = ["src/a.py", "reviews/ok.md", ".teamops/spool/CODER-x", ".teamops/spool/REVIEWER/x", "teamops.toml"]
        command = json.dumps([sys.executable, str(agent), *tries])
        (self.root / "teamops.toml").write_text(TOML.format(command=command), encoding="utf-8")
        self.seen: set[int] = set()

    def told(self) -> list[str]:
        path = self.root / "reviews" / "told.txt"
        until("the agent's words", path.exists)
        lines = path.read_text(encoding="utf-8").splitlines()
        self.seen.add(int(lines[0].split()[1]))
        path.unlink()
        return lines


@pytest.fixture
def team(short_dir: Path) -> Iterator[Bounded]:
    assert means().bwrap, means().lacks
    assert means().landlock, means().lacks
    made = Bounded(short_dir)
    yield made
    made.tmux("kill-server")
    for pid in made.seen:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


def agent_of(team: Bounded) -> int:
    return int(team.told()[0].split()[1])


def test_an_agent_writes_what_is_its_own(team: Bounded) -> None:
    assert team.run("up") == {"REVIEWER": "started"}
    pid, *told = team.told()
    assert told == [
        "src/a.py: PermissionError",
        "reviews/ok.md: written",
        ".teamops/spool/CODER-x: OSError",
        ".teamops/spool/REVIEWER/x: written",
        "teamops.toml: OSError",
    ]
    around = team.pids()["shop-reviewer"]
    assert psutil.Process(int(pid.split()[1])).ppid() == around
    done = subprocess.run(team.words("status", "--json"), capture_output=True, text=True, timeout=60, check=True)
    (row,) = json.loads(done.stdout)["agents"]
    assert (row["boundary"]["kernel"], row["boundary"]["hook"]) == ("bwrap + Landlock", False)
    assert row["boundary"]["words"].startswith("may write: /current.md, /reviews/; never: ")
    assert row["boundary"]["unenforced"] is None
    spool = team.root / ".teamops" / "spool" / "REVIEWER"
    until("a beat from inside", lambda: any(path.stat().st_size for path in spool.glob("*.jsonl")))
    assert (team.root / ".teamops" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_stop_waits_for_its_own_end(team: Bounded) -> None:
    team.run("up")
    pid = agent_of(team)
    assert team.run("stop", "REVIEWER", "--yes") == {"REVIEWER": "stopped"}
    assert (team.root / "reviews" / "left").read_text(encoding="utf-8") == "in good order"
    assert not is_alive(pid)
    assert team.pids() == {}


def test_a_signal_is_seen_through_the_program_around_it(team: Bounded) -> None:
    team.run("up")
    os.kill(agent_of(team), signal.SIGKILL)
    until("its death", lambda: not team.pids())
    done = subprocess.run(team.words("status", "--json"), capture_output=True, text=True, timeout=60, check=True)
    (row,) = json.loads(done.stdout)["agents"]
    assert row["state"] == "dead"
    assert "signal 9" in row["evidence"]["detail"], row["evidence"]


def test_one_around_an_agent_that_is_killed_takes_it_along(team: Bounded) -> None:
    team.run("up")
    pid = agent_of(team)
    os.kill(team.pids()["shop-reviewer"], signal.SIGKILL)
    until("its end", lambda: not is_alive(pid))


def test_a_restart_is_inside_again(team: Bounded) -> None:
    team.run("up")
    first = agent_of(team)
    done = subprocess.run(team.words("restart", "REVIEWER", "--yes"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pid, *told = team.told()
    assert int(pid.split()[1]) != first
    assert not is_alive(first)
    assert told[0] == "src/a.py: PermissionError"


def test_nothing_is_started_without_its_boundary(team: Bounded) -> None:
    (team.root / ".teamops").write_text("no folder\n", encoding="utf-8")  # no spool can be made, so none be let in
    assert team.run("up", code=1) == {"REVIEWER": "failed"}
    assert team.pids() == {}
    assert not (team.root / "reviews" / "told.txt").exists()
