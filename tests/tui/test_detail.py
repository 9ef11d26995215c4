"""An agent's own screen: its parts at every size, its memory off the UI thread, what it says where there is nothing."""

from __future__ import annotations

import threading

import pytest
from msgspec.structs import replace
from textual.geometry import Region
from textual.pilot import Pilot
from textual.widget import Widget

from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.agent_report import AgentReport, DeliveryStage, ProcessNode
from teamops.model.errors import TeamopsError
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, PARTNER
from teamops.model.snapshot import SupervisorView
from teamops.tui.agent_lines import axis, evidence_lines, hour_lines, overview_lines
from teamops.tui.agent_words import STAGES, after, moment
from teamops.tui.app import TeamopsApp
from teamops.tui.believable import believable
from teamops.tui.believable_agent import believable_agent_report
from teamops.tui.rules import WATCH_ONLY
from teamops.tui.screens.detail import PARTS, Detail
from teamops.tui.screens.poke import PokeWindow
from teamops.tui.screens.reading import ReadingWindow
from teamops.tui.screens.remembered import spike_window
from teamops.tui.spike_lines import course, course_lines
from teamops.tui.strips import Line
from teamops.tui.theme import palette
from teamops.tui.widgets.agent_rows import ProcessList
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on

RICH = palette(rich_colours=True)
SIZES = [(80, 24), (120, 36), (200, 60)]
IDS = [f"{width}x{height}" for width, height in SIZES]


def told(lines: list[Line]) -> str:
    return "\n".join("".join(segment.text for segment in line.segments).rstrip() for line in lines)


def told_of(detail: Detail) -> str:
    """Return the role whose memory is shown; empty while none has come."""
    return detail.report.role if detail.report is not None else ""


def looks(detail: Detail) -> bool:
    """Return whether the screen looks every second."""
    return detail._looking is not None and detail._looking[0]._active.is_set()


async def open_agent(pilot: Pilot[None], *keys: str) -> Detail:
    """Open DEVELOPER, and press ``keys``."""
    await settle(pilot)
    app = pilot.app
    assert isinstance(app, TeamopsApp)
    app.open_detail(DEVELOPER)
    await settle(pilot)
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
    assert isinstance(app.screen, Detail)
    return app.screen


