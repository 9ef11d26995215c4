"""A day's report on a real ledger: a simulated week, every figure counted a second time and in another way."""

from __future__ import annotations

import time
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from math import log
from pathlib import Path
from statistics import median

import pytest

from teamops.domain.alert_rules import RULES
from teamops.domain.day_report import Asked, frame
from teamops.domain.spend_by_light import Lights
from teamops.model.actions import By
from teamops.model.boundary import Verdict
from teamops.model.day_report import SLOT_S, AgentDay, Course, DayReport, Ending, Presence
from teamops.model.role import AGENT_ROLES, DEVELOPER, HUMAN, NONE, REVIEWER, Role
from teamops.model.spend import Spend
from teamops.supervisor.cost_reports import Terms, read_costs
from teamops.supervisor.costing import Known
from teamops.supervisor.day_reports import Question, read_days
from tests.week import ANSWERS, BACK, DAYS, LAST, POINTS, STEP, ZONE, Week, Written, midnight

SEEDS = (1, 3)
OF = {
    "unknown": Presence.OFF, "silent": Presence.UNWELL, "zombie": Presence.UNWELL, "suspended": Presence.UNWELL,
    "dead": Presence.DOWN, "backing off": Presence.DOWN, "given up": Presence.DOWN, "held": Presence.HELD,
}  # fmt: skip


