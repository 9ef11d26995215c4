"""The screen on a recorded night: time goes by, nothing is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from teamops.model.errors import TeamopsError
from teamops.model.role import CODER
from teamops.model.snapshot import PokeRole, SupervisorPort
from teamops.supervisor.replaying import ReplayPort, open_replay
from teamops.tui.app import TeamopsApp
from teamops.tui.replay_app import SPEEDS, ReplayApp
from teamops.tui.screens.jump import JumpWindow
from teamops.tui.widgets.timebar import NOW, NOW_MARKED, TimeBar
from tests.recorded import DAY, Night, a_night, at
from tests.tui.conftest import MakeApp
from tests.tui.lines import lines_on, settle, text_on
from tests.tui.port_contract import PortContract


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return a_night(tmp_path / "shop")


@pytest.fixture
def recorded(night: Night) -> ReplayPort:
    port = open_replay(night.settings, night.path, DAY, now=at("23:00:00"))
    port.go(at("02:13:25"))
    return port


class TestReplayPort(PortContract):
    @pytest.fixture
    def port(self, recorded: ReplayPort) -> SupervisorPort:
        recorded.go(at("03:55:00"))
        return recorded

    def change(self, port: SupervisorPort) -> None:
        assert isinstance(port, ReplayPort)
        port.go(port.snapshot().stamp.wall + 1)

    def test_a_poke_is_one_line(self, port: SupervisorPort) -> None:
        with pytest.raises(TeamopsError, match=f"replay of {DAY}: nothing is done"):
            port.poke_text(CODER)

    def test_an_agents_processes_are_a_tree_parents_first(self, port: SupervisorPort) -> None:
        """Which ran then is not on record, and none is made up."""
        assert all(port.agent_report(agent.role).processes == () for agent in port.snapshot().agents)
        assert all(port.agent_report(agent.role).past for agent in port.snapshot().agents)

    def test_a_day_that_goes_on_is_not_over(self, port: SupervisorPort) -> None:
        """Its report would tell what came later."""
        with pytest.raises(TeamopsError, match=f"at this moment {DAY} was not over") as caught:
            port.day_report(None)
        assert "@, then end" in caught.value.hint


class Clock:
    """Seconds that go by when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(recorded: ReplayPort, night: Night, clock: Clock) -> ReplayApp:
    return ReplayApp(recorded, night.settings, colours="rich", speed=60, monotonic=clock)


def bar_of(app: TeamopsApp) -> list[str]:
    """Return the time bar's two lines."""
    bar = app.screen.query_one(TimeBar)
    return [bar.render_line(y).text for y in (0, 1)]


def notes(app: TeamopsApp) -> str:
    """Return what is said in notes."""
    return "\n".join(note.message for note in app._notifications)


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(pilot)


