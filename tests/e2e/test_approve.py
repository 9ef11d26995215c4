"""``teamops approve``, ``append --role HUMAN`` and ``handoff accept`` in a real terminal, as the person types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.handoff import parse
from teamops.handoff.write import render_block
from teamops.ledger.audit import Change, NewBlock
from teamops.ledger.store import open_ledger
from teamops.model.handoff import Block
from teamops.model.protocol import Approval
from teamops.model.role import HUMAN, Role
from teamops.supervisor.lease import state_dir_of
from tests.terminal import Terminal

pytestmark = [pytest.mark.tmux]

TEAMOPS = [sys.executable, "-m", "teamops"]
GATES = "**Gates**: runs=pass (pytest: 9 passed); correct=pass (tried it); complete=pass (docs, tests)"


def block(role: str, minute: int, turn: str, *fields: str, text: str = "#### What I Did\nMy part.\n") -> str:
    head = "\n".join([f"**Status**: {'done' if role != 'REVIEWER' else 'review'}", f"**Turn**: {turn}", *fields])
    return f"### [{role}] 2026-03-28 14:{minute:02}\n\n{head}\n**Tier**: 3\n**Task**: login\n\n{text}\n"


CHAIN = "".join(
    [
        block("DIRECTOR", 0, "REVIEWER", text="#### Design\nTokens expire after an hour.\n"),
        block(
            "REVIEWER", 10, "CODER", "**Verdict**: approved", text="#### Challenges\n1. What does a clock jump do?\n"
        ),
        block("CODER", 20, "REVIEWER", GATES),
        block("REVIEWER", 30, "DIRECTOR", "**Verdict**: approved", text="#### Challenges\n2. `a.py:3` leaks.\n"),
        block(
            "DIRECTOR", 40, "HUMAN", GATES, text="#### Responses\n1. Nothing: monotonic time.\n2. Mended in `a.py`.\n"
        ),
    ]
)


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.handoff = root / "current.md"
        self.state = root / "state"

    def blocks(self) -> tuple[Block, ...]:
        return parse(self.handoff.read_bytes()).blocks

    def approvals(self) -> list[Approval]:
        with closing(open_ledger(state_dir_of(load(self.root), self.state) / "ledger.sqlite3")) as ledger:
            return ledger.audit.approvals()

    def codes(self) -> list[str]:
        done = subprocess.run(
            [*TEAMOPS, "handoff", "lint", "--json", "-C", str(self.root), "--state-dir", str(self.state)],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        return [problem["code"] for problem in json.loads(done.stdout)["problems"]]

    @contextmanager
    def terminal(self, *words: str, env: dict[str, str] | None = None) -> Iterator[Terminal]:
        argv = [sys.executable, "-m", "teamops", *words, "-C", str(self.root), "--state-dir", str(self.state)]
        with Terminal(argv, cols=100, rows=50, env=env) as terminal:
            yield terminal


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "current.md").write_text(CHAIN)
    return Project(tmp_path)


def answer(terminal: Terminal, text: str) -> None:
    terminal.type(text)
    terminal.keys("Enter")


def test_the_whole_chain_is_shown_and_the_typed_name_signs_it(project: Project) -> None:
    with project.terminal("approve", "--note", "Well done.") as terminal:
        terminal.wait_for("Type login to sign off, b to send back, Enter leaves it as it is:", 20)
        shown = terminal.text(history=True)
        for words in (
            "login: tier 3, sign-off",
            "Tokens expire after an hour.",
            "1. What does a clock jump do? (line ",
            "→ Nothing: monotonic time.",
            "→ Mended in `a.py`.",
            "runs      claimed: pass, pytest: 9 passed",
            "never run by teamops",
        ):
            assert words in shown, shown
        answer(terminal, "yes")
        terminal.wait_for('"yes" is neither; nothing was done.\nType login')
        assert project.handoff.read_text() == CHAIN
        answer(terminal, "login")
        assert terminal.wait_end(20) == 0
    last = project.blocks()[-1]
    assert (last.role, last.task, last.turn) == ("HUMAN", "login", "NONE")
    approvals = project.approvals()
    assert [(one.digest, one.verdict, one.note) for one in approvals] == [(last.digest, "signed off", "Well done.")]
    assert project.codes() == []


@pytest.mark.parametrize("key", ["Enter", "C-d", "C-c"])
def test_nothing_is_signed_by_default(project: Project, key: str) -> None:
    with project.terminal("approve", "login") as terminal:
        terminal.wait_for("Type login", 20)
        terminal.keys(key)
        assert terminal.wait_end() == (130 if key == "C-c" else 0)
    assert project.handoff.read_text() == CHAIN
    assert project.approvals() == []


def test_a_task_is_sent_back_with_the_reason(project: Project) -> None:
    with project.terminal("approve") as terminal:
        terminal.wait_for("b to send back", 20)
        answer(terminal, "b")
        terminal.wait_for("Why?")
        answer(terminal, "The totals are wrong; see March")
        assert terminal.wait_end(20) == 0
    last = project.blocks()[-1]
    assert (last.role, last.turn) == ("HUMAN", "DIRECTOR")
    assert "The totals are wrong; see March" in project.handoff.read_text()
    assert [one.verdict for one in project.approvals()] == ["sent back"]
    assert "forged-sign-off" not in project.codes()


def test_back_without_a_reason_leaves_it(project: Project) -> None:
    with project.terminal("approve") as terminal:
        terminal.wait_for("b to send back", 20)
        answer(terminal, "b")
        terminal.wait_for("Why?")
        terminal.keys("Enter")
        assert terminal.wait_end() == 0
    assert project.handoff.read_text() == CHAIN


def test_what_comes_while_the_person_reads_is_not_signed(project: Project) -> None:
    with project.terminal("approve") as terminal:
        terminal.wait_for("Type login", 20)
        more = CHAIN + block("DIRECTOR", 50, "HUMAN", GATES, text="#### What I Did\nOne more thing.\n")
        project.handoff.write_text(more)
        answer(terminal, "login")
        assert terminal.wait_end(20) == 1
    assert project.handoff.read_text() == more
    assert project.approvals() == []


@pytest.mark.parametrize("words", [["approve"], ["approve", "--recorded"], ["handoff", "accept", "--all"]])
def test_without_a_terminal_nobody_signs(project: Project, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "teamops", *words, "-C", str(project.root), "--state-dir", str(project.state)],
        input="login\n",
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "no terminal" in done.stderr
    assert not project.state.exists()


@pytest.mark.parametrize("words", [["approve"], ["approve", "--recorded"], ["handoff", "accept", "--all"]])
def test_an_agent_does_not_sign(project: Project, words: list[str]) -> None:
    with project.terminal(*words, env={"TEAMOPS_ROLE": "DIRECTOR"}) as terminal:
        terminal.wait_for("DIRECTOR's shell")
        assert terminal.wait_end() == 2
    assert project.handoff.read_text() == CHAIN


def test_an_agent_that_hides_its_role_is_known_by_its_session(project: Project) -> None:
    with Terminal(["sh"], cols=160, rows=30, cwd=project.root) as terminal:
        (project.root / "teamops.toml").write_text(
            f'project = "shop"\n[tmux]\nsocket_path = "{terminal.socket}"\n[roles.DIRECTOR]\nsession = "0"\n'
        )
        command = f"{sys.executable} -m teamops approve -C {project.root}"
        answer(terminal, f"env -u TEAMOPS_ROLE -u TMUX {command}; echo left=$?")
        terminal.wait_for(r"""agents' session "0\"""", 20)
        terminal.wait_for("left=2")
    assert project.handoff.read_text() == CHAIN


