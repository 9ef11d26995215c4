"""``teamops cost`` on real parts: beats through the spool, a running supervisor, the ledger, the handoff file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from teamops.config.load import load
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.model.role import CODER, DIRECTOR
from teamops.supervisor.thread import SupervisorThread
from tests.e2e.test_supervisor import wait
from tests.terminal import Terminal

TOML = 'project = "shop"\n[notify]\ndesktop = false\n[tmux]\nsocket_path = "s"\n[roles.CODER]\nclient = "sdk"\n'


def teamops(root: Path, state: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "teamops", *words],
        cwd=root, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "TEAMOPS_STATE_DIR": str(state)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.tmux
def test_it_tells_what_a_team_has_cost_while_it_runs_and_after(short_dir: Path) -> None:
    root, state = short_dir / "p", short_dir / "state"
    root.mkdir()
    (root / "teamops.toml").write_text(TOML, encoding="utf-8")
    assert "Nothing was used in the last 30 days." in teamops(root, state, "cost")
    at = datetime(2026, 3, 28, 14, 30)  # noqa: DTZ001 - naive by the protocol
    sections = [("What I Did", "Some work.")]
    append(root / "current.md", render_block(DIRECTOR, at, "in progress", CODER, 2, task="login", sections=sections))
    thread = SupervisorThread(load(root), state_dir=state, ring=lambda _: True)
    thread.start()
    try:
        wait(thread, lambda seen: seen.ready and bool(seen.lights), "the light")
        for cost in ("0.25", "0.5"):
            teamops(root, state, "beat", "--role", "CODER", "--tokens", "1000", "--cost", cost, "built a part")
        teamops(root, state, "beat", "--role", "CODER", "--tokens", "70", "without a price")
        wait(thread, lambda seen: seen.lights[0].cost.responses == 3, "the light's cost")
        report = thread.cost_report()
        assert (str(report.today.cost_usd), report.today.unpriced_tokens) == ("0.75", 70)
        check(root, state)
    finally:
        thread.stop()
    assert thread.failed == ""
    check(root, state)


MOST_MB = 80


@pytest.mark.tmux
def test_a_person_sees_it_live_in_a_small_terminal_and_in_little_memory(short_dir: Path) -> None:
    root, state = short_dir / "p", short_dir / "state"
    root.mkdir()
    (root / "teamops.toml").write_text(TOML, encoding="utf-8")
    environment = {"TEAMOPS_STATE_DIR": str(state)}
    with Terminal([sys.executable, "-m", "teamops"], cols=80, rows=24, cwd=root, env=environment) as terminal:
        terminal.wait_for(r"CODER")
        terminal.keys("$")
        terminal.wait_for("Nothing was used in the last 30 days")
        teamops(root, state, "beat", "--role", "CODER", "--tokens", "1000", "--cost", "0.25", "built a part")
        terminal.wait_for(r"CODER Kevin +\$0\.25")
        teamops(root, state, "beat", "--role", "CODER", "--tokens", "1000", "--cost", "0.50", "built another")
        terminal.wait_for(r"today \$0\.75")
        terminal.keys("4")
        terminal.wait_for(r"\$0\.75┤.*█")
        terminal.keys("w")
        terminal.wait_for(r"\$ per day, 7 days")
        for part in "1235":
            terminal.keys(part)
        terminal.wait_for("No agent ever ran away")
        used = psutil.Process(terminal.pid).memory_info().rss / 1e6
        assert used < MOST_MB
        terminal.keys("Escape")
        terminal.wait_for("quit")
        terminal.keys("q")
        assert terminal.wait_end() == 0


def check(root: Path, state: Path) -> None:
    """Look at what the command says."""
    told: dict[str, Any] = json.loads(teamops(root, state, "cost", "--json"))
    assert told["schema"] == "teamops.cost/1"
    for span in ("today", "days_7", "days_30"):
        assert (told[span]["cost_usd"], told[span]["tokens"], told[span]["unpriced_tokens"]) == (0.75, 2070, 70)
    (agent,), (model,), (task,) = told["by_agent"], told["by_model"], told["by_task"]
    assert (agent["agent"], model["model"], task["task"], task["light"]) == ("CODER", None, "login", True)
    assert all(one["today"]["cost_usd"] == 0.75 for one in (agent, model, task))
    assert sum(one["cost_usd"] for one in told["days"] if one["cost_usd"]) == 0.75
    assert told["burn"]["verdict"] == "no budget"
    assert told["burn"]["forecast_usd"] is None, "seconds are no history"
    text = teamops(root, state, "cost")
    assert "today $0.75+?" in text
    assert "counted by itself" in text
    assert "login" in text


def test_a_folder_without_a_team_is_told_the_next_command(tmp_path: Path) -> None:
    text = teamops(tmp_path, tmp_path / "state", "cost")
    assert "teamops up" in text
