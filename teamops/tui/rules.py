"""What can't be done now, and why: a key that does nothing always says so."""

from __future__ import annotations

from collections.abc import Mapping

from teamops.model.agent import AgentState, AgentView
from teamops.model.alert import Alert, AlertState
from teamops.model.boundary import SETTLED_FROM, Violation, ViolationState
from teamops.model.handoff import Task
from teamops.model.role import HUMAN
from teamops.model.snapshot import SilenceAlert, Snapshot
from teamops.tui.faults import Fault
from teamops.tui.tasks import awaits_sign_off, names, shown

_ACTS = frozenset({"acknowledge", "silence", "lift", "poke", "restart", "attach", "start_agent", "stop_agent"})
QUARTER_S = 900.0
HOUR_S = 3600.0
WATCH_ONLY = "Watch only: there is no teamops.toml here, so nothing in tmux is managed."


def why_not(act_id: str, snapshot: Snapshot, agent: AgentView | None, alert: Alert | None = None) -> str:
    """Return why the act can't be done on ``agent`` (or ``alert``) now; empty where it can."""
    if snapshot.replay is not None and act_id in _ACTS:
        return replay_words(snapshot)
    if act_id in ("acknowledge", "silence"):
        return _why_not_acknowledge(alert) if act_id == "acknowledge" else _why_not_silence(alert)
    if act_id == "lift":
        return _why_not_lift(agent)
    if act_id not in ("poke", "restart", "attach", "start_agent", "stop_agent"):
        return ""
    if snapshot.supervisor.watch_only:
        return WATCH_ONLY
    if agent is None:
        return "There is no agent to choose."
    if act_id in ("restart", "start_agent") and agent.lift:
        return f"{agent.role} is held ({agent.held}): it is not started. L lets it spend again."
    if act_id == "restart":
        return "" if agent.can_restart else f"{agent.role} has no command in teamops.toml and no pane to restart."
    if act_id == "start_agent":
        return "" if agent.can_restart else f"{agent.role} has no command in teamops.toml to start."
    if not agent.session:
        return f"{agent.role} has no tmux session in teamops.toml."
    if agent.pane_id is None:
        start = "; r starts it" if agent.can_restart else ""
        return f"The session {agent.session} of {agent.role} does not run{start}."
    return _why_not_poke(agent) if act_id == "poke" else ""


def replay_words(snapshot: Snapshot) -> str:
    """Return why nothing can be done in a replay; empty where this is now."""
    replayed = snapshot.replay
    return "" if replayed is None else f"This is a replay of {replayed.day} {replayed.clock}: nothing is done."


def _why_not_poke(agent: AgentView) -> str:
    if agent.held:
        end = "L lets it spend again." if agent.lift else "r starts it again."
        return f"{agent.role} is held ({agent.held}): it is not poked. {end}"
    if agent.state is AgentState.DEAD:
        return f"{agent.role} is dead: nobody would read it. r starts it again."
    if agent.state is AgentState.WAITING:
        return f"{agent.role} waits at a question: a line and Enter would answer it. Press a and answer it yourself."
    return ""


def _why_not_lift(agent: AgentView | None) -> str:
    if agent is None:
        return "There is no agent to choose."
    if agent.held and not agent.lift:
        return f"{agent.role} is held ({agent.held}), and not for what it spends: r starts it again."
    return "" if agent.lift else f"{agent.role} may spend: nothing holds it."


def _why_not_acknowledge(alert: Alert | None) -> str:
    if alert is None:
        return "There is no alert to acknowledge."
    if alert.state is AlertState.ACKED:
        return "This alert is acknowledged already."
    if alert.state is AlertState.RESOLVED:
        return "This alert is over: its cause is gone."
    return ""


def _why_not_silence(alert: Alert | None) -> str:
    if alert is None:
        return "There is no alert to silence."
    return "" if alert.open else "This alert is over: its cause is gone."


def next_silence(alert: Alert, wall: float) -> tuple[SilenceAlert, str]:
    """Return the next of an alert's silences (15 minutes, an hour, until it is over, none), and what that is doing."""
    held = alert.silence if alert.silenced(wall) else None
    if held is None:
        return SilenceAlert(*alert.key, QUARTER_S), "Silencing for 15 min"
    if held.until_wall is None:
        return SilenceAlert(*alert.key, end=True), "Ending its silence"
    if held.until_wall - held.since_wall <= QUARTER_S:
        return SilenceAlert(*alert.key, HOUR_S), "Silencing for 1 h"
    return SilenceAlert(*alert.key), "Silencing until its cause is gone"


def why_no_task(task: Task | None, snapshot: Snapshot) -> str:
    """Return why there is no task to show; empty where there is one."""
    if task is not None:
        return ""
    if snapshot.tasks:
        return "That task is no longer in the handoff file. T lists those that are."
    return "There is no task yet: the first block of the handoff file begins one."


def why_no_sign_off(task: Task | None, snapshot: Snapshot) -> str:
    """Return why ``task`` is not the person's to sign off or send back now, and what to do; empty where it is."""
    if task is None:
        return why_no_task(task, snapshot)
    if snapshot.replay is not None:
        return replay_words(snapshot)
    name = shown(task.task)
    others = [one for one in awaits_sign_off(snapshot) if one is not task]
    instead = f" Yours to sign off: {names(others)}; T chooses." if others else ""
    if not task.open:
        return f"{name} is closed: there is nothing to sign off.{instead}"
    if task.turn == HUMAN:
        return ""
    holder = f"with {task.turn}, at {task.stage}" if task.turn else "with nobody"
    return f"The light of {name} is {holder}: not yours to sign off yet.{instead or ' t shows how far it is.'}"


def why_no_diff(fault: Fault | None) -> str:
    """Return why there is no difference to show; empty where there is one."""
    if fault is None:
        return "There is no finding to show."
    if fault.tamper is None:
        return f"{fault.code} is no rewrite: there is no difference to show. Enter goes to its line."
    return ""


SETTLES: Mapping[str, ViolationState] = {
    "let_stand": ViolationState.ACCEPTED,
    "quarantine": ViolationState.QUARANTINED,
    "restore": ViolationState.RESTORED,
}
"""What each act makes of a violation."""


def why_not_settle(act_id: str, violation: Violation | None) -> str:
    """Return why the person can't do that about a change past a boundary; empty where it can be done."""
    if violation is None:
        return "This is no change past a boundary: a refused call changed nothing."
    state = violation.state
    if state in SETTLED_FROM[SETTLES[act_id]]:
        return ""
    if act_id == "restore":
        return f"The change is {state}, not quarantined: there is nothing to put back."
    put_back = " R puts it back." if state is ViolationState.QUARANTINED else ""
    return f"The change is {state} already.{put_back}"


def why_no_block(line: int, snapshot: Snapshot) -> str:
    """Return why there is no block to go to; empty where there is one."""
    if snapshot.blocks:
        return ""
    return f"There is no block to show yet. Look at line {line} of {snapshot.handoff_path}."
