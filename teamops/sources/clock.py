"""The only reader of clocks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

from teamops.model.clock import Stamp
from teamops.model.events import Ticked
from teamops.sources.pace import next_look
from teamops.sources.port import Emit

TICK_S = 1.0
GAP_TICKS = 3
"""A longer silence between two readings is time in which teamops did not run. Source: FACTS of suspends, 3 ticks."""


class Clock:
    """Counts observed seconds: monotonic time less the gaps in which nobody asked.

    Somebody asks at least once a tick while teamops runs, so a longer silence means that the machine slept or the
    process was stopped. That time did not pass for any deadline. Safe from any thread.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        tick_s: float = TICK_S,
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._tick_s = tick_s
        self._lock = threading.Lock()
        self._last = monotonic()
        self._lost = 0.0
        self._gap = 0.0

    def stamp(self) -> Stamp:
        """Return this moment."""
        with self._lock:
            reading = self._monotonic()
            silence = reading - self._last
            self._last = reading
            if silence > GAP_TICKS * self._tick_s:
                self._lost += silence - self._tick_s
                self._gap += silence - self._tick_s
            return Stamp(reading - self._lost, self._wall())

    def machine(self) -> float:
        """Return the machine's monotonic seconds: the same in every process, and at rest while the machine sleeps."""
        return self._monotonic()

    def take_gap(self) -> float:
        """Return the seconds lost since the last call."""
        with self._lock:
            gap, self._gap = self._gap, 0.0
            return gap


class ClockSource:
    """Emits ``Ticked`` once a second."""

    name = "clock"

    def __init__(self, clock: Clock, tick_s: float = TICK_S) -> None:
        self._clock = clock
        self._tick_s = tick_s
        self._task: asyncio.Task[None] | None = None

    async def start(self, emit: Emit) -> None:
        """Begin to tick; the first tick comes at once."""
        emit(self._tick())
        self._task = asyncio.create_task(self._run(emit), name="clock")

    async def stop(self) -> None:
        """End the ticks."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _tick(self) -> Ticked:
        stamp = self._clock.stamp()
        return Ticked(stamp, self._clock.take_gap())

    async def _run(self, emit: Emit) -> None:
        while True:
            await next_look(self._tick_s)
            emit(self._tick())
