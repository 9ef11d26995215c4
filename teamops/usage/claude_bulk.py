"""Claude Code's transcripts by the gigabyte: the rules of ``usage.claude``, without a line being held or copied.

What makes it quick: one buffer is used again and again, lines are found in it where they lie, most bytes (results of
tools) are passed over after a look at a line's head, and a response becomes one tuple. A test holds it to
``ClaudeReader``.
"""

from __future__ import annotations

import os
from io import FileIO

from teamops.model.usage_log import GUARD, MAIN, LogFile, LogRead, LogRow
from teamops.usage.claude import (
    CLIENT,
    HEAD,
    PROGRESS,
    SPACED_USER,
    SYNTHETIC,
    USAGE,
    USER,
    Line,
    decode,
    key_of,
    session_of,
    wrapped,
)  # fmt: skip
from teamops.usage.fields import MALFORMED, cost_of, is_cut, name, wall_of

MAX_LINE = 32 << 20
"""A longer line is skipped; its head says whether it could have held usage."""
_BLOCK = 1 << 20
_USUAL = (None, "", "standard")
"""Speeds that are none of their own."""
_OPEN, _CLOSE = b"{}"


class ClaudeBulk:
    """Reads files one after the other with one buffer. For one thread."""

    def __init__(self, block: int = _BLOCK, max_line: int = MAX_LINE) -> None:
        self._buffer = bytearray(block)
        self._max_line = max_line

    def read(self, path: str, known: LogFile | None) -> LogRead:
        """Return what the file at ``path`` holds beyond what is ``known``; all, where its content is another by now.

        Raises ``OSError`` where it can't be read.
        """
        with FileIO(path) as file:
            status = os.fstat(file.fileno())
            if known is not None and not continues(file, status, known):
                known = None
            lines = _Lines(path, session_of(path))
            end = self._lines(file, known.offset if known else 0, lines)
            guard = guard_at(file, end)
        bad = lines.bad + (known.bad_lines if known else 0)
        return LogRead(
            LogFile(CLIENT, path, status.st_dev, status.st_ino, end, status.st_size, status.st_mtime_ns, guard, bad),
            known is None,
            tuple(lines.rows.values()),
            ((lines.session, lines.cwd),) if lines.cwd else (),
        )

    def _lines(self, file: FileIO, start: int, lines: _Lines) -> int:
        """Feed all complete lines from ``start`` on; return where the last of them ends."""
        buffer = self._buffer
        file.seek(start)
        at, held = start, 0
        ended = start
        """Where the last complete line ends."""
        long = bad = False
        """The buffer lies in a line that is too long, of which the head was judged."""
        while True:
            with memoryview(buffer) as view, view[held:] as free:
                got = file.readinto(free)
            if not got:
                return ended
            end = held + got
            begin = 0
            if long:
                begin = buffer.find(b"\n", held, end) + 1
                if not begin:
                    at, held = at + end, 0
                    continue
                lines.bad += bad
                long = False
            begin = lines.feed(buffer, begin, end, at)
            if begin:
                ended = at + begin
            at += begin
            held = end - begin
            if held < len(buffer):
                buffer[:held] = buffer[begin:end]
            elif held < self._max_line:
                buffer += bytes(held)
                self._buffer = buffer
            else:
                long, bad = True, not _is_users(buffer)
                at, held = at + held, 0


class _Lines:
    """The lines of one file, and what was found in them."""

    def __init__(self, path: str, session: str) -> None:
        self.path = path
        self.session = session
        self.rows: dict[str, LogRow] = {}
        self.bad = 0
        self.cwd = ""

    def feed(self, buffer: bytearray, begin: int, end: int, at: int) -> int:
        """Take the complete lines of a part of ``buffer``; return where the first incomplete one begins.

        ``at``: where in the file the buffer begins.
        """
        find, rfind = buffer.find, buffer.rfind
        with memoryview(buffer) as view:
            while (stop := find(b"\n", begin, end)) >= 0:
                # A hit past the line's end is another line's.
                if (
                    begin <= find(USER, begin, begin + HEAD) < stop
                    or rfind(USAGE, begin, stop) < 0
                    or begin <= find(SPACED_USER, begin, begin + HEAD) < stop
                ):
                    # Not decoded, which would cost too much; but what was cut or mixed up shows at its ends.
                    if begin < stop and (buffer[begin] != _OPEN or buffer[stop - 1] != _CLOSE):
                        self.bad += is_cut(bytes(view[begin:stop]))
                else:
                    try:
                        row = decode(view[begin:stop])
                        if row.type == PROGRESS:
                            row = wrapped(row, bytes(view[begin:stop]))
                    except MALFORMED:
                        self.bad += 1
                    else:
                        self._take(row, at + begin)
                begin = stop + 1
        return begin

    def _take(self, row: Line, place: int) -> None:
        message, at = row.message, row.timestamp
        if row.type not in ("assistant", "") or message is None or at is None:
            return
        used = message.usage
        if used is None or row.isApiErrorMessage or not message.model or message.model == SYNTHETIC:
            return
        split = used.cache_creation
        write, hour = used.cache_creation_input_tokens or 0, 0
        if split is not None:
            hour = split.ephemeral_1h_input_tokens
            # Some endpoints give zeros for the split, some for the sum.
            write = max(write, split.ephemeral_5m_input_tokens + hour)
        read = used.cache_read_input_tokens or 0
        speed = used.speed
        rank = used.input_tokens + used.output_tokens + write + read
        if not row.isSidechain:
            rank |= MAIN
        said = name(row.sessionId) if row.sessionId else self.session
        key = key_of(message.id, row.requestId, at, said) or f"{self.path}:{place}"
        old = self.rows.get(key)
        if old is not None and old[-2] > rank:
            return
        # What it costs, as all of Claude's models bill it: in twentieths of an input token's price; then its speed.
        weight = 20 * used.input_tokens + 100 * used.output_tokens + 25 * (write - hour) + 40 * hour + 2 * read
        weight = weight << 1 | (speed not in _USUAL)
        if old is not None and old[-2] == rank and old[-1] >= weight:
            return
        if not self.cwd and row.cwd:
            self.cwd = name(row.cwd)
        cost = cost_of(row.costUSD, free=True)
        self.rows[key] = (
            key,
            bool(message.id) and not row.requestId,
            wall_of(at),
            name(message.model),
            self.session,
            said,
            "" if speed is None or speed in _USUAL else name(speed),
            name(used.service_tier or ""),
            used.input_tokens,
            used.output_tokens,
            write,
            hour,
            read,
            "" if cost is None else str(cost),
            rank,
            weight,
        )


def _is_users(line: bytearray) -> bool:
    return USER in line[:HEAD] or SPACED_USER in line[:HEAD]


def continues(file: FileIO, status: os.stat_result, known: LogFile) -> bool:
    """Return whether what is known of a file is still how it begins."""
    return (
        (status.st_dev, status.st_ino) == (known.device, known.inode)
        and status.st_size >= known.offset
        and guard_at(file, known.offset) == known.guard
    )


def guard_at(file: FileIO, end: int) -> bytes:
    """Return the bytes by which what lies before ``end`` is known again."""
    return os.pread(file.fileno(), min(GUARD, end), 0) + os.pread(file.fileno(), min(GUARD, end), max(0, end - GUARD))
