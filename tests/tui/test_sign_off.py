"""Sign-off: nothing by default, two steps, and only what was read is signed."""

from __future__ import annotations

import threading

import pytest
from msgspec.structs import replace

from teamops.model.actions import Outcome
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Standing
from teamops.model.role import CODER, NONE
from teamops.model.snapshot import SignOff
from teamops.tui.app import TeamopsApp
from teamops.tui.believable_protocol import believable_report
from teamops.tui.rules import why_no_sign_off
from teamops.tui.screens.sign_off import STAND_IN, SignOffWindow
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on
from tests.tui.test_task_screen import grow


def notes(app: TeamopsApp) -> str:
    return "\n".join(note.message for note in app._notifications)


def on_desk(app: TeamopsApp) -> bool:
    return app.screen.id == "main"


def flat(app: TeamopsApp) -> str:
    return " ".join(text_on(app).replace("│", " ").split())


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)], ids=["80x24", "120x36", "200x60"])
async def test_it_shows_the_whole_chain(make_app: MakeApp, port: FakePort, size: tuple[int, int]) -> None:
    port.hand_to_person()
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert lines_on(app)[-1].lstrip().startswith("A sign off")
        await pilot.press("A")
        await settle(pilot)
        assert isinstance(app.screen, SignOffWindow)
        text = flat(app)
        for piece in (
            "settings-page", "✓ done", "2 challenges not answered", "✖ 2 findings", "3 files, +369 -21, 3 commits",
            "Design DIRECTOR, line 1", "y sign off b send back",
        ):  # fmt: skip
            assert piece in text
        await pilot.press("G")
        await settle(pilot)
        assert "Nobody has signed anything yet." in text_on(app)


