"""The channel ``terminal``: what each terminal is given, and that no text in it can say more than text."""

from __future__ import annotations

import asyncio
import io
import os
import termios
import threading
import tty
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.config.channels import Signal
from teamops.effects.channels.signals import notification, signal_here, signal_of_all, through_tmux
from teamops.effects.channels.terminal import NotTaken, TerminalChannel, write_at_once
from teamops.effects.channels.words import words_of
from teamops.model.handoff import Severity
from teamops.model.page import Page, Transition

PAGE = Page(
    id="p1",
    transition=Transition.FIRED,
    keys=(("agent-dead", "CODER"),),
    thread="agent-dead CODER",
    severity=Severity.CRITICAL,
    project="shop",
    title="shop: CODER is dead; really",
    body="killed by signal 9",
    do="restart it (r)",
    wall=0.0,
)

KITTY = "teamops-3db23b39"
KITTY_BODY = f"\x1b]99;i={KITTY}:d=1:p=body;killed by signal 9 Restart it (r)\x1b\\"


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("env", "signal"),
    [
        ({"TERM_PROGRAM": "iTerm.app", "TERM": "xterm-256color"}, Signal.OSC9),
        ({"TERM_PROGRAM": "WezTerm"}, Signal.OSC9),
        ({"TERM_PROGRAM": "ghostty"}, Signal.OSC9),
        ({"TERM": "xterm-ghostty"}, Signal.OSC9),
        ({"KITTY_WINDOW_ID": "1"}, Signal.OSC99),
        ({"TERM": "xterm-kitty"}, Signal.OSC99),
        ({"TERM": "foot-extra"}, Signal.OSC777),
        ({"TERM": "rxvt-unicode-256color"}, Signal.OSC777),
        ({"TERM": "xterm-256color"}, Signal.BELL),
        ({"TERM_PROGRAM": "Apple_Terminal", "TERM": "xterm-256color"}, Signal.BELL),
        ({"TERM_PROGRAM": "vscode"}, Signal.BELL),
        ({"VTE_VERSION": "7600", "TERM": "xterm-256color"}, Signal.BELL),
        ({}, Signal.BELL),
    ],
)
def test_a_terminal_is_known_by_what_it_says_of_itself(env: dict[str, str], signal: Signal) -> None:
    assert signal_here(env) is signal


@pytest.mark.parametrize(
    ("terminals", "signal"),
    [
        (("iTerm2 3.5.0",), Signal.OSC9),
        (("kitty(0.35.2)", "xterm-kitty"), Signal.OSC99),
        (("foot(1.16.2)",), Signal.OSC777),
        (("iTerm2 3.5.0", "kitty(0.35.2)"), Signal.BELL),
        (("tmux 3.3a",), Signal.BELL),
        ((), Signal.BELL),
    ],
)
def test_what_goes_to_several_terminals_is_what_all_understand(terminals: tuple[str, ...], signal: Signal) -> None:
    assert signal_of_all(terminals) is signal


@pytest.mark.parametrize(
    ("signal", "written", "evidence"),
    [
        (Signal.BELL, "\a", "bell"),
        (
            Signal.OSC9,
            "\x1b]9;teamops: shop: CODER is dead; really: killed by signal 9\x1b\\\a",
            "bell and OSC 9",
        ),
        (
            Signal.OSC777,
            "\x1b]777;notify;shop: CODER is dead, really;killed by signal 9 Restart it (r)\x1b\\\a",
            "bell and OSC 777",
        ),
        (
            Signal.OSC99,
            f"\x1b]99;i={KITTY}:d=0:u=2:p=title;shop: CODER is dead; really\x1b\\{KITTY_BODY}\a",
            "bell and OSC 99",
        ),
    ],
)
async def test_each_terminal_is_called_in_its_own_way(signal: Signal, written: str, evidence: str) -> None:
    terminal = FakeTerminal()
    receipt = await TerminalChannel(None, terminal, signal, {}).deliver(PAGE)
    assert (receipt.ok, receipt.evidence) == (True, evidence)
    assert terminal.getvalue() == written


async def test_our_own_screen_is_rung_before_any_other() -> None:
    rung: list[str] = []
    terminal = FakeTerminal()

    def ring(text: str) -> bool:
        rung.append(text)
        return True

    assert (await TerminalChannel(ring, terminal, Signal.BELL, {}).deliver(PAGE)).ok
    assert (rung, terminal.getvalue()) == (["\a"], "")
    assert (await TerminalChannel(lambda _: False, terminal, Signal.BELL, {}).deliver(PAGE)).ok
    assert terminal.getvalue() == "\a"


