"""The handoff file as values, read whole or, after an append, in proportion to what was appended."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from teamops.handoff.blocks import Context, Piece, read_block
from teamops.handoff.headings import BlockHeading, read_heading
from teamops.handoff.problems import problem, standing
from teamops.handoff.scan import Heading, Unclosed, normalized, scan
from teamops.model.handoff import Block, Handoff, Problem
from teamops.model.role import AGENT_ROLES, HUMAN, Role

ROLES: tuple[Role, ...] = (*AGENT_ROLES, HUMAN)
"""The roles known where a team names none."""

Read = Callable[[int, int], bytes]
"""Returns the file's bytes from one offset to another; fewer, if the file is shorter now."""

_BOM = b"\xef\xbb\xbf"
_BEFORE = 256
"""So many bytes before the last block are guarded with it."""
_CHUNK = 1 << 20
_PROMISING = re.compile(rb"\[|[0-9]{4}-[0-9]")
"""Other headings are not looked at: they can't be a block's, nor nearly."""
_SWALLOWED = re.compile(rb"\n {0,3}###[ \t]+\[")


def parse(data: bytes, roles: Collection[Role] = ROLES) -> Handoff:
    """Return the blocks and problems of a whole file. Never raises, whatever the bytes."""
    document = Document(roles)
    document.load(len(data), lambda start, end: data[start:end])
    return document.handoff


class Document:
    """A handoff file that is read again and again while it grows.

    The last block is read anew each time, with what was appended; all before it stands. ``handoff`` is at every moment
    what ``parse`` would return for the bytes last seen; but an edit before the last block that comes together with an
    append is seen by ``verify`` alone.
    """

    def __init__(self, roles: Collection[Role] = ROLES) -> None:
        self._roles = frozenset(roles)
        self._handoff = Handoff()
        self._reset()

    def _reset(self) -> None:
        self._blocks: tuple[Block, ...] = ()
        """Those that stand for good."""
        self._problems: tuple[Problem, ...] = ()
        self._context = Context()
        """After those blocks."""
        self._start = 0
        """From this byte on, a line's start, everything is read anew."""
        self._line = 1
        """Line of that byte."""
        self._prefix = hashlib.sha256()
        """Of all bytes before ``_start``."""
        self._guard = _hash(b"")
        """Of those from a little before ``_start`` on."""

    @property
    def handoff(self) -> Handoff:
        """What was read last."""
        return self._handoff

    @property
    def size(self) -> int:
        """Bytes read last."""
        return self._handoff.size

    def pending(self, size: int) -> int:
        """Return how many bytes ``append`` would read, were the file ``size`` bytes long now."""
        return max(0, size - self._start + self._before)

    @property
    def _before(self) -> int:
        return min(self._start, _BEFORE)

    def update(self, size: int, read: Read) -> bool:
        """Read the file, ``size`` bytes long now, the cheap way if it only grew; return whether that was so.

        Raises nothing but what ``read`` raises; then ``handoff`` is as before.
        """
        if self.append(size, read):
            return True
        self.load(size, read)
        return False

    def append(self, size: int, read: Read) -> bool:
        """Read on if the file only grew; return whether it did. Nothing has changed if not."""
        if size <= self.size:
            return False
        before = self._before
        data = read(self._start - before, size)
        if len(data) != size - self._start + before:
            return False
        if _hash(data[: before + self.size - self._start]) != self._guard:
            return False
        self._read(data, before)
        return True

    def load(self, size: int, read: Read) -> None:
        """Read the whole file."""
        data = read(0, size)
        self._reset()
        self._read(data, 0)

    def verify(self, read: Read) -> bool:
        """Return whether the bytes read so far are still those of the file. Costs a read of all of them."""
        found = hashlib.sha256()
        for at in range(0, self._start, _CHUNK):
            found.update(read(at, min(at + _CHUNK, self._start)))
        guarded = read(self._start - self._before, self.size)
        return found.digest() == self._prefix.digest() and _hash(guarded) == self._guard

    def _read(self, seen: bytes, before: int) -> None:
        """Read what ``seen`` holds after its first ``before`` bytes: the file from ``_start`` on."""
        data = seen[before:]
        base, first_line = self._start, self._line
        text = normalized(data)
        parts = self._parts(text, first_line)

        # All but the last stand for good; but the last but one doesn't while the last one's heading line may grow.
        settled = len(parts) - 1
        if settled and parts[-1].headings[0].end == len(text):
            settled -= 1
        context, blocks, problems = self._context, list[Block](), list[Problem]()
        for number, part in enumerate(parts):
            if number == settled:
                self._settle(data, part, blocks, problems)
                context, blocks, problems = self._context.copy(), [], []
            self._read_part(part, data, base, context, blocks, problems)
        self._guard = _hash(seen[self._start - self._before - base + before :])
        self._handoff = Handoff(
            blocks=self._blocks + tuple(blocks),
            problems=self._problems + tuple(problems),
            size=base + len(data),
            lines=parts[-1].end_line,
        )

    def _settle(self, data: bytes, part: _Part, blocks: list[Block], problems: list[Problem]) -> None:
        """Keep what was read before ``part`` for good, and begin with it the next time."""
        self._blocks += tuple(blocks)
        self._problems += tuple(problems)
        self._prefix.update(data[: part.start])
        self._start += part.start
        self._line = part.line

    def _parts(self, text: bytes, first_line: int) -> list[_Part]:
        """Cut the text before each block's heading. The first part may be what stands before any block."""
        skip = len(_BOM) if self._start == 0 and text.startswith(_BOM) else 0
        found = scan(text[skip:])
        part = _Part(text, 0, first_line)
        parts = [part]
        line, at = first_line, 0
        for one in found.headings:
            heading = Heading(one.start + skip, one.end + skip, one.level) if skip else one
            line += text.count(b"\n", at, heading.start)
            at = heading.start
            opened: BlockHeading | Problem | None = None
            if _PROMISING.search(text, heading.start, heading.end):
                written = text[heading.start : heading.end].decode("utf-8", "replace")
                opened = read_heading(written, heading.level, line, self._roles)
            if isinstance(opened, BlockHeading):
                if heading.start == skip:
                    parts.pop()
                part.end, part.end_line = heading.start, line - 1
                part = _Part(text, heading.start, line, opened)
                parts.append(part)
            elif opened is not None:
                part.problems.append(opened)
            if heading.level > 0:
                part.headings.append(heading)
        rest = text.count(b"\n", at)
        part.end, part.end_line = len(text), line + rest - (1 if not text or text.endswith(b"\n") else 0)
        part.last = True
        if found.unclosed:
            start = found.unclosed.start + skip
            said = Unclosed(start, found.unclosed.comment)
            part.problems.append(_say_unclosed(text, said, first_line + text.count(b"\n", 0, start)))
        return parts

    def _read_part(
        self, part: _Part, data: bytes, base: int, context: Context, blocks: list[Block], problems: list[Problem]
    ) -> None:
        raw = data[part.start : part.end]
        found = part.problems
        if part.opened is not None:
            block, more = read_block(part.piece(base, raw), part.opened, context, self._roles)
            blocks.append(block)
            found = found + more
        found = [*found, *(said for said in (_say_not_utf8(raw, part), _say_nul(raw, part)) if said)]
        if part.opened is not None and not part.last:
            found = [standing(one) for one in found]
        problems += sorted(found, key=lambda one: (one.line, one.column))


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


