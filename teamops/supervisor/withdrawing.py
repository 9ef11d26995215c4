"""What was shown to the person is taken away when nobody is needed any more: answered here, or over by itself."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from teamops.domain import standing
from teamops.effects.channels.port import Channel, Withdraws
from teamops.model.page import Page

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

REMEMBERED = 64


class Withdrawing:
    """Remembers what is shown, as long as this supervisor lives. Belongs to its loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._shown: OrderedDict[tuple[str, str], tuple[Page, Withdraws]] = OrderedDict()
        """By channel and thread: what it showed last."""

    def delivered(self, page: Page, channel: Channel | None) -> None:
        """``page`` is shown by ``channel``, in the place of what that showed of the same thread."""
        if channel is None or not isinstance(channel, Withdraws):
            return
        place = (channel.name, page.thread or page.id)
        self._shown.pop(place, None)
        if standing.may_be_taken_away(page):
            self._shown[place] = (page, channel)
            while len(self._shown) > REMEMBERED:
                self._shown.popitem(last=False)

    def look(self) -> None:
        """Take away what needs nobody any more."""
        book = self._core.book
        for place, (page, channel) in list(self._shown.items()):
            if not standing.stands(page, book.alerts, book.stamp.wall):
                del self._shown[place]
                self._core.spawn(channel.withdraw(place[1]), f"withdrawal by {place[0]}")
