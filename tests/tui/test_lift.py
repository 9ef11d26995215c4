"""A held agent on the screen, and the window that lets it spend again."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from teamops.domain.budget import BudgetRule, line_of
from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.agent_report import AgentReport
from teamops.model.budget import TEAM, BudgetHold, Cause, Spent
from teamops.model.role import DIRECTOR
from teamops.model.snapshot import LiftBudget
from teamops.tui.screens.lift import LiftWindow
from teamops.tui.screens.restart import RestartWindow
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import settle, text_on
from tests.tui.test_keys import notes, on_desk

LIFTS = "It is held: L lets it spend again."
WHY = "$5.02 of $5.00 spent on 2026-03-28 (UTC)"


def hold(port: FakePort, scope: str = DIRECTOR, cause: Cause = Cause.BUDGET) -> None:
    """Let DIRECTOR be held by the budget of ``scope``."""
    agents = tuple(
        replace(
            agent,
            state=AgentState.HELD,
            held=WHY,
            lift="teamops budget lift X",
            evidence=Evidence(EvidenceKind.OWN, 5.0, f"budget: {WHY}"),
        )
        if agent.role == DIRECTOR
        else agent
        for agent in port.now.agents
    )
    line = line_of(scope, BudgetRule(day_usd=Decimal(5)), Spent(day=Decimal("5.02")), None)
    held = BudgetHold(scope=scope, wall=1.0, cause=cause, why=WHY, day="2026-03-28")
    port.publish(agents=agents, budgets=(replace(line, hold=held),))


async def test_an_amount_lifts_the_hold(make_app: MakeApp, port: FakePort) -> None:
    hold(port)
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("L")
        await settle(pilot)
        assert isinstance(app.screen, LiftWindow)
        shown = " ".join(text_on(app).split())
        assert f"held: {WHY}" in shown
        assert "Today's new limit" in shown
        for typed in ((), ("x",), ("minus",), ("0",)):
            await pilot.press(*typed, "enter")
            await settle(pilot)
            assert port.intents == [], typed
            assert isinstance(app.screen, LiftWindow)
            app.screen.line.value = ""
        assert "An amount of dollars" in notes(app)
        await pilot.press(*"$7.50".replace("$", ""), "enter")
        await settle(pilot)
        assert port.intents == [LiftBudget(DIRECTOR, Decimal("7.50"))]
        assert on_desk(app)


async def test_the_team_s_hold_is_the_team_s_to_lift_and_esc_leaves_it(make_app: MakeApp, port: FakePort) -> None:
    hold(port, TEAM)
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("L", "9", "escape")
        await settle(pilot)
        assert on_desk(app)
        assert port.intents == []
        await pilot.press("L", "9", "enter")
        await settle(pilot)
        assert port.intents == [LiftBudget(TEAM, Decimal(9))]


async def test_what_no_budget_holds_needs_no_amount(make_app: MakeApp, port: FakePort) -> None:
    hold(port, cause=Cause.RUNAWAY)
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("L", "enter")
        await settle(pilot)
        assert port.intents == [LiftBudget(DIRECTOR, None)]


async def test_who_is_held_is_not_poked_or_started_and_who_is_not_is_not_lifted(
    make_app: MakeApp, port: FakePort
) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("L")
        await settle(pilot)
        assert "DIRECTOR may spend: nothing holds it." in notes(app)
        hold(port)
        await settle(pilot)
        assert "held" in text_on(app)
        for key, said in (("p", "it is not poked"), ("r", "it is not started"), ("u", "it is not started")):
            await pilot.press(key)
            await settle(pilot)
            assert on_desk(app)
            assert said in notes(app)
        await pilot.press("L")
        await settle(pilot)
        port.publish(agents=tuple(replace(agent, held="", lift="") for agent in port.now.agents), budgets=())
        await settle(pilot)
        assert "held: no more" in text_on(app)


async def test_who_is_held_for_another_reason_is_started_again_and_not_lifted(
    make_app: MakeApp, port: FakePort
) -> None:
    hold(port)
    port.publish(agents=tuple(replace(agent, lift="") for agent in port.now.agents), budgets=())
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await pilot.press("L")
        await settle(pilot)
        assert "and not for what it spends: r starts it again" in notes(app)
        await pilot.press("r")
        await settle(pilot)
        assert isinstance(app.screen, RestartWindow)


async def test_the_screen_of_one_that_may_not_spend_names_no_other_way_out(make_app: MakeApp, port: FakePort) -> None:
    hold(port)
    agents = tuple(replace(agent, can_restart=True) for agent in port.now.agents)
    port.publish(agents=agents)
    port.agent_reports[DIRECTOR] = AgentReport(role=DIRECTOR)
    app = make_app()
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        for part, told in (("1", f"holds it back: {WHY}; L lets it spend again"), ("4", LIFTS), ("5", LIFTS)):
            await pilot.press(part)
            await settle(pilot)
            shown = " ".join(text_on(app).split())
            assert told in shown
            for word in ("r starts it", "r restarts it", "r clears", "p pokes it", "holds nothing back"):
                assert word not in shown, (part, word)


async def test_the_header_says_what_the_team_may_spend(make_app: MakeApp, port: FakePort) -> None:
    def team(spent: str) -> None:
        line = line_of(TEAM, BudgetRule(day_usd=Decimal(40)), Spent(day=Decimal(spent)), None)
        port.publish(budgets=(line,))

    for width, spent, shown in ((80, "1", True), (70, "1", False), (70, "33", True), (70, "41", True)):
        team(spent)
        app = make_app()
        async with app.run_test(size=(width, 30)) as pilot:
            await settle(pilot)
            assert ("of $40.00" in text_on(app).splitlines()[0]) == shown, (width, spent)
