"""The channel ``desktop``: notifications that the desktop's daemon confirms, and whose buttons answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from teamops.effects.channels.front import Front
from teamops.effects.channels.plain import unlinked
from teamops.effects.channels.words import words_of
from teamops.effects.desktop import Desktop, DesktopTrouble, Note
from teamops.model.page import Answer, Button, Page, Receipt, Transition

HINT = "start a notification daemon in this session (dunst, mako, your desktop's own)"
LABELS = {
    Button.POKE: "Poke",
    Button.RESTART: "Restart",
    Button.ACK: "Seen",
    Button.SILENCE_15M: "Silence 15 min",
    Button.SILENCE_1H: "Silence 1 h",
    Button.SILENCE: "Silence",
}
ACTS = (Button.POKE, Button.RESTART, Button.ACK)
QUIET = (Button.SILENCE_1H, Button.SILENCE, Button.SILENCE_15M)
OPEN = "default"
"""The key of a click on the notification itself, and of the button beside the others."""
OPEN_BUTTON = "open"
ROOM = 3
"""Buttons that every desktop has room for."""
REMEMBERED = 64


class DesktopChannel:
    """Fulfils ``port.Channel``, ``port.Withdraws``. The later page of a thread takes the place of the earlier one."""

    name = "desktop"
    limit_s = 10.0

    def __init__(self, desktop: Desktop | None = None, front: Front | None = None) -> None:
        self._desktop = desktop or Desktop(press=self.press)
        self._front = front or Front()
        self._hear: Callable[[Answer], None] = lambda _: None
        self._pages: OrderedDict[str, Page] = OrderedDict()
        """The last page of each thread."""

    async def start(self, hear: Callable[[Answer], None]) -> str:
        """Find out whether somebody shows notifications here."""
        self._hear = hear
        try:
            await self._desktop.probe()
        except DesktopTrouble as trouble:
            return trouble.reason
        return ""

    async def deliver(self, page: Page) -> Receipt:
        """Show ``page``."""
        words = words_of(page)
        thread = page.thread or page.id
        note = Note(
            title=words.title,
            body=unlinked(words.body),
            urgent=page.critical and page.transition is not Transition.RESOLVED,
            brief=page.transition is Transition.RESOLVED,
            thread=thread,
            buttons=self._buttons(page),
        )
        self._pages[thread] = page
        self._pages.move_to_end(thread)
        while len(self._pages) > REMEMBERED:
            self._pages.popitem(last=False)
        try:
            shown = await self._desktop.show(note)
        except DesktopTrouble as trouble:
            return Receipt(ok=False, message=trouble.reason, retry=not trouble.absent, absent=trouble.absent, hint=HINT)
        place = ", in the earlier one's place" if shown.replaced else ""
        return Receipt(ok=True, message=f"desktop notification shown{place}", evidence=f"taken by {shown.who}")

    async def withdraw(self, thread: str) -> None:
        """Close the notification of ``thread``."""
        self._pages.pop(thread, None)  # whoever presses its button now comes too late
        with suppress(DesktopTrouble):  # it stays until the person closes it
            await self._desktop.take_away(thread)

    async def close(self) -> None:
        """Leave the bus."""
        await self._desktop.close()

    def press(self, thread: str, key: str) -> None:
        """Take a button of the notification that is shown for ``thread``: an answer, or the way to the screen."""
        page = self._pages.get(thread)
        if page is None:
            return
        if key in {OPEN, OPEN_BUTTON}:
            self._front.go()
        elif key in set(page.buttons):
            self._hear(Answer(page=page.id, keys=page.keys, button=Button(key), channel=self.name))

    def _buttons(self, page: Page) -> tuple[tuple[str, str], ...]:
        """Return what may be pressed, in the room there is: an act, the way to the screen, some quiet."""
        ways = [
            next((button for button in wanted if button in page.buttons), None)
            for wanted in (ACTS, QUIET, (Button.ACK,))
        ]
        answers = list(dict.fromkeys((button.value, LABELS[button]) for button in ways if button is not None))
        if not self._front.known:
            return tuple(answers[:ROOM])
        return ((OPEN, "Open"), *answers[:1], (OPEN_BUTTON, "Open"), *answers[1 : ROOM - 1])
