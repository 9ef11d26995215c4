"""A look at a team without acting on it: what ``status`` and all that is asked for once come by."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from teamops.config.settings import Settings
from teamops.model.snapshot import Snapshot
from teamops.sources.clock import Clock
from teamops.supervisor.core import Core
from teamops.supervisor.lease import Lease, state_dir_of, supervisor_view
from teamops.supervisor.run import LEASE_RETRY_S, LOOK_S, Publish, living


@asynccontextmanager
async def visit(
    settings: Settings, *, state_dir: Path | None = None, publish: Publish = lambda _: None
) -> AsyncIterator[tuple[Core, Snapshot]]:
    """Be a viewer for a moment: gives the core and the first snapshot in which every source has reported.

    Changes nothing by itself; what the visitor wishes through the core is done and recorded.
    """
    folder = state_dir_of(settings, state_dir)
    clock = Clock()
    view = supervisor_view(settings, Lease(folder), clock.machine(), acting=False)
    settled = asyncio.Event()

    def keep(snapshot: Snapshot) -> None:
        publish(snapshot)
        if snapshot.ready:
            settled.set()

    async with living(
        settings, folder, clock, view, keep, followed=view.pid is not None, revisions=itertools.count(1)
    ) as core:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await settled.wait()
                await core.caught_up()
                if core.memory.wants_rates:
                    await core.memory.fetch_rates(core.book)
                    await core.next_round()  # what has its price by now is shown with it
        yield core, core.snapshot()


async def look(settings: Settings, *, state_dir: Path | None = None) -> Snapshot:
    """Return one snapshot as a viewer."""
    async with visit(settings, state_dir=state_dir) as (_, snapshot):
        return snapshot


async def look_on(settings: Settings, publish: Publish, *, state_dir: Path | None = None) -> None:
    """Publish snapshots as a viewer until cancelled."""
    lease = Lease(state_dir_of(settings, state_dir))
    async with visit(settings, state_dir=state_dir, publish=publish) as (core, _):
        while not core.running.done():
            await asyncio.wait({core.running}, timeout=LEASE_RETRY_S)
            core.book.supervisor = supervisor_view(settings, lease, time.monotonic(), acting=False)
        await core.running
