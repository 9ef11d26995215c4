"""Keeps a source's work going: what it did not foresee is said, and the work begins again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from teamops.model.events import SourceTroubled
from teamops.sources.clock import Clock
from teamops.sources.port import Emit

FIRST_PAUSE_S = 1.0
LAST_PAUSE_S = 30.0
STEADY_S = 60.0
"""Work that went on for so long was well: its trouble is over, and the next one is tried again quickly."""


async def keep(
    name: str,
    work: Callable[[], Awaitable[None]],
    emit: Emit,
    clock: Clock,
    *,
    first_pause_s: float = FIRST_PAUSE_S,
    steady_s: float = STEADY_S,
) -> None:
    """Run ``work``, which never returns by itself, for ever.

    A failure (no more file descriptors, no memory for a process, a defect) becomes a ``SourceTroubled`` and the work
    begins again after a pause. A task that died of it in silence would leave a screen that only looks alive.
    """
    loop = asyncio.get_running_loop()
    subject = f"{name} source"
    pause = first_pause_s
    while True:
        calm: asyncio.TimerHandle | None = None
        if pause > first_pause_s:
            calm = loop.call_later(steady_s, lambda: emit(SourceTroubled(clock.stamp(), subject, "", "")))
        began = loop.time()
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - a source's port: seen, and begun again
            if loop.time() - began >= steady_s:
                pause = first_pause_s
            said = f"failed and begins again: {type(error).__name__}: {error}"
            emit(SourceTroubled(clock.stamp(), subject, said, "it heals by itself if the machine does; else report it"))
        else:
            return
        finally:
            if calm is not None:
                calm.cancel()
        await asyncio.sleep(pause)
        pause = min(pause * 2, LAST_PAUSE_S)
