"""Desktop notifications by desktop-notifier, with the proof that it leaves out.

The library's ``send`` gives an identifier whether or not anything was shown, and says failures to the log alone. Here a
notification counts as sent only when the library says "dispatched", which on D-Bus is the daemon's reply.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from teamops.model.text import clean, clean_line

if TYPE_CHECKING:
    from desktop_notifier.backends.base import DesktopNotifierBackend

ANSWER_S = 2.0
"""A daemon that has not answered by then is taken for dead; a healthy one needs a few milliseconds."""
TITLE_LIMIT = 200
BODY_LIMIT = 2000
ADDRESS = "DBUS_SESSION_BUS_ADDRESS"

Act = Callable[[], Awaitable[str]]

_complaints: ContextVar[list[logging.LogRecord] | None] = ContextVar("complaints", default=None)


class DesktopTrouble(Exception):  # noqa: N818 - always caught at the port beside it, and told as an outcome
    """A notification can't be shown. ``silent``: nobody answered, so trying again would only take as long again.

    ``absent``: there is no desktop here at all.
    """

    def __init__(self, reason: str, *, silent: bool = False, absent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.silent = silent
        self.absent = absent


class _Listener(logging.Handler):
    """Takes the library's warnings off the screen and keeps them for the send that caused them."""

    def emit(self, record: logging.LogRecord) -> None:
        complaints = _complaints.get()
        if complaints is not None:
            complaints.append(record)


class Desktop:
    """The person's desktop. Connects when first used, and again whenever the connection is lost."""

    def __init__(self, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s
        self._backend: DesktopNotifierBackend | None = None
        self._watch: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def probe(self) -> str:
        """Return who shows notifications here. Raises ``DesktopTrouble``."""
        async with self._lock:
            return await self._healing(self._ask)

    async def send(self, title: str, body: str, *, critical: bool) -> str:
        """Show a notification and return who took it. Raises ``DesktopTrouble`` when nobody did."""
        async with self._lock:
            return await self._healing(lambda: self._send(title, body, critical=critical))

    async def close(self) -> None:
        """Leave the bus."""
        async with self._lock:
            await self._drop()

    async def _healing(self, act: Act) -> str:
        """Run ``act``; if it fails over a connection of earlier days, once more over a new one."""
        await self._drop_dead()
        reused = self._backend is not None
        try:
            return await self._timed(act)
        except DesktopTrouble as trouble:
            await self._drop()
            if not reused or trouble.silent:
                raise
        try:
            return await self._timed(act)
        except DesktopTrouble:
            await self._drop()
            raise

    async def _timed(self, act: Act) -> str:
        try:
            await self._open()
            async with asyncio.timeout(self._answer_s):
                return await act()
        except DesktopTrouble:
            raise
        except TimeoutError:
            reason = f"the notification daemon did not answer within {self._answer_s:g} s"
            raise DesktopTrouble(reason, silent=True) from None
        except Exception as error:  # a port: a bus fails in any of three libraries' ways
            raise DesktopTrouble(_reason(error)) from error

    async def _open(self) -> None:
        if self._backend is None:
            _find_bus()
            self._backend = await asyncio.to_thread(_backend)

    async def _ask(self) -> str:
        backend = self._backend
        if backend is None:
            raise DesktopTrouble("not connected")
        await backend.get_capabilities()
        interface = getattr(backend, "interface", None)
        self._keep_watch()
        if interface is None:
            return "the system"
        name, _vendor, version, _spec = await interface.call_get_server_information()
        return clean_line(f"{name} {version}", 80)

    async def _send(self, title: str, body: str, *, critical: bool) -> str:
        from desktop_notifier import Notification, Urgency

        backend = self._backend
        if backend is None:
            raise DesktopTrouble("not connected")
        who = await self._ask()
        title, body = clean_line(title, TITLE_LIMIT), clean(body)[:BODY_LIMIT]
        if await _reads_markup(backend):
            body = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        taken: list[bool] = []
        complaints: list[logging.LogRecord] = []
        token = _complaints.set(complaints)
        try:
            urgency = Urgency.Critical if critical else Urgency.Normal
            await backend.send(Notification(title, body, urgency=urgency, on_dispatched=lambda: taken.append(True)))
        finally:
            _complaints.reset(token)
        if taken and not complaints:
            return who
        cause = next((record.exc_info[1] for record in complaints if record.exc_info), None)
        if cause is not None:
            raise DesktopTrouble(_reason(cause))
        said = complaints[0].getMessage() if complaints else "the notification was not taken"
        raise DesktopTrouble(clean_line(said, 200))

    def _keep_watch(self) -> None:
        """Take note when the bus goes away, so that nobody else complains of it."""
        bus = getattr(self._backend, "bus", None)
        if bus is not None and self._watch is None:

            async def watch() -> None:
                with contextlib.suppress(Exception):  # however it ended: it ended
                    await bus.wait_for_disconnect()

            self._watch = asyncio.create_task(watch(), name="desktop bus")

    async def _drop_dead(self) -> None:
        """Let the loop read what the bus last said: writing to one that has ended makes the library complain."""
        for _ in range(4):  # the poll, its reader, the library's future, our watch
            await asyncio.sleep(0)
        if self._watch is not None and self._watch.done():
            await self._drop()

    async def _drop(self) -> None:
        bus = getattr(self._backend, "bus", None)
        if bus is not None:
            self._keep_watch()
            with contextlib.suppress(Exception):  # a bus that is gone can't be left
                bus.disconnect()
        if self._watch is not None:
            _, running = await asyncio.wait({self._watch}, timeout=0.5)
            for task in running:
                task.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self._backend = self._watch = None


def _find_bus() -> None:
    """Make sure that there is an address to connect to, at the place where libdbus looks too.

    Raises ``DesktopTrouble`` where there is none. Nothing is started: a bus that is not there is said, not made.
    """
    if os.uname().sysname != "Linux" or os.environ.get(ADDRESS):
        return
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and (Path(runtime) / "bus").is_socket():
        os.environ[ADDRESS] = f"unix:path={runtime}/bus"
    elif "DISPLAY" not in os.environ or "HOME" not in os.environ:
        raise DesktopTrouble(f"no desktop bus ({ADDRESS} is not set)", absent=True)


def _backend() -> DesktopNotifierBackend:
    """Import the library (0.1 s, so in a thread) and return its backend for this system."""
    from desktop_notifier.backends.dummy import DummyNotificationCenter
    from desktop_notifier.main import get_backend_class

    for name in ("desktop_notifier", "dbus_fast"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, _Listener) for handler in logger.handlers):
            logger.addHandler(_Listener())
            logger.propagate = False
    found = get_backend_class()
    if issubclass(found, DummyNotificationCenter):
        raise DesktopTrouble("this system lets a program outside an app bundle show no notifications", absent=True)
    return found("teamops")


async def _reads_markup(backend: DesktopNotifierBackend) -> bool:
    interface: Any = getattr(backend, "interface", None)
    return interface is not None and "body-markup" in await interface.call_get_capabilities()


def _reason(error: BaseException) -> str:
    """Return one line for a person."""
    kind = str(getattr(error, "type", ""))
    if kind.endswith((".ServiceUnknown", ".NameHasNoOwner")):
        return "no notification daemon on the desktop bus"
    if kind.endswith((".NoReply", ".Disconnected")):
        return "the notification daemon went away"
    if isinstance(error, EOFError):
        return "the desktop bus went away"
    if isinstance(error, OSError):
        return f"the desktop bus can't be reached ({error.strerror or type(error).__name__})"
    return clean_line(f"desktop notification failed: {type(error).__name__}: {error}", 200)
