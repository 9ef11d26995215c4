"""All that is known of an agent, best first: what a person reads who asks why a state is believed."""

from __future__ import annotations

from teamops.domain.health import Facts, exit_words
from teamops.model.agent import Evidence, EvidenceKind

_SCREEN = EvidenceKind.PANE


def known(facts: Facts, now: float) -> tuple[Evidence, ...]:
    """Return each kind of evidence there is, in the order of its worth, with its age."""
    found = []
    if facts.status is not None:
        said = facts.status.value
        detail = f"{said}: {facts.status_detail}" if facts.status_detail and facts.status_detail != said else said
        found.append(_of(EvidenceKind.STATUS, facts.status_at, now, detail))
    if facts.told is not None:
        found.append(_of(EvidenceKind.HOOK, facts.told_at, now, facts.told_detail))
    if facts.grew is not None:
        found.append(_of(EvidenceKind.TRANSCRIPT, facts.grew, now, "grew"))
    if facts.beat is not None:
        cycle = ", in a cycle" if facts.in_cycle else ""
        found.append(_of(EvidenceKind.BEAT, facts.beat, now, f"{facts.beat_status}{cycle}"))
    if facts.dead:
        ended = exit_words(facts.exit_status, facts.exit_signal, oom=facts.oom)
        found.append(_of(EvidenceKind.PROCESS, facts.died, now, f"ended: {ended}"))
    elif facts.pid is not None:
        stopped = facts.stopped_at is not None
        at = facts.stopped_at if stopped else facts.born
        found.append(_of(EvidenceKind.PROCESS, at, now, "stopped by a signal" if stopped else f"pid {facts.pid} lives"))
    if facts.screen is not None and facts.pid is not None:
        found.append(_of(_SCREEN, facts.screen_at, now, f"its screen shows: {facts.screen}"))
    if facts.printed is not None and facts.pid is not None:
        found.append(_of(_SCREEN, facts.printed, now, "printed"))
    return tuple(found)


def _of(kind: EvidenceKind, at: float | None, now: float, detail: str) -> Evidence:
    return Evidence(kind, None if at is None else max(0.0, now - at), detail)
