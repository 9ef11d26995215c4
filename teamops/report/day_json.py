"""A day's report for programs: ``teamops.report/1``."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from teamops.model.agent_report import RestartRecord, SpikeRecord
from teamops.model.day_report import AgentDay, CycleDrift, DayReport, Episode, Presence, TaskDay, TeamDay
from teamops.report.spend import spend_json
from teamops.report.times import iso, stages_json

SCHEMA: Final = "teamops.report/1"
_KEYS = {presence: presence.value.replace(" ", "_") for presence in Presence}


def day_json(report: DayReport) -> dict[str, Any]:
    """Return the report in the shape ``teamops.report/1``; what goes with time is oldest first."""
    return {
        "schema": SCHEMA,
        "project": report.project,
        "days": [day.isoformat() for day in report.days],
        "timezone": report.timezone or report.local(report.wall).tzname(),
        "from": iso(report.since_wall),
        "until": iso(report.until_wall),
        "made": iso(report.wall),
        "over": report.over,
        "empty": report.empty,
        "summary": report.summary,
        "watched_s": round(report.watched_s),
        "needs_you": [_episode(one) for one in report.needs],
        "agents": [_agent(agent) for agent in report.agents],
        "team": _team(report.team),
    }


def _agent(agent: AgentDay) -> dict[str, Any]:
    return {
        "role": agent.role,
        "name": agent.name,
        "questions": [
            {"question": answer.question, "good": answer.good, "answer": answer.words} for answer in agent.answers
        ],
        "seconds": {_KEYS[presence]: round(agent.seconds(presence)) for presence in Presence},
        "strips": [{"day": _day(strip.day), "slots": [_KEYS[slot] for slot in strip.slots]} for strip in agent.strips],
        "stays": [
            {
                "from": iso(stay.since_wall),
                "until": iso(stay.until_wall),
                "presence": _KEYS[stay.presence],
                "why": stay.why,
            }
            for stay in agent.stays
        ],
        "restarts": [_restart(record) for record in agent.restarts],
        "cycle": _cycle(agent.cycle),
        "runaways": [_spike(record) for record in agent.spikes],
        "cooldowns": agent.cooldowns,
        "given_up": agent.given_up,
        "holds": agent.holds,
        "alerts": [_episode(one) for one in agent.episodes],
        "boundary_blocks": agent.blocked,
        "used": spend_json(agent.spend),
    }


def _day(day: date) -> str:
    return day.isoformat()


def _restart(record: RestartRecord) -> dict[str, Any]:
    return {
        "at": iso(record.wall),
        "by": record.by.value,
        "cause": record.cause,
        "ending": record.ending,
        "attempt": record.attempt,
        "ok": record.ok,
    }


def _cycle(cycle: CycleDrift) -> dict[str, Any]:
    return {
        "count": cycle.count,
        "unpriced": cycle.unpriced,
        "median_usd": None if cycle.median_usd is None else float(cycle.median_usd),
        "usual_usd": None if cycle.usual_usd is None else float(cycle.usual_usd),
        "course": cycle.course.value,
        "week": cycle.week.value,
        "week_ratio": None if cycle.week_ratio is None else round(cycle.week_ratio, 4),
        "days_off": cycle.days_off,
    }


def _spike(record: SpikeRecord) -> dict[str, Any]:
    return {
        "from": iso(record.began_wall),
        "until": iso(record.ended_wall),
        "peak": record.peak,
        "usual": record.usual,
        "limit": record.threshold,
        "tokens": record.tokens,
        "cost_usd": float(record.cost_usd),
        "why": record.why,
    }


def _episode(one: Episode) -> dict[str, Any]:
    return {
        "code": one.code,
        "subject": one.subject,
        "agent": one.agent,
        "severity": one.severity.value,
        "message": one.message,
        "from": iso(one.since_wall),
        "until": iso(one.until_wall),
        "ended": one.ending.value,
        "do": one.do,
    }


def _team(team: TeamDay) -> dict[str, Any]:
    return {
        "closed": [{"tier": tier, "count": count} for tier, count in team.closed.items()],
        "stages": {str(stage): round(seconds) for stage, seconds in team.stages.items()},
        "rounds": team.rounds,
        "challenges": team.challenges,
        "catches": team.catches,
        "answered": team.answered,
        "stale": team.stale,
        "boundary": {"blocks": team.blocked, "warnings": team.warned, "violations": team.violations},
        "sign_offs_waiting": team.sign_offs,
        "waiting": [{"task": task.task, "since": iso(task.waits_since)} for task in team.waiting],
        "alerts": [_episode(one) for one in team.episodes],
        "used": spend_json(team.spend),
        "cost_per_task": [
            {"task": name or None, "light": name is not None, **spend_json(spend)} for name, spend in team.costs
        ],
        "tasks": [_task(task) for task in team.tasks],
    }


def _task(task: TaskDay) -> dict[str, Any]:
    return {
        "task": task.task,
        "tier": task.tier,
        "stage": str(task.stage),
        "standing": str(task.standing),
        "open": task.open,
        "closed": iso(task.closed_wall),
        "waits_since": iso(task.waits_since),
        "sign_off": task.sign_off,
        "rounds": task.rounds,
        "blocks": task.blocks,
        "challenges": task.challenges,
        "catches": task.catches,
        "answered": task.answered,
        "stages": stages_json(task.stages),
    }
