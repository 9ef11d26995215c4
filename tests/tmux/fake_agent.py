"""An agent that fails in the ways that agents do.

Usage: fake_agent.py LOG HABIT [SECONDS]. Each start, each of its processes and each signal that it ignores becomes a
line of LOG: "start PID", "child PID", "stranger PID", "TERM". Habits: ``dies`` (with status 37 after SECONDS),
``leaves`` (with status 0), ``refused`` (says that its account is refused, ends), ``deaf`` (ignores HUP and TERM, has a
child and one in a session of its own, begins a cycle and is silent then), ``zombie`` (beats, and does nothing),
``well`` (works).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import teamops

NOTHING: set[signal.Signals] = set()
"""Waiting for these is a pause that signals end as they would end any program."""


def log(path: Path, line: str) -> None:
    """Append one line, at once."""
    with path.open("a", encoding="utf-8") as out:
        out.write(f"{line}\n")


def ignore(path: Path) -> None:
    """Hear HUP and TERM, and go on."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda got, _: log(path, signal.Signals(got).name.removeprefix("SIG")))


def fork(path: Path, name: str, *, session: bool) -> None:
    """Begin a child that ignores what ends others."""
    if os.fork() == 0:
        if session:
            os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        log(path, f"{name} {os.getpid()}")
        signal.sigtimedwait(NOTHING, 300)
        os._exit(0)


def main() -> int:
    path, habit = Path(sys.argv[1]), sys.argv[2]
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    if habit == "deaf":
        ignore(path)
        fork(path, "child", session=False)
        fork(path, "stranger", session=True)
    log(path, f"start {os.getpid()}")
    os.write(1, f"{habit} since {os.getpid()}\n".encode())
    if habit in {"dies", "leaves", "refused"}:
        signal.sigtimedwait(NOTHING, seconds)
        if habit == "refused":
            os.write(1, "Invalid API key · Please run /login\n".encode())
        return 0 if habit == "leaves" else 37
    if habit == "deaf":
        teamops.cycle().__enter__()
        while True:
            signal.pause()  # a signal that is heard doesn't end it
    while True:
        teamops.heartbeat(tokens=5 if habit == "well" else 0)
        signal.sigtimedwait(NOTHING, 0.2)


if __name__ == "__main__":
    sys.exit(main())
