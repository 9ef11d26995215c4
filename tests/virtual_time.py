"""An event loop whose clock is the test's: who sleeps is woken as soon as nothing else is to be done.

Threads are real: while one works for the loop, time stands.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")
POLL_S = 0.002


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.working or timeout is None:
            return super().select(POLL_S)
        self.loop.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module. ``now`` may be set ahead: then nobody ran meanwhile."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.working = 0
        """Threads that work for the loop."""
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Return the test's seconds."""
        return self.now

    def run_in_executor(  # type: ignore[override]  # typeshed's own words for it want more than 3.11 has
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run ``func`` in a thread; time stands until it is done."""
        self.working += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: asyncio.Future[Any]) -> None:
        self.working -= 1


async def elapse(seconds: float) -> None:
    """Let seconds go by on the loop's clock: in a ``VirtualLoop`` nobody waits for them."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_later(seconds, over.set_result, None)
    await over


def run(play: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run ``play`` to its end in such a loop."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(play(loop))
