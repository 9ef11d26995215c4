"""Pokes with proof, on real parts: a tmux server, a ledger, lives of a supervisor, clients with bad habits."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.domain.limits import Limits
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.ledger.store import open_ledger
from teamops.model.agent_report import Delivery, DeliveryStage
from teamops.model.role import CODER, DIRECTOR, Role
from teamops.model.snapshot import PokeRole
from teamops.supervisor.lease import state_dir_of
from teamops.supervisor.thread import SupervisorThread
from teamops.tmux import deliver as room

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

DEADLINE_S = 40.0
FAKE = Path(__file__).with_name("fake_client.py")
HABITS: dict[str, tuple[str, ...]] = {
    "PLAIN": ("hook", "works"),
    "DEAF": ("hook", "deaf"),
    "GHOST": ("hook", "ghost"),
    "STUCK": ("hook", "stuck"),
    "DRAFT": ("hook", "draft"),
    "DIALOG": ("hook", "dialog"),
    "LATE": ("hook", "late-dialog"),
}


class Team:
    """A project whose agents are fake clients, each with its own habits; its own tmux server."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "p"
        self.state = folder / "state"
        self.root.mkdir()

    def agents(self, habits: dict[str, tuple[str, ...]]) -> None:
        """Say who is of the team, and begin their sessions."""
        text = 'project = "shop"\n[tmux]\nsocket_path = "s"\n[notify]\ndesktop = false\n[limits]\naccept_s = "3s"\n'
        for role, own in habits.items():
            words = [f"hook={self.spool(role)}" if word == "hook" else word for word in own]
            command = [sys.executable, "-S", str(FAKE), str(self.log(role)), *words]
            text += f'[roles.{role}]\nclient = "claude"\ncommand = {json.dumps(command)}\n'
        (self.root / "teamops.toml").write_text(text, encoding="utf-8")
        for agent in load(self.root).roles:
            self.tmux(
                "new-session", "-d", "-s", agent.session, "-x", "100", "-y", "30", *agent.command,
                ";", "set", "-w", "remain-on-exit", "on",
            )  # fmt: skip
            self.until(f"the screen of {agent.role}", partial(self.shows, agent.role, "Claude Code"))

    def shows(self, role: str, words: str) -> bool:
        return words in self.screen(role)

    def spool(self, role: str) -> Path:
        return self.root / ".teamops" / "spool" / role / "hooks.jsonl"

    def log(self, role: str) -> Path:
        return self.root / f"{role}.log"

    def lines(self, role: str) -> list[str]:
        """Return what was submitted to a client."""
        return self.log(role).read_text("utf-8").splitlines() if self.log(role).exists() else []

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.root / "s"), "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    def screen(self, role: str) -> str:
        return self.tmux("capture-pane", "-p", "-t", f"=shop-{role.lower()}:")

    def press(self, role: str, key: str) -> None:
        """Do what a person does at an agent's pane."""
        self.tmux("send-keys", "-t", f"=shop-{role.lower()}:", key)

    def light(self, role: Role, task: str = "login") -> None:
        text = render_block(
            DIRECTOR,
            datetime(2026, 3, 28, 14, 30),  # noqa: DTZ001 - naive by the protocol
            "done",
            role,
            2,
            task=task,
            sections=[("What I Did", "Designed it."), (f"For {role.capitalize()}", "Build it.")],
        )
        append(self.root / "current.md", text)

    def deliveries(self, role: str) -> list[Delivery]:
        """Return a role's, oldest first."""
        ledger = open_ledger(state_dir_of(load(self.root), self.state) / "ledger.sqlite3")
        try:
            return ledger.deliveries.of(Role(role), 999)[::-1]
        finally:
            ledger.close()

    def until(self, what: str, condition: Callable[[], object]) -> None:
        end = time.monotonic() + DEADLINE_S
        wait = threading.Event()
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"not seen: {what}")
            wait.wait(0.05)

    @contextmanager
    def supervised(self, limits: Limits | None = None) -> Iterator[SupervisorThread]:
        settings = load(self.root)
        settings = settings if limits is None else replace(settings, limits=limits)
        thread = SupervisorThread(settings, state_dir=self.state, ring=lambda _: True)
        thread.start()
        try:
            self.until("panes", lambda: any(agent.pid for agent in thread.snapshot().agents))
            yield thread
        finally:
            thread.stop()
            assert thread.failed == ""

    @contextmanager
    def watched(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run a supervisor as a process of its own."""
        with subprocess.Popen(
            [sys.executable, "-m", "teamops", "watch", "-C", str(self.root), "--state-dir", str(self.state)],
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def poke(self, role: str, *words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "teamops",
                "poke",
                role,
                *words,
                "-C",
                str(self.root),
                "--state-dir",
                str(self.state),
            ],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def team(short_dir: Path) -> Iterator[Team]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is missing")
    made = Team(short_dir)
    yield made
    made.tmux("kill-server")


def test_of_many_pokes_each_is_proven_or_refused_and_no_dialog_is_answered(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LEAVES_S", 0.3)
    team.agents(HABITS)
    said: dict[str, list[str]] = {role: [] for role in HABITS}
    with team.supervised() as thread:
        for number in range(6):
            for role in HABITS:
                text = f"line {number} for {role}"
                if thread.act(PokeRole(Role(role), text)).ok:
                    said[role].append(text)
                if role == "LATE" and number < 5:
                    team.press(role, "C-u")
        team.until(
            "all proofs", lambda: all(one.over or one.accepted_wall for r in HABITS for one in team.deliveries(r))
        )
    stages = {role: [one.stage for one in team.deliveries(role)] for role in HABITS}
    assert sum(map(len, stages.values())) == 42
    proven = {DeliveryStage.ACCEPTED, DeliveryStage.WORKING}
    for role in ("PLAIN", "DEAF", "GHOST"):
        assert team.lines(role) == said[role] == [f"line {number} for {role}" for number in range(6)]
        assert set(stages[role]) <= proven, (role, stages[role])
    for role in ("STUCK", "DRAFT", "DIALOG", "LATE"):
        assert team.lines(role) == [], role
        assert set(stages[role]) == {DeliveryStage.REFUSED}, (role, stages[role])
    assert "half a thou" in team.screen("DRAFT")
    proofs = {one.proof for role in ("PLAIN", "DEAF", "GHOST") for one in team.deliveries(role)}
    assert proofs == {"hook UserPromptSubmit"}


def test_killed_between_typed_and_accepted_it_is_not_typed_twice(team: Team, short_dir: Path) -> None:
    gate = short_dir / "gate"
    team.agents({"CODER": ("hook", f"gate={gate}")})
    team.light(DIRECTOR)
    with team.watched() as first:
        team.until("the first look", lambda: any(True for _ in team.state.rglob("ledger.sqlite3")))
        team.until("that it stands", lambda: b"DIRECTOR" in b"".join(p.read_bytes() for p in team.state.rglob("*wal")))
        team.light(CODER)
        team.until("the line", lambda: team.lines("CODER"))
        team.until("that it is known", lambda: [d.stage.value for d in team.deliveries("CODER")] == ["typed"])
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
    gate.touch()
    team.until("the hook", lambda: team.spool("CODER").exists())
    with team.watched():
        team.until("the proof", lambda: [d.stage.value for d in team.deliveries("CODER")] == ["accepted"])
    assert len(team.lines("CODER")) == 1
    assert team.deliveries("CODER")[0].proof == "hook UserPromptSubmit"


def test_a_refused_light_is_told_when_the_person_has_submitted_their_draft(team: Team) -> None:
    team.agents({"CODER": ("hook", "draft", "works")})
    team.light(DIRECTOR)
    with team.supervised() as thread:
        team.until("the light", lambda: thread.snapshot().lights)
        team.light(CODER)
        team.until("the refusal", lambda: any(one.refused for one in team.deliveries("CODER")))
        assert team.lines("CODER") == []
        team.press("CODER", "Enter")
        team.until("the line", lambda: len(team.lines("CODER")) == 2)
        team.until("its proof", lambda: team.deliveries("CODER")[-1].accepted_wall)
    assert team.lines("CODER")[0] == "half a thou"
    assert team.lines("CODER")[1].startswith('It is your turn on "login"')


def test_what_no_hook_tells_of_is_typed_again_to_the_limit(team: Team) -> None:
    team.agents({"CODER": ()})
    team.light(DIRECTOR)
    with team.supervised(Limits(accept_s=1.0, pokes_per_light=2)) as thread:
        team.until("the light", lambda: thread.snapshot().lights)
        team.light(CODER)
        team.until("the alert", lambda: any(a.code == "poke-unproven" and a.open for a in thread.snapshot().alerts))
        assert len(team.lines("CODER")) == 2
        assert len(set(team.lines("CODER"))) == 1


# from a shell


def test_poke_says_each_stage_and_waits_for_the_proof(team: Team) -> None:
    team.agents({"CODER": ("hook",), "PARTNER": (), "REVIEWER": ("dialog",)})
    code, out, err = team.poke("coder", "go on; $(touch x)")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["decided", "typed", "accepted"]
    assert "go on; $(touch x)" in out
    assert "hook UserPromptSubmit" in out
    code, out, _ = team.poke("CODER", "once more", "--json")
    told = json.loads(out)
    assert (code, told["schema"], told["stage"], told["ok"]) == (0, "teamops.poke/1", "accepted", True)
    assert told["decided"] <= told["typed"] <= told["accepted"]
    code, out, err = team.poke("PARTNER", "hello")
    assert code == 1
    assert "nothing shows that its client took the line" in err
    assert team.lines("PARTNER") == ["hello"]
    assert team.poke("PARTNER", "hello", "--no-wait")[0] == 0
    code, out, err = team.poke("REVIEWER", "hello")
    assert code == 1
    assert "a dialog is open" in err
    code, out, _ = team.poke("REVIEWER", "hello", "--json")
    assert (code, json.loads(out)["stage"]) == (1, "refused")
    assert team.lines("REVIEWER") == []


def test_long_text_is_read_from_the_file_that_the_line_names(team: Team) -> None:
    team.agents({"CODER": ("hook",)})
    text = "First:\n" + "do this and that\n" * 60
    code, out, err = team.poke("CODER", text)
    assert (code, err) == (0, ""), out
    (line,) = team.lines("CODER")
    name = next(word for word in line.split() if word.startswith(".teamops/pokes/CODER-"))
    assert (team.root / name).read_text("utf-8") == text
