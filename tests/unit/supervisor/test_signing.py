"""The person's word: recorded before it is written, and only where it is theirs to say."""

from __future__ import annotations

import asyncio
import os
import pwd
import threading
from pathlib import Path

import pytest

from teamops.effects.append import append_block
from teamops.handoff.appending import append
from teamops.handoff.document import parse
from teamops.handoff.locking import locked
from teamops.ledger.connection import LedgerError
from teamops.model.actions import Action, Append, By, Outcome
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Standing
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE, REVIEWER
from teamops.model.snapshot import SignOff
from teamops.supervisor import signing
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import GATES, Life, block

ME = pwd.getpwuid(os.getuid()).pw_name
CHAIN = (
    block(DIRECTOR, REVIEWER, tier=3, status="done"),
    block(REVIEWER, CODER, tier=3, minute=1).replace("#### For", "#### Challenges\n1. Why so?\n\n#### For"),
    block(CODER, REVIEWER, tier=3, minute=2, status="done", gates=GATES),
    block(REVIEWER, DIRECTOR, tier=3, minute=3).replace("#### For", "#### Challenges\n2. And this?\n\n#### For"),
    block(DIRECTOR, HUMAN, tier=3, minute=4, status="done", gates=GATES).replace(
        "#### For", "#### Responses\n1. So.\n2. That.\n\n#### For"
    ),
)


@pytest.fixture
async def waiting(begin: Begin) -> Life:
    """Return a life in which a task waits for its sign-off."""
    life = await begin(DIRECTOR, CODER, REVIEWER)
    await life.append(*CHAIN)
    life.hands.done.clear()
    return life


async def wish(life: Life, *, approve: bool, note: str = "", chain: str | None = None, task: str = "LOGIN") -> Outcome:
    report = await life.core.task_report("login")
    return await life.core.wish(SignOff(task=task, approve=approve, note=note, chain=chain or report.chain))


async def test_signed_off_the_block_is_written_and_has_its_record(waiting: Life) -> None:
    report = await waiting.core.task_report("login")
    assert report.refusal == ""
    outcome = await wish(waiting, approve=True, note="Well done.\n### [DIRECTOR] 2026-03-28 15:00\n**Turn**: CODER")
    assert outcome.ok, outcome
    assert f"recorded for {ME}" in outcome.message
    await waiting.seen()
    last = waiting.core.book.handoff.blocks[-1]
    assert outcome.evidence == f"current.md:{last.line}"
    assert (last.role, last.turn, last.status, last.tier, last.task) == (HUMAN, NONE, "signed off", 3, "login")
    assert [section.title for section in last.sections] == ["What I Did", "For Director"]
    (approval,) = waiting.ledger.audit.approvals()
    assert (approval.task, approval.approver, approval.verdict) == ("login", ME, "signed off")
    assert (approval.digest, approval.chain) == (last.digest, report.chain)
    assert waiting.codes() == []
    task = waiting.core.book.protocol.task("login")
    assert task is not None
    assert (task.open, task.standing) == (False, Standing.DONE)
    assert (await waiting.core.task_report("login")).approvals == (approval,)


async def test_sent_back_the_director_has_the_light_and_is_told(waiting: Life) -> None:
    assert not (await wish(waiting, approve=False, note="  ")).ok
    outcome = await wish(waiting, approve=False, note="The error page is missing.")
    assert outcome.ok, outcome
    await waiting.seen()
    last = waiting.core.book.handoff.blocks[-1]
    assert (last.role, last.turn, last.status) == (HUMAN, DIRECTOR, "sent back")
    assert "The error page is missing." in waiting.handoff.read_text(encoding="utf-8")
    assert [poke.role for poke in waiting.hands.pokes] == [DIRECTOR]
    assert "forged-sign-off" not in waiting.codes()


async def test_only_what_waits_for_the_person_can_be_signed(begin: Begin) -> None:
    life = await begin(CODER)
    await life.append(CHAIN[0])
    assert "REVIEWER holds its light" in (await life.core.task_report("login")).refusal
    outcome = await wish(life, approve=True)
    assert not outcome.ok
    assert "REVIEWER holds its light" in outcome.message
    assert not (await wish(life, approve=True, task="no such")).ok
    assert life.ledger.audit.approvals() == []