@pytest.fixture(scope="module", params=SEEDS)
def week(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Week:
    return Week(tmp_path_factory.mktemp("week") / "ledger.sqlite3", request.param)


def ask(week: Week, last: date, days: int = 1, wall: float | None = None, only: Role | None = None) -> DayReport:
    names = dict.fromkeys(AGENT_ROLES, "")
    at = frame(last, days, week.until + 1 if wall is None else wall, ZONE)
    asked = Asked(project="shop", timezone="Europe/Berlin", names=names, only=only)
    return read_days(week.path, Question(asked=asked, at=at, known=week.known, roles=frozenset({*AGENT_ROLES, HUMAN})))


SPANS = [(day, 1) for day in DAYS] + [(LAST, 7), (DAYS[3], 3)]


def span_of(last: date, days: int) -> tuple[float, float]:
    return midnight(last - timedelta(days=days - 1)), midnight(last + timedelta(days=1))


def of(report: DayReport, role: Role) -> AgentDay:
    (found,) = (agent for agent in report.agents if agent.role == role)
    return found


# presence, second by second


def presences(week: Week, role: Role, since: float, until: float) -> list[Presence]:
    """Return what the agent was in each step of the span, looked up step by step."""
    states = sorted((wall, state) for wall, whose, state in week.states if whose == role)
    minutes = {int(wall // 60) for wall, whose in week.beats if whose == role}
    minutes |= {int(wall // 60) for wall, whose, _, _ in week.used if whose == role}
    lived = set(minutes)
    for one, other in pairwise(sorted(minutes)):
        if (other - one - 1) * 60 <= 180:
            lived |= set(range(one, other))
    found, place = [], -1
    for wall in range(int(since), int(until), STEP):
        while place + 1 < len(states) and states[place + 1][0] <= wall:
            place += 1
        if any(begun <= wall < ended for begun, ended in week.watched):
            found.append(Presence.OFF if place < 0 else OF.get(states[place][1], Presence.ALIVE))
        else:
            found.append(Presence.ALIVE if wall // 60 in lived else Presence.UNSEEN)
    return found


@pytest.mark.parametrize(("last", "days"), SPANS)
def test_every_second_of_every_agent_is_told_as_it_was(week: Week, last: date, days: int) -> None:
    since, until = span_of(last, days)
    report = ask(week, last, days)
    for role in AGENT_ROLES:
        agent, steps = of(report, role), presences(week, role, since, until)
        counts = Counter(steps)
        for presence in Presence:
            assert agent.seconds(presence) == counts[presence] * STEP, (role, presence)
        assert sum(agent.seconds(presence) for presence in Presence) == until - since
        assert agent.gaps(Presence.DOWN) == sum(
            now is Presence.DOWN and before is not Presence.DOWN for before, now in pairwise([None, *steps])
        )
        assert [strip.day for strip in agent.strips] == list(report.days)
        slot = int(SLOT_S) // STEP
        told = [one for strip in agent.strips for one in strip.slots]
        for number in range(0, len(steps), slot):
            part = Counter(steps[number : number + slot])
            worst = next((one for one in (Presence.DOWN, Presence.UNWELL, Presence.HELD) if part[one]), None)
            shown = told[number // slot]
            assert shown is worst if worst else part[shown] == max(part.values()), (role, number)


def test_the_day_on_which_clocks_go_forward_has_46_signs(week: Week) -> None:
    assert {len(agent.strips[0].slots) for agent in ask(week, LAST).agents} == {46}
    assert {len(agent.strips[0].slots) for agent in ask(week, DAYS[0]).agents} == {48}
    assert {agent.strips[0].hours for agent in ask(week, LAST).agents} == {(0, 4, 7, 10, 13, 16, 19, 22)}
    assert {agent.strips[0].hours for agent in ask(week, DAYS[0]).agents} == {(0, 3, 6, 9, 12, 15, 18, 21)}


@pytest.mark.parametrize(("last", "days"), SPANS)
def test_it_says_for_how_long_anybody_looked(week: Week, last: date, days: int) -> None:
    since, until = span_of(last, days)
    steps = range(int(since), int(until), STEP)
    looked = sum(any(begun <= wall < ended for begun, ended in week.watched) for wall in steps) * STEP
    assert ask(week, last, days).watched_s == looked


# events


@pytest.mark.parametrize(("last", "days"), SPANS)
def test_restarts_runaways_holds_and_refused_calls_are_counted(week: Week, last: date, days: int) -> None:
    since, until = span_of(last, days)
    report = ask(week, last, days)

    def within(wall: float) -> bool:
        return since <= wall < until

    for role in AGENT_ROLES:
        agent = of(report, role)
        own = sorted((wall, by, ok) for wall, whose, by, ok in week.restarts if whose == role and within(wall))
        assert [(one.wall, one.by, one.ok) for one in agent.restarts] == own
        spikes = sorted((wall, cost) for wall, whose, cost in week.spikes if whose == role and within(wall))
        assert [(one.began_wall, one.cost_usd) for one in agent.spikes] == spikes
        fresh = Counter(state for wall, whose, state in week.states if whose == role and within(wall))
        assert (agent.cooldowns, agent.given_up) == (fresh["backing off"], fresh["given up"])
        assert agent.holds == sum(scope == role and within(wall) for wall, scope in week.holds)
        denied = [wall for wall, whose, verdict in week.calls if whose == role and verdict is Verdict.DENY]
        assert agent.blocked == sum(map(within, denied))
    team = report.team
    assert team.blocked == sum(verdict is Verdict.DENY and within(wall) for wall, _, verdict in week.calls)
    assert team.warned == sum(verdict is Verdict.WARN and within(wall) for wall, _, verdict in week.calls)
    assert team.violations == sum(map(within, week.violations))
    assert team.stale == sum(code == "handoff-stale" and within(wall) for wall, _, code, _, _ in week.alerts)


@pytest.mark.parametrize(("last", "days"), SPANS)
def test_what_was_amiss_is_told_with_its_end(week: Week, last: date, days: int) -> None:
    since, until = span_of(last, days)
    report = ask(week, last, days)
    told = {(one.code, one.subject): one for agent in report.agents for one in agent.episodes}
    expected = {
        (code, subject): (wall, ended if ended is not None and ended < until else None)
        for wall, ended, code, _, subject in week.alerts
        if wall < until and (ended is None or ended >= since)
    }
    assert {key: (one.since_wall, one.until_wall) for key, one in told.items()} == expected
    lasting = {key for key, ends in expected.items() if ends[1] is None}
    whose = {(code, subject): role for _, _, code, role, subject in week.alerts}
    hidden = {
        key for key in lasting
        if any(whose[other] == whose[key] and key[0] in RULES[other[0]].inhibits for other in lasting)
    }  # fmt: skip
    assert {key for key, one in told.items() if one.ending is Ending.HIDDEN} == hidden
    assert {key for key, one in told.items() if one.ending is Ending.OPEN} == lasting - hidden
    assert {(one.code, one.subject) for one in report.needs} == lasting - hidden
    assert all(one.do == f"look at {one.agent}" for one in report.needs)
    assert all(one.ending is Ending.BY_PERSON for one in told.values() if one.code == "human-turn" and one.until_wall)


# money


def spends(week: Week, since: float, until: float) -> dict[Role, Spend]:
    found: dict[Role, Spend] = {}
    for wall, role, cost, tokens in week.used:
        if since <= wall < until:
            part = Spend(1, tokens, cost or Decimal(0), tokens.total if cost is None else 0)
            found[role] = found.get(role, Spend()) + part
    return found


@pytest.mark.parametrize(("last", "days"), SPANS)
def test_costs_are_those_of_the_responses_one_by_one(week: Week, last: date, days: int) -> None:
    since, until = span_of(last, days)
    report = ask(week, last, days)
    expected = spends(week, since, until)
    assert {agent.role: agent.spend for agent in report.agents} == expected
    assert report.team.spend == sum(expected.values(), Spend())
    tasks: dict[str | None, Spend] = {}
    for wall, role, cost, tokens in week.used:
        if since <= wall < until:
            lights = [
                (held.since_wall, held.place, held.task)
                for held in week.held
                if held.role == role and held.since_wall <= wall and (held.until_wall is None or wall < held.until_wall)
            ]
            name = max(lights)[2] if lights else None
            part = Spend(1, tokens, cost or Decimal(0), tokens.total if cost is None else 0)
            tasks[name] = tasks.get(name, Spend()) + part
    assert dict(report.team.costs) == tasks
    assert sum((spend for _, spend in report.team.costs), Spend()) == report.team.spend


def test_costs_are_those_of_teamops_cost(week: Week) -> None:
    costs = read_costs(week.path, week.known, (), week.until - 1, Terms(timezone="Europe/Berlin"))
    by_day = {one.since_wall: one.spend for one in costs.days}
    for day in DAYS:
        assert ask(week, day).team.spend == by_day[midnight(day)]
    today, seven = ask(week, LAST), ask(week, LAST, 7)
    assert (today.team.spend, seven.team.spend) == (costs.today, costs.week)
    assert {agent.role: agent.spend for agent in today.agents} == {one.name: one.today for one in costs.agents}
    assert {agent.role: agent.spend for agent in seven.agents} == {one.name: one.week for one in costs.agents}
    assert dict(today.team.costs) == {one.name: one.today for one in costs.tasks if one.today.responses}
    assert dict(seven.team.costs) == {one.name: one.week for one in costs.tasks if one.week.responses}


@pytest.mark.parametrize(("last", "days"), SPANS)
def test_a_cycle_is_ten_seconds_and_its_median_is_the_middle_one(week: Week, last: date, days: int) -> None:
    report = ask(week, last, days)
    for role in AGENT_ROLES:
        medians = []
        for back in range(7, -1, -1):
            since, until = span_of(last - timedelta(days=back), 1)
            slices: dict[int, list[Decimal | None]] = {}
            for wall, whose, cost, _ in week.used:
                if whose == role and since <= wall < until:
                    slices.setdefault(int(wall // 10), []).append(cost)
            priced = [sum((one for one in costs if one is not None), Decimal(0)) for costs in slices.values()
                      if None not in costs]  # fmt: skip
            medians.append((len(priced), len(slices) - len(priced), median(priced)))
        cycle = of(report, role).cycle
        assert (cycle.count, cycle.unpriced, cycle.median_usd) == medians[-1]
        usual = median(middle for _, _, middle in medians[:-1])
        assert cycle.usual_usd == usual
        logs = [log(middle) for _, _, middle in medians[:-1]]
        spread = 1.4826 * median(abs(one - median(logs)) for one in logs)
        far = abs(log(medians[-1][2]) - median(logs)) >= max(log(1.5), 3.5 * spread)
        assert (cycle.course is not Course.USUAL) == far, role


def test_a_leap_and_a_slow_drift_are_found_and_nothing_else(week: Week) -> None:
    report = ask(week, LAST)
    assert of(report, AGENT_ROLES[0]).cycle.week is Course.DEARER, "ten percent a day"
    assert of(report, DEVELOPER).cycle.course is Course.DEARER, "three times as much"
    for role in AGENT_ROLES[2:]:
        assert (of(report, role).cycle.course, of(report, role).cycle.week) == (Course.USUAL, Course.USUAL), role


# tasks


def by_task(week: Week) -> dict[str, list[Written]]:
    found: dict[str, list[Written]] = {}
    for one in week.blocks:
        found.setdefault(one.task, []).append(one)
    return found


@pytest.mark.parametrize(("last", "days"), SPANS)
def test_tasks_stages_rounds_and_challenges_are_those_of_the_blocks(week: Week, last: date, days: int) -> None:
    since, until = span_of(last, days)
    report = ask(week, last, days)
    told = {task.task: task for task in report.team.tasks}
    closed: Counter[int | None] = Counter()
    stages: Counter[str] = Counter()
    for name, blocks in by_task(week).items():
        known = [one for one in blocks if one.wall < until]
        own = [one for one in known if one.wall >= since]
        if not known or (known[-1].turn == NONE and not own):
            assert name not in told
            continue
        task = told[name]
        assert task.blocks == len(own)
        assert task.open == (known[-1].turn != NONE)
        assert (task.closed_wall is not None) == (known[-1].turn == NONE)
        closed[known[0].tier] += known[-1].turn == NONE
        third = known[0].tier == 3
        raised = [(one.place, POINTS.get(one.place, 0)) for one in own if third and one.role == REVIEWER]
        assert task.challenges == sum(count for _, count in raised)
        assert task.catches == sum(count for place, count in raised if place in BACK)
        assert task.rounds == sum(place in BACK for place, _ in raised)
        assert task.answered == sum(ANSWERS.get(one.place, 0) for one in own if third)
        spent: Counter[str] = Counter()
        for one, after in pairwise([*known, None]):
            assert one is not None
            ends = until if after is None else after.wall
            if one.stage != "closed":
                spent[one.stage] += int(max(0.0, min(ends, until) - max(one.wall, since)))
        assert {str(stay.stage): stay.seconds for stay in task.stages} == {k: v for k, v in spent.items() if v}, name
        stages += spent
        waits = known[-1].turn == HUMAN
        assert task.sign_off == waits
        assert task.waits_since == (known[-1].wall if waits else None)
    team = report.team
    assert {tier: count for tier, count in closed.items() if count} == team.closed
    assert {str(stage): seconds for stage, seconds in team.stages.items()} == {k: v for k, v in stages.items() if v}
    assert team.rounds == sum(task.rounds for task in told.values())
    assert team.sign_offs == sum(task.sign_off for task in told.values())


# the rest


def test_a_day_that_is_not_over_ends_now(week: Week) -> None:
    noon = midnight(DAYS[2]) + 12 * 3600
    report = ask(week, DAYS[2], wall=noon)
    assert not report.over
    assert report.until_wall == noon
    assert all(len(agent.strips[0].slots) == 24 for agent in report.agents)
    assert all(agent.stays[-1].until_wall == noon for agent in report.agents)


def test_one_agent_alone_has_the_same_part(week: Week) -> None:
    (alone,) = ask(week, LAST, 7, only=REVIEWER).agents
    assert alone == of(ask(week, LAST, 7), REVIEWER)


def test_a_day_before_everything_is_empty(week: Week) -> None:
    report = ask(week, DAYS[0] - timedelta(days=300))
    assert report.empty
    assert not ask(week, LAST).empty


def test_without_a_ledger_it_is_empty(tmp_path: Path) -> None:
    at = frame(LAST, 1, midnight(LAST) + 99, ZONE)
    known = Known(Lights(), {}, (0, 0))
    assert read_days(tmp_path / "none", Question(asked=Asked(project="shop"), at=at, known=known)).empty
    assert not (tmp_path / "none").exists()


def test_a_week_of_six_agents_is_read_at_once(week: Week) -> None:
    ask(week, LAST, 7)
    begun = time.perf_counter()
    ask(week, LAST, 7)
    assert time.perf_counter() - begun < 2.0, "0.1 s where nobody else computes"


def test_restarts_by_you_and_by_teamops_are_told_apart(week: Week) -> None:
    report = ask(week, LAST, 7)
    told = [agent.answers[1].words for agent in report.agents]
    counts = [part.split() for words in told for part in words.partition(": ")[0].split(", ")]
    by_rule = sum(by is By.RULE and week.since <= wall < week.until for wall, _, by, _ in week.restarts)
    counted = sum(int(words[0]) for words in counts if words[-1] == "teamops")
    assert counted == by_rule
    assert any("dead: exit status 37" in words for words in told)
