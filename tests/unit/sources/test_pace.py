"""Who looks as often looks at once: a program at rest is woken up once a second, not by each look on its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.config.settings import Settings
from teamops.model.events import Event, Ticked
from teamops.sources import handoff_file, transcripts
from teamops.sources.clock import Clock, ClockSource
from teamops.sources.handoff_file import HandoffFile
from teamops.sources.logs import Before, Logs
from teamops.sources.pace import next_look, until_next
from teamops.sources.port import Source
from teamops.sources.processes import Processes
from teamops.sources.transcripts import Transcripts
from teamops.sources.watch import Watch


class At(asyncio.SelectorEventLoop):
    """A loop whose time is the test's."""

    now = 0.0

    def time(self) -> float:
        return self.now


@given(st.floats(0, 10**9), st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0]))
def test_the_next_moment_is_shared_and_never_far(now: float, period: float) -> None:
    loop = At()

    async def ask() -> float:
        loop.now = now
        return until_next(period)

    wait = loop.run_until_complete(ask())
    loop.close()
    assert 0.49 * period <= wait <= 1.51 * period
    assert ((now + wait) / period) % 1 == pytest.approx(0, abs=1e-5) or ((now + wait) / period) % 1 > 1 - 1e-5


async def test_who_looked_just_now_looks_again_after_one_period() -> None:
    loop = asyncio.get_running_loop()
    moments = []
    for _ in range(4):
        await next_look(0.1)
        moments.append(int(loop.time() / 0.1 + 0.01))
    assert moments == sorted(set(moments)), "each moment once"
    assert moments[-1] - moments[0] >= 3


async def test_sources_at_rest_share_their_wake_ups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = 0.2
    for module in (handoff_file, transcripts):
        monkeypatch.setattr(module, "CHECK_S", second)
    loop = asyncio.get_running_loop()
    selector = loop._selector  # type: ignore[attr-defined]  # the one place where a loop waits
    select, waits = selector.select, []

    def counted(timeout: float | None = None) -> object:
        if timeout is None or timeout > 0:
            waits.append(loop.time())
        return select(timeout)

    monkeypatch.setattr(selector, "select", counted)
    clock, watch = Clock(tick_s=second), Watch(check_s=second)
    ticks: asyncio.Queue[Ticked] = asyncio.Queue()

    def emit(event: Event) -> None:
        if isinstance(event, Ticked):
            ticks.put_nowait(event)

    settings = Settings(root=tmp_path, project="p", handoff=tmp_path / "current.md", roles=())
    logs = Logs(clock, Before({}, {}, {}), lambda *_: None, frozenset())
    sources: list[Source] = [
        HandoffFile(settings.handoff, watch, clock, frozenset()),
        Transcripts(settings, watch, clock, logs, {"HOME": str(tmp_path)}),
        Processes(clock, pass_s=second),
    ]
    watch.start(loop)
    try:
        for source in sources:
            await source.start(emit)
            await next_look(second / 7)  # they begin apart
        sources.append(ClockSource(clock, tick_s=second))
        await sources[-1].start(emit)
        for _ in range(3):
            await ticks.get()
        waits.clear()
        for _ in range(8):
            await ticks.get()
        assert len(waits) <= 8 * 2, "four sources and the watch, each on its own, would wait five times a second"
    finally:
        for source in sources:
            await source.stop()
        watch.stop()
