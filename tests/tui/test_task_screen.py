"""A task's own screen: stages, timeline, chain, changes; and the list of all tasks."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from msgspec.structs import replace

from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block, Challenges, Gate, GateResult, Point, Stage, Standing
from teamops.model.protocol import TimelineEntry
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE, REVIEWER
from teamops.model.spend import BlockSpend, Spend, TaskSpend
from teamops.model.usage import Tokens
from teamops.tui import words
from teamops.tui.app import TeamopsApp
from teamops.tui.believable_protocol import believable_report
from teamops.tui.chain import answers, cost_lines, design_of, diff_lines, gate_lines
from teamops.tui.screens.task import TaskScreen
from teamops.tui.screens.tasks import TasksScreen
from teamops.tui.strips import Line
from teamops.tui.theme import palette
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on

RICH = palette(rich_colours=True)


def notes(app: TeamopsApp) -> str:
    return "\n".join(note.message for note in app._notifications)


def told(lines: list[Line]) -> str:
    return "\n".join("".join(segment.text for segment in line.segments) for line in lines)


def shown_task(app: TeamopsApp) -> str | None:
    assert isinstance(app.screen, TaskScreen)
    return app.screen.task_name


def grow(port: FakePort) -> Block:
    """Append a block to the settings page."""
    last = port.now.blocks[-1]
    block = replace(
        port.now.blocks[32], index=last.index + 1, line=last.end_line + 1, end_line=last.end_line + 6, start=last.end,
        end=last.end + 90, digest="grown", verdict="not-again",
    )  # fmt: skip
    port.texts[block.index] = "### [DIRECTOR] now\n\n**Turn**: CODER\n\nOnly here: xylophone.\n"
    port.publish(
        blocks=(*port.now.blocks, block),
        tasks=tuple(
            replace(task, blocks=(*task.blocks, block.index)) if task.task == block.task else task
            for task in port.now.tasks
        ),
    )
    return block


# Which task.


@pytest.mark.parametrize(
    ("pressed", "name"),
    [
        (["t"], "settings-page"),
        (["j", "t"], "webhook-retries"),
        (["2", "t"], "webhook-retries"),
        (["2", "left", "left", "left", "1", "t"], "settings-page"),
    ],
    ids=["the most urgent light's", "the chosen agent's", "the chosen block's", "an older block's"],
)
async def test_t_opens_the_task_that_is_meant(make_app: MakeApp, pressed: list[str], name: str) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(*pressed)
        await settle(pilot)
        assert shown_task(app) == name


async def test_t_works_on_an_agents_own_screen(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j", "enter", "t")
        await settle(pilot)
        assert shown_task(app) == "webhook-retries"
        await pilot.press("f", "colon", "escape", "question_mark", "escape", "escape", "escape", "escape")
        await settle(pilot)
        assert app.screen.id == "main"


async def test_without_a_task_t_says_so(make_app: MakeApp, port: FakePort) -> None:
    port.publish(tasks=(), lights=(), blocks=())
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("t", "T", "A")
        await settle(pilot)
        assert "There is no task yet" in notes(app)
        assert app.screen.id == "main"


# Timeline.


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)], ids=["80x24", "120x36", "200x60"])
async def test_the_timeline_says_who_when_how_long_and_with_what_verdict(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("t")
        await settle(pilot)
        text = text_on(app)
        said = "    53k changes-requested" if size[0] > 100 else "changes-reque"
        for piece in (
            "settings-page", "▶ CODER Kevin", "sent back 2 times", "task 1 of 2", "✓ design 3h10",
            "● implement 4h05 \u00d73", "▸1 Timeline", "2 Chain", "3 Changes · 3 files",
            "3 Changes · 3 files   $9.56+? in all",
            f"03-28 07:17 REVIEWER  → CODER     code-review    1h10   $0.16 {said}",
            "✖ code-review-skipped  done" if size[0] > 100 else "✖ 1  done",
        ):  # fmt: skip
            assert piece in text
        assert all(len(line) <= size[0] for line in lines_on(app))


async def test_the_chain_tells_the_cost_by_role_and_by_stage(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 60)) as pilot:
        await settle(pilot)
        await pilot.press("t", "2")
        await settle(pilot)
        for _ in range(12):
            await pilot.press("pagedown")
        text = text_on(app)
        assert "Cost  $9.56+?, " in text
        assert "  by role   CODER " in text
        assert "  by stage  implement " in text
        assert "  so far    CODER              $2.38" in text


def test_what_was_not_used_or_has_no_price_is_never_nothing_in_dollars() -> None:
    report = believable_report(FakePort().now, "settings-page")
    assert "Nothing was used" in told(cost_lines(replace(report, spend=None), RICH))
    unpriced = Spend(2, Tokens(input=2_600), Decimal(0), 2_600)
    part = BlockSpend(CODER, Stage.IMPLEMENT, unpriced, exact=False)
    lines = told(cost_lines(replace(report, spend=TaskSpend({3: part}, part)), RICH))
    assert "Cost  ?, 5.2k tokens, to the minute" in lines
    assert "$" not in lines


async def test_enter_shows_the_block(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("t", "j", "j", "enter")
        await settle(pilot)
        assert app.screen.id == "main"
        assert "older · 34 of 39" in text_on(app)
        assert "the button is gone" in text_on(app)


async def test_the_timeline_is_searched_by_its_lines_and_by_its_texts(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("t", "slash", *"reviewer", "enter")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, TaskScreen)
        assert {row.role for row in screen.list.rows if isinstance(row, TimelineEntry)} == {DIRECTOR, REVIEWER}
        await pilot.press("escape", "slash", *"step 33 of", "enter")
        await settle(pilot)
        assert [row.index for row in screen.list.rows if isinstance(row, TimelineEntry)] == [32]
        await pilot.press("2", "slash", *"-of-nowhere", "enter")
        await settle(pilot)
        assert "No block of it has that text." in text_on(app), "the search leads back to the timeline"
        await pilot.press("escape")
        await settle(pilot)
        assert len(screen.list.rows) == 36
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen.id == "main"


# The report.


async def test_it_is_said_that_the_report_is_on_its_way(make_app: MakeApp, port: FakePort) -> None:
    gate = port.gates["task_report"] = threading.Event()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("t")
        for _ in range(3):
            await pilot.pause()
        assert "Looking at the task…" in text_on(app)
        gate.set()
        await settle(pilot)
        assert "code-review" in text_on(app)


async def test_a_report_that_cannot_be_had_says_so_once_and_heals(make_app: MakeApp, port: FakePort) -> None:
    port.errors["task_report"] = TeamopsError("git does not answer", "Is it there?")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("t")
        await settle(pilot)
        assert "✖ git does not answer" in text_on(app)
        port.tick()
        await settle(pilot)
        assert "✖ git does not answer" in text_on(app)
        assert notes(app) == ""
        port.errors.clear()
        grow(port)
        await settle(pilot)
        assert "changes-reque" in text_on(app)


async def test_the_report_is_asked_for_again_when_the_task_changes_and_only_then(
    make_app: MakeApp, port: FakePort
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("t")
        await settle(pilot)
        before = port.asked.count("task_report")
        for _ in range(3):
            port.tick()
            await settle(pilot)
        port.publish(findings=tuple(one for one in port.now.findings if one.task != "settings-page"))
        await settle(pilot)
        assert port.asked.count("task_report") == before + 1
        port.publish(blocks=(*port.now.blocks[:-1], replace(port.now.blocks[-1], digest="another task's")))
        await settle(pilot)
        assert port.asked.count("task_report") == before + 1
        grow(port)
        await settle(pilot)
        assert port.asked.count("task_report") == before + 2
        assert "not-again" in text_on(app)
        assert isinstance(app.screen, TaskScreen)
        assert app.screen.list.cursor == 0, "who looks at the newest goes on doing so"


async def test_a_search_covers_a_block_that_comes_later(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("t", "slash", *"xylophone", "enter")
        await settle(pilot)
        assert "No block of it has that text." in text_on(app)
        block = grow(port)
        await settle(pilot)
        assert isinstance(app.screen, TaskScreen)
        assert [row.index for row in app.screen.list.rows if isinstance(row, TimelineEntry)] == [block.index]


async def test_a_task_that_is_gone_is_said(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("t")
        await settle(pilot)
        port.publish(tasks=port.now.tasks[:1], lights=port.now.lights[:1])
        await settle(pilot)
        assert "settings-page is no longer in the handoff file." in text_on(app)
        await pilot.press("A")
        await settle(pilot)
        assert "T lists those that are" in notes(app)


# Chain and changes.


async def test_the_chain_has_challenges_answers_gates_findings_and_sign_offs(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 90)) as pilot:
        await settle(pilot)
        await pilot.press("t", "2")
        await settle(pilot)
        text = text_on(app)
        for piece in (
            "Design  DIRECTOR, line 1", "Step 1 of the settings page.", "Chain  36 blocks",
            "1. A slow network: what does the person see", "○ not answered yet", "Gates  ○ open", "○ not claimed",
            "✓ ran well 14:35, 31s  make test  ▲ out of date", "○ not run by teamops", "Findings  2 findings",
            "→ Give the light to REVIEWER", "Nobody has signed anything yet.",
        ):  # fmt: skip
            assert piece in text
        await pilot.press("tab")
        await settle(pilot)
        text = text_on(app)
        for piece in ("3 files, +369 -21, 3 commits, since b81d20c7e", "+214     -12", "src/webhooks/queue.py"):
            assert piece in text
        await pilot.press("shift+tab", "G")
        await settle(pilot)
        assert "Nobody has signed anything yet." in text_on(app)
        await pilot.press("1")
        await settle(pilot)
        assert "gives it to" in text_on(app)


def block_of(role: str, index: int, *, asks: tuple[int, ...] = (), says: tuple[int, ...] = ()) -> Block:
    points = tuple(Point(number, f"question {number}", index) for number in asks)
    return Block(
        index=index, role=role, at=None, line=index, end_line=index, start=0, end=0,  # type: ignore[arg-type]  # a plain name serves
        challenges=Challenges(points) if points else None,
        responses=tuple(Point(number, f"answer {number} in {index}", index) for number in says),
    )  # fmt: skip


def test_an_answer_belongs_to_the_latest_challenge_of_its_number() -> None:
    given = answers(
        [
            block_of(REVIEWER, 0, asks=(1, 2, 3)),
            block_of(CODER, 1, says=(1, 2)),
            block_of(DIRECTOR, 2, says=(1,)),
            block_of(REVIEWER, 3, asks=(2, 3)),
            block_of(DIRECTOR, 4, says=(2, 9)),
        ]
    )
    said = {place: (answer.role, answer.point.text if answer.point else None) for place, answer in given.items()}
    assert said == {
        (0, 1): (DIRECTOR, "answer 1 in 2"),
        (0, 2): (CODER, "answer 2 in 1"),
        (0, 3): (REVIEWER, None),
        (3, 2): (DIRECTOR, "answer 2 in 4"),
    }, "the DIRECTOR's counts, an implementer's is shown, what is asked again is said so, and 3 is owed"


def test_the_design_is_what_the_director_first_handed_on(port: FakePort) -> None:
    blocks = port.now.blocks
    first, kept = replace(blocks[0], turn=DIRECTOR), blocks[34]
    assert design_of([first, kept, blocks[35]]) == kept
    assert design_of([blocks[33], blocks[34]]) == blocks[33], "it was built before anybody designed it"
    assert design_of([]) is None


def test_gates_say_what_was_claimed_and_what_was_run(port: FakePort) -> None:
    report = believable_report(port.now, "webhook-retries")
    claims = (
        Gate("runs", GateResult.PASS, "212 passed"),
        Gate("correct", GateResult.PASS, ""),
        Gate("house-style", GateResult.UNKNOWN, "?"),
    )
    failed = replace(report.runs[0], ok=False, exit_status=2, tree=report.tree)
    task = replace(report.task, gates=claims, standing=Standing.DOUBTED)
    text = told(gate_lines(replace(report, task=task, runs=(failed,)), port.now.stamp.wall, RICH))
    for piece in (
        "▲ done?", "✓ claimed pass (212 passed)", "✖ failed 14:35, 31s, exit 2", "✓ claimed pass, no evidence",
        "complete  ○ not claimed", "house-style ? claimed unknown",
    ):  # fmt: skip
        assert piece in text
    assert "out of date" not in text


def test_changes_that_are_not_known_say_why(port: FakePort) -> None:
    report = believable_report(port.now, "webhook-retries")
    text = told(diff_lines(replace(report, diff=None, diff_trouble="This is no git work tree."), RICH))
    assert "~ This is no git work tree." in text


# All tasks.


async def test_the_list_of_tasks_has_open_ones_first_and_opens_one(make_app: MakeApp, port: FakePort) -> None:
    closed = replace(port.now.tasks[0], task="login-page", open=False, turn=NONE, standing=Standing.DONE, blocks=(1, 2))
    port.publish(tasks=(closed, *port.now.tasks))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("T")
        await settle(pilot)
        assert isinstance(app.screen, TasksScreen)
        assert "2 open, 1 closed" in text_on(app)
        names = [line.split()[1 if line.startswith(words.CURSOR) else 0] for line in lines_on(app)[2:5]]
        assert names == ["settings-page", "webhook-retries", "login-page"]
        assert "○ closed" in lines_on(app)[4]
        assert "✓ done" in lines_on(app)[4]
        await pilot.press("slash", *"login", "enter", "enter")
        await settle(pilot)
        assert shown_task(app) == "login-page"
        await pilot.press("q")
        await settle(pilot)
        assert isinstance(app.screen, TasksScreen), "q leaves one thing at a time"


async def test_brackets_go_through_the_tasks(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("t")
        await settle(pilot)
        assert shown_task(app) == "settings-page"
        await pilot.press("right_square_bracket")
        await settle(pilot)
        assert shown_task(app) == "webhook-retries"
        assert "task 2 of 2" in text_on(app)
        assert "changes-reque" not in lines_on(app)[8]
        await pilot.press("left_square_bracket")
        await settle(pilot)
        assert shown_task(app) == "settings-page"
        port.publish(tasks=port.now.tasks[1:])
        await pilot.press("left_square_bracket")
        await settle(pilot)
        assert "There is no other task." in notes(app)


async def test_a_task_chosen_in_the_list_is_shown_where_a_task_is_open(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("t", "T", "j", "enter")
        await settle(pilot)
        assert shown_task(app) == "webhook-retries"
        assert len(app.screen_stack) == 2, "no pile of screens"


async def test_a_waiting_task_is_said_to_wait(make_app: MakeApp, port: FakePort) -> None:
    port.hand_to_person("webhook-retries", Standing.DOUBTED)
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("T")
        await settle(pilot)
        assert "◆ you" in lines_on(app)[2]
        assert "A sign off" in lines_on(app)[-1]
        await pilot.press("enter")
        await settle(pilot)
        assert "◆ waits for you" in text_on(app)
        assert "▲ done? not proven" in text_on(app)
        assert app.snapshot.tasks[0].turn == HUMAN


async def test_the_palette_has_every_task(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("colon", *"webhook")
        await settle(pilot)
        for _ in range(50):
            if "Task webhook-retries" in text_on(app):
                break
            await pilot.pause(0.02)
        await pilot.press("enter")
        for _ in range(50):
            await pilot.pause(0.02)
            if isinstance(app.screen, TaskScreen):
                break
        assert shown_task(app) == "webhook-retries"
