"""The main job as a person does it: start the demo in a real terminal, press keys, read the screen."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from teamops.demo.console import PROMPT
from tests import strays
from tests.dbus_daemon import Desktop
from tests.terminal import Terminal

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

PATIENCE_S = 90.0
"""For a busy machine; on an idle one each of these waits is over within seconds."""
TEAMOPS = [sys.executable, "-m", "teamops"]
ROLES = ("DIRECTOR", "DEVELOPER", "CODER", "REVIEWER", "OPTIMIZER", "PARTNER")

_FIRST = re.compile(r"▶ (?P<role>[A-Z]+) \S+ +(?P<task>\S+) .*\n +tier 2 .*● (?P<stage>[a-z-]+)")
_TURN = re.compile(r"▶ [A-Z]+ has the light of \S+")
_FURTHER = re.compile(r"^ +(?P<role>[A-Z]+) \S+ +(?P<task>\S+) · tier 2 · (?P<stage>[a-z-]+)", re.MULTILINE)


@contextmanager
def demo(folder: Path, *, pace: int, cols: int = 150, rows: int = 50) -> Iterator[Terminal]:
    """Run the demo until the block is left; then it must end by ``q`` and leave nothing."""
    argv = [*TEAMOPS, "demo", "--pace", str(pace), "--seed", "7"]
    with Terminal(argv, cols, rows, env={"TMPDIR": str(folder)}) as terminal:
        terminal.until(lambda screen: all(role in screen for role in ROLES), "the whole team", PATIENCE_S)
        terminal.wait_for("● acting", 20)
        yield terminal
        terminal.keys("q")
        assert terminal.wait_end(30) == 0
        left = strays.settle(lambda: strays.naming(str(folder)), 20)
        # The terminal's own server says the folder too: it was told to start the demo there.
        assert [process.cmdline() for process in left if process.name() != "tmux: server"] == []
        assert terminal.left_running(10) == []


def agent(folder: Path, role: str) -> psutil.Process | None:
    """The simulated agent of that role."""
    for process in strays.naming(str(folder)):
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if "teamops.demo.agent" in words and words[words.index("--role") + 1] == role:
            return process
    return None


class Lights:
    """What the header shows of the tasks of tier 2, as time goes on."""

    def __init__(self) -> None:
        self._walked: dict[str, list[tuple[str, str]]] = {}

    def look(self, screen: str) -> list[tuple[str, str]] | None:
        """Return the stations of a task that was seen from its design to its verification, once its light is out."""
        header = screen.split("1 Agents", maxsplit=1)[0]
        lit = {match["task"]: (match["role"], match["stage"]) for match in _FURTHER.finditer(header)}
        lit |= {match["task"]: (match["role"], match["stage"]) for match in _FIRST.finditer(header)}
        for task, station in lit.items():
            walked = self._walked.setdefault(task, [])
            if walked[-1:] != [station]:
                walked.append(station)
        for task, walked in self._walked.items():
            if task not in header and [stage for _, stage in walked] == ["design", "implement", "verify"]:
                return walked
        return None


def test_the_light_moves_through_a_whole_tier_2_task(short_dir: Path) -> None:
    with demo(short_dir, pace=30) as terminal:
        walked = terminal.until(Lights().look, "a whole tier-2 task in the header", PATIENCE_S)
        builder = walked[1][0]
        assert builder in ("DEVELOPER", "CODER")
        assert walked == [("DIRECTOR", "design"), (builder, "implement"), ("DIRECTOR", "verify")]
        terminal.keys("4")
        terminal.wait_for(r"\u203a *\d\d:\d\d")  # the cursor stands on an event
        terminal.keys("z")
        terminal.wait_for(rf"turn +{builder} .*light", 20)  # and the events remember


def kill(folder: Path, role: str) -> int:
    """Kill that agent as the kernel does for want of memory; its pid."""
    process = agent(folder, role)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    return process.pid


def test_an_agent_killed_with_9_comes_back_once_by_rule_and_then_by_r(short_dir: Path) -> None:
    with demo(short_dir, pace=5) as terminal:
        first = kill(short_dir, "DIRECTOR")
        terminal.wait_for("↻ 1", 30)
        second = terminal.until(lambda _: agent(short_dir, "DIRECTOR"), "a new DIRECTOR", 20)
        assert second.pid != first
        terminal.wait_gone("✖ dead", 30)

        kill(short_dir, "DIRECTOR")  # within its cooldown
        terminal.wait_for("↻ backing off", 30)
        terminal.wait_for("agent-dead", 20)
        assert agent(short_dir, "DIRECTOR") is None
        terminal.keys("1")
        terminal.keys("g")  # the first agent is the DIRECTOR
        terminal.keys("r")
        terminal.wait_for(r"DIRECTOR Max +↻ backing off")
        terminal.keys("Enter")  # is no confirmation
        terminal.keys("y")
        terminal.wait_gone("y restart")
        terminal.wait_gone("backing off", 30)
        third = terminal.until(lambda _: agent(short_dir, "DIRECTOR"), "a third DIRECTOR", 20)
        assert third.pid != second.pid
        terminal.wait_for("no alerts", 30)
        terminal.wait_for("↻ 2", 20)


def test_enter_does_not_restart(short_dir: Path) -> None:
    with demo(short_dir, pace=5) as terminal:
        before = agent(short_dir, "DIRECTOR")
        assert before is not None
        terminal.keys("1", "g", "r")
        terminal.wait_for(r"y restart")
        terminal.keys("Enter")
        terminal.keys("n")
        terminal.wait_gone(r"y restart")
        terminal.keys("4")
        terminal.wait_for(r"\u203a *\d\d:\d\d")
        newest = _TURN.search(terminal.text())
        # A turn takes several seconds here, a restart less than two: it would have been told by then.
        terminal.until(
            lambda screen: (now := _TURN.search(screen)) and (newest is None or now[0] != newest[0]),
            "the light's next move",
            60,
        )
        assert "DIRECTOR restart" not in terminal.text()
        assert "↻" not in terminal.text()
        now = agent(short_dir, "DIRECTOR")
        assert now is not None
        assert now.pid == before.pid


def test_a_poke_is_received_by_the_agent(short_dir: Path) -> None:
    words = "are you there; it's $(me) & #{you}?"
    with demo(short_dir, pace=5) as terminal:
        terminal.keys("1", "G")  # the last agent, the PARTNER, has time
        terminal.keys("p")
        terminal.wait_for(r"Enter send .* [1-9]\d*/700")  # the line that teamops proposes has come
        terminal.keys("C-u")
        terminal.wait_for(r"Enter send .* 0/700")
        terminal.type(words)
        terminal.wait_for(rf"Enter send .* {len(words)}/700")
        assert words in terminal.text()
        terminal.keys("Enter")
        terminal.wait_gone("Enter send")

        def received(_: str) -> bool:
            lines = (line for file in short_dir.rglob("*.jsonl") for line in file.read_text("utf-8").splitlines())
            rows = (json.loads(line) for line in lines if '"type":"user"' in line.replace(" ", ""))
            return any(row["message"]["content"] == words for row in rows if "message" in row)

        terminal.until(received, "the line in the agent's own transcript", 20)
        terminal.keys("Enter", "3")  # its detail: the live pane
        terminal.wait_for(f"{PROMPT} {re.escape(words)}", 20)
        terminal.keys("Escape")
        terminal.wait_for("1 Agents", 20)


STALE_TEAM = """\
project = "slow"
[tmux]
socket_path = {socket}
[limits]
waiting_s = 1
stale_s = 3
[roles.DIRECTOR]
client = "command"
command = "cat"
[roles.DEVELOPER]
client = "command"
command = "cat"
"""
HANDOFF = """\
### [DIRECTOR] 2026-03-28 14:30