async def test_it_says_what_it_is_and_where_in_time(app: ReplayApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        lines = lines_on(app)
        assert "shop" in lines[0]
        assert "REPLAY 02:13:25" in lines[0]
        assert "supervisor" not in text_on(app).lower()
        assert "✖ dead" in text_on(app)
        assert "1 open" in text_on(app)
        words, track = bar_of(app)
        assert "‖ paused 60\u00d7" in words
        assert f"{DAY} 02:13:25" in words
        assert lines[-3:-1] == [words.rstrip(), track.rstrip()]
        assert len(track) == 80
        assert track.count(NOW) + track.count(NOW_MARKED) == 1
        assert "░" in track


async def test_the_track_tells_alerts_and_gaps_without_colours(recorded: ReplayPort, app: ReplayApp) -> None:
    bar = TimeBar(app.palette, recorded.day)
    bar.show(at("05:00:00"), "05:00:00", "", speed=1, playing=False)
    track = "".join(segment.text for segment in bar.track(23 * 60).segments)  # one cell a minute
    assert track[2 * 60 + 13] == "▲"
    assert track[2 * 60 + 14] == "↻"
    assert track[3 * 60 + 50] == "•"
    assert track[5 * 60] == NOW
    assert set(track[:30]) == {"·"}, "before it is on record who watched, nothing is said"
    assert set(track[2 * 60 + 21 : 3 * 60 + 40]) == {"░"}
    assert set(track[3 * 60 + 41 : 3 * 60 + 50]) == {"─"}
    bar.show(at("02:13:22"), "02:13:22", "", speed=1, playing=False)
    assert "".join(segment.text for segment in bar.track(23 * 60).segments)[2 * 60 + 13] == NOW_MARKED


async def test_time_goes_by_as_fast_as_it_is_told_and_stands_when_paused(app: ReplayApp, clock: Clock) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert app._clockwork is None
        assert not any(timer.name in ("news", "replay") for timer in app._timers), "nobody is woken"
        await press(pilot, "space")
        clock.now = 2.0
        app._frame()
        await settle(pilot)
        assert app.snapshot.stamp.wall == at("02:15:25")
        assert "✓ no alerts" in text_on(app)
        assert "▶ playing" in bar_of(app)[0]
        await press(pilot, "plus")
        assert app.speed == 600
        await press(pilot, "plus")
        assert app.speed == SPEEDS[-1]
        await press(pilot, "minus", "minus", "minus", "minus")
        assert app.speed == 1
        await press(pilot, "space")
        assert not app.playing
        clock.now = 9.0
        await settle(pilot)
        assert app.snapshot.stamp.wall == at("02:15:25")
        assert app._clockwork is None


@pytest.mark.parametrize(
    ("keys", "clock_then"),
    [
        (("semicolon",), "02:14:25"),
        (("comma",), "02:12:25"),
        (("greater_than_sign",), "02:23:25"),
        (("less_than_sign",), "02:03:25"),
        (("semicolon", "semicolon", "comma"), "02:14:25"),
        (("left_curly_bracket",), "02:13:22"),
        (("left_parenthesis", "left_parenthesis"), "01:00:00"),
        (("right_parenthesis",), "02:14:00"),
    ],
)
async def test_keys_step_through_the_night(app: ReplayApp, keys: tuple[str, ...], clock_then: str) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        for key in keys:
            await press(pilot, key)
        assert app.snapshot.stamp.wall == at(clock_then)
        assert f"REPLAY {DAY} {clock_then}" in lines_on(app)[0]


async def test_no_further_alert_is_said(app: ReplayApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "right_curly_bracket")
        assert app.snapshot.stamp.wall == at("02:13:25")
        assert f"No alert fires after this moment on {DAY}." in notes(app)


async def test_a_time_is_asked_for_and_a_wrong_one_is_refused(app: ReplayApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "at")
        assert isinstance(app.screen, JumpWindow)
        await press(pilot, *"25:00", "enter")
        assert isinstance(app.screen, JumpWindow)
        assert f'"25:00" is no time of {DAY}' in notes(app)
        app.screen.line.value = ""
        await press(pilot, *"03:00", "enter")
        assert app.snapshot.stamp.wall == at("03:00:00")
        assert "not observed 02:21 to 03:40" in bar_of(app)[0]
        assert {agent.state for agent in app.snapshot.agents} == {"unknown"}
        await press(pilot, "at", *"end", "enter")
        assert app.snapshot.stamp.wall == app.recording.day.until_wall
        await press(pilot, "space")
        assert not app.playing
        assert "The record ends here" in notes(app)
        await press(pilot, "at", *"start", "enter")
        assert app.snapshot.stamp.wall == app.recording.day.since_wall


async def test_space_belongs_to_who_writes(app: ReplayApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "at", "0", "space", "2")
        assert isinstance(app.screen, JumpWindow)
        assert app.screen.line.value == "0 2"
        assert not app.playing


async def test_it_plays_to_the_end_and_stops(app: ReplayApp, clock: Clock) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "space")
        clock.now = 90_000.0
        app._frame()
        await settle(pilot)
        assert not app.playing
        assert app.snapshot.stamp.wall == app.recording.day.until_wall
        assert "The record ends here." in notes(app)