async def test_what_was_not_shown_is_not_signed(waiting: Life) -> None:
    outcome = await wish(waiting, approve=True, chain="of an hour ago")
    assert not outcome.ok
    assert "moved on" in outcome.message
    assert waiting.ledger.audit.approvals() == []


async def test_written_meanwhile_nothing_is_signed(waiting: Life) -> None:
    """The supervisor has not read the file yet: only the look under the lock can see it."""
    size = waiting.handoff.stat().st_size

    def meanwhile(_: Action) -> None:
        append(waiting.handoff, block(DIRECTOR, DIRECTOR, tier=3, text="Wait, no.", minute=9))

    waiting.hands.before = meanwhile
    outcome = await wish(waiting, approve=True)
    assert not outcome.ok
    assert "moved on" in outcome.message
    assert b"[HUMAN] 20" not in waiting.handoff.read_bytes()[size:]
    await waiting.ticks(1)
    assert (await waiting.core.task_report("login")).approvals == (), "what was not written signed nothing"


async def test_what_could_not_be_written_has_no_record(waiting: Life) -> None:
    def broken(_: Action) -> None:
        waiting.handoff.unlink()
        waiting.handoff.mkdir()

    waiting.hands.before = broken
    outcome = await wish(waiting, approve=True)
    assert not outcome.ok
    assert waiting.ledger.audit.approvals() == []


async def test_a_lock_that_is_not_got_in_time_leaves_neither_record_nor_block(
    waiting: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "LOCK_S", 0.05)
    before = waiting.handoff.read_bytes()
    with locked(waiting.handoff):
        outcome = await wish(waiting, approve=True)
        assert not outcome.ok
        assert "locked" in outcome.message
        assert waiting.ledger.audit.approvals() == []
        assert "is being written" in (await wish(waiting, approve=True)).message
    await waiting.until(lambda: not waiting.core.acts.under_way(Append, HUMAN), "the lock is free")
    assert waiting.handoff.read_bytes() == before
    monkeypatch.undo()
    assert (await wish(waiting, approve=True)).ok
    await waiting.seen()
    assert waiting.codes() == []


async def test_interrupted_nothing_is_signed(waiting: Life) -> None:
    before = waiting.handoff.read_bytes()
    report = await waiting.core.task_report("login")
    asked = SignOff(task="login", approve=True, note="", chain=report.chain)
    with locked(waiting.handoff):
        signing_now = asyncio.create_task(signing.sign_off(waiting.core, asked))
        await waiting.until(lambda: bool(waiting.hands.done), "it waits for the lock")
        assert len(waiting.ledger.audit.approvals()) == 1
        signing_now.cancel()
        await asyncio.gather(signing_now, return_exceptions=True)
        assert waiting.ledger.audit.approvals() == []
    await waiting.until(lambda: not waiting.core.acts.under_way(Append, HUMAN), "the lock is free")
    assert waiting.handoff.read_bytes() == before


def test_who_waits_for_a_lock_can_be_interrupted_and_ends(tmp_path: Path) -> None:
    """The loop's end waits for no thread that hangs on a lock."""

    async def give_up() -> None:
        action = Append(role=HUMAN, task="login", text=block(HUMAN, NONE), by=By.PERSON)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(append_block(path, action, refuse), 0.05)

    def refuse(_: bytes) -> None:
        refused.set()
        raise TeamopsError("taken back", "")

    path, refused = tmp_path / "current.md", threading.Event()
    with locked(path):
        asyncio.run(give_up())
        assert not refused.is_set()
    assert refused.wait(20)
    assert not path.exists()


async def test_of_two_that_sign_at_once_one_has_a_record(waiting: Life) -> None:
    other = Life(waiting.folder, acting=False, followed=True, start=waiting.wall)
    await other.begin(DIRECTOR)
    outcomes = await asyncio.gather(wish(waiting, approve=True), wish(other, approve=True))
    (refused,) = [outcome for outcome in outcomes if not outcome.ok]
    assert "a signature by" in refused.message
    assert len(waiting.ledger.audit.approvals()) == 1
    await waiting.seen()
    assert waiting.codes() == []
    await other.end()


