"""Budgets that stop, on a real ledger and real files of holds; tmux is the test's."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from teamops.domain.budget import BudgetRule
from teamops.domain.hard_stop import SETTLE_S
from teamops.domain.limits import RestartPolicy, SpikeRule, SpikeStop
from teamops.guard import holds
from teamops.model.actions import Action, By, Outcome, Poke, Restart, Stop, StopSpending
from teamops.model.agent import AgentState, AgentView, Beat, BeatKind
from teamops.model.budget import TEAM, BudgetLine, Cause, Level, Step
from teamops.model.events import BeatsSeen, PanesSeen, UsageSeen
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role
from teamops.model.snapshot import LiftBudget, StopSpendingOf
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from tests.unit.supervisor.life import Life, block
from tests.unit.supervisor.test_spiking import run_away, work

Begin = Callable[..., Awaitable[Life]]
USD = Decimal
RULE = BudgetRule(hour_usd=USD(2), day_usd=USD(5))
GATE, POKES, INTERRUPT, END = Step


def spend(life: Life, cost: str | None, *, role: Role = CODER, age: float = 0.0) -> None:
    """Let an agent's transcript tell of a response."""
    life.place = getattr(life, "place", int(life.wall)) + 1  # type: ignore[attr-defined]  # how far the file was read
    usage = Usage(
        wall=life.wall - age,
        model="odd",
        tokens=Tokens(50, 50),
        client="claude",
        cost_usd=None if cost is None else USD(cost),
    )
    place = Position(f"t-{role}", 1, 1, life.place)  # type: ignore[attr-defined]
    life.core.emit(UsageSeen(life.clock.stamp(), role, (usage,), place, grew=True, live=True))


def gated(life: Life, role: Role = CODER) -> None:
    """Let the agent's hooks ask for holds."""
    beat = Beat(role=role, wall=life.wall, kind=BeatKind.HOOK, hook="PreToolUse", gated=True)
    life.hooks = getattr(life, "hooks", int(life.wall)) + 1  # type: ignore[attr-defined]
    life.core.emit(BeatsSeen(life.clock.stamp(), (beat,), Position("h", 1, 1, life.hooks)))  # type: ignore[attr-defined]


def steps(life: Life, role: Role = CODER) -> list[str]:
    """Return what was done to stop an agent, in order."""
    return [
        action.step.value if isinstance(action, StopSpending) else "end"
        for action in life.hands.done
        if isinstance(action, StopSpending | Stop) and action.role == role
    ]


def coder(life: Life) -> AgentView:
    return next(agent for agent in life.core.snapshot().agents if agent.role == CODER)


def budget_of(life: Life, scope: str = "CODER") -> BudgetLine:
    return next(line for line in life.core.snapshot().budgets if line.scope == scope)


def file(life: Life, role: Role = CODER) -> Path:
    return Path(holds.path_of(str(life.folder / "state"), role))


def answer_with_files(life: Life, *, failing: tuple[Step, ...] = ()) -> None:
    """Let the gate be shut for real; steps named fail."""

    def act(action: Action) -> None:
        step = action.step if isinstance(action, StopSpending) else END if isinstance(action, Stop) else None
        life.hands.answer = Outcome(ok=step not in failing, message=f"{step} was done" if step else "done")
        if isinstance(action, StopSpending) and action.step is GATE and GATE not in failing:
            holds.hold(str(life.folder / "state"), action.role, f"held: {action.text}", action.since)

    life.hands.before = act


@pytest.fixture
async def life(begin: Begin) -> Life:
    made = await begin(DIRECTOR, CODER, REVIEWER, budget=RULE)
    answer_with_files(made)
    return made


async def test_an_agent_that_heeds_its_hooks_has_a_moment_for_its_last_lines_and_is_ended(life: Life) -> None:
    gated(life)
    spend(life, "4.9")
    await life.ticks(3)
    assert steps(life) == []
    assert [alert.message for alert in life.alerts("budget-soft")] == [
        "CODER has spent 98 % of today's budget: $4.90 of $5.00 (UTC)"
    ]
    assert len(life.alerts("budget-hour")) == 1
    spend(life, "0.2")
    await life.until(lambda: len(steps(life)) == 3, "the steps")
    assert steps(life) == ["gate", "pokes", "interrupt"]
    await life.ticks(int(SETTLE_S) - 1)
    assert steps(life) == ["gate", "pokes", "interrupt"]
    await life.ticks(60)
    assert steps(life) == ["gate", "pokes", "interrupt", "end"]
    (alert,) = life.alerts("budget-hard")
    assert alert.message.startswith("CODER is stopped: $5.10 of $5.00 spent on 2026-03-31 (UTC)")
    assert (life.alerts("budget-soft"), alert.notify) == ([], True)
    assert (coder(life).state, coder(life).held) == (AgentState.HELD, "$5.10 of $5.00 spent on 2026-03-31 (UTC)")
    assert holds.reason(str(file(life))) == "held: $5.10 of $5.00 spent on 2026-03-31 (UTC)"
    own = [action for action in life.hands.done if isinstance(action, StopSpending)]
    assert {(action.by, action.reason) for action in own} == {(By.RULE, "hold of CODER")}
    assert [page.keys for page in life.told("budget-hard")] == [(("budget-hard", "CODER"),)]
    line = budget_of(life)
    assert (line.level, [done.step for done in line.steps[CODER]]) == (Level.HARD, list(Step))


