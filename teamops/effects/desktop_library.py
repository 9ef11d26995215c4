"""Notifications by desktop-notifier, with the proof that it leaves out: where there is no D-Bus (macOS).

The library's ``send`` gives an identifier whether or not anything was shown, and says failures to the log alone. Here a
notification counts as shown only when the library says "dispatched".
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from secrets import token_hex
from typing import TYPE_CHECKING

from teamops.effects.desktop import DesktopTrouble, Note, Press, Shown
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from desktop_notifier.backends.base import DesktopNotifierBackend

_complaints: ContextVar[list[logging.LogRecord] | None] = ContextVar("complaints", default=None)


class _Listener(logging.Handler):
    """Takes the library's warnings off the screen and keeps them for the send that caused them."""

    def emit(self, record: logging.LogRecord) -> None:
        complaints = _complaints.get()
        if complaints is not None:
            complaints.append(record)


class Library:
    """Fulfils ``desktop.Way``."""

    def __init__(self, backend: Callable[[], DesktopNotifierBackend] | None = None) -> None:
        self._make = backend or _backend
        self._backend: DesktopNotifierBackend | None = None
        self._press: Press = lambda _, __: None

    @property
    def open(self) -> bool:
        """Its backend is there."""
        return self._backend is not None

    async def connect(self, press: Press) -> None:
        """Take the system's backend."""
        self._press = press
        self._backend = self._make()

    async def lost(self) -> bool:
        """Return false: there is no connection."""
        return False

    async def ask(self) -> str:
        """Ask for the right to show notifications; name who shows them."""
        if not await self._there().has_authorisation() and not await self._there().request_authorisation():
            raise DesktopTrouble("the system's settings don't let teamops show notifications", absent=True)
        return "the system"

    async def show(self, note: Note) -> Shown:
        """Show ``note``."""
        from desktop_notifier import Button, Notification, Urgency

        who = await self.ask()
        taken: list[bool] = []
        complaints: list[logging.LogRecord] = []

        def on_pressed(key: str) -> Callable[[], None]:
            return lambda: self._press(note.thread, key)

        buttons = tuple(Button(label, on_pressed(key), key) for key, label in note.buttons)
        token = _complaints.set(complaints)
        try:
            await self._there().send(
                Notification(
                    note.title,
                    note.body,
                    urgency=Urgency.Critical if note.urgent else Urgency.Normal,
                    buttons=buttons,
                    on_dispatched=lambda: taken.append(True),
                    # The same name: the later takes the earlier one's place.
                    identifier=_name(note.thread or token_hex(8)),
                )
            )
        finally:
            _complaints.reset(token)
        if taken and not complaints:
            return Shown(who=who, buttons=len(buttons))
        cause = next((record.exc_info[1] for record in complaints if record.exc_info), None)
        if cause is not None:
            raise cause
        said = complaints[0].getMessage() if complaints else "the notification was not taken"
        raise DesktopTrouble(clean_line(said, 200))

    async def take_away(self, thread: str) -> None:
        """Close what is shown for ``thread``."""
        await self._there().clear(_name(thread))

    async def drop(self) -> None:
        """Leave."""
        self._backend = None

    def _there(self) -> DesktopNotifierBackend:
        if self._backend is None:
            raise DesktopTrouble("not connected")
        return self._backend


def _name(thread: str) -> str:
    return f"teamops {thread}"


def _backend() -> DesktopNotifierBackend:
    """Return the library's backend for this system. Raises ``DesktopTrouble`` where it has none."""
    from desktop_notifier.backends.dummy import DummyNotificationCenter
    from desktop_notifier.main import get_backend_class

    logger = logging.getLogger("desktop_notifier")
    if not any(isinstance(handler, _Listener) for handler in logger.handlers):
        logger.addHandler(_Listener())
        logger.propagate = False
    found = get_backend_class()
    if issubclass(found, DummyNotificationCenter):
        raise DesktopTrouble("this system lets a program outside an app bundle show no notifications", absent=True)
    return found("teamops")
