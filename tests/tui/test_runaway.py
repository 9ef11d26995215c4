"""How an agent that runs away is shown."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from teamops.model.agent import AgentState, Evidence, EvidenceKind, SpikeView
from teamops.model.role import CODER
from teamops.tui import words
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on

WHY = "41,200 tokens/min, 206 times its usual 200"
SPIKE = SpikeView(
    since_wall=1_700_000_000.0,
    rate=41_200,
    peak=41_200,
    usual=200,
    limit=5_000,
    tokens=61_000,
    cost_usd=Decimal("0.42"),
    why=WHY,
)
BADGES = ("10\u00d7cycle", "5\u00d7tools")


def run_away(port: FakePort) -> None:
    agents = tuple(
        replace(
            agent,
            state=AgentState.RUNAWAY,
            evidence=Evidence(EvidenceKind.TRANSCRIPT, 12.0, WHY),
            spike=SPIKE,
            badges=BADGES,
        )
        if agent.role == CODER
        else agent
        for agent in port.now.agents
    )
    port.publish(agents=agents)


@pytest.mark.parametrize(("size", "badges"), [((80, 24), "△"), ((120, 40), "△10\u00d7cycle △5\u00d7tools")])
async def test_the_word_and_the_badges_are_seen(
    make_app: MakeApp, port: FakePort, size: tuple[int, int], badges: str
) -> None:
    run_away(port)
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert "⇈ runaway" in text_on(app)
        assert badges in text_on(app)
        assert text_on(app).count("△") == badges.count("△"), "of one agent alone"


async def test_its_own_screen_has_the_figures(make_app: MakeApp, port: FakePort) -> None:
    run_away(port)
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        place = [agent.role for agent in port.now.agents].index(CODER)
        await pilot.press("1", "g", *["right"] * place, "enter")
        await settle(pilot)
        text = "\n".join(lines_on(app))
        assert f"⇈ {WHY}; 61k tokens, $0.42 in it so far" in text
        assert "△ 10\u00d7cycle, 5\u00d7tools: more than the plain rules allow" in text


def test_every_state_has_its_word_and_symbol() -> None:
    assert set(words.STATES) == set(AgentState)