async def test_one_without_hooks_is_ended_whoever_started_it(life: Life) -> None:
    spend(life, "5")
    await life.until(lambda: len(steps(life)) == 4, "the steps")
    assert steps(life) == ["gate", "pokes", "interrupt", "end"]
    (end,) = (action for action in life.hands.done if isinstance(action, Stop))
    assert (end.by, end.whoever, end.grace_s) == (By.RULE, True, 10.0)


async def test_a_last_answer_that_is_logged_late_hastens_nothing(life: Life) -> None:
    gated(life)
    spend(life, "5")
    await life.until(lambda: len(steps(life)) == 3, "the steps")
    spend(life, "0.1", age=1)  # its last answer, logged late
    await life.ticks(1)
    assert len(steps(life)) == 3
    await life.ticks(2)
    assert len(steps(life)) == 4


@pytest.mark.parametrize("failing", [GATE, POKES, INTERRUPT])
async def test_a_step_that_fails_leads_to_the_next_and_is_told(life: Life, failing: Step) -> None:
    answer_with_files(life, failing=(failing, END))
    gated(life)
    spend(life, "5")
    await life.until(lambda: len(steps(life)) >= 3, "the steps")
    await life.ticks(4)
    assert len(steps(life)) == 4
    (alert,) = life.alerts("budget-hard")
    assert "NOT ALL OF IT WORKED" in alert.message
    assert "its session could not be stopped" in alert.message
    before = len(steps(life))
    await life.ticks(35)
    assert len(steps(life)) == before + 1, "an end that failed is tried again"


async def test_a_held_agent_is_not_started_again_by_rule_nor_mourned(begin: Begin) -> None:
    life = await begin(DIRECTOR, CODER, budget=RULE, restart=RestartPolicy(cooldown_s=1.0))
    answer_with_files(life)
    await life.append(block(DIRECTOR, CODER))
    spend(life, "5")
    await life.until(lambda: len(steps(life)) == 4, "the steps")
    gone = replace(life.pane(CODER), dead=True, exit_signal=9)
    life.core.emit(PanesSeen(life.clock.stamp(), ((DIRECTOR, life.pane(DIRECTOR)), (CODER, gone)), server_up=True))
    for _ in range(12):
        await life.ticks(5)  # longer than its end was expected to take
    assert life.core.book.agent(CODER).health is AgentState.DEAD
    assert not any(isinstance(action, Restart) for action in life.hands.done)
    assert life.alerts("agent-dead") == life.alerts("agent-given-up") == []
    assert "its process lives" not in coder(life).evidence.detail


async def test_the_team_s_budget_stops_everybody_in_its_sessions(begin: Begin) -> None:
    life = await begin(DIRECTOR, CODER, REVIEWER, team_budget=BudgetRule(day_usd=USD(9)))
    answer_with_files(life)
    gated(life, DIRECTOR)
    spend(life, "4")
    spend(life, "5", role=REVIEWER)
    await life.until(lambda: len(steps(life)) + len(steps(life, REVIEWER)) == 8, "the steps")
    await life.until(lambda: len(steps(life, DIRECTOR)) == 3, "the steps")
    assert [alert.subject for alert in life.alerts("budget-hard")] == [TEAM]
    assert {agent.state for agent in life.core.snapshot().agents} == {AgentState.HELD}
    assert all(file(life, role).exists() for role in (DIRECTOR, CODER, REVIEWER))


