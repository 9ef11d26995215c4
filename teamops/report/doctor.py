"""What ``teamops doctor`` found, as a table for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from teamops.domain.canary import broken
from teamops.model.check import Check
from teamops.model.role import Role
from teamops.model.text import clean_line
from teamops.report.table import WIDTH, cells, kept, wrapped

SCHEMA = "teamops.doctor/1"
_WORD = 13
"""Columns of the longest word."""


def doctor_text(
    machine: Sequence[Check], roles: Mapping[Role, Sequence[Check]], width: int = WIDTH, *, quick: bool = False
) -> str:
    """Return the table: one block for the machine, one for each role, and what it comes to."""
    layers = [check.layer for check in (*machine, *(check for checks in roles.values() for check in checks))]
    first = max((cells(layer) for layer in layers), default=0)
    lines: list[str] = []
    for title, checks in (("machine and project", machine), *roles.items()):
        if checks:
            lines += [*([""] if lines else []), str(title)]
            for check in checks:
                lines += _lines(check, first, width)
    wrong = [*broken(machine), *(check for checks in roles.values() for check in broken(checks))]
    lines.append("")
    if wrong:
        lines.append(f"{len(wrong)} BROKEN: {', '.join(dict.fromkeys(_name(check) for check in wrong))}")
    else:
        tried = "the quick part of it was tried" if quick else "all of it was tried"
        lines.append(f"nothing is broken; {tried}")
    return "\n".join(lines)


def _name(check: Check) -> str:
    return f"{check.role} {check.layer}" if check.role is not None else check.layer


def _lines(check: Check, first: int, width: int) -> list[str]:
    lead = f"  {check.layer}{' ' * (first - cells(check.layer))}  {check.word.value:<{_WORD}}  "
    rest = " " * (first + _WORD + 6)
    took = kept(f" ({check.ms} ms)").lstrip() if check.ms is not None else ""
    lines = wrapped(f"{clean_line(check.why, 600)} {took}", width, lead, rest)
    if check.do:
        lines += wrapped(clean_line(check.do, 300), width, f"{rest}→ ", f"{rest}  ")
    return [line.rstrip() for line in lines]


def doctor_json(
    machine: Iterable[Check], roles: Mapping[Role, Sequence[Check]], *, project: str, quick: bool
) -> dict[str, object]:
    """Return the same for programs."""
    shown = tuple(machine)
    wrong = [*broken(shown), *(check for checks in roles.values() for check in broken(checks))]
    return {
        "schema": SCHEMA,
        "project": project,
        "quick": quick,
        "ok": not wrong,
        "machine": [_json(check) for check in shown],
        "roles": [{"role": role, "layers": [_json(check) for check in checks]} for role, checks in roles.items()],
    }


def _json(check: Check) -> dict[str, object]:
    return {
        "layer": check.layer,
        "word": check.word.value,
        "why": check.why,
        "do": check.do,
        "ms": check.ms,
        "tried": [clean_line(each, 300) for each in check.tried],
    }
