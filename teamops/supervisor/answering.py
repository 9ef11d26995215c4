"""Agents in their boundaries ask in their spools for what they can't write: who supervises does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from teamops.config.settings import Settings
from teamops.effects.asked import answer_all
from teamops.model.events import SourceTroubled
from teamops.sources.clock import Clock
from teamops.sources.port import Emit
from teamops.sources.watch import Watch

REQUEST = ".request"


class Answering:
    """Answers requests as they come, for as long as this supervisor acts."""

    name = "requests"

    def __init__(
        self, settings: Settings, state_dir: Path, watch: Watch, clock: Clock, acting: Callable[[], bool]
    ) -> None:
        self._settings = settings
        self._state_dir = state_dir
        self._watch = watch
        self._clock = clock
        self._acting = acting
        self._wake = asyncio.Event()
        self._unwatch: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, emit: Emit) -> None:
        """Do what was left while nobody supervised, then go on."""
        self._unwatch = self._watch.directory(self._settings.spool, self._changed, recursive=True)
        self._wake.set()
        self._task = asyncio.create_task(self._run(emit), name=self.name)

    async def stop(self) -> None:
        """End."""
        if self._unwatch is not None:
            self._unwatch()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _changed(self, names: frozenset[str]) -> None:
        if any(name.endswith(REQUEST) for name in names):
            self._wake.set()

    async def _run(self, emit: Emit) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._acting():
                continue
            try:
                await asyncio.to_thread(answer_all, self._settings, self._state_dir)
            except Exception as error:  # noqa: BLE001 - a port: the others go on, and a person sees it
                emit(SourceTroubled(self._clock.stamp(), self.name, f"a request failed: {error}", "report it"))