async def test_a_life_that_is_cut_off_is_gone_on_with(begin: Begin) -> None:
    life = await begin(DIRECTOR, CODER, budget=RULE)

    def killed(action: Action) -> None:
        if isinstance(action, StopSpending) and action.step is POKES:
            life.core.running.cancel()

    answer_with_files(life)
    shut = life.hands.before

    def act(action: Action) -> None:
        shut(action)
        killed(action)

    life.hands.before = act
    spend(life, "5")
    await asyncio.wait({life.core.running}, timeout=20)
    assert steps(life) == ["gate", "pokes"]
    follower = await begin(DIRECTOR, CODER, budget=RULE)
    answer_with_files(follower)
    await follower.until(lambda: "end" in steps(follower), "the rest")
    assert steps(follower) == ["pokes", "interrupt", "end"], "the gate was known to be shut"
    again = await begin(DIRECTOR, CODER, budget=RULE)
    await again.ticks(5)
    assert steps(again) == []
    assert coder(again).state is AgentState.HELD


async def test_a_viewer_shows_a_hold_and_does_nothing(begin: Begin) -> None:
    life = await begin(DIRECTOR, CODER, budget=RULE)
    answer_with_files(life)
    spend(life, "5")
    await life.until(lambda: len(budget_of(life).steps.get(CODER, ())) == 4, "the steps")
    viewer = await begin(DIRECTOR, CODER, budget=RULE, acting=False, followed=True)
    await viewer.ticks(3)
    assert steps(viewer) == []
    assert coder(viewer).state is AgentState.HELD
    assert [done.step for done in budget_of(viewer).steps[CODER]] == list(Step)


async def test_a_file_that_is_taken_away_is_put_back(life: Life) -> None:
    gated(life)
    spend(life, "5")
    await life.until(lambda: len(steps(life)) == 3, "the steps")
    file(life).unlink()
    await life.ticks(2)
    await life.until(file(life).exists, "the file")
    assert steps(life) == ["gate", "pokes", "interrupt", "gate"]


