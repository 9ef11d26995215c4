"""Old rows of the ledger are cleared away in the background, by the supervisor that acts."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from teamops.ledger.connection import LedgerError
from teamops.model.events import Event, SourceTroubled, Ticked, UsageSeen

if TYPE_CHECKING:
    from teamops.ledger.sweeping import Sweep
    from teamops.supervisor.core import Core

NAME = "retention"
QUIET_S = 60.0
"""So long nothing was to be caught up with before a sweep: by then every supervisor has counted what came."""
COUNTED_S = 10.0
"""A supervisor looks for new rows each second; one that did not run for longer counts all of them anew."""
EVERY_S = 3600.0
AGAIN_S = 60.0
"""So long after a sweep that could not be finished, the next one goes on with it."""
LOOK_S = 1.0
REST = 4
"""After each transaction a sweep rests for so many times as long as that took, and ``LEAST_REST_S`` at least."""
LEAST_REST_S = 0.02
MOST_FAILURES = 5
"""So many sweeps in a row that are not finished are worth an alert: whoever writes more comes first."""


class Retaining:
    """Sweeps once an hour, and after midnight. Belongs to the supervisor's loop; the work is done in a thread."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._failures = 0
        self._disturbed = core.book.stamp.now
        """When teamops last began, or went on after it did not run, or read of times before, observed seconds."""
        self._due = 0.0
        """Observed seconds."""
        self._midnight = core.book.midnight
        self._noted = 0.0
        self._newest: int | None = None
        """The newest row of single responses as of ``_noted``, observed seconds."""
        self._counted: int | None = None
        """… and at least ``COUNTED_S`` before: every supervisor has counted it, or looks at all rows anew."""

    def see(self, event: Event) -> None:
        """Take an event."""
        match event:
            case Ticked(gap_s=gap) if gap:
                self._disturbed = event.stamp.now
            case UsageSeen(live=False):
                self._disturbed = event.stamp.now

    @property
    def quiet_s(self) -> float:
        """So long, observed seconds, nothing was to be caught up with; 0 while something is."""
        if not self._core.settled() or not self._core.memory.written:
            return 0.0
        return self._core.book.stamp.now - self._disturbed

    async def run(self) -> None:
        """Sweep whenever it is time, until cancelled; a viewer never does."""
        while self._core.book.supervisor.acting:
            await asyncio.sleep(LOOK_S)
            book, quiet = self._core.book, self.quiet_s
            if book.midnight != self._midnight:
                self._midnight, self._due = book.midnight, 0.0
            if not quiet:
                self._counted = self._newest = None
            elif book.stamp.now - self._noted >= COUNTED_S:
                self._note(book.stamp.now)
            if quiet >= QUIET_S and book.stamp.now >= self._due and self._counted is not None:
                await self.sweep()

    def _note(self, now: float) -> None:
        mark = self._core.memory.ask(self._core.book, self._core.memory.spent.mark)
        if mark is not None:
            self._noted, self._counted, self._newest = now, self._newest, mark[0]

    async def sweep(self) -> Sweep:
        """Sweep once, as far as it comes; return what was done."""
        from teamops.ledger.sweeping import Sweep
        from teamops.sources.old_beats import clear

        core = self._core
        sweep = Sweep(core.memory.path, core.book.settings.retention, core.book.stamp.wall, self._counted or 0)
        steps = sweep.steps()
        loop = asyncio.get_running_loop()
        with_one_thread = ThreadPoolExecutor(1, thread_name_prefix="retention")  # a connection belongs to its thread
        try:
            while (took := await loop.run_in_executor(with_one_thread, next, steps, None)) is not None:
                await asyncio.sleep(max(LEAST_REST_S, REST * took))
                if not self.quiet_s:
                    return sweep
            if sweep.raw_before is not None:
                old = partial(clear, core.book.settings.spool, sweep.positions, sweep.raw_before)
                await loop.run_in_executor(with_one_thread, old)
        except LedgerError as error:
            self._failed(error.message, error.hint)
        except OSError as error:
            self._failed(f"the spool: {error.strerror}", "mend the rights of .teamops/spool")
        else:
            self._due = core.book.stamp.now + EVERY_S
            if self._failures >= MOST_FAILURES:
                self._say("", "")
            self._failures = 0
        finally:
            with_one_thread.submit(steps.close)
            with_one_thread.shutdown(wait=False)
        return sweep

    def _failed(self, message: str, hint: str) -> None:
        self._failures += 1
        self._due = self._core.book.stamp.now + AGAIN_S
        if self._failures == MOST_FAILURES:
            self._say(f"old rows are not cleared away: {message}", hint)

    def _say(self, message: str, hint: str) -> None:
        self._core.emit(SourceTroubled(self._core.stamp(), NAME, message, hint))
