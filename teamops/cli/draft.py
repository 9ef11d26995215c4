"""A block before it is written: from options, or whole from standard input."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from teamops.handoff import parse
from teamops.handoff.scan import normalized, scan
from teamops.handoff.write import render_block
from teamops.model.errors import UsageError
from teamops.model.handoff import Block, Handoff, Task
from teamops.model.role import HUMAN, Role, role_of
from teamops.model.text import clean_line
from teamops.report.append import may_open, only_openers, task_meant

SESSION = "Session"
"""The field that names the tmux session in which a block was written."""
BODY = "What I Did"
"""The title over a body that has none."""
_FORM = "### [ROLE] YYYY-MM-DD HH:MM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A block to be appended."""

    role: Role
    text: str
    task: str | None
    """The task that it means to belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the options say. ``None``: not given."""

    role: str | None = None
    status: str | None = None
    turn: str | None = None
    tier: int | None = None
    task: str | None = None
    verdict: str | None = None
    gates: str | None = None
    sections: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Nothing of a block is given, so all of it comes from standard input."""
        fields = (self.status, self.turn, self.tier, self.task, self.verdict, self.gates)
        return not self.sections and all(value is None for value in fields)


def role_in(words: Words, own: str) -> Role | None:
    """Return whose block it is to be, by the option or by ``own`` (TEAMOPS_ROLE).

    Raises ``UsageError`` where the two contradict each other.
    """
    given, mine = role_of(words.role or ""), role_of(own)
    if given and mine and given != mine:
        raise UsageError(
            f"this is {clean_line(mine, 40)}'s shell (TEAMOPS_ROLE), not {clean_line(given, 40)}'s",
            "leave --role away: an agent writes for itself alone",
        )
    return given or mine or None


def take_whole(text: str, role: Role | None, session: str, roles: Sequence[Role]) -> Draft:
    """Return the block that stands in ``text``, as it is; inside tmux its session is noted if it says none.

    Raises ``UsageError`` if there is no block in it, more than one, or another's.
    """
    text = text.removeprefix("\ufeff").strip("\r\n")
    if not text.strip():
        raise UsageError(
            "there is no block on standard input",
            f"give one that begins with {_FORM}, or --role, --status, --turn and --section",
        )
    text += "\n"
    read = parse(text.encode("utf-8", "replace"), roles)
    if not read.blocks or read.blocks[0].start:
        near = next((one for one in read.problems if one.code.startswith("heading-")), None)
        raise UsageError(
            f"standard input does not begin with a block's heading{f': {near.message}' if near else ''}",
            near.hint if near else f"begin with {_FORM}; or give --status and --turn, and it is the block's text",
        )
    if len(read.blocks) > 1:
        raise UsageError(f"there are {len(read.blocks)} blocks on standard input", "append one at a time")
    block = read.blocks[0]
    if role is not None and block.role != role:
        raise UsageError(
            f"the block is {clean_line(block.role, 40)}'s, and you write for {clean_line(role, 40)}",
            "an agent writes for itself alone: mend the heading",
        )
    said = block.fields.get(SESSION)
    if said is not None and session and said != session:
        raise UsageError(
            f'the block says that it was written in the session "{clean_line(said, 60)}", and this is "{session}"',
            f"leave the field {SESSION} away: teamops writes it",
        )
    if said is None and session:
        text = _with_session(text, block, session, roles)
    return Draft(role=block.role, text=text, task=None)


def _with_session(text: str, block: Block, session: str, roles: Sequence[Role]) -> str:
    """Return ``text`` with a field more under its heading, if that changes nothing else."""
    heading, end, rest = text.partition("\n")
    noted = f"{heading}{end}\n**{SESSION}**: {session}\n{'' if rest.startswith(chr(10)) else chr(10)}{rest}"
    after = parse(noted.encode("utf-8", "replace"), roles).blocks
    fields = dict(after[0].fields) if len(after) == 1 else {}
    if fields.pop(SESSION, None) == session and fields == dict(block.fields):
        return noted
    return text


def compose(words: Words, role: Role, tasks: Sequence[Task], session: str, now: datetime) -> Draft:
    """Return the block that the options describe, with the text on standard input where no section is given.

    ``tasks`` are those of the file: the light that ``role`` holds gives the task and the tier that are not said.
    Raises ``UsageError`` for what is missing or can't be meant.
    """
    status, turn = _said("--status", words.status), _said("--turn", words.turn)
    if words.task is not None:
        _said("--task", words.task)
    task, known = _task(words, role, tasks)
    tier = words.tier or (known.tier if known else None)
    if tier is None:
        raise UsageError("nobody has said this task's tier yet", _other_task(role, task, known, tasks))
    text = render_block(
        role,
        now,
        status,
        role_of(turn),
        tier,
        task=task,
        gates=words.gates,
        verdict=words.verdict,
        fields={SESSION: session} if session else {},
        sections=_sections(words.sections),
    )
    return Draft(role=role, text=text, task=task)


def _other_task(role: Role, name: str | None, known: Task | None, tasks: Sequence[Task]) -> str:
    """Return what to do about a task without a tier: say it, or name the one that was meant."""
    say = "say it: --tier 1, 2 or 3"
    if known is not None:
        return say
    held = [task.task for task in tasks if task.open and task.turn == role]
    if may_open(role):
        meant = task_meant(name, held or [task.task for task in tasks if task.open])
        return f"{meant} For a new one {say}" if meant else say
    return task_meant(name, held) or only_openers(role, held)


def _said(option: str, value: str | None) -> str:
    if value is None:
        raise UsageError(f"{option} is missing", "or give a whole block on standard input and no such option")
    if not clean_line(value):
        raise UsageError(f"{option} is empty", "is a variable of the shell not set?")
    return value


def _task(words: Words, role: Role, tasks: Sequence[Task]) -> tuple[str | None, Task | None]:
    """Return the name of the block's task, and the task where there is one already."""
    if words.task is not None:
        name = words.task.strip()
        known = next((task for task in tasks if (task.task or "").lower() == name.lower()), None)
        return (known.task if known else name), known
    held = [task for task in tasks if task.open and task.turn == role]
    if role == HUMAN and not held:  # a person may write whose turn it ever is
        held = [task for task in tasks if task.open]
        if len(held) > 1:
            raise UsageError(f"{len(held)} tasks are open", f"say which with --task: {_names(held)}")
    if len(held) == 1:
        return held[0].task, held[0]
    if len(held) > 1:
        raise UsageError(f"{role} holds the light of {len(held)} tasks", f"say which with --task: {_names(held)}")
    if all(task.task is None for task in tasks):
        return None, tasks[0] if tasks else None
    raise UsageError(f"{role} holds no light, so it is not clear which task is meant", "name it with --task")