async def test_enter_does_nothing_and_y_asks_for_the_name(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("enter", "space", "enter")
        await settle(pilot)
        assert isinstance(app.screen, SignOffWindow)
        await pilot.press("y")
        await settle(pilot)
        assert "A HUMAN block that signs settings-page off is appended to current.md." in flat(app)
        assert "Type settings-page" in flat(app)
        await pilot.press("enter", *"yes", "enter", "y", "enter")
        await settle(pilot)
        assert "Nothing is written yet." in flat(app)
        assert port.intents == []
        await pilot.press("escape")
        await settle(pilot)
        assert "y sign off" in flat(app)
        await pilot.press("y", *"Settings-Page", "enter")
        await settle(pilot)
        chain = believable_report(port.now, "settings-page").chain
        assert port.intents == [SignOff(task="settings-page", approve=True, note="", chain=chain)]
        assert on_desk(app)
        assert "✓ It was done." in notes(app)


async def test_a_note_may_go_with_it(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("y", *"settings-page", "tab", *"Well done", "enter")
        await settle(pilot)
        assert [(intent.approve, intent.note) for intent in port.intents if isinstance(intent, SignOff)] == [
            (True, "Well done")
        ]


async def test_sending_back_needs_a_note(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("b", "enter", "space", "enter")
        await settle(pilot)
        assert "an empty note helps nobody" in flat(app)
        assert port.intents == []
        await pilot.press(*"Undo is missing: y, b?", "enter")
        await settle(pilot)
        chain = believable_report(port.now, "settings-page").chain
        note = "Undo is missing: y, b?"
        assert port.intents == [SignOff(task="settings-page", approve=False, note=note, chain=chain)]


async def test_esc_leaves_it_as_it_is(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("b", *"half a", "escape", "escape")
        await settle(pilot)
        assert on_desk(app)
        assert port.intents == []


async def test_a_task_that_moves_on_is_read_again(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("y", *"settings-page")
        old = believable_report(port.now, "settings-page").chain
        gate = port.gates["task_report"] = threading.Event()
        grow(port)
        for _ in range(3):
            await pilot.pause()
        await pilot.press("enter")
        assert port.intents == [], "what is signed is what was read"
        gate.set()
        await settle(pilot)
        assert "▲ The task has moved on while you read" in flat(app)
        assert "37 blocks" in flat(app)
        assert "y sign off" in flat(app), "the name is typed anew"
        await pilot.press("enter")
        assert port.intents == []
        await pilot.press("y", *"settings-page", "enter")
        await settle(pilot)
        assert [intent.chain for intent in port.intents if isinstance(intent, SignOff)] != [old]
        assert len(port.intents) == 1


async def test_news_that_do_not_touch_the_chain_disturb_nobody(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("y", *"settings-")
        port.tick()
        port.publish(findings=())
        await settle(pilot)
        await pilot.press(*"page", "enter")
        await settle(pilot)
        assert len(port.intents) == 1


async def test_a_task_that_is_taken_away_is_no_longer_signed(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("y", *"settings-page")
        port.publish(
            tasks=tuple(
                replace(task, turn=NONE, open=False) if task.task == "settings-page" else task
                for task in port.now.tasks
            )
        )
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert port.intents == []
        assert "settings-page is closed: there is nothing to sign off." in flat(app)


async def test_what_the_supervisor_refuses_is_said_and_can_still_be_sent_back(
    make_app: MakeApp, port: FakePort
) -> None:
    port.hand_to_person()
    report = believable_report(port.now, "settings-page")
    port.reports["settings-page"] = replace(report, refusal="CODER asks you something")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("y", *"settings-page", "enter")
        await settle(pilot)
        assert "It can't be signed off now: CODER asks you something." in flat(app)
        assert port.intents == []
        assert app.screen.focused is not None
        await pilot.press("b", *"Answer: yes", "enter")
        await settle(pilot)
        assert len(port.intents) == 1


async def test_a_task_that_cannot_be_read_is_not_signed(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person()
    port.errors["task_report"] = TeamopsError("The ledger is locked.", "Try again.")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        assert "✖ The ledger is locked. (Try again.)" in flat(app)
        await pilot.press("y", "b")
        await settle(pilot)
        assert "The task can't be read now" in flat(app)
        assert port.intents == []


async def test_a_failed_sign_off_is_told(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person()
    port.outcome = Outcome(ok=False, message="It has moved on.", hint="Look at it again.")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("b", *"no", "enter")
        await settle(pilot)
        assert "✖ It has moved on.\n→ Look at it again." in notes(app)


@pytest.mark.parametrize("name", [None, "x" * 60], ids=["nameless", "long"])
async def test_where_a_name_cannot_be_typed_other_words_stand_in(
    make_app: MakeApp, port: FakePort, name: str | None
) -> None:
    now = port.now
    port.publish(
        tasks=tuple(replace(task, task=name) if task.task == "settings-page" else task for task in now.tasks),
        lights=tuple(replace(light, task=name) if light.task == "settings-page" else light for light in now.lights),
    )
    port.hand_to_person(name)
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("A")
        await settle(pilot)
        await pilot.press("y", *STAND_IN, "enter")
        await settle(pilot)
        assert [intent.task for intent in port.intents if isinstance(intent, SignOff)] == [name]


# Which task, and why not.


async def test_a_says_why_not_and_what_to_do(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "A sign off" not in lines_on(app)[-1]
        await pilot.press("A")
        await settle(pilot)
        assert "The light of settings-page is with CODER, at implement: not yours to sign off yet." in notes(app)
        port.hand_to_person("settings-page")
        await settle(pilot)
        await pilot.press("2", "A")
        await settle(pilot)
        assert "Yours to sign off: settings-page; T chooses." in notes(app), "the chosen block is another task's"
        await pilot.press("1", "j", "A")
        await settle(pilot)
        assert isinstance(app.screen, SignOffWindow), "no block is chosen: the one that waits is meant"


def test_why_not(port: FakePort) -> None:
    snapshot = port.hand_to_person("settings-page", Standing.DOUBTED)
    mine = next(task for task in snapshot.tasks if task.task == "settings-page")
    other = next(task for task in snapshot.tasks if task.task == "webhook-retries")
    assert why_no_sign_off(mine, snapshot) == "", "done? is no reason not to look: it may be sent back"
    assert "not yours" in why_no_sign_off(other, snapshot)
    assert "closed" in why_no_sign_off(replace(other, open=False, turn=NONE), snapshot)
    assert "with nobody" in why_no_sign_off(replace(other, turn=None), snapshot)
    assert "no longer in the handoff file" in why_no_sign_off(None, snapshot)
    assert CODER not in why_no_sign_off(mine, snapshot)
