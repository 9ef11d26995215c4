"""What is to be mended: counted in the header, listed, gone to, shown as a difference, accepted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from teamops.model.errors import TeamopsError
from teamops.model.handoff import Problem, Severity
from teamops.model.snapshot import AcceptTamper
from teamops.tui.app import TeamopsApp
from teamops.tui.believable_protocol import TAMPER
from teamops.tui.faults import Faults, block_at
from teamops.tui.screens.diff import AcceptWindow, DiffScreen, diff_line
from teamops.tui.screens.findings import FindingsScreen
from teamops.tui.screens.task import TaskScreen
from teamops.tui.theme import palette
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, strips_on, text_on


def notes(app: TeamopsApp) -> str:
    return "\n".join(note.message for note in app._notifications)


def on_desk(app: TeamopsApp) -> bool:
    return app.screen.id == "main"


def problem(line: int, severity: Severity = Severity.WARNING, code: str = "misplaced-field") -> Problem:
    return Problem(line, 1, code, severity, f"Something in line {line}.", "Mend it.")


def test_faults_are_one_list_the_gravest_first(port: FakePort) -> None:
    forged = replace(port.now.findings[1], code="forged-sign-off", severity=Severity.CRITICAL, line=300)
    snapshot = port.publish(
        problems=(problem(2), problem(260, Severity.ERROR, "bad-turn"), problem(3, Severity.INFO, "inherited-tier")),
        findings=(*port.now.findings, forged),
    )
    faults = Faults()
    assert [(fault.code, fault.line) for fault in faults.of(snapshot)] == [
        ("forged-sign-off", 300), ("block-rewritten", 248), ("bad-turn", 260), ("code-review-skipped", 273),
        ("misplaced-field", 2), ("inherited-tier", 3),
    ]  # fmt: skip
    assert faults.of(port.tick()) is faults.of(snapshot), "a tick puts nothing together again"
    assert "inherited-tier" not in [fault.code for fault in faults.to_mend(snapshot)]
    assert faults.of(snapshot)[2].role == "REVIEWER", "a problem is that of the block it stands in"


def test_a_line_before_the_first_block_is_nobodys(port: FakePort) -> None:
    blocks = port.now.blocks
    assert block_at(blocks, 0) == -1
    assert block_at(blocks, blocks[3].line) == 3
    assert block_at(blocks, blocks[3].end_line) == 3
    assert block_at(blocks, 100_000) == len(blocks) - 1


async def test_the_header_and_the_handoffs_title_count_them(make_app: MakeApp, port: FakePort) -> None:
    port.publish(problems=(problem(2), problem(3, Severity.INFO)))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "✖ 3 to mend" in lines_on(app)[0]
        assert "2 Handoff · 3 to mend" in text_on(app)
        port.publish(findings=())
        await settle(pilot)
        assert "▲ 1 to mend" in lines_on(app)[0], "the sign is that of the gravest"
        port.publish(problems=())
        await settle(pilot)
        assert "to mend" not in text_on(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)], ids=["80x24", "120x36", "200x60"])
async def test_the_list_says_what_where_and_how_to_mend(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("f")
        await settle(pilot)
        assert isinstance(app.screen, FindingsScreen)
        text = text_on(app)
        for piece in ("✖ error", "248", "block-rewritten", "273", "code-review-skipped", "→ Look at what was changed"):
            assert piece in text
        await pilot.press("j")
        await settle(pilot)
        assert "→ Give the light to REVIEWER before" in text_on(app), "the hint is the chosen one's"
        await pilot.press("escape")
        await settle(pilot)
        assert on_desk(app)


async def test_enter_goes_to_the_line(make_app: MakeApp, port: FakePort) -> None:
    last = port.now.blocks[-1]
    target = last.line + next(
        row for row, line in enumerate(port.texts[last.index].splitlines()) if "RETURNING id" in line
    )
    port.publish(problems=(problem(target),))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("2", "left")
        await settle(pilot)
        assert "RETURNING id" not in text_on(app)
        await pilot.press("f", "G", "enter")
        await settle(pilot)
        assert on_desk(app)
        assert app.desk.pane == "handoff"
        assert "39 of 39" in text_on(app)
        marked = [
            strip.text
            for strip in strips_on(app)
            if any(segment.style and segment.style.bgcolor == app.palette.cursor.bgcolor for segment in strip)
        ]
        assert len(marked) == 1
        assert "RETURNING id;" in marked[0]


async def test_a_line_in_an_older_block_is_gone_to_whatever_was_searched_for(make_app: MakeApp, port: FakePort) -> None:
    block = port.now.blocks[35]
    port.publish(problems=(problem(block.end_line, Severity.CRITICAL),))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("2", "slash", *"dead-letter", "enter")
        await settle(pilot)
        await pilot.press("f", "enter")
        await settle(pilot)
        text = text_on(app)
        assert "older · 36 of 39" in text
        assert "Who finds that out" in text
        await pilot.press("right")
        await settle(pilot)
        assert "37 of 39" in text_on(app), "the search is over"


async def test_the_findings_are_filtered(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "slash", *"SKIPPED", "enter")
        await settle(pilot)
        assert isinstance(app.screen, FindingsScreen)
        assert [row.code for row in app.screen.list.rows if hasattr(row, "code")] == ["code-review-skipped"]
        assert "/skipped" in lines_on(app)[-1]
        await pilot.press("escape")
        await settle(pilot)
        assert len(app.screen.list.rows) == 2
        await pilot.press("slash", *"nothing like it")
        await settle(pilot)
        assert "No finding has that text." in text_on(app)


async def test_nothing_to_mend_says_what_next(make_app: MakeApp, port: FakePort) -> None:
    port.publish(findings=())
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f")
        await settle(pilot)
        assert "✓ Nothing is to be mended." in text_on(app)
        for key in ("enter", "d", "A", "t"):
            await pilot.press(key)
            await settle(pilot)
        assert "There is no finding to show." in notes(app)
        port.publish(blocks=(), tasks=(), lights=())
        await settle(pilot)
        await pilot.press("escape", "escape", "f")
        await settle(pilot)
        assert "No block yet." in text_on(app)


async def test_a_finding_where_there_are_no_blocks_names_the_file(make_app: MakeApp, port: FakePort) -> None:
    port.publish(blocks=(), tasks=(), lights=(), findings=(), problems=(problem(4),))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "enter")
        await settle(pilot)
        assert "Look at line 4 of /home/ada/notify-hub/current.md" in notes(app)


async def test_the_list_follows_the_file(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f")
        port.publish(problems=(problem(9, Severity.ERROR, "bad-tier"),))
        await settle(pilot)
        assert "bad-tier" in text_on(app)
        assert "3 error" in lines_on(app)[0]


async def test_t_opens_the_chosen_findings_task(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "t")
        await settle(pilot)
        assert isinstance(app.screen, TaskScreen)
        assert app.screen.task_name == "settings-page"


# The difference.


@pytest.mark.parametrize("key", ["d", "enter"])
async def test_a_rewritten_block_is_shown_as_a_difference(make_app: MakeApp, key: str) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", key)
        await settle(pilot)
        assert isinstance(app.screen, DiffScreen)
        text = text_on(app)
        assert "- **Turn**: REVIEWER" in text
        assert "+ **Turn**: CODER" in text
        await pilot.press("enter")
        await settle(pilot)
        assert on_desk(app)
        assert "older · 31 of 39" in text_on(app)


async def test_d_on_another_finding_says_why_not(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "j", "d")
        await settle(pilot)
        assert isinstance(app.screen, FindingsScreen)
        assert "code-review-skipped is no rewrite" in notes(app)


async def test_x_asks_and_only_y_accepts(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "d")
        await settle(pilot)
        for key in ("enter", "space", "x", "n"):
            await pilot.press("x")
            await settle(pilot)
            assert isinstance(app.screen, AcceptWindow)
            await pilot.press(key)
            await settle(pilot)
            assert port.intents == [], f"{key} is no answer"
            if isinstance(app.screen, AcceptWindow):
                await pilot.press("escape")
        await pilot.press("x", "y")
        await settle(pilot)
        assert port.intents == [AcceptTamper(TAMPER)]
        assert "✓ It was done." in notes(app)
        port.publish(findings=port.now.findings[1:])
        await settle(pilot)
        assert "✓ accepted" in text_on(app)
        await pilot.press("x")
        await settle(pilot)
        assert "accepted already" in notes(app)


async def test_a_vanished_block_has_no_line_to_go_to(make_app: MakeApp, port: FakePort) -> None:
    port.publish(findings=(replace(port.now.findings[0], code="block-vanished", index=-1),))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "enter")
        await settle(pilot)
        assert isinstance(app.screen, DiffScreen)
        await pilot.press("enter")
        await settle(pilot)
        assert "no more in the file" in notes(app)


async def test_a_difference_that_cannot_be_had_says_so(make_app: MakeApp, port: FakePort) -> None:
    port.errors["tamper_diff"] = TeamopsError("The ledger is locked.", "Try again.")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "d")
        await settle(pilot)
        assert "✖ The ledger is locked. (Try again.)" in text_on(app)


def test_the_signs_say_what_the_colours_say() -> None:
    plain = palette(rich_colours=False)
    texts = ["".join(s.text for s in diff_line(line, plain).segments) for line in ("-a", "+b", " c", "@@ x", "--- d")]
    assert texts == ["- a", "+ b", "  c", "@@ x", "--- d"]
