"""Process trees: added up by a table, read from the real machine, and told by the source."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping

import psutil
import pytest

from teamops.model.events import Event, ProcessesSeen, ProcessRow
from teamops.model.role import Role
from teamops.sources.clock import Clock
from teamops.sources.processes import Processes, Use, read_proc, read_psutil, rows_of
from tests.tmux.private import until

BIG = 'import time; x = b"x" * 60_000_000; print("up", flush=True); time.sleep(60)'
A, B = Role("A"), Role("B")

TABLE = {
    1: Use(0, 10, 1.0),
    10: Use(1, 100, 2.0),
    11: Use(10, 200, 0.5),
    12: Use(11, 300, 0.25),
    20: Use(1, 7, 0.0),
}


def test_a_tree_is_added_up() -> None:
    assert rows_of(TABLE, {A: 10, B: 20}) == (ProcessRow(A, 10, 600, 2.75, 3), ProcessRow(B, 20, 7, 0.0, 1))


def test_a_process_that_is_gone_has_no_row() -> None:
    assert rows_of(TABLE, {A: 99}) == ()


def test_a_circle_ends() -> None:
    circle = {1: Use(2, 1, 0.0), 2: Use(1, 1, 0.0)}
    assert rows_of(circle, {A: 1}) == (ProcessRow(A, 1, 2, 0.0, 2),)


@pytest.fixture
def tree() -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        ["sh", "-c", f"{sys.executable} -c '{BIG}' & sleep 60 & wait"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout
    assert child.stdout.readline() == "up\n"
    yield child
    os.killpg(child.pid, 9)
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize("read", [read_proc, read_psutil], ids=["proc", "psutil"])
def test_a_real_tree_is_read(tree: subprocess.Popen[str], read: object) -> None:
    assert callable(read)
    (row,) = rows_of(read(), {A: tree.pid})
    family = [psutil.Process(tree.pid), *psutil.Process(tree.pid).children()]
    assert row.count == len(family) == 3
    rss = sum(process.memory_info().rss for process in family)
    assert abs(row.rss_bytes - rss) < 15e6 < 50e6 < rss


@pytest.mark.parametrize("read", [read_proc, read_psutil], ids=["proc", "psutil"])
def test_a_shell_with_nobody_in_it_is_known(tree: subprocess.Popen[str], read: object) -> None:
    assert callable(read)
    with subprocess.Popen(["sh", "-c", "read x; true"], stdin=subprocess.PIPE) as shell:
        table = read()
        assert table[shell.pid].name == "sh"
        rows = rows_of(table, {A: shell.pid, B: tree.pid})
        shell.kill()
    assert [row.bare_shell for row in rows] == [True, False]


@pytest.mark.parametrize("read", [read_proc, read_psutil], ids=["proc", "psutil"])
def test_a_process_that_is_stopped_from_outside_is_known(read: Callable[[], Mapping[int, Use]]) -> None:
    def stopped() -> list[bool]:
        return [row.stopped for row in rows_of(read(), {A: child.pid})]

    with subprocess.Popen(["sleep", "60"]) as child:
        assert stopped() == [False]
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        assert stopped() == [True]
        child.send_signal(signal.SIGCONT)
        os.waitid(os.P_PID, child.pid, os.WCONTINUED)
        assert stopped() == [False]
        child.kill()


def chain(*names: str, last: str = "T") -> dict[int, Use]:
    """A tree in which each process has one child, and only the last is stopped."""
    states = ["S"] * (len(names) - 1) + [last]
    return {
        10 + at: Use(9 + at, 1, 0.0, name, state) for at, (name, state) in enumerate(zip(names, states, strict=True))
    }


STOPS = [
    pytest.param(chain("claude"), True, id="by a signal"),
    pytest.param(chain("claude", last="t"), True, id="by a debugger"),
    pytest.param(chain("claude", last="S"), False, id="asleep"),
    pytest.param(chain("-bash", "claude"), True, id="below a login shell"),
    pytest.param(chain("sh", "bwrap", "bwrap", "claude"), True, id="below a sandbox"),
    pytest.param(chain("node", "codex"), True, id="codex's own"),
    pytest.param(chain("node", "node"), True, id="gemini's own"),
    pytest.param(chain("claude", "bash"), False, id="a tool"),
    pytest.param(chain("sh", "claude", "bash"), False, id="a tool of a wrapped client"),
    pytest.param(chain("node", "bash"), False, id="a tool of a client in node"),
    pytest.param({**chain("sh", "claude"), 20: Use(10, 1, 0.0, "tee", "S")}, False, id="one of two"),
    pytest.param({10: Use(11, 1, 0.0, "sh", "S"), 11: Use(10, 1, 0.0, "sh", "S")}, False, id="a circle"),
]


@pytest.mark.parametrize(("table", "stopped"), STOPS)
def test_only_the_client_itself_says_that_it_is_stopped(table: dict[int, Use], stopped: bool) -> None:
    (row,) = rows_of(table, {A: 10})
    assert row.stopped is stopped


async def test_new_processes_are_told_soon(tree: subprocess.Popen[str]) -> None:
    told: list[Event] = []
    source = Processes(Clock(), pass_s=60.0)
    await source.start(told.append)
    assert [event.rows for event in told if isinstance(event, ProcessesSeen)] == [()]
    source.watch({A: tree.pid})
    source.watch({A: tree.pid})
    assert len(told) == 2  # the first at once
    source.watch({A: tree.pid, B: tree.pid})
    await until("the tree", lambda: len(told) == 3)
    await source.stop()
    assert [
        [(row.role, row.pid, row.count) for row in event.rows] for event in told if isinstance(event, ProcessesSeen)
    ] == [[], [(A, tree.pid, 3)], [(A, tree.pid, 3), (B, tree.pid, 3)]]


async def test_a_pass_comes_again_and_again(tree: subprocess.Popen[str]) -> None:
    told: list[Event] = []
    source = Processes(Clock(), pass_s=0.05)
    source.watch({A: tree.pid})
    await source.start(told.append)
    await until("three passes", lambda: len(told) >= 3)
    await source.stop()
    assert all(isinstance(event, ProcessesSeen) and len(event.rows) == 1 for event in told)
