"""The audit trail: what was handed on is recorded, and no change of it goes unseen."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from teamops.domain.proof import Prover
from teamops.handoff.appending import append
from teamops.handoff.document import parse
from teamops.ledger.connection import LedgerError
from teamops.model.alert import AlertState
from teamops.model.handoff import Severity
from teamops.model.protocol import Approval
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE
from teamops.model.snapshot import AcceptTamper
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import GATES, Life, block, long_file, rewrite

FIRST = block(DIRECTOR, CODER, status="done", text="Designed it: three parts.")
SECOND = block(CODER, DIRECTOR, status="done", gates=GATES, text="Built it.", minute=5)
THIRD = block(DIRECTOR, DIRECTOR, text="Looking at it.", minute=9)


def recorded(life: Life) -> list[str]:
    return [str(known.role) for known in life.ledger.audit.blocks()]


def tampers(life: Life) -> list[tuple[str, str]]:
    return [(tamper.kind, tamper.accepted) for tamper in life.ledger.audit.tampers()]


async def test_a_block_is_recorded_once_another_follows_it(begin: Begin) -> None:
    life = await begin()
    came = life.wall
    await life.append(FIRST)
    assert recorded(life) == []
    await life.append(SECOND)
    (known,) = life.ledger.audit.blocks()
    assert (known.role, known.task, known.adopted) == (DIRECTOR, "login", False)
    assert known.heading == "### [DIRECTOR] 2026-03-28 14:00"
    assert known.wall == pytest.approx(came, abs=1), "when it came, not when the next one did"
    assert life.ledger.audit.block_text(known.id) == FIRST.strip()


async def test_or_when_it_has_stood_for_a_minute(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST)
    await life.ticks(50)
    assert recorded(life) == []
    await life.ticks(15)
    assert recorded(life) == ["DIRECTOR"]
    await life.ticks(10)
    await life.append(SECOND)
    assert recorded(life) == ["DIRECTOR"]


async def test_a_block_that_still_grows_is_not_handed_on_yet(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST)
    await life.ticks(40)
    rewrite(life, "three parts", "four parts")
    await life.seen()
    await life.ticks(40)
    assert recorded(life) == []
    assert tampers(life) == []


async def test_a_file_seen_for_the_first_time_is_adopted(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for text in (FIRST, SECOND, THIRD):
        append(tmp_path / "p" / "current.md", text)
    life = await begin()
    assert [(known.role, known.adopted) for known in life.ledger.audit.blocks()] == [
        (DIRECTOR, True),
        (CODER, True),
        (DIRECTOR, True),
    ]
    assert life.core.book.protocol.walls == {}, "nobody knows when they came"
    await life.append(block(DIRECTOR, CODER, status="done", minute=12), block(CODER, DIRECTOR, minute=20))
    assert [known.adopted for known in life.ledger.audit.blocks()] == [True, True, True, False]


async def test_a_long_file_is_adopted_while_everything_goes_on(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    count = 3000
    text = long_file(count)
    (tmp_path / "p" / "current.md").write_text(text, encoding="utf-8")
    life = await begin()
    slowest, last = 0.0, time.perf_counter()
    while len(life.ledger.audit.blocks()) < count:
        await life.core.next_round()
        slowest, last = max(slowest, time.perf_counter() - last), time.perf_counter()
    assert all(known.adopted for known in life.ledger.audit.blocks())
    assert tampers(life) == []
    assert slowest < 1.0, "the loop was held up"
    await life.append(block(DIRECTOR, NONE, task="t1", tier=1))
    await life.until(lambda: not life.core.trail._writing, "all recorded")
    await life.end()
    again = await begin()
    assert (len(again.ledger.audit.blocks()), tampers(again)) == (count, [])


async def test_cut_off_while_it_adopts_it_goes_on_where_it_was(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    count = 1000
    text = long_file(count)
    (tmp_path / "p" / "current.md").write_text(text, encoding="utf-8")
    first = Life(tmp_path / "p")
    first.core.begin_running()
    first.read(age=500)
    await first.until(lambda: len(first.ledger.audit.blocks()) >= 200, "some")
    await first.end()
    second = Life(tmp_path / "p", start=first.wall + 10)
    second.core.begin_running()
    second.read(age=510)
    second.core.say_ready()
    await second.ticks(2)
    await second.until(lambda: len(second.ledger.audit.blocks()) == count, "all")
    assert all(known.adopted for known in second.ledger.audit.blocks())
    await second.end()


async def test_a_rewrite_is_an_alert_with_both_texts_until_the_old_one_is_back(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST, SECOND, THIRD)
    rewrite(life, "three parts", "one part")
    await life.seen()
    (tamper,) = life.ledger.audit.tampers()
    assert tamper.before is not None
    assert (tamper.kind, tamper.before.heading) == ("rewritten", "### [DIRECTOR] 2026-03-28 14:00")
    assert "three parts" in life.ledger.audit.block_text(tamper.before.id)
    assert "one part" in life.ledger.audit.text_of(tamper.after)
    assert life.ledger.audit.walls()[tamper.after] == tamper.before.wall < tamper.wall, (
        "a rewrite makes no block younger"
    )
    assert life.core.book.protocol.walls[tamper.after] == tamper.before.wall
    (alert,) = life.alerts("handoff-rewritten")
    assert (alert.severity, alert.state) == (Severity.WARNING, AlertState.FIRING)
    assert "block-rewritten" in life.codes()
    assert [line for line in life.core.tamper_diff(tamper.id) if line[0] in "-+"] == [
        "--- handed on",
        "+++ in the file now",
        "-Designed it: three parts.",
        "+Designed it: one part.",
    ]
    rewrite(life, "one part", "three parts")
    await life.seen()
    assert tampers(life) == []
    assert not life.alerts("handoff-rewritten")
    assert "block-rewritten" not in life.codes()


async def test_a_rewrite_while_teamops_was_down_is_found_at_the_next_start(begin: Begin) -> None:
    first = await begin()
    await first.append(FIRST, SECOND, THIRD)
    await first.end()
    rewrite(first, "Designed it", "Thought of it")
    second = await begin()
    assert tampers(second) == [("rewritten", "")]
    await second.ticks(2)
    assert second.alerts("handoff-rewritten")
    assert recorded(second) == ["DIRECTOR", "CODER"]


async def test_a_recorded_last_block_may_not_grow_any_more(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST)
    await life.ticks(65)
    with life.handoff.open("a", encoding="utf-8") as file:
        file.write("\nAnd something quite different.\n")
    await life.seen()
    assert tampers(life) == [("rewritten", "")]


async def test_a_block_taken_out_and_one_put_in_between(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST, SECOND, THIRD, block(DIRECTOR, CODER, minute=20))
    await life.write("\n".join((FIRST, THIRD, block(DIRECTOR, CODER, minute=20))))
    await life.ticks(5)
    assert tampers(life) == [("vanished", "")]
    (gone,) = life.ledger.audit.tampers()
    assert all(line[0] == "-" for line in life.core.tamper_diff(gone.id)[3:])
    between = block(HUMAN, DIRECTOR, minute=8)
    await life.write("\n".join((FIRST, between, THIRD, block(DIRECTOR, CODER, minute=20))))
    kinds = sorted(kind for kind, _ in tampers(life))
    assert kinds in (["inserted", "vanished"], ["rewritten", "vanished"])
    await life.write("\n".join((FIRST, SECOND, THIRD, block(DIRECTOR, CODER, minute=20))))
    assert tampers(life) == []
    assert recorded(life) == ["DIRECTOR", "CODER", "DIRECTOR"]


async def test_accepted_it_is_over_and_who_did_it_is_known(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST, SECOND, THIRD)
    rewrite(life, "three parts", "one part")
    await life.seen()
    (tamper,) = life.ledger.audit.tampers()
    outcome = await life.core.wish(AcceptTamper(tamper.id))
    assert outcome.ok, outcome
    assert not (await life.core.wish(AcceptTamper(tamper.id))).ok
    await life.ticks(2)
    assert tampers(life)[0][1] != ""
    assert not life.alerts("handoff-rewritten")
    assert "block-rewritten" not in life.codes()
    assert any("accepted" in line.text for line in life.core.book.log)
    await life.end()
    again = await begin()
    assert len(tampers(again)) == 1
    assert not again.alerts("handoff-rewritten")


async def test_a_file_lost_for_a_moment_is_no_rewrite(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST, SECOND, THIRD)
    text = life.handoff.read_text(encoding="utf-8")
    life.handoff.unlink()
    life.read()
    await life.ticks(10)
    assert tampers(life) == []
    await life.write("")
    assert tampers(life) == [], "an editor may be saving it"
    await life.write(text)
    await life.ticks(10)
    assert tampers(life) == []
    assert not life.alerts("handoff-rewritten")


async def test_a_block_whose_file_is_lost_is_recorded_with_its_text_when_it_is_back(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST)
    text = life.handoff.read_text(encoding="utf-8")
    life.handoff.unlink()
    life.read()
    await life.ticks(70)
    assert recorded(life) == []
    await life.write(text)
    await life.ticks(65)
    (known,) = life.ledger.audit.blocks()
    assert life.ledger.audit.block_text(known.id) == FIRST.strip()


@pytest.mark.parametrize(("old", "new", "kinds"), [("", "", []), ("Built it", "Bought it", [("rewritten", "")])])
async def test_a_file_that_was_away_at_the_start_is_compared_when_it_comes(
    begin: Begin, old: str, new: str, kinds: list[tuple[str, str]]
) -> None:
    first = await begin()
    await first.append(FIRST, SECOND, THIRD)
    await first.end()
    away = first.handoff.rename(first.handoff.with_suffix(".away"))
    second = await begin()
    await second.ticks(5)
    assert tampers(second) == []
    text = away.read_text(encoding="utf-8")
    await second.write(text.replace(old, new))
    assert tampers(second) == kinds


async def test_an_emptied_file_is_one_alert_and_is_well_when_it_is_back(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    count = 2000
    text = long_file(count)
    (tmp_path / "p" / "current.md").write_text(text, encoding="utf-8")
    life = await begin()
    await life.until(lambda: len(life.ledger.audit.blocks()) == count, "adopted")
    await life.write("")
    for _ in range(60):  # what is known of the file is read beside the rounds
        if len(tampers(life)) == count:
            break
        await life.ticks(1)
    await life.ticks(5)
    assert len(tampers(life)) == count
    (alert,) = life.alerts("handoff-rewritten")
    assert f"and {count - 1} more blocks" in alert.message
    await life.append(block(DIRECTOR, CODER, task="new"), block(CODER, DIRECTOR, task="new"))
    assert recorded(life) == ["DIRECTOR"]
    await life.write(text)
    await life.ticks(5)
    assert [kind for kind, _ in tampers(life)] == ["vanished"], "the new block is gone now"
    assert len(recorded(life)) == count


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("empty", [False, True])
async def test_last_blocks_that_were_cut_off_and_are_back_are_mended(
    begin: Begin, tmp_path: Path, restart: bool, empty: bool
) -> None:
    (tmp_path / "p").mkdir()
    text = long_file(12)
    (tmp_path / "p" / "current.md").write_text(text, encoding="utf-8")
    life = await begin()
    whole = life.ledger.audit.blocks()
    await life.write("" if empty else long_file(10))
    await life.ticks(5)
    assert {kind for kind, _ in tampers(life)} == {"vanished"}
    assert life.alerts("handoff-rewritten")
    if restart:
        await life.end()
        life.handoff.write_text(text, encoding="utf-8")
        life = await begin()
    else:
        await life.write(text)
    await life.ticks(70)
    assert tampers(life) == []
    assert not life.alerts("handoff-rewritten")
    assert life.ledger.audit.blocks() == whole, "none is recorded a second time"


@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 1, 3, 2), (3, 0, 1, 2), (1, 2, 3, 0), (3, 2, 1, 0)])
async def test_blocks_that_were_moved_are_told_until_they_are_back(begin: Begin, order: tuple[int, ...]) -> None:
    life = await begin()
    last = block(DIRECTOR, CODER, task="next", minute=20)
    await life.append(FIRST, SECOND, THIRD, last)
    await life.ticks(70)
    parts = (FIRST, SECOND, THIRD, last)
    whole = life.ledger.audit.blocks()
    assert len(whole) == 4
    await life.write("\n".join(parts[number] for number in order))
    await life.ticks(70)
    assert {kind for kind, _ in tampers(life)} == {"vanished", "inserted"}
    await life.seen()
    assert {kind for kind, _ in tampers(life)} == {"vanished", "inserted"}, "as long as they stand so"
    await life.write("\n".join(parts))
    await life.ticks(5)
    assert tampers(life) == []
    assert life.ledger.audit.blocks() == whole
    assert not life.alerts("handoff-rewritten")


async def test_what_one_edit_took_out_is_accepted_together(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    text = long_file(60)
    (tmp_path / "p" / "current.md").write_text(text, encoding="utf-8")
    life = await begin()
    await life.write(block(CODER, DIRECTOR, task="fresh"))
    await life.ticks(6)
    one = life.ledger.audit.tampers()[7]
    assert "one of 60 blocks" in life.core.tamper_diff(one.id)[0]
    outcome = await life.core.wish(AcceptTamper(one.id))
    assert "60 blocks" in outcome.message
    await life.ticks(2)
    assert not life.alerts("handoff-rewritten")


async def test_archived_blocks_are_not_missed(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST, SECOND, THIRD, block(DIRECTOR, NONE, minute=20))
    await life.append(block(DIRECTOR, CODER, task="next"), block(CODER, DIRECTOR, task="next"))
    moved = [known.digest for known in life.ledger.audit.blocks() if known.task == "login"]
    life.ledger.audit.archive(moved, life.wall)
    await life.write("\n".join((block(DIRECTOR, CODER, task="next"), block(CODER, DIRECTOR, task="next"))))
    await life.ticks(3)
    await life.ticks(5)
    assert tampers(life) == []
    assert recorded(life) == ["DIRECTOR"]


NEXT = (block(DIRECTOR, CODER, task="next"), block(CODER, DIRECTOR, task="next"), block(DIRECTOR, CODER, task="next"))


def digests_of(*texts: str) -> list[str]:
    return [one.digest for one in parse("\n".join(texts).encode()).blocks]


@pytest.mark.parametrize("restart", [False, True])
async def test_a_rotation_that_was_killed_before_the_file_was_replaced_tells_nothing(
    begin: Begin, restart: bool
) -> None:
    life = await begin()
    await life.append(FIRST, *NEXT, SECOND)
    life.ledger.audit.archive(digests_of(FIRST), life.wall)
    if restart:
        await life.end()
        life = await begin()
    else:
        rewrite(life, "Built it", "Made it")
        await life.seen()
    await life.ticks(70)
    assert tampers(life) == []
    rewrite(life, FIRST, "")
    await life.seen()
    await life.ticks(5)
    assert tampers(life) == []
    assert recorded(life) == ["DIRECTOR", "CODER", "DIRECTOR", "CODER"]


async def test_a_block_that_is_moved_while_it_is_being_recorded_is_not_missed(begin: Begin) -> None:
    life = await begin()
    await life.append(*NEXT)
    life.ledger.audit.archive(digests_of(FIRST, SECOND), life.wall)
    await life.append(FIRST, SECOND, THIRD)
    await life.ticks(5)
    await life.write("\n".join((*NEXT, THIRD)))
    await life.ticks(70)
    assert tampers(life) == []
    assert recorded(life) == ["DIRECTOR", "CODER", "DIRECTOR", "DIRECTOR"]
    rewrite(life, "Looking at it", "Looked at it")
    await life.seen()
    assert tampers(life) == [("rewritten", "")]


async def test_what_was_put_in_is_over_once_it_is_moved_to_the_archive(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST, *NEXT)
    await life.write("\n".join((FIRST, SECOND, *NEXT)))
    assert tampers(life) == [("inserted", "")]
    life.ledger.audit.archive(digests_of(FIRST, SECOND), life.wall)
    await life.write("\n".join(NEXT))
    await life.ticks(5)
    assert tampers(life) == []
    assert not life.alerts("handoff-rewritten")


async def test_nothing_is_lost_while_the_ledger_cannot_be_written(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = await begin()
    await life.append(FIRST)

    def full(*_: object, **__: object) -> None:
        raise LedgerError("the disk is full", "free disk space")

    with monkeypatch.context() as patch:
        patch.setattr(life.ledger.audit, "_add", full)
        await life.append(SECOND, THIRD)
        await life.ticks(2)
        assert life.alerts("ledger-troubled")
        rewrite(life, "three parts", "one part")
        await life.seen()
        assert tampers(life) == []
    await life.ticks(3)
    await life.ticks(5)
    assert tampers(life) == [("rewritten", "")]
    assert "three parts" in life.ledger.audit.block_text(life.ledger.audit.tampers()[0].before.id)  # type: ignore[union-attr]
    assert recorded(life) == ["DIRECTOR", "CODER"]
    assert not life.alerts("ledger-troubled")


async def test_a_ledger_that_cannot_be_read_is_said_and_nothing_is_forgiven(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = await begin()
    await life.append(FIRST, block(HUMAN, CODER, minute=3))
    await life.ticks(2)
    assert life.alerts("forged-sign-off")

    def broken(*_: object) -> None:
        raise LedgerError("the file is damaged", "move it aside")

    with monkeypatch.context() as patch:
        patch.setattr(life.ledger, "protocol_mark", broken)
        seen = await life.ticks(2)
        (alert,) = life.alerts("ledger-troubled")
        assert "can't be judged" in alert.message
        assert any("can't be judged" in trouble for trouble in seen.troubles)
        assert life.alerts("forged-sign-off")
    await life.ticks(5)
    assert not life.alerts("ledger-troubled")


async def test_a_persons_block_without_a_record_is_critical_at_once(begin: Begin) -> None:
    life = await begin()
    await life.append(FIRST)
    append(life.handoff, block(HUMAN, NONE, status="signed off"))
    life.read()
    await life.core.next_round()
    (alert,) = life.alerts("forged-sign-off")
    assert (alert.severity, alert.state) == (Severity.CRITICAL, AlertState.FIRING)


async def test_one_with_a_record_is_none_not_even_for_a_moment(begin: Begin, tmp_path: Path) -> None:
    life = await begin()
    await life.append(FIRST)
    text = block(HUMAN, CODER, status="go on")
    digest = parse(text.encode()).blocks[0].digest
    from teamops.ledger.store import open_ledger

    other = open_ledger(tmp_path / "p" / "state" / "ledger.sqlite3")
    other.audit.add_approval(
        Approval(task="login", approver="me", wall=1.0, verdict="block", note="", digest=digest, chain="")
    )
    other.close()
    append(life.handoff, text)
    life.read()
    await life.core.next_round()  # no round of the clock: the record is looked for as soon as the block is there
    assert life.core.book.handoff.blocks[-1].role == HUMAN
    assert "forged-sign-off" not in life.codes()
    assert ("forged-sign-off", "login#" + digest) not in life.core.book.alerts


async def test_a_viewer_reads_the_proof_and_writes_nothing(begin: Begin) -> None:
    acting = await begin()
    await acting.append(FIRST, SECOND, THIRD)
    viewer = await begin(acting=False, followed=True)
    rewrite(acting, "three parts", "one part")
    await acting.seen()
    await viewer.seen()
    assert "block-rewritten" in viewer.codes()
    assert len(tampers(viewer)) == 1
    assert viewer.snapshots[-1].findings == acting.snapshots[-1].findings
    assert viewer.snapshots[-1].findings[0].tamper == viewer.ledger.audit.tampers()[0].id


async def test_nothing_is_judged_anew_while_nothing_changes(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    life = await begin()
    await life.append(FIRST, SECOND, THIRD)
    await life.ticks(2)

    def again(*_: object) -> None:
        raise AssertionError("judged anew")

    monkeypatch.setattr(Prover, "after", again)
    monkeypatch.setattr(life.ledger.audit, "approvals", again)
    monkeypatch.setattr(life.ledger.audit, "blocks", again)
    seen = await life.ticks(3)
    before = {stage.stage: stage.seconds for stage in life.snapshots[-4].lights[0].stages}
    after = {stage.stage: stage.seconds for stage in seen.lights[0].stages if stage.current}
    assert after
    assert all(seconds > before[stage] for stage, seconds in after.items()), "the present stage still grows"
