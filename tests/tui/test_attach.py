"""The way to an agent's session on real servers: there, the way back is said; and what is said if there is no way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from teamops.cli.leaving import Leaving
from teamops.cli.screen import run_attach
from teamops.model.errors import TeamopsError
from teamops.model.snapshot import AttachPlan
from tests.terminal import Terminal
from tests.tmux.private import PrivateTmux, private_tmux, until

pytestmark = pytest.mark.tmux

PROGRAM = """
import sys
from teamops.cli.leaving import Leaving
from teamops.cli.screen import run_attach
from teamops.tmux.attach import attach_plan
from teamops.tmux.socket import Socket
input("ready? ")
with Leaving() as leaving:
    run_attach(attach_plan(Socket(path=sys.argv[1]), "agent"), leaving)
print("here again")
input()
"""
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def tmux(short_dir: Path) -> Iterator[PrivateTmux]:
    with private_tmux(short_dir) as handle:
        handle.new("agent", "echo the agent; exec cat")
        yield handle


def test_from_a_plain_terminal(tmux: PrivateTmux) -> None:
    command = ["env", "-u", "TMUX", "-u", "TMUX_PANE", sys.executable, "-c", PROGRAM, tmux.socket.path or ""]
    with Terminal(command, cols=80, rows=24, cwd=REPOSITORY) as terminal:
        terminal.wait_for(r"ready\?")
        terminal.keys("Enter")
        terminal.wait_for("the agent")
        terminal.wait_for(r"come back: Ctrl-b d \(detach\)")
        tmux("detach-client", "-s", "=agent:")
        terminal.wait_for("here again")


async def test_within_the_same_server(tmux: PrivateTmux, short_dir: Path) -> None:
    script = short_dir / "program.py"
    script.write_text(PROGRAM)
    home = tmux.new("home", f"exec {sys.executable} {script} {tmux.socket.path}")
    attach = ["env", "-u", "TMUX", *tmux.socket.argv(), "attach-session", "-t", "=home:"]
    with Terminal(attach, cols=80, rows=24, cwd=REPOSITORY) as terminal:
        terminal.wait_for(r"ready\?")
        tmux("send-keys", "-t", home, "Enter")
        terminal.wait_for("the agent")
        terminal.wait_for(r"come back: Ctrl-b L \(last session\)")
        await until("its end", lambda: "here again" in tmux.screen(home))


def test_what_tmux_says_is_told(tmux: PrivateTmux) -> None:
    plan = AttachPlan((*tmux.socket.argv(), "attach-session", "-t", "=nobody:"), switch=False, back="come back: x")
    with pytest.raises(TeamopsError, match="can't find session"):
        run_attach(plan, Leaving())
