"""The log's words: one sentence per thing that happened, the same live and read back from the ledger.

The role stands in a column of its own, so the text leaves it out.
"""

from __future__ import annotations

import re

from teamops.model.actions import (
    Action,
    Append,
    Outcome,
    Poke,
    Quarantine,
    Restart,
    Start,
    Stop,
    StopSpending,
    WriteReport,
)
from teamops.model.agent_report import Delivery
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.budget import Step
from teamops.model.role import HUMAN, NONE, Role
from teamops.model.snapshot import LogLine

_VERBS: dict[type[Action], str] = {
    Poke: "poke",
    Restart: "restart",
    Append: "append",
    Start: "start",
    Stop: "stop",
    WriteReport: "report",
}
_STEPS: dict[Step, str] = {
    Step.GATE: "gate",
    Step.POKES: "no pokes",
    Step.INTERRUPT: "interrupt",
    Step.END: "stop",
}


def turn_line(wall: float, role: Role, task: str | None) -> LogLine:
    """Return the line of a light that came to ``role``; NONE: the task was closed."""
    if role == NONE:
        return LogLine(wall, "turn", f"{task or 'the task without a name'} is closed")
    return LogLine(wall, "turn", f"has the light of {task}" if task else "has the light", role)


def state_line(wall: float, role: Role, state: str, evidence: str) -> LogLine:
    """Return the line of an agent whose state is new, with the evidence for it."""
    return LogLine(wall, "state", f"{state} ({evidence})" if evidence else state, role)


def alert_line(wall: float, state: AlertState, severity: str, message: str, role: Role | None) -> LogLine:
    """Return the line of an alert whose state is new."""
    lead = {AlertState.RESOLVED: "over: ", AlertState.ACKED: "seen: "}.get(state, f"{severity}: ")
    return LogLine(wall, "alert", lead + _beside(role, message), role, state is not AlertState.FIRING)


def _beside(role: Role | None, message: str) -> str:
    """Return ``message`` without the role that stands in its column, where that alone does what the rest says."""
    return re.sub(rf"\A{re.escape(role)} (?!(?:or|and) )", "", message) if role else message


def alert_line_of(alert: Alert) -> LogLine:
    """Return the line of ``alert`` as it is now."""
    return alert_line(alert.changed_wall, alert.state, alert.severity.value, alert.message, alert.agent)


def silence_words(silence: Silence | None, wall: float) -> str:
    """Return in words how long nobody is told of an alert: "silenced for 15 min"."""
    if silence is None or not silence.holds(wall):
        return "not silenced"
    if silence.until_wall is None:
        return "silenced until its cause is gone"
    return f"silenced for {max(1, round((silence.until_wall - wall) / 60))} min"


def page_line(wall: float, title: str, channel: str, message: str, role: Role | None, *, ok: bool) -> LogLine:
    """Return the line of one attempt to tell the person of something."""
    lead = "told you" if ok else "could not tell you"
    return LogLine(wall, "page", f"{lead} by {channel}: {title} ({message})", role, ok)


def unsent_line(wall: float, title: str, why: str, role: Role | None) -> LogLine:
    """Return the line of a page that was not sent, or not tried any more."""
    return LogLine(wall, "page", f"not sent: {title} ({why})", role, ok=False)


def action_line(wall: float, action: Action, outcome: Outcome | None) -> LogLine:
    """Return the line of an action: how it ended, or that it is under way."""
    verb = action_verb(action)
    if outcome is None:
        return LogLine(wall, "action", f"{verb}: under way", action.role)
    hint = f" ({outcome.hint})" if outcome.hint and not outcome.ok else ""
    return LogLine(wall, "action", f"{verb}: {outcome.message}{hint}", action.role, outcome.ok)


def action_verb(action: Action) -> str:
    """Return what an action does, in a word or two."""
    if isinstance(action, Quarantine):
        return "restore" if action.back else "quarantine"
    return _STEPS[action.step] if isinstance(action, StopSpending) else _VERBS[type(action)]


def delivery_line(delivery: Delivery) -> LogLine | None:
    """Return the line of a poke that its client took, or that nobody is known to have taken; ``None``: not yet."""
    if delivery.accepted_wall is not None:
        return LogLine(delivery.accepted_wall, "action", f"poke: {taken_words(delivery)}", delivery.role)
    if delivery.over and not delivery.refused:
        started = delivery.decided_wall if delivery.typed_wall is None else delivery.typed_wall
        return LogLine(started, "action", "poke: nothing shows that its client took it", delivery.role, ok=False)
    return None


def taken_words(delivery: Delivery) -> str:
    """Say when, after it was decided, a poke was taken, and by what that is known."""
    seconds = max(0.0, (delivery.accepted_wall or delivery.decided_wall) - delivery.decided_wall)
    return f"taken by its client after {seconds:.1f} s ({delivery.proof})"


def approval_line(wall: float, task: str | None, approver: str, verdict: str) -> LogLine:
    """Return the line of the person's word; ``verdict`` as in ``model.protocol.Approval``."""
    said = {
        "signed off": f"sign-off{_of(task)}, by {approver}",
        "sent back": f"{task + ' ' if task else ''}sent back, by {approver}",
        "recorded": f"block{_of(task)} recorded as their own, by {approver}",
    }
    return LogLine(wall, "action", said.get(verdict, f"block{_of(task)}, by {approver}"), HUMAN)


def gate_line(wall: float, task: str | None, gate: str, seconds: float, *, ok: bool) -> LogLine:
    """Return the line of a gate that was run until ``wall``, for ``seconds``."""
    return LogLine(wall, "action", f"gate {gate}{_of(task)}: {'passed' if ok else 'failed'} in {seconds:.0f} s", ok=ok)


def forced_line(wall: float, role: Role, task: str | None, why: str) -> LogLine:
    """Return the line of a block that was appended although the rules refused it."""
    return LogLine(wall, "protocol", f"block{_of(task)} appended by force, against {why}", role, ok=False)


def tamper_line(wall: float, kind: str, count: int, heading: str, role: Role | None) -> LogLine:
    """Return the line of ``count`` handed-on blocks that one edit changed; ``heading`` and ``role`` of the first."""
    return LogLine(wall, "protocol", _changed(kind, count, heading), role if count == 1 else None, ok=False)


def accepted_line(wall: float, who: str, kind: str, count: int, heading: str) -> LogLine:
    """Return the line of changes that a person accepted at once."""
    return LogLine(wall, "protocol", f"accepted by {who}: {_changed(kind, count, heading)}", HUMAN)


def rotation_line(wall: float, blocks: int, tasks: int) -> LogLine:
    """Return the line of a rotation: how many blocks, and of how many tasks, it moved."""
    what = "1 block" if blocks == 1 else f"{blocks} blocks"
    whose = "a closed task" if tasks == 1 else f"{tasks} closed tasks"
    return LogLine(wall, "protocol", f"{what} of {whose} moved to the archive")


def _changed(kind: str, count: int, heading: str) -> str:
    how = {"rewritten": "rewritten", "vanished": "taken out", "inserted": "put in between"}.get(kind, "changed")
    if count > 1:
        return f"{count} handed-on blocks {how}" if kind != "inserted" else f"{count} blocks {how} handed-on ones"
    if kind == "inserted":
        return "a block put in between handed-on ones"
    return f'handed-on block "{heading}" {how}'


def _of(task: str | None) -> str:
    return f" of {task}" if task else ""
