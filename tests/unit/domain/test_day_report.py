"""A day's report from facts: the five answers in words, the drift of costs, who mended what, the team's figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from teamops.domain import day_answers, day_team
from teamops.domain.day_report import Asked, day_report, frame
from teamops.domain.day_tasks import task_days
from teamops.domain.days import today
from teamops.domain.drift import cycle_drift
from teamops.domain.episodes import episodes
from teamops.domain.limits import Limits
from teamops.domain.span import span_words
from teamops.handoff import ROLES, parse
from teamops.model.actions import By
from teamops.model.agent_report import RestartRecord, SpikeRecord
from teamops.model.alert import AlertState
from teamops.model.boundary import Verdict
from teamops.model.day_facts import AlertEdge, CycleDay, DayFacts, Done, Held, LastWord, StateEdge
from teamops.model.day_report import (
    AgentDay,
    Course,
    CycleDrift,
    DayReport,
    Ending,
    Episode,
    Presence,
    Stay,
    TaskDay,
    TeamDay,
)
from teamops.model.handoff import Block, Severity, Stage, Standing
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role
from teamops.model.spend import Spend
from teamops.model.usage import Tokens
from tests.unit.domain.alert_series import rule

UTC = ZoneInfo("UTC")
DAY = date(2026, 3, 28)
T0 = 1_774_656_000.0
"""Its midnight."""
HOUR = 3600.0
ASKED = Asked(project="shop", timezone="UTC", names={DIRECTOR: "Max", CODER: "Kevin"})


def report(facts: DayFacts, *, days: int = 1, wall: float = T0 + 48 * HOUR, asked: Asked = ASKED) -> DayReport:
    return day_report(asked, frame(DAY, days, wall, UTC), facts)


def watched(*edges: tuple[float, str]) -> DayFacts:
    states = tuple(StateEdge(T0 + hour * HOUR, CODER, state, f"because {state}") for hour, state in edges)
    return DayFacts(watched=((T0, T0 + 24 * HOUR),), states=states)


def coder(facts: DayFacts, **more: object) -> AgentDay:
    (found,) = (agent for agent in report(facts, **more).agents if agent.role == CODER)  # type: ignore[arg-type]
    return found


def words(facts: DayFacts, question: str) -> tuple[bool | None, str]:
    (answer,) = (one for one in coder(facts).answers if one.question == question)
    return answer.good, answer.words


# alive?


@pytest.mark.parametrize(
    ("facts", "good", "said"),
    [
        (watched((-3, "working")), True, "yes, all 24 h"),
        (watched((-3, "working"), (3, "dead"), (4.5, "working"), (9, "dead"), (9.25, "idle")), False,
         "no: alive 22 h 15 min of 24 h; down 1 h 45 min in 2 gaps, the longest from 03:00 to 04:30"),
        (watched((-3, "working"), (3, "zombie"), (4, "working")), False,
         "no: alive 23 h of 24 h; hangs 1 h from 03:00 to 04:00"),
        (watched((-3, "working"), (23.5, "held")), False,
         "no: alive 23 h 30 min of 24 h; held 30 min from 03-28 23:30 to 00:00"),
        (watched((6, "working")), True, "while it was there: alive 18 h of 24 h; not there 6 h"),
        (watched((0.0002, "working")), True, "yes, all 24 h"),
        (structs.replace(watched((-3, "idle")), watched=((T0 + 0.7, T0 + 24 * HOUR),)), True, "yes, all 24 h"),
        (structs.replace(watched((6, "idle")), watched=((T0 + 0.7, T0 + 24 * HOUR),)), True,
         "while it was there: alive 18 h of 24 h; not there 5 h 59 min"),
        (watched((-3, "working"), (3, "dead"), (3.0001, "working")), False,
         "no: alive 23 h 59 min of 24 h; down less than 1 s from 03:00 to 03:00"),
        (watched(), None, "it was not there"),
        (DayFacts(), None, "nobody knows: teamops was not running, or its record is cleared away"),
        (structs.replace(watched((-3, "idle")), watched=((T0 + 6 * HOUR, T0 + 24 * HOUR),)), True,
         "as far as is known: alive 18 h of 24 h; not observed 6 h"),
        (structs.replace(watched((6, "idle")), states_since=T0 + 6 * HOUR), True,
         "as far as is known: alive 18 h of 24 h; not observed 6 h"),
        (structs.replace(watched(), states_since=T0 + 30 * HOUR), None,
         "nobody knows: teamops was not running, or its record is cleared away"),
    ],
)  # fmt: skip
def test_whether_it_lived(facts: DayFacts, good: bool | None, said: str) -> None:
    assert words(facts, day_answers.ALIVE) == (good, said)


def test_a_day_that_has_not_begun_is_not_known() -> None:
    day = coder(watched((-3, "idle")), wall=T0)
    assert day.answers[0].words == "nobody knows: teamops was not running, or its record is cleared away"
    assert day.strips == ()


def test_what_it_left_behind_while_nobody_looked_proves_that_it_lived() -> None:
    minutes = tuple(int(T0 // 60) + minute for minute in (0, 1, 5, 10))
    day = coder(structs.replace(watched(), watched=(), signs={CODER: minutes}))
    assert [(one.presence, one.seconds) for one in day.stays] == [
        (Presence.ALIVE, 360.0), (Presence.UNSEEN, 240.0), (Presence.ALIVE, 60.0), (Presence.UNSEEN, 24 * HOUR - 660),
    ]  # fmt: skip


# restarts


def restart(by: By, cause: str = "dead: exit 37; 1 of 2", *, ok: bool | None = True) -> RestartRecord:
    return RestartRecord(
        action_id=1, role=CODER, wall=T0 + 5, by=by, cause=cause, ending="exit 37", attempt=int(by is By.RULE), ok=ok
    )


@pytest.mark.parametrize(
    ("records", "good", "said"),
    [
        ((), True, "none"),
        ((restart(By.PERSON, "asked for by a person"),), True, "1 by you: asked for by a person"),
        ((restart(By.RULE), restart(By.RULE, ok=False), restart(By.PERSON, "asked")), False,
         "2 by teamops, 1 by you: dead: exit 37 (2 times), asked; 1 failed or cut off"),
        (tuple(restart(By.RULE, f"c{number}") for number in range(5)), False,
         "5 by teamops: c0, c1, c2 and 2 more"),
    ],
)  # fmt: skip
def test_restarts_and_their_causes(records: tuple[RestartRecord, ...], good: bool, said: str) -> None:
    assert words(DayFacts(restarts=records), day_answers.RESTARTS) == (good, said)


# costs


def days(*medians: float | None, count: int = 20) -> tuple[CycleDay, ...]:
    return tuple(
        CycleDay(0, 3, None) if one is None else CycleDay(count, 0, Decimal(str(one)))
        for one in medians
    )  # fmt: skip


USUAL = days(0.010, 0.011, 0.010, 0.012, 0.010, 0.009, 0.011)


@pytest.mark.parametrize(
    ("known", "good", "said"),
    [
        ((*USUAL, *days(0.0105)), True, "$0.0105 a cycle (median of 20); usual is $0.0100; no drift: -5 % over 7 days"),
        ((*USUAL, *days(0.03)), False,
         "$0.0300 a cycle (median of 20); dearer, 3.0 times the usual $0.0100; no drift: +15 % over 7 days"),
        ((*USUAL, *days(0.003)), False,
         "$0.0030 a cycle (median of 20); cheaper, 0.3 times the usual $0.0100; no drift: -26 % over 7 days"),
        (days(1), None,
         "$1.00 a cycle (median of 20); not enough data for a baseline; not enough data for a drift over 7 days"),
        (days(*[None] * 7, 0.01), None,
         "$0.0100 a cycle (median of 20); not enough data for a baseline; not enough data for a drift over 7 days"),
        ((*USUAL, *days(0.00001, count=5)), True,
         "$0.00001 a cycle (median of 5); not enough data for a baseline; no drift: -13 % over 7 days"),
        (days(*(0.01 * 1.08**place for place in range(8))), False,
         "$0.0171 a cycle (median of 20); usual is $0.0126; drifts +59 % over 7 days"),
        ((*USUAL, *days(None)), None, "no cycle with a price, 3 without"),
        ((), None, "no cycle with a price"),
    ],
)  # fmt: skip
def test_cost_per_cycle(known: tuple[CycleDay, ...], good: bool | None, said: str) -> None:
    assert words(DayFacts(cycles={CODER: known}), day_answers.COST) == (good, said)


def test_days_off_the_baseline_are_counted_of_those_that_are_reported() -> None:
    known = (*USUAL, *days(0.03, 0.01, 0.04))
    told = cycle_drift(known, 3)
    assert (told.days_off, told.course) == (2, Course.DEARER)
    assert cycle_drift(known, 1).days_off == 1
    assert "2 days off the baseline" in day_answers.cost(told).words
    assert cycle_drift((), 1) == CycleDrift()


def test_a_price_of_nothing_is_no_baseline() -> None:
    assert cycle_drift(days(*[0] * 8), 1).course is Course.UNKNOWN


def test_a_noisy_week_does_not_drift_and_a_slow_rise_does() -> None:
    dice = Random(7)  # noqa: S311 - a simulation

    def week(rise: float) -> CycleDrift:
        """Return the drift of eight days, each the median of 60 cycles whose costs vary by a factor of two."""
        told = []
        for day in range(8):
            cycles = sorted(dice.lognormvariate(0, 0.7) * rise**day for _ in range(60))
            told.append(cycles[30])
        return cycle_drift(days(*told, count=60), 1)

    flat = [week(1.0) for _ in range(400)]
    assert sum(one.week is not Course.USUAL for one in flat) <= 10, "of 400"
    assert sum(one.course is not Course.USUAL for one in flat) <= 4, "of 400"
    rising = [week(1.12) for _ in range(100)]
    assert sum(one.week is Course.DEARER for one in rising) >= 80, "twice as much within a week"


# events


def test_loops_and_cooldowns() -> None:
    spike = SpikeRecord(
        id=1, role=CODER, began_wall=T0, ended_wall=None, peak=9, usual=1, threshold=5, tokens=7, cost_usd=Decimal(2),
        why="9 tokens/min",
    )  # fmt: skip
    facts = structs.replace(
        watched((1, "backing off"), (2, "given up"), (3, "backing off")),
        spikes=(spike, structs.replace(spike, peak=5, why="5 tokens/min")),
        holds=(Held("CODER", T0, "spent", None), Held("team", T0, "spent", None)),
    )
    good, said = words(facts, day_answers.EVENTS)
    assert not good
    assert said == ("2 runaways; 2 cooldowns; 1 give-up; 1 stop of its spending; the worst: 9 tokens/min, $2.00 in it")
    assert words(DayFacts(), day_answers.EVENTS) == (True, "none")


# what recovered


def edge(hour: float, code: str, state: AlertState = AlertState.FIRING, agent: Role | None = CODER) -> AlertEdge:
    return AlertEdge(T0 + hour * HOUR, code, str(agent), Severity.ERROR, state, f"{agent}: {code}", agent)


OVER = AlertState.RESOLVED


@pytest.mark.parametrize(
    ("code", "done", "ending"),
    [
        ("agent-silent", (), Ending.BY_ITSELF),
        ("agent-dead", (Done(T0 + 1.5 * HOUR, "restart", CODER, by_person=False),), Ending.BY_TEAMOPS),
        ("agent-dead", (Done(T0 + 1.5 * HOUR, "restart", CODER, by_person=True),
                        Done(T0 + 1.5 * HOUR, "restart", CODER, by_person=False)), Ending.BY_PERSON),
        ("agent-dead", (Done(T0 + 0.5 * HOUR, "restart", CODER, by_person=True),
                        Done(T0 + 2.5 * HOUR, "restart", CODER, by_person=True),
                        Done(T0 + 1.5 * HOUR, "restart", DIRECTOR, by_person=True),
                        Done(T0 + 1.5 * HOUR, "notify", CODER, by_person=True),
                        Done(T0 + 1.5 * HOUR, "approval", None, by_person=True)), Ending.BY_ITSELF),
        ("human-turn", (), Ending.BY_PERSON),
    ],
)  # fmt: skip
def test_who_mended_it(code: str, done: tuple[Done, ...], ending: Ending) -> None:
    (one,) = episodes((edge(1, code), edge(2, code, OVER)), done, {}, T0 + 24 * HOUR)
    assert (one.since_wall, one.until_wall, one.ending) == (T0 + HOUR, T0 + 2 * HOUR, ending)


def test_an_alert_lives_from_its_first_firing_to_its_end_and_again() -> None:
    edges = (
        edge(0, "a", OVER), edge(1, "a"), edge(2, "a", AlertState.ACKED), edge(3, "a", OVER), edge(4, "a"),
        edge(5, "b"), edge(30, "b", OVER), edge(31, "c"),
    )  # fmt: skip
    told = episodes(edges, (), {("a", "CODER"): LastWord("mend it", Severity.WARNING, notify=True)}, T0 + 24 * HOUR)
    assert [(one.code, one.since_wall - T0, one.until_wall, one.do) for one in told] == [
        ("a", HOUR, T0 + 3 * HOUR, ""), ("a", 4 * HOUR, None, "mend it"), ("b", 5 * HOUR, None, ""),
    ]  # fmt: skip


def test_what_recovered_and_what_needs_a_person() -> None:
    edges = (
        edge(1, "agent-silent"), edge(2, "agent-silent", OVER), edge(3, "human-turn"), edge(4, "human-turn", OVER),
        *(edge(5 + number, f"x{number}") for number in range(5)),
    )  # fmt: skip
    facts = DayFacts(alerts=edges, last_words={("x0", "CODER"): LastWord("look", Severity.WARNING, notify=True)})
    good, said = words(facts, day_answers.MENDED)
    assert not good
    assert said == (
        "by itself: agent-silent; by a person: human-turn; needs you: CODER: x0 → look; needs you: CODER: x1;"
        " needs you: CODER: x2; and 2 more"
    )
    assert words(DayFacts(), day_answers.MENDED) == (True, "nothing was amiss")
    assert [one.code for one in report(facts).needs] == [f"x{number}" for number in range(5)]


def test_what_is_hidden_behind_another_needs_nobody_as_on_the_screen() -> None:
    stale, dead, down = (
        edge(1, "handoff-stale"),
        edge(2, "agent-dead"),
        structs.replace(edge(3, "tmux-down"), agent=None),
    )
    facts = DayFacts(alerts=(stale, dead, down))
    assert [one.code for one in report(facts).needs] == ["tmux-down"]
    assert {one.code: one.ending for one in coder(facts).episodes} == {
        "handoff-stale": Ending.HIDDEN, "agent-dead": Ending.HIDDEN,
    }  # fmt: skip
    assert words(facts, day_answers.MENDED) == (False, "the consequence of something else: handoff-stale, agent-dead")
    assert report(facts).summary.endswith("1 thing for you")
    quiet = {("agent-dead", "CODER"): LastWord("restart it", Severity.WARNING, notify=False)}
    facts = DayFacts(alerts=(stale, dead), last_words=quiet)
    assert [one.code for one in report(facts).needs] == ["handoff-stale", "agent-dead"], "it calls nobody"
    over = DayFacts(alerts=(stale, dead, down, structs.replace(edge(4, "tmux-down", OVER), agent=None)))
    assert [one.code for one in report(over).needs] == ["agent-dead"]
    other = {"handoff-stale": rule("handoff-stale"), "agent-dead": rule("agent-dead")}
    assert [one.code for one in episodes((stale, dead), (), {}, T0 + 24 * HOUR, other)
            if one.ending is Ending.OPEN] == ["handoff-stale", "agent-dead"]  # fmt: skip


def test_what_was_over_before_the_day_is_not_of_it() -> None:
    facts = DayFacts(alerts=(edge(-9, "a"), edge(-8, "a", OVER), edge(-7, "b"), edge(2, "b", OVER)))
    assert [one.code for one in coder(facts).episodes] == ["b"]


# the team


def task(**more: object) -> TaskDay:
    base = TaskDay(
        task="login", tier=2, stage=Stage.IMPLEMENT, standing=Standing.OPEN, open=True, closed_wall=None,
        waits_since=None, sign_off=False, rounds=0, blocks=1, challenges=0, catches=0, answered=0,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]  # fields by name


def test_the_teams_lines() -> None:
    end = T0 + 24 * HOUR
    quiet = dict(day_team.lines(TeamDay(), end))
    assert quiet == {
        "Tasks closed": "none",
        "Time in stages": "no task was open",
        "Review rounds": "none: no review sent work back",
        "Challenges": "none",
        "Stale handoffs": "none",
        "Boundary": "nothing was refused",
        "Waits for you": "nothing",
    }
    lasting = Episode(
        code="tmux-down", subject="", agent=None, severity=Severity.ERROR, message="tmux is gone", since_wall=T0,
        until_wall=None, ending=Ending.OPEN, do="start it",
    )  # fmt: skip
    busy = dict(
        day_team.lines(
            TeamDay(
                closed={None: 1, 2: 2},
                stages={Stage.VERIFY: 60.0, Stage.DESIGN: 7200.0},
                rounds=3,
                challenges=5,
                catches=2,
                answered=4,
                stale=1,
                blocked=7,
                warned=1,
                violations=1,
                waiting=(
                    task(waits_since=T0, sign_off=True),
                    *(task(task=None, waits_since=T0 + HOUR) for _ in range(5)),
                ),
                episodes=(
                    replace(lasting, until_wall=T0 + 9, ending=Ending.BY_ITSELF),
                    lasting,
                    *(replace(lasting, do="") for _ in range(6)),
                ),
            ),
            end,
        )
    )
    assert busy == {
        "Tasks closed": "3: 1 of no tier, 2 of tier 2",
        "Time in stages": "design 2 h, verify 1 min",
        "Review rounds": "3",
        "Challenges": "5 raised, 2 of them sent the work back, 4 answered",
        "Stale handoffs": "1",
        "Boundary": "7 calls refused, 1 warned of; 1 change got past",
        "Waits for you": "login to be signed off, for 24 h; "
        + "; ".join(["the task without a name for an answer, for 23 h"] * 4)
        + "; and 1 more",
        "Also amiss": "tmux is gone → start it; " + "; ".join(["tmux is gone"] * 4) + "; and 2 more; 1 over again",
    }
    assert (
        dict(day_team.lines(TeamDay(answered=2, violations=2), end))["Challenges"] == "none; 2 of earlier ones answered"
    )
    assert "2 changes got past" in dict(day_team.lines(TeamDay(violations=2), end))["Boundary"]


def test_costs_are_the_dearest_first_and_what_had_no_light_comes_last() -> None:
    def spend(usd: int) -> Spend:
        return Spend(1, Tokens(1), Decimal(usd))

    facts = DayFacts(tasks={None: spend(99), "a": spend(1), "b": spend(5), "": spend(2), "c": Spend()})
    assert [name for name, _ in report(facts).team.costs] == ["b", "", "a", None]


def test_a_whole_team_and_whoever_else_is_on_record() -> None:
    facts = DayFacts(
        states=(StateEdge(T0 - 9, Role("OLD"), "unknown", ""), StateEdge(T0 - 9, Role("Z"), "idle", "")),
        calls={(Role("Y"), Verdict.DENY): 2, (CODER, Verdict.WARN): 1},
        alerts=(edge(1, "tmux-down", agent=None),),
    )
    told = report(facts)
    assert [agent.role for agent in told.agents] == [DIRECTOR, CODER, "Y", "Z"]
    assert [agent.name for agent in told.agents] == ["Max", "Kevin", "", ""]
    assert [one.code for one in told.team.episodes] == ["tmux-down"]
    assert (told.team.blocked, told.team.warned) == (2, 1)
    assert [agent.role for agent in report(facts, asked=replace(ASKED, only=CODER)).agents] == [CODER]


@pytest.mark.parametrize(
    ("facts", "empty"),
    [
        (DayFacts(), True),
        (DayFacts(states=(StateEdge(T0 - 5, CODER, "idle", ""),)), True),
        (DayFacts(states=(StateEdge(T0 + 5, CODER, "idle", ""),)), False),
        (DayFacts(watched=((T0, T0 + 9),)), False),
        (DayFacts(signs={CODER: (int(T0 // 60) - 2,)}), True),
        (DayFacts(signs={CODER: (int(T0 // 60),)}), False),
        (DayFacts(violations=1), False),
    ],
)
def test_a_day_of_which_nothing_is_on_record_is_empty(facts: DayFacts, empty: bool) -> None:
    assert report(facts).empty == empty


# tasks


def read(*blocks: str) -> list[Block]:
    found: list[Block] = []
    for text in blocks:
        (block,) = parse(text.encode(), {*ROLES}).blocks
        found.append(structs.replace(block, index=len(found), task="login", complete=True))
    return found


def test_rounds_of_earlier_days_are_not_counted_again_and_a_task_closed_before_is_left_out() -> None:
    blocks = read(
        "### [DIRECTOR] 2026-03-28 14:00\n\n**Status**: done\n**Turn**: REVIEWER\n**Tier**: 3\n",
        "### [REVIEWER] 2026-03-28 14:10\n\n**Status**: done\n**Turn**: DIRECTOR\n**Tier**: 3\n"
        "**Verdict**: changes-requested\n\n#### Challenges\n1. Why?\n",
        "### [DIRECTOR] 2026-03-28 14:20\n\n**Status**: done\n**Turn**: NONE\n**Tier**: 3\n\n#### Responses\n1. So.\n",
    )
    walls = [T0, T0 + 100, T0 + 50]

    def told(since: float, until: float) -> tuple[TaskDay, ...]:
        return task_days(blocks, walls, since, until, Limits())

    assert told(T0 - 9, T0) == ()
    (first,) = told(T0, T0 + 60)
    assert (first.blocks, first.rounds, first.challenges) == (1, 0, 0)
    (whole,) = told(T0, T0 + 999)
    assert (whole.blocks, whole.rounds, whole.challenges, whole.catches, whole.answered) == (3, 1, 1, 1, 1)
    assert whole.closed_wall == T0 + 100, "no block is older than the one before it"
    (late,) = told(T0 + 100, T0 + 999)
    assert (late.blocks, late.rounds) == (2, 1)
    assert told(T0 + 200, T0 + 999) == ()
    (later,) = task_days(blocks, [T0, T0 + 100, T0 + 200], T0 + 150, T0 + 999, Limits())
    assert (later.blocks, later.rounds, later.challenges, later.answered) == (1, 0, 0, 1)
    assert REVIEWER in {block.role for block in blocks}


# days and words


def test_tasks_are_in_the_team_s_part() -> None:
    blocks = read(
        "### [DIRECTOR] 2026-03-28 14:00\n\n**Status**: done\n**Turn**: CODER\n**Tier**: 2\n",
        "### [CODER] 2026-03-28 14:10\n\n**Status**: question\n**Turn**: HUMAN\n**Tier**: 2\n",
    )
    at = frame(DAY, 1, T0 + 30 * HOUR, UTC)
    told = day_report(ASKED, at, DayFacts(), blocks, [T0 + HOUR, T0 + 3 * HOUR])
    assert told.team.stages[Stage.IMPLEMENT] == 2 * HOUR
    assert [one.task for one in told.team.waiting] == ["login"]
    assert not told.empty
    closed = read("### [DIRECTOR] 2026-03-28 14:00\n\n**Status**: done\n**Turn**: NONE\n**Tier**: 1\n")
    assert day_report(ASKED, at, DayFacts(), closed, [T0 + HOUR]).team.closed == {1: 1}


def test_days_have_the_length_that_their_timezone_gives_them() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    at = frame(date(2026, 3, 29), 2, 9e9, berlin)
    assert [later - earlier for earlier, later in zip(at.edges, at.edges[1:], strict=False)] == [24 * HOUR, 23 * HOUR]
    assert today(T0 - 60, berlin) == DAY
    assert today(T0 - 60, UTC) == date(2026, 3, 27)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0 s"), (40, "40 s"), (720, "12 min"), (11_100, "3 h 05 min"), (86_400, "24 h"), (187_200, "2 d 4 h"),
     (172_800, "2 d")],
)  # fmt: skip
def test_spans_in_words(seconds: float, said: str) -> None:
    assert span_words(seconds) == said


def test_a_report_says_itself_in_one_line() -> None:
    told = report(DayFacts(spend={CODER: Spend(1, Tokens(9), Decimal("1.5"), 9)}, restarts=(restart(By.RULE),)))
    assert told.summary == "$1.50 and tokens without a price, 0 tasks closed, 1 restart, nothing needs you"
    assert told.title == "2026-03-28"
    assert report(DayFacts(), days=3).title == "2026-03-26 to 2026-03-28"
    waits = replace(told, team=replace(told.team, waiting=(task(sign_off=True), task())))
    assert "1 sign-off waiting" in waits.summary
    assert replace(told, timezone="").zone_words == "local time"
    assert replace(told, timezone="").local(T0).tzinfo is not None
    assert Stay(1.0, 3.0, Presence.ALIVE).seconds == 2.0
