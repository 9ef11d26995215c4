"""Pokes with proof, in lives of a supervisor: each is followed, repeated by rule where it must be, never too often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from teamops.domain.limits import Limits
from teamops.handoff.appending import append
from teamops.ledger.connection import LedgerError
from teamops.model.actions import By, Outcome, Poke
from teamops.model.agent import Beat, BeatKind, ClientStatus
from teamops.model.agent_report import Delivery, DeliveryStage, Launch
from teamops.model.events import (
    BeatsSeen,
    Event,
    GrowthSeen,
    OutputSeen,
    PaneDied,
    PanesSeen,
    PromptSeen,
    ScreenSeen,
    StatusSeen,
    Ticked,
)
from teamops.model.pane import Screen
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role
from teamops.model.snapshot import PokeRole
from teamops.model.tail import Position
from teamops.supervisor.agent_past import began
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import Life, block, rewrite

TO_CODER = block(DIRECTOR, CODER, status="done")
CLAUDE = {"client": "claude", "limits": Limits(waiting_s=60.0, stale_s=600.0)}


@pytest.fixture
def handoff(tmp_path: Path) -> Path:
    (tmp_path / "p").mkdir()
    path = tmp_path / "p" / "current.md"
    append(path, block(DIRECTOR, DIRECTOR, task="old", tier=1))
    return path


def beats(life: Life, *made: Beat) -> None:
    life.core.emit(BeatsSeen(life.clock.stamp(), made, Position("spool", 1, 1, int(life.wall))))


def hook(life: Life, event: str, detail: str = "") -> None:
    beats(life, Beat(role=CODER, wall=life.wall, kind=BeatKind.HOOK, hook=event, detail=detail))


def takes(life: Life, text: str = "") -> None:
    """Let CODER's client say that it took a prompt: the last line that was typed."""
    hook(life, "UserPromptSubmit", text or life.hands.pokes[-1].text)


def status(life: Life, said: ClientStatus) -> None:
    life.core.emit(StatusSeen(life.clock.stamp(), CODER, said))


def deliveries(life: Life, role: Role = CODER) -> list[Delivery]:
    """Return all of a role's, oldest first."""
    return life.ledger.deliveries.of(role, 99)[::-1]


def stages(life: Life) -> list[str]:
    return [delivery.stage.value for delivery in deliveries(life)]


async def told(begin: Begin, **kind: object) -> Life:
    """Begin a life in which CODER, at rest, has just been told of its light."""
    life = await begin(CODER, **{**CLAUDE, **kind})
    status(life, ClientStatus.IDLE)
    await life.ticks(1)
    await life.append(TO_CODER)
    assert len(life.hands.pokes) == 1
    return life


async def seconds(life: Life, count: int) -> None:
    """Let so many seconds go by, one round of the clock after the other."""
    for _ in range(count):
        await life.ticks(1)


# each stage


async def test_decided_typed_accepted_working_each_with_its_time_and_proof(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.IDLE)
    expected: list[tuple[Role, str]] = []
    life.core.expect = lambda role, text: expected.append((role, text))
    seen: list[str] = []
    life.hands.before = lambda _: seen.extend(stages(life))
    await life.append(TO_CODER)
    assert seen == ["decided"], "in the ledger before it is typed"
    assert expected == [(CODER, life.hands.pokes[0].text)]
    (one,) = deliveries(life)
    assert (one.stage, one.attempt, one.by) == (DeliveryStage.TYPED, 1, By.RULE)
    assert one.light == life.hands.pokes[0].reason
    life.now, life.wall = life.now + 1, life.wall + 1
    takes(life)
    await life.ticks(1)
    (one,) = deliveries(life)
    assert (one.stage, one.proof) == (DeliveryStage.ACCEPTED, "hook UserPromptSubmit")
    await life.ticks(2)
    hook(life, "PreToolUse", "Bash")
    await life.ticks(1)
    (one,) = deliveries(life)
    assert one.stage is DeliveryStage.WORKING
    assert one.over
    assert one.typed_wall is not None
    assert one.accepted_wall is not None
    assert one.working_wall is not None
    assert one.decided_wall <= one.typed_wall < one.accepted_wall < one.working_wall
    said = [line.text for line in life.core.book.log if "taken by its client" in line.text]
    assert said == [line.text for line in life.ledger.log(50) if "taken by its client" in line.text]
    assert len(said) == 1
    assert "(hook UserPromptSubmit)" in said[0]