**Status**: done
**Turn**: DEVELOPER
**Tier**: 2
**Task**: slow-task

#### For Developer
Build it.
"""
ANSWER = """
### [DEVELOPER] 2026-03-28 15:10

**Status**: done
**Turn**: NONE
**Tier**: 2
**Task**: slow-task
"""


def pids(folder: Path, session: str) -> list[int]:
    """The processes of that session's panes."""
    words = ["tmux", "-S", str(folder / "team"), "list-panes", "-t", f"={session}:", "-F", "#{pane_pid}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)
    return [int(line) for line in done.stdout.split()]


@contextmanager
def idle_team(folder: Path) -> Iterator[Path]:
    """A project whose agents run and never take their turn; the project's folder."""
    root = folder / "slow"
    root.mkdir()
    socket = folder / "team"
    (root / "teamops.toml").write_text(STALE_TEAM.format(socket=json.dumps(str(socket))), encoding="utf-8")
    (root / "current.md").write_text(HANDOFF, encoding="utf-8")

    def tmux(*words: str) -> None:
        subprocess.run(["tmux", "-S", str(socket), "-f", "/dev/null", *words], check=True, timeout=20)

    for role in ("director", "developer"):
        tmux("new-session", "-d", "-s", f"slow-{role}", "exec cat")
    try:
        yield root
    finally:
        tmux("kill-server")


def test_an_agent_of_ones_own_team_that_was_killed_is_begun_anew(short_dir: Path) -> None:
    """The screen's own process starts it, and none before it has made a session there."""
    with idle_team(short_dir) as root:
        subprocess.run([*TEAMOPS, "stop", "DEVELOPER", "--yes"], cwd=root, check=True, timeout=60)
        subprocess.run([*TEAMOPS, "up", "DEVELOPER"], cwd=root, check=True, timeout=60)
        with Terminal(TEAMOPS, 120, 36, cwd=root) as terminal:
            terminal.wait_for(r"▶ DEVELOPER", PATIENCE_S)
            terminal.wait_for("● acting", 20)
            (pid,) = pids(short_dir, "slow-developer")
            os.kill(pid, signal.SIGKILL)
            terminal.wait_for("↻ 1", 40)
            assert pids(short_dir, "slow-developer") != [pid]


@pytest.mark.dbus
def test_a_stale_handoff_notifies_a_real_desktop_once_and_clears_itself(short_dir: Path) -> None:
    with (
        Desktop(short_dir) as desktop,
        desktop.daemon() as daemon,
        idle_team(short_dir) as root,
        Terminal(TEAMOPS, 120, 36, env={"DBUS_SESSION_BUS_ADDRESS": desktop.address}, cwd=root) as terminal,
    ):
        terminal.wait_for(r"▶ DEVELOPER", PATIENCE_S)
        terminal.wait_for("STALE", 30)
        terminal.wait_for("handoff-stale", 30)
        shown = daemon.wait_for(lambda notice: "handoff-stale" in notice.summary, 30)
        assert "slow" in shown.summary
        assert "DEVELOPER holds the light of task slow-task" in shown.body

        with (root / "current.md").open("a", encoding="utf-8") as file:
            file.write(ANSWER)
        terminal.wait_for("no alerts", 30)
        terminal.wait_gone("STALE", 10)
        stale = [notice for notice in daemon.received if "handoff-stale" in notice.summary]
        assert len(stale) == 1
        terminal.keys("q")
        assert terminal.wait_end(20) == 0
