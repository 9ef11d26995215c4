"""Findings, and the alerts they live on as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from teamops.model.handoff import Severity
from teamops.model.role import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule sees now. It lives for one round; an alert is its memory."""

    code: str
    """Kebab-case and stable, listed in docs/alerts.md."""
    severity: Severity
    subject: str
    """With ``code`` the identity of the cause: a task, a role, a file."""
    message: str
    do: str
    """What a person should do."""
    agent: Role | None = None
    notify: bool = False
    """Tell the person away from the screen when it fires."""
    rounds: int = 2
    """Rounds in a row that must see the cause before the alert fires; 1 = at once."""


class AlertState(StrEnum):
    """The life of an alert."""

    PENDING = "pending"
    """Seen, but not yet for two rounds."""
    FIRING = "firing"
    ACKED = "acked"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A finding with a memory, kept in the ledger."""

    code: str
    subject: str
    severity: Severity
    state: AlertState
    message: str
    do: str
    agent: Role | None
    since_wall: float
    """When it first fired (or became pending), Unix seconds."""
    changed_wall: float
    """When its state last changed."""
    rounds: int = 0
    """Rounds in a row that saw the cause."""
    notify: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Identity of the cause."""
        return (self.code, self.subject)

    @property
    def open(self) -> bool:
        """Firing or acknowledged: still true."""
        return self.state in (AlertState.FIRING, AlertState.ACKED)
