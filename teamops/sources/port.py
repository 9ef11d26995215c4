"""What every source is to the supervisor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from teamops.model.events import Event

Emit = Callable[[Event], None]
"""Takes an event; callable from any thread, never blocks, never raises."""


class Source(Protocol):
    """A part of the world that is watched.

    ``start`` returns when the first reading has been emitted (or the reason why there is none, as a
    ``SourceTroubled``); it raises nothing but programming errors. A source heals itself and says so. ``stop`` may be
    called at any time after ``start`` and leaves no thread, task, watch or child process behind.
    """

    name: str

    async def start(self, emit: Emit) -> None:
        """Begin, in the running loop."""

    async def stop(self) -> None:
        """End."""
