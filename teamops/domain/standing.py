"""Whether what a page told of still needs somebody: what a channel shows of it is taken away when it does not."""

from __future__ import annotations

from collections.abc import Mapping

from teamops.model.alert import Alert, AlertState
from teamops.model.page import Key, Page, Transition

_CALLS = frozenset({Transition.FIRED, Transition.REPEATED, Transition.ESCALATED})


def stands(page: Page, alerts: Mapping[Key, Alert], wall: float) -> bool:
    """Return whether one of the alerts that ``page`` tells of still fires and is neither acknowledged nor silenced."""
    known = (alerts[key] for key in page.keys if key in alerts)
    return any(alert.state is AlertState.FIRING and not alert.silenced(wall) for alert in known)


def may_be_taken_away(page: Page) -> bool:
    """Return whether ``page`` calls somebody: any other one goes away by itself."""
    return page.transition in _CALLS
