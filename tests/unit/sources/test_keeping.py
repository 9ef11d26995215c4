from __future__ import annotations

import asyncio

from teamops.model.events import Event, SourceTroubled
from teamops.sources.clock import Clock
from teamops.sources.keeping import keep


async def test_work_that_fails_is_said_and_begun_again_and_the_trouble_is_over_when_it_holds() -> None:
    begun = 0
    events: list[Event] = []
    well = asyncio.Event()

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise OSError(24, "Too many open files")
        await asyncio.Event().wait()

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, SourceTroubled) and not event.message:
            well.set()

    task = asyncio.create_task(keep("beats", work, emit, Clock(), first_pause_s=0.001, steady_s=0.02))
    async with asyncio.timeout(5):
        await well.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    said = [event.message for event in events if isinstance(event, SourceTroubled)]
    assert begun == 3
    assert ["Too many open files" in message for message in said] == [True, True, False]
    assert {event.source for event in events if isinstance(event, SourceTroubled)} == {"beats source"}


async def test_an_end_from_outside_is_an_end() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(keep("beats", work, lambda _: None, Clock()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
