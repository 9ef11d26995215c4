"""Whether a page whose turn it is goes out: asked before each try, of the alerts and the hour as they are then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from teamops.domain.paging import RESOLVED_S, Moment, PagingPolicy, is_told_by
from teamops.domain.sending import Sending
from teamops.model.alert import Alert, AlertState
from teamops.model.page import Key, Page, Transition

OLD_S = 900.0
"""What an earlier life left is told anew after so long: its words are of then."""
REPORT_S = 24 * 3600.0
"""A day's report is news for so long."""
LOOK_AGAIN_S = 1.0
_NO_ALERT = frozenset({Transition.REPORT, Transition.TRIED})


class Worth(StrEnum):
    """What becomes of a page whose turn it is."""

    SEND = "send"
    WAIT = "wait"
    """Nothing yet: ask again."""
    ANEW = "anew"
    """Not this page: what it tells of is decided anew, as it is then."""
    NEVER = "never"
    """Nobody is needed any more."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The word on one page."""

    worth: Worth
    why: str = ""
    """Why it is not sent, for the record and a person."""
    wait_s: float = 0.0
    """Seconds until it is asked again, where it waits."""


SEND = Judged(Worth.SEND)


def judge(one: Sending, alerts: Mapping[Key, Alert], at: Moment, policy: PagingPolicy) -> Judged:
    """Return whether a page goes out now.

    One of this life is always tried once, but in quiet hours. One that was tried in vain, or that an earlier life left,
    goes out only as long as somebody is needed.
    """
    page, age = one.page, at.wall - one.page.wall
    minutes = policy.quiet.left(at.minute) if policy.quiet is not None and not page.critical else 0
    quiet = Judged(Worth.ANEW, "the hour is quiet: what still holds is told when it is over") if minutes else None
    if page.transition in _NO_ALERT:
        if one.laps or (page.transition is Transition.TRIED and one.left) or age > REPORT_S:
            return Judged(Worth.NEVER, "it is no news any more")
        return Judged(Worth.WAIT, wait_s=60.0 * minutes) if minutes and page.transition is Transition.REPORT else SEND
    if page.transition is Transition.RESOLVED:
        late = one.laps or age > RESOLVED_S or minutes
        return Judged(Worth.NEVER, "it is no news any more") if late else SEND
    if one.fresh and not one.left:
        return quiet or SEND
    told = [alert for alert in alerts.values() if is_told_by(alert, page)]
    firing = [alert for alert in told if alert.state is AlertState.FIRING]
    if not firing:
        return Judged(Worth.NEVER, "you have seen it by now" if told else "over before it could be told")
    firing = [alert for alert in firing if alert.paged_wall == page.wall]
    if not firing:
        return Judged(Worth.NEVER, "a later page tells of it")
    loud = [alert for alert in firing if not alert.silenced(at.wall) and not alert.hidden_by]
    if not loud:
        return Judged(Worth.ANEW, "silenced, or only the consequence of something else by now")
    if one.left and all(alert.clear is not None for alert in loud):
        return Judged(Worth.WAIT, wait_s=LOOK_AGAIN_S)  # their causes seem to be gone: a moment tells
    if one.left and age > OLD_S:
        return Judged(Worth.ANEW, "left by an earlier life, and old: what still holds is told anew")
    return quiet or SEND


def taken_back(alerts: Iterable[Alert], page: Page) -> tuple[Alert, ...]:
    """Return the alerts that ``page`` was to tell of as they are when it isn't sent: they are still to be told."""
    fired = page.transition is Transition.FIRED
    return tuple(
        replace(alert, paged_wall=None, asked_wall=None, escalated=0) if fired else replace(alert, owed=True)
        for alert in alerts
        if is_told_by(alert, page) and alert.state is AlertState.FIRING and alert.paged_wall == page.wall
    )
