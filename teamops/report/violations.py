"""Changes past the roles' boundaries, for a person and for programs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from teamops.model.boundary import Violation
from teamops.model.text import clean_line
from teamops.report.boundary import violation_json

SCHEMA = "teamops.violations/1"


def violations_text(violations: Sequence[Violation]) -> str:
    """Return the violations, newest last."""
    if not violations:
        return "no change past a boundary"
    return "\n".join(line for one in reversed(violations) for line in _lines(one))


def violations_json(violations: Sequence[Violation]) -> dict[str, Any]:
    """Return the same as ``teamops.violations/1``, newest first, each as ``teamops status --json`` has it."""
    return {"schema": SCHEMA, "violations": [violation_json(one) for one in violations]}


def _lines(one: Violation) -> list[str]:
    lines = "" if one.added is None else f", +{one.added} -{one.removed}"
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.wall))
    found = [
        f"{one.id}  {one.state.value}  {at}  {clean_line(one.path, 200)} ({one.change.value}{lines})",
        f"    {one.whose}: {clean_line(one.why, 300)} (rule {clean_line(one.rule, 200)})",
    ]
    found += [f"    - {clean_line(each, 300)}" for each in one.evidence]
    return found + ([f"    {clean_line(one.note, 300)}"] if one.note else [])
