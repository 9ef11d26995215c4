"""What agents' lives cost to follow, and how soon what needs a person is known."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from benchmarks import asking, stage
from benchmarks.figures import Figure, spread
from benchmarks.stage import TEAMOPS, Stage
from benchmarks.terminal import Program, busy
from teamops.sdk.spool import Spool

ASKS = 8
MANY = 200
MANY_S = 60.0
BEAT_S = 60.0
SETTLE_S = 20.0


def needs_you() -> Iterable[Figure]:
    """A dialog that opens on a client's screen, until a snapshot says that the agent waits for its person."""
    latencies: list[float] = []
    command = f"exec {shlex.join([sys.executable, asking.__file__])}"
    with stage.team(["CODER"], client="claude", command=command) as scene:
        watching = subprocess.Popen(
            [*TEAMOPS, "status", "--json", "--watch"], cwd=scene.root, env=scene.env, stdout=subprocess.PIPE, text=True
        )
        try:
            states = _states(watching)
            next(state for state in states if state == "idle")
            for _ in range(ASKS):
                began = time.perf_counter()
                scene.tmux("send-keys", "-t", "=bench-coder:", "Enter")
                next(state for state in states if state == "waiting")
                latencies.append(time.perf_counter() - began)
                scene.tmux("send-keys", "-t", "=bench-coder:", "Enter")
                next(state for state in states if state == "idle")
        finally:
            watching.kill()
            watching.communicate()
    yield Figure(
        what='"needs you" is told apart from idle', measured=max(latencies), promise=2.0, unit="s",
        note=f"the slowest; {spread(latencies, 's')}; its screen alone tells",
    )  # fmt: skip


def _states(watching: subprocess.Popen[str]) -> Iterator[str]:
    assert watching.stdout is not None
    for line in watching.stdout:
        yield json.loads(line)["agents"][0]["state"]
    raise TimeoutError("teamops status --watch ended")


def beating() -> Iterable[Figure]:
    """CPU with two hundred agents that beat once a minute: supervised, and with the screen open."""
    roles = [f"AGENT-{number:03d}" for number in range(MANY)]
    handoff = stage.block(roles[0], "first-task").encode()
    with stage.team(roles, handoff, client="sdk") as scene, _beats(scene, roles):
        with Program([*TEAMOPS, "watch"], scene.env, scene.root) as program:
            program.drain(SETTLE_S)
            alone = busy(program, MANY_S)
        with Program(TEAMOPS, scene.env, scene.root, 200, 60) as program:
            program.until(lambda text: roles[0] in text and roles[5] in text and "first-task" in text)
            program.drain(SETTLE_S)
            shown = busy(program, MANY_S)
    how = f"of a core over {MANY_S:.0f} s"
    yield Figure(
        what=f"CPU, {MANY} agents that beat each minute", measured=alone, promise=3.0, unit="%", note=f"{how}, watch"
    )
    yield Figure(what="… with the screen open", measured=shown, promise=3.0, unit="%", note=f"{how}, 200 by 60 cells")


@contextmanager
def _beats(scene: Stage, roles: list[str]) -> Iterator[None]:
    """Let each agent beat in its turn, evenly over the minute."""
    ended = threading.Event()
    pids = scene.pids()
    spools = [(pids[f"bench-{role.lower()}"], Spool(str(scene.root), role, "bench")) for role in roles]

    def beat() -> None:
        number = 0
        while not ended.wait(BEAT_S / len(spools)):
            pid, spool = spools[number % len(spools)]
            number += 1
            line = {"v": 1, "t": time.time(), "pid": pid, "kind": "beat", "interval_s": BEAT_S, "tokens": 120}
            spool.write(json.dumps(line).encode())

    for pid, spool in spools:  # at first all at once: who never beat is looked at otherwise
        spool.write(json.dumps({"v": 1, "t": time.time(), "pid": pid, "kind": "beat", "interval_s": BEAT_S}).encode())
    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
