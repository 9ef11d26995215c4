"""How many pages may go out: the cap, what is folded into the last one, and until when the rest is held back."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

from teamops.model.alert import Alert
from teamops.model.handoff import Severity
from teamops.model.page import Key, Transition

HELD_S = 1.0
"""A clock that drifts by less moves no moment until which something is held back."""
WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}
ORDER = (Transition.FIRED, Transition.ESCALATED, Transition.REPEATED, Transition.RESOLVED)


@dataclass(frozen=True, slots=True)
class Word:
    """One page to be, as long as nobody knows whether it may go out."""

    transition: Transition
    alerts: tuple[Alert, ...]
    group: str
    rank: int

    @property
    def critical(self) -> bool:
        """It tells of something critical."""
        return self.alerts[0].severity is Severity.CRITICAL

    @property
    def first(self) -> bool:
        """Something critical is told by it that never was before."""
        return any(alert.severity is Severity.CRITICAL and alert.paged_wall is None for alert in self.alerts)


def capped(
    words: Sequence[Word], over: Sequence[Word], recent: Sequence[float], firsts: Sequence[float], cap: int
) -> list[Word]:
    """Return what may go out: as many words as there is room for, the last of them with all the rest folded in.

    One place is kept for what is critical, and its first word is counted against other first words alone; where one
    takes such a place, the rest is folded in all the same, for else what comes back again and again would keep all
    others from being told. ``over``: what needs nobody, and has no claim to a place.
    """
    room, kept = cap - len(recent), _kept(cap)
    critical, first = sum(word.critical for word in words), sum(word.first for word in words)
    through = _as_many(words, max(min(first, cap - len(firsts)), min(critical, room), room - kept))
    return through + _as_many(over, room - len(through) - kept)


def _kept(cap: int) -> int:
    return 1 if cap > 1 else 0


def room_at(
    words: Sequence[Word], recent: Sequence[float], firsts: Sequence[float], cap: int, window_s: float
) -> float:
    """Return when the cap has room for one of ``words``, none of which may go out now: with it go all the others."""
    begun = [recent[-(cap - _kept(cap))]]
    begun += [recent[-cap] for word in words if word.critical]
    begun += [firsts[-cap] for word in words if word.first]
    return min(begun) + window_s


def held(alerts: Iterable[Alert], waits: Container[Key], until_wall: float) -> list[Alert]:
    """Return the alerts of which it is new that the cap holds them back until then, or no more.

    ``waits``: those that it holds back.
    """
    found = []
    for alert in alerts:
        wall = until_wall if alert.key in waits else None
        known = alert.held_wall is not None and wall is not None and abs(alert.held_wall - wall) < HELD_S
        if wall != alert.held_wall and not known:
            found.append(replace(alert, held_wall=wall))
    return found


def _as_many(words: Sequence[Word], room: int) -> list[Word]:
    if len(words) <= room or not words:
        return list(words)
    return [] if room <= 0 else [*words[: room - 1], fold(words[room - 1 :])]


def fold(words: Sequence[Word]) -> Word:
    """Return all words as one; where one of them was to go to a further channel, all of it does."""
    alerts = gravest_first(alert for word in words for alert in word.alerts)
    transition = min((word.transition for word in words), key=ORDER.index)
    return Word(transition, alerts, "", max(word.rank for word in words))


def gravest_first(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Return alerts, the gravest first, of those what was never told, then the oldest."""

    def place(alert: Alert) -> tuple[int, bool, float, Key]:
        return -WEIGHT[alert.severity], alert.paged_wall is not None, alert.since, alert.key

    return tuple(sorted(alerts, key=place))
