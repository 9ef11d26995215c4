"""The channel ``terminal`` inside a real tmux: what the terminal outside gets, byte by byte."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.tmux

PROGRAM = """
import asyncio, sys
from teamops.config.channels import Signal
from teamops.effects.channels.terminal import TerminalChannel
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition
page = Page(id="1", transition=Transition.FIRED, keys=(), thread="t", severity=Severity.CRITICAL, project="p",
            title="CODER\\x1b]0;evil\\x07 is dead", body="#(touch sprung) \\x1b[31mred\\x9b2J", do="", wall=0.0)
receipt = asyncio.run(TerminalChannel(None, sys.stderr, Signal(sys.argv[1])).deliver(page))
open(sys.argv[2], "w").write(f"{receipt.ok} {receipt.evidence}")
"""


class Outside:
    """A terminal outside of a private tmux: it answers what it is, and keeps what it is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = str(folder / "s")
        self.got = b""
        self._says = b""
        self._client: subprocess.Popen[bytes] | None = None
        self._ours = self._theirs = -1
        self._over = threading.Event()
        self.tmux("new-session", "-d", "-x", "80", "-y", "24", "sleep 600")

    def tmux(self, *words: str) -> str:
        env = {name: text for name, text in os.environ.items() if name not in {"TMUX", "TMUX_PANE"}}
        return subprocess.run(
            ["tmux", "-S", self.socket, "-f", "/dev/null", *words],
            env=env, capture_output=True, text=True, timeout=20, check=True,
        ).stdout.strip()  # fmt: skip

    def attach(self, says: str = "") -> None:
        """Attach a terminal that says of itself what it is, and wait until tmux has heard it."""
        self._says = f"\x1bP>|{says}\x1b\\".encode() if says else b""
        self._ours, self._theirs = os.openpty()
        env = {name: text for name, text in os.environ.items() if name not in {"TMUX", "TMUX_PANE"}}
        self._client = subprocess.Popen(
            ["tmux", "-S", self.socket, "attach"],
            env={**env, "TERM": "xterm-256color"}, stdin=self._theirs, stdout=self._theirs, stderr=self._theirs,
            start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, name="terminal").start()
        self.until(lambda: self.tmux("list-clients", "-F", "#{client_termtype}!") == f"{says}!")

    def _read(self) -> None:
        while not self._over.is_set():
            if select.select([self._ours], [], [], 0.05)[0]:
                data = os.read(self._ours, 65536)
                self.got += data
                if b"\x1b[>q" in data and self._says:
                    os.write(self._ours, self._says)
        os.close(self._ours)
        os.close(self._theirs)

    def ring(self, signal: str = "auto") -> str:
        """Deliver a page in a pane of its own, that is seen; return what the receipt says."""
        said = self._folder / "said"
        said.unlink(missing_ok=True)
        program = self._folder / "ring.py"
        program.write_text(PROGRAM)
        self.tmux("new-window", f"{sys.executable} {program} {signal} {said}; sleep 600")
        self.until(lambda: said.exists() and said.read_text() != "")
        return said.read_text()

    def until(self, look: Callable[[], object]) -> None:
        end = time.monotonic() + 20.0
        while not look():
            assert time.monotonic() < end, self.got
            time.sleep(0.02)

    def close(self) -> None:
        self.tmux("kill-server")
        if self._client is not None:
            self._client.wait(10)
            self._over.set()


@pytest.fixture
def outside(short_dir: Path) -> Iterator[Outside]:
    made = Outside(short_dir)
    yield made
    made.close()


CALL = b"\x1b]9;teamops: CODER is dead: #(touch sprung) red\x1b\\"


def test_the_terminal_outside_is_called_where_tmux_lets_it_through(outside: Outside) -> None:
    outside.tmux("set", "-g", "allow-passthrough", "on")
    outside.attach("iTerm2 3.5.0")
    assert outside.ring() == "True bell and OSC 9, through tmux"
    outside.until(lambda: CALL in outside.got and b"\a" in outside.got)
    assert b"evil" not in outside.got
    assert not re.search(rb"\x1b\]0;|\x1b\]2;evil", outside.got)


def test_without_leave_of_tmux_only_the_bell_comes_through(outside: Outside) -> None:
    outside.attach("iTerm2 3.5.0")
    assert outside.ring() == "True bell (tmux lets no more through: set -g allow-passthrough on)"
    outside.until(lambda: b"\a" in outside.got)
    assert b"]9;" not in outside.got
    assert outside.tmux("show-options", "-g", "-v", "allow-passthrough") == "off", "the person's option is theirs"


def test_an_unknown_terminal_is_only_rung_unless_it_is_named(outside: Outside) -> None:
    outside.tmux("set", "-g", "allow-passthrough", "on")
    outside.attach()
    assert outside.ring() == "True bell"
    outside.until(lambda: b"\a" in outside.got)
    assert b"]9;" not in outside.got
    assert outside.ring("osc9") == "True bell and OSC 9, through tmux"
    outside.until(lambda: CALL in outside.got)


def test_nobody_attached_is_said(outside: Outside) -> None:
    assert outside.ring("osc9") == "True bell (nobody is attached to its tmux session)"


def test_an_alert_calls_through_the_open_screen_and_leaves_it_whole(outside: Outside, tmp_path: Path) -> None:
    (tmp_path / "current.md").write_text("### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: done\n**Turn**: HUMAN\n")
    (tmp_path / "teamops.toml").write_text('[notify]\nchannels = ["terminal"]\nsignal = "osc9"\n')
    outside.tmux("set", "-g", "allow-passthrough", "on")
    outside.attach()
    command = f"{sys.executable} -m teamops"
    outside.tmux(
        "new-window", "-n", "screen", "-c", str(tmp_path), "-e", f"TEAMOPS_STATE_DIR={tmp_path}/state", command
    )
    outside.until(lambda: b"]9;teamops: " in outside.got)
    outside.until(lambda: "HUMAN" in outside.tmux("capture-pane", "-p", "-t", "screen"))
    assert "]9;" not in outside.tmux("capture-pane", "-p", "-t", "screen")
    said = re.search(rb"\x1b\]9;(teamops: [^\x07\x1b]*)\x1b\\", outside.got)
    assert said is not None
    outside.tmux("send-keys", "-t", "screen", "q")
    outside.until(lambda: "screen" not in outside.tmux("list-windows", "-F", "#{window_name}"))
