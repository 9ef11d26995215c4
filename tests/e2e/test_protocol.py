"""The protocol kept, live: a real folder, a real tmux server, agents with a known client's screen."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.ledger.store import open_ledger
from teamops.model.alert import AlertState
from teamops.model.handoff import Severity
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE, Role
from teamops.model.snapshot import AcceptTamper, SignOff, Snapshot
from teamops.supervisor.lease import state_dir_of
from teamops.supervisor.thread import SupervisorThread
from tests.e2e.test_supervisor import wait
from tests.tmux.private import PrivateTmux, private_tmux

pytestmark = [pytest.mark.tmux]

REPO = Path(__file__).parents[2]
DEADLINE_S = 20.0
GATES = "runs=pass (pytest: 9 passed); correct=pass (read it); complete=pass (docs, tests)"
TOML = """\
project = "shop"

[tmux]
socket_path = "{socket}"

[notify]
desktop = false

[roles.DIRECTOR]
client = "claude"

[roles.CODER]
client = "claude"
"""
KILLED_BEFORE_IT_TYPES = """\
import asyncio, os, signal, sys
from pathlib import Path
from teamops.config.load import load
from teamops.model.actions import By, Poke
from teamops.supervisor.acting import Acting
from teamops.supervisor.run import supervise_forever

begin = Acting.begin

def die(acting, action, check=None):
    if isinstance(action, Poke) and action.by is By.RULE:
        os.kill(os.getpid(), signal.SIGKILL)
    return begin(acting, action, check)

Acting.begin = die
root, state = map(Path, sys.argv[1:])
said = []
def publish(snapshot):
    if snapshot.ready and not said:
        said.append(print("ready", flush=True))
