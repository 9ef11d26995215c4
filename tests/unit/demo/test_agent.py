"""What a simulated agent makes of a poke, and of a light that moved on while it worked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from teamops.demo.agent import Agent
from teamops.demo.answers import answer
from teamops.demo.reading import entries
from teamops.demo.script import threads, turn_of
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.model.role import CODER, DIRECTOR, HUMAN, Role


@pytest.fixture
def handoff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    path = tmp_path / "current.md"
    give(path, DIRECTOR, CODER)
    return path


@pytest.fixture
def coder(handoff: Path) -> Agent:
    return Agent(CODER, handoff, pace=1.0, seed=0, folder=None)


def give(path: Path, role: Role, turn: Role) -> None:
    at = datetime(2026, 3, 23, 9)  # noqa: DTZ001 - headings carry naive times
    append(path, render_block(role, at, "in progress", turn, 2, task="mine", sections=[("What I Did", "Gave it.")]))


def test_a_poke_that_is_quicker_than_the_look_is_understood(coder: Agent, capfd: pytest.CaptureFixture[str]) -> None:
    coder._hear("current.md line 1: your turn")
    assert "On it: mine." in capfd.readouterr().out


def test_a_poke_about_a_light_that_moved_on_is_refused(
    coder: Agent, handoff: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    coder._hear("current.md line 1: your turn")
    give(handoff, HUMAN, DIRECTOR)
    coder._hear("current.md line 1: your turn")
    assert "it is not my turn" in capfd.readouterr().out


def test_a_poke_before_the_light_was_noticed_ends_the_loitering(coder: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    class Loiters(Random):
        def random(self) -> float:
            return 0.0

    looks: list[float] = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        assert len(looks) < 3, "it loiters"

    monkeypatch.setattr(coder, "_look_up", look)
    monkeypatch.setattr(coder, "_rng", Loiters(1))
    coder._turns = 2
    coder._hear("current.md line 1: your turn")
    coder._hesitate()
    assert len(looks) == 1
    assert not coder._poked


def test_of_two_blocks_for_one_light_only_the_first_is_written(
    coder: Agent, handoff: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    thread = turn_of(CODER, threads(entries(handoff.read_bytes())))
    assert thread is not None
    for _ in range(2):
        coder._append(answer(CODER, thread), lambda tasks: turn_of(CODER, tasks) == thread)
    assert [entry.role for entry in entries(handoff.read_bytes())] == [DIRECTOR, CODER]
    assert "moved on without me" in capfd.readouterr().out