@pytest.mark.parametrize("key", ["p", "r", "u", "s", "L", "a", "A"])
async def test_keys_of_acts_are_refused_with_words(app: ReplayApp, key: str) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, key)
        assert app.screen is app.desk
        assert f"This is a replay of {DAY} 02:13:25: nothing is done." in notes(app)


@pytest.mark.parametrize("key", ["x", "m"])
async def test_an_alert_is_not_acknowledged_or_silenced(app: ReplayApp, key: str) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "3", key)
        assert "This is a replay" in notes(app)


async def test_every_screen_has_the_bar(app: ReplayApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        for key in ("enter", "t", "T", "f", "dollar_sign", "B", "D", "K"):
            await press(pilot, key)
            assert app.screen is not app.desk, key
            assert "paused" in bar_of(app)[0]
            assert len(app.screen.query(TimeBar)) == 1
            while app.screen is not app.desk:
                await press(pilot, "escape")


async def test_an_agents_page_makes_nothing_up(app: ReplayApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        assert "never" not in text_on(app), "of beats before the running minute only the minute is on record"
        app.open_detail(CODER)
        await settle(pilot)
        text = text_on(app)
        assert "started     not on record" in text
        assert "teamops     not on record" in text
        assert "signal 9 (KILL)" in text
        await press(pilot, "3")
        assert "What its screen showed then is not on record." in " ".join(text_on(app).split())
        await press(pilot, "6")
        assert "What ran then is not on record." in text_on(app)


async def test_the_days_report_is_there_once_the_day_was_over(app: ReplayApp) -> None:
    async with app.run_test(size=(100, 40)) as pilot:
        await press(pilot, "D")
        assert f"it can't be told: at this moment {DAY} was not over" in text_on(app)
        assert "Report" in lines_on(app)[0]
        await press(pilot, "at", *"end", "enter")
        assert "it can't be told" not in text_on(app)
        assert "1 restart" in text_on(app)
        await press(pilot, "at", *"02:00", "enter")
        assert "it can't be told" in text_on(app)
        assert "1 restart" not in text_on(app), "what came later is not told"


async def test_a_live_screen_has_no_bar(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert not app.screen.query(TimeBar)
        assert any(timer.name == "news" for timer in app._timers)
        await pilot.press("at", "right_curly_bracket")
        await settle(pilot)
        assert app.screen is app.desk


async def test_of_many_wishes_the_last_is_shown(app: ReplayApp, recorded: ReplayPort) -> None:
    shown: list[float] = []
    recorded.subscribe(lambda snapshot: shown.append(snapshot.stamp.wall))
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        for minute in range(30, 0, -1):
            app.go_to_moment(at("05:00:00") + minute)
        await settle(pilot)
        assert app.snapshot.stamp.wall == at("05:00:01")
        assert len(shown) <= 3


def test_what_is_sent_is_refused_in_the_log(recorded: ReplayPort) -> None:
    recorded.send(PokeRole(CODER, "go"))
    line = recorded.snapshot().log[0]
    assert (line.text, line.ok) == (f"this is a replay of {DAY}: nothing is done", False)
    outcome = recorded.act(PokeRole(CODER, "go"))
    assert (outcome.ok, outcome.message) == (False, f"this is a replay of {DAY}: nothing is done")


def test_nothing_is_written(night: Night) -> None:
    def files() -> dict[str, tuple[bytes, int]]:
        return {
            str(path.relative_to(night.folder)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in night.folder.rglob("*")
            if path.is_file()
        }

    before = files()
    port = open_replay(night.settings, night.path, DAY, now=at("23:00:00"))
    for clock in ("00:00:00", "02:13:25", "05:00:00"):
        snapshot = port.go(at(clock))
        port.decisions()
        port.cost_report()
        for agent in snapshot.agents:
            port.agent_report(agent.role)
        for task in snapshot.tasks:
            port.task_report(task.task)
        port.send(PokeRole(CODER, "go"))
        port.act(PokeRole(CODER, "go"))
    after = files()
    assert {name: told for name, told in after.items() if not name.endswith(("-wal", "-shm"))} == before
    assert not any(name.endswith("-wal") and data for name, (data, _) in after.items())
    assert not (night.path.parent / "lease").exists()
