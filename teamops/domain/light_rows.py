"""Whose turn it is, as the agents' hooks are told: one row for each open task, with the files that its blocks name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from teamops.model.handoff import Block, Task

MAX_NAMED = 500
_QUOTED = re.compile(r"`([^`\n]+)`")
_BARE = re.compile(r"(?<![\w`./~-])(?:[\w@.~-]+/)+[\w@.~-]*|(?<![\w`./~-])[\w@-][\w@.-]*\.[A-Za-z]\w{0,9}\b")
_PATH = re.compile(r"[\w@.~+ -]+(?:/[\w@.~+ -]+)*/?")


def light_rows(
    tasks: Sequence[Task], blocks: Sequence[Block], text_of: Callable[[Block], str]
) -> list[dict[str, object]]:
    """Return one row for each open task: its holder, task, tier and the files that others' blocks name in it."""
    found: list[dict[str, object]] = []
    for task in tasks:
        if task.open and task.turn is not None:
            text = "\n".join(text_of(blocks[index]) for index in task.blocks if blocks[index].role != task.turn)
            row: dict[str, object] = {
                "role": task.turn,
                "task": task.task,
                "tier": task.tier,
                "named": list(named_in(text)),
            }
            found.append(row)
    return found


def named_in(text: str) -> tuple[str, ...]:
    """Return what in ``text`` looks like the path of a file or folder in the project, in its order."""
    found: dict[str, None] = {}
    for match in _QUOTED.finditer(text):
        for word in match[1].split(", "):
            bare = word.strip().partition(":")[0].removeprefix("./")
            if _PATH.fullmatch(bare) and (("/" in bare and bare.strip("/")) or "." in bare.strip(".")):
                found.setdefault(bare)
    for match in _BARE.finditer(_QUOTED.sub(" ", text)):
        found.setdefault(match[0].removeprefix("./").rstrip("."))
    return tuple(name for name in found if ".." not in name.split("/") and name)[:MAX_NAMED]
