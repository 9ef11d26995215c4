"""Budgets that stop, on real parts: tmux, ledger, supervisor, hook entry, and an agent that loops.

The agent spends one cent in each of its cycles, and its day's budget are five: it may make one more cycle after the one
that crossed the limit, and no further one.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.domain.hard_stop import SETTLE_S
from teamops.guard import holds
from teamops.ledger.store import open_ledger
from teamops.model.agent import AgentState
from teamops.model.budget import BudgetHold, Cause, Step, StepDone
from teamops.model.role import CODER
from teamops.model.snapshot import (
    LiftBudget,
    PokeRole,
    RestartRole,
    Snapshot,
    StartRole,
    StopSpendingOf,
    SupervisorPort,
)
from teamops.supervisor.lease import state_dir_of
from teamops.supervisor.thread import SupervisorThread
from teamops.tmux.ending import is_alive
from tests.tmux.test_restart_rule import wait

pytestmark = [pytest.mark.tmux, pytest.mark.slow]

DEADLINE_S = 60.0
ROOT = Path(__file__).parents[2]
TOML = """\
project = "shop"

[tmux]
socket_path = "s"

[notify]
desktop = false

[sandbox]
write = ["../out"]

[stop]
grace_s = "1s"

[roles.CODER]
command = {command}
env = {{ CLAUDE_CONFIG_DIR = "{home}" }}

[roles.CODER.budget]
day_usd = 0.05
"""
GATE, POKES, INTERRUPT, END = Step


class Shop:
    """A project with one looping agent, and its own tmux server."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state, self.bin, self.log = (folder / name for name in ("p", "state", "bin", "out/log"))
        for made in (self.root, self.bin, self.log.parent):
            made.mkdir()
        (self.root / "current.md").touch()
        self.home = folder / "claude"
        program = self.bin / "claude"
        module = f"PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m tests.tmux.looping_client"
        program.write_text(f'#!/bin/sh\n{module} "$@"\n', encoding="utf-8")
        program.chmod(0o700)

    def agent(self, *habits: str) -> None:
        """Say which agent the team has."""
        command = [str(self.bin / "claude"), str(self.log), *habits]
        text = TOML.format(command=command, home=self.home).replace("'", '"')
        (self.root / "teamops.toml").write_text(text, encoding="utf-8")

    @property
    def folder(self) -> Path:
        return state_dir_of(load(self.root), self.state)

    @contextmanager
    def supervised(self) -> Iterator[SupervisorThread]:
        thread = SupervisorThread(load(self.root), state_dir=self.state, ring=lambda _: True)
        thread.start()
        try:
            yield thread
        finally:
            thread.stop()
            assert thread.failed == ""

    @contextmanager
    def watched(self) -> Iterator[subprocess.Popen[bytes]]:
        """Let a process of its own supervise, that may be killed."""
        words = [sys.executable, "-m", "teamops", "watch", "-C", str(self.root), "--state-dir", str(self.state)]
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    def tmux(self, *words: str) -> None:
        command = ["tmux", "-S", str(self.root / "s"), "-f", "/dev/null", *words]
        subprocess.run(command, check=True, capture_output=True)

    def lines(self, word: str, after: float = 0.0) -> list[float]:
        """Return when that happened to the agent, Unix seconds."""
        with suppress(FileNotFoundError):
            rows = [row.split() for row in self.log.read_text(encoding="utf-8").splitlines()]
            return [float(row[2]) for row in rows if row[0] == word and float(row[2]) > after]
        return []

    @property
    def pids(self) -> list[int]:
        with suppress(FileNotFoundError):
            rows = self.log.read_text(encoding="utf-8").splitlines()
            return [int(row.split()[1]) for row in rows if row.startswith("start ")]
        return []

    def held(self) -> BudgetHold | None:
        """Return the hold that stands, as the ledger has it."""
        if not (self.folder / "ledger.sqlite3").exists():
            return None
        with closing(open_ledger(self.folder / "ledger.sqlite3")) as ledger:
            return next(iter(ledger.budgets.open_holds()), None)

    def steps(self) -> dict[Step, StepDone]:
        """Return what was done under the hold that stands."""
        with closing(open_ledger(self.folder / "ledger.sqlite3")) as ledger:
            found = ledger.budgets.open_holds()
            return ledger.budgets.steps(found[0]).get(CODER, {}) if found else {}

    def one_more_at_most(self) -> None:
        """See that the agent spent at most one more cycle after the one that crossed the limit."""
        hold = self.held()
        assert hold is not None
        assert len(self.lines("cycle", hold.wall)) <= 1