SIGNS: dict[str, Callable[[Life], Event]] = {
    "transcript": lambda life: PromptSeen(life.clock.stamp(), CODER, life.hands.pokes[0].text, "transcript"),
    "status busy": lambda life: StatusSeen(life.clock.stamp(), CODER, ClientStatus.BUSY),
    "transcript grew": lambda life: GrowthSeen(life.clock.stamp(), CODER, life.pane(CODER).pid),
    "its screen says busy": lambda life: ScreenSeen(life.clock.stamp(), CODER, life.pane(CODER).pid, Screen.BUSY),
}


@pytest.mark.parametrize("proof", SIGNS)
async def test_each_sign_of_a_client_at_rest_proves_it(begin: Begin, handoff: Path, proof: str) -> None:
    life = await told(begin)
    await life.ticks(1)
    life.core.emit(SIGNS[proof](life))
    await life.ticks(1)
    (one,) = deliveries(life)
    assert (one.accepted_wall is not None, one.proof) == (True, proof)


async def test_its_own_block_proves_it(begin: Begin, handoff: Path) -> None:
    life = await told(begin)
    await life.append(block(CODER, REVIEWER, minute=9))
    assert deliveries(life)[0].proof == "its own block"


@pytest.mark.parametrize("client", ["sdk", "command"])
async def test_a_program_of_the_teams_own_proves_it_by_its_next_beat(begin: Begin, handoff: Path, client: str) -> None:
    life = await told(begin, client=client)
    beats(life, Beat(role=CODER, wall=life.wall - 60))
    await life.ticks(1)
    assert stages(life) == ["typed"], "that beat is older"
    beats(life, Beat(role=CODER, wall=life.wall))
    await life.ticks(1)
    assert deliveries(life)[0].proof == "first beat"


async def test_a_plain_program_proves_it_by_its_output(begin: Begin, handoff: Path) -> None:
    life = await told(begin, client="command")
    life.core.emit(OutputSeen(life.clock.stamp(), CODER))
    await life.ticks(1)
    assert deliveries(life)[0].proof == "output"


async def test_a_plain_programs_moving_cursor_is_output_too(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, client="command")
    life.hands.answer = Outcome(ok=True, message="typed", evidence="pane %1 pid 7: the cursor moved on")
    await life.append(TO_CODER)
    assert deliveries(life)[0].proof == "output"


async def test_of_a_busy_client_only_what_names_the_line_is_a_proof(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.BUSY)
    await life.ticks(1)
    await life.append(TO_CODER)
    for _ in range(30):
        status(life, ClientStatus.BUSY)
        life.core.emit(GrowthSeen(life.clock.stamp(), CODER, life.pane(CODER).pid))
        await life.ticks(1)
    takes(life, "something else")
    await life.ticks(1)
    assert stages(life) == ["typed"], "it waits in the queue, and no time goes by"
    assert len(life.hands.pokes) == 1
    takes(life)
    await life.ticks(1)
    assert deliveries(life)[0].proof == "hook UserPromptSubmit"


