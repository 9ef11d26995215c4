"""The way to an agent's session and back, from wherever the person is."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from teamops.model.errors import TeamopsError
from teamops.tmux.attach import attach_plan
from teamops.tmux.command import ServerDown
from teamops.tmux.lifecycle import kill_session
from teamops.tmux.server import Server
from tests.tmux.private import PrivateTmux, private_tmux, until

pytestmark = pytest.mark.tmux


def test_outside_of_tmux_it_attaches(tmux: PrivateTmux) -> None:
    tmux.new("a b")
    plan = attach_plan(tmux.socket, "a b", {})
    assert plan.argv[1:] == ("-u", "-S", tmux.socket.path, "attach-session", "-t", "=a b:")
    assert not plan.switch
    assert plan.back == "come back: Ctrl-b d (detach)"


def test_inside_the_same_server_it_switches(tmux: PrivateTmux, short_dir: Path) -> None:
    tmux.new("a")
    tmux("set-option", "-g", "prefix", "C-a")
    link = short_dir / "link"
    link.symlink_to(tmux.socket.path)
    for path in (tmux.socket.path, link):
        plan = attach_plan(tmux.socket, "a", {"TMUX": f"{path},1,0"})
        assert plan.switch
        assert plan.argv[-3:] == ("switch-client", "-t", "=a:")
        assert plan.back == "come back: Ctrl-a L (last session)"
        assert plan.unset == ()


@pytest.mark.parametrize(
    ("inner", "outer", "words"),
    [("C-a", "C-b", "Ctrl-a d"), ("C-b", "C-b", "Ctrl-b twice, then d")],
    ids=["other prefix", "same prefix"],
)
def test_inside_another_server_it_nests(tmux: PrivateTmux, short_dir: Path, inner: str, outer: str, words: str) -> None:
    tmux.new("a")
    tmux("set-option", "-g", "prefix", inner)
    (short_dir / "o").mkdir()
    with private_tmux(short_dir / "o") as other:
        other.new("home")
        other("set-option", "-g", "prefix", outer)
        plan = attach_plan(tmux.socket, "a", {"TMUX": f"{other.socket.path},1,0"})
    assert not plan.switch
    assert "TMUX" in plan.unset
    assert words in plan.back


def test_a_session_that_is_not_there_is_said(tmux: PrivateTmux) -> None:
    with pytest.raises(ServerDown):
        attach_plan(tmux.socket, "a", {})
    tmux.new("ab")
    with pytest.raises(TeamopsError, match='no session "a"'):
        attach_plan(tmux.socket, "a", {})


async def test_the_plan_of_nesting_really_attaches(tmux: PrivateTmux, short_dir: Path) -> None:
    tmux.new("a", "echo the agent; exec cat")
    (short_dir / "o").mkdir()
    with private_tmux(short_dir / "o") as other:
        home = other.new("home", "exec sh")
        plan = attach_plan(tmux.socket, "a", {"TMUX": f"{other.socket.path},1,0"})
        unset = " ".join(f"-u {name}" for name in plan.unset)
        other("send-keys", "-t", home, f"env {unset} {' '.join(plan.argv)}", "Enter")
        await until("the agent's screen", lambda: "the agent" in other.screen(home))
        assert tmux("list-clients", "-F", "#{session_name}").split() == ["a"]


async def test_a_dead_pane_that_wanted_the_focus_does_not_crash_the_server(tmux: PrivateTmux, short_dir: Path) -> None:
    tmux.new("other")
    pane = tmux.new("a", "printf 'last words\\033[?1004h'; exec sleep 300")
    await until("its words", lambda: "last words" in tmux.screen(pane))
    os.kill(int(tmux.ask(pane, "#{pane_pid}")), signal.SIGTERM)
    await until("its death", lambda: tmux.ask(pane, "#{pane_dead}") == "1")
    server = Server(tmux.socket, ["a"])
    await server.start()
    try:
        await until("control mode", lambda: server.mode == "control")
    finally:
        await server.close()
    attach_plan(tmux.socket, "a", {})
    ended = await asyncio.create_subprocess_exec(
        *tmux.socket.argv(), "-C", "attach-session", "-t", "=a:", stdin=asyncio.subprocess.DEVNULL
    )
    assert await ended.wait() == 0
    assert tmux("list-sessions", "-F", "#{session_name}").split() == ["a", "other"]
    assert "last words" in tmux("capture-pane", "-p", "-S", "-", "-t", pane)


async def test_a_session_whose_agent_ended_under_a_client_is_closed(tmux: PrivateTmux) -> None:
    tmux.new("other")
    pane = tmux.new("a", "printf 'words\\033[?1004h'; exec sleep 300")
    await until("its words", lambda: "words" in tmux.screen(pane))
    server = Server(tmux.socket, ["a"])
    await server.start()
    try:
        await until("control mode", lambda: server.mode == "control")
        os.kill(int(tmux.ask(pane, "#{pane_pid}")), signal.SIGTERM)
        await until("its death", lambda: tmux.ask(pane, "#{pane_dead}") == "1")
        await asyncio.to_thread(kill_session, tmux.socket, "a")
        assert tmux("list-sessions", "-F", "#{session_name}").split() == ["other"]
    finally:
        await server.close()
