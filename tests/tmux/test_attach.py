"""The way to an agent's session and back, from wherever the person is."""

from __future__ import annotations

from pathlib import Path

import pytest

from teamops.model.errors import TeamopsError
from teamops.tmux.attach import attach_plan
from teamops.tmux.command import ServerDown
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
