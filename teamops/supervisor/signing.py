"""The person's word: signing a task off, sending it back, accepting a rewrite.

What a person signs is stored in the ledger before it is written to the file, so a block of theirs without a record was
written by somebody else.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.domain.statuses import is_blocked
from teamops.domain.timeline import chain
from teamops.handoff import ROLES
from teamops.handoff.blocks import digest_of
from teamops.handoff.document import parse
from teamops.handoff.write import render_block
from teamops.ledger.store import LedgerError
from teamops.model.actions import Append, By, Outcome
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Handoff, Stage, Standing, Task
from teamops.model.protocol import Approval, Tamper
from teamops.model.role import DIRECTOR, HUMAN, NONE, Role
from teamops.model.snapshot import AcceptTamper, LogLine, SignOff
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.supervisor.book import Book
    from teamops.supervisor.core import Core

MANY = 20
"""So many losses of one edit are accepted together: nobody looks at a thousand, one by one."""
LOCK_S = 10.0
"""So long a signature waits for the handoff file's lock; then nothing is signed."""
MOVED = "look at it again: somebody has written to it meanwhile"


def approver() -> str:
    """Return the login name of who runs this process, by the system's word and no variable's."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def refusal(book: Book, task: Task | None) -> str:
    """Return why a person can't sign ``task`` off now; empty = they can. Doubts about the work are no refusal."""
    why = _not_theirs(book, task)
    if why or task is None:
        return why
    giver = book.handoff.blocks[task.since_index]
    if is_blocked(giver.status) and task.stage is not Stage.SIGN_OFF:
        return (
            f"{giver.role} asks you something (Status {clean_line(giver.status or '', 60)}): answer it, or send it back"
        )
    return ""


def _not_theirs(book: Book, task: Task | None) -> str:
    """Return why the person can say nothing about ``task`` now."""
    if task is None:
        return "the file has no such task"
    if book.handoff_trouble is not None:
        return f"the handoff file can't be read: {book.handoff_trouble[0]}"
    if not task.open:
        return "the task is closed"
    if task.turn != HUMAN:
        return f"{task.turn or 'nobody'} holds its light, not you"
    if book.protocol.unjudged:
        return f"the ledger can't be read: {book.protocol.unjudged}"
    return ""


async def sign_off(core: Core, intent: SignOff) -> Outcome:
    """Write the person's block, with its record in the ledger before it."""
    book = core.book
    task = book.protocol.task(intent.task)
    why = refusal(book, task) if intent.approve else _not_theirs(book, task)
    if why or task is None:
        return Outcome(ok=False, message=f"{_named(intent.task)} was not signed: {why}", hint="look at it again")
    if chain(task, book.handoff.blocks) != intent.chain:
        return Outcome(ok=False, message=f"{_named(task.task)} was not signed: it has moved on", hint=MOVED)
    note = intent.note.strip()
    if not intent.approve and not note:
        return Outcome(ok=False, message="a task is sent back with a note that says why", hint="write the note")
    turn = NONE if intent.approve else back_to(book, task)
    text = _block_of(book, task, note, turn, approve=intent.approve)
    roles = _roles(book)
    who = approver()
    approval = Approval(
        task=task.task,
        approver=who,
        wall=book.stamp.wall,
        verdict="signed off" if intent.approve else "sent back",
        note=clean_line(note),
        digest=digest_of(text),
        chain=intent.chain,
    )
    audit = core.memory.audit
    try:
        other = next((one for one in audit.approvals() if _is_under_way(one, approval)), None)
        if other is not None or core.acts.under_way(Append, HUMAN):
            by = f" by {clean_line(other.approver, 60)}" if other is not None else ""
            said = f"{_named(task.task)} was not signed: a signature{by} is being written"
            return Outcome(ok=False, message=said, hint=MOVED)
        audit.add_approval(approval)
    except LedgerError as error:
        return Outcome(ok=False, message=f"nothing was written: {error.message}", hint=error.hint)
    action = Append(role=HUMAN, task=task.task, text=text, by=By.PERSON, reason=f"{approval.verdict} by {who}")
    outcome = await _write(core, action, approval, _check(task, intent.chain, roles))
    if not outcome.ok:
        return outcome
    doubts = _doubts(book, task) if intent.approve else ""
    return Outcome(
        ok=True,
        message=f"{_named(task.task)} {approval.verdict}{'' if turn == NONE else f', {turn} has the light'}: "
        f"{outcome.message}, recorded for {who}{doubts}",
        evidence=outcome.evidence,
    )


async def _write(core: Core, action: Append, approval: Approval, check: Callable[[bytes], None]) -> Outcome:
    """Write the block that has its record. Where it isn't written, for whatever reason, its record goes too."""
    word = _Word(check)
    outcome: Outcome | None = None
    try:
        future = core.acts.begin(action, word.check)
        await asyncio.wait({future}, timeout=LOCK_S)
        if future.done() or not word.take_back():
            outcome = await future
        else:
            outcome = Outcome(
                ok=False,
                message=f"nothing was signed: another program has kept the handoff file locked for {LOCK_S:.0f} s",
                hint="end what writes to it, then sign again",
            )
    finally:
        # Interrupted while the block goes to the file, it stands there: then its record stays.
        if word.take_back() if outcome is None else not outcome.ok:
            core.memory.store(core.book, partial(core.memory.audit.take_back, approval))
            core.trail.refresh(core.book)
    return outcome


