"""The restart policy on real parts: a tmux server, a ledger, a supervisor, agents that fail. Times are compressed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.domain.limits import Limits, RestartPolicy
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.ledger.store import open_ledger
from teamops.model.actions import By
from teamops.model.agent import AgentState
from teamops.model.agent_report import RestartRecord
from teamops.model.role import CODER, DIRECTOR, Role
from teamops.model.snapshot import RestartRole, Snapshot, SupervisorPort
from teamops.supervisor.lease import state_dir_of
from teamops.supervisor.thread import SupervisorThread
from teamops.tmux.ending import is_alive

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

DEADLINE_S = 40.0
COOLDOWN_S = 3.0
AGENT = Path(__file__).with_name("fake_agent.py")
TOML = """\
project = "shop"

[tmux]
socket_path = "s"

[notify]
desktop = false

[restart]
cooldown_s = "3s"

[sandbox]
write = ["../logs"]

[limits]
beat_interval_s = "1s"
zombie_s = "4s"

[roles.CODER]
client = "sdk"
command = {command}
"""


class Shop:
    """A project with one agent, its own tmux server, and lives of a supervisor."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "p"
        self.state = folder / "state"
        self.log = folder / "logs" / "log"
        self.root.mkdir()
        self.log.parent.mkdir()
        self.light(CODER)

    def light(self, role: Role) -> None:
        """Hand the light to ``role``."""
        text = render_block(
            DIRECTOR,
            datetime(2026, 3, 28, 14, 30),  # noqa: DTZ001 - naive by the protocol
            "done",
            role,
            2,
            task="login",
            sections=[("What I Did", "Designed it."), (f"For {role.capitalize()}", "Build it.")],
        )
        append(self.root / "current.md", text)

    def agent(self, *habit: str) -> list[str]:
        """Say which agent the team has; return its command."""
        command = [sys.executable, str(AGENT), str(self.log), *habit]
        (self.root / "teamops.toml").write_text(TOML.format(command=command).replace("'", '"'), encoding="utf-8")
        return command

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.root / "s"), "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    def lines(self, word: str) -> list[str]:
        """Return what follows ``word`` in the agents' log."""
        with suppress(FileNotFoundError):
            rows = self.log.read_text(encoding="utf-8").splitlines()
            return [row.removeprefix(word).strip() for row in rows if row.split()[0] == word]
        return []

    @property
    def starts(self) -> list[int]:
        """The agents that were started so far."""
        return [int(pid) for pid in self.lines("start")]

    @contextmanager
    def supervised(self) -> Iterator[SupervisorThread]:
        settings = replace(
            load(self.root),
            limits=Limits(beat_interval_s=1.0, zombie_s=4.0, starting_s=1.0),
            restart=RestartPolicy(cooldown_s=COOLDOWN_S),
        )
        thread = SupervisorThread(settings, state_dir=self.state, ring=lambda _: True)
        thread.start()
        try:
            yield thread
        finally:
            thread.stop()
            assert thread.failed == ""

    def records(self) -> list[RestartRecord]:
        """Return the restarts on record, newest first."""
        ledger = open_ledger(state_dir_of(load(self.root), self.state) / "ledger.sqlite3")
        try:
            return ledger.keeping.restarts(CODER, 20)
        finally:
            ledger.close()


