"""The course of one page through the channels: tried, tried again, and by the next one where that is no use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from teamops.model.page import Page, Parts, Receipt

TRIES = 3
"""So often one channel is tried before the next one is."""
PAUSES_S = (2.0, 8.0)
"""Seconds between the tries on one channel."""
LAP_S = (15.0, 60.0, 300.0)
"""Seconds until all channels are gone through again after none took the page; the last of them from then on."""
PATIENCE_S = 10.0
"""A channel that asks for longer is passed over, where there is another one."""
LONGEST_S = 3600.0
"""Nor makes the only channel a page wait for longer, whatever it says of when to come again."""

PERHAPS = "You may have this already: teamops was killed while it was sent."

_NONE: Mapping[str, Parts] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How far a page has come, as it is kept over lives."""

    channel: str = ""
    """The one that is next; empty = the one that it was decided for."""
    tries: int = 0
    laps: int = 0
    due_wall: float | None = None
    """When it is tried next, Unix seconds; ``None`` = at once."""
    cut_off: str = ""
    """The channel by which it was being sent when a life ended: it may have arrived. Empty = none."""
    parts: Mapping[str, Parts] = field(default_factory=lambda: _NONE)
    """Channel → how parts of it have ended."""


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
    left: bool = False
    """By an earlier life."""
    cut_off: str = ""
    """See ``Course``."""
    parts: Mapping[str, Parts] = field(default_factory=lambda: _NONE)
    """See ``Course``."""

    @property
    def channel(self) -> str:
        """The channel that is next."""
        return self.channels[self.place]

    @property
    def given(self) -> Page:
        """The page as its channel is given it: with what parts of it have ended before, and whether it may be there."""
        parts = self.parts.get(self.channel, ())
        if self.channel != self.cut_off:
            return replace(self.page, parts=parts) if parts else self.page
        return replace(self.page, parts=parts, body=f"{self.page.body}\n{PERHAPS}".strip())

    @property
    def heard(self) -> bool:
        """Some place has taken it, though no channel has as a whole."""
        return any(ok for told in self.parts.values() for _, ok in told)

    @property
    def fresh(self) -> bool:
        """Nothing was tried yet."""
        return not (self.place or self.tries or self.laps)


def begin(page: Page, order: tuple[str, ...], first: int, now: float) -> Sending:
    """Return a page at the start of its course. ``first``: of ``order``, where it begins; the others follow in turn."""
    first %= len(order)
    return Sending(page=page, channels=order[first:] + order[:first], due=now)


def resume(page: Page, order: tuple[str, ...], first: int, course: Course, now: float, wall: float) -> Sending:
    """Return a page that an earlier life left, where it was: the same channel, the same count, the same pause.

    What was cut off goes by its channel once more. A channel that is in use no longer begins the course anew.
    """
    begun = begin(page, order, first, now)
    begun = replace(begun, left=True, cut_off=course.cut_off, parts=_taken(course.parts))
    channel = course.cut_off or course.channel
    if channel not in begun.channels:
        return begun
    return replace(
        begun,
        place=begun.channels.index(channel),
        tries=course.tries if channel == course.channel else 0,
        laps=course.laps,
        due=now + (0.0 if course.due_wall is None else min(LONGEST_S, max(0.0, course.due_wall - wall))),
    )


def course(sending: Sending, now: float, wall: float) -> Course:
    """Return what is to be kept of where a page is."""
    return Course(
        channel=sending.channel, tries=sending.tries, laps=sending.laps, due_wall=wall + max(0.0, sending.due - now)
    )


def failed(sending: Sending, receipt: Receipt, now: float, *, known_bad: bool) -> Sending:
    """Return where a page goes after a try in vain. ``known_bad``: its channel failed the page before, too."""
    tries = sending.tries + 1
    parts = dict(sending.parts.get(sending.channel, ())) | dict(receipt.parts)  # one that is cut off tells of none
    sending = replace(sending, parts={**sending.parts, sending.channel: tuple(parts.items())}, cut_off="")
    if receipt.retry and tries < (1 if known_bad else TRIES):
        pause = PAUSES_S[tries - 1] if receipt.after_s is None else min(LONGEST_S, max(0.0, receipt.after_s))
        if receipt.after_s is None or pause <= PATIENCE_S or len(sending.channels) == 1:
            return replace(sending, tries=tries, due=now + pause)
    if sending.place + 1 < len(sending.channels):
        return replace(sending, place=sending.place + 1, tries=0, due=now)
    pause = LAP_S[min(sending.laps, len(LAP_S) - 1)]
    again = _taken(sending.parts)
    return replace(sending, place=0, tries=0, laps=sending.laps + 1, due=now + pause, parts=again)


def _taken(parts: Mapping[str, Parts]) -> Mapping[str, Parts]:
    """Return what was taken. What was refused is tried again the next time: a person may have mended it, or a network.

    No alert would tell of it anew, as long as its page is on its way.
    """
    taken = {channel: tuple(part for part in told if part[1]) for channel, told in parts.items()}
    return {channel: told for channel, told in taken.items() if told}


def gave_up(before: Sending, after: Sending) -> bool:
    """Return whether the channel of ``before`` was given up for this page, at least for now."""
    return (before.place, before.laps) != (after.place, after.laps)
