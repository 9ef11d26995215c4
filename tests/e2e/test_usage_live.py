"""What agents of every client use, from the moment its log has it until a snapshot says it: on real panes and files."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from teamops.config.load import load
from teamops.ledger.store import open_ledger
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, REVIEWER, Role
from teamops.model.snapshot import Snapshot
from teamops.supervisor.lease import state_dir_of
from teamops.supervisor.visiting import look
from tests.client_writers import Claude, Codex, Gemini, Opencode, Writer
from tests.e2e.test_evidence import DEADLINE_S, Team, agent_of, team_of
from tests.e2e.test_team import until

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

CLIENTS = {DIRECTOR: "claude", DEVELOPER: "codex", REVIEWER: "gemini", CODER: "opencode"}
COST = {
    DIRECTOR: Decimal("0.00315"),  # 1000 tokens at $3 a million, 10 at $15
    DEVELOPER: Decimal("0.00135"),  # $1.25 and $10
    REVIEWER: Decimal("0.00135"),  # $1.25 and $10
    CODER: Decimal("0.003"),  # as the log itself says
}
"""Of one response."""
SOON_S = 1.0


class Agents:
    """A client of each kind in a pane of its own, all in one folder."""

    def __init__(self, team: Team, home: Path) -> None:
        self.writers: dict[Role, Any] = {
            DIRECTOR: Claude(home, team.root),
            DEVELOPER: Codex(home, team.root),
            REVIEWER: Gemini(home, team.root),
            CODER: Opencode(home, team.root),
        }
        codex = self.writers[DEVELOPER]
        codex.begin()
        for role in CLIENTS:
            held = f" 3>>{codex.path}" if role == DEVELOPER else ""  # Codex holds its rollout open
            pid = team.begin(role, f"cd {team.root} && exec cat{held}")
            if role == DIRECTOR:
                status = home / ".claude" / "sessions" / f"{pid}.json"
                status.parent.mkdir(parents=True)
                row = {"pid": pid, "sessionId": self.writers[role].id, "cwd": str(team.root), "status": "idle"}
                status.write_text(json.dumps(row))

    def respond(self, name: str) -> None:
        for writer in self.writers.values():
            writer.respond(name)


def env_of(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "XDG_DATA_HOME": str(home / ".local" / "share")}


@pytest.fixture
def team(short_dir: Path) -> Iterator[Team]:
    with team_of(short_dir, CLIENTS, {role: env_of(short_dir / "home") for role in CLIENTS}) as made:
        yield made


@pytest.fixture
def agents(team: Team, short_dir: Path) -> Iterator[Agents]:
    made = Agents(team, short_dir / "home")
    yield made
    made.writers[CODER].close()


def spent(count: int) -> Callable[[Snapshot], bool]:
    whole = {role: count * COST[role] for role in CLIENTS}
    return lambda seen: {agent.role: agent.cost_today_usd for agent in seen.agents} == whole


def costs(role: Role, cost: Decimal) -> Callable[[Snapshot], bool]:
    return lambda seen: agent_of(seen, role).cost_today_usd == cost


def test_a_response_of_every_client_is_seen_within_a_second(team: Team, agents: Agents) -> None:
    team.thread.start()
    team.wait("ready", lambda seen: seen.ready)
    agents.respond("m1")
    team.wait("the first, once prices are known", spent(1))
    for number, (role, writer) in enumerate(agents.writers.items(), 2):
        writer.respond(f"m{number}")
        assert team.wait(f"{role}'s", costs(role, 2 * COST[role])) < SOON_S, role


def test_a_killed_teamops_counts_nothing_twice_and_loses_nothing(team: Team, agents: Agents, short_dir: Path) -> None:
    state = short_dir / "state"
    watch = [sys.executable, "-m", "teamops", "watch", "-C", str(team.root), "--state-dir", str(state)]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as first:
        assert first.stdout is not None
        assert "acting" in first.stdout.readline()
        agents.respond("m1")
        try:
            with closing(open_ledger(state_dir_of(load(team.root), state) / "ledger.sqlite3")) as ledger:
                until("all is stored", lambda: len(ledger.cost_since(0.0)) == len(CLIENTS))
        finally:
            first.kill()
            first.wait(DEADLINE_S)
    agents.respond("m2")
    team.tmux("kill-session", "-t", "=shop-developer")  # its end is told, too, by the next life
    seen = asyncio.run(look(load(team.root), state_dir=state))
    assert spent(2)(seen)


def test_of_two_in_one_folder_nobody_is_charged_by_guess(short_dir: Path) -> None:
    home = short_dir / "home"
    clients = {CODER: "gemini", DEVELOPER: "gemini", REVIEWER: "codex"}
    with team_of(short_dir, clients, {role: env_of(home) for role in clients}) as team:
        chat: Writer = Gemini(home, team.root)
        codex = Codex(home, team.root)
        codex.begin()
        for role in (CODER, DEVELOPER):
            team.begin(role, f"cd {team.root} && exec cat")
        team.begin(REVIEWER, f"cd {team.root} && exec cat 3>>{codex.path}")
        team.thread.start()
        team.wait("ready", lambda seen: seen.ready)
        chat.respond("m")
        codex.respond("n")
        team.wait("the third's", lambda seen: bool(agent_of(seen, REVIEWER).cost_today_usd))
        seen = team.thread.snapshot()
        assert {agent_of(seen, role).cost_today_usd for role in (CODER, DEVELOPER)} == {Decimal(0)}
