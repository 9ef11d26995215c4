"""What is seen afterwards: a real supervisor, real agents in tmux, real files past their role's boundary."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from teamops.config.load import load
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.model.boundary import Violation, ViolationState
from teamops.model.role import CODER, DIRECTOR, NONE, REVIEWER, Role
from teamops.model.snapshot import SettleViolation, Snapshot
from teamops.supervisor.thread import SupervisorThread

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="who has a file open is read from /proc"),
]
DEADLINE_S = 30.0
TOML = """\
project = "shop"

[tmux]
socket_path = "s"

[notify]
desktop = false

[poke]
auto = false

[guard]
audit = "{mode}"

[roles.DIRECTOR]
client = "command"
command = ["sh"]

[roles.CODER]
client = "command"
command = ["sh"]

[roles.REVIEWER]
client = "command"
command = ["sh"]
"""
GIT = ("git", "-c", "user.name=t", "-c", "user.email=t@t.example")


def block(role: Role, turn: Role, *, status: str = "in progress", minute: int = 0) -> str:
    return render_block(
        role,
        datetime(2026, 3, 28, 14, minute),  # noqa: DTZ001 - naive by the protocol
        status,
        turn,
        3,
        task="login",
        sections=[("What I Did", "Looked."), (f"For {turn.capitalize()}", "Go on with `src/a.py`.")],
    )


class Yard:
    """A project in git, agents that are shells, and a supervisor."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state = folder / "p", folder / "state"
        (self.root / "src").mkdir(parents=True)
        self.source = self.root / "src" / "a.py"
        self.source.write_bytes(b"print(1)\n")
        (self.root / ".gitignore").write_text("build/\n.claude/\ns\n.teamops/\ncurrent.md\n.current.md.lock\n")
        self.configure("alert")
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
            subprocess.run([*GIT, *words], cwd=self.root, check=True)

    def configure(self, mode: str) -> None:
        (self.root / "teamops.toml").write_text(TOML.format(mode=mode), encoding="utf-8")

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.root / "s"), "-f", "/dev/null", *words],
            capture_output=True, text=True, check=False, cwd=self.root,
        )  # fmt: skip
        return done.stdout.strip()

    def begin(self, *roles: Role) -> None:
        for role in roles:
            self.tmux("new-session", "-d", "-c", str(self.root), "-s", f"shop-{role.lower()}", "exec sh")

    def does(self, role: Role, line: str) -> None:
        """Let an agent run a line."""
        self.tmux("send-keys", "-t", f"=shop-{role.lower()}:", "-l", line)
        self.tmux("send-keys", "-t", f"=shop-{role.lower()}:", "Enter")

    @contextmanager
    def supervised(self) -> Iterator[SupervisorThread]:
        thread = SupervisorThread(load(self.root), state_dir=self.state, ring=lambda _: True)
        thread.start()
        try:
            until(thread, lambda seen: seen.ready and is_ready(thread), "the work tree is watched")
            yield thread
        finally:
            thread.stop()
            assert thread.failed == ""

    def guard(self, *words: str, code: int = 0, env: dict[str, str] | None = None) -> str:
        """Run ``teamops guard`` in a terminal of its own and return what it printed."""
        command = [sys.executable, "-m", "teamops", "guard", words[0], "-C", str(self.root)]
        command += ["--state-dir", str(self.state), *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def json(self, *words: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.guard(*words, "--json"))
        return told


def is_ready(thread: SupervisorThread) -> bool:
    core = thread._core
    return core is not None and core.auditing.ready()


def until(thread: SupervisorThread, wanted: Callable[[Snapshot], bool], what: str) -> Snapshot:
    there = threading.Event()

    def take(snapshot: Snapshot) -> None:
        if wanted(snapshot):
            there.set()

    end = thread.subscribe(take)
    try:
        take(thread.snapshot())
        if not there.wait(DEADLINE_S):
            pytest.fail(f"not seen: {what}\n{thread.snapshot()}")
    finally:
        end()
    return thread.snapshot()


def found(snapshot: Snapshot, path: str, state: ViolationState = ViolationState.OPEN) -> Violation | None:
    return next((one for one in snapshot.violations if one.path == path and one.state is state), None)


def lit(role: Role) -> Callable[[Snapshot], bool]:
    return lambda seen: (
        any(light.role == role for light in seen.lights)
        and any(agent.role == role and agent.pid for agent in seen.agents)
    )


@pytest.fixture
def yard(short_dir: Path) -> Iterator[Yard]:
    made = Yard(short_dir)
    yield made
    made.tmux("kill-server")


def test_a_change_past_the_boundary_is_a_violation_with_evidence_within_a_second(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER)
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.does(REVIEWER, "echo 'print(2)' > src/a.py; exec 3>>src/a.py")
        seen = until(thread, lambda one: found(one, "src/a.py") is not None, "a violation")
        late = seen.stamp.wall - yard.source.stat().st_mtime
        assert late < 1.0, f"{late} s"
        violation = found(seen, "src/a.py")
        assert violation is not None
        assert violation.roles == (REVIEWER,)
        assert violation.rule == "write.allow"
        assert (violation.added, violation.removed) == (1, 1)
        assert "REVIEWER" in violation.evidence[0]
        until(thread, lambda one: any(alert.code == "boundary-crossed" for alert in one.alerts), "an alert")
        lines = thread.violation_diff(violation.id)
        assert "-print(1)" in lines
        assert "+print(2)" in lines
        assert yard.source.read_bytes() == b"print(2)\n"  # told, and left as it is
        # What it may change, and what teamops writes itself, is none.
        yard.does(REVIEWER, "mkdir -p reviews; echo fine > reviews/one.md; mkdir -p build; echo x > build/x")
        append(yard.root / "current.md", block(REVIEWER, DIRECTOR, minute=5))
        yard.does(REVIEWER, "echo no > src/b.py")
        seen = until(thread, lambda one: found(one, "src/b.py") is not None, "the last one")
        assert {one.path for one in seen.violations} == {"src/a.py", "src/b.py"}
        (alert,) = [one for one in seen.alerts if one.code == "boundary-crossed" and one.open]
        assert "1 more" in alert.message


def test_what_one_of_them_may_change_is_no_violation(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, CODER))
    yard.begin(REVIEWER, CODER)
    with yard.supervised() as thread:
        until(thread, lit(CODER), "the light")
        yard.does(CODER, "echo 1 > src/c.py")
        (yard.root / "by-hand.txt").write_text("the person's, or the coder's")
        yard.does(REVIEWER, "exec 3>>src/a.py; echo 'print(4)' >&3")  # seen with the file open: it, and not the coder
        seen = until(thread, lambda one: found(one, "src/a.py") is not None, "a violation")
        violation = found(seen, "src/a.py")
        assert violation is not None
        assert violation.roles == (REVIEWER,)
        assert "had the file open" in violation.evidence[0]
        assert "+print(4)" in thread.violation_diff(violation.id)
        assert {one.path for one in seen.violations} == {"src/a.py"}