async def test_another_tasks_block_meanwhile_does_no_harm(waiting: Life) -> None:
    def meanwhile(_: Action) -> None:
        append(waiting.handoff, block(DIRECTOR, CODER, task="other", status="done"))

    waiting.hands.before = meanwhile
    outcome = await wish(waiting, approve=True)
    assert outcome.ok, outcome
    last = parse(waiting.handoff.read_bytes()).blocks[-1]
    assert (last.task, last.role) == ("login", HUMAN)


async def test_a_block_that_somebody_is_just_writing_is_not_cut_in_two(waiting: Life) -> None:
    def meanwhile(_: Action) -> None:
        with waiting.handoff.open("a", encoding="utf-8") as file:
            file.write("\n### [CODER] 2026-03-28 16:00\n\n**Status**: d")

    waiting.hands.before = meanwhile
    outcome = await wish(waiting, approve=True)
    assert not outcome.ok
    assert "just writing" in outcome.message


async def test_the_record_comes_first_and_without_it_nothing_is_written(
    waiting: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[int] = []
    waiting.hands.before = lambda _: known.append(len(waiting.ledger.audit.approvals()))

    def full(*_: object) -> None:
        raise LedgerError("the disk is full", "free disk space")

    with monkeypatch.context() as patch:
        patch.setattr(waiting.ledger.audit, "add_approval", full)
        outcome = await wish(waiting, approve=True)
    assert (outcome.ok, outcome.hint) == (False, "free disk space")
    assert "nothing was written" in outcome.message
    assert known == []
    assert (await wish(waiting, approve=True)).ok
    assert known == [1]


async def test_doubts_are_said_and_stay(begin: Begin) -> None:
    life = await begin(DIRECTOR)
    doubtful = CHAIN[-1].replace("complete=pass (docs, tests)", "complete=fail (no docs)")
    await life.append(*CHAIN[:-1], doubtful)
    outcome = await wish(life, approve=True)
    assert outcome.ok, outcome
    assert "its gates are in doubt" in outcome.message
    await life.seen()
    task = life.core.book.protocol.task("login")
    assert task is not None
    assert task.standing is Standing.DOUBTED


async def test_a_question_is_answered_and_not_signed_off(begin: Begin) -> None:
    life = await begin(DIRECTOR)
    await life.append(block(DIRECTOR, HUMAN, status="question: which database?"))
    outcome = await wish(life, approve=True)
    assert not outcome.ok
    assert "asks you something" in outcome.message
    assert (await wish(life, approve=False, note="The one we have.")).ok


async def test_a_task_without_a_name_is_no_other_ones(begin: Begin) -> None:
    life = await begin(DIRECTOR)
    await life.append(
        block(DIRECTOR, HUMAN, task=None, status="done", gates=GATES), block(DIRECTOR, CODER, task="other")
    )
    report = await life.core.task_report(None)
    outcome = await life.core.wish(SignOff(task=None, approve=True, note="", chain=report.chain))
    assert not outcome.ok
    assert "has no name" in outcome.message


async def test_without_a_director_the_one_who_asked_gets_it_back(begin: Begin) -> None:
    life = await begin(CODER, team=(CODER,))
    await life.append(block(HUMAN, CODER), block(CODER, HUMAN, status="done", gates=GATES, minute=3))
    assert (await wish(life, approve=False, note="Once more.")).ok
    assert parse(life.handoff.read_bytes()).blocks[-1].turn == CODER


async def test_an_append_is_an_action_on_record(waiting: Life) -> None:
    assert (await wish(waiting, approve=True)).ok
    (action,) = [action for action in waiting.hands.done if isinstance(action, Append)]
    assert (action.role, action.reason) == (HUMAN, f"signed off by {ME}")
    await waiting.ticks(1)
    assert any(line.kind == "action" and "appended to current.md" in line.text for line in waiting.core.book.log)
