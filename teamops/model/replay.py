"""A recorded day, and the port through which a screen goes about in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from teamops.model.role import Role

if TYPE_CHECKING:
    from teamops.model.snapshot import Snapshot


class MarkKind(StrEnum):
    """What a moment of a day is worth stopping at for."""

    ALERT = "alert"
    """An alert began to fire."""
    RESTART = "restart"
    """An agent was started again."""
    TURN = "turn"
    """A light came to somebody."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a day that is worth stopping at."""

    wall: float
    """Unix seconds."""
    kind: MarkKind
    text: str
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDay:
    """A day as the ledger has it."""

    day: str
    """ISO date, in the timezone of the budgets."""
    timezone: str
    """IANA name; empty = the system's."""
    since_wall: float
    """When it began, Unix seconds."""
    until_wall: float
    """When it ended; of today: the moment up to which the ledger was read."""
    marks: tuple[Mark, ...] = ()
    """Oldest first."""
    gaps: tuple[tuple[float, float], ...] = ()
    """When no teamops watched, Unix seconds, oldest first; as far as that is on record."""
    watched_from: float | None = None
    """Before this moment nobody recorded when teamops watched; ``None``: nor after it."""

    def next_mark(self, wall: float, *, alerts: bool) -> Mark | None:
        """Return the first mark after ``wall``; ``alerts``: only those of alerts."""
        return next((mark for mark in self.marks if mark.wall > wall and _wanted(mark, alerts)), None)

    def mark_before(self, wall: float, *, alerts: bool) -> Mark | None:
        """Return the last mark before ``wall``; ``alerts`` as above."""
        return next((mark for mark in reversed(self.marks) if mark.wall < wall and _wanted(mark, alerts)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """Of which moment of which day a snapshot tells, and what of it is not known."""

    day: str
    """ISO date."""
    clock: str
    """The moment in the day's timezone: "02:13:05", with its offset where clocks were put back that day."""
    unobserved: tuple[float, float] | None = None
    """The span in which nobody watched, if the moment lies in one, Unix seconds."""
    notes: tuple[str, ...] = ()
    """What the ledger can't tell of this moment, one line each."""


def _wanted(mark: Mark, alerts: bool) -> bool:  # noqa: FBT001 - asked by the two above alone
    return mark.kind is MarkKind.ALERT or not alerts


class Recording(Protocol):
    """What a screen on a replay has beside ``SupervisorPort``. ``go`` may block: never call it on a UI thread."""

    @property
    def day(self) -> RecordedDay:
        """Return the recorded day."""

    def go(self, wall: float) -> Snapshot:
        """Show the moment ``wall``, Unix seconds; subscribers are told. Raises ``TeamopsError``."""

    def clock(self, wall: float) -> str:
        """Return a moment of the day in its own timezone, "02:13:05"."""

    def moment(self, text: str) -> float:
        """Return the moment of the day that a person means by "02:13" or "02:13:05". Raises ``UsageError``."""
