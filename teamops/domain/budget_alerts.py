"""What a person is told of budgets, and what is shown of an agent whose spending is stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from teamops.domain.budget import usd
from teamops.domain.hard_stop import trouble
from teamops.domain.restart import GONE
from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.alert import Finding
from teamops.model.budget import TEAM, BudgetHold, BudgetLine, Cause, Level, Step, StepDone
from teamops.model.handoff import Severity
from teamops.model.role import Role

_DONE = {
    Step.GATE: "gate shut",
    Step.POKES: "pokes refused",
    Step.INTERRUPT: "interrupted",
    Step.END: "session stopped",
}
_CODES = {
    Cause.BUDGET: "budget-hard",
    Cause.UNCHECKED: "budget-unchecked",
    Cause.RUNAWAY: "agent-held",
    Cause.PERSON: "agent-held",
}


def line_findings(lines: Iterable[BudgetLine], zone: str) -> list[Finding]:
    """Return what is to be said of each budget that is not spent, and of tokens that no budget can see."""
    found = []
    for line in lines:
        agent = None if line.scope == TEAM else Role(line.scope)
        who = "the team" if line.scope == TEAM else line.scope
        if line.over_hour:
            found.append(
                Finding(
                    code="budget-hour",
                    subject=line.scope,
                    message=f"{who} spent {usd(line.spent.hour)} within an hour, more than {usd(line.hour_limit_usd)}",
                    do="look what it does (Enter); nothing is stopped by an hour's limit",
                    agent=agent,
                )
            )
        if line.level is Level.SOFT and line.hold is None:
            day = f"{usd(line.spent.day)} of {usd(line.day_limit_usd)}"
            found.append(
                Finding(
                    code="budget-soft",
                    subject=line.scope,
                    message=f"{who} has spent {line.percent} % of today's budget: {day} ({zone})",
                    do=f"at 100 % it is stopped; more for today: teamops budget lift {line.scope} --day-usd N",
                    agent=agent,
                )
            )
        if agent is not None:
            found += _unpriced(agent, line)
    return found


def _unpriced(role: Role, line: BudgetLine) -> list[Finding]:
    return [
        Finding(
            code="budget-unpriced",
            subject=f"{role} {model}",
            message=f"{role}'s budget can't see {tokens:,} tokens used today: {model or 'a model without a name'} has"
            " no known price",
            do="use a model whose price is known, or watch its account; a newer teamops may know the price",
            agent=role,
        )
        for model, tokens in line.spent.unpriced.items()
        if tokens > 0
    ]


def lift_of(hold: BudgetHold | None) -> str:
    """Return the command that ends ``hold``; empty without one."""
    if hold is None:
        return ""
    return f"teamops budget lift {hold.scope}" + (" --day-usd N" if hold.cause is Cause.BUDGET else "")


def hold_findings(hold: BudgetHold, steps: Mapping[str, Mapping[Step, StepDone]]) -> list[Finding]:
    """Return what is to be said of a hold that stands. ``steps``: what was done under it, by role."""
    agent = None if hold.scope == TEAM else Role(hold.scope)
    who = "the team" if hold.scope == TEAM else hold.scope
    failed = [f"{role}: {said}" for role, done in steps.items() if (said := trouble(done))]
    if hold.cause is Cause.PERSON and not failed:
        return []  # who stopped it knows
    how = {
        Cause.BUDGET: f"{who} is stopped: {hold.why}",
        Cause.UNCHECKED: f"{who} is stopped, for {hold.why}",
        Cause.RUNAWAY: f"{who} is stopped as it ran away: {hold.why}",
        Cause.PERSON: f"{who} is stopped by a person",
    }[hold.cause]
    lift = lift_of(hold)
    do = {
        Cause.BUDGET: f"let it rest, or raise today's limit: {lift}",
        Cause.UNCHECKED: f"free disk space or mend the state directory's rights; then: {lift}",
        Cause.RUNAWAY: f"look at its last screen; then let it go on: {lift}",
        Cause.PERSON: f"let it go on: {lift}",
    }[hold.cause]
    return [
        Finding(
            code=_CODES[hold.cause],
            severity=Severity.CRITICAL,  # also a runaway's: it was stopped in the midst of its work
            subject=hold.scope,
            message=how + (f". NOT ALL OF IT WORKED: {'; '.join(failed)}" if failed else ""),
            do=f"end it by hand (a), then {do}" if failed else do,
            agent=agent,
        )
    ]


def steps_words(done: Mapping[Step, StepDone]) -> str:
    """Return in a few words how far a stop is: "gate shut, pokes refused, interrupt failed"."""
    said = [_DONE[step] if done[step].ok else f"{step.value} failed" for step in Step if step in done]
    return ", ".join(said) if said else "being stopped"


def shown(
    hold: BudgetHold | None, health: AgentState, state: AgentState, evidence: Evidence, wall: float
) -> tuple[AgentState, Evidence]:
    """Return what a person is shown of an agent whose spending is stopped; ``health``: as judged by its evidence."""
    if hold is None:
        return state, evidence
    label = {Cause.BUDGET: "budget", Cause.UNCHECKED: "budget", Cause.RUNAWAY: "ran away"}.get(hold.cause, "stopped")
    rest = "" if health in GONE else f"; its process lives ({health.value})"
    return AgentState.HELD, Evidence(EvidenceKind.OWN, max(0.0, wall - hold.wall), f"{label}: {hold.why}{rest}")
