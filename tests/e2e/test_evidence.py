"""What an agent does, from the moment it is there to be seen until a snapshot says it: on real panes and processes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.model.agent import AgentState, AgentView
from teamops.model.events import Event, PromptSeen
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role
from teamops.model.snapshot import Snapshot
from teamops.supervisor.book import Book
from teamops.supervisor.thread import SupervisorThread
from teamops.tmux.ending import tree_of
from teamops.usage import locate
from tests.tmux.private import PrivateTmux, private_tmux

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

DEADLINE_S = 20.0
NEEDS_YOU_S = 2.0
SUSPENDED_S = 6.0
SCREENS = Path(__file__).parents[1] / "unit" / "tmux" / "screens"
PLAYER = Path(__file__).with_name("screen_player.py")
TOML = """\
project = "shop"

[tmux]
socket_path = {socket}

[notify]
desktop = false

"""


class Team:
    """A project whose agents are played, supervised."""

    def __init__(
        self, folder: Path, tmux: PrivateTmux, clients: dict[Role, str], env: dict[Role, dict[str, str]]
    ) -> None:
        self.root = folder / "p"
        self.root.mkdir()
        self.tmux = tmux
        roles = "".join(f'[roles.{role}]\nclient = "{client}"\ncommand = ["cat"]\n' for role, client in clients.items())
        for role, names in env.items():
            rows = "".join(f"{name} = {json.dumps(value)}\n" for name, value in names.items())
            roles += f"[roles.{role}.env]\n{rows}"
        socket = '"' + tmux.socket.path + '"'
        (self.root / "teamops.toml").write_text(TOML.format(socket=socket) + roles, encoding="utf-8")
        (self.root / "current.md").write_text(
            "### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: done\n**Turn**: CODER\n**Tier**: 2\n\n"
            "#### For Coder\nBuild it.\n",
            encoding="utf-8",
        )
        self.thread = SupervisorThread(load(self.root), state_dir=folder / "state", ring=lambda _: True)
        self._changed = threading.Condition()

    def begin(self, role: Role, command: str) -> int:
        session = f"shop-{role.lower()}"
        self.tmux.new(session, command)
        self.tmux("resize-window", "-t", f"={session}:", "-x", "130", "-y", "60")
        return int(self.tmux.ask(f"={session}:", "#{pane_pid}"))

    def play(self, role: Role) -> Callable[[str, str], None]:
        """Begin a client that draws what it is told; return what tells it: a screen's name and a title."""
        pipe = self.root / f"{role}.pipe"
        os.mkfifo(pipe)
        self.begin(role, "exec " + shlex.join([sys.executable, "-S", str(PLAYER), str(pipe)]))

        def draw(name: str, title: str) -> None:
            pipe.write_text(f"{SCREENS / (name + '.txt')}\t{title}\n", encoding="utf-8")

        return draw

    def wait(self, what: str, wanted: Callable[[Snapshot], bool]) -> float:
        """Return after how many seconds a snapshot is as ``wanted``."""
        began = time.monotonic()
        there = threading.Event()

        def take(snapshot: Snapshot) -> None:
            if wanted(snapshot):
                there.set()

        end = self.thread.subscribe(take)
        try:
            take(self.thread.snapshot())
            if not there.wait(DEADLINE_S):
                pytest.fail(f"not seen: {what}\n{self.thread.snapshot()}")
        finally:
            end()
        return time.monotonic() - began

    def wait_for(self, role: Role, *states: AgentState) -> float:
        return self.wait(
            f"{role} {states}", lambda seen: any(agent.role == role and agent.state in states for agent in seen.agents)
        )


def agent_of(snapshot: Snapshot, role: Role) -> AgentView:
    (agent,) = [agent for agent in snapshot.agents if agent.role == role]
    return agent


@contextmanager
def team_of(folder: Path, clients: dict[Role, str], env: dict[Role, dict[str, str]] | None = None) -> Iterator[Team]:
    with private_tmux(folder) as tmux:
        team = Team(folder, tmux, clients, env or {})
        try:
            yield team
        finally:
            team.thread.stop()
            assert team.thread.failed == ""


PLAYED = [
    pytest.param(
        "claude",
        [("claude_working_bash", "◐ x"), ("claude_permission_bash", "✳ x"), ("claude_idle_after_turn", "✳ x")],
        id="claude's permission",
    ),
    pytest.param(
        "claude",
        [("claude_working_streaming", "◐ x"), ("claude_ask_user_question", "✳ x"), ("claude_idle", "✳ x")],
        id="claude's question",
    ),
    pytest.param(
        "codex",
        [("codex_working", "\u280b x"), ("codex_permission", "[ ! ] Action Required | x"), ("codex_idle", "x")],
        id="codex",
    ),
    pytest.param(
        "codex",
        [("codex_working", "\u280b x"), ("codex_permission", ""), ("codex_idle", "")],
        id="codex without its title",
    ),
    pytest.param(
        "gemini",
        [
            ("gemini_working", "✦  Working… (x)"),
            ("gemini_permission", "✋  Action Required (x)"),
            ("gemini_idle", "◇  Ready (x)"),
        ],
        id="gemini",
    ),
    pytest.param(
        "opencode",
        [("opencode_working", "OC | x"), ("opencode_permission", "OC | x"), ("opencode_idle", "OC | x")],
        id="opencode",
    ),
]


