"""Reads what is new in all clients' logs into the usage ledger, in a process of its own: the screen never waits for it.

    python -m teamops.sources.usage_worker LEDGER PARENT_PID

It ends with its parent. Killed at any moment, the next one goes on: how far a log was read is stored with what it gave.
Prints JSON lines: ``{"waits": true}`` where another scan runs, ``{"bytes", "of"}`` as it goes, at the end ``{"done"}``
with what could not be read, or ``{"error", "hint"}`` and exit status 1.
"""

from __future__ import annotations

import errno
import fcntl
import gc
import json
import marshal
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from teamops.ledger.usage_store import UsageStore
from teamops.model.errors import TeamopsError
from teamops.model.usage_log import LogFile, LogRead
from teamops.usage.claude import CLIENT as CLAUDE
from teamops.usage.claude_bulk import ClaudeBulk
from teamops.usage.scan import Found, Work, find, plan

SPLIT = 32 << 20
"""More bytes than this are read by two processes."""
PIECE = 16 << 20
"""Bytes that are read before what they gave is sent on."""
ENOUGH = 12_000
"""Responses that are stored in one transaction: more, and a kill loses more; fewer, and pages are written again."""
WAIT_S = 0.05
"""How often a scan that waits for another looks whether it may begin."""
_LENGTH = struct.Struct("<I")


class _Orphaned(Exception):  # noqa: N818 - it says what happened to this process
    """The process that wanted to know has gone."""


