"""Alerts on the screen: silenced, hidden behind their cause, and the list of all that there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from teamops.domain.alert_rules import RULES
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.handoff import Severity
from teamops.model.snapshot import SilenceAlert
from teamops.tui.app import TeamopsApp
from teamops.tui.rules import next_silence
from teamops.tui.screens.codes import CodesScreen
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on


def notes(app: TeamopsApp) -> str:
    return "\n".join(note.message for note in app._notifications)


def alert(port: FakePort, **changed: object) -> Alert:
    wall = port.now.stamp.wall
    base = Alert(
        code="agent-dead", subject="CODER", severity=Severity.WARNING, state=AlertState.FIRING, message="CODER is dead",
        do="restart it", agent=None, since_wall=wall - 60, changed_wall=wall - 60,
    )  # fmt: skip
    return replace(base, **changed)  # type: ignore[arg-type]


async def test_what_the_cap_holds_back_says_until_when(make_app: MakeApp, port: FakePort) -> None:
    wall = port.now.stamp.wall
    one = alert(port, notify=True, held_wall=wall + 300.0)
    port.publish(alerts=(one,))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("3")
        await settle(pilot)
        until = datetime.fromtimestamp(wall + 300.0).astimezone()
        assert f"held until {until:%H:%M}" in text_on(app)
        port.publish(alerts=(replace(one, state=AlertState.ACKED),))
        await settle(pilot)
        assert "held until" not in text_on(app)


async def test_m_silences_the_chosen_alert_for_longer_each_time(make_app: MakeApp, port: FakePort) -> None:
    one = alert(port)
    port.publish(alerts=(one,))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("m")
        await settle(pilot)
        assert "choose one in the alerts pane" in notes(app)
        await pilot.press("3", "m")
        await settle(pilot)
        assert port.intents == [SilenceAlert("agent-dead", "CODER", 900.0)]
        wall = port.now.stamp.wall
        port.publish(alerts=(replace(one, silence=Silence(wall, wall + 900.0)),))
        await settle(pilot)
        assert "silenced 15m" in text_on(app)
        await pilot.press("m")
        await settle(pilot)
        assert port.intents[-1] == SilenceAlert("agent-dead", "CODER", 3600.0)
        port.publish(alerts=(replace(one, state=AlertState.RESOLVED),))
        await settle(pilot)
        await pilot.press("m")
        await settle(pilot)
        assert "This alert is over" in notes(app)
        port.publish(alerts=())
        await settle(pilot)
        await pilot.press("m")
        await settle(pilot)
        assert "There is no alert to silence" in notes(app)
        assert len(port.intents) == 2


@pytest.mark.parametrize(
    ("silence", "intent"),
    [
        pytest.param(None, SilenceAlert("agent-dead", "CODER", 900.0), id="not silenced"),
        pytest.param(Silence(0.0, 900.0), SilenceAlert("agent-dead", "CODER", 900.0), id="over"),
        pytest.param(Silence(1000.0, 1900.0), SilenceAlert("agent-dead", "CODER", 3600.0), id="15 min"),
        pytest.param(Silence(1000.0, 4600.0), SilenceAlert("agent-dead", "CODER"), id="1 h"),
        pytest.param(Silence(1000.0, None), SilenceAlert("agent-dead", "CODER", end=True), id="until it is over"),
    ],
)
def test_the_next_silence(port: FakePort, silence: Silence | None, intent: SilenceAlert) -> None:
    assert next_silence(alert(port, silence=silence), 1000.0)[0] == intent


async def test_what_is_a_consequence_is_neither_listed_nor_counted(make_app: MakeApp, port: FakePort) -> None:
    port.publish(alerts=(alert(port), alert(port, code="agent-silent", hidden_by="agent-dead")))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("3")
        await settle(pilot)
        assert "▲ 1 alert" in lines_on(app)[0]
        assert "agent-dead" in text_on(app)
        assert "agent-silent" not in text_on(app)


async def test_every_alert_there_is_stands_in_one_list(make_app: MakeApp, port: FakePort) -> None:
    port.publish(alerts=(alert(port),))
    app = make_app()
    async with app.run_test(size=(110, 60)) as pilot:
        await settle(pilot)
        await pilot.press("K")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, CodesScreen)
        for code in RULES:
            assert code in text_on(app)
        assert "▲ fires" in next(line for line in lines_on(app) if " agent-dead " in line)
        assert [row.code for row in screen.list.rows] == list(RULES)  # type: ignore[attr-defined]
        await pilot.press("K")
        await settle(pilot)
        assert app.screen is screen, "one is enough"
        await pilot.press("slash", *"zombie", "enter")
        await settle(pilot)
        rule = RULES["agent-zombie"]
        assert rule.meaning in text_on(app)
        assert rule.evidence.split(",")[0] in text_on(app)
        assert "Look at its pane (Enter)" in text_on(app)
        await pilot.press("escape", "slash", *"nothing so", "enter")
        await settle(pilot)
        assert "No alert has that text" in text_on(app)
        await pilot.press("escape", "q")
        await settle(pilot)
        assert app.screen.id == "main"


async def test_the_list_opens_at_the_chosen_alert(make_app: MakeApp, port: FakePort) -> None:
    port.publish(alerts=(alert(port, code="tmux-down"),))
    app = make_app()
    async with app.run_test(size=(110, 40)) as pilot:
        await settle(pilot)
        await pilot.press("3", "K")
        await settle(pilot)
        assert isinstance(app.screen, CodesScreen)
        assert app.screen.rule is RULES["tmux-down"]
        assert RULES["tmux-down"].evidence[:30] in text_on(app)
