"""What can't be done now, and why: a key that does nothing always says so."""

from __future__ import annotations

from teamops.model.agent import AgentState, AgentView
from teamops.model.alert import Alert, AlertState
from teamops.model.snapshot import Snapshot

WATCH_ONLY = "Watch only: there is no teamops.toml here, so nothing in tmux is managed."


def why_not(act_id: str, snapshot: Snapshot, agent: AgentView | None, alert: Alert | None = None) -> str:
    """Return why the act can't be done on ``agent`` (or ``alert``) now; empty where it can."""
    if act_id == "acknowledge":
        return _why_not_acknowledge(alert)
    if act_id not in ("poke", "restart", "attach"):
        return ""
    if snapshot.supervisor.watch_only:
        return WATCH_ONLY
    if agent is None:
        return "There is no agent to choose."
    if act_id == "restart":
        return "" if agent.can_restart else f"{agent.role} has no command in teamops.toml and no pane to restart."
    if not agent.session:
        return f"{agent.role} has no tmux session in teamops.toml."
    if agent.pane_id is None:
        start = "; r starts it" if agent.can_restart else ""
        return f"The session {agent.session} of {agent.role} does not run{start}."
    return _why_not_poke(agent) if act_id == "poke" else ""


def _why_not_poke(agent: AgentView) -> str:
    if agent.state is AgentState.DEAD:
        return f"{agent.role} is dead: nobody would read it. r starts it again."
    if agent.state is AgentState.WAITING:
        return f"{agent.role} waits at a question: a line and Enter would answer it. Press a and answer it yourself."
    return ""


def _why_not_acknowledge(alert: Alert | None) -> str:
    if alert is None:
        return "There is no alert to acknowledge."
    if alert.state is AlertState.ACKED:
        return "This alert is acknowledged already."
    if alert.state is AlertState.RESOLVED:
        return "This alert is over: its cause is gone."
    return ""
