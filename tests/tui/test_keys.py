"""Every key of the registry does what it says, or says why not."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from teamops.model.actions import Outcome
from teamops.model.agent import AgentState, AgentView
from teamops.model.agent_report import DeliveryStage
from teamops.model.errors import TeamopsError
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, OPTIMIZER
from teamops.model.snapshot import AckAlert, AttachPlan, PokeRole, RestartRole, StartRole, StopRole, SupervisorView
from teamops.tui import keys
from teamops.tui.app import TeamopsApp
from teamops.tui.faults import Faults
from teamops.tui.replay_app import ReplayApp
from teamops.tui.rules import WATCH_ONLY, why_not
from teamops.tui.screens.boundaries import BoundariesScreen
from teamops.tui.screens.costs import CostScreen
from teamops.tui.screens.detail import Detail
from teamops.tui.screens.diff import DiffScreen
from teamops.tui.screens.findings import FindingsScreen
from teamops.tui.screens.poke import PokeWindow
from teamops.tui.screens.reading import ReadingWindow
from teamops.tui.screens.report import ReportScreen
from teamops.tui.screens.restart import RestartWindow
from teamops.tui.screens.sign_off import SignOffWindow
from teamops.tui.screens.task import TaskScreen
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on


def notes(app: TeamopsApp) -> str:
    return "\n".join(note.message for note in app._notifications)


def on_desk(app: TeamopsApp) -> bool:
    """Return whether no window lies over the desk."""
    return app.screen.id == "main"


# The registry.


def test_the_registry_has_no_key_twice_where_both_would_work() -> None:
    seen: dict[tuple[str, str], str] = {}
    for entry in keys.REGISTRY:
        for key in entry.keys:
            places = [entry.where] if entry.where is not keys.Where.PANES else list(keys.Where)
            for place in places:
                assert (place, key) not in seen, f"{key}: {entry.id} and {seen[place, key]}"
                seen[place, key] = entry.id


def test_the_table_has_every_act_once() -> None:
    rows = keys.markdown_table().splitlines()[2:]
    assert len(rows) == len(keys.REGISTRY)
    for entry, row in zip(keys.REGISTRY, rows, strict=True):
        assert entry.help in row
        assert all(f"`{keys.shown(key)}`" in row for key in entry.keys)
        assert row.count("|") == 4


def test_the_docs_have_the_registrys_table() -> None:
    docs = Path(__file__).parents[2] / "docs" / "keys.md"
    assert keys.markdown_table() in docs.read_text(encoding="utf-8"), "python -m teamops.tui.keys prints the new table"


async def test_every_act_has_an_action_where_it_works(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        desk = app.desk
        homes: dict[keys.Where, list[object]] = {
            keys.Where.TEAM: [desk],
            keys.Where.PANES: [desk],
            keys.Where.ALERTS: [desk, desk.alerts],
            keys.Where.HANDOFF: [desk.handoff],
            keys.Where.FINDINGS: [FindingsScreen(app.palette, app.snapshot)],
            keys.Where.DIFF: [DiffScreen(Faults().of(app.snapshot)[0], app.palette)],
            keys.Where.BOUNDARIES: [BoundariesScreen(app.palette, app.snapshot)],
            keys.Where.TASK: [TaskScreen("settings-page", app.palette, app.snapshot)],
            keys.Where.AGENT: [Detail(DIRECTOR, app.palette, app.snapshot)],
            keys.Where.COSTS: [CostScreen(app.palette, app.snapshot)],
            keys.Where.REPORT: [ReportScreen(app.palette, app.snapshot)],
            keys.Where.SIGN_OFF: [SignOffWindow("settings-page", app.palette, app.snapshot)],
            keys.Where.REPLAY: [ReplayApp],
            keys.Where.LISTS: [desk.agents, desk.alerts, desk.events, desk.handoff.list],
        }
        for entry in keys.REGISTRY:
            name = "action_" + entry.id.partition("(")[0]
            assert any(hasattr(home, name) for home in homes[entry.where]), entry.id


async def test_help_shows_every_key_and_every_symbol(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(100, 230)) as pilot:
        await pilot.press("question_mark")
        await settle(pilot)
        assert isinstance(app.screen, ReadingWindow)
        text = " ".join(text_on(app).replace("│", " ").split())
        for entry in keys.REGISTRY:
            assert entry.help.split(":")[0][:40] in text
        for word in (*AgentState, *DeliveryStage):
            assert word.value in text
        await pilot.press("escape")
        await settle(pilot)
        assert on_desk(app)


async def test_the_palette_has_every_act_and_every_agent(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        from teamops.tui.palette import _LEFT_OUT, ActProvider

        provider = ActProvider(app.desk)
        hits: Any = provider.discover()
        titles = [str(hit.text) async for hit in hits]
        for entry in keys.REGISTRY:
            if entry.id not in _LEFT_OUT:
                assert any(title.startswith(entry.label.capitalize()) for title in titles), entry.id
        assert "Open CODER Kevin" in titles


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_the_palette_pokes_the_chosen_agent(make_app: MakeApp, key: str) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press(key, *"poke")
        await settle(pilot)
        for _ in range(50):
            if "Poke DIRECTOR (p)" in text_on(app):
                break
            await pilot.pause(0.02)
        await pilot.press("enter")
        for _ in range(50):
            await pilot.pause(0.02)
            if isinstance(app.screen, PokeWindow):
                break
        assert isinstance(app.screen, PokeWindow)


# Poke.


async def test_poke_shows_the_line_and_enter_sends_it(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j", "p")
        await settle(pilot)
        assert isinstance(app.screen, PokeWindow)
        text = text_on(app)
        assert "It is your turn, DEVELOPER" in text
        assert "● working" in text
        assert port.intents == [], "nothing is sent before Enter"
        await pilot.press(*" now", "enter")
        await settle(pilot)
        assert port.intents == [
            PokeRole(DEVELOPER, "It is your turn, DEVELOPER: read the last block of current.md. now")
        ]
        assert "✓ DEVELOPER: It was done." in notes(app)
        assert on_desk(app)


async def test_esc_pokes_nobody(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("p")
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert on_desk(app)
        assert port.intents == []


async def test_a_poke_is_refused_once_a_dialog_has_opened_meanwhile(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("p")
        await settle(pilot)
        first, *others = port.now.agents
        port.publish(agents=(replace(first, state=AgentState.WAITING), *others))
        await settle(pilot)
        assert "waits at a question" in text_on(app)
        await pilot.press("enter")
        await settle(pilot)
        assert port.intents == []
        assert "waits at a question" in notes(app)


async def test_a_failed_act_says_why_and_what_to_do(make_app: MakeApp, port: FakePort) -> None:
    port.outcome = Outcome(ok=False, message="The client did not take the line.", hint="Look at it with a.")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("p")
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        assert "✖ DIRECTOR: The client did not take the line.\n→ Look at it with a." in notes(app)


async def test_a_query_that_fails_is_a_note_and_the_window_stays_usable(make_app: MakeApp, port: FakePort) -> None:
    port.errors["poke_text"] = TeamopsError("[bold]No text[/nope]", "Write one.")
    app = make_app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("p")
        await settle(pilot)
        assert "✖ [bold]No text[/nope]\n→ Write one." in notes(app)
        for _ in range(100):
            if "No text" in text_on(app):
                break
            await pilot.pause(0.02)
        assert "✖ [bold]No text[/nope]" in text_on(app), "shown as it stands"
        await pilot.press(*"go", "enter")
        await settle(pilot)
        assert port.intents == [PokeRole(DIRECTOR, "go")]


async def test_an_error_nobody_foresaw_is_a_note_too(make_app: MakeApp, port: FakePort) -> None:
    port.plan = None  # type: ignore[assignment]  # a port that breaks its word
    port.errors["attach"] = ValueError("odd")  # type: ignore[assignment]  # the same
    app = make_app(lambda _plan: None)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("a")
        await settle(pilot)
        assert "ValueError: odd" in notes(app)
        assert app.is_running


# Restart.


async def test_restart_asks_and_only_y_confirms(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("enter", "space", "r"):
            await pilot.press("r")
            await settle(pilot)
            assert isinstance(app.screen, RestartWindow)
            assert "what it has not saved is lost" in " ".join(text_on(app).split())
            await pilot.press(key)
            await settle(pilot)
            assert port.intents == [], f"{key} is no confirmation"
            await pilot.press("n")
            await settle(pilot)
        assert on_desk(app)
        await pilot.press("r", "y")
        await settle(pilot)
        assert port.intents == [RestartRole(DIRECTOR)]


# Start and stop.


async def test_stop_asks_and_only_y_confirms(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("enter", "space", "s"):
            await pilot.press("s")
            await settle(pilot)
            assert "is killed after its grace" in " ".join(text_on(app).split())
            await pilot.press(key)
            await settle(pilot)
            assert port.intents == [], f"{key} is no confirmation"
            await pilot.press("n")
            await settle(pilot)
        await pilot.press("s", "y")
        await settle(pilot)
        assert port.intents == [StopRole(DIRECTOR)]


async def test_u_starts_the_chosen_agent(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("u")
        await settle(pilot)
        assert port.intents == [StartRole(DIRECTOR)]


# Attach.


async def test_attach_that_switches_runs_and_stays(make_app: MakeApp, port: FakePort) -> None:
    ran: list[AttachPlan] = []
    app = make_app(ran.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("a")
        await settle(pilot)
        assert ran == [port.plan]
        assert "prefix L" in notes(app)
        assert app.is_running


async def test_attach_where_the_terminal_cannot_be_given_away_names_the_command(
    make_app: MakeApp, port: FakePort
) -> None:
    port.plan = AttachPlan(("tmux", "attach", "-t", "%9"), switch=False, back="prefix d")
    app = make_app(lambda _plan: pytest.fail("must not run"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("a")
        await settle(pilot)
        assert "tmux attach -t %9" in notes(app)


async def test_an_attach_that_fails_is_a_note(make_app: MakeApp, port: FakePort) -> None:
    def broken(plan: AttachPlan) -> None:
        raise TeamopsError("tmux is gone", "Start it.")

    app = make_app(broken)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("a")
        await settle(pilot)
        assert "✖ tmux is gone\n→ Start it." in notes(app)


# Alerts.


async def test_x_acknowledges_the_chosen_alert(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("x")
        await settle(pilot)
        assert "choose one in the alerts pane" in notes(app)
        await pilot.press("3", "j", "x")
        await settle(pilot)
        assert port.intents == [AckAlert("agent-waits", "CODER")]
        await pilot.press("j", "x")
        await settle(pilot)
        assert len(port.intents) == 1
        assert "This alert is over" in notes(app)


async def test_enter_opens_an_alert_in_full(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("3", "enter")
        await settle(pilot)
        assert isinstance(app.screen, ReadingWindow)
        assert "firing since 2026-03-28 14:45:37" in text_on(app)
        await pilot.press("q")
        await settle(pilot)
        assert on_desk(app), "q closes the window, not the screen"


async def test_enter_opens_an_event_in_full(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("4", "enter")
        await settle(pilot)
        assert "2026-03-28 14:45:37" in text_on(app)


@pytest.mark.parametrize(
    ("pressed", "role"), [(["3"], OPTIMIZER), (["4", "j", "j"], DEVELOPER)], ids=["alert", "event"]
)
async def test_r_is_about_the_agent_of_the_chosen_alert_or_event(
    make_app: MakeApp, port: FakePort, pressed: list[str], role: str
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(*pressed, "r")
        await settle(pilot)
        assert role in text_on(app).split("Restart")[1]
        await pilot.press("y")
        await settle(pilot)
        assert [intent.role for intent in port.intents if isinstance(intent, RestartRole)] == [role]


# Panes, lists.


async def test_tab_goes_around_and_back(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        seen = []
        for _ in range(4):
            seen.append(app.desk.pane)
            await pilot.press("tab")
            await settle(pilot)
        assert seen == ["agents", "handoff", "alerts", "events"]
        assert app.desk.pane == "agents"
        await pilot.press("shift+tab")
        await settle(pilot)
        assert app.desk.pane == "events"


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=["80x24", "200x60"])
async def test_z_gives_a_pane_the_screen_and_takes_it_back(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("3", "z")
        await settle(pilot)
        text = text_on(app)
        assert "Nobody took settings-page for 13 minutes." in text
        assert "OPTIMIZER Sam" not in text
        assert app.desk.alerts.region.height >= size[1] - 6
        await pilot.press("4")
        await settle(pilot)
        assert "poked, taken by its client" in text_on(app), "a pane's number zooms that pane instead"
        assert "Nobody took" not in text_on(app)
        await pilot.press("escape")
        await settle(pilot)
        assert "Kevin" in text_on(app)


@pytest.mark.parametrize(
    ("pressed", "row"),
    [
        (["j"], 1), (["down", "down"], 2), (["j", "j", "k"], 1), (["G"], 5), (["G", "g"], 0), (["end", "home"], 0),
        (["k"], 0), (["G", "j"], 5), (["pagedown"], 5), (["G", "pageup"], 0), (["n", "n"], 2), (["N"], 5),
    ],
    ids=["j", "down", "k", "G", "g", "home", "top", "bottom", "pagedown", "pageup", "n", "N"],
)  # fmt: skip
async def test_the_cursor_moves(make_app: MakeApp, pressed: list[str], row: int) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(*pressed)
        await settle(pilot)
        assert app.desk.agents.cursor == row


async def test_cards_are_walked_in_two_directions(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert app.desk.agents.across == 3
        await pilot.press("right", "down", "left")
        await settle(pilot)
        assert app.desk.agents.cursor == 3


async def test_the_cursor_stays_on_its_agent_when_the_team_changes(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j", "j")
        port.publish(agents=port.now.agents[1:])
        await settle(pilot)
        agent = app.desk.agent
        assert agent is not None
        assert agent.role == CODER


# Reasons.


def _agent(port: FakePort, role: str) -> AgentView:
    return next(agent for agent in port.now.agents if agent.role == role)


@pytest.mark.parametrize(
    ("act_id", "role", "change", "reason"),
    [
        ("poke", CODER, {}, "waits at a question"),
        ("poke", OPTIMIZER, {}, "is dead"),
        ("poke", DIRECTOR, {"session": ""}, "no tmux session"),
        ("poke", DIRECTOR, {"pane_id": None}, "does not run; r starts it"),
        ("attach", DIRECTOR, {"pane_id": None, "can_restart": False}, "does not run."),
        ("restart", DIRECTOR, {"can_restart": False}, "has no command"),
        ("poke", DIRECTOR, {}, ""),
        ("restart", OPTIMIZER, {}, ""),
        ("attach", CODER, {}, ""),
    ],
)
def test_why_not(port: FakePort, act_id: str, role: str, change: dict[str, object], reason: str) -> None:
    agent = replace(_agent(port, role), **change)  # type: ignore[arg-type]  # fields by name
    said = why_not(act_id, port.now, agent)
    assert (reason in said) if reason else said == ""


@pytest.mark.parametrize("key", ["p", "r", "a"])
async def test_watch_only_says_why_not(make_app: MakeApp, port: FakePort, key: str) -> None:
    port.publish(supervisor=SupervisorView(pid=1, acting=True, since_wall=0.0, watch_only=True))
    app = make_app(lambda _plan: pytest.fail("must not run"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(key)
        await settle(pilot)
        assert WATCH_ONLY in notes(app)
        await pilot.press(key)
        await settle(pilot)
        assert notes(app).count(WATCH_ONLY) == 1, "said once, however often the key is pressed"
        assert on_desk(app)
        assert port.asked.count("attach") + port.asked.count("poke_text") == 0


async def test_a_viewer_may_act_on_its_persons_keys(make_app: MakeApp, port: FakePort) -> None:
    port.publish(supervisor=SupervisorView(pid=812, acting=False, since_wall=0.0))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("r", "y")
        await settle(pilot)
        assert port.intents == [RestartRole(DIRECTOR)]


# Detail.


async def test_enter_opens_an_agent_with_its_live_pane(make_app: MakeApp, port: FakePort) -> None:
    port.pane = "\x1b[31mred\x1b[0m \x1b]8;;file:///etc/passwd\x07link\x1b]8;;\x07 \x1b[2Jgone [@click=app.bell]x[/]"
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j", "enter")
        await settle(pilot)
        assert isinstance(app.screen, Detail)
        text = text_on(app)
        for piece in (
            "DEVELOPER Isabelle",
            "● working",
            "known by hook",
            "Bash: pytest -q",
            "webhook-retries",
            "431M",
            "today $5.87",
        ):
            assert piece in text
        await pilot.press("3")
        await settle(pilot)
        text = text_on(app)
        assert "red link gone [@click=app.bell]x[/]" in text
        port.pane = "another line"
        app.screen._look()
        await settle(pilot)
        assert "another line" in text_on(app)
        await pilot.press("p")
        await settle(pilot)
        assert isinstance(app.screen, PokeWindow)
        await pilot.press("escape")
        await settle(pilot)
        await pilot.press("q")
        await settle(pilot)
        assert on_desk(app)


async def test_a_slow_pane_is_asked_once_at_a_time(make_app: MakeApp, port: FakePort) -> None:
    gate = port.gates["screen"] = threading.Event()
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("enter", "3")
        await pilot.pause()
        assert isinstance(app.screen, Detail)
        for _ in range(5):
            app.screen._look()
        await pilot.pause()
        asked = port.asked.count("screen")
        gate.set()
        await settle(pilot)
        assert asked == 1
        assert "Running pytest -q" in text_on(app)


async def test_the_detail_of_an_agent_without_a_pane_says_so(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("G", "enter")
        await settle(pilot)
        assert "18k tokens of today have no known price" in text_on(app)
        await pilot.press("3")
        await settle(pilot)
        assert "There is no pane" in text_on(app)
        assert port.asked.count("screen") == 0
        port.publish(agents=port.now.agents[:-1])
        await settle(pilot)
        assert "no longer in the team" in text_on(app)


async def test_the_pane_is_not_asked_for_once_the_detail_is_closed(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        detail = app.screen
        assert isinstance(detail, Detail)
        await pilot.press("escape")
        await settle(pilot)
        assert detail._looking is None or not detail.is_attached
        assert lines_on(app)[-1].lstrip().startswith("p poke")


async def test_a_pane_that_cannot_be_read_says_so_in_its_place_and_heals(make_app: MakeApp, port: FakePort) -> None:
    port.errors["screen"] = TeamopsError("tmux does not answer", "Is it running?")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter", "3")
        await settle(pilot)
        assert "✖ tmux does not answer (Is it running?)" in text_on(app)
        assert notes(app) == "", "a note every second would be a storm"
        port.errors.clear()
        assert isinstance(app.screen, Detail)
        app.screen._look()
        await settle(pilot)
        assert "Running pytest -q" in text_on(app)
