"""The measurements, each on the real program."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator

from benchmarks import stage
from benchmarks.audit import audit, committing
from benchmarks.boundary import judging, trying
from benchmarks.figures import Figure, middle, spread
from benchmarks.life import beating, needs_you
from benchmarks.protocol import rules
from benchmarks.stage import TEAM, TEAMOPS
from benchmarks.terminal import Program, busy, cpu_s
from benchmarks.usage import usage

RUNS = 5
SETTLE_S = 6.0
IDLE_S = 30.0
MANY = 200
MANY_S = 20.0
APPENDS = 15
WARM = 2
APPEND_WINDOW_S = 1.0
LONG = 10_000_000

MINIMAL = """\
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("minimal is ready")
Minimal().run()
"""


def shows_team(text: str) -> bool:
    """Return whether agents and light are on the screen."""
    return all(role in text for role in TEAM) and bool(re.search(r"▶\s+DEVELOPER", text)) and "first-task" in text


def first_frame() -> Iterable[Figure]:
    """Time to the first frame in which all agents and the light are shown, beside a Textual app that shows a word."""
    ours: list[float] = []
    minimal: list[float] = []
    with stage.team() as scene:
        for _ in range(RUNS + 1):  # the first fills the caches and does not count
            with Program([sys.executable, "-c", MINIMAL], scene.env, scene.root) as program:
                minimal.append(program.until(lambda text: "minimal is ready" in text) - program.started)
            with Program(TEAMOPS, scene.env, scene.root) as program:
                ours.append(program.until(shows_team) - program.started)
    ours, minimal = ours[1:], minimal[1:]
    yield Figure(
        what="first useful frame: agents and light",
        measured=middle(ours),
        promise=0.5,
        unit="s",
        note=spread(ours, "s"),
    )
    yield Figure(
        what="… beside a minimal Textual app", measured=middle(ours) / middle(minimal), promise=2.0, unit="times",
        note=f"minimal app: {spread(minimal, 's')}",
    )  # fmt: skip


def at_rest() -> Iterable[Figure]:
    """Memory and CPU with six idle agents, the screen open."""
    with stage.team() as scene, Program(TEAMOPS, scene.env, scene.root) as program:
        program.until(shows_team)
        program.drain(SETTLE_S)
        share = busy(program, IDLE_S)
        rss = sum(process.memory_info().rss for process in program.processes())
        yield Figure(
            what="memory, six agents", measured=rss / 1e6, promise=100, unit="MB", note="RSS with all children"
        )
        yield Figure(
            what="CPU, six idle agents", measured=share, promise=1.0, unit="%",
            note=f"of a core over {IDLE_S:.0f} s, with all children",
        )  # fmt: skip


def append() -> Iterable[Figure]:
    """A block appended to a 10 MB file, until it is on the screen; and the CPU that takes beyond being idle."""
    latencies: list[float] = []
    costs: list[float] = []
    with stage.team(handoff=stage.long_handoff(LONG)) as scene, Program(TEAMOPS, scene.env, scene.root) as program:
        program.until(lambda text: all(role in text for role in TEAM) and "last-task" in text, deadline_s=60)
        program.drain(SETTLE_S)
        idle = busy(program, 10.0) / 100
        for number in range(WARM + APPENDS):
            name = f"fresh-{number}-task"
            since, processes = program.printed, program.processes()
            before, began = cpu_s(processes), time.perf_counter()
            with scene.handoff.open("ab") as file:
                file.write(stage.block("CODER", name, minute=number).encode())
            latency = program.until(_has(name), since) - began
            program.drain(APPEND_WINDOW_S)
            if number >= WARM:  # the very first block also pays for the Markdown library
                latencies.append(latency)
                costs.append(cpu_s(processes) - before - idle * (time.perf_counter() - began))
    yield Figure(
        what="a block appended to 10 MB is on the screen", measured=middle(latencies), promise=0.3, unit="s",
        note=spread(latencies, "s") + "; 150 ms of it is the quiet period",
    )  # fmt: skip
    yield Figure(
        what="… and costs CPU", measured=middle(costs), promise=0.010, unit="s",
        note=spread(costs, "s") + ", beyond being idle, redrawing included",
    )  # fmt: skip


def _has(name: str) -> Callable[[str], bool]:
    return lambda text: name in text


def death() -> Iterable[Figure]:
    """A kill -9 of an agent, until a snapshot says dead."""
    latencies: list[float] = []
    with stage.team() as scene:
        watching = subprocess.Popen(
            [*TEAMOPS, "status", "--json", "--watch"], cwd=scene.root, env=scene.env, stdout=subprocess.PIPE, text=True
        )
        try:
            pids = scene.pids()
            states = _states(watching)
            next(found for found in states if len(found) == len(TEAM) and all(pid for _, pid in found.values()))
            for role in TEAM:
                began = time.perf_counter()
                os.kill(pids[f"bench-{role.lower()}"], signal.SIGKILL)
                next(found for found in states if found[role][0] == "dead")
                latencies.append(time.perf_counter() - began)
        finally:
            watching.kill()
            watching.communicate()
    yield Figure(
        what="an agent's death is in the snapshot", measured=middle(latencies), promise=0.1, unit="s",
        note=spread(latencies, "s") + ", printed as JSON",
    )  # fmt: skip


def _states(watching: subprocess.Popen[str]) -> Iterator[dict[str, tuple[str, int | None]]]:
    assert watching.stdout is not None
    for line in watching.stdout:
        agents = json.loads(line)["agents"]
        yield {agent["role"]: (agent["state"], agent["pid"]) for agent in agents}
    raise TimeoutError("teamops status --watch ended")


def many() -> Iterable[Figure]:
    """CPU with two hundred idle agents, the screen open."""
    roles = [f"AGENT-{number:03d}" for number in range(MANY)]
    handoff = stage.block(roles[0], "first-task").encode()
    with stage.team(roles, handoff) as scene, Program(TEAMOPS, scene.env, scene.root, 200, 60) as program:
        program.until(lambda text: roles[0] in text and roles[5] in text and "first-task" in text)
        program.drain(SETTLE_S)
        share = busy(program, MANY_S)
    yield Figure(
        what=f"CPU, {MANY} idle agents",
        measured=share,
        promise=3.0,
        unit="%",
        note=f"of a core over {MANY_S:.0f} s, 200 by 60 cells",
    )


MEASURES: dict[str, Callable[[], Iterable[Figure]]] = {
    "first-frame": first_frame, "at-rest": at_rest, "append": append, "death": death, "many": many,
    "needs-you": needs_you, "beating": beating, "rules": rules, "judging": judging, "trying": trying, "audit": audit,
    "committing": committing, "usage": usage,
}  # fmt: skip
