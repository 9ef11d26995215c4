"""Findings, and the alerts they live on as."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from teamops.model.handoff import Severity
from teamops.model.page import Button
from teamops.model.role import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule sees now. It lives for one round; an alert is its memory."""

    code: str
    """One of ``domain.alert_rules.RULES``, which says what is so of all of its alerts."""
    subject: str
    """With ``code`` the identity of the cause: a task, a role, a file."""
    message: str
    do: str
    """What a person should do."""
    agent: Role | None = None
    severity: Severity | None = None
    """Its rule's ``else_severity``, where this case is one of those."""
    notify: bool | None = None
    """False: its rule calls the person away from the screen, but this is not such a case."""


HOUR_S = 3600.0
ANSWERS = (Button.ACK, Button.SILENCE_1H)


class AlertState(StrEnum):
    """The life of an alert."""

    PENDING = "pending"
    """Its cause is seen, but not yet for as long as its rule says."""
    FIRING = "firing"
    ACKED = "acked"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of an alert, and it is shown as silenced."""

    since_wall: float
    until_wall: float | None
    """Unix seconds; ``None`` = until its cause is gone."""

    def holds(self, wall: float) -> bool:
        """Return whether it holds at ``wall``. A clock that was set back to before it ends it."""
        return self.until_wall is None or self.since_wall <= wall < self.until_wall


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
    notify: bool = False
    """The person is told of it away from the screen."""
    silence: Silence | None = None
    """The last one; it may be over."""
    hidden_by: str = ""
    """Code of the alert whose consequence it is: nobody is told of it, and lists leave it out. Empty = of none."""
    paged_wall: float | None = None
    """When the person was last told of it, since it fired; ``None`` = not yet, or there is nothing to tell."""
    escalated: int = 0
    """The furthest place, in the order of channels, that has taken a page of it, or was told for want of an answer."""
    asked_wall: float | None = None
    """Since when an answer is waited for before the next channel is told, too: since a channel took its first page, or
    since the last escalation. ``None`` = none has taken one yet."""
    owed: bool = False
    """A later page of it came to nothing: it is told again as soon as that may be."""
    held_wall: float | None = None
    """Until when the cap holds it back: it ought to be told now, and is then at the latest, if it still holds."""
    answered: int = 0
    """So often a person has acknowledged or silenced it in another process."""
    thread: str = ""
    """Of the page that told of it."""
    since: float = field(default=0.0, compare=False)
    """Observed seconds: when it became pending, and from when it fires on, when it fired."""
    paged: float = field(default=0.0, compare=False)
    """Observed seconds: when the person was last told."""
    asked: float = field(default=0.0, compare=False)
    """Observed seconds of ``asked_wall``."""
    clear: float | None = field(default=None, compare=False)
    """Observed seconds: since when its cause is not seen any more; ``None`` = it is seen."""

    @property
    def key(self) -> tuple[str, str]:
        """Identity of the cause."""
        return (self.code, self.subject)

    @property
    def open(self) -> bool:
        """Firing or acknowledged: still true."""
        return self.state in (AlertState.FIRING, AlertState.ACKED)

    @property
    def listed(self) -> bool:
        """It is still true, and not only the consequence of another one."""
        return self.open and not self.hidden_by

    @property
    def calling(self) -> bool:
        """It fires, and neither a person has seen it nor another alert stands for it."""
        return self.state is AlertState.FIRING and not self.hidden_by

    def held(self, wall: float) -> bool:
        """Return whether it ought to be told at ``wall``, and the cap holds it back."""
        return self.calling and self.held_wall is not None and wall < self.held_wall and not self.silenced(wall)

    def silenced(self, wall: float) -> bool:
        """Return whether nobody is to be told of it at ``wall``."""
        return self.silence is not None and self.silence.holds(wall)


class AlertRule(Struct, frozen=True, kw_only=True):
    """What is so of every alert of one code. Times in observed seconds: time in which teamops did not run is none."""

    code: str
    """Kebab-case and stable: people's scripts and the ledger know it."""
    severity: Severity = Severity.WARNING
    """INFO, WARNING or CRITICAL."""
    else_severity: Severity | None = None
    """How grave it is instead in some cases, where a finding says that its case is one; ``None`` = there are none."""
    else_when: str = ""
    """Which these are, for a person: "while it holds a light"."""
    for_s: float = 1.0
    """So long without a break its cause is seen before it fires; 0 = at once."""
    keep_firing_s: float = 0.0
    """So long its cause must be gone before it is resolved: one that flaps calls once."""
    page: bool = True
    """The person is told away from the screen, unless a finding says otherwise of its case."""
    paged: str = "yes"
    """When that is, for a person: "yes", "no", or a condition."""
    repeat_s: float | None = 4 * HOUR_S
    """Told again after so long, if nobody has acknowledged it; ``None`` = never."""
    escalates: bool = False
    """Told by the next channel, too, if nobody acknowledges it. Every critical one is, whatever stands here."""
    group: str = ""
    """Those that fire together and have the same are one page; empty = its code."""
    inhibits: frozenset[str] = frozenset()
    """While it fires, alerts of these codes about the same agent are hidden; about any agent where it is about none."""
    buttons: tuple[Button, ...] = ANSWERS
    """What a person may answer to its page."""
    meaning: str
    evidence: str
    """What shows it: by what teamops knows."""
    do: str
    """What a person does about it, as the documentation says it; a finding says it of its case."""

    @property
    def severity_words(self) -> str:
        """How grave it is, for a person: "warning; critical while it holds a light"."""
        return f"{self.severity}; {self.else_severity} {self.else_when}" if self.else_severity else f"{self.severity}"
