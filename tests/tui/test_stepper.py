"""The stepper: times, rounds and what "done" is worth, in as much room as there is."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from teamops.model.handoff import Stage, Standing
from teamops.model.protocol import StageTime
from teamops.tui.stepper import stepper, stepper_lines
from teamops.tui.theme import palette
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle

RICH = palette(rich_colours=True)
STAGES = (
    StageTime(Stage.DESIGN, 2520.0, 1, current=False),
    StageTime(Stage.IMPLEMENT, 3900.0, 2, current=True),
    StageTime(Stage.VERIFY, 600.0, 1, current=False),
)


def drawn(width: int, tier: int | None = 2, stage: Stage = Stage.IMPLEMENT, standing: Standing = Standing.OPEN) -> str:
    line = stepper(tier, stage, STAGES, 1, standing, RICH, width)
    return "".join(segment.text for segment in line.segments)


@pytest.mark.parametrize(
    ("width", "whole"),
    [
        (80, "tier 2  ✓ design 42m ─ ● implement 1h05 \u00d72 ─ ○ verify 10m  round 2"),
        (60, "tier 2  ✓ design 42m ─ ● implement 1h05 \u00d72 ─ ○ verify 10m"),
        (50, "tier 2  ✓ design ─ ● implement 1h05 \u00d72 ─ ○ verify"),
        (47, "tier 2  ✓ design ● implement 1h05 \u00d72 ○ verify"),
        (43, "tier 2  ✓ design ─ ● implement ─ ○ verify"),
        (40, "T2 ✓ design ● implement 1h05 \u00d72 ○ verify"),
        (36, "T2 ✓ design ● implement ○ verify"),
        (28, "T2 ✓ ● implement 1h05 \u00d72 ○"),
        (5, "T2 ✓ ● implement ○"),
    ],
)
def test_times_go_first_then_names(width: int, whole: str) -> None:
    assert drawn(width) == whole


@pytest.mark.parametrize(
    ("tier", "stage", "whole"),
    [
        (None, Stage.IMPLEMENT, "no tier  ● implement 1h05 \u00d72  round 2"),
        (2, Stage.CLOSED, "tier 2  ✓ design 42m ─ ✓ implement 1h05 \u00d72 ─ ✓ verify 10m  ✓ closed  round 2"),
        (1, Stage.CONSULT, "tier 1  ○ design 42m  ◆ consult  round 2"),
        (9, Stage.DESIGN, "tier 9  ● design 42m  round 2"),
    ],
)
def test_stages_off_the_pipeline_stand_behind_it(tier: int | None, stage: Stage, whole: str) -> None:
    assert drawn(200, tier, stage) == whole


def test_done_is_loud_where_it_is_not_proven() -> None:
    assert drawn(200, standing=Standing.DOUBTED).startswith("▲ done? not proven  tier 2")
    assert drawn(30, standing=Standing.DOUBTED).startswith("▲ done?  T2")
    assert drawn(200, standing=Standing.DONE).startswith("✓ done  tier 2")


@pytest.mark.parametrize("width", [20, 30, 50, 76, 200])
def test_the_whole_stepper_takes_as_many_lines_as_it_needs(width: int) -> None:
    lines = stepper_lines(2, Stage.IMPLEMENT, STAGES, 1, Standing.DOUBTED, RICH, width)
    text = " ".join(" ".join("".join(segment.text for segment in line.segments).split()) for line in lines)
    assert text == "▲ done? not proven tier 2 ✓ design 42m ─ ● implement 1h05 \u00d72 ─ ○ verify 10m round 2"
    if width >= 50:
        assert all(line.width <= width for line in lines)


@pytest.mark.parametrize(
    ("size", "piece"),
    [
        ((200, 60), "● implement 4h05 \u00d73 ─ ○ code-review 1h05 \u00d72 ─ ○ confirm ─ ○ sign-off  round 3"),
        ((120, 36), "● implement 4h05 \u00d73 ○ code-review"),
        ((80, 24), "T3 ✓ design ✓ d-rev ● implement ○ c-rev ○ conf ○ sign"),
    ],
    ids=["200x60", "120x36", "80x24"],
)
async def test_the_header_has_times_where_there_is_room(make_app: MakeApp, size: tuple[int, int], piece: str) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert piece in lines_on(app)[2]


@pytest.mark.parametrize("width", [80, 120])
async def test_the_header_says_done_with_its_question_mark(make_app: MakeApp, port: FakePort, width: int) -> None:
    port.publish(lights=tuple(replace(light, standing=Standing.DOUBTED) for light in port.now.lights))
    app = make_app()
    async with app.run_test(size=(width, 24)) as pilot:
        await settle(pilot)
        assert "▲ done?" in lines_on(app)[2]
        assert "● implement" in lines_on(app)[2]
        assert "+1 more" in lines_on(app)[2]