@pytest.mark.parametrize(("client", "screens"), PLAYED)
def test_an_agent_that_needs_its_person_is_told_from_one_at_rest_within_2_s(
    short_dir: Path, client: str, screens: list[tuple[str, str]]
) -> None:
    with team_of(short_dir, {CODER: client}) as team:
        draw = team.play(CODER)
        draw(*screens[0])
        team.thread.start()
        team.wait_for(CODER, AgentState.WORKING)
        draw(*screens[1])
        asks = team.wait_for(CODER, AgentState.WAITING)
        draw(*screens[2])
        # A young process at its prompt is said to be starting.
        rests = team.wait_for(CODER, AgentState.IDLE, AgentState.STARTING)
        draw(*screens[1])
        asks_again = team.wait_for(CODER, AgentState.WAITING)
    assert max(asks, rests, asks_again) < NEEDS_YOU_S, f"told after {asks:.2f}, {rests:.2f} and {asks_again:.2f} s"


def test_an_agent_that_is_stopped_from_outside_is_suspended_and_nobody_is_alarmed(short_dir: Path) -> None:
    with team_of(short_dir, {DIRECTOR: "command", CODER: "command"}) as team:
        pid = team.begin(CODER, "cat; true")  # tmux lets its own child go on at once, not what that wraps
        team.thread.start()
        team.wait("a client below its shell", lambda _: len(tree_of(pid)) == 1)
        (client,) = [named.pid for named in tree_of(pid)]
        team.wait_for(CODER, AgentState.STARTING, AgentState.IDLE, AgentState.WORKING)
        os.kill(client, signal.SIGSTOP)
        assert team.wait_for(CODER, AgentState.SUSPENDED) < SUSPENDED_S
        assert "SIGSTOP" in agent_of(team.thread.snapshot(), CODER).evidence.detail
        os.kill(client, signal.SIGCONT)
        team.wait_for(CODER, AgentState.STARTING, AgentState.IDLE, AgentState.WORKING)
        team.wait("no alarm", lambda seen: not [alert for alert in seen.alerts if alert.agent == CODER and alert.open])


def test_calls_that_fail_are_told_of_the_agent_within_2_s(short_dir: Path) -> None:
    with team_of(short_dir, {REVIEWER: "codex"}) as team:
        draw = team.play(REVIEWER)
        draw("codex_idle", "x")
        team.thread.start()
        team.wait_for(REVIEWER, AgentState.IDLE, AgentState.STARTING)
        draw("codex_api_retry_529", "\u280b x")
        assert team.wait_for(REVIEWER, AgentState.ERRORED) < NEEDS_YOU_S
        draw("codex_api_failed_401", "x")
        said = team.wait("its refused account", lambda seen: "refused" in agent_of(seen, REVIEWER).evidence.detail)
        assert said < NEEDS_YOU_S


def test_a_prompt_that_is_expected_is_seen_in_the_transcript_of_the_client_in_the_pane(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = short_dir / "claude"
    with team_of(short_dir, {CODER: "claude"}, env={CODER: {"CLAUDE_CONFIG_DIR": str(home)}}) as team:
        pid = team.begin(CODER, "exec cat")
        main = home / "projects" / locate.slug(str(team.root)) / "s-1.jsonl"
        main.parent.mkdir(parents=True)
        main.write_text("")
        (home / "sessions").mkdir()
        status = {"pid": pid, "sessionId": "s-1", "cwd": str(team.root), "status": "idle"}
        (home / "sessions" / f"{pid}.json").write_text(json.dumps(status))
        team.thread.start()
        team.wait("its status", lambda seen: any(agent.evidence.detail == "idle" for agent in seen.agents))
        core, loop = team.thread._core, team.thread._loop
        assert core is not None
        assert loop is not None
        told: list[PromptSeen] = []
        there = threading.Event()

        def see(_book: Book, event: Event) -> None:
            if isinstance(event, PromptSeen):
                told.append(event)
                there.set()

        def begin() -> None:
            monkeypatch.setattr(core.deliverer, "see", see)
            core.expect(CODER, "your turn")
            with main.open("a") as file:
                file.write(json.dumps({"type": "user", "message": {"content": "your turn"}}) + "\n")

        loop.call_soon_threadsafe(begin)
        assert there.wait(DEADLINE_S)
        assert [(seen.role, seen.text, seen.evidence) for seen in told] == [(CODER, "your turn", "transcript")]
        assert core.book.agent(CODER).client_session == "s-1"
