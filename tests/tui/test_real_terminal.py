"""The screen in a real terminal: colours as it can show them, ESC without delay, the terminal lent and taken back."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest

from teamops.tui import words
from tests.terminal import Terminal

REPOSITORY = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "tests.tui.try_screen"]
pytestmark = pytest.mark.tmux


def colours_in(screen: str) -> set[str]:
    """Return the SGR parameters that name a colour."""
    found = set()
    for sequence in re.findall(r"\x1b\[([0-9;:]*)m", screen):
        codes = sequence.split(";")
        found |= {code for code in codes if re.fullmatch(r"(3[0-8]|4[0-8]|9[0-7]|10[0-7])", code)}
    return found


def test_a_person_looks_lends_the_terminal_and_leaves() -> None:
    with Terminal(PROGRAM, cols=80, rows=24, cwd=REPOSITORY) as terminal:
        terminal.wait_for(r"▶ DEVELOPER Isabelle ● working")
        terminal.wait_for(r"answered|waiting 08:")
        assert {"38", "48"} <= colours_in(terminal.colours())
        terminal.keys("a")
        terminal.wait_for("would run tmux attach; Enter comes back")
        terminal.wait_gone("1 Agents")
        terminal.keys("Enter")
        terminal.wait_for(r"▶ DEVELOPER Isabelle ● working")
        terminal.keys("Down", "Enter")
        terminal.wait_for("▸1 State")
        terminal.keys("3")
        terminal.wait_for("Running pytest -q")
        before = time.monotonic()
        terminal.keys("Escape")
        terminal.wait_for("1 Agents")
        assert time.monotonic() - before < 0.5, "ESC waits no longer than tmux itself lets it"
        terminal.resize(200, 60)
        terminal.wait_for("▶ TURN DEVELOPER Isabelle")
        terminal.wait_for("Sam is dead")
        terminal.resize(80, 24)
        terminal.wait_for("▸2 Handoff")
        terminal.keys("q")
        assert terminal.wait_end() == 0
        assert "the agents keep running" in terminal.text(history=True)


def test_a_person_reads_a_task_and_signs_it_off() -> None:
    with Terminal([*PROGRAM, "sign"], cols=80, rows=24, cwd=REPOSITORY) as terminal:
        terminal.wait_for("✖ 2 to mend")
        terminal.wait_for("◆ your turn")
        terminal.keys("f")
        terminal.wait_for("code-review-skipped")
        terminal.keys("d")
        terminal.wait_for(r"^ \+ \*\*Turn\*\*: CODER")
        terminal.keys("Enter")
        terminal.wait_for("older · 31 of 39")
        terminal.keys("1", "t")
        terminal.wait_for("▸1 Timeline")
        terminal.wait_for("changes-reque")
        terminal.keys("A")
        terminal.wait_for("y sign off")
        terminal.keys("y")
        terminal.wait_for("Type settings-page")
        terminal.keys("Enter")
        terminal.wait_for("Nothing is written yet.")
        terminal.type("settings-page")
        terminal.keys("Enter")
        terminal.wait_for("It was done.")
        terminal.keys("Escape")
        terminal.wait_for("1 Agents")
        terminal.keys("q")
        assert terminal.wait_end() == 0


def test_leaving_waits_for_no_act() -> None:
    with Terminal([*PROGRAM, "stuck"], cols=80, rows=24, cwd=REPOSITORY) as terminal:
        terminal.wait_for(r"▶ DEVELOPER Isabelle ● working")
        terminal.keys("p")
        terminal.wait_for("It is your turn, DIRECTOR")
        terminal.keys("Enter")
        terminal.wait_for("… Poking DIRECTOR")
        terminal.keys("q")
        assert terminal.wait_end(timeout=4.0) == 0, "the act would end after 10 s"


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [
        ({"NO_COLOR": "1"}, set()),
        ({"TERM": "screen", "COLORTERM": ""}, {str(code) for code in (*range(30, 38), *range(40, 48), *range(90, 98))}),
    ],
    ids=["NO_COLOR", "sixteen"],
)
def test_fewer_colours_are_kept_to_and_nothing_is_lost(environment: dict[str, str], allowed: set[str]) -> None:
    command = ["env", *(f"{name}={value}" for name, value in environment.items()), *PROGRAM]
    with Terminal(command, cols=80, rows=24, cwd=REPOSITORY) as terminal:
        terminal.wait_for(rf"^{words.CURSOR}  DIRECTOR Max +○ idle")
        terminal.wait_for("All gates hold")
        assert colours_in(terminal.colours()) <= allowed
        for word in ("● acting", "▲ 2 alerts", "◆ waiting", "✖ dead", "● implement", "1 Agents"):
            assert word in terminal.text()
        assert "\x1b[7m" in terminal.colours() or ";7m" in terminal.colours(), "the cursor's row is turned inside out"
        terminal.keys("p")
        terminal.wait_for("It is your turn, DIRECTOR")
        terminal.keys("Escape")
        terminal.wait_gone("It is your turn, DIRECTOR")
        terminal.keys("r")
        terminal.wait_for("y restart")
        terminal.keys("n")
        terminal.wait_gone("y restart")
        terminal.keys("?")
        terminal.wait_for("Keys and symbols")
        terminal.keys("q", "q")
        assert terminal.wait_end() == 0
