"""Which agents could have made a change, and what is known of each at that moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from teamops.guard.judge import Light
from teamops.model.agent import AgentState
from teamops.model.role import Role
from teamops.supervisor.book import Book
from teamops.supervisor.change_judge import Suspect

LIGHT_GRACE_S = 5.0
"""A light that went so lately still makes a change its holder's: the file may be seen after the block."""
BUSY_S = 15.0


def suspects_of(book: Book, known: Mapping[Role, tuple[float, tuple[int, ...]]]) -> Iterator[Suspect]:
    """Yield the agents that live. ``known``: until when each role last held a light, and of which tiers."""
    for role, page in book.agents.items():
        own = book.settings.role(role)
        if own is None or page.pane is None or page.dead:
            continue
        until, tiers = known.get(role, (float("-inf"), ()))
        lit = book.stamp.now - until <= LIGHT_GRACE_S
        worked = page.worked is not None and book.stamp.now - page.worked <= BUSY_S
        yield (
            Suspect(
                role=role,
                cwd=str(own.cwd.resolve()),
                pid=page.pane.pid,
                light=Light(held=lit, tiers=tiers if lit else (), free=not book.lights),
                lit=lit,
                busy=worked or page.health is AgentState.WORKING,
            )
        )