@pytest.fixture
def shop(short_dir: Path) -> Iterator[Shop]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is missing")
    made = Shop(short_dir)
    yield made
    made.tmux("kill-server")
    for word in ("start", "child", "stranger"):
        for pid in made.lines(word):
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def wait(port: SupervisorPort, wanted: Callable[[Snapshot], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Return when a snapshot is as ``wanted``."""
    there = threading.Event()

    def take(snapshot: Snapshot) -> None:
        if wanted(snapshot):
            there.set()

    end = port.subscribe(take)
    try:
        take(port.snapshot())
        if not there.wait(deadline_s):
            snapshot = port.snapshot()
            pytest.fail(f"not seen: {what}\n{snapshot.agents}\n{snapshot.log[:30]}")
    finally:
        end()


def is_(state: AgentState) -> Callable[[Snapshot], bool]:
    return lambda snapshot: any(agent.role == CODER and agent.state is state for agent in snapshot.agents)


def has_alert(code: str) -> Callable[[Snapshot], bool]:
    return lambda snapshot: any(alert.code == code and alert.open for alert in snapshot.alerts)


def passes(port: SupervisorPort, seconds: float) -> None:
    """Let so many observed seconds go by, as the supervisor counts them."""
    end = port.snapshot().stamp.now + seconds
    wait(port, lambda snapshot: snapshot.stamp.now >= end, f"{seconds} s")


def begin(port: SupervisorPort) -> None:
    """Start the agent as a person does."""
    wait(port, lambda snapshot: snapshot.ready, "ready")
    outcome = port.act(RestartRole(CODER))
    assert outcome.ok, outcome


def until(what: str, condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def test_one_that_dies_again_and_again_is_restarted_twice_and_given_up(shop: Shop) -> None:
    shop.agent("dies", "1.2")
    with shop.supervised() as thread:
        begin(thread)
        wait(thread, is_(AgentState.BACKING_OFF), "backing off")
        wait(thread, is_(AgentState.GIVEN_UP), "given up")
        wait(thread, has_alert("agent-given-up"), "the alert")
        assert len(shop.starts) == 3
        passes(thread, COOLDOWN_S + 2)
        assert len(shop.starts) == 3, "given up is given up"
    newest, second, first = shop.records()
    assert [(row.attempt, row.by, row.ok) for row in (first, second, newest)] == [
        (0, By.PERSON, True),
        (1, By.RULE, True),
        (2, By.RULE, True),
    ]
    assert newest.wall - second.wall >= COOLDOWN_S - 0.1
    assert "exit status 37" in newest.cause
    assert newest.ending == "exit status 37"
    assert f"dies since {shop.starts[1]}" in newest.screen
    assert "handoff file: parses" in newest.notes
    with shop.supervised() as thread:  # a new life doesn't begin anew
        wait(thread, is_(AgentState.GIVEN_UP), "given up, in the next life")
        passes(thread, COOLDOWN_S + 2)
        assert len(shop.starts) == 3
        begin(thread)
        wait(thread, lambda _: len(shop.starts) >= 5, "a person's restart clears it, and the rule begins anew")


def test_one_that_cannot_start_counts_too(shop: Shop) -> None:
    shop.agent("dies", "0.9")
    with shop.supervised() as thread:
        begin(thread)
        shop.agent("dies", "0")
    with shop.supervised() as thread:
        wait(thread, is_(AgentState.GIVEN_UP), "given up")
    assert [(row.attempt, row.ok) for row in shop.records()] == [(2, False), (1, False), (0, True)]
    assert "exit" in shop.records()[0].message or "status 37" in shop.records()[0].message


def test_one_that_ignores_term_is_ended_with_all_that_it_began(shop: Shop) -> None:
    shop.agent("deaf")
    with shop.supervised() as thread:
        begin(thread)
        until("its processes", lambda: shop.lines("child") and shop.lines("stranger"))
        old = [shop.starts[0], *(int(shop.lines(word)[0]) for word in ("child", "stranger"))]
        assert all(is_alive(pid) for pid in old)
        wait(thread, is_(AgentState.SILENT), "silent")
        until("a new one", lambda: len(shop.starts) == 2)
        assert [is_alive(pid) for pid in old] == [False, False, False]
        assert shop.lines("TERM") != []
        assert is_alive(shop.starts[1])
    (newest, _) = shop.records()
    assert (newest.attempt, newest.by) == (1, By.RULE)
    assert newest.cause.startswith("silent")


def test_a_zombie_that_teamops_started_is_restarted(shop: Shop) -> None:
    shop.agent("zombie")
    with shop.supervised() as thread:
        begin(thread)
        wait(thread, is_(AgentState.ZOMBIE), "a zombie")
        until("a new one", lambda: len(shop.starts) == 2)
        assert not is_alive(shop.starts[0])
    assert shop.records()[0].cause.startswith("zombie")


def test_an_adopted_session_is_never_ended_by_rule(shop: Shop) -> None:
    command = shop.agent("zombie")
    env = ("-e", "TEAMOPS_ROLE=CODER", "-e", f"TEAMOPS_PROJECT={shop.root}")
    shop.tmux("new-session", "-d", "-s", "shop-coder", *env, *command)
    until("it runs", lambda: shop.starts)
    with shop.supervised() as thread:
        wait(thread, has_alert("agent-left-alone"), "the alert")
        passes(thread, COOLDOWN_S + 2)
        assert len(shop.starts) == 1
        assert is_alive(shop.starts[0])
        begin(thread)  # a person may
        assert not is_alive(shop.starts[0])
        until("by rule from now on", lambda: len(shop.starts) == 3)


def test_one_that_is_well_is_left_alone(shop: Shop) -> None:
    shop.agent("well")
    with shop.supervised() as thread:
        begin(thread)
        wait(thread, is_(AgentState.WORKING), "working")
        passes(thread, 10)
    assert len(shop.starts) == 1


@pytest.mark.parametrize("how", ["ended in good order", "closed by hand"])
def test_what_a_person_closed_stays_closed(shop: Shop, how: str) -> None:
    shop.light(DIRECTOR)
    shop.agent("leaves", "2") if how == "ended in good order" else shop.agent("well")
    with shop.supervised() as thread:
        begin(thread)
        if how == "closed by hand":
            wait(thread, is_(AgentState.WORKING), "working")
            shop.light(CODER)
            shop.tmux("new-session", "-d", "-s", "other", "sleep", "300")  # the server stays
            shop.tmux("kill-session", "-t", "=shop-coder")
        wait(thread, is_(AgentState.DEAD), "dead")
        wait(thread, has_alert("agent-dead"), "the alert")
        passes(thread, COOLDOWN_S + 2)
        assert len(shop.starts) == 1


def test_a_refused_account_is_held_not_restarted(shop: Shop) -> None:
    shop.agent("refused", "1.2")
    with shop.supervised() as thread:
        begin(thread)
        wait(thread, is_(AgentState.HELD), "held")
        wait(thread, has_alert("agent-held"), "the alert")
        passes(thread, COOLDOWN_S + 2)
        assert len(shop.starts) == 1
        (agent,) = [agent for agent in thread.snapshot().agents if agent.role == CODER]
        assert "Invalid API key" in agent.evidence.detail


def test_a_team_whose_server_is_gone_is_not_begun_anew_by_rule(shop: Shop) -> None:
    shop.agent("well")
    with shop.supervised() as thread:
        begin(thread)
        wait(thread, is_(AgentState.WORKING), "working")
        shop.tmux("kill-server")
        wait(thread, has_alert("tmux-down"), "the alert")
        passes(thread, COOLDOWN_S + 2)
        assert len(shop.starts) == 1


def test_teamops_killed_in_the_middle_of_a_restart(shop: Shop) -> None:
    """The next life neither restarts twice nor forgets."""
    shop.agent("deaf")
    words = [sys.executable, "-m", "teamops", "watch", "--project", str(shop.root), "--state-dir", str(shop.state)]
    watch = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with shop.supervised() as visitor:
            begin(visitor)
        until("the old one is told to end", lambda: shop.lines("TERM"))
    finally:
        watch.kill()
        watch.wait()
    assert len(shop.starts) == 1, "killed before the new one was begun"
    assert is_alive(shop.starts[0]), "killed before the old one was ended"
    (cut, _) = shop.records()
    assert (cut.attempt, cut.ok) == (1, None)
    with shop.supervised() as thread:
        wait(thread, lambda snapshot: snapshot.supervisor.acting, "acting")
        wait(thread, is_(AgentState.BACKING_OFF), "backing off")
        assert len(shop.starts) == 1, "restarted twice"
        until("forgotten", lambda: len(shop.starts) == 2)
        until("its end", lambda: shop.records()[0].ok is not None)
    newest, cut, _ = shop.records()
    assert (newest.attempt, newest.ok, cut.attempt, cut.ok) == (2, True, 1, False)
    assert newest.wall - cut.wall >= COOLDOWN_S - 0.1
    assert len(shop.starts) == 2
