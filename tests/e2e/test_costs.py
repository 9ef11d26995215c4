"""Costs from an agent's beats to the command line, on real parts: spool, handoff file, ledger, commands."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from teamops.config.load import load
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.model.role import CODER, DIRECTOR, Role
from teamops.model.snapshot import Snapshot
from teamops.supervisor.thread import SupervisorThread
from tests.e2e.test_supervisor import wait

TOML = 'project = "shop"\n[notify]\ndesktop = false\n[tmux]\nsocket_path = "s"\n[roles.CODER]\nclient = "sdk"\n'


def block(role: Role, turn: Role) -> str:
    at = datetime(2026, 3, 28, 14, 30)  # noqa: DTZ001 - naive by the protocol
    return render_block(role, at, "in progress", turn, 2, task="login", sections=[("What I Did", "Some work.")])


def teamops(root: Path, *words: str) -> str:
    command = [sys.executable, "-m", "teamops", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.tmux
def test_what_an_agents_beats_tell_is_under_its_light_in_every_command(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, state = short_dir / "p", short_dir / "state"
    root.mkdir()
    monkeypatch.setenv("TEAMOPS_STATE_DIR", str(state))
    (root / "teamops.toml").write_text(TOML, encoding="utf-8")
    append(root / "current.md", block(DIRECTOR, CODER))
    thread = SupervisorThread(load(root), state_dir=state, ring=lambda _: True)
    thread.start()
    try:
        wait(thread, lambda seen: seen.ready and bool(seen.lights), "the light")
        for cost in ("0.25", "0.5"):
            teamops(root, "beat", "--role", "CODER", "--tokens", "1000", "--cost", cost, "built a part")
        teamops(root, "beat", "--role", "CODER", "--tokens", "70", "without a price")
        wait(thread, lambda seen: seen.lights[0].cost.responses == 3, "the light's cost")
        append(root / "current.md", block(CODER, DIRECTOR))

        def handed_on(seen: Snapshot) -> bool:
            return dict(seen.spent) != {} and seen.lights[0].role == DIRECTOR

        wait(thread, handed_on, "the cost of what was handed on")
        told: dict[str, Any] = json.loads(teamops(root, "status", "--json"))
        agent = next(one for one in told["agents"] if one["role"] == "CODER")
        assert (agent["cycle"]["count"], agent["cycle"]["unpriced"]) == (3, 1)
        assert (agent["cycle"]["median_usd"], agent["cycle"]["last"]["cost_usd"]) == (0.375, None)
        assert told["light"][0]["cost"]["responses"] == 0
        (task,) = json.loads(teamops(root, "handoff", "tasks", "--task", "login", "--json"))["tasks"]
        assert (task["cost"]["cost_usd"], task["cost"]["tokens"], task["cost"]["unpriced_tokens"]) == (0.75, 2070, 70)
        assert task["timeline"][1]["used"]["by"] == "CODER"
        assert task["timeline"][1]["used"]["cost_usd"] == 0.75
        assert "$0.75+?" in teamops(root, "handoff", "tasks")
    finally:
        thread.stop()
        assert thread.failed == ""
