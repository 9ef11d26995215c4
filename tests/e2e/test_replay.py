"""``teamops replay`` on real parts: a supervisor's own ledger, the command, the screen in a small terminal."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.ledger.store import open_ledger
from teamops.model.role import CODER, DIRECTOR
from teamops.supervisor.lease import state_dir_of
from teamops.supervisor.thread import SupervisorThread
from tests.e2e.test_supervisor import wait
from tests.recorded import DAY, a_night
from tests.terminal import Terminal

TOML = (
    'project = "shop"\n[notify]\ndesktop = false\n[tmux]\nsocket_path = "s"\n'
    '[budget]\ntimezone = "Europe/Berlin"\n'
    '[roles.DIRECTOR]\nclient = "sdk"\n[roles.CODER]\nclient = "sdk"\n[roles.REVIEWER]\nclient = "sdk"\n'
)


def teamops(root: Path, state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "teamops", *words],
        cwd=root, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "TEAMOPS_STATE_DIR": str(state)},
    )  # fmt: skip


@pytest.fixture
def recorded(short_dir: Path) -> tuple[Path, Path]:
    """Return a project and a state folder in which a night is on record."""
    root, state = short_dir / "p", short_dir / "state"
    root.mkdir()
    (root / "teamops.toml").write_text(TOML, encoding="utf-8")
    night = a_night(short_dir / "night")
    folder = state_dir_of(load(root), state)
    folder.mkdir(parents=True)
    shutil.copy(night.path, folder / "ledger.sqlite3")
    return root, state


def test_a_moment_is_told_to_a_program(recorded: tuple[Path, Path]) -> None:
    done = teamops(*recorded, "replay", "--date", DAY, "--at", "02:13:25", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["schema"] == "teamops.status/1"
    assert [(one["role"], one["state"]) for one in told["agents"]][1] == ("CODER", "dead")
    assert [one["code"] for one in told["alerts"]] == ["agent-dead"]
    replay = told["replay"]
    assert (replay["date"], replay["observed"], len(replay["not_observed"])) == (DAY, True, 2)
    assert [one["kind"] for one in replay["events"]] == ["turn", "alert", "restart", "turn"]


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("--date", "2026-01-01"), "nothing of 2026-01-01 is on record", DAY),
        (("--date", "0001-01-01"), "nothing of 0001-01-01 is on record", DAY),
        (("--date", "9999-12-31"), "nothing of 9999-12-31 is on record", DAY),
        (("--date", "someday"), '"someday" is no day', "such as today"),
        (("--date", DAY, "--at", "25:00"), '"25:00" is no time', "such as 02:13"),
        (("--date", DAY, "--speed", "0"), "--speed", ""),
    ],
)
def test_what_is_not_there_is_said(recorded: tuple[Path, Path], words: tuple[str, ...], said: str, hint: str) -> None:
    done = teamops(*recorded, "replay", "--json", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_terminal_it_says_what_to_use(recorded: tuple[Path, Path]) -> None:
    done = teamops(*recorded, "replay", "--date", DAY)
    assert done.returncode == 2
    assert "teamops replay --json" in done.stderr


@pytest.mark.tmux
def test_a_person_looks_at_the_night_in_a_small_terminal(recorded: tuple[Path, Path]) -> None:
    root, state = recorded
    program = [sys.executable, "-m", "teamops", "replay", "--date", DAY, "--at", "02:00", "--state-dir", str(state)]
    with Terminal(program, cols=80, rows=24, cwd=root) as terminal:
        terminal.wait_for("REPLAY 02:00:00", timeout=20)
        terminal.wait_for(rf"‖ paused 60.  {DAY} 02:00:00")
        terminal.keys("}")
        terminal.wait_for("REPLAY 02:13:22")
        terminal.wait_for("▲ 1 alert")
        terminal.wait_for("✖ dead")
        terminal.keys("p")
        terminal.wait_for("nothing is$|nothing is done")
        terminal.keys("Space")
        terminal.wait_for("▶ playing")
        terminal.wait_for("REPLAY 02:1[4-9]")
        terminal.keys("Space")
        terminal.wait_for("‖ paused")
        terminal.keys("@")
        terminal.wait_for("To which time")
        terminal.type("03:00")
        terminal.keys("Enter")
        terminal.wait_for("not observed 02:21 to 03:40")
        terminal.keys("q")
        assert terminal.wait_end() == 0
        assert "nothing was done" in terminal.text(history=True)


@pytest.mark.tmux
def test_a_signal_ends_it_and_gives_the_terminal_back(recorded: tuple[Path, Path]) -> None:
    root, state = recorded
    program = [sys.executable, "-m", "teamops", "replay", "--date", DAY, "--state-dir", str(state)]
    script = f'{shlex.join(program)}; echo "ended with $?"; exec cat'
    with Terminal(["sh", "-c", script], cols=80, rows=24, cwd=root) as terminal:
        terminal.wait_for("REPLAY", timeout=20)
        terminal.process(program).terminate()
        terminal.wait_for("ended with 143")
        assert terminal.given_back()


@pytest.mark.tmux
def test_what_a_supervisor_saw_can_be_seen_again_while_it_runs(short_dir: Path) -> None:
    root, state = short_dir / "p", short_dir / "state"
    root.mkdir()
    (root / "teamops.toml").write_text(TOML, encoding="utf-8")
    thread = SupervisorThread(load(root), state_dir=state, ring=lambda _: True)
    thread.start()
    try:
        wait(thread, lambda seen: seen.ready, "the first look")
        at = datetime(2026, 3, 28, 14, 30)  # noqa: DTZ001 - naive by the protocol
        for role, turn in ((DIRECTOR, CODER), (CODER, DIRECTOR)):
            text = render_block(role, at, "in progress", turn, 2, task="login", sections=[("What I Did", "Some work.")])
            append(root / "current.md", text)
            wait(thread, lambda seen, turn=turn: bool(seen.lights) and seen.lights[0].role == turn, "the light")  # type: ignore[misc]
        done = teamops(root, state, "replay", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        told = json.loads(done.stdout)
        assert [(one["task"], one["role"]) for one in told["light"]] == [("login", "DIRECTOR")]
        assert told["replay"]["observed"] is True
        acting = thread.snapshot().supervisor
        assert acting.acting, "the replay took nothing from it"
    finally:
        thread.stop()
    assert thread.failed == ""
    ledger = open_ledger(state_dir_of(load(root), state) / "ledger.sqlite3")
    spans = ledger.days.watched(0.0, 1e11)
    ledger.close()
    assert len(spans) == 1
