"""The screen is ended by a signal: the terminal is given back as it was, and nobody is left behind."""

from __future__ import annotations

import shlex
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from tests import strays
from tests.terminal import Terminal
from tests.tmux.private import PrivateTmux, private_tmux

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

TEAMOPS = [sys.executable, "-m", "teamops"]
CANON = "stty -a | grep -o ' -*icanon'"
SCRIPT = f'{CANON}; {shlex.join(TEAMOPS)}; echo "ended with $?"; {CANON}; exec cat'


def screen(root: Path, tmp_path: Path) -> Terminal:
    return Terminal(["sh", "-c", SCRIPT], cwd=root, env={"TEAMOPS_STATE_DIR": str(tmp_path / "state")})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "current.md").write_text("### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: done\n**Turn**: DEVELOPER\n")
    return root


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["terminated", "hung up"])
def test_the_terminal_is_given_back(root: Path, tmp_path: Path, number: signal.Signals) -> None:
    with screen(root, tmp_path) as terminal:
        terminal.wait_for("DEVELOPER")
        terminal.process(TEAMOPS).send_signal(number)
        terminal.wait_for(f"ended with {128 + number}")
        terminal.wait_for(r"(?s) icanon.* icanon")
        assert terminal.given_back()


def test_whoever_is_with_an_agent_is_brought_back(root: Path, tmp_path: Path, short_dir: Path) -> None:
    with private_tmux(short_dir) as tmux:
        tmux.new("coder", "echo the agent; exec cat")
        role = '[roles.CODER]\nclient = "sdk"\nsession = "coder"\ncommand = ["cat"]\n'
        (root / "teamops.toml").write_text(f'[tmux]\nsocket_path = "{tmux.socket.path}"\n{role}')
        with screen(root, tmp_path) as terminal:
            terminal.wait_for("CODER")
            program = terminal.process(TEAMOPS)
            terminal.keys("a")
            terminal.wait_for("the agent")
            program.terminate()
            terminal.wait_for("ended with 143")
        assert sessions(tmux) == ["coder"]


def sessions(tmux: PrivateTmux) -> list[str]:
    return tmux("list-sessions", "-F", "#{session_name}").split()


def test_a_closed_terminal_ends_it(root: Path, tmp_path: Path) -> None:
    with screen(root, tmp_path) as terminal:
        terminal.wait_for("DEVELOPER")
        program = terminal.process(TEAMOPS)
        terminal._tmux("set-option", "-g", "remain-on-exit", "off", ";", "kill-pane")
        lives = partial(lambda one: [one] if one.is_running() and not strays.is_zombie(one.pid) else [], program)
        assert strays.settle(lives, 30.0) == []