async def test_where_nobody_can_have_seen_it_nothing_was_delivered() -> None:
    closed = FakeTerminal()
    closed.close()
    for channel in (
        TerminalChannel(lambda _: False, io.StringIO(), Signal.OSC9, {}),
        TerminalChannel(None, closed, Signal.OSC9, {}),
        TerminalChannel(None, None, Signal.OSC9, {}),
    ):
        receipt = await channel.deliver(PAGE)
        assert (receipt.ok, receipt.absent) == (False, True)
    assert await TerminalChannel().start(lambda _: None) == "no terminal"


async def test_a_tmux_that_does_not_answer_is_no_reason_to_be_silent() -> None:
    terminal = FakeTerminal()
    env = {"TMUX": "/nonexistent/s,1,0", "TMUX_PANE": "%0", "TERM_PROGRAM": "iTerm.app"}
    receipt = await TerminalChannel(None, terminal, Signal.AUTO, env).deliver(PAGE)
    assert (receipt.ok, receipt.evidence) == (True, "bell (tmux did not say what is around it)")
    assert terminal.getvalue() == "\a"


@given(st.text(), st.text(), st.sampled_from(list(Signal)), st.booleans())
def test_no_text_ends_its_sequence_or_begins_another(title: str, body: str, signal: Signal, tmux: bool) -> None:
    page = replace(PAGE, title=title, body=body, thread=title)
    told = notification(signal, words_of(page), page.thread, critical=False)
    # All controls are ours: each sequence begins with ESC ] and ends with ESC \, and nothing else is in between.
    parts = told.split("\x1b\\")
    assert parts.pop() == ""
    for part in parts:
        assert part.startswith("\x1b]")
        assert all(letter >= " " and not "\x7f" <= letter <= "\x9f" for letter in part[1:])
    if tmux:
        wrapped = through_tmux(told)
        assert wrapped.count("\x1bPtmux;") == len(parts)
        undone = wrapped.replace("\x1bPtmux;", "").replace("\x1b\x1b\\\x1b\\", "\x1b\x1b\\").replace("\x1b\x1b", "\x1b")
        assert undone == told
    assert len(told) < 6000


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Our side, and that of the programs in it."""
    ours, theirs = os.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def test_the_bell_is_written_to_a_terminal_at_once_or_not_at_all(
    terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from teamops.cli import screen

    ours, theirs = terminal
    real = os.open
    monkeypatch.setattr(os, "open", lambda _, flags: real(os.ttyname(theirs), flags))
    assert screen.ring_bell("\x1b]9;ä\x1b\\\a")
    assert os.read(ours, 100) == b"\x1b]9;\xc3\xa4\x1b\\\a"
    filled = 0
    while screen.write_title("x" * 1000):  # nobody reads: it is full at some time
        filled += 1
        assert filled < 10_000
    rings = (screen.ring_bell("\a") for _ in range(10_000))  # what is still on its way may leave some room
    with pytest.raises(NotTaken):
        deque(rings, maxlen=0)


async def test_a_terminal_that_was_stopped_keeps_nobody_waiting_and_is_no_delivery(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    termios.tcflow(theirs, termios.TCOOFF)
    with os.fdopen(os.dup(theirs), "w") as stream:
        channel = TerminalChannel(None, stream, Signal.OSC9, {})
        async with asyncio.timeout(2.0):
            receipt = await channel.deliver(PAGE)
        assert (receipt.ok, receipt.absent, receipt.retry) == (False, False, True)
        assert receipt.message == "the terminal takes nothing"
        assert "Ctrl+Q" in receipt.hint
        termios.tcflow(theirs, termios.TCOON)
        assert (await channel.deliver(PAGE)).ok
    assert os.read(ours, 4096).count(b"\a") == 1


def test_one_that_takes_a_part_gets_a_moment_for_the_rest(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    tty.setraw(theirs)
    read = bytearray()
    text = "x" * 100_000 + "\a"  # more than a terminal takes at once

    def take() -> None:
        while not read.endswith(b"\a"):
            read.extend(os.read(ours, 4096))

    thread = threading.Thread(target=take)
    thread.start()
    assert write_at_once(os.ttyname(theirs), text)
    thread.join(10.0)
    assert read.decode() == text


def test_where_there_is_no_terminal_nothing_is_taken() -> None:
    assert not write_at_once("/nonexistent/tty", "\a")