PIECES = {
    "1": ("▸ hook           3s  Bash: pytest", "▲ 4 GB in about 5 h", "may write: *; never: /reviews/"),
    "2": ("cost so far", "45 of 60 minutes", "┬", "12k tokens in the last minute"),
    "3": ("● Running pytest -q",),
    "4": (
        "◔ typed", "→ typed +0.3s → accepted +0.9s → working +14s", "proof: hook UserPromptSubmit",
        "? unproven", "by rule", "· line 2 ·", "✖ refused", "by you", "nothing was submitted: a dialog is open",
    ),
    "5": (
        "✓ restarted  dead: exit status 37", "by rule, attempt 1 of 2  before: ended by itself", "✖ failed",
        "by you, not counted", "… under way or cut off", "by rule, attempt 2 of 2",
    ),
    "7": (
        "⇈ lasts 2m     41,200 tokens/min, 206 times its usual 200", "96k tokens, $1.68 in it", "✓ over in 4m",
        "23,400 tokens/min (limit without any hi",
    ),
    "6": ("4108  sleeping       312M      2m  claude", "    └ pytest", "ended            0K    0.0s      └ git"),
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=IDS)
async def test_each_part_is_there_at_each_size(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await open_agent(pilot)
        for key, pieces in PIECES.items():
            await pilot.press(key)
            await settle(pilot)
            text = text_on(app)
            for piece in pieces:
                assert piece in text, (key, piece)
            assert "DEVELOPER Isabelle   ● working   its turn on webhook-retries" in text
            assert f"▸{key} " in text, "the chosen part is marked by more than a colour"
            assert ("Evidence  best first" in text) == (key == "1" or size[0] >= 120)
            assert all(len(line) <= size[0] for line in lines_on(app))
        await pilot.press("1", "G")
        await settle(pilot)
        for piece in ("held by     the kernel: bwrap + Landlock", "refused     nothing", "by teamops", "0b6f1c9e-52d7"):
            assert piece in text_on(app), "the overview scrolls where it is short of lines"


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=["80x24", "200x60"])
async def test_tab_goes_through_all_parts_and_back(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        detail = await open_agent(pilot)
        seen = []
        for _ in PARTS:
            seen.append(detail.part)
            assert app.focused is detail._widgets()[detail.part]
            await pilot.press("tab")
            await settle(pilot)
        assert tuple(seen) == PARTS
        assert detail.part == "overview"
        await pilot.press("shift+tab")
        await settle(pilot)
        assert detail.part == "spikes"


async def test_a_click_on_a_title_shows_its_part(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        detail = await open_agent(pilot)
        y, line = next((y, line) for y, line in enumerate(lines_on(app)) if "5 Restarts" in line)
        await pilot.click(offset=(line.index("5 Restarts"), y))
        await settle(pilot)
        assert detail.part == "restarts"


async def test_a_screen_that_grows_shows_two_parts(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_agent(pilot, "4")
        assert "Evidence  best" not in text_on(app)
        await pilot.resize_terminal(120, 36)
        await settle(pilot)
        assert "Evidence  best" in text_on(app)
        assert "◔ typed" in text_on(app)
        await pilot.press("1")
        await settle(pilot)
        assert "▹4 Pokes (5)" in text_on(app), "what stands beside the overview is marked too"
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert "◔ typed" not in text_on(app)


# One thing in full.


async def test_enter_opens_a_restart_with_its_last_screen_and_notes(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_agent(pilot, "5")
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, ReadingWindow)
        text = text_on(app)
        for piece in ("KeyError: 'attempts'", "current.md parses", "0b6f1c9e was resumed", "dead: exit status 37"):
            assert piece in text
        await pilot.press("escape", "j", "enter")
        await settle(pilot)
        assert "None was kept" in text_on(app)
        assert "Nothing out of order." in text_on(app)
        assert "a fresh one" in text_on(app)


async def test_enter_opens_a_poke_with_each_step(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_agent(pilot, "4", "j")
        await pilot.press("enter")
        await settle(pilot)
        text = text_on(app)
        for piece in (
            "typed       ",
            "+14s",
            "proof: hook UserPromptSubmit",
            "webhook-retries#4f2a, line 1",
            "and go on.",
        ):
            assert piece in text
        await pilot.press("escape", "k", "enter")
        await settle(pilot)
        assert text_on(app).count("not so far") == 2


async def test_enter_opens_a_runaway_with_its_figures_and_its_course(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_agent(pilot, "7")
        await pilot.press("enter")
        await settle(pilot)
        text = text_on(app)
        for piece in (
            "⇈ lasts 2m",
            "ended       not so far",
            "200 tokens/min",
            "limit       5,000",
            "96,124 tokens",
        ):
            assert piece in text
        lines = lines_on(app)
        y, rule = next((y, line) for y, line in enumerate(lines) if "──┬──" in line)
        at = rule.index("┬")
        assert lines[y - 1][at] in "▄▅▆▇█"
        assert lines[y - 1][at - 3] in "·▁", "the ten minutes before it were calm"
        began = moment(port.now.stamp.wall - 130.0, port.now.stamp.wall)
        assert f"began {began}" in lines[y + 1]
        assert "to now; a cell is 12 s" in lines[y + 2]
        await pilot.press("escape", "j", "enter")
        await settle(pilot)
        text = text_on(app)
        for piece in ("✓ over in 4m", "usual       nothing was usual yet", "97,500 tokens, $0.84", "a cell is 14 s"):
            assert piece in text


async def test_enter_on_a_process_says_why_nothing_opens(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_agent(pilot, "6", "enter")
        assert any("no more to tell of a process" in note.message for note in app._notifications)


# Agents one after the other.


async def test_brackets_go_from_agent_to_agent(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        detail = await open_agent(pilot, "4", "right_square_bracket")
        assert detail.role == CODER
        assert "It was never poked." in text_on(app)
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        await settle(pilot)
        assert detail.role == PARTNER, "around the end"
        await pilot.press("p")
        await settle(pilot)
        assert not isinstance(app.screen, PokeWindow)
        port.publish(agents=port.now.agents[-1:])
        await settle(pilot)
        await pilot.press("right_square_bracket")
        assert any("no other agent" in note.message for note in app._notifications)


async def test_a_late_answer_about_another_agent_is_dropped(make_app: MakeApp, port: FakePort) -> None:
    gate = port.gates["agent_report"] = threading.Event()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.open_detail(DEVELOPER)
        await pilot.pause()
        detail = app.screen
        assert isinstance(detail, Detail)
        assert "Looking" in str(detail.pokes.empty)
        detail.choose(DIRECTOR)
        await pilot.pause()
        gate.set()
        await settle(pilot)
        assert told_of(detail) == DIRECTOR
        detail._take(DEVELOPER, believable_agent_report(port.now, DEVELOPER))
        assert told_of(detail) == DIRECTOR
        assert detail.pokes.rows == []


# Off the UI thread, once at a time, only on top.


async def test_a_slow_memory_is_asked_for_once_at_a_time_and_blocks_nothing(make_app: MakeApp, port: FakePort) -> None:
    gate = port.gates["agent_report"] = threading.Event()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.open_detail(DEVELOPER)
        await pilot.pause()
        detail = app.screen
        assert isinstance(detail, Detail)
        for _ in range(5):
            detail._look()
        await pilot.press("4")
        assert "Looking at what is remembered…" in text_on(app)
        assert port.asked.count("agent_report") == 1
        gate.set()
        await settle(pilot)
        assert "◔ typed" in text_on(app)
        detail._look()
        await settle(pilot)
        assert port.asked.count("agent_report") >= 2


async def test_nothing_is_asked_under_another_window(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        detail = await open_agent(pilot)
        assert looks(detail)
        await pilot.press("question_mark")
        await settle(pilot)
        assert not looks(detail)
        asked = port.asked.count("agent_report")
        await pilot.press("escape")
        await settle(pilot)
        assert looks(detail)
        assert port.asked.count("agent_report") > asked


async def test_the_pane_is_not_asked_for_where_it_is_not_seen(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        detail = await open_agent(pilot)
        detail._look()
        await settle(pilot)
        assert port.asked.count("screen") == 0
        await pilot.press("3")
        await settle(pilot)
        assert port.asked.count("screen") >= 1


async def test_a_memory_that_cannot_be_told_says_so_and_heals(make_app: MakeApp, port: FakePort) -> None:
    port.errors["agent_report"] = TeamopsError("[/b]no answer within 2 s", "is the tmux server well?")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        detail = await open_agent(pilot, "4")
        assert "what is remembered can't be told: [/b]no answer within 2 s" in text_on(app)
        assert not app._notifications, "a note every second would be a storm"
        port.errors.clear()
        detail._look()
        await settle(pilot)
        assert "can't be told" not in text_on(app)
        assert "◔ typed" in text_on(app)


async def test_only_lines_that_changed_are_drawn_again(
    make_app: MakeApp, port: FakePort, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        detail = await open_agent(pilot)
        drawn: list[tuple[Widget, tuple[Region, ...], bool]] = []
        refresh = Widget.refresh

        def note(self: Widget, *regions: Region, layout: bool = False, **more: bool) -> Widget:
            drawn.append((self, regions, layout))
            return refresh(self, *regions, layout=layout, **more)

        monkeypatch.setattr(Widget, "refresh", note)
        detail.show(replace(port.now, revision=port.now.revision + 1))
        assert drawn == [], "nothing has changed"
        first, agent, *others = port.now.agents
        detail.show(replace(port.now, agents=(first, replace(agent, message="something else"), *others)))
        assert [(widget, [region.height for region in regions]) for widget, regions, _ in drawn] == [
            (detail.overview, [1])
        ]
        assert "“something else”" in text_on(app)


# Nothing there: what to do next.


NOTHING = {
    "1": ("nothing is known of it", "Nothing is known of it. r starts it.", "not seen: teamops did not start it"),
    "2": ("No sign of life in the last hour.", "TEAMOPS_ROLE=PARTNER", "teamops beat"),
    "3": ("the session hub-partner does not run.", "r starts it."),
    "4": ("It was never poked.", "p pokes it"),
    "5": ("It was never restarted.", "r starts it now."),
    "6": ("No process of it runs.", "r starts it."),
    "7": ("It never ran away.", "[spike] in teamops.toml"),
}


@pytest.mark.parametrize("key", list(NOTHING))
async def test_an_empty_part_names_what_fills_it(make_app: MakeApp, port: FakePort, key: str) -> None:
    *others, partner = port.now.agents
    port.publish(agents=(*others, replace(partner, beats=(0,) * 60, tokens=(0,) * 60, cost=(0.0,) * 60)))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        detail = await open_agent(pilot)
        detail.choose(PARTNER)
        await pilot.press(key)
        await settle(pilot)
        for piece in NOTHING[key]:
            assert piece in text_on(app)


async def test_an_agent_that_cannot_be_started_is_told_where_to_be_named(make_app: MakeApp, port: FakePort) -> None:
    *others, partner = port.now.agents
    port.publish(agents=(*others, replace(partner, can_restart=False, session="")))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        detail = await open_agent(pilot, "6")
        detail.choose(PARTNER)
        await settle(pilot)
        assert "Name its command in teamops.toml" in text_on(app)
        await pilot.press("1")
        await settle(pilot)
        assert "Name its session in teamops.toml" in text_on(app)
        await pilot.press("3")
        await settle(pilot)
        assert "it has no session." in text_on(app)


async def test_watch_only_says_so_in_place_of_a_pane(make_app: MakeApp, port: FakePort) -> None:
    agents = tuple(replace(agent, pane_id=None) for agent in port.now.agents)
    port.publish(agents=agents, supervisor=SupervisorView(pid=1, acting=True, since_wall=0.0, watch_only=True))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_agent(pilot, "3")
        assert WATCH_ONLY in text_on(app)
        assert "teamops init" in text_on(app)


async def test_an_empty_pane_says_so(make_app: MakeApp, port: FakePort) -> None:
    port.pane = " \n \n"
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_agent(pilot, "3")
        assert "The pane is empty." in text_on(app)
        port.pane = "now"
        detail = app.screen
        assert isinstance(detail, Detail)
        detail._look()
        await settle(pilot)
        assert "The pane is empty." not in text_on(app)


# Ten thousand processes.


async def test_a_forest_of_processes_is_cheap_and_counted(make_app: MakeApp, port: FakePort) -> None:
    nodes = (ProcessNode(1, 0, 0, "fork", 1, 0.0, "R"), *(
        ProcessNode(pid, pid - 1, pid - 1, f"漢字{pid}" * 20, 1 << 20, 3.0, "S") for pid in range(2, 10_001)
    ))  # fmt: skip
    port.agent_reports[DEVELOPER] = AgentReport(role=DEVELOPER, processes=nodes, processes_left_out=7)
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        detail = await open_agent(pilot, "6")
        assert "6 Tree (10007)" in text_on(app)
        assert len(detail.processes._lines) <= 36, "only rows in sight are drawn"
        await pilot.press("G")
        await settle(pilot)
        assert "… and 7 more that are not told" in text_on(app)
        assert "(9999)" in text_on(app), "a depth that no indent can show is told"
        assert all(strip.cell_length for strip in detail.processes._lines.values())


@pytest.mark.parametrize("width", [60, 78, 200])
def test_a_process_has_room_for_its_name_at_any_depth(width: int) -> None:
    rows = ProcessList(RICH)
    for depth in (0, 1, 5, 300):
        (strip,) = rows.draw(ProcessNode(7, 1, depth, "program", 5 << 20, 90.0, "Z"), width, chosen=False)
        assert strip.cell_length == width
        assert "pro" in strip.text


# Lines.


def test_evidence_that_is_teamops_own_stands_first_and_is_what_the_state_rests_on() -> None:
    agent = replace(
        believable().agents[1], state=AgentState.HELD, evidence=Evidence(EvidenceKind.OWN, 90.0, "stopped by a person")
    )
    lines = told(evidence_lines(agent, RICH)).splitlines()
    assert lines[1].split() == ["▸", "teamops", "1m", "stopped", "by", "a", "person"]
    assert sum("▸" in line for line in lines[1:]) == 1
    report = replace(believable_agent_report(believable(), DEVELOPER), keeping="held (human): stopped by a person")
    assert "held (human): stopped by a person; r clears that" in told(overview_lines(agent, report, 0.0, 78, RICH))


def test_backing_off_tells_until_when() -> None:
    snapshot = believable()
    now = snapshot.stamp.wall
    agent = replace(snapshot.agents[4], state=AgentState.BACKING_OFF, backing_off_until_wall=now + 245)
    lines = told(overview_lines(agent, None, now, 78, RICH))
    assert f"no sooner than {moment(now + 245, now)}, in 4m" in lines
    assert "MemoryError: the importer's table" in lines
    assert "looking at what is remembered…" in lines


def test_an_agent_that_teamops_found_running_is_told_so() -> None:
    snapshot = believable()
    agent, report = snapshot.agents[1], believable_agent_report(snapshot, DEVELOPER)
    assert report.launch is not None
    adopted = replace(report, launch=replace(report.launch, adopted=True, pid=9, client_session=""))
    lines = told(overview_lines(agent, adopted, snapshot.stamp.wall, 200, RICH))
    assert "ran already, adopted" in lines
    assert "pid 4108 runs now, which teamops did not start" in lines
    assert "its session not known" in lines


@pytest.mark.parametrize("width", [30, 50, 72, 78, 150, 190])
def test_the_axis_names_the_minutes_they_stand_under(width: int) -> None:
    agent = replace(believable().agents[1], beats=(0,) * 29 + (5,) + (0,) * 30)
    now = believable().stamp.wall
    lines = told(hour_lines(agent, now, width, RICH)).splitlines()
    assert max(len(line) for line in lines[:5]) <= width
    room = len(lines[3].lstrip())
    rule, names = axis(int(now // 60) - 59, room)
    for place, sign in enumerate(rule):
        if sign == "┬":
            minutes = [minute for minute in range(60) if minute * room // 60 == place]
            clocks = {moment((int(now // 60) - 59 + minute) * 60.0, now)[:5] for minute in minutes}
            assert names[place : place + 5] in clocks
    assert "┬" in rule
    assert "1 of 60 minutes have a sign of life; the longest without: 30 min" in told(
        hour_lines(agent, now, width, RICH)
    )


def test_sums_of_ten_minutes_are_those_of_their_minutes() -> None:
    agent = replace(believable().agents[1], beats=tuple(range(60)), tokens=(10,) * 60, cost=(0.5,) * 60)
    rows = told(hour_lines(agent, believable().stamp.wall, 78, RICH)).splitlines()
    sums = [row.split()[1:] for row in rows if row.strip()[:2] in ("13", "14") and "$" in row]
    assert sums == [[str(sum(range(ten, ten + 10))), "100", "$5.00"] for ten in range(0, 60, 10)]


@pytest.mark.parametrize("width", [1, 7, 20, 60])
@pytest.mark.parametrize("lasted", [None, 0.0, 3.0, 7200.0])
def test_a_course_keeps_every_token_and_knows_where_it_began(width: int, lasted: float | None) -> None:
    wall = believable().stamp.wall
    record = believable_agent_report(believable(), DEVELOPER).spikes[0]
    ended = None if lasted is None else record.began_wall + lasted
    record = replace(record, ended_wall=ended, trace=((record.began_wall - 590, 7), (record.began_wall + 10, 900)))
    spans, began = course(record, wall, width)
    assert len(spans) == width
    assert sum(spans) == 907
    assert spans[began] >= 900
    assert spans[0] >= 7
    lines = told(course_lines(record, wall, width, RICH)).splitlines()
    assert {len(line) for line in lines[:2]} == {max(20, width)}
    assert lines[2].strip() == f"began {moment(record.began_wall, wall)}"


def test_a_runaway_without_a_course_says_so() -> None:
    record = replace(believable_agent_report(believable(), DEVELOPER).spikes[0], trace=())
    assert "None is on record." in told(spike_window(record, record.began_wall + 5, RICH).lines)


def test_every_stage_of_a_poke_has_its_own_symbol() -> None:
    assert set(STAGES) == set(DeliveryStage)
    assert len({symbol for symbol, _ in STAGES.values()}) == len(STAGES)


def test_times_after_are_fine_where_they_are_short() -> None:
    assert [after(0, end) for end in (0.04, 9.94, 14, 190, -3)] == ["+0.0s", "+9.9s", "+14s", "+3m", "+0.0s"]