async def test_a_sign_that_names_a_line_proves_one_of_two_that_are_alike(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    for _ in range(2):
        await life.core.wish(PokeRole(CODER, "go on"))
        await life.ticks(1)
    takes(life, "go on")
    await life.ticks(1)
    assert stages(life) == ["accepted", "typed"]
    takes(life, "go on")
    await life.ticks(1)
    assert stages(life)[1] == "accepted"


async def test_queued_behind_other_work_it_is_proven_by_the_work_after_the_rest(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.BUSY)
    await life.ticks(1)
    await life.append(TO_CODER)
    await seconds(life, 30)
    status(life, ClientStatus.IDLE)
    await life.ticks(2)
    assert stages(life) == ["typed"]
    status(life, ClientStatus.BUSY)
    await life.ticks(1)
    assert deliveries(life)[0].proof == "status busy"


# again


async def test_what_nobody_takes_is_typed_again_up_to_the_limit_and_then_told(begin: Begin, handoff: Path) -> None:
    life = await told(begin)
    await seconds(life, 60)
    assert stages(life) == ["unproven"] * 3
    assert [delivery.attempt for delivery in deliveries(life)] == [1, 2, 3]
    assert len({poke.text for poke in life.hands.pokes}) == 1, "the very same line"
    (alert,) = life.alerts("poke-unproven")
    assert "3 lines were typed" in alert.message
    await life.until(lambda: len(life.told("poke-unproven")) == 1, "the person is told")
    await seconds(life, 300)
    assert len(life.hands.pokes) == 3, "no reminder either: the limit is for all lines"
    beats(life, Beat(role=CODER, wall=life.wall, tokens=9))
    await life.ticks(2)
    assert not life.alerts("poke-unproven")


async def test_the_alert_is_over_when_the_light_moves(begin: Begin, handoff: Path) -> None:
    life = await told(begin, limits=Limits(pokes_per_light=1))
    await seconds(life, 15)
    assert life.alerts("poke-unproven")
    await life.append(block(DIRECTOR, REVIEWER, minute=5))
    assert not life.alerts("poke-unproven")


async def test_a_proof_that_comes_late_is_believed_and_ends_the_alert(begin: Begin, handoff: Path) -> None:
    life = await told(begin, limits=Limits(pokes_per_light=1))
    await seconds(life, 15)
    assert life.alerts("poke-unproven")
    takes(life)
    await life.ticks(2)
    assert stages(life) == ["working" if deliveries(life)[0].working_wall else "accepted"]
    assert not life.alerts("poke-unproven")


async def test_a_bot_is_waited_for_a_whole_interval(begin: Begin, handoff: Path) -> None:
    life = await told(begin, client="sdk")
    await seconds(life, 65)
    assert len(life.hands.pokes) == 1
    await seconds(life, 10)
    assert len(life.hands.pokes) == 2


async def test_a_suspended_machine_brings_nothing_nearer(begin: Begin, handoff: Path) -> None:
    life = await told(begin)
    await life.ticks(5)
    life.wall += 3600
    life.core.emit(Ticked(life.clock.stamp(), 3600.0))
    await life.ticks(3)
    assert stages(life) == ["typed"]
    life.now += 30
    life.wall += 30
    life.core.emit(Ticked(life.clock.stamp(), 29.0))
    await life.core.next_round()
    await life.core.next_round()
    assert stages(life) == ["typed"], "what it did meanwhile is still to be read"
    takes(life)
    await life.ticks(1)
    assert stages(life) == ["accepted"]


@pytest.mark.parametrize("off", [{"auto_poke": False}, {"off": CODER}], ids=["team", "role"])
async def test_nothing_is_repeated_where_poking_is_off(begin: Begin, handoff: Path, off: dict[str, object]) -> None:
    first = await told(begin)
    await first.end()
    life = await begin(CODER, **CLAUDE, **off)
    status(life, ClientStatus.IDLE)
    await seconds(life, 100)
    assert life.hands.pokes == []


async def test_a_viewer_repeats_nothing(begin: Begin, handoff: Path) -> None:
    first = await told(begin)
    await first.end()
    life = await begin(CODER, **CLAUDE, acting=False)
    await seconds(life, 100)
    assert life.hands.pokes == []


# the reminder


async def accepted_and_at_rest(begin: Begin, **kind: object) -> Life:
    life = await told(begin, **kind)
    takes(life)
    await life.ticks(2)
    hook(life, "Stop")
    status(life, ClientStatus.IDLE)
    await life.ticks(2)
    return life


async def test_who_does_not_answer_is_reminded_once(begin: Begin, handoff: Path) -> None:
    life = await accepted_and_at_rest(begin)
    await seconds(life, 50)
    assert len(life.hands.pokes) == 1
    await seconds(life, 20)
    assert len(life.hands.pokes) == 2
    assert life.hands.pokes[1].text.startswith('Reminder: it is still your turn on "login"')
    takes(life)
    await life.ticks(2)
    hook(life, "Stop")
    await seconds(life, 300)
    assert len(life.hands.pokes) == 2
    await life.end()
    again = await begin(CODER, **CLAUDE)
    status(again, ClientStatus.IDLE)
    await seconds(again, 200)
    assert again.hands.pokes == [], "nor after a restart of teamops"


@pytest.mark.parametrize("said", [ClientStatus.BUSY, ClientStatus.WAITING])
async def test_who_works_or_waits_for_its_person_is_not_reminded(
    begin: Begin, handoff: Path, said: ClientStatus
) -> None:
    life = await accepted_and_at_rest(begin)
    status(life, said)
    await seconds(life, 200)
    assert len(life.hands.pokes) == 1


async def test_the_dead_are_not_reminded(begin: Begin, handoff: Path) -> None:
    life = await accepted_and_at_rest(begin)
    life.core.emit(PaneDied(life.clock.stamp(), CODER, life.pane(CODER).pid, 1, None))
    await seconds(life, 200)
    assert len(life.hands.pokes) == 1


async def test_a_persons_own_word_puts_the_reminder_off(begin: Begin, handoff: Path) -> None:
    life = await accepted_and_at_rest(begin)
    await seconds(life, 50)
    await life.core.acts.begin(Poke(role=CODER, text="how is it going?", by=By.PERSON))
    takes(life)
    await seconds(life, 50)
    assert len(life.hands.pokes) == 2
    await seconds(life, 20)
    assert len(life.hands.pokes) == 3


async def test_a_reminder_that_nobody_takes_is_not_repeated_but_told(begin: Begin, handoff: Path) -> None:
    life = await accepted_and_at_rest(begin)
    await seconds(life, 100)
    assert len(life.hands.pokes) == 2
    assert life.alerts("poke-unproven")


# refused


async def test_a_refused_line_is_typed_when_nothing_hinders_any_more(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    life.hands.answer = Outcome(ok=False, message="a dialog is open: any text would answer it", hint="attach")
    life.hands.in_the_way = "a dialog is open"
    await life.append(TO_CODER)
    status(life, ClientStatus.WAITING)
    await seconds(life, 30)
    assert stages(life) == ["refused"]
    assert life.hands.looks == [], "it waits for its person by its own word"
    status(life, ClientStatus.IDLE)
    await seconds(life, 40)
    assert life.hands.looks
    assert len(life.hands.looks) < 8, "less and less often"
    assert len(life.hands.pokes) == 1, "a look types nothing"
    assert life.alerts("handoff-unannounced")
    life.hands.in_the_way = ""
    life.hands.answer = Outcome(ok=True, message="typed and submitted")
    await seconds(life, 60)
    assert len(life.hands.pokes) > 1
    assert stages(life)[:2] == ["refused", "unproven"]
    takes(life)
    await life.ticks(2)
    assert [delivery.attempt for delivery in deliveries(life)][:2] == [1, 1], "the first one typed nothing"
    assert not life.alerts("handoff-unannounced")


async def test_a_dialog_that_was_closed_is_seen_at_once(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.IDLE)
    life.hands.answer = Outcome(ok=False, message="a dialog is open: any text would answer it", hint="attach")
    life.hands.in_the_way = "a dialog is open"
    await life.append(TO_CODER)
    await seconds(life, 70)
    life.core.emit(ScreenSeen(life.clock.stamp(), CODER, life.pane(CODER).pid, Screen.DIALOG))
    life.hands.in_the_way = ""
    life.hands.answer = Outcome(ok=True, message="typed and submitted")
    await seconds(life, 3)
    assert stages(life) == ["refused"]
    life.core.emit(ScreenSeen(life.clock.stamp(), CODER, life.pane(CODER).pid, Screen.PROMPT))
    await seconds(life, 3)
    assert stages(life) == ["refused", "typed"]


async def test_who_was_told_by_a_person_meanwhile_is_not_told_again(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.IDLE)
    life.hands.answer = Outcome(ok=False, message="someone is typing there")
    life.hands.in_the_way = "someone is typing there"
    await life.append(TO_CODER)
    life.hands.answer = Outcome(ok=True, message="typed and submitted")
    await life.core.wish(PokeRole(CODER, "your turn"))
    takes(life)
    hook(life, "Stop")
    life.hands.in_the_way = ""
    await seconds(life, 40)
    assert len(life.hands.pokes) == 2


HINDRANCES: dict[str, Callable[[Life], Event]] = {
    "its account is refused": lambda life: ScreenSeen(
        life.clock.stamp(), CODER, life.pane(CODER).pid, Screen.FAILED, auth=True
    ),
    "its calls are tried again": lambda life: ScreenSeen(
        life.clock.stamp(), CODER, life.pane(CODER).pid, Screen.RETRYING
    ),
    "somebody scrolls": lambda life: PanesSeen(
        life.clock.stamp(), ((CODER, replace(life.pane(CODER), in_mode=True)),), server_up=True
    ),
    "its session is gone": lambda life: PanesSeen(life.clock.stamp(), (), server_up=True),
}


@pytest.mark.parametrize("hindrance", HINDRANCES)
async def test_nothing_is_typed_again_while_it_could_not_be_taken(begin: Begin, handoff: Path, hindrance: str) -> None:
    life = await told(begin)
    life.core.emit(HINDRANCES[hindrance](life))
    await seconds(life, 40)
    assert len(life.hands.pokes) == 1


async def test_what_is_typed_again_is_the_very_line_though_the_file_has_changed(begin: Begin, handoff: Path) -> None:
    life = await told(begin)
    rewrite(life, "**Task**: old", "**Task**: old\n**Note**: one more line")
    await life.seen()
    await seconds(life, 15)
    first, second = life.hands.pokes
    assert first.text == second.text
    assert f"line {life.core.book.lights['login'].line} " not in first.text, "it stands elsewhere by now"


async def test_half_typed_counts_and_is_typed_again(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    life.hands.answer = Outcome(ok=False, message="typed but not submitted: the line stands there", touched=True)
    status(life, ClientStatus.IDLE)
    await life.append(TO_CODER)
    await seconds(life, 100)
    assert len(life.hands.pokes) == 3
    assert [delivery.attempt for delivery in deliveries(life)] == [1, 2, 3]
    assert life.alerts("poke-unproven")


# lives


async def test_killed_after_typing_the_next_life_waits_for_the_proof_and_types_nothing(
    begin: Begin, handoff: Path
) -> None:
    first = await told(begin)
    await first.end()
    life = Life(first.folder, start=first.wall + 10, **CLAUDE)  # type: ignore[arg-type]
    expected: list[str] = []
    life.core.expect = lambda _, text: expected.append(text)
    await life.begin(CODER)
    assert expected == [first.hands.pokes[0].text], "the sources look out for it again"
    status(life, ClientStatus.IDLE)
    await life.ticks(3)
    assert stages(life) == ["typed"]
    takes(life, first.hands.pokes[0].text)
    await seconds(life, 50)
    assert life.hands.pokes == []
    assert deliveries(life)[0].proof == "hook UserPromptSubmit"
    await life.end()


async def test_where_the_ledger_cant_be_written_nothing_is_typed_again(
    begin: Begin, handoff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = await told(begin)

    def full(*_: object) -> None:
        raise LedgerError("the disk is full", "free disk space")

    with monkeypatch.context() as patch:
        patch.setattr(life.ledger.deliveries, "save", full)
        await seconds(life, 60)
        assert len(life.hands.pokes) == 1
    await seconds(life, 5)
    assert len(life.hands.pokes) == 2


async def test_a_transcript_that_grows_proves_nothing_where_hooks_would_have_said_it(
    begin: Begin, handoff: Path
) -> None:
    life = await begin(CODER, **CLAUDE)
    hook(life, "SessionStart", "startup")
    await life.append(TO_CODER)
    life.core.emit(GrowthSeen(life.clock.stamp(), CODER, life.pane(CODER).pid))
    await life.ticks(1)
    assert stages(life) == ["typed"]


async def test_what_is_past_is_forgotten(begin: Begin, handoff: Path) -> None:
    life = await told(begin)
    takes(life)
    await life.ticks(2)
    hook(life, "PreToolUse", "Bash")
    await life.append(block(CODER, DIRECTOR, minute=9, status="blocked"))
    await life.ticks(2)
    assert life.core.deliverer.of(CODER) == []


async def test_killed_while_typing_nobody_knows_how_far_it_got_and_its_proof_is_waited_for(
    begin: Begin, handoff: Path
) -> None:
    first = await begin(CODER, **CLAUDE)
    status(first, ClientStatus.IDLE)

    def die(_: object) -> None:
        raise asyncio.CancelledError  # as the end of a process: nothing is told

    first.hands.before = die
    await first.append(TO_CODER)
    await first.end()
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.IDLE)
    await life.ticks(5)
    assert life.hands.pokes == []
    assert stages(life) == ["decided"]
    await seconds(life, 10)
    assert len(life.hands.pokes) == 1, "no proof came"
    assert [delivery.attempt for delivery in deliveries(life)] == [1, 2]


async def test_killed_while_typing_its_proof_ends_the_alert(begin: Begin, handoff: Path) -> None:
    first = await begin(CODER, **CLAUDE)

    def die(_: object) -> None:
        raise asyncio.CancelledError  # as the end of a process: nothing is told

    first.hands.before = die
    await first.append(TO_CODER)
    text = deliveries(first)[0].text
    await first.end()
    life = await begin(CODER, **CLAUDE)
    life.core.acts.recover()
    await life.ticks(2)
    assert life.alerts("handoff-unannounced")
    takes(life, text)
    await life.ticks(1)
    status(life, ClientStatus.IDLE)
    await life.ticks(2)
    assert stages(life)[0] in {"accepted", "working"}
    assert not life.core.announcer.missed(life.core.book)
    assert life.core.announcer._missed == {}  # also where it has shown no work


async def test_what_it_did_while_teamops_was_down_is_a_proof(begin: Begin, handoff: Path) -> None:
    first = await told(begin)
    await first.end()
    life = await begin(CODER, **CLAUDE)
    beats(life, Beat(role=CODER, wall=life.wall - 3, tokens=9))
    await life.ticks(2)
    assert deliveries(life)[0].proof == "work since"


async def test_what_an_earlier_life_counted_but_did_not_understand_is_a_proof(begin: Begin, handoff: Path) -> None:
    first = await told(begin)
    await first.end()
    life = await begin(CODER, **CLAUDE)
    known = Beat(
        role=CODER, wall=first.wall, kind=BeatKind.HOOK, hook="UserPromptSubmit", detail=first.hands.pokes[0].text
    )
    life.core.emit(BeatsSeen(life.clock.stamp(), (), Position("spool", 1, 1, 9), known=(known,)))
    await life.ticks(1)
    assert deliveries(life)[0].proof == "hook UserPromptSubmit"


async def test_another_processs_line_is_followed_and_keeps_ours_back(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.IDLE)
    await life.ticks(1)
    other = Life(life.folder, acting=False, followed=True, start=life.wall, **CLAUDE)  # type: ignore[arg-type]
    other.core.begin_running()
    other.panes(CODER)
    other.core.say_ready()
    await other.core.next_round()
    outcome = await other.core.wish(PokeRole(CODER, "look at the log"))
    assert outcome.ok
    await other.core.next_round()
    await life.ticks(2)
    await life.append(TO_CODER)
    assert life.hands.pokes == []
    takes(life, "look at the log")
    await life.ticks(2)
    assert [poke.by for poke in life.hands.pokes] == [By.RULE]
    assert deliveries(life)[0].proof == "hook UserPromptSubmit"
    await other.end()


async def poke_from_a_shell(life: Life) -> None:
    """Let another process type a person's line, and end before its proof."""
    other = Life(life.folder, acting=False, followed=True, start=life.wall, **CLAUDE)  # type: ignore[arg-type]
    other.core.begin_running()
    other.panes(CODER)
    other.core.say_ready()
    await other.core.next_round()
    await other.core.wish(PokeRole(CODER, "look at the log"))
    await other.core.next_round()
    await other.end()


async def test_what_an_agent_does_anyway_proves_no_line_of_a_shell(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.BUSY)
    await seconds(life, 5)
    await poke_from_a_shell(life)
    for _ in range(20):
        await life.ticks(1)
        life.core.emit(GrowthSeen(life.clock.stamp(), CODER, life.pane(CODER).pid))
    assert stages(life) == ["typed"]
    status(life, ClientStatus.IDLE)
    await life.ticks(3)
    assert stages(life) == ["typed"], "that was the end of something else"
    status(life, ClientStatus.BUSY)
    await life.ticks(1)
    assert stages(life) != ["typed"]


@pytest.mark.parametrize("how", ["status", "hook", "growth"])
async def test_what_it_begins_just_then_does(begin: Begin, handoff: Path, how: str) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.IDLE)
    await life.ticks(1)
    await poke_from_a_shell(life)
    life.now, life.wall = life.now + 0.5, life.wall + 0.5
    if how == "status":
        status(life, ClientStatus.BUSY)
    elif how == "hook":
        life.core.emit(StatusSeen(life.clock.stamp(), CODER, None))
        takes(life, "look at the log")
    else:
        life.core.emit(GrowthSeen(life.clock.stamp(), CODER, life.pane(CODER).pid))
    await life.ticks(2)
    assert deliveries(life)[0].accepted_wall is not None


async def test_a_persons_poke_is_followed_and_never_repeated(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.IDLE)
    await life.ticks(1)
    stage: list[str] = []
    life.core.deliverer.on_stage = lambda delivery: stage.append(delivery.stage.value)
    await life.core.wish(PokeRole(CODER, "go on"))
    await seconds(life, 30)
    assert len(life.hands.pokes) == 1
    assert stages(life) == ["unproven"]
    assert stage == ["decided", "typed", "unproven"]
    assert not life.alerts("poke-unproven")
    assert any("nothing shows that its client took it" in line.text for line in life.ledger.log(50))


async def test_the_word_on_a_persons_poke_says_whether_it_was_taken(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.IDLE)
    await life.ticks(1)
    outcome = await life.core.wish(PokeRole(CODER, "go on"))
    waiting = asyncio.create_task(life.core.deliverer.proof(CODER, outcome, 20.0))
    await life.ticks(1)
    assert not waiting.done()
    takes(life)
    await life.ticks(1)
    assert (await waiting).message.startswith("typed, and taken by its client after")
    outcome = await life.core.wish(PokeRole(CODER, "and this"))
    assert "not known to be taken" in (await life.core.deliverer.proof(CODER, outcome, 0.01)).message
    refused = Outcome(ok=False, message="a dialog is open")
    assert await life.core.deliverer.proof(CODER, refused, 20.0) is refused
    assert await life.core.deliverer.proof(REVIEWER, outcome, 20.0) is outcome


async def test_a_persons_line_that_waits_in_a_queue_keeps_no_light_back(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    status(life, ClientStatus.BUSY)
    await life.ticks(1)
    await life.core.wish(PokeRole(CODER, "go on"))
    await seconds(life, 12)
    assert stages(life) == ["typed"]
    await life.append(TO_CODER)
    assert len(life.hands.pokes) == 2


async def test_a_long_text_is_kept_in_a_file_that_the_line_names(begin: Begin, handoff: Path) -> None:
    life = await begin(CODER, **CLAUDE)
    outcome = await life.core.wish(PokeRole(CODER, "First this.\nThen that."))
    assert outcome.ok
    (poke,) = life.hands.pokes
    name = poke.text.split()[2]
    assert (life.folder / name).read_text("utf-8") == "First this.\nThen that.\n"
    (life.folder / ".teamops" / "pokes" / "x").mkdir()
    outcome = await life.core.wish(PokeRole(CODER, "x" * 1_000_001))
    assert not outcome.ok
    assert len(life.hands.pokes) == 1


# after a restart of the agent


async def restarted(life: Life) -> None:
    """Say that CODER's process is a new one, and ready."""
    status(life, ClientStatus.IDLE)
    since = began(life.core.book.agent(CODER))
    life.core.announcer.after_restart(life.core.book, CODER, life.now if since is None else since)
    await life.ticks(2)


async def takes_and_rests(life: Life) -> None:
    """Let the agent take what was typed, and its client say that it has answered."""
    takes(life)
    await life.ticks(2)
    hook(life, "Stop")
    await life.ticks(2)


async def test_a_restarted_agent_is_told_of_its_light_again_within_the_limit(begin: Begin, handoff: Path) -> None:
    life = await accepted_and_at_rest(begin)
    for count in (2, 3):
        await restarted(life)
        assert len(life.hands.pokes) == count
        await takes_and_rests(life)
    await restarted(life)
    assert len(life.hands.pokes) == 3
    assert {poke.reason for poke in life.hands.pokes} == {life.hands.pokes[0].reason}
    said = [line.text for line in life.core.book.log if "not told of its light again" in line.text]
    await life.ticks(5)
    assert len(said) == 1


async def test_a_line_on_its_way_ends_with_the_process_it_was_typed_for(begin: Begin, handoff: Path) -> None:
    life = await told(begin)
    life.core.emit(PaneDied(life.clock.stamp(), CODER, life.pane(CODER).pid, 1, None))
    await life.ticks(1)
    assert stages(life) == ["unproven"]
    await seconds(life, 60)
    assert len(life.hands.pokes) == 1
    assert not life.alerts("poke-unproven")


async def test_who_held_a_light_when_teamops_came_is_told_of_it_after_a_restart(begin: Begin, handoff: Path) -> None:
    append(handoff, TO_CODER)
    life = await begin(CODER, **CLAUDE)
    await life.ticks(2)
    assert life.hands.pokes == []
    await restarted(life)
    assert len(life.hands.pokes) == 1
    await restarted(await begin(DIRECTOR, **CLAUDE))


def begins_anew(life: Life, pid: int) -> None:
    """Let CODER's process end, and another one stand in its pane."""
    life.core.emit(PaneDied(life.clock.stamp(), CODER, life.pane(CODER).pid, 1, None))
    pane = replace(life.pane(CODER), pid=pid)
    life.core.emit(PanesSeen(life.clock.stamp(), ((CODER, pane),), server_up=True))


async def test_what_was_taken_is_not_among_what_was_typed_in_vain(begin: Begin, handoff: Path) -> None:
    life = await accepted_and_at_rest(begin)
    await restarted(life)
    await takes_and_rests(life)
    await restarted(life)
    assert len(life.hands.pokes) == 3
    await seconds(life, 20)
    assert stages(life)[2] == "unproven"
    (alert,) = life.alerts("poke-unproven")
    assert "1 line was typed since the last one that its client took" in alert.message


async def test_what_was_typed_for_a_process_that_is_gone_says_nothing_of_the_next(
    begin: Begin, handoff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = Life.pane
    life = await told(begin, limits=Limits(pokes_per_light=1))
    await seconds(life, 15)
    assert life.alerts("poke-unproven")
    begins_anew(life, 77)
    await restarted(life)
    await seconds(life, 5)
    assert len(life.hands.pokes) == 1, "the limit is for all lines"
    assert not life.alerts("poke-unproven")
    launch = Launch(
        role=CODER, session="shop-coder", pane_id="%1", pid=77, born="", client="claude", client_session="",
        wall=life.wall - 5, adopted=False,
    )  # fmt: skip
    life.ledger.launches.save(launch)
    await life.end()
    monkeypatch.setattr(Life, "pane", lambda self, role: replace(pane(self, role), pid=77))
    again = await begin(CODER, limits=Limits(pokes_per_light=1), client="claude")
    status(again, ClientStatus.IDLE)
    await seconds(again, 5)
    assert again.core.book.agent(CODER).pane is not None
    assert not again.alerts("poke-unproven"), "nor after a restart of teamops"
    assert again.hands.pokes == []


async def test_who_has_worked_since_is_not_said_to_have_taken_nothing_by_the_next_life(
    begin: Begin, handoff: Path
) -> None:
    life = await told(begin, limits=Limits(pokes_per_light=1))
    await seconds(life, 15)
    assert life.alerts("poke-unproven")
    status(life, ClientStatus.BUSY)
    await life.ticks(2)
    assert stages(life) == ["unproven"]
    assert not life.alerts("poke-unproven")
    await life.end()
    again = await begin(CODER, client="claude", limits=Limits(pokes_per_light=1))
    status(again, ClientStatus.IDLE)
    await again.ticks(3)
    assert again.core.book.agent(CODER).worked is None, "nothing of it was read again"
    assert not again.alerts("poke-unproven")


async def test_who_works_after_its_restart_is_neither_told_anew_nor_gets_an_old_line_again(
    begin: Begin, handoff: Path
) -> None:
    life = await told(begin)
    begins_anew(life, 77)
    await life.ticks(1)
    hook(life, "PreToolUse", "Bash")
    await restarted(life)
    hook(life, "Stop")
    await seconds(life, 40)
    assert len(life.hands.pokes) == 1
    await seconds(life, 40)
    assert [poke.text.partition(":")[0] for poke in life.hands.pokes[1:2]] == ["Reminder"], "it rests again"


async def test_a_log_that_grows_while_its_client_starts_is_no_work(begin: Begin, handoff: Path) -> None:
    life = await accepted_and_at_rest(begin)
    begins_anew(life, 77)
    await life.ticks(1)
    life.core.emit(GrowthSeen(life.clock.stamp(), CODER, 77))
    await restarted(life)
    await seconds(life, 5)
    assert len(life.hands.pokes) == 2
