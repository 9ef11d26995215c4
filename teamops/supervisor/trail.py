"""The audit trail: blocks handed on are recorded, and every later change of them is noticed.

A block is handed on once another follows it, or when it is complete and stood unchanged for a minute. From then on it
may not change: what is rewritten, taken out or put in between is stored as such, until the old text is back or a person
accepts it. Only the supervisor that acts keeps the trail; a viewer reads what it tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from teamops.domain.audit import Comparison, compare, handed_on
from teamops.domain.proof import Proof
from teamops.domain.undo import Undo, handed_on_again
from teamops.handoff.blocks import digest_of
from teamops.ledger.audit import Change, NewBlock
from teamops.model.events import HandoffChanged
from teamops.model.handoff import Block
from teamops.model.protocol import Approval, KnownBlock, Tamper
from teamops.model.snapshot import LogLine
from teamops.model.text import clean_line
from teamops.supervisor.book import Book
from teamops.supervisor.memory import Memory

GRACE_S = 3.0
"""Half of the blocks gone at once may be a file that is just being put back: only what lasts so long counts."""
BATCH = 100
"""Most blocks recorded in one go: about 5 ms."""
PAUSE_S = 0.01
"""Between two batches everybody else has their turn."""

Spawn = Callable[[Coroutine[Any, Any, None], str], None]
_Done = tuple[str, KnownBlock | None, Block | None]
"""What was done to a block: how, what stood there, and what stands there now."""


class Trail:
    """Keeps the ledger's account of the handoff file. Belongs to the supervisor's loop."""

    def __init__(self, memory: Memory, spawn: Spawn) -> None:
        self._memory = memory
        self._spawn = spawn
        self._digests: list[str] = []
        """Of the blocks that are recorded (or wait to be), in the file's order."""
        self._known: list[KnownBlock] = []
        """Of earlier lives; empty after the first reading."""
        self._virgin = False
        """The ledger knows no block yet: the file is seen for the first time."""
        self._begun = False
        """The file was read once in this life."""
        self._writing = False
        """Many blocks are being recorded, some at a time."""
        self._due = False
        """What was handed on may have changed: to be compared."""
        self._grace: float | None = None
        """When so much was gone at once that it may come back, observed seconds."""
        self._last: tuple[str, float] | None = None
        """The last block's digest, and since when it stands, observed seconds."""
        self._mark: tuple[int, ...] = ()
        self.on_adopted: Callable[[Book], None] = lambda _: None
        """Called when a file is seen for the first time, before its blocks are recorded."""
        self.on_rewritten: Callable[[Book, KnownBlock, Block], None] = lambda *_: None

    @property
    def unsettled(self) -> bool:
        """What was handed on may have changed, and nobody knows yet whether it has."""
        return self._due

    def load(self, book: Book) -> None:
        """Take what earlier lives recorded."""
        memory = self._memory
        book.protocol.walls = memory.ask(book, memory.audit.walls) or {}
        self.refresh(book)
        if memory.acting:
            self._known = memory.ask(book, memory.audit.blocks) or []
            self._digests = [known.digest for known in self._known]
            archived = memory.ask(book, memory.audit.archived) or ()
            changed = book.protocol.proof is None or bool(book.protocol.proof.tampers)
            self._virgin = not (
                self._known or archived or changed or book.protocol.walls or memory.announced.began_empty(book)
            )

    # what the ledger proves

    def refresh(self, book: Book) -> None:
        """Take what is new of approvals, rewrites, gate runs and forced blocks; costs one question if nothing is."""
        protocol, memory = book.protocol, self._memory
        mark = memory.protocol_mark(book)
        if mark is not None and mark == self._mark and not protocol.unjudged:
            return
        read = None if mark is None else memory.ask(book, self._read_proof)
        if mark is None or read is None:
            # What was proven before stands; but nobody can say whether it still is all.
            protocol.unjudged = book.notes.get("ledger", "") or "the ledger can't be read"
            return
        self._mark, protocol.unjudged = mark, ""
        protocol.prove(*read)

    def _read_proof(self) -> tuple[Proof, tuple[Approval, ...]]:
        audit = self._memory.audit
        approvals = tuple(audit.approvals())
        proof = Proof(
            approved=frozenset(approval.digest for approval in approvals),
            tampers=tuple(audit.tampers()),
            runs=tuple(audit.last_gate_runs()),
            forced=audit.forced(),
        )
        return proof, approvals

    # what the file shows

    def see(self, book: Book, event: HandoffChanged) -> None:
        """Record what was handed on by now, and compare what was recorded, if it may have changed."""
        if not self._memory.acting:
            return
        blocks = event.handoff.blocks
        if not self._begun:
            self._begun = True
            self._begin(book, event)
        elif _open(book) or not (event.appended and self._stands(blocks)):
            self._due = True  # what is appended while something is amiss may be what was missed
        self._work(book)

    def miss(self, book: Book) -> None:
        """Take that the file can't be read. Where there is none from the start, the one that comes is new."""
        if not self._begun and not book.settings.handoff.exists():
            self._begun = True
            book.protocol.born = not self._known
            if self._virgin:
                self._memory.announced.begin_empty(book)
            self._known = []

    def tick(self, book: Book) -> None:
        """Do what waited: for time to pass, or for the ledger."""
        self.refresh(book)
        if self._memory.acting:
            self._work(book)

    def _begin(self, book: Book, event: HandoffChanged) -> None:
        """Take the first reading of this life: a file never seen before is adopted, a known one compared."""
        blocks = event.handoff.blocks
        known, self._known = self._known, []
        age = max(0.0, event.stamp.wall - event.mtime)
        if blocks:
            self._last = (blocks[-1].digest, event.stamp.now - age)
        stands = [block.digest for block in blocks[: len(known)]] == self._digests
        # Cut off while it adopted: the rest of a file that has not changed since stood there as well.
        adopting = bool(known) and stands and all(row.adopted for row in known) and event.mtime <= known[-1].wall
        if self._virgin or adopting:
            rest = blocks[len(known) :]
            rest = rest if not rest or rest[-1].complete else rest[:-1]
            if rest:
                self.on_adopted(book)
                self._record(book, rest, adopted=True)
            elif self._virgin:
                self._memory.announced.begin_empty(book)
        else:
            for block in blocks[len(known) :]:
                book.protocol.walls.setdefault(block.digest, min(event.mtime, event.stamp.wall))
            book.protocol.look_anew(event.stamp.wall)
            self._due = not stands or _open(book)

    def _stands(self, blocks: Sequence[Block]) -> bool:
        """Return whether blocks after an append are those that were recorded: only the last of them can differ."""
        count = len(self._digests)
        return not count or (count <= len(blocks) and blocks[count - 1].digest == self._digests[-1])

    def _work(self, book: Book) -> None:
        if self._writing or not self._begun or book.handoff_trouble is not None:
            return  # what can't be read now has not changed
        if self._due and not self._compare(book):
            return
        blocks, count = book.handoff.blocks, len(self._digests)
        handed = count if len(blocks) <= count else handed_on(blocks, self._rest_s(book, blocks[-1]))
        if handed > count:
            self._record(book, blocks[count:handed])

    def _rest_s(self, book: Book, last: Block) -> float:
        """Return for how long the last block stands as it is, observed seconds."""
        if self._last is None or self._last[0] != last.digest:
            self._last = (last.digest, book.stamp.now)
        return book.stamp.now - self._last[1]

    # recording

    def _record(self, book: Book, rows: Sequence[Block], *, adopted: bool = False) -> None:
        self._digests += [block.digest for block in rows]
        if len(rows) > BATCH:
            self._writing = True
            self._spawn(self._record_many(book, rows, adopted=adopted), "audit trail")
        else:
            self._store(book, rows, _texts(book.settings.handoff, rows), adopted=adopted)

    async def _record_many(self, book: Book, rows: Sequence[Block], *, adopted: bool) -> None:
        texts = await asyncio.to_thread(_texts, book.settings.handoff, rows)
        for start in range(0, len(rows), BATCH):
            self._store(book, rows[start : start + BATCH], texts[start : start + BATCH], adopted=adopted)
            await asyncio.sleep(PAUSE_S)
        self._writing = False
        self._work(book)

    def _store(self, book: Book, rows: Sequence[Block], texts: Sequence[str], *, adopted: bool) -> None:
        """Store blocks, each with the moment at which it was first seen."""
        walls, groups = book.protocol.walls, list[tuple[float, list[NewBlock]]]()
        for block, text in zip(rows, texts, strict=True):
            wall = book.stamp.wall if adopted else walls.setdefault(block.digest, book.stamp.wall)
            if not groups or groups[-1][0] != wall:
                groups.append((wall, []))
            groups[-1][1].append(_new(block, text))
        for wall, new in groups:
            self._memory.store(book, partial(self._memory.audit.add_blocks, new, wall, adopted=adopted))

    # comparing

    def _compare(self, book: Book) -> bool:
        """Compare the file with what was recorded and store what was done to it; return whether that is settled."""
        memory, blocks = self._memory, book.handoff.blocks
        if not memory.written:
            return False  # the ledger doesn't know all yet
        known = memory.ask(book, memory.audit.blocks)
        tampers = memory.ask(book, memory.audit.tampers)
        if known is None or tampers is None:
            return False
        digests = [block.digest for block in blocks]
        amiss = [tamper.id for tamper in tampers if not tamper.accepted]
        self._digests = digests[: len(known)]
        if amiss or [row.digest for row in known] != self._digests:
            archived = memory.ask(book, memory.audit.archived)
            if archived is None:
                return False
            # Told to the ledger, but not out of the file yet: a rotation that is under way, or was killed.
            moved = archived.difference(row.digest for row in known)
            rest = [block for block in blocks if block.digest not in moved]
            count = handed_on_again(known, tampers, [block.digest for block in rest]) if amiss else 0
            if count:
                end = rest[count - 1].index + 1
                self._mend(book, amiss[::-1], digests[:end])
                self.refresh(book)
            else:
                found = compare(known, rest)
                if self._may_come_back(book, len(found.vanished), len(known)):
                    return False
                end = self._settle(book, found, tampers, moved)
            self._digests = digests[:end]
        self._due, self._grace = False, None
        return True

    def _may_come_back(self, book: Book, gone: int, known: int) -> bool:
        if not gone or gone * 2 < known:
            return False
        if self._grace is None:
            self._grace = book.stamp.now
        return book.stamp.now - self._grace < GRACE_S

    def _settle(self, book: Book, found: Comparison, tampers: Sequence[Tamper], moved: Container[str]) -> int:
        """Store what was done to handed-on blocks; return how many of the file's blocks are handed on now.

        ``moved``: digests of archived blocks; whether the file still has them or not, nobody put them in.
        """
        blocks = book.handoff.blocks
        undo = Undo(tampers)
        standing = {block.index for _, block in found.kept}
        gone = list(found.vanished)
        mended = [one.id for one in tampers if one.before is None and one.after in moved and not one.accepted]
        done: list[_Done] = []
        for known, block in found.rewritten:
            undone = undo.rewritten(known.digest, block.digest)
            if not undone and (undo.waits_for(block.digest) or undo.was_put_in(known.digest)):
                gone.append(known)  # no rewrite: something goes again, or comes again
                continue
            standing.add(block.index)
            mended += undone
            if not undone:
                done.append(("rewritten", known, block))
                book.protocol.date(block.digest, None if known.adopted else known.wall)
                self.on_rewritten(book, known, block)
        away: set[str] = set()
        for known in gone:
            undone = undo.taken_out(known.digest)
            mended += undone
            if not undone:
                away.add(known.digest)
                done.append(("vanished", known, None))
        end = max(standing, default=-1) + 1
        for place, block in enumerate(blocks):
            if place in standing or block.digest in moved:
                continue
            undone = undo.put_back(block.digest)
            if place >= end and not undone and block.digest not in away:
                break  # from here on all are appended
            end = max(end, place + 1)
            mended += undone
            if not undone:
                done.append(("inserted", None, block))
        order = [block.digest for block in blocks[:end]]
        if mended:
            self._mend(book, mended, order)
        if done:
            self._tell_changes(book, done, order)
        self.refresh(book)
        return end

    def _mend(self, book: Book, tampers: Sequence[int], order: Sequence[str]) -> None:
        self._memory.store(book, partial(self._memory.audit.mend_all, tampers, order))
        _tell(book, f"handed-on blocks with their old text again: {len(tampers)}", ok=True)

    def _tell_changes(self, book: Book, done: Sequence[_Done], order: Sequence[str]) -> None:
        texts = _texts_by_index(book.settings.handoff, [block for _, _, block in done if block is not None])
        changes = [
            Change(kind, known.id if known else None, _new(block, texts[block.index]) if block else None)
            for kind, known, block in done
        ]
        self._memory.store(book, partial(self._memory.audit.change_blocks, changes, order, book.stamp.wall))
        _tell(book, f"handed-on blocks that were changed: {len(done)}", ok=False)


