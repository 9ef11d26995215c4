"""The prompt of a simulated agent."""

from __future__ import annotations

import os
import pty
import select
import tty
from collections.abc import Iterator

import pytest

from teamops.demo.console import LONGEST_LINE, PROMPT, Console


class Terminal:
    """A pseudo-terminal with a console on its inner side."""

    def __init__(self) -> None:
        self.outer, self.inner = pty.openpty()
        tty.setraw(self.outer)
        self.console = Console(self.inner, self.inner)

    def type(self, text: str, submitted: int = 0) -> list[str]:
        """Type ``text``; return the lines taken, once there are ``submitted``: a terminal hands it on in pieces."""
        os.write(self.outer, text.encode())
        lines = self.console.read()
        while len(lines) < submitted:
            assert select.select([self.inner], [], [], 10)[0], lines
            lines += self.console.read()
        return lines

    def shown(self, end: str) -> str:
        """Return what was printed up to and with ``end``: a terminal hands it on in pieces."""
        seen = b""
        while end.encode() not in seen:
            assert select.select([self.outer], [], [], 10)[0], seen
            seen += os.read(self.outer, 65536)
        return seen.decode()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    with made.console:
        yield made
    os.close(made.inner)
    os.close(made.outer)


TYPED = [
    pytest.param("hello\r", ["hello"], id="a line"),
    pytest.param("one\rtwo\n", ["one", "two"], id="two lines"),
    pytest.param("\r\n", [], id="nothing"),
    pytest.param("half\x15whole\r", ["whole"], id="ctrl-u"),
    pytest.param("one two\x17three\r", ["one three"], id="ctrl-w"),
    pytest.param("hellp\x7fo\r", ["hello"], id="backspace"),
    pytest.param("\x7f\x7fa\r", ["a"], id="backspace on nothing"),
    pytest.param("ünï → ❯\r", ["ünï → ❯"], id="unicode"),  # noqa: RUF001
    pytest.param("a\x1b[31mb\x1b]0;title\x07c\r", ["abc"], id="escape sequences"),
    pytest.param("open", [], id="not submitted"),
    pytest.param("x" * 3000 + "\r", ["x" * 3000], id="long"),
]


@pytest.mark.parametrize(("typed", "lines"), TYPED)
def test_lines_are_taken_as_they_are_submitted(terminal: Terminal, typed: str, lines: list[str]) -> None:
    assert terminal.type(typed, len(lines)) == lines


def test_a_character_may_come_in_two_reads(terminal: Terminal) -> None:
    first, second = "ü".encode()[:1], "ü".encode()[1:]
    os.write(terminal.outer, first)
    assert terminal.console.read() == []
    os.write(terminal.outer, second + b"\r")
    assert terminal.console.read() == ["ü"]


def test_a_line_has_an_end(terminal: Terminal) -> None:
    for _ in range(3):
        terminal.type("y" * 3000)
        terminal.shown("y" * 70)
    (line,) = terminal.type("\r", 1)
    assert len(line) <= LONGEST_LINE


def test_what_is_said_stands_above_the_draft(terminal: Terminal) -> None:
    terminal.type("my draft")
    terminal.shown("my draft")
    terminal.console.say("news")
    shown = terminal.shown("my draft")
    assert shown.index("news") < shown.index(PROMPT) < shown.index("my draft")


def test_the_end_of_the_input_is_seen() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    console = Console(reading, 1)
    assert console.read() == []
    assert console.closed
    os.close(reading)


def test_a_terminal_that_went_away_is_no_error() -> None:
    made = Terminal()
    with made.console:
        os.close(made.outer)
        made.console.say("to nobody")
        assert made.console.closed
    os.close(made.inner)
