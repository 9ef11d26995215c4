"""Whose turn it is, as the hook knows it.

The supervisor keeps it in a file out of the agents' reach, together with the facts of the handoff file that it was read
from. As long as the handoff file is that very one, what is kept holds, however old it is. Else the file is read anew by
a process of its own that knows its grammar: slower, and never a guess. Where that fails, nobody holds the light.
"""

# ruff: noqa: PTH116, PTH120, PTH100, PTH123 - importing pathlib costs more than all of this
from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from teamops.guard.judge import Light
from teamops.guard.policy import Policy

ASK_S = 3.0
"""So long reading the handoff file anew may take."""
MAX_BYTES = 1 << 22
_ASK = "import sys; sys.path.insert(0, sys.argv.pop(1)); from teamops.cli.main import main; main()"

Facts = list[int]
"""Device, inode, size and change time (ns) of the handoff file; empty = there is none."""


class Later(Light):
    """A light that is looked at when it is asked for, and not before: reading needs none."""

    __slots__ = ("_look",)

    def __init__(self, look: Callable[[], Light]) -> None:
        self._look = look

    def __getattr__(self, name: str) -> object:
        """Look, once."""
        if name not in Light.__slots__:
            raise AttributeError(name)
        seen = self._look()
        for each in Light.__slots__:
            setattr(self, each, getattr(seen, each))
        return getattr(seen, name)


def light_of(policy: Policy) -> Light:
    """Return whose turn it is, for the role of ``policy``. Never raises."""
    try:
        facts = facts_of(str(policy["handoff_path"]))
        rows = _kept(str(policy["light_path"]), facts)
        return light_in(_asked(policy) if rows is None else rows, str(policy["role"]))
    except Exception as error:  # noqa: BLE001 - whose turn it is can't be said: nobody's
        return Light(trouble=f"{type(error).__name__}: {error}"[:300])


def light_in(rows: object, role: str) -> Light:
    """Return what ``rows``, one for each open task, say to ``role``. Raises ``ValueError`` where they can't be read."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("the rows of the lights are none")
    own = [row for row in rows if row.get("role") == role]
    tiers = dict.fromkeys(row["tier"] for row in own if isinstance(row.get("tier"), int))
    named = dict.fromkeys(str(name) for row in own for name in row.get("named") or ())
    return Light(held=bool(own), tiers=tuple(tiers), named=tuple(named), free=not rows)


def facts_of(path: str) -> Facts:
    """Return the handoff file's facts. Raises ``OSError`` where it can't be looked at."""
    try:
        told = os.stat(path)
    except FileNotFoundError:
        return []
    return [told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns]


def text_of(facts: Facts, rows: list[dict[str, object]]) -> str:
    """Return what is kept."""
    return json.dumps({"v": 1, "file": facts, "rows": rows})


def _kept(path: str, facts: Facts) -> object | None:
    """Return the rows that are kept of the file with these facts; ``None`` = none are."""
    try:
        with open(path, "rb") as file:
            told = json.loads(file.read(MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    same = isinstance(told, dict) and told.get("v") == 1 and told.get("file") == facts
    return told.get("rows") if same else None


def _asked(policy: Policy) -> object:
    """Return the rows of the handoff file as it is now, read by who knows its grammar. Raises where that fails."""
    import subprocess

    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    words = [sys.executable, "-I", "-c", _ASK, package, "guard", "light", "-C", policy["roots"][0]]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_S, check=False)
    if done.returncode:
        raise ValueError(done.stderr.decode("utf-8", "replace").strip()[:200] or f"exit status {done.returncode}")
    told = json.loads(done.stdout)
    return told["rows"]