def _names(tasks: Sequence[Task]) -> str:
    return ", ".join(clean_line(task.task or "(no name)", 60) for task in tasks)


def _sections(given: Sequence[str]) -> list[tuple[str, str]]:
    if not given:
        body = read_stdin()
        if not body.strip():
            raise UsageError(
                "the block says nothing", '--section "What I Did=…" says it, or a text on standard input (a pipe)'
            )
        return split_sections(body)
    sections = []
    for one in given:
        title, equals, text = one.partition("=")
        if not equals or not clean_line(title):
            raise UsageError(f'--section "{clean_line(one, 60)}" has no title', 'write --section "Title=text"')
        sections.append((title, text))
    dashes = [title for title, text in sections if text == "-"]
    if len(dashes) > 1:
        raise UsageError("standard input can be the text of one section only", f"of {' or '.join(dashes)}")
    if not dashes and _stdin_speaks():
        raise UsageError(
            "there is text on standard input, and sections are given as options",
            'name the section that it belongs to: --section "Title=-"',
        )
    sections = [(title, read_stdin() if text == "-" else text) for title, text in sections]
    for title, text in sections:
        if not text.strip():
            raise UsageError(f'the section "{clean_line(title, 60)}" is empty', "is a variable of the shell not set?")
    return sections


def split_sections(body: str) -> list[tuple[str, str]]:
    """Return the sections of a Markdown text: its level-4 headings; what stands before them is "What I Did".

    Raises ``UsageError`` where it is a whole block.
    """
    data = normalized(body.removeprefix("\ufeff").strip("\r\n").encode("utf-8", "replace"))
    read: Handoff = parse(data)
    if read.blocks:
        raise UsageError(
            "standard input holds a whole block, and options say the block's fields too",
            "give the one or the other",
        )
    found = [heading for heading in scan(data).headings if heading.level == 4]
    ends = [*(heading.start for heading in found[1:]), len(data)]
    before = data[: found[0].start] if found else data
    sections = [(BODY, before.decode("utf-8", "replace"))] if before.strip() else []
    for heading, end in zip(found, ends, strict=False):
        title = data[heading.start : heading.end].decode("utf-8", "replace").lstrip(" #")
        sections.append((title, data[heading.end : end].decode("utf-8", "replace")))
    return sections


def read_stdin() -> str:
    """Return all of standard input; empty where it is closed or a terminal: nobody is waited for who may type.

    Raises ``UsageError`` if it is no UTF-8.
    """
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return ""
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is no UTF-8 (byte {error.start + 1})", "write the block in UTF-8") from error


def given_text(words: Words) -> str:
    """Return what stands on standard input, where the words want it."""
    wanted = words.whole or any(section.endswith("=-") for section in words.sections)
    return read_stdin() if wanted or (not words.sections and _stdin_speaks()) else ""


def _stdin_speaks() -> bool:
    """Return whether there is text on standard input now. An open pipe that nobody writes to is not waited for."""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return False
    try:
        file = sys.stdin.fileno()
        mode = os.fstat(file).st_mode
        if stat.S_ISREG(mode):
            return os.fstat(file).st_size > os.lseek(file, 0, os.SEEK_CUR)
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) or not select.select([file], [], [], 0)[0]:
            return False
        return bool(sys.stdin.buffer.peek(1))  # type: ignore[union-attr]  # a buffered reader has it
    except (OSError, ValueError):
        return False
