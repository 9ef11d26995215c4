"""Lives, deaths and output of panes, as the source tells them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from teamops.config.settings import RoleSettings, Settings
from teamops.model.events import Event, OutputSeen, PaneDied, PanesSeen, SourceTroubled
from teamops.model.role import Role
from teamops.sources import panes as panes_module
from teamops.sources.clock import Clock
from teamops.sources.panes import Panes
from teamops.sources.pty_output import PtyOutput
from teamops.tmux.command import run_once
from teamops.tmux.control import ControlClient
from teamops.tmux.server import Server
from tests.cgroup import HUNGRY, is_in_cgroup, memory_cgroup
from tests.tmux.private import PrivateTmux, until

pytestmark = pytest.mark.tmux


class Watched:
    """A running source and what it told."""

    def __init__(self, source: Panes, server: Server) -> None:
        self.source = source
        self.server = server
        self.events: list[Event] = []
        self.at: dict[int, float] = {}

    def take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, PaneDied):
            self.at[event.pid] = time.monotonic()

    def deaths(self) -> dict[int, tuple[int | None, int | None]]:
        return {
            event.pid: (event.exit_status, event.exit_signal) for event in self.events if isinstance(event, PaneDied)
        }

    def last(self) -> PanesSeen:
        return [event for event in self.events if isinstance(event, PanesSeen)][-1]

    def looks(self) -> int:
        return sum(isinstance(event, PanesSeen) for event in self.events)

    def pid(self, role: str = "A") -> int:
        return dict(self.last().panes)[Role(role)].pid


Watch = Callable[..., Awaitable[Watched]]


@pytest.fixture
async def watch(tmux: PrivateTmux) -> AsyncIterator[Watch]:
    made: list[Watched] = []

    async def begin(*sessions: str, poll_s: float = 2.0) -> Watched:
        roles = tuple(
            RoleSettings(
                role=Role(name.upper()),
                name=name,
                profile=None,
                session=name,
                client="command",
                command=(),
                cwd=Path("/"),
            )
            for name in sessions
        )
        settings = Settings(root=Path("/"), project="p", handoff=Path("/c"), roles=roles, source=Path("/t"))
        server = Server(tmux.socket, sessions)
        watched = Watched(Panes(settings, server, Clock(), poll_s), server)
        made.append(watched)
        await watched.source.start(watched.take)
        return watched

    yield begin
    for watched in made:
        await watched.source.stop()
        await watched.server.close()


ENDINGS = {
    "status 37": ("trap 'exit 37' USR1", signal.SIGUSR1, (37, None)),
    "status 0": ("trap 'exit 0' USR1", signal.SIGUSR1, (0, None)),
    "SIGKILL": (":", signal.SIGKILL, (None, 9)),
    "SIGSEGV": (":", signal.SIGSEGV, (None, 11)),
    "SIGTERM": (":", signal.SIGTERM, (None, 15)),
}


@pytest.mark.parametrize("case", ENDINGS)
async def test_a_death_is_told_with_its_cause(tmux: PrivateTmux, watch: Watch, case: str) -> None:
    trap, number, expected = ENDINGS[case]
    pane = tmux.new("a", f"{trap}; printf ready; while :; do read x; done")
    await until("its trap", lambda: "ready" in tmux.screen(pane))
    seen = await watch("a")
    pid = seen.pid()
    begun = time.monotonic()
    os.kill(pid, number)
    await until("its death", seen.deaths)
    assert seen.deaths() == {pid: expected}
    assert seen.at[pid] - begun < 1.0  # 0.1 s is measured by the benchmark; a busy machine says nothing here
    await until("the pane", lambda: dict(seen.last().panes)[Role("A")].dead)
    pane_seen = dict(seen.last().panes)[Role("A")]
    assert (pane_seen.exit_status, pane_seen.exit_signal) == expected
    await until("tmux to know", lambda: tmux.ask("=a:", "#{pane_dead}") == "1")


@pytest.mark.parametrize("pidfd", [True, False], ids=["pidfd", "polled"])
async def test_tmux_is_asked_where_no_zombie_tells(
    tmux: PrivateTmux, watch: Watch, monkeypatch: pytest.MonkeyPatch, *, pidfd: bool
) -> None:
    monkeypatch.setattr(panes_module, "ending_of", lambda _: None)
    monkeypatch.setattr(panes_module, "PIDFD", pidfd)
    tmux.new("a", "trap 'exit 37' USR1; echo ready; while :; do read x; done")
    tmux.new("b")
    await until("its trap", lambda: "ready" in tmux.screen("=a:"))
    seen = await watch("a", "b")
    pids = seen.pid("A"), seen.pid("B")
    os.kill(pids[0], signal.SIGUSR1)
    os.kill(pids[1], signal.SIGKILL)
    await until("both deaths", lambda: len(seen.deaths()) == 2)
    assert seen.deaths() == {pids[0]: (37, None), pids[1]: (None, 9)}


async def test_output_is_told_without_inotify(tmux: PrivateTmux, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PtyOutput, "start", lambda _: None)
    tmux.new("quiet")
    tmux.new("a", "while :; do echo tick; sleep 0.05; done")
    seen = await watch("a", "quiet", poll_s=0.05)
    await until("output", lambda: any(isinstance(event, OutputSeen) for event in seen.events))
    assert {event.role for event in seen.events if isinstance(event, OutputSeen)} == {"A"}


async def test_a_server_that_hangs_is_said_and_what_was_known_stays(
    tmux: PrivateTmux, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_once, "__defaults__", (0.1,))
    monkeypatch.setattr(ControlClient.__init__, "__defaults__", (0.1,))
    tmux.new("a")
    seen = await watch("a", poll_s=0.05)

    def said() -> list[str]:
        return [
            event.message
            for event in seen.events
            if isinstance(event, SourceTroubled) and "tmux server" in event.source
        ]

    pid = tmux.server_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        await until("the trouble", said)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "no answer" in said()[0]
    assert len(seen.last().panes) == 1
    assert seen.last().server_up
    await until("it to be well", lambda: said()[-1] == "")
    assert seen.deaths() == {}


async def test_a_session_without_remain_on_exit_dies_with_its_cause(tmux: PrivateTmux, watch: Watch) -> None:
    tmux.new("other")
    tmux.new("a", "exec cat", keep=False)
    seen = await watch("a")
    pid = seen.pid()
    os.kill(pid, signal.SIGTERM)
    await until("its death", seen.deaths)
    await until("the session's end", lambda: seen.last().panes == ())
    assert seen.last().server_up
    assert seen.deaths()[pid] in {(None, 15), (None, None)}  # nobody knows any more if tmux was the quicker


async def test_a_storm_of_deaths_loses_none(tmux: PrivateTmux, watch: Watch) -> None:
    names = [f"s{index}" for index in range(20)]
    for name in names:
        tmux.new(name)
    seen = await watch(*names)
    pids = [pane.pid for _, pane in seen.last().panes]
    assert len(pids) == 20
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    await until("all deaths", lambda: len(seen.deaths()) == 20)
    assert seen.deaths() == dict.fromkeys(pids, (None, 9))
    await until("all panes", lambda: all(pane.dead and pane.exit_signal == 9 for _, pane in seen.last().panes))
    dead = "\n".join(["1"] * 20)
    await until("tmux to know", lambda: tmux("list-panes", "-a", "-F", "#{pane_dead}").strip() == dead)
    assert sum(isinstance(event, PaneDied) for event in seen.events) == 20


async def test_a_new_process_in_the_pane_is_followed(tmux: PrivateTmux, watch: Watch) -> None:
    pane = tmux.new("a")
    seen = await watch("a", poll_s=0.1)
    first = seen.pid()
    tmux("respawn-pane", "-k", "-t", pane, "exec cat")
    await until("the new process", lambda: seen.pid() != first)
    assert first in seen.deaths()
    second = seen.pid()
    os.kill(second, signal.SIGKILL)
    await until("its death", lambda: second in seen.deaths())
    assert seen.deaths()[second] == (None, 9)


async def test_sessions_come_go_and_change_names(tmux: PrivateTmux, watch: Watch) -> None:
    tmux.new("foreign")
    tmux.new("b")
    seen = await watch("a", "b", poll_s=60.0)  # what follows comes by notification alone
    await until("control mode", lambda: seen.server.mode == "control")
    tmux.new("a")
    await until("the new one", lambda: len(seen.last().panes) == 2)
    tmux("rename-session", "-t", "=a:", "aa")
    await until("it under no name of ours", lambda: [role for role, _ in seen.last().panes] == ["B"])
    tmux("rename-session", "-t", "=aa:", "a")
    await until("it again", lambda: len(seen.last().panes) == 2)
    tmux("kill-session", "-t", "=a:")
    await until("its end", lambda: len(seen.last().panes) == 1)


async def test_a_server_that_ends_is_told_once_and_found_again(tmux: PrivateTmux, watch: Watch) -> None:
    tmux.new("a")
    seen = await watch("a")
    tmux.kill()
    await until("its end", lambda: not seen.last().server_up)
    downs = seen.looks()
    tmux.new("a")
    begun = time.monotonic()
    await until("its return", lambda: seen.last().server_up)
    assert time.monotonic() - begun < 2.0
    assert seen.looks() == downs + 1
    await until("control mode", lambda: seen.server.mode == "control")


async def test_nothing_is_told_while_nothing_happens(tmux: PrivateTmux, watch: Watch) -> None:
    tmux.new("a")
    seen = await watch("a", poll_s=0.02)
    await until("control mode", lambda: seen.server.mode == "control")
    asked: list[bool] = []
    answer = seen.server.panes

    async def counted() -> object:
        asked.append(True)
        return await answer()

    seen.server.panes = counted  # type: ignore[method-assign,assignment]  # only counts
    begun = len(seen.events)
    await until("ten looks", lambda: len(asked) >= 10)
    assert seen.events[begun:] == []


async def test_output_is_told_at_most_once_a_second(tmux: PrivateTmux, watch: Watch) -> None:
    fifo = tmux.folder / "go"
    os.mkfifo(fifo)
    tmux.new("quiet")
    tmux.new("a", f"read x < {fifo}; while :; do echo tick; sleep 0.02; done")
    seen = await watch("a", "quiet")

    def told() -> list[OutputSeen]:
        return [event for event in seen.events if isinstance(event, OutputSeen)]

    assert told() == []
    handle = os.open(fifo, os.O_WRONLY)
    os.write(handle, b"x\n")
    os.close(handle)
    await until("output, again and again", lambda: len(told()) >= 3)
    assert {event.role for event in told()} == {"A"}
    moments = [event.stamp.now for event in told()]
    assert min(later - sooner for sooner, later in pairwise(moments)) > 0.9


async def test_no_tmux_program_names_the_line_that_installs_it(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path))
    seen = await watch("a", poll_s=0.05)
    trouble = next(event for event in seen.events if isinstance(event, SourceTroubled))
    assert trouble.message == "tmux is missing"
    assert "tmux" in trouble.hint
    assert "install" in trouble.hint.lower()
    assert not seen.last().server_up
    monkeypatch.setenv("PATH", path)
    await until("it to be well", lambda: [e.message for e in seen.events if isinstance(e, SourceTroubled)][-1] == "")


@pytest.mark.parametrize("hungry", [True, False], ids=["out of memory", "killed by somebody"])
async def test_an_end_for_want_of_memory_is_told_from_another_kill(
    tmux: PrivateTmux, watch: Watch, tmp_path: Path, hungry: bool
) -> None:
    with memory_cgroup(tmp_path.name) as group:
        script = tmp_path / "hungry.py"
        script.write_text(HUNGRY)
        # In the cgroup before anybody looks, as a real one is.
        tmux.new("a", f"echo $$ > {group}/cgroup.procs; exec {sys.executable} -S {script}")
        pid = int(tmux.ask("=a:", "#{pane_pid}"))
        await until("its program", lambda: b"hungry.py" in Path(f"/proc/{pid}/cmdline").read_bytes())
        await until("its cgroup", lambda: is_in_cgroup(group, pid))
        watched = await watch("a")
        if hungry:
            tmux("send-keys", "-t", "=a:", "x", "Enter")
        else:
            os.kill(pid, signal.SIGKILL)
        await until("its end", lambda: pid in watched.deaths())
        (death,) = [event for event in watched.events if isinstance(event, PaneDied)]
        assert (death.exit_signal, death.oom) == (9, hungry)
