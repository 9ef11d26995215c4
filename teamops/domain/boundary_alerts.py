"""What a person has to know of changes past a boundary: one alert for a role, however many files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from teamops.model.alert import Finding
from teamops.model.boundary import Violation, ViolationState
from teamops.model.handoff import Severity

TOGETHER_S = 600.0
"""What a role changed within so long after the first is one alert: who works on crosses it again and again."""
HINTS = frozenset({"write.named_files_only"})
"""Rules that only warn."""
NOT_UNDONE = "not undone: "
"""Begins the note of a violation that would be undone by rule, and was not, and why."""


def violation_findings(violations: Iterable[Violation]) -> list[Finding]:
    """Return one finding for each role's group of open violations. ``violations``: settled ones too."""
    groups: dict[tuple[str, ...], list[list[Violation]]] = {}
    for one in sorted(violations, key=lambda each: (each.wall, each.id)):
        of = groups.setdefault(one.roles, [])
        if of and one.wall - of[-1][0].wall <= TOGETHER_S:
            of[-1].append(one)
        else:
            of.append([one])
    return [
        _finding(group, standing)
        for of in groups.values()
        for group in of
        if (standing := [one for one in group if one.state is ViolationState.OPEN])
    ]


def _finding(group: Sequence[Violation], standing: Sequence[Violation]) -> Finding:
    grave = [one for one in standing if one.rule not in HINTS]
    told = (grave or standing)[0]
    who = told.whose if told.roles else "somebody"
    more = f" (and {len(standing) - 1} more)" if len(standing) > 1 else ""
    evidence = f"; {told.evidence[0]}" if told.evidence else ""
    left = f"; {told.note}" if told.note.startswith(NOT_UNDONE) else ""
    return Finding(
        code="boundary-crossed",
        severity=None if grave else Severity.INFO,
        subject=f"{','.join(told.roles)}#{group[0].id}",
        message=f"{who}: {told.path} was {told.change.value}{more}, and {told.why} (rule {told.rule}{evidence}){left}",
        do=f"look at it: teamops guard diff {told.id}; then accept or quarantine it",
        agent=told.roles[0] if told.roles else None,
        notify=bool(grave),
    )
