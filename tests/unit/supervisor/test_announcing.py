"""Handed on means announced: once, to the right one, whatever comes in between."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from teamops.handoff.appending import append
from teamops.ledger.connection import LedgerError
from teamops.model.actions import Action, By, Outcome, Poke
from teamops.model.agent import Beat
from teamops.model.alert import AlertState
from teamops.model.events import BeatsSeen, OutputSeen, Ticked
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE, REVIEWER, Role
from teamops.model.tail import Position
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import GATES, Life, block, rewrite

OPENING = block(DIRECTOR, DIRECTOR, task="old", tier=1)
TO_CODER = block(DIRECTOR, CODER, status="done")


@pytest.fixture
def handoff(tmp_path: Path) -> Path:
    (tmp_path / "p").mkdir()
    path = tmp_path / "p" / "current.md"
    append(path, OPENING)
    return path


def works(life: Life, role: Role, *, age: float = 0.0) -> None:
    """Let ``role`` show a sign of work."""
    beat = Beat(role=role, wall=life.wall - age, tokens=5)
    life.core.emit(BeatsSeen(life.clock.stamp(), (beat,), Position("spool", 1, 1, int(life.wall))))


async def test_the_next_agent_gets_one_line_that_names_file_block_and_section(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER)
    await life.ticks(3)
    (poke,) = life.hands.pokes
    light = life.core.book.lights["login"]
    section = light.line + 10
    assert poke.text == (
        f'It is your turn on "login" (implement, tier 2): read current.md from line {light.line}'
        f' (section "For Coder", line {section}), do it, and hand on with your block.'
    )
    assert (poke.role, poke.by, poke.reason) == (CODER, By.RULE, f"light login#{light.digest}")
    assert life.ledger.audit.announced("LOGIN", light.digest, CODER) == "poked"
    assert not life.alerts("handoff-unannounced")


async def test_the_same_light_pokes_nobody_twice_after_a_restart(begin: Begin, handoff: Path) -> None:
    first = await begin(CODER)
    await first.append(TO_CODER)
    assert len(first.hands.pokes) == 1
    await first.end()
    second = await begin(CODER)
    await second.ticks(3)
    assert second.hands.pokes == []
    assert not second.alerts("handoff-unannounced")


async def test_a_light_that_stood_when_teamops_came_is_old_news(begin: Begin, handoff: Path) -> None:
    append(handoff, TO_CODER)
    life = await begin(CODER)
    await life.ticks(3)
    assert life.hands.pokes == []
    light = life.core.book.lights["login"]
    assert life.ledger.audit.announced("login", light.digest, CODER) == "adopted"


async def test_a_light_that_moved_while_teamops_was_down_is_announced_at_its_return(
    begin: Begin, handoff: Path
) -> None:
    first = await begin(CODER)
    await first.end()
    append(handoff, TO_CODER)
    second = await begin(CODER)
    assert [poke.role for poke in second.hands.pokes] == [CODER]


async def test_one_that_was_answered_meanwhile_is_not(begin: Begin, handoff: Path) -> None:
    first = await begin(CODER)
    await first.end()
    append(handoff, TO_CODER)
    life = Life(first.folder, start=first.wall + 60)
    life.core.begin_running()
    life.panes(CODER)
    life.read(age=50.0)
    works(life, CODER, age=10.0)
    life.core.say_ready()
    await life.ticks(3)
    light = life.core.book.lights["login"]
    assert life.hands.pokes == []
    assert life.ledger.audit.announced("login", light.digest, CODER) == "answered"
    await life.end()


async def test_what_a_pane_prints_is_no_answer_to_a_light_that_nobody_told(begin: Begin, handoff: Path) -> None:
    first = await begin(CODER)
    await first.end()
    append(handoff, TO_CODER)
    life = Life(first.folder, start=first.wall + 60, client="command")
    life.hands.answer = Outcome(ok=False, message="its pane is in copy mode", hint="leave it")
    life.core.begin_running()
    life.panes(CODER)
    life.read(age=50.0)
    life.core.emit(OutputSeen(life.clock.stamp(), CODER))
    life.core.say_ready()
    for _ in range(4):
        await life.ticks(1)
        life.core.emit(OutputSeen(life.clock.stamp(), CODER))
    assert len(life.hands.pokes) == 1
    (alert,) = life.alerts("handoff-unannounced")
    assert "copy mode" in alert.message
    await life.end()


@pytest.mark.parametrize("left", [3, 4], ids=["half of it gone", "the end gone"])
async def test_a_file_that_has_lost_its_end_for_a_moment_tells_nobody_of_old_lights(
    begin: Begin, handoff: Path, left: int
) -> None:
    for minute, turn in enumerate((DIRECTOR, CODER, CODER, DIRECTOR, REVIEWER)):
        append(handoff, block(DIRECTOR, turn, status="done", minute=minute, text=f"Part {minute}."))
    append(handoff, block(DIRECTOR, NONE, task="another", tier=1, minute=9))
    life = await begin(CODER, REVIEWER, DIRECTOR)
    whole = handoff.read_bytes()  # noqa: ASYNC240 - a test
    cut = whole.split(b"### [DIRECTOR]")[: left + 1]
    await life.write(b"### [DIRECTOR]".join(cut).decode())
    await life.ticks(1)
    await life.write(whole.decode())
    await life.ticks(3)
    assert life.hands.pokes == []
    assert not life.alerts("handoff-unannounced")
    await life.append(block(REVIEWER, CODER, status="done", minute=20))
    await life.ticks(3)
    assert [poke.role for poke in life.hands.pokes] == [CODER]


@pytest.mark.parametrize("there", [False, True], ids=["no file", "an empty file"])
async def test_the_first_block_of_a_project_is_news_in_the_next_life_too(
    begin: Begin, handoff: Path, *, there: bool
) -> None:
    if there:
        handoff.write_bytes(b"")  # noqa: ASYNC240 - a test
    else:
        handoff.unlink()  # noqa: ASYNC240 - a test
    first = await begin(CODER)
    await first.end()
    append(handoff, TO_CODER)
    second = await begin()
    await second.ticks(2)
    assert second.alerts("handoff-unannounced"), "it has no session"
    assert not any(known.adopted for known in second.ledger.audit.blocks())
    await second.end()
    third = await begin(CODER)
    await third.ticks(2)
    assert [poke.role for poke in third.hands.pokes] == [CODER]


async def test_who_takes_the_light_for_itself_is_told_nothing(begin: Begin, handoff: Path) -> None:
    life = await begin(DIRECTOR, CODER)
    await life.append(block(DIRECTOR, DIRECTOR))
    await life.append(block(DIRECTOR, CODER, status="done"), block(CODER, CODER, minute=1))
    await life.ticks(2)
    assert [poke.role for poke in life.hands.pokes] == [CODER]


async def test_a_block_that_is_still_written_announces_nothing(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    await life.append("### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: done\n")
    with handoff.open("a", encoding="utf-8") as file:
        file.write("**Task**: login\n**Tier**: 2\n**Turn**: COD")
    await life.seen()
    assert life.hands.pokes == []
    with handoff.open("a", encoding="utf-8") as file:
        file.write("ER\n")
    await life.seen()
    assert [poke.role for poke in life.hands.pokes] == [CODER]


async def test_a_block_that_grows_is_the_same_light(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER)
    with handoff.open("a", encoding="utf-8") as file:
        file.write("\nAnd one thing more.\n")
    await life.seen()
    await life.ticks(2)
    assert len(life.hands.pokes) == 1
    light = life.core.book.lights["login"]
    (poke,) = life.hands.pokes
    assert life.ledger.audit.announced("login", light.digest, CODER) == f"poked as {poke.reason.partition('#')[2]}"
    await life.end()
    again = await begin(CODER)
    await again.ticks(2)
    assert again.hands.pokes == []
    assert not again.alerts("handoff-unannounced"), "its line was typed before it grew"


async def test_a_refused_line_is_said_of_the_block_that_has_grown_too(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    life.hands.answer = Outcome(ok=False, message="a dialog is open", hint="attach")
    life.hands.in_the_way = "a dialog is open"
    await life.append(TO_CODER)
    await life.ticks(2)
    assert life.alerts("handoff-unannounced")
    for more in ("And one thing more.", "And another one."):
        with handoff.open("a", encoding="utf-8") as file:
            file.write(f"\n{more}\n")
        await life.seen()
        await life.ticks(2)
        (alert,) = life.alerts("handoff-unannounced")
        assert "a dialog is open" in alert.message
    await life.append(block(CODER, CODER, minute=5))
    await life.ticks(2)
    assert not life.alerts("handoff-unannounced"), "it has taken it up"
    assert len(life.hands.pokes) == 1


async def test_a_light_whose_line_was_typed_is_told_whatever_its_block_is_rewritten_to(
    begin: Begin, handoff: Path
) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER, block(DIRECTOR, DIRECTOR, task="other"))
    for old, new in (("Go on.", "Go."), ("Go.", "Do.")):
        rewrite(life, old, new)
        await life.seen()
        await life.ticks(2)
        assert not life.alerts("handoff-unannounced")
    await life.end()
    again = await begin(CODER)
    await again.ticks(2)
    assert not again.alerts("handoff-unannounced")
    assert (len(life.hands.pokes), again.hands.pokes) == (1, [])


async def test_a_block_rewritten_while_teamops_was_down_is_the_same_light(begin: Begin, handoff: Path) -> None:
    first = await begin(CODER)
    await first.append(TO_CODER, block(DIRECTOR, DIRECTOR, task="other"))
    assert len(first.hands.pokes) == 1
    await first.end()
    rewrite(first, "Go on.", "Go.")
    second = await begin(CODER)
    await second.ticks(3)
    assert [tamper.kind for tamper in second.ledger.audit.tampers()] == ["rewritten"] * 2
    assert second.hands.pokes == []


@pytest.mark.parametrize("kind", [{"auto_poke": False}, {"off": CODER}], ids=["team", "role"])
async def test_the_switches(begin: Begin, handoff: Path, kind: dict[str, object]) -> None:
    life = await begin(CODER, REVIEWER, **kind)
    await life.append(TO_CODER, block(DIRECTOR, REVIEWER, task="other", tier=3))
    await life.ticks(2)
    assert [poke.role for poke in life.hands.pokes] == ([] if "auto_poke" in kind else [REVIEWER])
    light = life.core.book.lights["login"]
    assert life.ledger.audit.announced("login", light.digest, CODER) == "off"
    assert not life.alerts("handoff-unannounced")


async def test_a_role_that_is_not_managed_is_recorded_and_left_alone(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    await life.append(block(DIRECTOR, Role("PARTNER")))
    light = life.core.book.lights["login"]
    assert life.ledger.audit.announced("login", light.digest, light.role) == "no session"
    assert life.hands.pokes == []


async def test_without_a_session_it_is_said_and_made_up_for_when_one_comes(begin: Begin, handoff: Path) -> None:
    life = await begin()
    await life.append(TO_CODER)
    await life.ticks(2)
    (alert,) = life.alerts("handoff-unannounced")
    assert 'it has no session "shop-coder"' in alert.message
    assert any("not told of its light" in line.text for line in life.core.book.log)
    life.panes(CODER)
    await life.ticks(2)
    assert life.hands.pokes == [], "it has just begun"
    await life.ticks(40)
    assert [poke.role for poke in life.hands.pokes] == [CODER]
    await life.ticks(2)
    assert not life.alerts("handoff-unannounced")


async def test_a_session_that_comes_and_works_by_itself_is_not_disturbed(begin: Begin, handoff: Path) -> None:
    life = await begin()
    await life.append(TO_CODER)
    life.panes(CODER)
    await life.ticks(5)
    works(life, CODER)
    await life.ticks(40)
    assert life.hands.pokes == []


async def test_a_refused_line_is_said_as_long_as_nobody_answers(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    life.hands.answer = Outcome(ok=False, message="a dialog is open: any text would answer it", hint="attach")
    life.hands.in_the_way = "a dialog is open"
    await life.append(TO_CODER)
    await life.ticks(2)
    (alert,) = life.alerts("handoff-unannounced")
    assert "a dialog is open" in alert.message
    assert len(life.hands.pokes) == 1, "not again while the dialog is open"
    works(life, CODER)
    await life.ticks(2)
    assert not life.alerts("handoff-unannounced")


async def test_a_persons_own_poke_makes_up_for_it(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    life.hands.answer = Outcome(ok=False, message="someone is typing there")
    await life.append(TO_CODER)
    await life.ticks(2)
    assert life.alerts("handoff-unannounced")
    life.hands.answer = Outcome(ok=True, message="typed and submitted")
    await life.core.acts.begin(Poke(role=CODER, text="go on", by=By.PERSON))
    await life.ticks(2)
    assert not life.alerts("handoff-unannounced")


async def test_a_defect_in_what_is_done_is_told_to_who_waits_and_the_next_is_done(begin: Begin) -> None:
    life = await begin(CODER)

    def broken(_: Action) -> None:
        raise RuntimeError("a defect")

    life.hands.before = broken
    outcome = await life.core.acts.begin(Poke(role=CODER, text="go on", by=By.PERSON))
    assert (outcome.ok, outcome.touched, outcome.message) == (False, True, "a defect of teamops: RuntimeError")
    life.hands.before = lambda _: None
    assert (await life.core.acts.begin(Poke(role=CODER, text="go on", by=By.PERSON))).ok


async def test_killed_between_claim_and_line_it_is_said_and_typed_later(
    begin: Begin, handoff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await begin(CODER)

    def die(action: Action) -> None:
        raise RuntimeError(f"killed before {action}")

    monkeypatch.setattr(first.core.acts, "begin", die)
    append(handoff, TO_CODER)
    first.read()
    with pytest.raises(RuntimeError, match="killed before"):
        await first.core.running
    first.ledger.close()
    second = await begin(CODER)
    await second.ticks(2)
    assert second.hands.pokes == []
    (alert,) = second.alerts("handoff-unannounced")
    assert "ended before its line was typed" in alert.message
    await second.append(block(DIRECTOR, CODER, task="other", status="done"))
    (poke,) = second.hands.pokes
    assert '"other"' in poke.text
    assert second.alerts("handoff-unannounced"), "what another task's line says tells nothing of this one"
    works(second, CODER)
    await second.ticks(10)
    assert not [poke for poke in second.hands.pokes if '"login"' in poke.text], "it works on the other one"
    beat = Beat(role=CODER, wall=second.wall, status="idle")
    second.core.emit(BeatsSeen(second.clock.stamp(), (beat,), Position("spool", 1, 1, int(second.wall))))
    await second.ticks(2)
    (poke,) = [poke for poke in second.hands.pokes if '"login"' in poke.text]
    await second.ticks(2)
    assert not second.alerts("handoff-unannounced")
    assert second.ledger.audit.announced("login", second.core.book.lights["login"].digest, CODER) == "poked"


async def test_of_two_that_announce_one_does(begin: Begin, handoff: Path) -> None:
    acting = await begin(CODER)
    other = Life(acting.folder, acting=False, followed=True, start=acting.wall)
    other.core.begin_running()
    append(handoff, TO_CODER)
    other.panes(CODER)
    other.read()
    other.core.say_ready()
    await other.core.next_round()
    outcome = await other.core.announce("LOGIN")
    assert outcome is not None
    assert outcome.ok
    await acting.seen()
    assert await other.core.announce("login") is None
    assert (len(acting.hands.pokes), len(other.hands.pokes)) == (0, 1)
    await other.end()


async def test_announced_at_once_says_why_nobody_was_told(begin: Begin, handoff: Path) -> None:
    life = await begin()
    await life.append(TO_CODER)
    outcome = await life.core.announce("login")
    assert outcome is not None
    assert not outcome.ok
    assert "no session" in outcome.message
    assert await life.core.announce("no such task") is None


async def test_announced_at_once_is_what_stands_in_the_file_now(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, acting=False)
    append(handoff, TO_CODER)
    asked = asyncio.create_task(life.core.announce("login"))
    await asyncio.sleep(0)
    life.read()
    outcome = await asked
    assert outcome is not None
    assert outcome.ok
    assert [poke.role for poke in life.hands.pokes] == [CODER]


async def test_without_a_ledger_to_claim_in_nobody_is_poked(
    begin: Begin, handoff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = await begin(CODER)

    def full(*_: object) -> bool:
        raise LedgerError("the disk is full", "free disk space")

    with monkeypatch.context() as patch:
        patch.setattr(life.ledger.audit, "announce", full)
        await life.append(TO_CODER)
        await life.ticks(2)
        assert life.hands.pokes == []
        assert life.alerts("handoff-unannounced")
    await life.ticks(2)
    assert [poke.role for poke in life.hands.pokes] == [CODER]


async def test_a_persons_light_is_told_once_over_restarts(begin: Begin, handoff: Path) -> None:
    first = await begin(CODER)
    await first.append(block(DIRECTOR, HUMAN))
    await first.ticks(5)
    await first.until(lambda: len(first.told("human-turn")) == 1, "the person is told")
    await first.end()
    second = await begin(CODER)
    await second.ticks(60)
    (alert,) = second.alerts("human-turn")
    assert alert.state is AlertState.FIRING
    assert (second.hands.done, second.heard) == ([], [])
    light = second.core.book.lights["login"]
    assert second.ledger.audit.announced("login", light.digest, HUMAN) == "human"
    await second.append(block(HUMAN, NONE, gates=GATES))
    assert not second.alerts("human-turn")


async def test_after_a_gap_the_world_is_looked_at_first(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    append(handoff, TO_CODER)
    life.read()
    life.now += 600
    life.wall += 600
    life.core.emit(Ticked(life.clock.stamp(), 599.0))
    await life.core.next_round()
    assert life.hands.pokes == []
    await life.ticks(2)
    assert len(life.hands.pokes) == 1


async def test_two_lights_for_one_agent_are_typed_one_after_the_other(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER, block(DIRECTOR, CODER, task="second", status="done"))
    await life.ticks(3)
    assert len(life.hands.pokes) == 1, "the first one is not known to be taken"
    works(life, CODER)
    await life.ticks(2)
    assert sorted(poke.text.split('"')[1] for poke in life.hands.pokes) == ["login", "second"]
    assert not life.alerts("handoff-unannounced")


async def test_a_viewer_announces_nothing(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, acting=False)
    await life.append(TO_CODER)
    await life.ticks(2)
    assert life.hands.pokes == []
    assert life.ledger.audit.blocks() == []


async def test_a_task_that_is_closed_is_told_in_the_log_once(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER)
    await life.append(TO_CODER)
    await life.append(block(CODER, DIRECTOR, gates=GATES))
    await life.append(block(DIRECTOR, NONE, gates=GATES))
    await life.ticks(2)

    def closed(life: Life) -> list[str]:
        return [line.text for line in life.core.book.log if "closed" in line.text]

    assert closed(life) == ["login is closed"]
    await life.end()
    again = await begin(CODER)
    await again.ticks(2)
    assert closed(again) == ["login is closed"]
