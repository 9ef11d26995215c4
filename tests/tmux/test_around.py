"""Where a process runs, asked of a real tmux."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from teamops.tmux.around import pane_processes, session_of_pane
from teamops.tmux.socket import Socket
from tests.tmux.private import private_tmux

pytestmark = [pytest.mark.tmux]


def test_the_session_is_the_panes(short_dir: Path) -> None:
    with private_tmux(short_dir) as tmux:
        pane = tmux.new("shop-coder")
        other = tmux.new("my shop")
        env = {"TMUX": f"{tmux.socket.path},1,0", "TMUX_PANE": pane}
        assert session_of_pane(env) == "shop-coder"
        assert session_of_pane(env | {"TMUX_PANE": other}) == "my shop"
        assert session_of_pane(env | {"TMUX_PANE": ""}) == ""
        assert session_of_pane({"TMUX_PANE": pane}) == ""
    assert session_of_pane(env) == ""  # the server has gone


def test_the_processes_of_the_named_sessions_alone(short_dir: Path) -> None:
    with private_tmux(short_dir) as tmux:
        pane = tmux.new("shop-coder")
        tmux.new("private")
        tmux.new("shop-director", "exit 3")
        found = pane_processes(tmux.socket, {"shop-coder", "shop-director"})
        assert found.pop(int(tmux.ask(pane, "#{pane_pid}"))) == "shop-coder"
        assert set(found.values()) <= {"shop-director"}  # until tmux has seen its end
    assert pane_processes(tmux.socket, {"shop-coder"}) == {}


def test_without_tmux_there_is_none(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(short_dir))
    socket = Socket(path=str(short_dir / "s"))
    assert pane_processes(socket, {"x"}) == {}
    assert session_of_pane({"TMUX": f"{socket.path},1,0", "TMUX_PANE": "%0"}) == ""
    assert os.environ["PATH"] == str(short_dir)
