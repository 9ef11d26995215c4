"""The report's screen: day by day, read to its end on a small terminal, loaded beside the screen."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from textual.containers import VerticalScroll
from textual.screen import Screen

from teamops.model.day_report import DayReport
from teamops.model.errors import TeamopsError
from teamops.tui import keys
from teamops.tui.app import TeamopsApp
from teamops.tui.believable_day import believable_day_report
from teamops.tui.screens.report import ReportScreen
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, strips_on, text_on
from tests.tui.test_hostile import GROUPS

SIZES = [(80, 24), (150, 45)]


def top(app: TeamopsApp) -> Screen[object]:
    return app.screen


def report_of(app: TeamopsApp) -> ReportScreen:
    screen = top(app)
    assert isinstance(screen, ReportScreen)
    return screen


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "150x45"])
async def test_it_shows_the_present_day_and_all_of_it_can_be_read(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("D")
        await settle(pilot)
        screen = report_of(app)
        assert str(screen.wanted) in text_on(app)
        seen = text_on(app)
        for _ in range(40):
            await pilot.press("space")
            await settle(pilot)
            seen += "\n" + text_on(app)
        text = " ".join(seen.split())
        for piece in ("Needs you", "Alive the whole time?", "down 1 h 20 min in 2 gaps", "The team", "1 of tier 2",
                      "Cost per task", "in all", "A sign is half an hour", "REVIEWER"):  # fmt: skip
            assert piece in text, piece
        assert all(strip.cell_length == size[0] for strip in strips_on(app))
        await pilot.press("g")
        await settle(pilot)
        assert screen.query_one(VerticalScroll).scroll_y == 0
        await pilot.press("G")
        await settle(pilot)
        assert screen.query_one(VerticalScroll).scroll_y > 0
        await pilot.press("k", "up", "pageup", "j", "down", "escape")
        await settle(pilot)
        assert not isinstance(top(app), ReportScreen)


async def test_brackets_and_arrows_go_from_day_to_day(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("D")
        await settle(pilot)
        present = report_of(app).wanted
        for key, back in (("left", 1), ("left_square_bracket", 2), ("right", 1), ("right_square_bracket", 0)):
            await pilot.press(key)
            await settle(pilot)
            day = present - timedelta(days=back)
            assert report_of(app).report is not None
            assert f"Report {day}" in lines_on(app)[0]
        number = port.asked.count("day_report")
        await pilot.press("right")
        await settle(pilot)
        assert "That is today" in "\n".join(note.message for note in app._notifications)
        assert port.asked.count("day_report") == number


async def test_w_shows_seven_days_and_arrows_then_go_by_weeks(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("D", "w")
        await settle(pilot)
        present = report_of(app).wanted
        assert f"{present - timedelta(days=6)} to {present}" in lines_on(app)[0]
        assert f"{present - timedelta(days=6):%m-%d} " in text_on(app)
        await pilot.press("left")
        await settle(pilot)
        assert report_of(app).wanted == present - timedelta(days=7)
        await pilot.press("w")
        await settle(pilot)
        assert f"Report {present - timedelta(days=7)} " in lines_on(app)[0]


async def test_a_slow_report_is_waited_for_beside_the_screen(make_app: MakeApp, port: FakePort) -> None:
    port.gates["day_report"] = threading.Event()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("D")
        await pilot.pause()
        assert "Reading what is on record" in text_on(app)
        await pilot.press("left")
        await pilot.pause()
        wanted = report_of(app).wanted
        assert str(wanted) in lines_on(app)[0]
        port.gates["day_report"].set()
        await settle(pilot)
        report = report_of(app).report
        assert report is not None
        assert report.days == (wanted,), "the answer about the other day came too late"


async def test_a_report_that_cannot_be_told_says_why_and_heals(make_app: MakeApp, port: FakePort) -> None:
    port.errors["day_report"] = TeamopsError("the ledger is damaged", "move it aside")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("D")
        await settle(pilot)
        assert "✖ it can't be told: the ledger is damaged" in text_on(app)
        assert not app._notifications
        port.errors.clear()
        report_of(app)._look_again()
        await settle(pilot)
        assert "damaged" not in text_on(app)
        assert "Needs you" in text_on(app)


def empty(report: DayReport) -> DayReport:
    return replace(report, empty=True, agents=())


async def test_a_day_without_anything_names_what_to_do(make_app: MakeApp, port: FakePort) -> None:
    port.day = empty(believable_day_report(port.now))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("D")
        await settle(pilot)
        text = " ".join(text_on(app).split())
        assert "Nothing is on record of this day" in text
        assert "u starts an agent" in text


async def test_only_the_present_day_is_asked_for_again(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("D")
        await settle(pilot)
        number = port.asked.count("day_report")
        report_of(app)._look_again()
        await settle(pilot)
        assert port.asked.count("day_report") == number + 1
        await pilot.press("left")
        await settle(pilot)
        number = port.asked.count("day_report")
        report_of(app)._look_again()
        await settle(pilot)
        assert port.asked.count("day_report") == number


async def test_days_are_those_of_the_budgets_timezone(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        app.settings = replace(app.settings, timezone="Pacific/Kiritimati")
        await pilot.press("D")
        await settle(pilot)
        from zoneinfo import ZoneInfo

        wall = port.now.stamp.wall
        assert report_of(app).wanted == datetime.fromtimestamp(wall, ZoneInfo("Pacific/Kiritimati")).date()


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "150x45"])
@pytest.mark.parametrize("group", GROUPS)
async def test_words_from_outside_are_shown_never_obeyed(
    make_app: MakeApp, port: FakePort, group: str, size: tuple[int, int]
) -> None:
    bad = GROUPS[group]
    base = believable_day_report(port.now)
    agents = tuple(
        replace(
            agent,
            name=bad,
            answers=tuple(replace(one, words=bad) for one in agent.answers),
            episodes=tuple(replace(one, message=bad, do=bad) for one in agent.episodes),
        )
        for agent in base.agents
    )
    team = replace(
        base.team,
        tasks=tuple(replace(task, task=bad) for task in base.team.tasks),
        costs=tuple((bad, spend) for _, spend in base.team.costs),
        lines=tuple((what, bad) for what, _ in base.team.lines),
    )
    port.day = replace(base, agents=agents, team=team)
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("D")
        await settle(pilot)
        for key in ("space", "space", "G"):
            await pilot.press(key)
            await settle(pilot)
            assert all(strip.cell_length == size[0] for strip in strips_on(app))
        assert isinstance(top(app), ReportScreen)


async def test_its_keys_are_in_the_help_and_it_opens_from_other_screens(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 190)) as pilot:
        await pilot.press("D", "question_mark")
        await settle(pilot)
        text = " ".join(text_on(app).replace("│", " ").split())
        for act_id in ("day_report", "earlier_day", "later_day", "period"):
            assert keys.act(act_id).help[:40] in text
        for way in ("f", "T", "enter", "dollar_sign"):
            await pilot.press("escape", "escape", way, "D")
            await settle(pilot)
            assert isinstance(top(app), ReportScreen), way
            await pilot.press("D")
            await settle(pilot)
            assert isinstance(top(app), ReportScreen)
            await pilot.press("q")
            await settle(pilot)
            assert not isinstance(top(app), ReportScreen)
