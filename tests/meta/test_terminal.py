"""The instrument before what is measured with it."""

from __future__ import annotations

import sys

import pytest

from tests.terminal import NotSeenError, Terminal

pytestmark = pytest.mark.tmux

ECHO = "import sys\nfor line in sys.stdin: print('heard', repr(line.strip()), flush=True)"


def test_it_shows_what_a_program_says_to_what_is_typed() -> None:
    with Terminal([sys.executable, "-c", ECHO], cols=60, rows=10) as terminal:
        terminal.type("it's #{pane_id} $HOME")
        terminal.keys("Enter")
        seen = terminal.wait_for(r"^heard (.*)$")
        assert seen[1] == '"it\'s #{pane_id} $HOME"'


def test_a_failure_shows_the_last_screen() -> None:
    with Terminal([sys.executable, "-c", "print('last words'); raise SystemExit(7)"]) as terminal:
        with pytest.raises(NotSeenError, match=r"status 7[\s\S]*last words"):
            terminal.wait_for("something else")
        assert terminal.wait_end() == 7


def test_it_changes_size() -> None:
    program = (
        "import os, signal\nwhile True:\n print(os.get_terminal_size().columns, flush=True)\n signal.sigwait([28])"
    )
    with Terminal([sys.executable, "-c", "import signal; signal.pthread_sigmask(0, [28])\n" + program], 90, 10) as it:
        it.wait_for("^90$")
        it.resize(100, 20)
        it.wait_for("^100$")


def test_closing_ends_daemons_too() -> None:
    daemon = "import os, time\nif os.fork() == 0:\n os.setsid()\n os.fork() or time.sleep(600)\nelse: print('off')"
    terminal = Terminal([sys.executable, "-c", daemon])
    try:
        terminal.wait_for("off")
        terminal.wait_end()
        assert terminal.left_running()
    finally:
        terminal.close()
    from tests import strays
    from tests.terminal import MARK

    assert not strays.marked(MARK, terminal._mark)