asyncio.run(supervise_forever(load(root), publish, state_dir=state))
"""


def block(
    role: Role,
    turn: Role,
    *,
    status: str = "in progress",
    tier: int = 2,
    gates: str | None = None,
    text: str = "Did it.",
) -> str:
    return render_block(
        role,
        datetime(2026, 3, 28, 14, 30),  # noqa: DTZ001 - naive by the protocol
        status,
        turn,
        tier,
        task="login",
        gates=gates,
        sections=[("What I Did", text), (f"For {turn.capitalize()}", "Go on.")],
    )


class Team:
    """A project whose agents are fake clients, each with a log of the lines that it was given."""

    def __init__(self, folder: Path, tmux: PrivateTmux) -> None:
        self.root, self.state, self.tmux = folder / "p", folder / "state", tmux
        self.handoff = self.root / "current.md"
        self.root.mkdir()
        (self.root / "teamops.toml").write_text(TOML.format(socket=tmux.socket.path), encoding="utf-8")
        append(self.handoff, block(DIRECTOR, DIRECTOR))

    def log(self, role: Role) -> Path:
        return self.root.parent / f"{role}.log"

    def lines(self, role: Role) -> list[str]:
        """Return what was submitted to the role's client."""
        return self.log(role).read_text(encoding="utf-8").splitlines() if self.log(role).exists() else []

    def begin_agent(self, role: Role, *habits: str) -> None:
        words = [sys.executable, str(REPO / "tests/tmux/fake_client.py"), str(self.log(role)), *habits]
        session = f"shop-{role.lower()}"
        self.tmux.new(session, f"exec env {' '.join(words)}")
        self.until(lambda: "Claude Code" in self.tmux.screen(f"={session}:"), f"{role}'s screen")

    @staticmethod
    def until(condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < end, f"not seen: {what}"
            time.sleep(0.02)

    def supervisor(self) -> SupervisorThread:
        return SupervisorThread(load(self.root), state_dir=self.state, ring=lambda _: True)

    @contextmanager
    def supervised(self) -> Iterator[SupervisorThread]:
        """Supervise; gives the port when the file is known."""
        thread = self.supervisor()
        thread.start()
        try:
            wait(thread, lambda seen: seen.ready and bool(seen.blocks), "ready")
            yield thread
        finally:
            thread.stop()
            assert thread.failed == ""

    def settled(self, thread: SupervisorThread) -> Snapshot:
        """Wait for some rounds of the clock."""
        now = thread.snapshot().stamp.now
        return wait(thread, lambda seen: seen.stamp.now > now + 3.5, "some rounds")


@pytest.fixture
def team(short_dir: Path) -> Iterator[Team]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is missing")
    with private_tmux(short_dir) as tmux:
        yield Team(short_dir, tmux)


def has(code: str) -> Callable[[Snapshot], bool]:
    return lambda seen: any(alert.code == code and alert.state is AlertState.FIRING for alert in seen.alerts)


def test_the_next_agent_gets_exactly_one_line_over_a_restart(team: Team) -> None:
    team.begin_agent(CODER)
    with team.supervised() as thread:
        team.settled(thread)
        assert team.lines(CODER) == []
        append(team.handoff, block(DIRECTOR, CODER, status="done"))
        team.until(lambda: team.lines(CODER), "the line")
        team.settled(thread)
        (line,) = team.lines(CODER)
        assert line.startswith('It is your turn on "login" (implement, tier 2): read current.md from line ')
        assert '(section "For Coder", line ' in line
        assert not has("handoff-unannounced")(thread.snapshot())
    with team.supervised() as thread:
        team.settled(thread)
    assert len(team.lines(CODER)) == 1


def test_of_two_supervisors_one_tells(team: Team) -> None:
    team.begin_agent(CODER)
    with team.supervised() as first, team.supervised() as second:
        team.settled(first)
        append(team.handoff, block(DIRECTOR, CODER, status="done"))
        team.until(lambda: team.lines(CODER), "the line")
        team.settled(second)
    assert len(team.lines(CODER)) == 1


def test_killed_before_it_types_the_light_is_said_to_be_unannounced_and_told_by_the_next_life(team: Team) -> None:
    team.begin_agent(CODER)
    words = [sys.executable, "-c", KILLED_BEFORE_IT_TYPES, str(team.root), str(team.state)]
    with subprocess.Popen(words, cwd=REPO, stdout=subprocess.PIPE, text=True) as doomed:
        assert doomed.stdout is not None
        assert doomed.stdout.readline() == "ready\n"
        ledger = open_ledger(state_dir_of(load(team.root), team.state) / "ledger.sqlite3")
        team.until(ledger.audit.blocks, "the file adopted")
        ledger.close()
        append(team.handoff, block(DIRECTOR, CODER, status="done"))
        assert doomed.wait(DEADLINE_S) == -signal.SIGKILL
    with team.supervised() as thread:
        seen = wait(thread, has("handoff-unannounced"), "the alert")
        (alert,) = [alert for alert in seen.alerts if alert.code == "handoff-unannounced"]
        assert "ended before its line was typed" in alert.message
        team.until(lambda: team.lines(CODER), "the line")
        wait(thread, lambda seen: not has("handoff-unannounced")(seen), "the alert over")
        team.settled(thread)
    assert len(team.lines(CODER)) == 1


def test_into_a_dialog_nothing_is_typed_and_that_is_said(team: Team) -> None:
    team.begin_agent(CODER, "dialog")
    with team.supervised() as thread:
        append(team.handoff, block(DIRECTOR, CODER, status="done"))
        seen = wait(thread, has("handoff-unannounced"), "the alert")
        assert any("a dialog is open" in alert.message for alert in seen.alerts)
        append(team.handoff, block(CODER, DIRECTOR, status="blocked"))
        over = [(alert.code, alert.subject) for alert in seen.alerts if alert.code == "handoff-unannounced"]
        wait(thread, lambda seen: over[0] not in {a.key for a in seen.alerts if a.open}, "over with the answer")
    assert team.lines(CODER) == []


def test_a_forged_sign_off_is_critical(team: Team) -> None:
    with team.supervised() as thread:
        append(team.handoff, block(HUMAN, NONE, status="signed off", gates=GATES))
        seen = wait(thread, has("forged-sign-off"), "the alert")
        (alert,) = [alert for alert in seen.alerts if alert.code == "forged-sign-off"]
        assert alert.severity is Severity.CRITICAL
        assert "forged-sign-off" in {finding.code for finding in seen.findings}
    with team.supervised() as thread:
        assert has("forged-sign-off")(wait(thread, has("forged-sign-off"), "still there"))


def test_a_rewrite_is_shown_as_a_difference_until_it_is_accepted(team: Team) -> None:
    with team.supervised() as thread:
        append(team.handoff, block(DIRECTOR, CODER, status="done", text="Three parts."))
        append(team.handoff, block(CODER, DIRECTOR, status="done", gates=GATES))
        wait(thread, lambda seen: len(seen.blocks) == 3, "all blocks")
        # As an editor saves: another file in its place.
        fresh = team.handoff.with_suffix(".new")
        fresh.write_text(
            team.handoff.read_text(encoding="utf-8").replace("Three parts.", "One part."), encoding="utf-8"
        )
        fresh.replace(team.handoff)
        seen = wait(thread, has("handoff-rewritten"), "the alert")
        (finding,) = [finding for finding in seen.findings if finding.code == "block-rewritten"]
        assert finding.tamper is not None
        changed = [line for line in thread.tamper_diff(finding.tamper) if line[:1] in "+-"]
        assert changed[2:] == ["-Three parts.", "+One part."]
        assert thread.act(AcceptTamper(finding.tamper)).ok
        wait(thread, lambda seen: not has("handoff-rewritten")(seen) and not seen.findings, "accepted")


def test_a_sign_off_is_written_with_its_record_by_a_viewer_too(team: Team) -> None:
    with team.supervised() as acting, team.supervised() as viewer:
        append(team.handoff, block(DIRECTOR, CODER, status="done"))
        append(team.handoff, block(CODER, DIRECTOR, status="done", gates=GATES))
        append(team.handoff, block(DIRECTOR, HUMAN, status="done", gates=GATES))
        for port in (acting, viewer):
            wait(port, lambda seen: any(light.role == HUMAN for light in seen.lights), "the person's light")
        wait(acting, has("human-turn"), "the person is told")
        report = viewer.task_report("login")
        assert report.refusal == ""
        outcome = viewer.act(SignOff(task="login", approve=True, note="Well done.", chain=report.chain))
        assert outcome.ok, outcome
        seen = wait(acting, lambda seen: not seen.lights, "closed")
        assert (seen.blocks[-1].role, seen.blocks[-1].status) == (HUMAN, "signed off")
        assert not any(finding.code == "forged-sign-off" for finding in seen.findings)
        wait(acting, lambda seen: not has("human-turn")(seen), "the person's turn over")
    ledger = open_ledger(state_dir_of(load(team.root), team.state) / "ledger.sqlite3")
    (approval,) = ledger.audit.approvals()
    ledger.close()
    assert (approval.digest, approval.chain) == (seen.blocks[-1].digest, report.chain)


def test_an_append_without_a_supervisor_tells_the_next_one_itself(team: Team) -> None:
    team.begin_agent(CODER)
    with team.supervised() as thread:
        team.settled(thread)
    words = ["append", "--role", "DIRECTOR", "--status", "done", "--turn", "CODER", "--tier", "2", "--task", "login"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "teamops",
            *words,
            "--section",
            "For Coder=Build it.",
            "-C",
            str(team.root),
            "--state-dir",
            str(team.state),
        ],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(team.lines(CODER)) == 1, done.stdout
    with team.supervised() as thread:
        team.settled(thread)
    assert len(team.lines(CODER)) == 1
