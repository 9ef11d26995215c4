"""What the team got done in a day, in words: the same on every door."""

from __future__ import annotations

from teamops.domain.span import span_words
from teamops.model.day_report import Ending, TaskDay, TeamDay
from teamops.model.handoff import Stage

_NAMED = 5
"""So many tasks that wait are named."""


def lines(team: TeamDay, until: float) -> tuple[tuple[str, str], ...]:
    """Return (what, how much) of each figure. ``until``: when the report's time ended."""
    return (
        ("Tasks closed", _closed(team)),
        ("Time in stages", _stages(team)),
        ("Review rounds", f"{team.rounds}" if team.rounds else "none: no review sent work back"),
        ("Challenges", _challenges(team)),
        ("Stale handoffs", str(team.stale) if team.stale else "none"),
        ("Boundary", _boundary(team)),
        ("Waits for you", _waiting(team, until)),
        *((("Also amiss", _amiss(team)),) if team.episodes else ()),
    )


def _closed(team: TeamDay) -> str:
    if not team.closed:
        return "none"
    tiers = (f"{count} of {'no tier' if tier is None else f'tier {tier}'}" for tier, count in team.closed.items())
    return f"{sum(team.closed.values())}: {', '.join(tiers)}"


def _stages(team: TeamDay) -> str:
    order = list(Stage)
    known = sorted(team.stages.items(), key=lambda one: order.index(one[0]))
    return ", ".join(f"{stage} {span_words(seconds)}" for stage, seconds in known) or "no task was open"


def _challenges(team: TeamDay) -> str:
    if not team.challenges:
        return "none" + (f"; {team.answered} of earlier ones answered" if team.answered else "")
    return f"{team.challenges} raised, {team.catches} of them sent the work back, {team.answered} answered"


def _boundary(team: TeamDay) -> str:
    if not (team.blocked or team.warned or team.violations):
        return "nothing was refused"
    past = "1 change" if team.violations == 1 else f"{team.violations} changes"
    return f"{team.blocked} calls refused, {team.warned} warned of; {past} got past"


def _waiting(team: TeamDay, until: float) -> str:
    if not team.waiting:
        return "nothing"
    named = [_waits(task, until) for task in team.waiting[:_NAMED]]
    left = len(team.waiting) - len(named)
    return "; ".join([*named, *([f"and {left} more"] if left else [])])


def _waits(task: TaskDay, until: float) -> str:
    what = "to be signed off" if task.sign_off else "for an answer"
    return f"{task.task or 'the task without a name'} {what}, for {span_words(until - (task.waits_since or until))}"


def _amiss(team: TeamDay) -> str:
    lasting = [one for one in team.episodes if one.ending is Ending.OPEN]
    over = sum(one.until_wall is not None for one in team.episodes)
    said = [f"{one.message}{f' → {one.do}' if one.do else ''}" for one in lasting[:_NAMED]]
    left = len(lasting) - len(said)
    return "; ".join([*said, *([f"and {left} more"] if left else []), *([f"{over} over again"] if over else [])])
