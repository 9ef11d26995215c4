"""What a channel is: one way to the person, as the outbox knows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from teamops.model.page import Answer, Page, Receipt


class Channel(Protocol):
    """Delivers pages by one way. One page at a time; belongs to the supervisor's loop.

    How often, when again and what comes next is the outbox's: a channel tries once, within ``limit_s``, and says
    truthfully how that ended. It is given the same page again where a crash fell between a delivery and its record: one
    that can, makes that one notification by the page's ``id``. One that reaches several places remembers nothing: it
    says in the receipt's ``parts`` which are done with, and leaves out those of the page's.
    """

    name: str
    """As ``notify.channels`` names it; kebab-case."""
    limit_s: float
    """An attempt that takes longer is cut off and counts as failed, worth a retry."""

    async def start(self, hear: Callable[[Answer], None]) -> str:
        """Make ready; return why pages can't be delivered as things are, or an empty text. Takes 2 s at most.

        ``hear`` takes, in the loop's thread, what the person answers. Never raises but for cancellation.
        """

    async def deliver(self, page: Page) -> Receipt:
        """Try once to bring ``page`` to the person. What it raises counts as a defect: no delivery, no retry."""

    async def close(self) -> None:
        """Leave what was opened. Never raises but for cancellation."""


@runtime_checkable
class Withdraws(Protocol):
    """A channel that can take back what it shows."""

    async def withdraw(self, thread: str) -> None:
        """Take away what it shows for ``thread``, if anything: nobody is needed any more. Takes 3 s at most.

        Never raises but for cancellation: what can't be taken away stays until the person closes it.
        """
