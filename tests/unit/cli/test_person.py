from __future__ import annotations

import io
import os
import pwd
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from teamops.cli import person
from teamops.config.load import load
from teamops.model.errors import UsageError
from teamops.tmux.around import LivingPane


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(person, "sys", SimpleNamespace(stdin=terminal, stdout=terminal))
    monkeypatch.setattr(person, "is_own_terminal", lambda: True)


def test_the_name_is_the_systems_not_a_variables(
    at_a_terminal: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.setenv("USER", "somebody-else")
    assert person.need_person("it", load(tmp_path), {}) == pwd.getpwuid(os.getuid()).pw_name


def test_an_agents_shell_is_refused(at_a_terminal: None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="CODER's shell"):
        person.need_person("it", load(tmp_path), {"TEAMOPS_ROLE": "CODER"})


def test_an_agents_session_is_refused(at_a_terminal: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "teamops.toml").write_text('project = "shop"\n[tmux]\nsocket_path = "s"\n[roles.CODER]\n')
    asked = []

    def panes(socket: object, sessions: frozenset[str]) -> tuple[LivingPane, ...]:
        asked.append(sessions)
        return (LivingPane(os.getppid(), "shop-coder", "%1", "/dev/pts/none", 0),)

    monkeypatch.setattr("teamops.tmux.around.living_panes", panes)
    with pytest.raises(UsageError, match='session "shop-coder"'):
        person.need_person("it", load(tmp_path), {})
    assert asked == [frozenset({"shop-coder"})]
    other = LivingPane(2**22 + 1, "shop-coder", "%1", "/dev/pts/none", 0)
    monkeypatch.setattr("teamops.tmux.around.living_panes", lambda *_: (other,))
    assert person.need_person("it", load(tmp_path), {})


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_terminal_is_needed_at_both_ends(
    at_a_terminal: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    monkeypatch.setattr(getattr(person, "sys"), stream, io.StringIO())  # noqa: B009 - not one of its exports
    with pytest.raises(UsageError, match="no terminal"):
        person.need_person("it", load(tmp_path), {})


def test_what_was_typed_before_the_question_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    asked = threading.Event()

    class Screen(io.StringIO):
        def write(self, text: str) -> int:
            if "sure" in text:
                asked.set()
            return super().write(text)

    with os.fdopen(slave, "r") as terminal, os.fdopen(master, "wb", 0) as keyboard:
        keyboard.write(b"login\n")
        monkeypatch.setattr("sys.stdin", terminal)
        monkeypatch.setattr("sys.stdout", Screen())
        said: list[str] = []
        thread = threading.Thread(target=lambda: said.append(person.ask("sure? ")))
        thread.start()
        assert asked.wait(10)
        keyboard.write(b" later \n")
        thread.join(10)
    assert said == ["later"]
