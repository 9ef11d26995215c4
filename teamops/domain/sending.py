"""The course of one page through the channels: tried, tried again, and by the next one where that is no use."""

from __future__ import annotations

from dataclasses import dataclass, replace

from teamops.model.page import Page, Receipt

TRIES = 3
"""So often one channel is tried before the next one is."""
PAUSES_S = (2.0, 8.0)
"""Seconds between the tries on one channel."""
LAP_S = (15.0, 60.0, 300.0)
"""Seconds until all channels are gone through again after none took the page; the last of them from then on."""
LONGEST_S = 3600.0
"""No channel makes a page wait for longer, whatever it says of when to come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A page on its way."""

    page: Page
    channels: tuple[str, ...]
    """In the order in which they are tried, beginning with the one that it was decided for."""
    place: int = 0
    """Of ``channels``: the one that is next."""
    tries: int = 0
    """On that channel, without success."""
    laps: int = 0
    """So often all channels were gone through in vain."""
    due: float
    """When it is tried next, in the seconds of the loop's clock."""

    @property
    def channel(self) -> str:
        """The channel that is next."""
        return self.channels[self.place]

    @property
    def fresh(self) -> bool:
        """Nothing was tried yet."""
        return not (self.place or self.tries or self.laps)


def begin(page: Page, order: tuple[str, ...], first: int, now: float) -> Sending:
    """Return a page at the start of its course. ``first``: of ``order``, where it begins; the others follow in turn."""
    first %= len(order)
    return Sending(page=page, channels=order[first:] + order[:first], due=now)


def failed(sending: Sending, receipt: Receipt, now: float, *, known_bad: bool) -> Sending:
    """Return where a page goes after a try in vain. ``known_bad``: its channel failed the page before, too."""
    tries = sending.tries + 1
    if receipt.retry and tries < (1 if known_bad else TRIES):
        pause = PAUSES_S[tries - 1] if receipt.after_s is None else min(LONGEST_S, max(0.0, receipt.after_s))
        return replace(sending, tries=tries, due=now + pause)
    if sending.place + 1 < len(sending.channels):
        return replace(sending, place=sending.place + 1, tries=0, due=now)
    pause = LAP_S[min(sending.laps, len(LAP_S) - 1)]
    return replace(sending, place=0, tries=0, laps=sending.laps + 1, due=now + pause)


def gave_up(before: Sending, after: Sending) -> bool:
    """Return whether the channel of ``before`` was given up for this page, at least for now."""
    return (before.place, before.laps) != (after.place, after.laps)
