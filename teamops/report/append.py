"""What ``teamops append`` says of a block, for programs (``teamops.append/1``) and for people."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from teamops.domain.breach import again, at_once
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.handoff import Block, Problem, Task
from teamops.model.protocol import ProtocolFinding
from teamops.model.role import DIRECTOR, HUMAN, Role
from teamops.model.text import clean_line

SCHEMA = "teamops.append/1"
REFUSED, WRONG_USE, FAILED = "refused", "wrong-use", "failed"
"""Why nothing was written: a rule, the call, the world."""

_OUT_OF_TURN = frozenset({"not-holder", "two-lights"})
_OPENERS = frozenset({DIRECTOR, HUMAN})
_AGAIN = re.compile(r"append an? \[[^\]]+\] block (with|that gives) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is to be said of a block that would be the file's last."""

    block: Block
    blocks: tuple[Block, ...]
    """All blocks of the file, this one last."""
    task: Task
    """The block's task after it."""
    held: tuple[str | None, ...]
    """The tasks whose light the block's role held before it."""
    opened: bool
    """The block's task was open before it."""
    refused: tuple[Problem | ProtocolFinding, ...]
    """Why it must not be written; empty = it may."""
    warned: tuple[Problem | ProtocolFinding, ...]


def said_lines(said: Sequence[Problem | ProtocolFinding], judgement: Judgement, *, whole: bool) -> list[str]:
    """Return what breaks a rule, each with the way to mend it. ``whole``: the block was given as Markdown."""
    lines = []
    for one in said:
        inside = one.line - judgement.block.line + 1
        where = f", line {inside} of the block" if inside > 1 else ""
        lines.append(f"  {one.code} ({one.severity}{where}): {clean_line(one.message)}")
        if hint := _hint(one, judgement, whole=whole):
            lines.append(f"    → {clean_line(hint)}")
    return lines


def task_meant(wanted: str | None, held: Sequence[str | None], *, whole: bool = False) -> str:
    """Return as a question which of the tasks ``held`` may be meant by ``wanted``; empty where none is like it."""
    names = {name.lower(): name for name in held if name}
    close = difflib.get_close_matches((wanted or "").lower(), list(names), 1)
    if not close:
        return ""
    name = clean_line(names[close[0]], 80)
    return f"did you mean {f'**Task**: {name}' if whole else f'--task {_shell_word(name)}'}?"


def only_openers(role: Role, held: Sequence[str | None]) -> str:
    """Return why ``role`` can't begin a task, and which lights it holds."""
    lights = f"the light of {_names(held)}" if held else "no light now"
    return f"only DIRECTOR or HUMAN open a task; {clean_line(role, 40)} holds {lights}"


def may_open(role: Role) -> bool:
    """Return whether ``role`` may begin a task."""
    return role in _OPENERS


def written_json(path: Path, judgement: Judgement, *, made: bool, whole: bool) -> dict[str, Any]:
    """Return the shape of ``teamops.append/1`` for a block that was written. ``made``: the file is new."""
    block, task = judgement.block, judgement.task
    return {
        "schema": SCHEMA,
        "ok": True,
        "file": str(path),
        "made": made,
        "line": block.line,
        "role": block.role,
        "task": block.task,
        "turn": block.turn,
        "tier": task.tier,
        "light": task.turn,
        "stage": str(task.stage),
        "forced": _said_json(judgement.refused, judgement, whole=whole),
        "warnings": _said_json(judgement.warned, judgement, whole=whole),
    }


def refusal_json(path: Path | None, error: TeamopsError, judgement: Judgement | None, *, whole: bool) -> dict[str, Any]:
    """Return the same where nothing was written. ``judgement``: of the rules, where it is they that refuse."""
    by_call = WRONG_USE if isinstance(error, UsageError) else FAILED
    return {
        "schema": SCHEMA,
        "ok": False,
        "file": None if path is None else str(path),
        "code": by_call if judgement is None else REFUSED,
        "message": error.message.partition("\n")[0],
        "hint": error.hint,
        "refused": [] if judgement is None else _said_json(judgement.refused, judgement, whole=whole),
        "warnings": [] if judgement is None else _said_json(judgement.warned, judgement, whole=whole),
    }


def _said_json(said: Sequence[Problem | ProtocolFinding], judgement: Judgement, *, whole: bool) -> list[dict[str, Any]]:
    return [
        {
            "code": one.code,
            "severity": str(one.severity),
            "line": one.line,
            "message": one.message,
            "hint": _hint(one, judgement, whole=whole),
        }
        for one in said
    ]


def _hint(one: Problem | ProtocolFinding, judgement: Judgement, *, whole: bool) -> str:
    """Return how to mend a block that is not written yet: no other one has to correct it."""
    if one.code in _OUT_OF_TURN:
        return _turn_hint(judgement, whole=whole)
    block, hint = judgement.block, one.hint
    hint = hint.replace(at_once(block), "")  # until when it could be mended, once it stands
    for anew in (again(block), again(block, turn=False)):
        hint = hint.replace(f"{anew} and ", "write it with ")
    return _AGAIN.sub(lambda found: "write it with " if found[1] == "with" else "give ", hint)


def _turn_hint(judgement: Judgement, *, whole: bool) -> str:
    if any(said.code == "unknown-role" for said in judgement.refused):
        return "mend the role's name first"
    role, wanted = judgement.block.role, judgement.block.task
    held = [name for name in judgement.held if (name or "").lower() != (wanted or "").lower()]
    meant = task_meant(wanted, held, whole=whole)
    if meant:
        return meant
    if not judgement.opened:
        return only_openers(role, held)
    wait = f"it is not your turn: wait until a block's Turn names {clean_line(role, 40)}"
    return f"{wait}; the light that you hold is of {_names(held)}" if held else wait


def _names(held: Sequence[str | None]) -> str:
    return ", ".join(clean_line(name, 60) if name else "the task without a name" for name in held)


def _shell_word(name: str) -> str:
    import shlex

    return shlex.quote(name)
