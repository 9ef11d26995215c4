"""Everything teamops does leaves as one of these, and comes back as an ``Outcome``."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from teamops.model.boundary import Held
from teamops.model.budget import Step
from teamops.model.check import Check
from teamops.model.role import Role


class By(StrEnum):
    """Who decided an action."""

    PERSON = "person"
    RULE = "rule"


class Poke(Struct, frozen=True, kw_only=True):
    """Type one line into an agent's client and submit it."""

    role: Role
    text: str
    by: By
    reason: str = ""


class Restart(Struct, frozen=True, kw_only=True):
    """Start the agent's command again in its own pane; where it has no session yet, make one."""

    role: Role
    by: By
    reason: str = ""


class Append(Struct, frozen=True, kw_only=True):
    """Append one block to the handoff file."""

    role: Role
    """Whose block it is."""
    task: str | None
    text: str
    """The whole block, as ``handoff.write.render_block`` makes it."""
    by: By
    reason: str = ""


class Start(Struct, frozen=True, kw_only=True):
    """Make the agent's session and start its command; where it runs already, adopt it as it is."""

    role: Role
    by: By
    reason: str = ""


class Stop(Struct, frozen=True, kw_only=True):
    """End the agent in good order: its client's own exit or TERM, a grace, then KILL; then its session."""

    role: Role
    by: By
    reason: str = ""
    grace_s: float = 30.0
    """So long it may take to end by itself."""
    whoever: bool = False
    """By rule, too, what teamops did not start: it spends and may not."""


class StopSpending(Struct, frozen=True, kw_only=True):
    """One step of a hard stop before its end, which is a ``Stop``: its hooks refuse, pokes are refused, interrupted."""

    role: Role
    step: Step
    text: str
    """Why, as the agent is told."""
    since: float
    """When the hold began, Unix seconds."""
    by: By
    reason: str = ""


class Quarantine(Struct, frozen=True, kw_only=True):
    """Undo a change past a boundary, which is kept as a patch; or put it back."""

    violation: int
    patch: str
    """The patch's name among the kept ones."""
    path: str
    """As a person knows it."""
    by: By
    role: Role | None = None
    """Who is thought to have made the change."""
    back: bool = False
    """Put the change back."""
    force: bool = False
    """With ``back``: where the file has changed since, that is kept too, and replaced."""
    reason: str = ""


class WriteReport(Struct, frozen=True, kw_only=True):
    """Put a day's report into the folder of reports. A file that stands there already stays as it is."""

    day: str
    """The ISO date."""
    folder: str
    files: tuple[tuple[str, str], ...]
    """(name, text)."""
    by: By = By.RULE
    reason: str = ""
    role: Role | None = None
    """It is nobody's: always ``None``."""


Action = Poke | Restart | Append | Start | Stop | StopSpending | Quarantine | WriteReport


class Outcome(Struct, frozen=True, kw_only=True):
    """How an action ended. Nothing is reported done that was not seen to be done."""

    ok: bool
    message: str
    """One line for a person: what was done, or why not."""
    hint: str = ""
    evidence: str = ""
    """What proves it: "pane %3 pid 4711"."""
    touched: bool = False
    """It failed half-way: a line was typed, and is not known to be submitted."""
    held: Held | None = None
    """What holds the process that was started; ``None`` = none was, or nobody knows."""
    checks: tuple[Check, ...] = ()
    """What came of trying the agent's boundary before a start."""
