"""The cost screen at every size, with and without figures."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from teamops.model.cost_report import Burn, CostReport, Share, Verdict
from teamops.model.errors import TeamopsError
from teamops.model.spend import Spend
from teamops.model.usage import Tokens
from teamops.tui import keys
from teamops.tui.app import TeamopsApp
from teamops.tui.believable import believable
from teamops.tui.believable_cost_report import believable_cost_report
from teamops.tui.cost_lines import VERDICTS
from teamops.tui.plots import LOWEST, NARROWEST, Bars, bars_of, draw, trace_of
from teamops.tui.screens.costs import PARTS, CostScreen
from teamops.tui.screens.detail import Detail
from teamops.tui.screens.reading import ReadingWindow
from teamops.tui.screens.task import TaskScreen
from teamops.tui.theme import palette
from teamops.tui.widgets.cost_rows import bar_of
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, strips_on, text_on
from tests.tui.test_hostile import GROUPS

SIZES = [(80, 24), (150, 45)]
RICH = palette(rich_colours=True)
EMPTY = CostReport(
    wall=1_774_800_000.0,
    timezone="",
    day_since_wall=1_774_742_400.0,
    day_until_wall=1_774_828_800.0,
    burn=Burn(hour_usd=None, day_usd=None, forecast_usd=None, limit_usd=None, verdict=Verdict.NO_BUDGET),
)


def top(app: TeamopsApp) -> object:
    return app.screen


def costs(app: TeamopsApp) -> CostScreen:
    screen = top(app)
    assert isinstance(screen, CostScreen)
    return screen


def looks(screen: CostScreen) -> bool:
    """Return whether it asks again and again."""
    return screen._looking is not None and screen._looking[0]._active.is_set()


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "150x45"])
async def test_totals_rate_and_forecast_stand_at_the_top(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        head = " ".join(lines_on(app)[:4])
        for told in (
            "today $19.00", "7 days $147.00", "30 days $391.00", "$3.40/h in the last hour, $1.31/h today",
            "▲ $51.30 by the day's end, over the day's budget of $40.00: spent at ",
        ):  # fmt: skip
            assert told in head
        assert all(strip.cell_length == size[0] for strip in strips_on(app))
        await pilot.press("escape")
        await settle(pilot)
        assert app.screen is app.desk


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "150x45"])
async def test_each_part_is_there_at_each_size(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        for place, told in enumerate(
            ("DEVELOPER I", "gpt-5.2-codex", "without a light", "$ per hour, today", "OPTIMIZER: 41,200"), 1
        ):
            await pilot.press(str(place))
            await settle(pilot)
            assert told in text_on(app), PARTS[place - 1]
            assert ("$ per hour, today" in text_on(app)) == (size[0] > 100 or place == 4)


@pytest.mark.parametrize("key", ["tab", "shift+tab"])
async def test_tab_goes_through_all_parts(make_app: MakeApp, key: str) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        seen = []
        for _ in PARTS:
            seen.append(costs(app).part)
            await pilot.press(key)
            await settle(pilot)
            assert app.screen.focused is costs(app)._widgets()[costs(app).part]
        assert sorted(seen) == sorted(PARTS)
        assert costs(app).part == PARTS[0]


async def test_w_shows_tokens_bars_and_plot_of_the_next_span(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(150, 45)) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        for mark, title, tokens in (
            ("▾today", "$ per hour, today", "489k"),
            ("▾7 days", "$ per day, 7 days; the line is a day's budget", "3.8M"),
            ("▾30 days", "$ per day, 30 days; the line is a day's budget", "10M"),
            ("▾today", "$ per hour, today", "489k"),
        ):
            text = text_on(app)
            assert mark in text
            assert title in text
            assert tokens in next(line for line in lines_on(app) if "DIRECTOR" in line)
            await pilot.press("w")
            await settle(pilot)


async def test_what_has_no_price_is_a_question_mark(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("dollar_sign", "2")
        await settle(pilot)
        line = next(line for line in lines_on(app) if "house-model" in line)
        assert line.split()[1:5] == ["?", "?", "?", "48k"]


async def test_enter_opens_the_agent_the_task_or_the_runaway(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        screen = top(app)
        assert isinstance(screen, Detail)
        assert screen.role == "DIRECTOR"
        await pilot.press("escape", "3", "enter")
        await settle(pilot)
        assert isinstance(top(app), TaskScreen)
        assert "webhook-retries" in text_on(app)
        await pilot.press("dollar_sign")
        await settle(pilot)
        assert costs(app).part == "tasks", "the screen that is open is gone back to"
        await pilot.press("5", "down", "enter")
        await settle(pilot)
        assert isinstance(top(app), ReadingWindow)
        text = text_on(app)
        assert "OPTIMIZER: 41,200 tokens/min, 206 times its usual 200" in text
        assert "tokens per minute; the line is the limit" in text
        assert "█" in text
        await pilot.press("pagedown")
        await settle(pilot)
        assert "began" in text_on(app)


async def test_what_opens_nothing_says_so(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    gone = Share("GONE", Spend(), Spend(), Spend(1, Tokens(input=5), Decimal(900)))
    base = believable_cost_report(port.now)
    port.costs = replace(base, agents=(gone, *base.agents), tasks=(replace(gone, name="old-task"), *base.tasks))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        for part, told in (
            ("1", "GONE is no longer in the team"),
            ("2", "no more to tell of it"),
            ("3", "no longer in the handoff file"),
        ):
            await pilot.press(part, "enter")
            await settle(pilot)
            assert told in "\n".join(note.message for note in app._notifications)
            assert isinstance(top(app), CostScreen)
        await pilot.press("3", "end", "enter")
        await settle(pilot)
        assert isinstance(top(app), CostScreen)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "150x45"])
async def test_without_costs_it_names_what_to_do(make_app: MakeApp, port: FakePort, size: tuple[int, int]) -> None:
    port.costs = EMPTY
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        for part in "1234":
            await pilot.press(part)
            await settle(pilot)
            assert "Nothing was used in the last 30 days." in text_on(app)
            assert "teamops usage" in text_on(app)
        assert "no forecast; the team has no budget for a day" in text_on(app)
        await pilot.press("5")
        await settle(pilot)
        assert "No agent ever ran away." in text_on(app)
        assert "[spike] in teamops.toml" in text_on(app)
        port.costs = None
        costs(app)._look()
        await settle(pilot)
        await pilot.press("1")
        await settle(pilot)
        assert "$5.43" in text_on(app)


async def test_costs_that_cannot_be_told_say_so_and_heal(make_app: MakeApp, port: FakePort) -> None:
    port.errors["cost_report"] = TeamopsError("the ledger is damaged", "move it aside")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        for part in "145":
            await pilot.press(part)
            await settle(pilot)
            assert text_on(app).count("the ledger is damaged") == 2
        assert not app._notifications
        port.errors.clear()
        costs(app)._look()
        await settle(pilot)
        assert "the ledger is damaged" not in text_on(app)
        port.errors["cost_report"] = TeamopsError("the ledger is damaged", "move it aside")
        costs(app)._look()
        await settle(pilot)
        assert "✖ costs can't be told: the ledger is damaged" in text_on(app)
        assert "OPTIMIZER: 41,200" in text_on(app), "what is known stays"


async def test_a_slow_ledger_is_asked_for_once_at_a_time_and_blocks_nothing(make_app: MakeApp, port: FakePort) -> None:
    port.gates["cost_report"] = threading.Event()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("dollar_sign")
        await pilot.pause()
        for _ in range(3):
            costs(app)._look()
            await pilot.press("tab")
        assert port.asked.count("cost_report") == 1
        assert "Adding up" in text_on(app)
        port.gates["cost_report"].set()
        await settle(pilot)
        assert "$19.00" in text_on(app)


async def test_nothing_is_asked_under_another_window(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        screen = costs(app)
        await pilot.press("question_mark")
        await settle(pilot)
        assert not looks(screen)
        number = port.asked.count("cost_report")
        await pilot.press("escape")
        await settle(pilot)
        assert looks(screen)
        assert port.asked.count("cost_report") == number + 1


async def test_figures_that_stay_are_drawn_once(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(150, 45)) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        number = app._tickets["plot"]
        costs(app)._look()
        await settle(pilot)
        assert app._tickets["plot"] == number
        base = believable_cost_report(port.now)
        port.costs = replace(base, hours=base.hours[:-1])
        costs(app)._look()
        await settle(pilot)
        assert app._tickets["plot"] == number + 1


async def test_a_terminal_that_grows_shows_the_plot_beside(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        assert "$ per hour, today" not in text_on(app)
        await pilot.resize_terminal(150, 45)
        await settle(pilot)
        assert "$ per hour, today" in text_on(app)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "$ per hour, today" not in text_on(app)
        assert "DIRECTOR Max" in text_on(app)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "150x45"])
@pytest.mark.parametrize("group", GROUPS)
async def test_names_from_outside_are_shown_never_obeyed(
    make_app: MakeApp, port: FakePort, group: str, size: tuple[int, int]
) -> None:
    bad = GROUPS[group]
    base = believable_cost_report(port.now)
    shares = (replace(base.tasks[0], name=bad), *base.tasks[1:])
    spikes = tuple(structs.replace(one, why=bad) for one in base.spikes)
    port.costs = replace(base, models=shares, tasks=shares, agents=shares, spikes=spikes)
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.press("dollar_sign")
        await settle(pilot)
        for part in "12345":
            await pilot.press(part)
            await settle(pilot)
            assert all(strip.cell_length == size[0] for strip in strips_on(app))
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(top(app), ReadingWindow)
        assert all(strip.cell_length == size[0] for strip in strips_on(app))


async def test_every_verdict_has_a_symbol_of_its_own_and_words(make_app: MakeApp, port: FakePort) -> None:
    assert set(VERDICTS) == set(Verdict)
    assert len({symbol for symbol, _ in VERDICTS.values()}) == len(Verdict)
    base = believable_cost_report(port.now)
    app = make_app(colours="plain")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("dollar_sign")
        for verdict, words in (
            (Verdict.WITHIN, "✓ $51.30 by the day's end, within the day's budget"),
            (Verdict.SPENT, "■ $51.30 by the day's end; the day's budget of $40.00 is spent"),
        ):
            port.costs = replace(base, burn=replace(base.burn, verdict=verdict, spent_by_wall=None))
            costs(app)._look()
            await settle(pilot)
            assert words in " ".join(line.strip() for line in lines_on(app)[:5])


async def test_its_keys_are_in_the_help_and_work_from_other_screens(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 230)) as pilot:
        await pilot.press("dollar_sign", "question_mark")
        await settle(pilot)
        text = " ".join(text_on(app).replace("│", " ").split())
        for act_id in ("costs", "span"):
            assert keys.act(act_id).help[:40] in text
        assert "✓ ▲ ■ of the forecast on the cost screen" in text
        for way in ("f", "T", "enter"):
            await pilot.press("escape", "escape", way, "dollar_sign")
            await settle(pilot)
            assert isinstance(top(app), CostScreen), way
            await pilot.press("escape")
            await settle(pilot)


# Plots.


@pytest.mark.parametrize("width", [NARROWEST, 40, 78, 200])
@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_plot_keeps_to_its_room(width: int, days: int) -> None:
    report = believable_cost_report(believable())
    for height in (LOWEST, 15, 60):
        lines = draw(bars_of(report, days), width, height, RICH)
        assert len(lines) <= height
        assert max(line.width for line in lines) <= max(width, len(bars_of(report, days).title))


def test_a_plot_without_room_says_so() -> None:
    lines = draw(Bars(title="t", values=(1.0,), ticks={}), NARROWEST - 1, 20, RICH)
    assert "no room" in lines[0].segments[0].text


@pytest.mark.parametrize("values", [(), (0.0,), (0.0, 0.0), (1e-12, 5e9), (3.0,) * 300])
def test_any_figures_can_be_plotted(values: tuple[float, ...]) -> None:
    assert len(draw(Bars(title="t", values=values, ticks={0: "a"}), 60, 12, RICH)) > 3


@pytest.mark.parametrize("days", [1, 7, 30])
def test_the_highest_bar_is_the_dearest_hour_or_day(days: int) -> None:
    report = believable_cost_report(believable())
    bars = bars_of(report, days)
    periods = report.hours if days == 1 else report.days[-days:]
    assert bars.values == tuple(float(one.spend.cost_usd) for one in periods)
    plain = replace(bars, limit=None)
    lines = ["".join(part.text for part in line.segments) for line in draw(plain, 100, 20, RICH)]
    assert f"${max(bars.values):.2f}" in lines[1]
    assert "█" in lines[1] + lines[2] or "▄" in lines[1]


def test_a_budget_far_above_is_no_line_that_presses_the_bars_flat() -> None:
    report = believable_cost_report(believable())
    rich = replace(report, burn=replace(report.burn, limit_usd=Decimal(1000)))
    assert bars_of(report, 30).limit == 40
    assert bars_of(rich, 30).limit is None
    assert "budget" not in bars_of(rich, 30).title
    assert bars_of(report, 1).limit is None, "a day's budget says nothing of an hour"


def test_a_trace_is_tokens_per_minute_from_before_it_on() -> None:
    record = believable_cost_report(believable()).spikes[-1]
    assert record.ended_wall is not None
    bars = trace_of(record, record.ended_wall + 999, 72)
    span = (record.ended_wall - record.began_wall + 600) / len(bars.values) / 60
    assert round(sum(bars.values) * span) == sum(tokens for _, tokens in record.trace)
    assert bars.limit == record.threshold
    assert "began" in bars.ticks.values()


@pytest.mark.parametrize(
    ("value", "most", "cells"), [("0", "5", ""), ("5", "5", "████"), ("2.5", "5", "██"), ("0.0001", "5", "▏")]
)
def test_a_bar_is_a_share_of_the_longest(value: str, most: str, cells: str) -> None:
    assert bar_of(Decimal(value), Decimal(most), 4) == cells


def test_the_plotting_library_is_not_there_before_the_first_plot() -> None:
    program = (
        "import sys, teamops.tui.app, teamops.tui.screens.costs;"
        "print([m for m in ('plotext', 'textual_plotext', 'genai_prices') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"
