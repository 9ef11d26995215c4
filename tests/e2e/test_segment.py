"""``teamops status --format tmux`` from a real supervisor to the status line of a real tmux."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.handoff.write import render_block
from teamops.model.clock import HUNG_S
from teamops.model.role import DEVELOPER, DIRECTOR
from teamops.report.segment import FILE
from teamops.supervisor.lease import Lease, state_dir_of
from teamops.supervisor.thread import SupervisorThread
from tests.terminal import Terminal

PROGRAM = str(Path(sys.executable).with_name("teamops"))


def ask(root: Path, state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "teamops", "status", "-C", str(root), "--state-dir", str(state), *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@contextmanager
def held(root: Path, state: Path, facts: object) -> Iterator[None]:
    """Be the supervisor of ``root`` that wrote ``facts``."""
    folder = state_dir_of(load(root), state)
    lease = Lease(folder)
    assert lease.acquire(time.time())
    (folder / FILE).write_text(json.dumps(facts))
    try:
        yield
    finally:
        lease.release()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    day = datetime(2026, 3, 28, 14, 30)  # noqa: DTZ001 - naive by the protocol
    text = render_block(DIRECTOR, day, "done", DEVELOPER, 2, task="x", sections=[("For Developer", "Build it.")])
    (folder / "current.md").write_text(text)
    return folder


def test_a_supervisor_keeps_it_and_its_end_is_seen(root: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert (ask(root, state, "--format", "line").stdout, ask(root, state, "--format", "line").returncode) == (
        "○ no supervisor\n",
        1,
    )
    thread = SupervisorThread(load(root), state_dir=state, ring=lambda _: True)
    thread.start()
    try:
        end = time.monotonic() + 20.0
        while "DEVELOPER" not in (done := ask(root, state, "--format=line")).stdout:
            assert time.monotonic() < end, done
    finally:
        thread.stop()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[:2] in (["●", "DEVELOPER"], ["◔", "DEVELOPER"])
    assert ask(root, state, "--format", "tmux").stdout == "○ no supervisor\n"


def test_what_is_wrong_is_said(root: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    for arguments, said in (
        (["--format", "html"], 'there is no format "html"'),
        (["--format"], "--format needs a value"),
        (["--format", "line", "--json"], "knows no --json"),
        (["--format", "line", "--width", "0"], "between 1 and 500"),
    ):
        done = ask(root, state, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
    with held(root, state, ["no facts"]):
        assert ask(root, state, "--format", "line").stdout == "○ starting\n"


def test_it_says_that_the_supervisor_is_silent_as_soon_as_check_does(root: Path, tmp_path: Path) -> None:
    facts = {"at": time.time(), "light": None, "more": 0, "alerts": 0, "cost": "", "unpriced": False}
    lease = Lease(state_dir_of(load(root), tmp_path / "state"))
    with held(root, tmp_path / "state", facts):
        assert lease.holder() is not None
    assert lease.acquire(time.time())
    for silent_s, said, code in ((1.0, "○ no turn\n", 0), (HUNG_S + 1.0, "○ no news 21s\n", 2)):
        lease.say_round(time.monotonic() - silent_s)
        assert ask(root, tmp_path / "state", "--format", "line").stdout == said
        place = ["-C", str(root), "--state-dir", str(tmp_path / "state")]
        check = subprocess.run(
            [sys.executable, "-m", "teamops", "check", *place], capture_output=True, check=False, timeout=60
        )
        assert check.returncode == code
    lease.release()


@pytest.mark.tmux
def test_tmux_shows_it_as_text(root: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    hostile = "#[fg=red]#(touch sprung)#{pid}##[x"
    facts = {
        "at": time.time(),
        "light": [hostile, "working", time.time() - 240],
        "more": 0,
        "alerts": 2,
        "cost": "3.10",
    }
    inner = tmp_path / "s"
    line = f"#({PROGRAM} status --format tmux --width 80 -C {root} --state-dir {state})"
    conf = tmp_path / "tmux.conf"
    conf.write_text(f"set -g status-right '{line}'\nset -g status-right-length 100\nset -g status-interval 1\n")
    with held(root, state, facts | {"cost": "3.10", "unpriced": False}):
        command = ["tmux", "-S", str(inner), "-f", str(conf), "new-session", "sleep 60"]
        with Terminal(command, cols=120, rows=10, cwd=tmp_path) as terminal:
            try:
                seen = terminal.wait_for(r"● .*⚠2.*$", 20.0)
                assert seen[0].rstrip().startswith(f"● {hostile} 4m ⚠2 $3.10")
            finally:
                subprocess.run(["tmux", "-S", str(inner), "kill-server"], check=False, capture_output=True)
    assert not list(tmp_path.rglob("sprung"))


def test_it_costs_next_to_nothing(root: Path, tmp_path: Path) -> None:
    """100 ms of CPU in all; the best of several, as others use the machine, too."""
    state = tmp_path / "state"
    with held(root, state, {"at": time.time(), "light": None, "more": 0, "alerts": 0, "cost": "", "unpriced": False}):
        costs = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            assert ask(root, state, "--format", "tmux").stdout == "○ no turn\n"
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 0.1, costs