@dataclass(slots=True)
class _Part:
    """A block's bytes, or those before any block."""

    text: bytes
    start: int
    line: int
    opened: BlockHeading | None = None
    end: int = 0
    end_line: int = 0
    headings: list[Heading] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    last: bool = False

    def piece(self, base: int, raw: bytes) -> Piece:
        """Return the part as a block's."""
        return Piece(
            text=self.text,
            base=base,
            raw=raw,
            start=self.start,
            end=self.end,
            line=self.line,
            end_line=self.end_line,
            headings=self.headings,
            last=self.last,
        )


def _say_unclosed(text: bytes, unclosed: Unclosed, line: int) -> Problem:
    swallowed = len(_SWALLOWED.findall(text, unclosed.start))
    count = f"{swallowed} block headings below are" if swallowed > 1 else "a block heading below is"
    meant = f"; {count} read as part of it" if swallowed else ""
    if unclosed.comment:
        return problem(
            line, 1, "unclosed-comment", f"an HTML block opened here is never closed{meant}", "close a comment with -->"
        )
    return problem(
        line, 1, "unclosed-fence", f"a fence opened here is never closed{meant}", "close it with the same characters"
    )


def _say_not_utf8(raw: bytes, part: _Part) -> Problem | None:
    if raw.isascii():
        return None
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if part.last and error.end == len(raw) and error.reason == "unexpected end of data":
            return None  # the rest of the character is still to be written
        return problem(
            *_place(raw, error.start, part.line),
            "not-utf8",
            f"byte 0x{raw[error.start]:02X} is no UTF-8 here",
            "save the file as UTF-8",
        )
    return None


def _say_nul(raw: bytes, part: _Part) -> Problem | None:
    at = raw.find(b"\0")
    if at < 0:
        return None
    count = raw.count(b"\0")
    return problem(
        *_place(raw, at, part.line),
        "nul-bytes",
        f"{count} zero byte{'s' * (count > 1)} from here on",
        "take them out, or save the file as UTF-8",
    )


def _place(raw: bytes, at: int, first_line: int) -> tuple[int, int]:
    """Return line and column of the byte at ``at``; ``raw`` begins with line ``first_line``."""
    text = normalized(raw[:at])
    begin = text.rfind(b"\n") + 1
    return first_line + text.count(b"\n"), len(text[begin:].decode("utf-8", "replace")) + 1
