"""What a person has to know now: from states to findings. Each code has its rule in ``alert_rules``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from teamops.domain.light import Light, Reading
from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.model.alert import Finding
from teamops.model.handoff import Problem, Severity
from teamops.model.role import Role
from teamops.model.snapshot import LightState

TMUX_SERVER = "tmux server"
"""The source that asks it; without it nobody knows what the agents do."""


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
                subject=f"{light.task or ''}#{light.digest}",
                message=f"{light.role} holds the light{task} and {how} for {span}",
                do=poke,
                agent=light.role,
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
                severity=Severity.CRITICAL if holds_light else None,
                subject=str(role),
                message=f"{role} is dead ({ended}){held}",
                do=f"restart {role} (r), after a look at its last screen (Enter)",
                agent=role,
                notify=holds_light,
            )
        ]
    if state is AgentState.SILENT:
        return [
            Finding(
                code="agent-silent",
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
                severity=Severity.CRITICAL if holds_light else None,
                subject=str(role),
                message=f"{role} hangs: {evidence.detail}",
                do=f"look at {role}'s pane (Enter), then restart it (r)",
                agent=role,
            )
        ]
    if state is AgentState.ERRORED:
        return [
            Finding(
                code="agent-errored",
                subject=str(role),
                message=f"{role} can't reach its model: {evidence.detail}",
                do=f"attach to {role} (a) and log in again"
                if auth
                else f"look at {role}'s pane (Enter); it may go on by itself",
                agent=role,
                notify=auth and evidence.kind is not EvidenceKind.PANE,
            )
        ]
    if state is AgentState.SUSPENDED and holds_light:
        return [
            Finding(
                code="agent-suspended",
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
                subject="file",
                message=trouble[0],
                do=trouble[1],
            )
        )
    if errors:
        last = errors[-1]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        found.append(
            Finding(
                code="handoff-broken",
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
        Finding(code="source-troubled", subject=source, message=f"{source}: {message}", do=hint)
        for source, (message, hint) in troubles.items()
        if source != TMUX_SERVER
    ]
    if TMUX_SERVER in troubles:
        message, hint = troubles[TMUX_SERVER]
        found.append(Finding(code="tmux-unseen", subject=TMUX_SERVER, message=f"{TMUX_SERVER}: {message}", do=hint))
    if tmux_down:
        found.append(
            Finding(
                code="tmux-down",
                subject="server",
                message=tmux_down,
                do="start the team's sessions again (teamops up), or mend the socket named in teamops.toml",
            )
        )
    if ledger:
        found.append(
            Finding(
                code="ledger-troubled",
                subject="ledger",
                message=ledger,
                do="free disk space or mend the state directory's rights; teamops tries again every round",
            )
        )
    if unjudged:
        found.append(
            Finding(
                code="ledger-troubled",
                subject="protocol",
                message=f"sign-offs and rewrites can't be judged: {unjudged}",
                do="believe no sign-off until the ledger can be read again",
            )
        )
    return found