@pytest.fixture
def shop(short_dir: Path) -> Iterator[Shop]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is missing")
    made = Shop(short_dir)
    yield made
    subprocess.run(["tmux", "-S", str(made.root / "s"), "kill-server"], capture_output=True, check=False)
    for pid in made.pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def until(what: str, condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def begin(port: SupervisorPort) -> None:
    wait(port, lambda snapshot: snapshot.ready, "ready")
    outcome = port.act(StartRole(CODER))
    assert outcome.ok, outcome


def done(*steps: Step) -> Callable[[Snapshot], bool]:
    """Return what tells that these steps, and no others, were done."""

    def look(snapshot: Snapshot) -> bool:
        line = next((line for line in snapshot.budgets if line.scope == CODER), None)
        return line is not None and [one.step for one in line.steps.get(CODER, ())] == list(steps)

    return look


def passes(port: SupervisorPort, seconds: float) -> None:
    """Let so many observed seconds go by."""
    end = port.snapshot().stamp.now + seconds
    wait(port, lambda snapshot: snapshot.stamp.now >= end, f"{seconds} s", DEADLINE_S)


def is_idle(shop: Shop) -> None:
    """See that the agent makes no further cycle for as long as it took to make several."""
    before = len(shop.lines("cycle"))
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        assert len(shop.lines("cycle")) == before
        time.sleep(0.05)


def test_a_looping_agent_spends_at_most_one_more_cycle(shop: Shop) -> None:
    shop.agent("starts")
    with shop.supervised() as port:
        begin(port)
        wait(port, done(*Step), "all steps", DEADLINE_S)
        shop.one_more_at_most()
        assert not is_alive(shop.pids[0])
        (agent,) = port.snapshot().agents
        assert agent.state is AgentState.HELD
        assert agent.held.startswith("$0.0500 of $0.0500 spent on ")
        outcome = port.act(PokeRole(CODER, "go on"))
        assert (outcome.ok, outcome.message) == (False, f"held: {agent.held}")
        for intent in (StartRole(CODER), RestartRole(CODER)):
            assert not port.act(intent).ok
        told = shop.steps()
        assert all(step.ok for step in told.values())
        assert told[INTERRUPT].wall <= told[END].wall - SETTLE_S + 0.1, "its last lines are waited for"
    with shop.supervised() as port:
        wait(port, lambda snapshot: snapshot.ready, "ready")
        passes(port, 3)
        assert list(shop.steps()) == list(Step), "held in the next life, and nothing is begun anew"
        assert len(shop.pids) == 1
        outcome = port.act(LiftBudget(CODER, Decimal("0.08")))
        assert outcome.ok, outcome
        assert not Path(holds.path_of(str(shop.folder), CODER)).exists()
        lifted = time.time()
        port.act(StartRole(CODER))  # or by rule, if that is quicker
        until("it works again", lambda: shop.lines("cycle", lifted))
        wait(port, lambda _: (hold := shop.held()) is not None and hold.limit_usd == Decimal("0.08"), "the next stop")
        wait(port, done(*Step), "all of its steps", DEADLINE_S)
        shop.one_more_at_most()


def test_one_whose_turn_no_refusal_ends_is_interrupted(shop: Shop) -> None:
    shop.agent("starts", "tireless")
    with shop.supervised() as port:
        begin(port)
        wait(port, done(*Step), "all steps", DEADLINE_S)
        shop.one_more_at_most()
        assert shop.steps()[INTERRUPT].message == "interrupted (Escape)"


def test_one_that_calls_no_hooks_is_interrupted_and_ended(shop: Shop) -> None:
    shop.agent("starts", "hookless")
    with shop.supervised() as port:
        begin(port)
        wait(port, done(*Step), "all steps", DEADLINE_S)
        shop.one_more_at_most()
        assert not is_alive(shop.pids[0])
        assert all(step.ok for step in shop.steps().values())
        wait(port, lambda snapshot: snapshot.agents[0].pid is None, "gone")
        passes(port, 3)
        assert len(shop.pids) == 1, "nothing starts it again"
        assert not any(alert.code == "agent-dead" and alert.open for alert in port.snapshot().alerts)


def test_one_that_heeds_nothing_is_killed(shop: Shop) -> None:
    shop.agent("starts", "hookless", "keyless", "immortal")
    with shop.supervised() as port:
        begin(port)
        wait(port, done(*Step), "all steps", DEADLINE_S)
        assert not is_alive(shop.pids[0])
        told = shop.steps()
        assert (told[INTERRUPT].ok, told[END].ok) == (False, True)
        assert told[INTERRUPT].message == "works on after 3 interrupts"
        assert told[END].message.startswith("killed: it did not end within 1 s")
        assert len(shop.lines("TERM")) >= 1


def test_no_key_is_pressed_into_a_dialog(shop: Shop) -> None:
    shop.agent("starts", "asks")
    with shop.supervised() as port:
        begin(port)
        wait(port, done(*Step), "all steps", DEADLINE_S)
        shop.one_more_at_most()
        interrupt = shop.steps()[INTERRUPT]
        assert (interrupt.ok, interrupt.message) == (False, "a dialog is open, and no key is pressed into one")
        assert shop.lines("answered") == []
        assert not is_alive(shop.pids[0])


def test_an_agent_that_teamops_did_not_start_is_stopped_too(shop: Shop) -> None:
    shop.agent("starts")
    settings = shop.root / "none.json"
    settings.write_text('{"hooks": {}}', encoding="utf-8")
    where = ["-s", "shop-coder", "-c", str(shop.root), "-e", f"CLAUDE_CONFIG_DIR={shop.home}"]
    words = [str(shop.bin / "claude"), "--settings", str(settings), str(shop.log), "starts"]
    shop.tmux("new-session", "-d", "-x", "100", *where, "--", *words)
    with shop.supervised() as port:
        wait(port, done(*Step), "all steps", DEADLINE_S)
        until("its end", lambda: not is_alive(shop.pids[0]))


def test_a_supervisor_that_is_killed_between_steps_is_gone_on_with(shop: Shop) -> None:
    shop.agent("starts", "hookless", "keyless")
    with shop.watched() as first:
        until("it acts", lambda: (shop.folder / "lease").exists() and (shop.folder / "lease").stat().st_size)
        start = [sys.executable, "-m", "teamops", "up", "CODER", "-C", str(shop.root), "--state-dir", str(shop.state)]
        subprocess.run(start, cwd=ROOT, check=True, capture_output=True)
        until("the pokes are refused", lambda: shop.held() is not None and POKES in shop.steps())
        first.send_signal(signal.SIGKILL)  # its interrupt takes seconds, for no key is heeded
        first.wait()
    assert INTERRUPT not in shop.steps()
    assert Path(holds.path_of(str(shop.folder), CODER)).exists(), "the gate is shut, whoever lives"
    assert is_alive(shop.pids[0])
    gate = shop.steps()[GATE]
    with shop.supervised() as port:
        wait(port, done(*Step), "the rest", DEADLINE_S)
        assert not is_alive(shop.pids[0])
        assert shop.steps()[GATE] == gate, "what was done is not done again"


def test_a_ledger_that_can_t_be_written_stops_who_spends(shop: Shop) -> None:
    shop.agent("starts")
    text = (shop.root / "teamops.toml").read_text(encoding="utf-8")
    (shop.root / "teamops.toml").write_text(text.replace("0.05", "500.0"), encoding="utf-8")
    path = Path(holds.path_of(str(shop.folder), CODER))
    with shop.watched() as process:
        until("it acts", lambda: (shop.folder / "lease").exists() and (shop.folder / "lease").stat().st_size)
        start = [sys.executable, "-m", "teamops", "up", "CODER", "-C", str(shop.root), "--state-dir", str(shop.state)]
        subprocess.run(start, cwd=ROOT, check=True, capture_output=True)
        until("it spends", lambda: len(shop.lines("cycle")) > 2)
        assert shop.lines("refused") == []
        full = time.time()
        # As on a full disk: no file of that process can grow beyond some bytes.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
        until("the gate", path.exists)
        shut = time.time()
        assert "can't be stored" in holds.reason(str(path))
        until("it stopped", lambda: len(shop.lines("refused")) + len(shop.lines("interrupted")) > 0)
        is_idle(shop)
        assert len(shop.lines("cycle", shut)) <= 1
        assert shut - full < 30
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        until("it is stored", lambda: shop.held() is not None)
        hold = shop.held()
        assert hold is not None
        assert hold.cause is Cause.UNCHECKED
        assert path.exists()


def test_a_person_stops_one_by_hand(shop: Shop) -> None:
    shop.agent("starts")
    text = (shop.root / "teamops.toml").read_text(encoding="utf-8")
    (shop.root / "teamops.toml").write_text(text.split("[roles.CODER.budget]")[0], encoding="utf-8")
    with shop.supervised() as port:
        begin(port)
        until("it spends", lambda: len(shop.lines("cycle")) > 1)
        outcome = port.act(StopSpendingOf(CODER), timeout_s=30.0)
        assert outcome.ok, outcome
        assert outcome.message == "CODER: gate shut, pokes refused, interrupted"
        is_idle(shop)
        assert port.act(LiftBudget(CODER, None)).ok
