"""What is seen afterwards: a real supervisor, real agents in tmux, real files past their role's boundary."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.effects.confine import means
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.model.agent import AgentState
from teamops.model.boundary import Violation, ViolationState
from teamops.model.role import CODER, DIRECTOR, NONE, REVIEWER, Role
from teamops.model.snapshot import SettleViolation, Snapshot
from teamops.supervisor.auditing import Auditing
from teamops.supervisor.change_judge import MAX_UNDONE
from teamops.supervisor.thread import SupervisorThread
from tests.e2e.test_supervisor import wait as until
from tests.terminal import Terminal

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

    def works(self, role: Role) -> None:
        """Let an agent say that it works: what only a light speaks for is not undone."""
        spool = self.root / ".teamops" / "spool" / role
        spool.mkdir(parents=True, exist_ok=True)
        line = {"v": 1, "t": time.time(), "pid": 0, "kind": "beat", "status": "working"}
        with (spool / "beats.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

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

    def words(self, *words: str) -> list[str]:
        command = [sys.executable, "-m", "teamops", "guard", words[0], "-C", str(self.root)]
        return [*command, "--state-dir", str(self.state), *words[1:]]

    def guard(self, *words: str, code: int = 0) -> str:
        """Run ``teamops guard`` and return what it printed."""
        done = subprocess.run(self.words(*words), capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def person(self, *words: str, code: int = 0, role: str = "") -> str:
        """Run it in a terminal, as a person does."""
        env = {"TEAMOPS_ROLE": role} if role else {}
        with Terminal(self.words(*words), cols=200, env=env) as terminal:
            assert terminal.wait_end(40) == code, terminal.text(history=True)
            return terminal.text(history=True)

    def states(self) -> dict[int, str]:
        done = subprocess.run(self.words("violations", "--json"), capture_output=True, text=True, check=False)
        told = json.loads(done.stdout)
        assert told["schema"] == "teamops.violations/1"
        return {row["id"]: row["state"] for row in told["violations"]}


def is_ready(thread: SupervisorThread) -> bool:
    core = thread._core
    return core is not None and core.auditing.ready()


def found(snapshot: Snapshot, path: str, state: ViolationState = ViolationState.OPEN) -> Violation | None:
    return next((one for one in snapshot.violations if one.path == path and one.state is state), None)


def lit(role: Role) -> Callable[[Snapshot], bool]:
    return lambda seen: (
        any(light.role == role for light in seen.lights)
        and any(agent.role == role and agent.pid for agent in seen.agents)
    )


def busy(role: Role) -> Callable[[Snapshot], bool]:
    return lambda seen: any(agent.role == role and agent.state is AgentState.WORKING for agent in seen.agents)


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
        yard.works(REVIEWER)
        until(thread, busy(REVIEWER), "its work")
        yard.does(REVIEWER, "echo bad > src/a.py")
        undone = ViolationState.QUARANTINED
        seen = until(thread, lambda one: found(one, "src/a.py", undone) is not None, "undone")
        assert yard.source.read_bytes() == b"print(1)\n"
        assert yard.source.stat().st_mode & 0o777 == 0o750
        violation = found(seen, "src/a.py", undone)
        assert violation is not None
        assert any(line.kind == "action" and line.text.startswith("quarantine") for line in seen.log)
        # The same again is a violation again, and is undone again.
        yard.works(REVIEWER)
        yard.does(REVIEWER, "echo bad > src/a.py")
        until(thread, lambda one: len(one.violations) == 2 and all(v.state is undone for v in one.violations), "again")
        done = thread.act(SettleViolation(violation.id, ViolationState.RESTORED))
        assert done.ok, done
        assert yard.source.read_bytes() == b"bad\n"
        until(thread, lambda one: found(one, "src/a.py", ViolationState.RESTORED) is not None, "put back")
        yard.works(REVIEWER)
        yard.does(REVIEWER, "echo new > src/between.py")  # when this is seen, what was put back was looked at
        until(thread, lambda one: found(one, "src/between.py", undone) is not None, "another one")
        yard.works(REVIEWER)
        yard.does(REVIEWER, "rm src/a.py")
        until(thread, lambda one: len(one.violations) == 4 and one.violations[0].state is undone, "deleted, undone")
        assert yard.source.read_bytes() == b"bad\n"
        yard.works(REVIEWER)
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


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (".git/commondir", "echo ../../evil > .git/commondir"),
        (".git/commondir", ": > .git/commondir"),  # git itself answers nobody any more
        (
            ".git/rebase-merge/git-rebase-todo",
            "mkdir .git/rebase-merge; echo exec make > .git/rebase-merge/git-rebase-todo",
        ),
        ("src/.git/HEAD", "git init -q src"),
    ],
    ids=["commondir", "commondir, empty", "a rebase with commands", "a repository over its files"],
)
def test_what_would_lead_anothers_git_is_seen_within_a_second_and_undone(yard: Yard, path: str, line: str) -> None:
    yard.configure("quarantine")
    append(yard.root / "current.md", block(DIRECTOR, CODER))
    yard.begin(CODER)
    with yard.supervised() as thread:
        until(thread, lit(CODER), "the light and the agent")
        yard.works(CODER)
        until(thread, busy(CODER), "its work")
        begun = time.time()
        yard.does(CODER, line)
        undone = ViolationState.QUARANTINED
        seen = until(thread, lambda one: any(each.path == path for each in one.violations), "a violation")
        (violation,) = seen.violations
        assert violation.wall - begun < 1.5, "the line's way to the shell counts, too"
        assert violation.roles == (CODER,)
        assert violation.rule.startswith("protected")
        assert violation.evidence
        until(thread, lambda one: found(one, path, undone) is not None, "undone")
        assert not (yard.root / path).exists()
        kept = [one.read_bytes() for one in (yard.state).rglob("patches/*") if one.is_file()]
        assert kept
        subprocess.run(["git", "status"], cwd=yard.root / "src", check=True, capture_output=True)


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


def test_a_person_deals_with_it_from_the_command_line(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER)
    assert "no change past a boundary" in yard.guard("violations")
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.does(REVIEWER, "echo bad > src/a.py")
        seen = until(thread, lambda one: found(one, "src/a.py") is not None, "a violation")
        (violation,) = seen.violations
        number = str(violation.id)
        said = yard.guard("violations", code=1)
        assert f"{number}  open" in said
        assert "src/a.py (changed, +1 -1)" in said
        assert "REVIEWER: it is not among what REVIEWER may change (rule write.allow)" in said
        assert "+bad" in yard.guard("diff", number)
        # No agent, and no program without a terminal, settles anything.
        for verb in ("accept", "quarantine", "restore"):
            assert f"teamops guard {verb} is the person's" in yard.guard(verb, number, code=2)
            assert "this is CODER's shell" in yard.person(verb, number, code=2, role="CODER")
        assert yard.states() == {violation.id: "open"}
        assert "can't become restored" in yard.person("restore", number, code=1)
        # With a supervisor that sees what is done, and follows it.
        assert "as it was before" in yard.person("quarantine", number)
        assert yard.source.read_bytes() == b"print(1)\n"
        until(thread, lambda one: found(one, "src/a.py", ViolationState.QUARANTINED) is not None, "seen by the other")
        until(
            thread, lambda one: not any(alert.open for alert in one.alerts if alert.code == "boundary-crossed"), "over"
        )
    # Without one.
    yard.source.write_bytes(b"newer\n")
    assert "changed again since" in yard.person("restore", number, code=1)
    assert yard.source.read_bytes() == b"newer\n"
    assert "is kept as" in yard.person("restore", number, "--force")
    assert yard.source.read_bytes() == b"bad\n"
    assert yard.states() == {violation.id: "restored"}
    assert "there is no violation 99" in yard.person("accept", "99", code=1)
    assert "no change is kept" in yard.guard("diff", "99", code=1)


def test_accepted_it_stands_and_is_not_found_again(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER)
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.does(REVIEWER, "echo fine > src/a.py")
        seen = until(thread, lambda one: found(one, "src/a.py") is not None, "a violation")
        assert thread.act(SettleViolation(seen.violations[0].id, ViolationState.ACCEPTED)).ok
        yard.does(REVIEWER, "echo other > src/a.py")
        until(thread, lambda one: len(one.violations) == 2, "another one")
        yard.does(REVIEWER, "echo fine > src/a.py")  # back to what the person accepted
        yard.does(REVIEWER, "echo x > src/last.py")
        seen = until(thread, lambda one: found(one, "src/last.py") is not None, "the last one")
        assert len(seen.violations) == 3
        first = next(one for one in seen.violations if one.state is ViolationState.ACCEPTED)
        assert "accepted by" in first.note
        assert yard.source.read_bytes() == b"fine\n"


def test_what_goes_on_is_one_change_from_its_beginning_and_gone_when_undone_by_whoever(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER)
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.does(REVIEWER, "echo one > src/a.py")
        until(thread, lambda one: found(one, "src/a.py") is not None, "a violation")
        yard.does(REVIEWER, "echo two >> src/a.py")
        seen = until(thread, lambda one: len(one.violations) == 2, "it goes on")
        now = found(seen, "src/a.py")
        assert now is not None
        assert found(seen, "src/a.py", ViolationState.GONE) is not None
        lines = thread.violation_diff(now.id)
        assert [line for line in lines if line[:1] in "+-"][2:] == ["-print(1)", "+one", "+two"]
        yard.source.write_bytes(b"print(1)\n")
        until(thread, lambda one: not [v for v in one.violations if v.state is ViolationState.OPEN], "gone")


def test_a_life_that_was_cut_off_is_followed_up(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER)
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.does(REVIEWER, "echo bad > src/a.py")
        until(thread, lambda one: found(one, "src/a.py") is not None, "a violation")
    yard.source.write_bytes(b"print(1)\n")  # as an undoing leaves it whose end nobody could store
    with yard.supervised() as thread:
        seen = until(thread, lambda one: found(one, "src/a.py", ViolationState.GONE) is not None, "gone")
        number = seen.violations[0].id
        assert thread.act(SettleViolation(number, ViolationState.RESTORED)).ok  # and nothing is lost
        assert yard.source.read_bytes() == b"bad\n"


def test_turned_off_nothing_is_watched(yard: Yard) -> None:
    yard.configure("off")
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER)
    thread = SupervisorThread(load(yard.root), state_dir=yard.state, ring=lambda _: True)
    thread.start()
    try:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.does(REVIEWER, "echo bad > src/a.py; echo done > reviews-done")
        until(thread, lambda _: (yard.root / "reviews-done").exists(), "it was written")
        assert not is_ready(thread)
        assert not list(yard.state.glob("*/before"))
        assert thread.snapshot().violations == ()
    finally:
        thread.stop()


def test_the_agent_is_told_that_its_change_was_undone(yard: Yard) -> None:
    yard.configure("quarantine")
    toml = yard.root / "teamops.toml"
    toml.write_text(toml.read_text().replace("auto = false", "auto = true"), encoding="utf-8")
    subprocess.run([*GIT, "commit", "-qam", "pokes"], cwd=yard.root, check=True)
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.tmux("new-session", "-d", "-x", "200", "-c", str(yard.root), "-s", "shop-reviewer", "exec cat")
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.works(REVIEWER)
        until(thread, busy(REVIEWER), "its work")
        yard.source.write_bytes(b"bad\n")  # whoever writes it: the reviewer is the only agent that could have
        undone = ViolationState.QUARANTINED
        seen = until(
            thread,
            lambda one: (it := found(one, "src/a.py", undone)) is not None and "was told" in it.note,
            "undone, and told",
        )
        (violation,) = seen.violations
        assert any("nothing shows that it was not you" in line for line in violation.evidence)
        screen = yard.tmux("capture-pane", "-p", "-J", "-t", "=shop-reviewer:")
        assert (
            "teamops undid a change, which seems to be yours, of src/a.py: "
            f"it is past your role's boundary (violation {violation.id})" in screen
        )


def test_who_is_held_by_the_kernel_is_not_suspected(yard: Yard) -> None:
    assert means().bwrap, means().lacks
    toml = yard.root / "teamops.toml"
    text = toml.read_text().replace('["sh"]', json.dumps([sys.executable, "-c", "import time; time.sleep(600)"]))
    toml.write_text(text + '\n[sandbox]\nmode = "require"\n', encoding="utf-8")
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    done = subprocess.run(
        [sys.executable, "-m", "teamops", "up", "REVIEWER", "-C", str(yard.root), "--state-dir", str(yard.state)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.source.write_bytes(b"by a person: the reviewer can't have written it\n")
        (yard.root / "reviews" / "x.md").write_text("and this it may write")
        # The folder of reviews is its own to write, but git's configuration is nobody's, and held as well.
        yard.begin(CODER)
        until(thread, lambda seen: any(agent.role == CODER and agent.pid for agent in seen.agents), "another agent")
        yard.does(CODER, "exec 3>>src/b.py; echo x >&3")
        seen = until(thread, lambda one: found(one, "src/b.py") is not None, "one of another's")
        assert {one.path: one.roles for one in seen.violations} == {"src/b.py": (CODER,)}


def test_an_agent_s_own_work_tree_is_watched(yard: Yard) -> None:
    own = yard.root.parent / "own"
    subprocess.run([*GIT, "worktree", "add", "-q", str(own)], cwd=yard.root, check=True)
    toml = yard.root / "teamops.toml"
    toml.write_text(toml.read_text() + f'cwd = "{own}"\n', encoding="utf-8")
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.tmux("new-session", "-d", "-c", str(own), "-s", "shop-reviewer", "exec sh")
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.does(REVIEWER, "echo bad > src/a.py")
        until(thread, lambda one: found(one, f"{own}/src/a.py") is not None, "a violation in its own tree")
        assert yard.source.read_bytes() == b"print(1)\n"


def test_what_is_undone_by_rule_is_the_change_that_is_known_and_no_line_of_the_person_s(yard: Yard) -> None:
    yard.configure("quarantine")
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER)
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        with yard.source.open("a") as file:
            file.write("mine\n")
        seen = until(thread, lambda one: (it := found(one, "src/a.py")) is not None and bool(it.note), "told, and left")
        mine = found(seen, "src/a.py")
        assert mine is not None
        assert (mine.note, mine.whose) == ("not undone: it is not sure enough whose change it is", "maybe REVIEWER")
        yard.does(REVIEWER, "exec 3>>src/a.py; echo its >&3")
        undone = ViolationState.QUARANTINED
        seen = until(thread, lambda one: found(one, "src/a.py", undone) is not None, "undone")
        its = found(seen, "src/a.py", undone)
        assert its is not None
        assert (its.added, its.removed, its.whose) == (1, 0, "REVIEWER")
        assert yard.source.read_bytes() == b"print(1)\nmine\n"
        still = found(thread.snapshot(), "src/a.py")
        assert still is not None
        assert still.id == mine.id
        assert thread.act(SettleViolation(its.id, ViolationState.RESTORED)).ok  # and nothing is lost
        assert yard.source.read_bytes() == b"print(1)\nmine\nits\n"


def test_two_changes_between_two_looks_are_told_and_left(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = threading.Event()
    looks.set()
    monkeypatch.setattr(Auditing, "has_room", lambda _: looks.is_set())
    yard.configure("quarantine")
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER)
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        looks.clear()
        with yard.source.open("a") as file:
            file.write("mine\n")
        yard.does(REVIEWER, "exec 3>>src/a.py; echo its >&3; exec 3>&-; exec 3>>src/a.py")
        deadline = time.monotonic() + DEADLINE_S
        while b"its" not in yard.source.read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        looks.set()
        seen = until(thread, lambda one: (it := found(one, "src/a.py")) is not None and bool(it.note), "told, and left")
        both = found(seen, "src/a.py")
        assert both is not None
        assert both.note.endswith("what stood there just before is not known")
        assert (both.whose, both.sure) == ("maybe REVIEWER", False)
        assert yard.source.read_bytes() == b"print(1)\nmine\nits\n"
        why = "what stood there just before is not known"
        until(thread, lambda one: any(why in alert.message for alert in one.alerts), "an alert that says why")


def test_the_person_s_own_command_is_no_agent_s_violation(yard: Yard) -> None:
    append(yard.root / "current.md", block(DIRECTOR, CODER))
    yard.begin(CODER)
    hook = yard.root / ".git" / "hooks" / "pre-commit"
    with yard.supervised() as thread:
        until(thread, lit(CODER), "the light and the agent")
        yard.works(CODER)
        until(thread, busy(CODER), "its work")
        assert "installed" in yard.guard("install-git-hook", "--yes")
        text = hook.read_text()
        yard.does(CODER, "mkdir reviews; echo x > reviews/x.md")  # when this is seen, the hook was looked at
        seen = until(thread, lambda one: found(one, "reviews/x.md") is not None, "another one's folder")
        assert [one.path for one in seen.violations] == ["reviews/x.md"]
        yard.does(CODER, "echo exit 0 >> .git/hooks/pre-commit")
        seen = until(thread, lambda one: found(one, ".git/hooks/pre-commit") is not None, "the agent's own line")
        violation = found(seen, ".git/hooks/pre-commit")
        assert violation is not None
        lines = thread.violation_diff(violation.id)
        assert [line for line in lines if line[:1] in "+-"][2:] == ["+exit 0"]
        assert hook.read_text() == text + "exit 0\n"
        # The same bytes by an agent's hands are no own act.
        hook.unlink()
        words = " ".join(yard.words("install-git-hook", "--yes"))
        yard.does(CODER, f"env -u TEAMOPS_ROLE {words} >said 2>&1; echo over >>said")
        until(thread, lambda _: "over" in read_of(yard.root / "said"), "its try")
        assert "is the person's, and this is the agents' session" in read_of(yard.root / "said")
        assert not hook.exists()


def read_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_what_is_not_sure_is_told_and_left(yard: Yard) -> None:
    yard.configure("quarantine")
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER, CODER)  # the coder could have, too, though it has no light
    with yard.supervised() as thread:
        until(thread, lambda seen: sum(agent.pid is not None for agent in seen.agents) == 2, "both agents")
        until(thread, lit(REVIEWER), "the light")
        yard.source.write_bytes(b"whose?\n")
        seen = until(thread, lambda one: (it := found(one, "src/a.py")) is not None and bool(it.note), "told, and left")
        violation = found(seen, "src/a.py")
        assert violation is not None
        assert violation.note == "not undone: it is not sure enough whose change it is"
        assert yard.source.read_bytes() == b"whose?\n"


def test_many_at_once_are_told_and_left(yard: Yard) -> None:
    yard.configure("quarantine")
    append(yard.root / "current.md", block(DIRECTOR, REVIEWER))
    yard.begin(REVIEWER)
    with yard.supervised() as thread:
        until(thread, lit(REVIEWER), "the light and the agent")
        yard.works(REVIEWER)
        until(thread, busy(REVIEWER), "its work")
        for number in range(60):
            (yard.root / "src" / f"m{number}.py").write_text("x\n")
        seen = until(thread, lambda one: sum(bool(it.note) for it in one.violations) == 60, "all of them")
        left = [one for one in seen.violations if one.state is ViolationState.OPEN]
        assert len(left) > MAX_UNDONE
        assert all("look like a checkout" in one.note for one in left)
        assert all((yard.root / one.path).exists() for one in left)
        until(thread, lambda one: any(f"{len(left) - 1} more" in alert.message for alert in one.alerts), "one alert")
