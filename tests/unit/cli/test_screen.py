"""What happens on the way out of the screen."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from teamops.cli import screen
from teamops.model.errors import UsageError
from teamops.supervisor.thread import SupervisorThread
from teamops.tui.app import TeamopsApp


@pytest.fixture
def told() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: io.StringIO) -> Path:
    (tmp_path / "current.md").write_text("")
    told.isatty = lambda: True  # type: ignore[method-assign]  # a terminal, for all that matters here
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(screen, "sys", SimpleNamespace(stdin=terminal, stdout=terminal, stderr=told))
    monkeypatch.setattr(SupervisorThread, "start", lambda _: None)
    return tmp_path


def test_an_act_under_way_ends_before_the_supervisor_does(
    project: Path, monkeypatch: pytest.MonkeyPatch, told: io.StringIO
) -> None:
    happened: list[str] = []
    ended = threading.Event()

    def leave(app: TeamopsApp) -> None:
        app._doing = [("Restarting CODER", ended)]

        def finish() -> None:
            happened.append("act ended")
            ended.set()

        threading.Timer(0.1, finish).start()

    monkeypatch.setattr(TeamopsApp, "run", leave)
    monkeypatch.setattr(SupervisorThread, "stop", lambda _: happened.append("supervisor stopped"))
    screen.open_screen(project, state_dir=project / "state")
    assert happened == ["act ended", "supervisor stopped"]
    assert "Restarting CODER" in told.getvalue()


def test_the_farewell_can_be_another(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(TeamopsApp, "run", lambda app: said.append(app.farewell))
    monkeypatch.setattr(SupervisorThread, "stop", lambda _: None)
    screen.open_screen(project, state_dir=project / "state")
    screen.open_screen(project, state_dir=project / "state", farewell="gone")
    assert said == ["teamops: the screen is closed, the agents keep running.", "gone"]


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_the_screen_is_not_drawn_into_a_file(project: Path, monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    monkeypatch.setattr(TeamopsApp, "run", lambda _: pytest.fail("the screen was opened"))
    monkeypatch.setattr(getattr(screen, "sys"), stream, io.StringIO())  # noqa: B009 - not one of its exports
    with pytest.raises(UsageError, match="needs a terminal"):
        screen.open_screen(project, state_dir=project / "state")
