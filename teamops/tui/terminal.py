"""The terminal that the screen is drawn on, which may be gone from one moment to the next: a lost ssh, a closed window.

Textual writes in a thread, from a queue of bounded length. Where a write fails that thread ends, the queue fills up,
and whoever draws next waits for ever: so what nobody can see any more is dropped instead.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from io import TextIOWrapper

    from textual.app import App


class Unfailing:
    """A terminal's stream whose failures are nobody's concern any more: the signal that comes with them ends us."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text``, as far as that goes."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is kept, as far as that goes."""
        with suppress(OSError):
            self._stream.flush()

    def fileno(self) -> int:
        """Return the stream's descriptor."""
        return self._stream.fileno()


class TerminalDriver(LinuxDriver):
    """Textual's own driver, on a terminal that may be gone."""

    def __init__(
        self, app: App[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is not None:
            self._file = cast("TextIOWrapper", Unfailing(self._file))
