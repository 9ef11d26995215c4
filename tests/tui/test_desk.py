"""What a person sees at each size, and that only what changed is drawn."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace
from textual.message import Message

from teamops.domain.pipeline import pipeline
from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.handoff import Stage
from teamops.model.role import HUMAN
from teamops.model.snapshot import LightState, Snapshot, SupervisorView
from teamops.tui import words
from teamops.tui.messages import SnapshotArrived
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on

SIZES = [(80, 24), (120, 36), (120, 40), (200, 60), (80, 60), (200, 24), (60, 15)]


@pytest.mark.parametrize("size", SIZES, ids=[f"{width}x{height}" for width, height in SIZES])
async def test_every_size_shows_light_agents_and_keys(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        lines = lines_on(app)
        text = "\n".join(lines)
        assert len(lines) == size[1]
        assert "notify-hub" in lines[0]
        assert "CODER" in lines[1], "the most urgent light comes first"
        assert "waiting" in lines[1]
        assert "08:25 of 13:00" in lines[1]
        assert "● implement" in lines[2]
        assert "DEVELOPER" in text
        assert "● working" in text
        assert lines[-1].lstrip().startswith("p poke")
        assert "q quit" in lines[-1]


@pytest.mark.parametrize(
    ("width", "whole"),
    [
        (60, " ▶ CODER Kevin  settings-page      ◔ waiting 08:25 of 13:00"),
        (40, " ▶ CODER Kevin  settings-page ◔ waiting"),
    ],
)
async def test_a_narrow_screen_still_says_whose_turn_it_is(make_app: MakeApp, width: int, whole: str) -> None:
    app = make_app()
    async with app.run_test(size=(width, 20)) as pilot:
        await settle(pilot)
        assert lines_on(app)[1] == whole


async def test_80x24_is_a_table_with_one_lower_pane(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = text_on(app)
        for piece in (
            "▶ DEVELOPER Isabelle ● working", "✖ dead (signal 9)", "◆ waiting", "hook 3s", "12k", "$5.87", "431M",
            "▸2 Handoff · 2 to mend", "3 Alerts · 2 open", "4 Events", "What I Found", "2 alerts", "$11.72", "+1 more",
        ):  # fmt: skip
            assert piece in text
        assert "Sam is dead" not in text, "the alerts pane does not show"
        await pilot.press("3")
        await settle(pilot)
        text = text_on(app)
        assert "▸3 Alerts" in text
        assert "Sam is dead: signal 9 (KILL)." in text
        assert "→ Press r on Sam" in text
        assert "What I Found" not in text
        await pilot.press("4")
        await settle(pilot)
        assert "poke refused: a dialog is open" in text_on(app)


async def test_200x60_shows_all_panes_and_cards(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(200, 60)) as pilot:
        await settle(pilot)
        text = text_on(app)
        for piece in (
            "1 Agents", "2 Handoff", "3 Alerts", "4 Events", "▶ TURN DEVELOPER Isabelle", "beats", "tokens", "cost",
            "“Two workers, one row", "What I Found", "Sam is dead", "poked, taken by its client", "settings-page",
            "✓ design-review", "○ sign-off", "03-28 14:03 DEVELOPER", "line 296", "answered",
        ):  # fmt: skip
            assert piece in text


async def test_an_unpriced_model_is_a_question_and_nothing_is_a_dash(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        row = next(line for line in lines_on(app) if "PARTNER" in line)
        assert "?" in row.split("unknown")[1]
        assert "$0.00" not in text_on(app)


@pytest.mark.parametrize(
    ("state", "unanswered", "answered", "shown"),
    [
        (LightState.WORKING, 10.0, True, "● working answered"),
        (LightState.WORKING, 131.0, True, "● working 02:11 of 13:00"),
        (LightState.WORKING, 42.0, False, "▷ handed on 00:42 of 13:00"),
        (LightState.WAITING, 301.0, False, "◔ waiting 05:01 of 13:00"),
        (LightState.STALE, 842.0, False, "▲ STALE 14:02 of 13:00"),
        (LightState.HUMAN, 4000.0, False, "◆ your turn for 1h06"),
    ],
    ids=["answered", "quiet for a while", "not taken yet", "waiting", "stale", "human"],
)
async def test_the_light_says_its_state_in_words(
    make_app: MakeApp, port: FakePort, state: LightState, unanswered: float, answered: bool, shown: str
) -> None:
    light = replace(port.now.lights[0], state=state, unanswered_s=unanswered, answered=answered)
    if state is LightState.HUMAN:
        light = replace(light, role=HUMAN, name="", stage=Stage.SIGN_OFF, tier=3)
    port.publish(lights=(light,))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert shown in text_on(app)
        if not answered:
            assert "● working" not in lines_on(app)[1]


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        (SupervisorView(pid=1, acting=True, since_wall=0.0), "● acting"),
        (SupervisorView(pid=812, acting=False, since_wall=0.0), "○ viewer, 812 acts"),
        (SupervisorView(pid=None, acting=False, since_wall=None), "✗ NO SUPERVISOR"),
        (SupervisorView(pid=812, acting=False, since_wall=0.0, round_age_s=3.0), "○ viewer, 812 acts"),
        (SupervisorView(pid=812, acting=False, since_wall=0.0, round_age_s=34.0), "✗ SUPERVISOR 812 HANGS"),
        (SupervisorView(pid=None, acting=False, since_wall=None, ended="why"), "✗ SUPERVISOR ENDED"),
        (SupervisorView(pid=1, acting=True, since_wall=0.0, watch_only=True), "○ watch only"),
    ],
    ids=["acting", "viewer", "nobody", "alive", "hangs", "ended", "watch-only"],
)
async def test_the_header_says_who_acts(make_app: MakeApp, port: FakePort, view: SupervisorView, shown: str) -> None:
    port.publish(supervisor=view)
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert shown in lines_on(app)[0]
        head = "\n".join(lines_on(app)[:6])
        assert ("Nothing is poked" in head or "nothing is" in head) == shown.startswith("✗")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)], ids=["80x24", "200x60"])
async def test_an_empty_project_says_what_will_come(make_app: MakeApp, port: FakePort, size: tuple[int, int]) -> None:
    port.publish(
        Snapshot(
            revision=2, stamp=port.now.stamp, project="new", root="/r", handoff_path="/r/current.md", ready=True,
            supervisor=SupervisorView(pid=1, acting=True, since_wall=0.0),
        )
    )  # fmt: skip
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        text = text_on(app)
        for piece in (
            "No handoff yet.",
            "No agents known yet.",
            "teamops.toml",
            "No block yet.",
            "/r/current.md",
            "✓ no alerts",
        ):
            assert piece in text
        await pilot.press("3")
        await settle(pilot)
        assert "✓ Nothing needs you." in text_on(app)
        await pilot.press("4")
        await settle(pilot)
        assert "Nothing has happened yet." in text_on(app)
        for key in ("p", "r", "a", "x", "enter", "n", "g", "G", "b", "z", "z"):
            await pilot.press(key)
        await settle(pilot)
        assert app.is_running


async def test_before_the_sources_have_reported_it_says_so(make_app: MakeApp, port: FakePort) -> None:
    port.publish(lights=(), blocks=(), agents=(), alerts=(), ready=False)
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "◔ reading" in text_on(app)
        assert "Reading the handoff file" in text_on(app)


async def test_troubles_are_said_in_the_header(make_app: MakeApp, port: FakePort) -> None:
    port.publish(
        troubles=("no desktop bus: notifications ring the bell", "another"), handoff_trouble="current.md is gone"
    )
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "▲ current.md is gone" in lines_on(app)[3]
        assert "(+2 more)" in lines_on(app)[3]
        port.publish(troubles=(), handoff_trouble="")
        await settle(pilot)
        assert "current.md is gone" not in text_on(app)


async def test_a_note_has_its_line_for_a_while_and_then_a_mark(make_app: MakeApp, port: FakePort) -> None:
    port.publish(troubles=("no desktop bus: notifications ring the bell",))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "▲ no desktop bus" in lines_on(app)[3]
        assert "note in ?" not in lines_on(app)[0]
        port.tick(11)
        await settle(pilot)
        assert "no desktop bus" not in text_on(app), "told once, it costs no line any more"
        assert "1 Agents" in lines_on(app)[3]
        assert "~ 1 note in ?" in lines_on(app)[0]
        port.publish(troubles=(*port.now.troubles, "tmux: polls by subprocess"))
        await settle(pilot)
        assert "▲ tmux: polls by subprocess" in lines_on(app)[3]
        assert "~ 1 note in ?" in lines_on(app)[0]
        await pilot.press("question_mark")
        await settle(pilot)
        assert "~ no desktop bus: notifications ring the bell" in text_on(app)
        assert "~ tmux: polls by subprocess" in text_on(app)


async def test_a_new_snapshot_moves_the_screen(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        first = port.now.agents[0]
        evidence = Evidence(EvidenceKind.PROCESS, 1.0, "signal 9 (KILL)")
        dead = replace(first, state=AgentState.DEAD, exit_signal=11, evidence=evidence, cost_today_usd=Decimal("9.99"))
        port.publish(agents=(dead, *port.now.agents[1:]), cost_today_usd=Decimal("18.30"))
        await settle(pilot)
        row = next(line for line in lines_on(app) if "DIRECTOR Max" in line)
        assert "✖ dead (sig 11)" in row
        assert "$9.99" in row
        assert "$18.30" in lines_on(app)[0]


async def test_an_older_snapshot_is_not_shown(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        old = port.now
        port.publish(project="newer")
        await settle(pilot)
        app._take(replace(old, project="older", revision=0))
        await settle(pilot)
        assert "newer" in lines_on(app)[0]


async def test_many_snapshots_make_one_message(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        shown: list[int] = []
        real = app.desk.show

        def show(snapshot: Snapshot) -> None:
            shown.append(snapshot.revision)
            real(snapshot)

        app.desk.show = show  # type: ignore[method-assign]  # counted on its way through
        posted: list[Message] = []
        post = app.post_message

        def count(message: Message) -> bool:
            posted.append(message)
            return post(message)

        app.post_message = count  # type: ignore[method-assign]  # the same
        for _ in range(200):
            port.tick()
        assert [type(message) for message in posted] == [SnapshotArrived]
        await settle(pilot)
        assert shown == [port.now.revision]


async def test_a_tick_draws_only_cells_that_changed(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        drawn: list[int] = []
        real = app.desk.agents.refresh

        def refresh(*regions: object, **options: object) -> object:
            drawn.append(sum(getattr(region, "area", 10_000) for region in regions) if regions else 10_000)
            return real(*regions, **options)  # type: ignore[arg-type]  # passed on as they came

        app.desk.agents.refresh = refresh  # type: ignore[method-assign, assignment]  # counted on its way through
        port.tick()
        await settle(pilot)
        assert 0 < sum(drawn) < 160, "a tick may touch ages, not the table"
        assert "hook 4s" in text_on(app)


async def test_silence_of_the_supervisor_is_said(make_app: MakeApp, port: FakePort) -> None:
    now = 0.0
    app = make_app(monotonic=lambda: now)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        now = 4.0
        app._watch_news()
        await settle(pilot)
        assert "no news" not in text_on(app)
        now = 9.0
        app._watch_news()
        await settle(pilot)
        assert "▲ no news for 9s" in lines_on(app)[0]
        port.tick()
        await settle(pilot)
        assert "no news" not in text_on(app)


async def test_leaving_ends_the_subscription(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert len(port.callbacks) == 1
        await pilot.press("q")
        await pilot.pause()
    assert port.callbacks == []
    port.publish()


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_the_stepper_knows_the_pipelines_of_the_rules(tier: int) -> None:
    assert words.PIPELINES[tier] == pipeline(tier)


async def test_the_app_tells_once_that_its_first_frame_is_drawn(make_app: MakeApp) -> None:
    drawn: list[list[str]] = []
    app = make_app()
    app.on_drawn = lambda: drawn.append([line for line in lines_on(app) if line.strip()])
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        told = len(drawn)
        await pilot.press("j", "k")
        await settle(pilot)
    assert told == len(drawn) == 1
    assert any("DIRECTOR" in line for line in drawn[0]), "the agents are on it"
