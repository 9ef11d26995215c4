"""What a project's agents cost, asked of lives of a supervisor on a real ledger."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from teamops.domain.budget import BudgetRule
from teamops.domain.days import day_edges
from teamops.domain.spend_by_light import Held, Lights
from teamops.ledger import spent
from teamops.ledger.connection import writing
from teamops.ledger.spent import SpentRow
from teamops.ledger.store import open_ledger
from teamops.model.agent_report import SpikeRecord
from teamops.model.budget import TEAM
from teamops.model.cost_report import CostReport, Verdict
from teamops.model.role import CODER, DIRECTOR, Role
from teamops.model.snapshot import LiftBudget
from teamops.model.spend import Spend
from teamops.model.usage import Tokens, Usage
from teamops.supervisor import cost_reports
from teamops.supervisor.cost_reports import Terms, read_costs
from teamops.supervisor.costing import Known
from tests.unit.supervisor.conftest import Begin
from tests.unit.supervisor.life import START
from tests.unit.supervisor.test_costing import BUILT, TO_CODER, Pen

HOUR, DAY = 3600.0, 86_400.0
NO_LIGHTS = Known(Lights(), {}, (0, 0))
BERLIN = Terms(timezone="Europe/Berlin", day_usd=Decimal(10))
NOON = day_edges(START, ZoneInfo("Europe/Berlin"), 1)[0] + 12 * HOUR


def response(age: float, cost: str | None, role: Role = CODER, model: str = "m") -> SpentRow:
    usage = Usage(wall=NOON - age, model=model, tokens=Tokens(input=100), client="claude")
    return SpentRow(role, usage, None if cost is None else Decimal(cost))


def stored(path: Path, rows: list[SpentRow]) -> Path:
    ledger = open_ledger(path)
    with writing(ledger._connection, path):
        spent.add(ledger._connection, rows)
    ledger.close()
    return path


def names(report: CostReport) -> dict[str | None, tuple[Any, ...]]:
    """Return what each task cost: today, 7 days, 30 days."""
    return {one.name: (one.today.cost_usd, one.week.cost_usd, one.month.cost_usd) for one in report.tasks}


@pytest.mark.parametrize("kept", [True, False], ids=["in the ledger", "in no ledger yet"])
def test_sums_are_of_todays_seven_and_thirty_days(tmp_path: Path, *, kept: bool) -> None:
    rows = [
        response(12 * HOUR, "1"),  # midnight: today's first moment
        response(12 * HOUR + 1, "2", DIRECTOR),  # yesterday's last
        response(6 * DAY, "4", model="n"),
        response(7 * DAY, "8"),
        response(29 * DAY, "16"),
        response(30 * DAY, "32"),
        response(600.0, None, DIRECTOR, "house"),
    ]
    path = stored(tmp_path / "l", rows if kept else [])
    told = read_costs(path, NO_LIGHTS, () if kept else rows, NOON, BERLIN)
    assert [one.cost_usd for one in (told.today, told.week, told.month)] == [1, 7, 31]
    assert (told.today.responses, told.today.unpriced_tokens) == (2, 100)
    assert {one.name: one.month.cost_usd for one in told.agents} == {"CODER": 29, "DIRECTOR": 2}
    assert [one.name for one in told.agents] == ["CODER", "DIRECTOR"], "the dearest first"
    assert {one.name: one.month.cost_usd for one in told.models} == {"m": 27, "n": 4, "house": 0}
    assert [one.name for one in told.models] == ["m", "n", "house"]
    assert names(told) == {None: (1, 7, 31)}
    assert len(told.days) == 30
    assert [one.spend.cost_usd for one in told.days if one.spend.responses] == [16, 8, 4, 2, 1]
    assert told.days[-1].since_wall == told.day_since_wall == NOON - 12 * HOUR
    assert told.days[-1].until_wall == told.day_until_wall == NOON + 12 * HOUR
    assert len(told.hours) == 13
    assert [place for place, one in enumerate(told.hours) if one.spend.responses] == [0, 11]
    burn = told.burn
    assert (burn.hour_usd, burn.forecast_usd, burn.limit_usd) == (Decimal(0), Decimal(1), Decimal(10))
    assert burn.verdict is Verdict.WITHIN


@pytest.mark.parametrize("kept", [True, False], ids=["in the ledger", "in no ledger yet"])
def test_the_last_hour_reaches_into_the_day_before(tmp_path: Path, *, kept: bool) -> None:
    rows = [response(12 * HOUR + 900, "2"), response(12 * HOUR - 60, "1"), response(3 * DAY, "1")]
    path = stored(tmp_path / "l", rows if kept else [])
    told = read_costs(path, NO_LIGHTS, () if kept else rows, NOON - 12 * HOUR + 600, BERLIN)
    assert told.burn.hour_usd == 3
    assert told.burn.day_usd == 6, "of ten minutes"
    assert told.burn.forecast_usd == 1 + 3 * Decimal(23 * 60 + 50) / 60
    assert told.burn.verdict is Verdict.OVER


def test_without_a_ledger_nothing_was_used(tmp_path: Path) -> None:
    told = read_costs(tmp_path / "none", NO_LIGHTS, (), NOON, Terms())
    assert (told.month, told.agents, told.models, told.tasks, told.spikes) == (Spend(), (), (), (), ())
    assert (told.burn.hour_usd, told.burn.verdict) == (None, Verdict.NO_BUDGET)
    assert [one.spend for one in told.days] == [Spend()] * 30
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kept", [True, False], ids=["in the ledger", "in no ledger yet"])
def test_the_case_of_a_tasks_name_makes_no_other_task(tmp_path: Path, *, kept: bool) -> None:
    held = [Held(CODER, NOON - ago, NOON - ago + 60, name, name) for ago, name in ((900, "Login"), (600, "LOGIN"))]
    rows = [response(880, "1"), response(580, "2"), response(10, "4"), response(580, "8", DIRECTOR)]
    path = stored(tmp_path / "l", rows if kept else [])
    told = read_costs(path, Known(Lights(held), {}, (0, 0)), () if kept else rows, NOON, BERLIN)
    assert names(told) == {"Login": (3, 3, 3), None: (12, 12, 12)}


async def test_tasks_have_what_was_used_under_their_lights_and_the_rest_is_told_apart(begin: Begin) -> None:
    life = await begin(CODER)
    pen = Pen(life)
    pen.use(CODER, 1, cost=Decimal(1))
    await life.ticks(2)
    await life.append(TO_CODER)
    pen.use(CODER, 100, cost=Decimal("0.25"))
    pen.use(DIRECTOR, 7, cost=Decimal(9))
    await life.ticks(2)
    await life.append(BUILT)
    pen.use(DIRECTOR, 30, cost=Decimal("0.5"))
    await life.ticks(2)
    told = await life.core.cost_report()
    assert names(told) == {"login": (Decimal("0.75"),) * 3, None: (10,) * 3}
    assert [one.name for one in told.tasks] == ["login", None], "the rest comes last"
    assert told.today.cost_usd == told.month.cost_usd == Decimal("10.75") == life.snapshots[-1].cost_today_usd
    assert told.wall == life.snapshots[-1].stamp.wall
    assert told.timezone == life.settings.timezone
    assert told.day_since_wall == life.settings.budgets.day_begins(life.wall)


async def test_a_task_of_weeks_is_in_each_span_with_its_part(begin: Begin) -> None:
    life = await begin(CODER)
    pen = Pen(life)
    pen.use(CODER, 1, cost=Decimal(64))
    await life.ticks(2)
    await life.append(TO_CODER)
    for cost in (1, 2, 4):
        pen.use(CODER, 1, cost=Decimal(cost))
        await life.ticks(2)
        life.wall += {1: 31 * DAY, 2: 10 * DAY, 4: 2 * DAY}[cost]
    await life.ticks(2)
    pen.use(CODER, 1, cost=Decimal(8))
    await life.ticks(2)
    assert names(await life.core.cost_report()) == {"login": (8, 12, 14)}
    await life.append(BUILT)
    life.wall += DAY
    await life.ticks(2)
    assert names(await life.core.cost_report()) == {"login": (0, 12, 14)}


async def test_what_came_since_the_last_round_and_a_price_that_came_later_are_in_it(begin: Begin) -> None:
    life = await begin(CODER)
    pen = Pen(life)
    await life.append(TO_CODER)
    pen.use(CODER, 100, cost=Decimal("0.25"))
    await life.ticks(2)
    known = life.core.costing.known()
    pen.use(CODER, 100, cost=Decimal("0.5"))
    pen.use(CODER, 30)
    await life.ticks(2)

    def ask(known: Known) -> CostReport:
        return read_costs(life.core.memory.path, known, (), life.wall, Terms())

    assert names(ask(known)) == {"login": (Decimal("0.75"),) * 3}
    known = life.core.costing.known()
    usage = Usage(wall=0.0, model="m", tokens=Tokens(input=30), client="claude")
    row = life.ledger._connection.execute("SELECT wall FROM spent WHERE pico IS NULL").fetchone()
    life.ledger.reprice([(CODER, replace(usage, wall=row[0]), Decimal(2))])
    assert names(ask(known)) == {"login": (Decimal("2.75"),) * 3}
    assert ask(known).today.unpriced_tokens == 0


async def test_the_forecast_is_held_against_the_teams_budget_and_the_limit_that_a_person_gave(begin: Begin) -> None:
    life = await begin(CODER, team_budget=BudgetRule(day_usd=Decimal(2)), budget=BudgetRule(day_usd=Decimal(99)))
    pen = Pen(life)
    pen.use(CODER, 1, age=1200.0, cost=Decimal(1))
    await life.ticks(2)
    told = await life.core.cost_report()
    assert (told.burn.limit_usd, told.burn.verdict) == (Decimal(2), Verdict.OVER)
    assert told.burn.hour_usd is not None
    assert round(told.burn.hour_usd, 1) == 3, "a dollar in twenty minutes"
    (team,) = (line for line in life.snapshots[-1].budgets if line.scope == TEAM)
    assert (team.spent.day, team.spent.hour) == (told.today.cost_usd, Decimal(1))
    pen.use(CODER, 1, cost=Decimal(4))
    await life.ticks(2)
    assert (await life.core.cost_report()).burn.verdict is Verdict.SPENT
    assert (await life.core.wish(LiftBudget(TEAM, Decimal(1000)))).ok
    await life.ticks(2)
    told = await life.core.cost_report()
    assert (told.burn.limit_usd, told.burn.verdict) == (Decimal(1000), Verdict.WITHIN)


async def test_without_a_budget_of_the_team_there_is_none_to_hold_it_against(begin: Begin) -> None:
    life = await begin(CODER, budget=BudgetRule(day_usd=Decimal(5)))
    assert (await life.core.cost_report()).burn.verdict is Verdict.NO_BUDGET


async def test_a_viewer_of_nobody_tells_what_it_read_itself(begin: Begin) -> None:
    life = await begin(CODER, acting=False)
    await life.append(TO_CODER)
    Pen(life).use(CODER, 100, cost=Decimal("0.25"))
    await life.ticks(2)
    told = await life.core.cost_report()
    assert told.today.cost_usd == Decimal("0.25")
    assert names(told) == {"login": (Decimal("0.25"),) * 3}
    assert told.burn.hour_usd is None, "seconds are no history"


async def test_no_round_waits_for_it(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    life = await begin(CODER)
    gate, real = threading.Event(), cost_reports.read_costs

    def slow(*given: object) -> CostReport:
        assert gate.wait(20)
        return real(*given)  # type: ignore[arg-type]  # as it was asked

    monkeypatch.setattr(cost_reports, "read_costs", slow)
    asked = asyncio.create_task(life.core.cost_report())
    before = life.snapshots[-1].revision
    assert (await life.ticks(2)).revision > before
    assert not asked.done()
    gate.set()
    assert (await asked).agents == ()


async def test_runaways_of_all_agents_come_newest_first(begin: Begin) -> None:
    life = await begin(CODER)
    for number, role in enumerate((CODER, DIRECTOR, CODER), 1):
        life.ledger.spikes.save(
            SpikeRecord(
                id=number, role=role, began_wall=START + number, ended_wall=START + 90, peak=9, usual=1, threshold=5,
                tokens=10, cost_usd=Decimal(number), why="because", trace=((START, 3),),
            )
        )  # fmt: skip
    told = await life.core.cost_report()
    assert [(one.role, one.cost_usd) for one in told.spikes] == [
        (CODER, Decimal(3)), (DIRECTOR, Decimal(2)), (CODER, Decimal(1)),
    ]  # fmt: skip
    assert told.spikes[0].trace == ((START, 3),)
