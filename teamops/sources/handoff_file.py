"""The handoff file as a source: it tells the file's new truth shortly after each change."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Collection
from pathlib import Path

from msgspec import Struct

from teamops.handoff import ROLES, Document
from teamops.model.events import HandoffChanged, HandoffLost, SourceTroubled
from teamops.model.role import Role
from teamops.sources.clock import Clock
from teamops.sources.keeping import keep
from teamops.sources.pace import until_next
from teamops.sources.port import Emit
from teamops.sources.watch import Watch

QUIET_S = 0.15
"""The file is read after so much quiet. Source: torn reads, 30 % at once and none after 150 ms."""
LONGEST_S = 1.0
"""… and while writes go on, so long after the first of them."""
CHECK_S = 1.0
"""The file's facts are compared so often, for file systems that tell nothing."""
VERIFY_S = 30.0
"""What was read before the last block is compared with the file at most so often, when it has grown since."""
INLINE = 131_072
"""Most bytes read in the loop itself (about 5 ms); more are read in a thread."""

_Facts = tuple[int, int, int, int]


class _Trouble(Struct, frozen=True):
    reason: str
    hint: str


class HandoffFile:
    """Emits ``HandoffChanged`` when the file has changed, ``HandoffLost`` when it can't be read."""

    name = "handoff"

    def __init__(
        self, path: Path, watch: Watch, clock: Clock, roles: Collection[Role] = (), *, verify_s: float = VERIFY_S
    ) -> None:
        self._path = path
        self._watch = watch
        self._clock = clock
        self._document = Document({*ROLES, *roles})
        self._verify_s = verify_s
        self._touched = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._aims: dict[Path, Callable[[], None]] = {}
        self._facts: _Facts | None = None
        """Device, inode, size and change time of what was read."""
        self._lost: _Trouble | None = None
        self._told = False
        self._grown = False
        """Appended to since it was last compared as a whole."""
        self._verified = 0.0
        self._trouble = ""

    async def start(self, emit: Emit) -> None:
        """Read the file once and go on watching it."""
        self._aim()
        await self._read(emit)
        self._task = asyncio.create_task(
            keep(self.name, lambda: self._run(emit), emit, self._clock), name="handoff file"
        )

    async def stop(self) -> None:
        """End."""
        for cancel in self._aims.values():
            cancel()
        self._aims.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _aim(self) -> None:
        """Watch the file's folder and, where the file is a link, that of what it points to."""
        folders = {self._path.parent, Path(os.path.realpath(self._path)).parent}
        for gone in self._aims.keys() - folders:
            self._aims.pop(gone)()
        for folder in folders - self._aims.keys():
            self._aims[folder] = self._watch.directory(folder, self._changed)

    def _changed(self, names: frozenset[str]) -> None:
        if not names or self._path.name in names or os.path.basename(os.path.realpath(self._path)) in names:  # noqa: PTH119 - of a path that may point nowhere
            self._touched.set()

    async def _run(self, emit: Emit) -> None:
        while True:
            if await self._touch_within(until_next(CHECK_S)) or self._look() != self._facts:
                await self._settle()
                await self._read(emit)
            elif self._grown and asyncio.get_running_loop().time() - self._verified >= self._verify_s:
                await self._verify(emit)
            self._say_trouble(emit)

    async def _settle(self) -> None:
        """Wait until nothing has changed for the quiet time."""
        loop = asyncio.get_running_loop()
        latest = loop.time() + LONGEST_S
        while await self._touch_within(min(QUIET_S, latest - loop.time())):
            pass

    async def _touch_within(self, seconds: float) -> bool:
        if seconds <= 0:
            return False
        self._touched.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._touched.wait()
        except TimeoutError:
            return False
        return True

    def _look(self) -> _Facts | None:
        try:
            return _facts(os.stat(self._path))  # noqa: PTH116 - like fstat below
        except OSError:
            return None

    async def _read(self, emit: Emit) -> None:
        self._aim()
        seen = self._look()
        document = self._document
        same_file = seen is not None and self._facts is not None and seen[:2] == self._facts[:2]
        small = seen is not None and document.pending(seen[2]) <= INLINE
        try:
            if same_file and small and seen is not None and seen[2] > document.size:
                changed = self._take(trusting=True) or await asyncio.to_thread(self._take, trusting=False)
            else:
                changed = await asyncio.to_thread(self._take, trusting=False)
        except OSError as error:
            self._lose(emit, _explain(error, self._path))
            return
        if changed is None and self._lost and self._facts is not None:
            changed = HandoffChanged(
                self._clock.stamp(), document.handoff, self._facts[3] / 1e9, appended=True, facts=self._facts
            )
        self._lost = None
        if changed is not None:
            self._told = True
            emit(changed)

    def _take(self, *, trusting: bool) -> HandoffChanged | None:
        """Read what is new. Return the event, or ``None`` if nothing is, or (``trusting``) if all must be read again.

        Trusting, the bytes before the last block are taken to be those of before.
        """
        document = self._document
        # Not blocking: a FIFO of that name would hold the reader for ever.
        file = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise IsADirectoryError(f"{self._path} is no regular file")

            def read(start: int, end: int) -> bytes:
                return os.pread(file, max(0, end - start), start)

            if trusting:
                if not document.append(status.st_size, read):
                    return None
                appended, self._grown = True, True
            else:
                stands = self._told and document.size <= status.st_size and document.verify(read)
                if stands and document.size == status.st_size:
                    self._facts = _facts(status)
                    self._grown = False
                    return None
                appended = stands and document.append(status.st_size, read)
                if not appended:
                    document.load(status.st_size, read)
                self._grown = False
        finally:
            os.close(file)
        self._facts = _facts(status)
        return HandoffChanged(
            self._clock.stamp(), document.handoff, status.st_mtime, appended=appended, facts=self._facts
        )

    async def _verify(self, emit: Emit) -> None:
        """Compare the whole file with what was read: an edit may have come together with an append."""
        self._verified = asyncio.get_running_loop().time()
        await self._read(emit)

    def _lose(self, emit: Emit, trouble: _Trouble) -> None:
        self._facts = None
        if trouble != self._lost:
            self._lost = trouble
            emit(HandoffLost(self._clock.stamp(), trouble.reason, trouble.hint))

    def _say_trouble(self, emit: Emit) -> None:
        if self._watch.trouble != self._trouble:
            self._trouble = self._watch.trouble
            emit(SourceTroubled(self._clock.stamp(), "watch", self._trouble, "changes show up to a second later"))


def _facts(status: os.stat_result) -> _Facts:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _explain(error: OSError, path: Path) -> _Trouble:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return _Trouble(f"there is no {path.name}", f"the first block makes it: {path}")
        case PermissionError():
            return _Trouble(f"{path.name} can't be read: permission denied", f"run: chmod u+r {path}")
        case IsADirectoryError():
            return _Trouble(f"{path.name} is no regular file", f"move it away: {path}")
        case _:
            return _Trouble(f"{path.name} can't be read: {error.strerror or error}", f"look at {path}")
