"""``teamops init`` in a real terminal: a person who answers, errs, takes the defaults, or leaves."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.domain.limits import RestartWhen
from tests.terminal import Terminal

pytestmark = [pytest.mark.tmux]

INIT = [sys.executable, "-m", "teamops", "init"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "my shop"
    folder.mkdir()
    return folder


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which claude and codex are the only clients."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("claude", "codex"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    return f"{programs}:{os.environ['PATH']}"


def answer(terminal: Terminal, number: int, question: str, typed: str) -> None:
    terminal.wait_for(rf"^{number}\. {question}(.|\n)*\[[^\n]*\]\s*\Z", 20)
    if typed:
        terminal.type(typed)
    terminal.keys("Enter")


def test_five_answers_make_a_team(project: Path, path: str) -> None:
    with Terminal(INIT, cols=80, rows=50, cwd=project, env={"PATH": path}) as terminal:
        answer(terminal, 1, "What is the project called", "shop")
        answer(terminal, 2, "Who is in the team", "3")
        terminal.wait_for(r"installed here: claude, codex$")
        answer(terminal, 3, "What do they run", "claude, REVIEWER=codex --search")
        answer(terminal, 4, "Where do their sessions live", "own")
        answer(terminal, 5, "What may teamops do", "2")
        terminal.wait_for(r"^  teamops up")
        assert terminal.wait_end() == 0
        assert all(len(line) <= 80 for line in terminal.text(history=True).splitlines())
    settings = load(project)
    assert (settings.project, settings.tmux.socket_name) == ("shop", "shop")
    assert [(role.role, role.client) for role in settings.roles] == [
        ("DIRECTOR", "claude"),
        ("DEVELOPER", "claude"),
        ("CODER", "claude"),
        ("REVIEWER", "codex"),
        ("OPTIMIZER", "claude"),
        ("PARTNER", "claude"),
    ]
    assert (settings.auto_poke, settings.restart.when) == (True, RestartWhen.ON_DEATH)


def test_enter_alone_takes_the_defaults_and_a_slip_is_asked_again(project: Path, path: str) -> None:
    with Terminal(INIT, cols=80, rows=50, cwd=project, env={"PATH": path}) as terminal:
        answer(terminal, 1, "What is the project called", "")
        answer(terminal, 2, "Who is in the team", "director, revewer")
        terminal.wait_for("did you mean REVIEWER")
        terminal.type("director, reviewer")
        terminal.keys("Enter")
        answer(terminal, 3, "What do they run", "cladue")
        terminal.wait_for("did you mean claude")
        terminal.keys("Enter")
        answer(terminal, 4, "Where do their sessions live", "")
        answer(terminal, 5, "What may teamops do", "")
        assert terminal.wait_end() == 0
    settings = load(project)
    assert settings.project == "my shop"
    assert [(role.role, role.command) for role in settings.roles] == [
        ("DIRECTOR", ("claude",)),
        ("REVIEWER", ("claude",)),
    ]
    assert settings.tmux.socket_name == ""
    assert (settings.auto_poke, settings.restart.when) == (True, RestartWhen.ON_UNHEALTHY)


@pytest.mark.parametrize("key", ["C-c", "C-d"])
@pytest.mark.parametrize("answered", range(5))
def test_who_leaves_at_any_question_has_written_nothing(project: Path, path: str, answered: int, key: str) -> None:
    with Terminal(INIT, cols=80, rows=50, cwd=project, env={"PATH": path}) as terminal:
        for number in range(1, answered + 1):
            answer(terminal, number, "", "")
        terminal.wait_for(rf"^{answered + 1}\. (.|\n)*\[[^\n]*\]\s*\Z")
        terminal.keys(key)
        assert terminal.wait_end() == 130
        assert "nothing was written" in terminal.text(history=True)
        assert "Traceback" not in terminal.text(history=True)
    assert list(project.iterdir()) == []


def test_what_options_answer_is_not_asked(project: Path, path: str) -> None:
    words = ["--name", "shop", "--roles", "2", "--clients", "codex", "--server", "yours"]
    with Terminal([*INIT, *words], cols=80, rows=50, cwd=project, env={"PATH": path}) as terminal:
        answer(terminal, 1, "What may teamops do", "nothing")
        assert terminal.wait_end() == 0
    assert load(project).auto_poke is False