async def test_what_can_t_be_stored_is_held_at_once(life: Life) -> None:
    gated(life)
    await life.ticks(2)
    life.ledger._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(life.folder / "state" / "ledger.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        spend(life, "0.01")
        spend(life, "0.01", role=REVIEWER)
        await life.until(lambda: len(steps(life)) == 3, "the steps")
        await life.ticks(4)
        (alert,) = life.alerts("budget-unchecked")
        assert alert.message.startswith("CODER is stopped, for what it spends can't be stored: ledger ")
        assert "another process holds it for too long" in alert.message
        assert alert.do.endswith("then: teamops budget lift CODER")
        assert steps(life, REVIEWER) == [], "whom no limit could stop"
        assert coder(life).state is AgentState.HELD
        other.execute("ROLLBACK")
    await life.ticks(3)
    (hold,) = life.ledger.budgets.open_holds()
    assert (hold.scope, hold.cause) == ("CODER", Cause.UNCHECKED)
    assert set(life.ledger.budgets.steps(hold)[CODER]) == set(Step)
    assert life.ledger.cost_since(life.wall - 60)[CODER].cost_usd == USD("0.01")
    assert steps(life) == ["gate", "pokes", "interrupt", "end"], "it isn't begun anew when the ledger is well again"
    assert life.alerts("budget-unchecked"), "a person lets it go on, not the disk"


async def test_a_hold_of_a_ledger_that_was_lost_stands(begin: Begin) -> None:
    life = await begin(DIRECTOR, CODER, budget=RULE)
    holds.hold(str(life.folder / "state"), CODER, "held: what it spends can't be stored", life.wall)
    follower = await begin(DIRECTOR, CODER, budget=RULE)
    answer_with_files(follower)
    await follower.until(lambda: "end" in steps(follower), "the steps")
    (hold,) = follower.ledger.budgets.open_holds()
    assert (hold.cause, hold.why) == (Cause.UNCHECKED, "what it spends can't be stored")


async def test_a_lift_that_was_cut_off_is_gone_on_with(life: Life, begin: Begin) -> None:
    spend(life, "5")
    await life.until(lambda: len(steps(life)) == 4, "the steps")
    life.core.running.cancel()
    life.ledger.budgets.lift("CODER", USD(9), "ann", life.wall + 5)
    assert file(life).exists()
    follower = await begin(DIRECTOR, CODER, budget=RULE)
    await follower.ticks(2)
    assert not file(follower).exists()
    assert coder(follower).held == ""


async def test_a_lift_opens_the_gate_and_leaves_the_agent_as_it_is(life: Life) -> None:
    spend(life, "5")
    await life.until(lambda: len(steps(life)) == 4, "the steps")
    assert coder(life).lift == "teamops budget lift CODER --day-usd N"
    refused = await life.core.wish(LiftBudget(CODER, USD(5)))
    assert (refused.ok, file(life).exists()) == (False, True)
    done = len(life.hands.done)
    outcome = await life.core.wish(LiftBudget(CODER, USD(8)))
    assert outcome.ok
    assert outcome.message == "CODER may spend $8.00 today"
    assert not file(life).exists()
    await life.ticks(5)
    assert not life.hands.done[done:]
    assert (coder(life).held, coder(life).lift, life.alerts("budget-hard")) == ("", "", [])
    assert any("CODER may spend $8.00 today" in line.text for line in life.core.book.log)
    spend(life, "3")
    await life.until(lambda: len(steps(life)) == 8, "the steps of the next stop")


async def test_another_process_s_lift_is_heard(life: Life, begin: Begin) -> None:
    spend(life, "5")
    await life.until(lambda: len(steps(life)) == 4, "the steps")
    visitor = await begin(DIRECTOR, CODER, budget=RULE, acting=False, followed=True)
    assert (await visitor.core.wish(LiftBudget(CODER, USD(8)))).ok
    assert not file(life).exists()
    life.wall = visitor.wall
    await life.ticks(3)
    assert coder(life).held == ""
    assert not file(life).exists()


async def test_who_is_held_by_the_team_too_stays_held(begin: Begin) -> None:
    life = await begin(DIRECTOR, CODER, budget=RULE, team_budget=BudgetRule(day_usd=USD(6)))
    answer_with_files(life)
    spend(life, "7")
    await life.until(lambda: len(steps(life)) == 4, "the steps")
    outcome = await life.core.wish(LiftBudget(CODER, USD(20)))
    assert outcome.message == "CODER may spend $20.00 today; still held: DIRECTOR, CODER, REVIEWER"
    assert file(life).exists()
    outcome = await life.core.wish(LiftBudget(TEAM, USD(20)))
    assert outcome.message == "team may spend $20.00 today"
    await life.until(lambda: not file(life).exists(), "an open gate")


@pytest.mark.parametrize("stop", list(SpikeStop))
async def test_a_runaway_is_stopped_only_where_it_is_to_be(begin: Begin, stop: SpikeStop) -> None:
    life = await begin(DIRECTOR, CODER, REVIEWER, spike=SpikeRule(stop=stop))
    answer_with_files(life)
    await work(life)
    assert await run_away(life) is not None
    (alert,) = life.alerts("agent-runaway")
    assert ("teamops budget stop CODER" in alert.do) == (stop is SpikeStop.ASK)
    await life.ticks(3)
    if stop is not SpikeStop.ON:
        assert steps(life) == []
        return
    await life.until(lambda: len(steps(life)) == 4, "the steps")
    (held,) = life.alerts("agent-held")
    assert held.message.startswith("CODER is stopped as it ran away: ")
    assert (await life.core.wish(LiftBudget(CODER, None))).ok
    await life.ticks(3)
    assert len(steps(life)) == 4, "the same spike doesn't stop it again"


async def test_a_person_stops_an_agent_s_spending(begin: Begin) -> None:
    life = await begin(DIRECTOR, CODER)
    answer_with_files(life)
    outcome = await life.core.wish(StopSpendingOf(CODER))
    assert outcome.ok
    assert outcome.message == "CODER: gate shut, pokes refused, interrupted, session stopped"
    assert life.alerts("agent-held") == []
    assert coder(life).state is AgentState.HELD


async def test_tokens_without_a_price_are_told(life: Life) -> None:
    spend(life, None)
    await life.ticks(5)
    assert life.alerts("budget-unpriced") == []
    for _ in range(3):
        await life.ticks(5)
    (alert,) = life.alerts("budget-unpriced")
    assert alert.message == "CODER's budget can't see 100 tokens used today: odd has no known price"


async def test_a_light_is_told_to_its_holder_once_the_gate_is_open(life: Life) -> None:
    life.hands.in_the_way = "held"
    gated(life)
    spend(life, "5")
    await life.until(lambda: len(steps(life)) == 3, "the steps")
    shut = life.hands.before

    def refuse(action: Action) -> None:
        shut(action)
        if isinstance(action, Poke):
            life.hands.answer = Outcome(ok=not file(life).exists(), message="held: budget")

    life.hands.before = refuse
    rest = Beat(role=CODER, wall=life.wall, kind=BeatKind.HOOK, hook="Stop", gated=True)
    life.core.emit(BeatsSeen(life.clock.stamp(), (rest,), Position("h", 1, 1, 2_000_000_000)))
    await life.append(block(DIRECTOR, CODER))
    await life.ticks(10)
    before = len(life.hands.pokes)
    assert before <= 1
    assert (await life.core.wish(LiftBudget(CODER, USD(9)))).ok
    life.hands.in_the_way = ""
    for _ in range(12):
        await life.ticks(5)
    assert len(life.hands.pokes) == before + 1
    assert life.hands.pokes[-1].by is By.RULE