def test_blocks_of_old_are_recorded_by_the_person(project: Project) -> None:
    old = "".join(
        f"### [HUMAN] 2026-03-28 15:{minute}\n\n**Status**: fine\n**Turn**: HUMAN\n**Tier**: 3\n\nNote {minute}.\n\n"
        for minute in (10, 20, 30)
    )
    project.handoff.write_text(CHAIN + old)
    with project.terminal("approve", "--recorded") as terminal:
        terminal.wait_for("1 of 3: line")
        terminal.wait_for("Note 10.")
        terminal.wait_for("all 3 for this and all that follow")
        terminal.keys("Enter")
        terminal.wait_for("2 of 3: line")
        answer(terminal, "all 3")
        terminal.wait_for("2 of 3 recorded")
        assert terminal.wait_end() == 0
    human = [one.digest for one in project.blocks() if one.role == "HUMAN"]
    approvals = project.approvals()
    assert [(one.digest, one.verdict) for one in approvals] == [(human[1], "recorded"), (human[2], "recorded")]
    assert project.codes().count("forged-sign-off") == 1
    with project.terminal("approve", "login", "--recorded") as terminal:
        terminal.wait_for("HUMAN blocks without a record: 1")
        terminal.wait_for("Type login to record it as yours, Enter leaves it:")
        answer(terminal, "login")
        terminal.wait_for("1 of 1 recorded")
        assert terminal.wait_end() == 0
    assert "forged-sign-off" not in project.codes()


