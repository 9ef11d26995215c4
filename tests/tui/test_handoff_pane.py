"""The handoff pane: the current block, older ones, search."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from msgspec.structs import replace
from textual.strip import Strip

from teamops.model.errors import TeamopsError
from teamops.model.role import DEVELOPER, DIRECTOR
from teamops.model.spend import Spend
from teamops.model.usage import Tokens
from teamops.tui.widgets.handoff import BlockList, BlockView
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, strips_on, text_on


def append(port: FakePort, text: str) -> None:
    """Append a block of the DEVELOPER."""
    last = port.now.blocks[-1]
    block = replace(
        last, index=last.index + 1, role=DEVELOPER, turn=DIRECTOR, line=last.end_line + 1, start=last.end,
        end=last.end + len(text.encode()), digest=f"appended {text}",
    )  # fmt: skip
    port.texts[block.index] = text
    port.publish(blocks=(*port.now.blocks, block))


NEW = "### [DEVELOPER] 2026-03-28 14:47\n\n**Turn**: DIRECTOR\n\n#### What I Did\nOne statement now.\n"


async def test_the_current_block_follows_the_file(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "current · 39 of 39" in text_on(app)
        append(port, NEW)
        await settle(pilot)
        text = text_on(app)
        assert "current · 40 of 40" in text
        assert "One statement now." in text
        assert "[DEVELOPER]" in text
        assert "### " not in text


async def test_the_next_block_draws_the_lines_that_differ(
    make_app: MakeApp, port: FakePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        append(port, NEW)
        await settle(pilot)
        while "One statement now." not in text_on(app):  # on a busy machine
            await pilot.pause()
        drawn: list[int] = []
        real = BlockView.render_line

        def render_line(self: BlockView, y: int) -> Strip:
            drawn.append(y)
            return real(self, y)

        monkeypatch.setattr(BlockView, "render_line", render_line)
        quiet = 0
        while quiet < 3:  # until all that the first one asked for is drawn
            drawn.clear()
            await settle(pilot)
            quiet = 0 if drawn else quiet + 1
        append(port, NEW.replace("One", "Two"))
        await settle(pilot)
        text = text_on(app)
        assert "Two statement now." in text
        assert "One statement now." not in text
        assert "current · 41 of 41" in text
        # Its head says which one it is; of its text one line is another.
        assert len(set(drawn)) == 2, drawn


async def test_a_rewritten_block_is_drawn_again(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        *others, last = port.now.blocks
        port.texts[last.index] = "### [DIRECTOR] 2026-03-28 14:41\n\nRewritten by hand.\n"
        port.publish(blocks=(*others, replace(last, digest="rewritten", complete=False)))
        await settle(pilot)
        assert "Rewritten by hand." in text_on(app)
        assert "◔ still being written" in text_on(app)


async def test_an_older_block_stays_while_the_file_grows(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("2", "left_square_bracket")
        await settle(pilot)
        assert "older · 38 of 39" in text_on(app)
        assert "dead-letter list stand" in text_on(app)
        append(port, NEW)
        await settle(pilot)
        assert "older · 38 of 40" in text_on(app)
        await pilot.press("right")
        await settle(pilot)
        assert "older · 39 of 40" in text_on(app)
        await pilot.press("full_stop")
        await settle(pilot)
        assert "current · 40 of 40" in text_on(app)
        append(port, NEW.replace("One", "Two"))
        await settle(pilot)
        assert "current · 41 of 41" in text_on(app)


async def test_the_list_of_blocks_opens_one(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("2", "b")
        await settle(pilot)
        assert "03-28 14:03 DEVELOPER →DIRECTOR" in text_on(app)
        await pilot.press("j", "j", "enter")
        await settle(pilot)
        text = text_on(app)
        assert "older · 37 of 39" in text
        assert "Designed the retries" in text
        await pilot.press("G")
        await settle(pilot)
        assert "A test per row of the table" in text_on(app), "the block scrolls to its end"
        assert "### [DEVELOPER] this heading is code" in text_on(app)
        await pilot.press("b", "G", "enter")
        await settle(pilot)
        assert "older · 1 of 39" in text_on(app)
        assert "Step 1 of the settings page." in text_on(app)


async def test_search_finds_text_in_any_block(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("2", "slash", *"STEP 2", "enter")
        await settle(pilot)
        lines = [line for line in lines_on(app) if "settings-page" in line and "→" in line]
        assert len(lines) == 11, "steps 2 and 20 to 29, as many as fit"
        assert len(app.desk.handoff.list.rows) == 11
        await pilot.press("n", "enter")
        await settle(pilot)
        text = text_on(app)
        assert "Step 28 of the settings page." in text
        marked = [
            segment.text
            for strip in strips_on(app)
            for segment in strip
            if segment.style is not None and segment.style.bgcolor == app.palette.match.bgcolor
        ]
        assert "".join(marked) == "Step 2"
        await pilot.press("n")
        await settle(pilot)
        assert "Step 27 of the settings page." in text_on(app)
        await pilot.press("N", "N")
        await settle(pilot)
        assert "Step 29 of the settings page." in text_on(app)
        await pilot.press("escape")
        await settle(pilot)
        assert len(app.desk.handoff.list.rows) == 39


async def test_a_search_without_a_hit_says_so(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("2", "slash", *"nowhere to be found", "enter")
        await settle(pilot)
        assert "No block has that text." in text_on(app)
        await pilot.press("escape")
        await settle(pilot)
        assert "No block has that text." not in text_on(app)


async def test_a_search_covers_blocks_that_come_later(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("2", "slash", *"one statement", "enter")
        await settle(pilot)
        before = len(app.desk.handoff.list.rows)
        append(port, NEW)
        await settle(pilot)
        assert len(app.desk.handoff.list.rows) == before + 1


async def test_a_search_that_is_no_longer_wanted_is_not_shown(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        gate = port.gates["block_text"] = threading.Event()
        await pilot.press("2", "slash", *"xyzzy")
        await pilot.press("escape")
        gate.set()
        await settle(pilot)
        assert len(app.desk.handoff.list.rows) == 39
        assert app.desk.filters["handoff"] == ""


@pytest.mark.parametrize(
    ("pane", "typed", "kept", "gone"),
    [
        ("1", "kev", "CODER Kevin", "REVIEWER Sarah"),
        ("3", "permission", "Kevin waits", "Sam is dead"),
        ("4", "refused", "a dialog is open", "restarted in pane"),
    ],
    ids=["agents", "alerts", "events"],
)
async def test_slash_filters_the_focused_pane(make_app: MakeApp, pane: str, typed: str, kept: str, gone: str) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(pane, "slash", *typed)
        await settle(pilot)
        assert kept in text_on(app)
        assert gone not in text_on(app)
        await pilot.press("enter")
        await settle(pilot)
        assert f"/{typed}" in lines_on(app)[-1], "the key bar says that a filter is on"
        assert gone not in text_on(app)
        await pilot.press("escape")
        await settle(pilot)
        assert gone in text_on(app)


async def test_a_block_that_is_gone_is_a_note(make_app: MakeApp, port: FakePort) -> None:
    port.errors["block_text"] = TeamopsError("That block is no longer in the file.", "Choose another.")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert any("no longer in the file" in note.message for note in app._notifications)
        port.errors.clear()
        append(port, NEW)
        await settle(pilot)
        assert "One statement now." in text_on(app)


async def test_the_text_is_broken_anew_for_a_new_width(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.resize_terminal(50, 24)
        await settle(pilot)
        line = next(line for line in lines_on(app) if "All gates hold" in line)
        assert "take the" not in line
        await pilot.resize_terminal(200, 60)
        await settle(pilot)
        line = next(line for line in lines_on(app) if "All gates hold" in line)
        assert "take the" in line


@pytest.mark.parametrize("size", [(80, 24), (130, 40)], ids=["80x24", "130x40"])
async def test_a_block_and_its_line_tell_what_was_used_for_it(
    make_app: MakeApp, port: FakePort, size: tuple[int, int]
) -> None:
    newest = port.now.blocks[-1]
    port.publish(spent={newest.index: Spend(3, Tokens(output=9), Decimal("0.77"), 4)})
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("2")
        await settle(pilot)
        assert f"$0.77+? · current · {newest.index + 1} of" in text_on(app)
        await pilot.press("b")
        await settle(pilot)
        assert any(newest.role in line and "$0.77+?" in line for line in lines_on(app))
        port.publish(spent={newest.index: Spend(4, Tokens(output=9), Decimal("1.25"))})
        await settle(pilot)
        assert "$1.25" in text_on(app)
        assert "$0.77" not in text_on(app)


@pytest.mark.parametrize("further", [0, 3], ids=["at the newest", "further down"])
async def test_a_block_that_comes_draws_its_own_line_in_the_list(
    make_app: MakeApp, port: FakePort, monkeypatch: pytest.MonkeyPatch, further: int
) -> None:
    app = make_app()
    async with app.run_test(size=(240, 60)) as pilot:
        await settle(pilot)
        app.desk.handoff.list.move_to(further)
        await settle(pilot)
        drawn: list[object] = []
        real = BlockList.draw

        def draw(self: BlockList, row: object, width: int, *, chosen: bool) -> list[Strip]:
            drawn.append(getattr(row, "index", None))
            return real(self, row, width, chosen=chosen)

        monkeypatch.setattr(BlockList, "draw", draw)
        append(port, NEW)
        await settle(pilot)
        told = lines_on(app)
        # The cursor's own line, and that which it has left; where it stays on its row, the two are one.
        assert set(drawn) == ({39, 38} if not further else {39, 38 - further})
        app.desk.handoff.list.redraw()
        await settle(pilot)
        assert lines_on(app) == told, "what was kept is what would be drawn"


async def test_a_block_that_was_gone_for_a_while_is_shown_again(make_app: MakeApp, port: FakePort) -> None:
    """A replay goes back to before the first block, and on again."""
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        append(port, NEW)
        await settle(pilot)
        blocks = port.now.blocks
        port.publish(blocks=())
        await settle(pilot)
        assert "One statement now." not in text_on(app)
        port.publish(blocks=blocks)
        await settle(pilot)
        assert "current · 40 of 40" in text_on(app)
        assert "One statement now." in text_on(app)
