"""Boundaries for programs and people: an agent's own, what was refused, what got past."""

from __future__ import annotations

from typing import Any, Final

from teamops.model.agent import AgentView
from teamops.model.boundary import BoundaryView, Decision, Violation
from teamops.report.times import iso

VERDICTS: Final = {"deny": "refused", "warn": "warned", "allow": "let through"}


def boundary_json(boundary: BoundaryView) -> dict[str, Any]:
    """Return an agent's boundary as it stands in a snapshot."""
    last = boundary.last_blocked
    return {
        "words": boundary.words,
        "allow": list(boundary.allow),
        "deny": list(boundary.deny),
        "limits": list(boundary.limits),
        "unruled": boundary.unruled,
        "kernel": boundary.kernel or None,
        "hook": boundary.hook,
        "unenforced": boundary.unenforced or None,
        "blocked_today": boundary.blocked,
        "last_blocked": None if last is None else decision_json(last),
    }


def decision_json(decision: Decision) -> dict[str, Any]:
    """Return what a hook decided."""
    return {
        "at": iso(decision.wall),
        "role": decision.role,
        "verdict": decision.verdict.value,
        "rule": decision.rule,
        "about": decision.about,
        "why": decision.why,
        "times": decision.times,
    }


def violation_json(violation: Violation) -> dict[str, Any]:
    """Return a change past a boundary."""
    return {
        "id": violation.id,
        "at": iso(violation.wall),
        "path": violation.path,
        "change": violation.change.value,
        "roles": list(violation.roles),
        "direct": violation.direct,
        "whose": violation.whose,
        "rule": violation.rule,
        "why": violation.why,
        "evidence": list(violation.evidence),
        "added": violation.added,
        "removed": violation.removed,
        "state": violation.state.value,
        "note": violation.note or None,
        "changed": iso(violation.changed_wall),
    }


def held_words(agent: AgentView, boundary: BoundaryView) -> str:
    """Return in words what holds a running agent to its boundary: "bwrap + Landlock, and its hook"."""
    if agent.pid is None:
        return "nothing runs"
    if boundary.unruled:
        return "nothing is to be held"
    if boundary.unenforced:
        return f"UNENFORCED: {boundary.unenforced}"
    holders = ([f"the kernel ({boundary.kernel})"] if boundary.kernel else []) + (
        ["its client's hooks"] if boundary.hook else []
    )
    return " and ".join(holders) or "not known yet"


def decision_words(decision: Decision) -> str:
    """Return a decision in a line, without its time."""
    told = VERDICTS[decision.verdict.value]
    told += f" {decision.times} times" if decision.times > 1 else ""
    about = f" {decision.about}" if decision.about else ""
    rule = f", by {decision.rule}" if decision.rule else ""
    return f"{told}:{about or ' a call'}{rule}"
