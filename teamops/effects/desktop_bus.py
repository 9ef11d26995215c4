"""Notifications over D-Bus, as the Desktop Notifications Specification 1.2 has them.

Spoken directly through dbus-fast, the library under desktop-notifier: that one can neither let a notification take the
place of another nor say whose answer an answer is. Here a button counts only when the very process that took the
notification says that it was pressed; the bus vouches for who sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from teamops.effects.desktop import DesktopTrouble, Note, Press, Shown
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus
    from dbus_fast.message import Message

NAME = "org.freedesktop.Notifications"
OBJECT = "/org/freedesktop/Notifications"
DEFAULT = "default"
"""The key that the specification gives to a click on the notification itself."""
REMEMBERED = 64
BRIEF_MS = 10_000
_AS_USUAL, _NEVER = -1, 0
"""When a notification expires, in the specification's words."""
_MATCH = f"type='signal',interface='{NAME}',path='{OBJECT}'"


@dataclass(frozen=True, slots=True)
class _Given:
    """A notification that is shown, as far as it is known."""

    owner: str
    """The process that took it, by its own name on the bus: no other has it as long as the bus lives."""
    number: int
    thread: str
    keys: frozenset[str]


class Bus:
    """Fulfils ``desktop.Way``."""

    def __init__(self) -> None:
        self._bus: MessageBus | None = None
        self._watch: asyncio.Task[None] | None = None
        self._given: OrderedDict[str, _Given] = OrderedDict()
        """By thread."""
        self._early: list[tuple[str, int, str]] | None = None
        """What was told of notifications not known yet, while one is being shown: who, its number, the key."""
        self._press: Press = lambda _, __: None

    @property
    def open(self) -> bool:
        """It is connected."""
        return self._bus is not None

    async def connect(self, press: Press) -> None:
        """Connect to the session's bus and listen."""
        from dbus_fast.aio import MessageBus
        from dbus_fast.message import Message

        logging.getLogger("dbus_fast").setLevel(logging.CRITICAL)  # what it says is told in a receipt
        self._press = press
        self._given.clear()  # numbers of a connection that is gone
        bus = MessageBus()
        try:
            await bus.connect()
        except BaseException:
            with contextlib.suppress(Exception):  # a bus that is not there can't be left
                bus.disconnect()
            raise
        self._bus = bus

        async def watch() -> None:
            with contextlib.suppress(Exception):  # however it ended: it ended
                await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # untyped in the library

        self._watch = asyncio.create_task(watch(), name="desktop bus")
        bus.add_message_handler(self._hear)
        daemon = "org.freedesktop.DBus"
        match = Message(
            destination=daemon, path="/org/freedesktop/DBus", interface=daemon, member="AddMatch", signature="s",
            body=[_MATCH],
        )  # fmt: skip
        await self._call(match)

    async def lost(self) -> bool:
        """Let the loop read what the bus last said: writing to one that has ended makes the library complain."""
        for _ in range(4):  # the poll, its reader, the library's future, our watch
            await asyncio.sleep(0)
        return self._watch is None or self._watch.done()

    async def ask(self) -> str:
        """Return the daemon's own name for itself."""
        (name, _vendor, version, _spec), _ = await self._question("GetServerInformation", "ssss")
        return clean_line(f"{name} {version}", 80)

    async def show(self, note: Note) -> Shown:
        """Show ``note``; the daemon's number for it is the proof."""
        from dbus_fast.signature import Variant

        who = await self.ask()
        (can,), owner = await self._question("GetCapabilities", "as")
        earlier = self._given.get(note.thread)
        replaces = earlier.number if earlier is not None and earlier.owner == owner else 0
        buttons = note.buttons if "actions" in can else ()
        title, body = note.title, note.body
        if "body" not in can:
            title = clean_line(": ".join(part for part in (title, body) if part), 200)
        if "body-markup" in can:
            body = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        hints = {"urgency": Variant("y", 2 if note.urgent else 1)}
        if note.thread:
            # dunst puts it in the earlier one's place by this, even that of an earlier life of teamops.
            hints["x-dunst-stack-tag"] = Variant("s", f"teamops-{crc32(note.thread.encode('utf-8', 'replace')):08x}")
        expires = _NEVER if note.urgent else BRIEF_MS if note.brief else _AS_USUAL
        actions = [part for button in buttons for part in button]
        told = ["teamops", replaces, "", title, body, actions, hints, expires]
        self._early = []
        try:
            (number,), taker = await self._question("Notify", "u", "susssasa{sv}i", told)
            if number == 0:
                raise DesktopTrouble("the notification daemon took it and gave no number for it")
            self._remember(
                note.thread or f"#{number}", _Given(taker, number, note.thread, frozenset(key for key, _ in buttons))
            )
            for sender, which, key in self._early:
                self._take(sender, which, key)
        finally:
            self._early = None
        return Shown(who=who, replaced=replaces == number, buttons=len(buttons))

    async def take_away(self, thread: str) -> None:
        """Close what is shown for ``thread``. Asked of the process that took it, and of no successor."""
        given = self._given.pop(thread, None)
        if given is not None:
            from dbus_fast.message import Message

            close = Message(
                destination=given.owner, path=OBJECT, interface=NAME, member="CloseNotification", signature="u",
                body=[given.number],
            )  # fmt: skip
            await self._call(close)

    async def drop(self) -> None:
        """Leave the bus."""
        bus, watch, self._bus, self._watch = self._bus, self._watch, None, None
        if bus is not None:
            with contextlib.suppress(Exception):  # a bus that is gone can't be left
                bus.disconnect()
        if watch is not None:
            _, running = await asyncio.wait({watch}, timeout=0.5)
            for task in running:
                task.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    # what is asked

    async def _question(
        self, member: str, answer: str, signature: str = "", told: list[Any] | None = None
    ) -> tuple[list[Any], str]:
        """Return the daemon's answer, of the signature ``answer``, and who gave it. Raises ``DesktopTrouble``."""
        from dbus_fast.message import Message

        question = Message(
            destination=NAME, path=OBJECT, interface=NAME, member=member, signature=signature, body=told or []
        )
        reply = await self._call(question)
        if reply.signature != answer:
            raise DesktopTrouble(f"the notification daemon gave an answer to {member} that means nothing")
        return reply.body, str(reply.sender)

    async def _call(self, message: Message) -> Message:
        from dbus_fast.constants import MessageType

        if self._bus is None:
            raise DesktopTrouble("not connected")
        reply = await self._bus.call(message)
        if reply is None:
            raise DesktopTrouble("the desktop bus gave no answer")
        if reply.message_type is MessageType.ERROR:
            raise DesktopTrouble(_refusal(reply))
        return reply

    def _remember(self, place: str, given: _Given) -> None:
        self._given[place] = given
        self._given.move_to_end(place)
        while len(self._given) > REMEMBERED:
            self._given.popitem(last=False)

    # what is told

    def _hear(self, message: Message) -> None:
        """Take a signal: a button was pressed, or a notification is gone."""
        from dbus_fast.constants import MessageType

        if message.message_type is not MessageType.SIGNAL or (message.interface, message.path) != (NAME, OBJECT):
            return
        if message.member == "ActionInvoked" and message.signature == "us":
            number, key = message.body
        elif message.member == "NotificationClosed" and message.signature == "uu":
            number, key = message.body[0], ""
        else:
            return
        if not self._take(str(message.sender), number, key) and self._early is not None:
            self._early = [*self._early[-REMEMBERED:], (str(message.sender), number, key)]

    def _take(self, sender: str, number: int, key: str) -> bool:
        """Take a signal about a notification that is known; return whether it is."""
        for place, given in list(self._given.items()):
            if (given.owner, given.number) == (sender, number):
                if not key:
                    del self._given[place]
                elif key in given.keys:
                    del self._given[place]  # an answer is one answer
                    self._press(given.thread, key)
                return True
        return False


def _refusal(reply: Message) -> str:
    kind = str(reply.error_name)
    if kind.endswith((".ServiceUnknown", ".NameHasNoOwner")):
        return "no notification daemon on the desktop bus"
    if kind.endswith((".NoReply", ".Disconnected")):
        return "the notification daemon went away"
    said = reply.body[0] if reply.body else kind
    return clean_line(f"the notification daemon refuses: {said}", 200)
