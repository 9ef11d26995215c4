"""The agents' hooks are told what they judge by: each role's policy, and whose turn it is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.model.errors import TeamopsError
from teamops.model.events import HandoffChanged, SourceTroubled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from teamops.config.settings import Settings
    from teamops.model.handoff import Block, Task
    from teamops.supervisor.core import Core

NAME = "guard"
DRAWN_S = 0.3
"""So long a screen takes to draw what was shown; to import what judges would hold it up."""


AGAIN_S = 10.0


class Guarding:
    """Writes for the hooks, one thing after the other; the newest light wins.

    What can't be written is said, and tried again each ``again_s`` seconds: a disk that was full for a while does not
    leave the hooks with what they were told before.
    """

    def __init__(self, core: Core, folder: Path, *, again_s: float = AGAIN_S) -> None:
        self._core = core
        self._folder = folder
        self._again_s = again_s
        self._next: HandoffChanged | None = None
        self._wake = asyncio.Event()
        self._due: dict[str, Callable[[], None]] = {}
        self._trouble = ""

    def see(self, event: HandoffChanged) -> None:
        """Take that the handoff file has changed."""
        self._next = event
        self._wake.set()

    async def run(self) -> None:
        """Write the policies, then the light after each change, until cancelled.

        Begins once all that is known was shown: until then the hooks judge by what was written last.
        """
        settings = self._core.book.settings
        await self._core.shown.wait()
        await asyncio.sleep(DRAWN_S)
        self._due["policies"] = partial(_write_policies, settings, self._folder)
        await self._write()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._again_s if self._due else None):
                    await self._wake.wait()
            event, tasks = self._next, self._core.book.protocol.tasks
            if self._wake.is_set() and event is not None and event.facts:
                told = event.facts, tasks, event.handoff.blocks
                self._due["light"] = partial(_write_light, settings.handoff, self._folder, *told)
            self._wake.clear()
            await self._write()

    async def _write(self) -> None:
        said = hint = ""
        for name, write in list(self._due.items()):
            try:
                await asyncio.to_thread(write)
                del self._due[name]
            except TeamopsError as error:
                said, hint = f"the agents' hooks are not told: {error.message}", error.hint
        if said != self._trouble:
            self._trouble = said
            self._core.emit(SourceTroubled(self._core.stamp(), NAME, said, hint))


# All that judges is imported in a thread, and after the first frame.


def _write_policies(settings: Settings, folder: Path) -> None:
    from teamops.effects.policies import write_policies

    write_policies(settings, folder)


def _write_light(
    handoff: Path, folder: Path, facts: tuple[int, ...], tasks: Sequence[Task], blocks: Sequence[Block]
) -> None:
    from teamops.effects.policies import write_light

    write_light(handoff, folder, facts, tasks, blocks)