def _open(book: Book) -> bool:
    proof = book.protocol.proof
    return proof is not None and any(not tamper.accepted for tamper in proof.tampers)


def _new(block: Block, text: str) -> NewBlock:
    heading = clean_line(text.partition("\n")[0]) if text else f"[{block.role}]"
    return NewBlock(digest=block.digest, role=block.role, task=block.task, heading=heading, text=text)


def _texts_by_index(path: Path, blocks: Sequence[Block]) -> dict[int, str]:
    return dict(zip((block.index for block in blocks), _texts(path, blocks), strict=True))


def _texts(path: Path, blocks: Sequence[Block]) -> list[str]:
    """Return the blocks' texts; an empty one where the file no longer has it: its digest is kept all the same."""
    if not blocks:
        return []
    first = min(block.start for block in blocks)
    try:
        with path.open("rb") as file:
            file.seek(first)
            data = file.read(max(block.end for block in blocks) - first)
    except OSError:
        return [""] * len(blocks)
    texts = []
    for block in blocks:
        raw = data[block.start - first : block.end - first].rstrip()
        texts.append(raw.decode("utf-8", "replace") if digest_of(raw) == block.digest else "")
    return texts


def _tell(book: Book, text: str, *, ok: bool) -> None:
    book.note(LogLine(book.stamp.wall, "source", text, ok=ok))