def test_quarantine_undoes_it_and_a_person_puts_it_back(yard: Yard) -> None:
    yard.configure("quarantine")
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.source.chmod(0o750)
    yard.begin(REVIEWER)
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.does(REVIEWER, "echo bad > src/a.py")
        undone = ViolationState.QUARANTINED
        seen = until(thread, lambda one: found(one, "src/a.py", undone) is not None, "undone")
        assert yard.source.read_bytes() == b"print(1)\n"
        assert yard.source.stat().st_mode & 0o777 == 0o750
        violation = found(seen, "src/a.py", undone)
        assert violation is not None
        assert any(line.kind == "action" and line.text.startswith("quarantine") for line in seen.log)
        # The same again is a violation again, and is undone again.
        yard.does(REVIEWER, "echo bad > src/a.py")
        until(thread, lambda one: len(one.violations) == 2 and all(v.state is undone for v in one.violations), "again")
        done = thread.act(SettleViolation(violation.id, ViolationState.RESTORED))
        assert done.ok, done
        assert yard.source.read_bytes() == b"bad\n"
        until(thread, lambda one: found(one, "src/a.py", ViolationState.RESTORED) is not None, "put back")
        yard.does(REVIEWER, "rm src/a.py")
        until(thread, lambda one: len(one.violations) == 3 and one.violations[0].state is undone, "deleted, undone")
        assert yard.source.read_bytes() == b"bad\n"
        yard.does(REVIEWER, "echo new > src/new.py")
        until(thread, lambda one: found(one, "src/new.py", undone) is not None, "created, undone")
        assert not (yard.root / "src" / "new.py").exists()


def test_a_protected_file_is_seen_though_git_ignores_it(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, CODER))
    yard.begin(CODER)
    with yard.supervised() as thread:
        until(thread, lit(CODER), "the light")
        yard.does(CODER, "mkdir -p .claude; echo '{}' > .claude/settings.json")
        seen = until(thread, lambda one: found(one, ".claude/settings.json") is not None, "the client's settings")
        violation = found(seen, ".claude/settings.json")
        assert violation is not None
        assert violation.rule.startswith("protected")
        yard.does(CODER, "echo exit 0 > .git/hooks/pre-commit")
        until(thread, lambda one: found(one, ".git/hooks/pre-commit") is not None, "git's hook")


def test_a_person_edits_while_nobody_works(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, NONE, status="withdrawn"))
    yard.begin(REVIEWER)
    with yard.supervised() as thread:
        until(thread, lambda seen: any(agent.pid for agent in seen.agents), "the agent")
        until(thread, lambda seen: all(agent.state != "working" for agent in seen.agents), "at rest")
        yard.source.write_bytes(b"by hand\n")
        append(yard.root / "current.md", block(DIRECTOR, REVIEWER, minute=1))
        until(thread, lit(REVIEWER), "the light")
        yard.does(REVIEWER, "echo x > src/later.py")
        seen = until(thread, lambda one: found(one, "src/later.py") is not None, "a later one")
        assert {one.path for one in seen.violations} == {"src/later.py"}


def test_limits_of_a_turn_are_asked_of_git_at_the_handoff(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, CODER))
    (yard.root / "old.txt").write_text("uncommitted, and not the coder's\n")
    yard.begin(CODER)
    with yard.supervised() as thread:
        until(thread, lit(CODER), "the light")
        trees = next(yard.state.glob("*/")) / "trees" / "turns.json"
        end = time.monotonic() + DEADLINE_S
        while not trees.exists():
            assert time.monotonic() < end
            threading.Event().wait(0.02)
        yard.does(CODER, "echo 1 >> src/a.py; echo 1 > unnamed.py")
        append(yard.root / "current.md", block(CODER, REVIEWER, minute=3))
        until(thread, lambda one: found(one, "unnamed.py") is not None, "a hint at the handoff")
        violation = found(thread.snapshot(), "unnamed.py")
        assert violation is not None
        assert violation.rule == "write.named_files_only"
        assert {one.path for one in thread.snapshot().violations} == {"unnamed.py"}
