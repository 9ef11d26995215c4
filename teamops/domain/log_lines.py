"""The log's words: one sentence per thing that happened, the same live and read back from the ledger.

The role stands in a column of its own, so the text leaves it out.
"""

from __future__ import annotations

from teamops.model.actions import Action, Append, Notify, Outcome, Poke, Restart
from teamops.model.alert import Alert, AlertState
from teamops.model.role import Role
from teamops.model.snapshot import LogLine

_VERBS: dict[type[Action], str] = {Poke: "poke", Restart: "restart", Notify: "tell you", Append: "append"}


def turn_line(wall: float, role: Role, task: str | None) -> LogLine:
    """Return the line of a light that came to ``role``."""
    return LogLine(wall, "turn", f"has the light of {task}" if task else "has the light", role)


def state_line(wall: float, role: Role, state: str, evidence: str) -> LogLine:
    """Return the line of an agent whose state is new, with the evidence for it."""
    return LogLine(wall, "state", f"{state} ({evidence})" if evidence else state, role)


def alert_line(wall: float, state: AlertState, severity: str, message: str, role: Role | None) -> LogLine:
    """Return the line of an alert whose state is new."""
    lead = {AlertState.RESOLVED: "over: ", AlertState.ACKED: "seen: "}.get(state, f"{severity}: ")
    text = message.removeprefix(f"{role} ") if role else message
    return LogLine(wall, "alert", lead + text, role, state is not AlertState.FIRING)


def alert_line_of(alert: Alert) -> LogLine:
    """Return the line of ``alert`` as it is now."""
    return alert_line(alert.changed_wall, alert.state, alert.severity.value, alert.message, alert.agent)


def action_line(wall: float, action: Action, outcome: Outcome | None) -> LogLine:
    """Return the line of an action: how it ended, or that it is under way."""
    verb = action_verb(action)
    if outcome is None:
        return LogLine(wall, "action", f"{verb}: under way", action.role)
    hint = f" ({outcome.hint})" if outcome.hint and not outcome.ok else ""
    return LogLine(wall, "action", f"{verb}: {outcome.message}{hint}", action.role, outcome.ok)


def action_verb(action: Action) -> str:
    """Return what an action does, in a word or two."""
    return _VERBS[type(action)]
