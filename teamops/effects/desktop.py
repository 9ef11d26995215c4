"""The person's desktop: notifications with their proof, the later in the earlier one's place, and what is answered.

A notification counts as shown only when the daemon that shows them has said so. On Linux that is D-Bus
(``effects.desktop_bus``); elsewhere what desktop-notifier finds (``effects.desktop_library``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from teamops.model.text import clean_line

ANSWER_S = 2.0
"""A daemon that has not answered by then is taken for dead; a healthy one needs a few milliseconds."""
ADDRESS = "DBUS_SESSION_BUS_ADDRESS"

T = TypeVar("T")


class DesktopTrouble(Exception):  # noqa: N818 - always caught at the port beside it, and told as a receipt
    """A notification can't be shown. ``silent``: nobody answered, so trying again would only take as long again.

    ``absent``: there is no desktop here at all.
    """

    def __init__(self, reason: str, *, silent: bool = False, absent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.silent = silent
        self.absent = absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A notification. Its texts are plain and safe to show."""

    title: str
    body: str
    urgent: bool = False
    """It breaks through a "do not disturb" and stays until it is closed."""
    brief: bool = False
    """It is of no use after some seconds."""
    thread: str = ""
    """A later one of the same takes its place; empty = of none."""
    buttons: tuple[tuple[str, str], ...] = ()
    """Key and label of each, the first the most important."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """That a notification is shown."""

    who: str
    """Who shows it, for a person."""
    replaced: bool = False
    """It took the place of an earlier one."""
    buttons: int = 0
    """So many of its buttons are there."""


Press = Callable[[str, str], None]
"""Is told of a button that the person pressed: the note's thread, the button's key. In the loop's thread."""


class Way(Protocol):
    """One way to a desktop. Raises what its library raises, or ``DesktopTrouble``."""

    @property
    def open(self) -> bool:
        """It is connected."""

    async def connect(self, press: Press) -> None:
        """Connect."""

    async def lost(self) -> bool:
        """Return whether the connection has ended since; takes moments."""

    async def ask(self) -> str:
        """Return who shows notifications."""

    async def show(self, note: Note) -> Shown:
        """Show one."""

    async def take_away(self, thread: str) -> None:
        """Close what is shown for ``thread``, if anything is."""

    async def drop(self) -> None:
        """Leave; never raises."""


class Desktop:
    """The person's desktop. Connects when first used, and again whenever the connection is lost."""

    def __init__(self, answer_s: float = ANSWER_S, press: Press = lambda _, __: None) -> None:
        self._answer_s = answer_s
        self._press = press
        self._way = _way()
        self._lock = asyncio.Lock()

    async def probe(self) -> str:
        """Return who shows notifications here. Raises ``DesktopTrouble``."""
        async with self._lock:
            return await self._healing(self._way.ask)

    async def show(self, note: Note) -> Shown:
        """Show a notification and return who took it. Raises ``DesktopTrouble`` when nobody did."""
        async with self._lock:
            return await self._healing(lambda: self._way.show(note))

    async def take_away(self, thread: str) -> None:
        """Close what is shown for ``thread``, if anything is. Raises ``DesktopTrouble``."""
        async with self._lock:
            if self._way.open and not await self._way.lost():
                await self._timed(lambda: self._way.take_away(thread))

    async def close(self) -> None:
        """Leave. What was shown stays; what is pressed from now on is not heard."""
        async with self._lock:
            await self._way.drop()

    async def _healing(self, act: Callable[[], Awaitable[T]]) -> T:
        """Run ``act``; if it fails over a connection of earlier days, once more over a new one."""
        if self._way.open and await self._way.lost():
            await self._way.drop()
        reused = self._way.open
        try:
            return await self._timed(act)
        except DesktopTrouble as trouble:
            await self._way.drop()
            if not reused or trouble.silent:
                raise
        try:
            return await self._timed(act)
        except DesktopTrouble:
            await self._way.drop()
            raise

    async def _timed(self, act: Callable[[], Awaitable[T]]) -> T:
        try:
            if not self._way.open:
                _find_bus()
                await asyncio.to_thread(self._way_imports)
            async with asyncio.timeout(self._answer_s):
                if not self._way.open:
                    await self._way.connect(self._press)
                return await act()
        except DesktopTrouble:
            raise
        except TimeoutError:
            reason = f"the notification daemon did not answer within {self._answer_s:g} s"
            raise DesktopTrouble(reason, silent=True) from None
        except Exception as error:  # a port: a bus fails in any of three libraries' ways
            raise DesktopTrouble(_reason(error)) from error

    def _way_imports(self) -> None:
        """Import the library: 0.1 s, so not in the loop's thread."""
        if _on_bus():
            import dbus_fast.aio  # noqa: F401
        else:
            import desktop_notifier.main  # noqa: F401


def _on_bus() -> bool:
    return os.uname().sysname == "Linux"


def _way() -> Way:
    if _on_bus():
        from teamops.effects.desktop_bus import Bus

        return Bus()
    from teamops.effects.desktop_library import Library

    return Library()


def _find_bus() -> None:
    """Make sure that there is an address to connect to, at the place where libdbus looks too.

    Raises ``DesktopTrouble`` where there is none. Nothing is started: a bus that is not there is said, not made.
    """
    if not _on_bus() or os.environ.get(ADDRESS):
        return
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and (Path(runtime) / "bus").is_socket():
        os.environ[ADDRESS] = f"unix:path={runtime}/bus"
    elif "DISPLAY" not in os.environ or "HOME" not in os.environ:
        raise DesktopTrouble(f"no desktop bus ({ADDRESS} is not set)", absent=True)


def _reason(error: BaseException) -> str:
    """Return one line for a person."""
    if isinstance(error, EOFError):
        return "the desktop bus went away"
    if isinstance(error, OSError):
        return f"the desktop bus can't be reached ({error.strerror or type(error).__name__})"
    return clean_line(f"desktop notification failed: {type(error).__name__}: {error}", 200)