def test_a_person_writes_a_block_of_their_own(project: Project) -> None:
    words = ("append", "--role", "HUMAN", "--task", "login", "--status", "question", "--turn", "DIRECTOR")
    with project.terminal(*words, "--section", "For Director=Why tokens?") as terminal:
        terminal.wait_for("Type login to write this as yours", 20)
        assert "Why tokens?" in terminal.text()
        terminal.keys("Enter")
        assert terminal.wait_end() == 1
    assert project.handoff.read_text() == CHAIN
    with project.terminal(*words, "--section", "For Director=Why tokens?") as terminal:
        terminal.wait_for("Type login to write this as yours", 20)
        answer(terminal, "login")
        terminal.wait_for("DIRECTOR has the light")
        assert terminal.wait_end(20) == 0
    last = project.blocks()[-1]
    assert (last.role, last.turn) == ("HUMAN", "DIRECTOR")
    assert [(one.digest, one.verdict) for one in project.approvals()] == [(last.digest, "block")]
    assert project.codes() == []


def test_the_same_words_twice_are_refused_before_anybody_is_asked(project: Project) -> None:
    """The second block would have the record of the first, and be taken for a forged copy."""
    fields = ("fine", Role("DIRECTOR"), 3)
    now = datetime.now().replace(second=0)  # noqa: DTZ005 - naive by the protocol
    said = [
        render_block(HUMAN, now + timedelta(minutes=more), *fields, task="login", sections=[("Note", "Seen.")])
        for more in range(3)
    ]
    project.handoff.write_text(before := CHAIN + "\n".join(said))
    words = f"append -C {project.root} --state-dir {project.state} --role HUMAN --task login"
    words += " --status fine --turn DIRECTOR --section Note=Seen."
    with Terminal(["sh"], cols=160, rows=30, cwd=project.root) as terminal:
        answer(terminal, f"env -u TMUX {sys.executable} -m teamops {words}; echo left=$?")
        terminal.wait_for("left=1", 20)
        shown = terminal.text()
    assert "the same block stands in line" in shown
    assert "Type login" not in shown
    assert project.handoff.read_text() == before
    assert project.approvals() == []


def rewrite(project: Project) -> str:
    """Change a block that was handed on, as the ledger then knows it; return the file's new text."""
    changed = CHAIN.replace("Tokens expire after an hour.", "Tokens never expire.")
    with closing(open_ledger(state_dir_of(load(project.root), project.state) / "ledger.sqlite3")) as ledger:
        before, after = (_known(text) for text in (CHAIN, changed))
        ledger.audit.add_blocks(before, 1.7e9)
        first = ledger.audit.blocks()[0]
        ledger.audit.change_blocks([Change("rewritten", first.id, after[0])], [one.digest for one in after], 1.7e9 + 60)
    project.handoff.write_text(changed)
    return changed


def _known(text: str) -> list[NewBlock]:
    data = text.encode()
    return [
        NewBlock(
            digest=one.digest,
            role=one.role,
            task=one.task,
            heading=f"[{one.role}]",
            text=data[one.start : one.end].decode(),
        )
        for one in parse(data).blocks
    ]


def test_a_rewrite_is_accepted_after_its_difference_was_seen(project: Project) -> None:
    changed = rewrite(project)
    assert "block-rewritten" in project.codes()
    with project.terminal("handoff", "accept") as terminal:
        terminal.wait_for(r"^1  line 1  block-rewritten", 20)
        assert terminal.wait_end() == 0
    for key in ("n", "yes", ""):
        with project.terminal("handoff", "accept", "1") as terminal:
            terminal.wait_for("Accept it?", 20)
            shown = terminal.text()
            assert "-Tokens expire after an hour." in shown
            assert "+Tokens never expire." in shown
            answer(terminal, key) if key else terminal.keys("Enter")
            terminal.wait_for("0 of 1 accepted")
            assert terminal.wait_end() == 0
    assert "block-rewritten" in project.codes()
    with project.terminal("handoff", "accept", "--all") as terminal:
        terminal.wait_for("Accept it?", 20)
        answer(terminal, "y")
        terminal.wait_for("1 of 1 accepted", 20)
        assert terminal.wait_end() == 0
    assert "block-rewritten" not in project.codes()
    assert project.handoff.read_text() == changed
    with project.terminal("handoff", "accept", "1") as terminal:
        terminal.wait_for("no change 1 waits", 20)
        assert terminal.wait_end() == 2
