"""What a person has to know now: from states to findings. Each code stands in docs/alerts.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from teamops.domain.light import Light, Reading
from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.alert import Finding
from teamops.model.handoff import Problem, Severity
from teamops.model.role import Role
from teamops.model.snapshot import LightState

CODES: Mapping[str, str] = {
    "handoff-stale": "The holder of a light shows no sign of work for the stale limit (13 min unless configured).",
    "handoff-lost": "The handoff file is missing or can't be read.",
    "handoff-broken": "The handoff file has blocks that don't follow the grammar.",
    "handoff-rewritten": "A block was changed, taken out or put in between after it was handed on.",
    "handoff-unannounced": "The holder of a light was not told that it is its turn.",
    "poke-unproven": "Lines were typed for the holder of a light, and nothing shows that its client took one.",
    "protocol-broken": "A block breaks a rule of the protocol, and the present light or a task's end rests on it.",
    "forged-sign-off": "A block of the person has no record in the ledger.",
    "human-turn": "The person holds a light.",
    "agent-dead": "An agent's process has ended, or its session is gone.",
    "agent-silent": "An agent that is expected to beat has missed two beats.",
    "agent-zombie": "An agent's process lives and should work, and nothing shows that it does.",
    "agent-errored": "An agent's client can't reach its model: API calls fail, or its account is refused.",
    "agent-suspended": "An agent that holds a light was stopped by a signal.",
    "agent-given-up": "An agent was restarted as often as allowed, and is unwell again.",
    "agent-held": "teamops holds an agent back: its account is refused, or it ran away and was stopped for that.",
    "budget-hour": "An agent, or the team, spent more within an hour than its budget says.",
    "budget-soft": "An agent, or the team, has spent the soft part of its budget for today.",
    "budget-hard": "An agent's budget for today is spent, or the team's: its spending was stopped.",
    "budget-unchecked": "What an agent spends can't be stored or checked: its spending was stopped.",
    "budget-unpriced": "An agent with a budget uses a model whose price nobody knows.",
    "boundary-refused": "An agent's calls are refused again and again: 10 within 5 minutes.",
    "boundary-unenforced": "An agent runs that neither the kernel nor its client's hooks hold to its boundary.",
    "boundary-broken": "A role's boundary was tried, and lets through what is forbidden, or refuses what is allowed.",
    "agent-left-alone": "An agent is unwell, and teamops doesn't end its process because it did not start it.",
    "agent-memory": "An agent's process tree uses too much memory, or will within hours, as it grows.",
    "agent-runaway": "An agent uses tokens many times faster than it usually does.",
    "agent-needs-you": "An agent waits for its person: a permission dialog or a question is open.",
    "boundary-crossed": "A file was changed that none of those who could have changed it may change.",
    "tmux-down": "The tmux server of the team does not answer.",
    "source-troubled": "A part of teamops works in a lesser way.",
    "ledger-troubled": "The ledger can't be written or read: what happens now may be forgotten, or can't be judged.",
}
"""Every alert code and its meaning."""


def light_findings(lights: Iterable[tuple[Light, Reading]], *, managed: frozenset[Role]) -> list[Finding]:
    """Return a finding for each stale light. ``managed`` are the roles that teamops can poke."""
    found = []
    for light, reading in lights:
        if reading.state is not LightState.STALE:
            continue
        minutes = int(reading.unanswered_s // 60)
        span = f"{minutes} min" if minutes else "less than a minute"
        task = f" of task {light.task}" if light.task else ""
        how = "has shown no sign of work" if reading.answered else "has not taken it"
        poke = f"poke {light.role} (p) or look at its pane (a)" if light.role in managed else f"look at {light.role}"
        found.append(
            Finding(
                code="handoff-stale",
                severity=Severity.ERROR,
                subject=f"{light.task or ''}#{light.digest}",
                message=f"{light.role} holds the light{task} and {how} for {span}",
                do=poke,
                agent=light.role,
                notify=True,
            )
        )
    return found


def agent_findings(
    role: Role, state: AgentState, evidence: Evidence, *, holds_light: bool, ended: str, auth: bool = False
) -> list[Finding]:
    """Return what is to be said about one agent.

    ``ended`` says how its process ended, if it did; ``auth`` that its account is refused.
    """
    if state is AgentState.DEAD:
        held = " while it holds the light" if holds_light else ""
        return [
            Finding(
                code="agent-dead",
                severity=Severity.CRITICAL if holds_light else Severity.ERROR,
                subject=str(role),
                message=f"{role} is dead ({ended}){held}",
                do=f"restart {role} (r), after a look at its last screen (Enter)",
                agent=role,
                notify=holds_light,
                rounds=3,
            )
        ]
    if state is AgentState.SILENT:
        return [
            Finding(
                code="agent-silent",
                severity=Severity.WARNING,
                subject=str(role),
                message=f"{role} is silent: {evidence.detail}",
                do=f"look at {role}'s pane (Enter)",
                agent=role,
            )
        ]
    if state is AgentState.ZOMBIE:
        return [
            Finding(
                code="agent-zombie",
                severity=Severity.CRITICAL if holds_light else Severity.ERROR,
                subject=str(role),
                message=f"{role} hangs: {evidence.detail}",
                do=f"look at {role}'s pane (Enter), then restart it (r)",
                agent=role,
                notify=True,
                rounds=2,
            )
        ]
    if state is AgentState.ERRORED:
        return [
            Finding(
                code="agent-errored",
                severity=Severity.ERROR if auth else Severity.WARNING,
                subject=str(role),
                message=f"{role} can't reach its model: {evidence.detail}",
                do=f"attach to {role} (a) and log in again"
                if auth
                else f"look at {role}'s pane (Enter); it may go on by itself",
                agent=role,
                notify=auth and evidence.kind is not EvidenceKind.PANE,
                rounds=2,
            )
        ]
    if state is AgentState.SUSPENDED and holds_light:
        return [
            Finding(
                code="agent-suspended",
                severity=Severity.INFO,
                subject=str(role),
                message=f"{role} holds the light and is {evidence.detail}",
                do="let it go on: kill -CONT its process, or fg in its pane (a)",
                agent=role,
            )
        ]
    if state is AgentState.WAITING:
        return [
            Finding(
                code="agent-needs-you",
                severity=Severity.ERROR,
                subject=str(role),
                message=f"{role} waits for you: {evidence.detail}",
                do=f"attach to {role} (a) and answer",
                agent=role,
                notify=evidence.kind is not EvidenceKind.PANE,  # a screen's text alone causes no act
            )
        ]
    return []


def handoff_findings(trouble: tuple[str, str] | None, errors: Sequence[Problem]) -> list[Finding]:
    """Return what is to be said about the handoff file: that it is lost (message, hint), or its errors."""
    found = []
    if trouble is not None:
        found.append(
            Finding(
                code="handoff-lost",
                severity=Severity.ERROR,
                subject="file",
                message=trouble[0],
                do=trouble[1],
                notify=True,
            )
        )
    if errors:
        last = errors[-1]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        found.append(
            Finding(
                code="handoff-broken",
                severity=Severity.WARNING,
                subject="file",
                message=f"line {last.line}: {last.message}{more}",
                do=last.hint or "run: teamops handoff lint",
            )
        )
    return found


def trouble_findings(
    troubles: Mapping[str, tuple[str, str]], *, tmux_down: str, ledger: str, unjudged: str = ""
) -> list[Finding]:
    """Return what is to be said about teamops itself.

    ``troubles`` maps a source to message and hint; ``tmux_down``, ``ledger`` (it can't be written) and ``unjudged`` (it
    can't be read, so that sign-offs and rewrites can't be judged) say why, or are empty.
    """
    found = [
        Finding(
            code="source-troubled", severity=Severity.WARNING, subject=source, message=f"{source}: {message}", do=hint
        )
        for source, (message, hint) in troubles.items()
    ]
    if tmux_down:
        found.append(
            Finding(
                code="tmux-down",
                severity=Severity.CRITICAL,
                subject="server",
                message=tmux_down,
                do="start the team's sessions again, or mend the socket named in teamops.toml",
                notify=True,
            )
        )
    if ledger:
        found.append(
            Finding(
                code="ledger-troubled",
                severity=Severity.CRITICAL,
                subject="ledger",
                message=ledger,
                do="free disk space or mend the state directory's rights; teamops tries again every round",
                notify=True,
            )
        )
    if unjudged:
        found.append(
            Finding(
                code="ledger-troubled",
                severity=Severity.CRITICAL,
                subject="protocol",
                message=f"sign-offs and rewrites can't be judged: {unjudged}",
                do="believe no sign-off until the ledger can be read again",
                notify=True,
            )
        )
    return found