class Worker:
    """One scan. ``parent``: the process for which it is."""

    def __init__(self, ledger: Path, parent: int, env: Mapping[str, str]) -> None:
        self._ledger = ledger
        self._parent = parent
        self._env = env
        self._done = 0
        self._of = 0
        self._troubles: list[str] = []
        self._waiting: list[LogRead] = []
        """Read and not stored yet."""

    def run(self) -> None:
        """Read all that is new. Raises ``TeamopsError`` where the ledger can't be used."""
        found = list(find(self._env))
        # Opened again after the forks: a connection must not be in two processes.
        store = UsageStore(self._ledger)
        lock = self._lock()
        try:
            work = plan(found, store.files())
        finally:
            store.close()
        self._of = _size(work)
        say(bytes=0, of=self._of, files=len(work))
        transcripts = [one for one in work if one.found.client == CLAUDE]
        others = [one for one in work if one.found.client != CLAUDE]
        readers = self._readers(transcripts)
        store = UsageStore(self._ledger)
        try:
            left = self._store_from(store, transcripts, readers)
            for piece in _pieces(left):
                self._store(store, _size(piece), *read_transcripts(piece, self._check))
            self._read_others(store, others, found)
            self._flush(store)
        finally:
            store.close()
            os.close(lock)
        say(done=True, bytes=self._done, files=len(work), troubles=self._troubles)

    def _lock(self) -> int:
        """Wait until no other process scans; the kernel gives the lock back with the process."""
        lock = os.open(self._ledger.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        said = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            else:
                return lock
            if not said:
                say(waits=True)
                said = True
            self._check()
            time.sleep(WAIT_S)

    def _check(self) -> None:
        """Raise ``_Orphaned`` where nobody wants to know any more."""
        if os.getppid() != self._parent:
            raise _Orphaned

    # transcripts

    def _readers(self, work: Sequence[Work]) -> list[_Reader]:
        """Start the processes that read, where there is enough for them."""
        if _size(work) < SPLIT or (os.cpu_count() or 1) < 2:
            return []
        shares: tuple[list[Work], list[Work]] = ([], [])
        # The large ones first and in turn: both end at about the same time.
        for place, one in enumerate(sorted(work, key=lambda one: -one.size)):
            shares[place % 4 in (1, 2)].append(one)
        return [_Reader(share) for share in shares]

    def _store_from(self, store: UsageStore, work: Sequence[Work], readers: list[_Reader]) -> list[Work]:
        """Store what the readers send; return what they did not tell of, as one may be killed."""
        told: set[str] = set()
        sizes = {one.found.path: one.size for one in work}
        open_ = {reader.pipe: reader for reader in readers}
        while open_:
            self._check()
            for pipe in select.select(list(open_), [], [], 1.0)[0]:
                message = open_[pipe].receive()
                if message is None:
                    open_.pop(pipe).end()
                    continue
                paths, reads, troubles = message
                told.update(paths)
                self._store(store, sum(sizes[path] for path in paths), reads, troubles)
        return [one for one in work if one.found.path not in told]

    def _store(self, store: UsageStore, size: int, reads: list[LogRead], troubles: list[str]) -> None:
        self._waiting += reads
        if sum(len(read.rows) for read in self._waiting) >= ENOUGH:
            self._flush(store)
        self._troubles += troubles
        self._done += size
        say(bytes=self._done, of=self._of)

    def _flush(self, store: UsageStore) -> None:
        store.save(self._waiting)
        self._waiting.clear()

    # all others

    def _read_others(self, store: UsageStore, work: Sequence[Work], found: Sequence[Found]) -> None:
        if not work:
            return
        from teamops.usage.client_logs import read_changed
        from teamops.usage.clients import CLIENTS

        for client in CLIENTS.values():
            self._check()
            own = [one for one in work if one.found.client == client.name]
            if own:
                troubles: list[str] = []
                paths = [one.path for one in found if one.client == client.name]
                self._store(store, _size(own), read_changed(client, own, paths, troubles), troubles)


class _Reader:
    """A process that reads some transcripts and sends what they hold. It ends with the worker."""

    def __init__(self, work: Sequence[Work]) -> None:
        self.pipe, writing = os.pipe()
        worker = os.getpid()
        self._pid = os.fork()
        if not self._pid:
            status = 1
            try:
                os.close(self.pipe)
                _send_all(writing, work, worker)
                status = 0
            except (_Orphaned, BrokenPipeError):
                status = 0
            finally:
                # Nothing that belongs to the worker may be ended here: no buffer, no handler.
                os._exit(status)
        os.close(writing)

    def receive(self) -> tuple[list[str], list[LogRead], list[str]] | None:
        """Return the next message, ``None`` at the end."""
        head = self._exactly(_LENGTH.size)
        body = self._exactly(_LENGTH.unpack(head)[0]) if head else b""
        if not body:
            return None
        paths, told, troubles = marshal.loads(body)  # noqa: S302 - from our own fork
        return paths, [LogRead(LogFile(*values), *rest) for values, *rest in told], troubles

    def _exactly(self, size: int) -> bytes:
        """Return ``size`` bytes, or nothing where the sender ended before."""
        parts = []
        while size:
            part = os.read(self.pipe, size)
            if not part:
                return b""
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def end(self) -> None:
        """Take its end."""
        os.close(self.pipe)
        os.waitpid(self._pid, 0)


def _send_all(pipe: int, work: Sequence[Work], worker: int) -> None:
    def check() -> None:
        if os.getppid() != worker:
            raise _Orphaned

    with open(pipe, "wb", buffering=0) as stream:
        for piece in _pieces(work):
            reads, troubles = read_transcripts(piece, check)
            told = [(_values(read.file), read.anew, read.rows, read.cwds) for read in reads]
            # Nothing but plain values, between two processes of one program: the quickest way there is.
            body = marshal.dumps(([one.found.path for one in piece], told, troubles))
            view = memoryview(_LENGTH.pack(len(body)) + body)
            while view:
                view = view[stream.write(view) :]


def _values(file: LogFile) -> tuple[object, ...]:
    return (
        file.client, file.path, file.device, file.inode, file.offset, file.size, file.mtime_ns, file.guard,
        file.bad_lines,
    )  # fmt: skip


def read_transcripts(work: Sequence[Work], check: Any) -> tuple[list[LogRead], list[str]]:
    """Return what some transcripts hold, and what is to be said of those that can't be read."""
    bulk = ClaudeBulk()
    reads, troubles = [], []
    for one in work:
        check()
        try:
            reads.append(bulk.read(one.found.path, one.known))
        except FileNotFoundError:
            continue  # removed since it was found
        except OSError as error:
            troubles.append(f"{one.found.path}: {error.strerror or error}")
    return reads, troubles


def _size(work: Iterable[Work]) -> int:
    return sum(one.size for one in work)


def _pieces(work: Sequence[Work]) -> Iterator[list[Work]]:
    piece: list[Work] = []
    size = 0
    for one in work:
        piece.append(one)
        size += one.size
        if size >= PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def say(**words: Any) -> None:
    """Tell the parent."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Scan, as the module says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a person's Ctrl-C is the parent's to answer
    gc.disable()  # nothing here makes cycles, and there is much to walk over
    try:
        Worker(Path(arguments[0]), int(arguments[1]), os.environ).run()
    except (_Orphaned, BrokenPipeError):
        return 0
    except TeamopsError as error:
        say(error=error.message, hint=error.hint)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
