"""What reaches the UI thread from elsewhere, in the past tense."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message


class SnapshotArrived(Message):
    """A newer snapshot lies ready; many arrivals make one message."""


class Answered(Message):
    """A query in a thread has its answer."""

    def __init__(self, group: str, ticket: int, deliver: Callable[[], None]) -> None:
        super().__init__()
        self.group = group
        self.ticket = ticket
        """Older tickets of the same group are no longer wanted."""
        self.deliver = deliver
