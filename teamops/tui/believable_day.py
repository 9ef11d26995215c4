"""The report of a believable team's day: one agent died twice, one ran away, a task waits for its sign-off."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from teamops.model.actions import By
from teamops.model.agent_report import RestartRecord
from teamops.model.day_report import (
    AgentDay,
    Answer,
    CycleDrift,
    DayReport,
    Ending,
    Episode,
    Presence,
    Stay,
    Strip,
    TaskDay,
    TeamDay,
)
from teamops.model.handoff import Severity, Stage
from teamops.model.protocol import StageTime
from teamops.model.snapshot import Snapshot
from teamops.tui.believable_cost_report import spend
from teamops.tui.believable_costs import believable_spent

HOUR_S = 3600.0
_HOURS = tuple(range(0, 24, 3))
_QUESTIONS = (
    "Alive the whole time?",
    "Restarts, and why?",
    "Cost per cycle as usual?",
    "Loops or cooldowns?",
    "What recovered, what needs you?",
)
_WELL = (
    "yes, all 24 h",
    "none",
    "$0.0121 a cycle (median of 240); usual is $0.0117; no drift: +3 % over 7 days",
    "none",
    "nothing was amiss",
)
_ILL = (
    "no: alive 22 h 40 min of 24 h; down 1 h 20 min in 2 gaps, the longest from 03:10 to 04:20",
    "2 by teamops: dead: signal 9 (KILL) (2 times)",
    "$0.0302 a cycle (median of 180); dearer, 2.6 times the usual $0.0117; drifts +61 % over 7 days",
    "1 runaway; 1 cooldown; the worst: 41,200 tokens/min, 206 times its usual 200, $1.20 in it",
    "by teamops: agent-dead; needs you: OPTIMIZER is given up → look at its last screen and its restarts (Enter)",
)


def believable_day_report(snapshot: Snapshot, last: date | None = None, days: int = 1) -> DayReport:
    """Return the report of the team of ``snapshot`` of so many days."""
    wall = snapshot.stamp.wall
    present = datetime.fromtimestamp(wall).astimezone().date()
    last = last or present
    dates = tuple(last - timedelta(days=back) for back in range(days - 1, -1, -1))
    edges = tuple(_midnight(one) for one in (*dates, last + timedelta(days=1)))
    until = min(edges[-1], wall)
    roles = [agent.role for agent in snapshot.agents]
    ill = roles[-1] if roles else None
    found = Episode(
        code="agent-given-up",
        subject=str(ill),
        agent=ill,
        severity=Severity.CRITICAL,
        message=f"{ill} is given up: restarted as often as allowed",
        since_wall=edges[0] + 4 * HOUR_S,
        until_wall=None,
        ending=Ending.OPEN,
        do="look at its last screen and its restarts (Enter), mend the cause, then restart it (r)",
    )
    agents = tuple(
        AgentDay(
            role=agent.role,
            name=agent.name,
            answers=_answers(well=agent.role != ill),
            strips=tuple(
                Strip(day, _slots(min(until, edges[place + 1]) - edges[place], well=agent.role != ill), _HOURS)
                for place, day in enumerate(dates)
            ),
            stays=_stays(edges[0], until, well=agent.role != ill),
            restarts=() if agent.role != ill else (_restart(found.since_wall, found.subject),),
            cycle=CycleDrift(count=240, median_usd=Decimal("0.0121"), usual_usd=Decimal("0.0117")),
            episodes=(found,) if agent.role == ill else (),
            spend=spend(str(agent.cost_today_usd)),
        )
        for agent in snapshot.agents
    )
    tasks = tuple(
        TaskDay(
            task=task.task,
            tier=task.tier,
            stage=task.stage,
            standing=task.standing,
            open=task.open,
            closed_wall=None if task.open else edges[0] + 9 * HOUR_S,
            waits_since=None,
            sign_off=False,
            rounds=task.rounds,
            blocks=len(task.blocks),
            challenges=2,
            catches=1,
            answered=2,
            stages=(StageTime(Stage.IMPLEMENT, 2 * HOUR_S, 1, current=task.open),),
        )
        for task in snapshot.tasks
    )
    whole = sum((agent.spend for agent in agents), spend(0))
    return DayReport(
        project=snapshot.project,
        days=dates,
        day_edges=edges,
        until_wall=until,
        wall=wall,
        over=until >= edges[-1],
        watched_s=until - edges[0],
        agents=agents,
        team=TeamDay(
            closed={2: 1},
            tasks=tasks,
            stages={Stage.IMPLEMENT: 2 * HOUR_S * len(tasks)},
            rounds=2,
            challenges=4,
            catches=2,
            answered=4,
            stale=1,
            blocked=3,
            costs=((tasks[0].task or "", whole),) if tasks and believable_spent(snapshot.blocks) else (),
            spend=whole,
            lines=(
                ("Tasks closed", "1: 1 of tier 2"),
                ("Time in stages", "implement 4 h"),
                ("Review rounds", "2"),
                ("Challenges", "4 raised, 2 of them sent the work back, 4 answered"),
                ("Stale handoffs", "1"),
                ("Boundary", "3 calls refused, 0 warned of; 0 changes got past"),
                ("Waits for you", "nothing"),
            ),
        ),
    )


def _answers(*, well: bool) -> tuple[Answer, ...]:
    return tuple(
        Answer(question, good=well, words=said)
        for question, said in zip(_QUESTIONS, _WELL if well else _ILL, strict=True)
    )


def _slots(seconds: float, *, well: bool) -> tuple[Presence, ...]:
    count = max(0, int(seconds // 1800))
    slots = [Presence.ALIVE] * count
    if not well:
        slots[6:9] = [Presence.DOWN] * len(slots[6:9])
        slots[20:22] = [Presence.UNWELL] * len(slots[20:22])
    return tuple(slots)


def _stays(since: float, until: float, *, well: bool) -> tuple[Stay, ...]:
    if well or until - since < 5 * HOUR_S:
        return (Stay(since, until, Presence.ALIVE),)
    begun, ended = since + 3 * HOUR_S, since + 4.5 * HOUR_S
    return (
        Stay(since, begun, Presence.ALIVE),
        Stay(begun, ended, Presence.DOWN, "process: signal 9 (KILL)"),
        Stay(ended, until, Presence.ALIVE),
    )


def _restart(wall: float, role: str) -> RestartRecord:
    from teamops.model.role import Role

    return RestartRecord(
        action_id=1, role=Role(role), wall=wall, by=By.RULE, cause="dead: signal 9 (KILL); 1 of 2", ending="signal 9",
        attempt=1, ok=True,
    )  # fmt: skip


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day).astimezone().timestamp()