class _Word:
    """What the person signs: either taken back, or on its way into the file, never both."""

    def __init__(self, check: Callable[[bytes], None]) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._back = False
        self._given = False

    def check(self, data: bytes) -> None:
        """Look at the file under its lock, in the thread that writes it."""
        with self._lock:
            if self._back:
                raise TeamopsError("nothing was signed: it was taken back", "sign again")
            self._given = False
            self._check(data)
            self._given = True

    def take_back(self) -> bool:
        """Take the word back; return whether it is: what is being written no longer can be."""
        with self._lock:
            self._back = self._back or not self._given
            return self._back


def _is_under_way(one: Approval, mine: Approval) -> bool:
    """Return whether ``one`` signs the same, just now: once it is written, there is more to sign than that."""
    return one.chain == mine.chain and abs(mine.wall - one.wall) < LOCK_S


def back_to(book: Book, task: Task) -> Role:
    """Return who gets the light of a task that the person sends back: who designs it, or else who gave it."""
    giver = book.handoff.blocks[task.since_index].role
    has_director = not book.settings.roles or book.settings.role(DIRECTOR) is not None
    return DIRECTOR if has_director or giver in {HUMAN, NONE} else giver


def _block_of(book: Book, task: Task, note: str, turn: Role, *, approve: bool) -> str:
    said = "Signed off." if approve else "Sent back: it is not done yet."
    sections = [("What I Did", said)]
    if note:
        reader = DIRECTOR if turn == NONE else turn
        sections.append((f"For {reader.capitalize()}", note))
    return render_block(
        HUMAN,
        datetime.fromtimestamp(book.stamp.wall).astimezone().replace(tzinfo=None),  # naive local, by the protocol
        "signed off" if approve else "sent back",
        turn,
        task.tier or 2,
        task=task.task,
        sections=sections,
    )


def _check(task: Task, signed: str, roles: frozenset[Role]) -> Callable[[bytes], None]:
    """Return the last look at the file under its lock: what is signed is what stands there, whoever wrote meanwhile."""

    def check(data: bytes) -> None:
        handoff = parse(data, roles)
        if task.task is None and handoff.blocks and handoff.blocks[-1].task is not None:
            # A block without a Task field belongs to the task of the block before it.
            raise TeamopsError("the task has no name, and another one's block is the last", "write your block by hand")
        if handoff.blocks and not handoff.blocks[-1].complete:
            raise TeamopsError("somebody is just writing a block", "try again in a moment")
        if chain(_task_in(handoff, task), handoff.blocks) != signed:
            raise TeamopsError(f"{_named(task.task)} was not signed: it has moved on", MOVED)

    return check


def _task_in(handoff: Handoff, task: Task) -> Task:
    """Return ``task`` with the blocks that it has in ``handoff``."""
    key = _key(task.task)
    return replace(task, blocks=tuple(block.index for block in handoff.blocks if _key(block.task) == key))


def _doubts(book: Book, task: Task) -> str:
    """Say what a signature does not heal."""
    open_ones = [one for one in book.protocol.findings if _key(one.task) == _key(task.task)]
    doubted = task.standing is Standing.DOUBTED
    parts = ["its gates are in doubt"] * doubted + [f"findings: {len(open_ones)}"] * bool(open_ones)
    return f" ({', '.join(parts)}; they stay on record)" if parts else ""


def accept(core: Core, intent: AcceptTamper) -> Outcome:
    """Store that the person accepts a rewrite."""
    book, memory = core.book, core.memory
    found = book.protocol.proof.tampers if book.protocol.proof is not None else ()
    tamper = next((one for one in found if one.id == intent.tamper), None)
    if tamper is None or tamper.accepted:
        return Outcome(ok=False, message="there is no such change to accept any more", hint="look again")
    together = edit_of(found, tamper)
    who = approver()
    try:
        done = memory.audit.accept_all([one.id for one in together], who, book.stamp.wall)
    except LedgerError as error:
        return Outcome(ok=False, message=f"nothing was accepted: {error.message}", hint=error.hint)
    what = words_of(tamper) if len(together) == 1 else f"{done} blocks gone in one edit"
    book.note(LogLine(book.stamp.wall, "source", f"{who} accepted: {what}", HUMAN))
    core.trail.refresh(book)
    return Outcome(ok=True, message=f"accepted: {what}", evidence=f"recorded for {who}")


def edit_of(tampers: tuple[Tamper, ...], tamper: Tamper) -> tuple[Tamper, ...]:
    """Return what is accepted with ``tamper``: all that one edit took out, where that is more than one can look at."""
    if tamper.kind != "vanished":
        return (tamper,)
    same = tuple(one for one in tampers if one.wall == tamper.wall and one.kind == tamper.kind and not one.accepted)
    return same if len(same) > MANY else (tamper,)


def words_of(tamper: Tamper) -> str:
    """Return a change of handed-on blocks in words."""
    block = f'"{tamper.before.heading}"' if tamper.before is not None else "a block"
    how = {"rewritten": "rewritten", "vanished": "taken out", "inserted": "put in between"}
    return f"{block} {how.get(tamper.kind, 'changed')}"


def _roles(book: Book) -> frozenset[Role]:
    return frozenset({*ROLES, *(role.role for role in book.settings.roles)})


def _key(name: str | None) -> str:
    return (name or "").lower()


def _named(name: str | None) -> str:
    return f"task {clean_line(name, 60)}" if name else "the task"
