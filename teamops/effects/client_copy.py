"""An agent's own copy of a file that its client writes, and that also says how each session of it behaves.

In ``~/.claude.json`` stand counters and answers to dialogs beside MCP servers and what each project may do. An agent
writes into its copy, and into nobody else's. Each start copies the person's file anew; of the agent's own last copy
only such answers are kept as would else be asked again each time, of no weight outside of its boundary.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

MAX_BYTES = 16 << 20
_ANSWERED = ("hasCompletedOnboarding", "bypassPermissionsModeAccepted")
_PROJECT_ANSWERED = ("hasTrustDialogAccepted", "hasCompletedProjectOnboarding")
_KEYS = "customApiKeyResponses"
_MAX_KEYS = 20


def copy_of(path: Path, last: Path, cwd: str) -> str:
    """Return what the agent's copy of ``path`` begins with. ``last``: its copy before; ``cwd``: where it works.

    A file that can't be read is none: the client then begins as on its first day, inside its boundary.
    """
    text = _read(path)
    known, before = _object(text), _object(_read(last))
    if known is None or before is None:
        return text or "{}\n"
    changed = {name: True for name in _ANSWERED if before.get(name) is True and known.get(name) is not True}
    approved = _approved(before)
    if approved and _KEYS not in known:
        changed[_KEYS] = {"approved": approved, "rejected": []}  # type: ignore[assignment]  # JSON of several kinds
    projects = _within(known, "projects")
    here = {place: _within(projects, place) for place in dict.fromkeys((cwd, os.path.realpath(cwd)))}
    for place, told in here.items():
        said = _within(_within(before, "projects"), place)
        own = {name: True for name in _PROJECT_ANSWERED if said.get(name) is True and told.get(name) is not True}
        if own:
            projects = {**projects, place: {**told, **own}}
            changed["projects"] = projects  # type: ignore[assignment]
    return json.dumps({**known, **changed}, indent=2) + "\n" if changed else text


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1).decode("utf-8") if os.fstat(file.fileno()).st_size <= MAX_BYTES else ""
    except (OSError, ValueError):
        return ""


def _object(text: str) -> dict[str, object] | None:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _within(told: dict[str, object], name: str) -> dict[str, object]:
    inner = told.get(name)
    return inner if isinstance(inner, dict) else {}


def _approved(before: dict[str, object]) -> list[str]:
    keys = _within(before, _KEYS).get("approved")
    return [key for key in keys if isinstance(key, str)][:_MAX_KEYS] if isinstance(keys, list) else []
