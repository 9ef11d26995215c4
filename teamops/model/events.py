"""Everything that happens enters as one of these. Small, past tense, no screen in sight."""

from __future__ import annotations

from msgspec import Struct

from teamops.model.actions import Action, Outcome
from teamops.model.agent import Beat, ClientStatus
from teamops.model.boundary import FileChange
from teamops.model.clock import Stamp
from teamops.model.handoff import Handoff
from teamops.model.pane import Pane, Screen
from teamops.model.role import Role
from teamops.model.tail import Position
from teamops.model.usage import Usage


class Ticked(Struct, frozen=True):
    """A round of the clock: the rules are asked."""

    stamp: Stamp
    gap_s: float = 0.0
    """Seconds that teamops did not run just before this tick (suspend, SIGSTOP); 0 is the rule."""


class HandoffChanged(Struct, frozen=True):
    """The handoff file was read again; ``handoff`` is its whole new truth."""

    stamp: Stamp
    handoff: Handoff
    mtime: float
    """Unix seconds of the file's last change."""
    appended: bool
    """True when all earlier blocks stand unchanged; False after an edit, a truncation, a replacement."""
    facts: tuple[int, ...] = ()
    """Device, inode, size and change time (ns) of the file that was read; empty = not known."""


class HandoffLost(Struct, frozen=True):
    """The handoff file can't be read now. The last good reading stays in force."""

    stamp: Stamp
    reason: str
    hint: str


class BeatsSeen(Struct, frozen=True):
    """New complete lines in a role's spool."""

    stamp: Stamp
    beats: tuple[Beat, ...]
    position: Position
    """To be stored in the same transaction as what the beats say."""
    bad_lines: int = 0
    known: tuple[Beat, ...] = ()
    """The last ones that an earlier life has counted: what they tell of the agent still holds, their sums stand."""
    past: tuple[Beat, ...] = ()
    """Those among the last ones whose process is gone: that it worked then is all that still holds."""


class UsageSeen(Struct, frozen=True):
    """What is new in a client's log."""

    stamp: Stamp
    role: Role
    usages: tuple[Usage, ...]
    """Deltas after deduplication: adding them all up is right."""
    position: Position
    grew: bool
    """The log grew, with or without usage in it: a sign of work."""
    live: bool
    """False for what was already in the file when teamops first saw it: history, not news."""
    bad_lines: int = 0
    grown_wall: float | None = None
    """With the first reading of a file: when it had last grown, Unix seconds. ``None`` = not known."""
    client: str = "claude"
    """Whose log it is."""
    rewritten: bool = False
    """The log is rewritten: by its position nobody knows what was told of it, only by the keys of its responses."""


class StatusSeen(Struct, frozen=True):
    """A client's own status file, or its end."""

    stamp: Stamp
    role: Role
    status: ClientStatus | None
    """``None``: no (more) status file that belongs to the running process."""
    detail: str = ""
    """What it waits for, cleaned."""
    since_wall: float | None = None
    """Since when, by the client's own word, Unix seconds; ``None`` = since now."""
    ended: bool = False
    """The client's process has ended; the pane it ran in, with a shell of its own, may live on."""
    session: str = ""
    """The client's own session id, as the file names it."""


class PanesSeen(Struct, frozen=True):
    """The managed sessions' panes as of now; a role without a pane has no session."""

    stamp: Stamp
    panes: tuple[tuple[Role, Pane], ...]
    server_up: bool


class PaneDied(Struct, frozen=True):
    """An agent's process ended. Known by pidfd, before tmux tells."""

    stamp: Stamp
    role: Role
    pid: int
    exit_status: int | None
    exit_signal: int | None
    oom: bool | None = None
    """Ended by KILL, and the kernel's count of out-of-memory kills had risen; ``None`` = can't be known."""


class GrowthSeen(Struct, frozen=True):
    """A log of Codex, Gemini CLI or opencode grew, with or without usage in it: a sign of work."""

    stamp: Stamp
    role: Role
    pid: int
    """The pane's process then."""
    grown_wall: float | None = None
    """With the first look at a file: when it had last grown, Unix seconds; ``None`` = just now."""
    session: str = ""
    """The client's own session id, where the file tells it; empty = not known."""


class PromptSeen(Struct, frozen=True):
    """A client took a prompt that was expected of it, by its own record."""

    stamp: Stamp
    role: Role
    text: str
    """The text that was expected."""
    evidence: str
    """What shows it: "transcript", "queued in transcript"."""


class OutputSeen(Struct, frozen=True):
    """An agent's pane printed something: the weakest sign of work."""

    stamp: Stamp
    role: Role


class ScreenSeen(Struct, frozen=True):
    """A client's screen shows something else than before. Weak evidence."""

    stamp: Stamp
    role: Role
    pid: int
    """The pane's process then."""
    screen: Screen
    auth: bool = False
    """It says that the client's account is refused: a new login, not a restart, mends that."""
    complaint: str = ""
    """The last error at its prompt that is no failed call; empty = none."""


class ProcessesSeen(Struct, frozen=True):
    """One pass over the process table."""

    stamp: Stamp
    rows: tuple[ProcessRow, ...]


class ProcessRow(Struct, frozen=True):
    """An agent's process tree."""

    role: Role
    pid: int
    rss_bytes: int
    cpu_s: float
    """CPU seconds used so far by the tree's living processes."""
    count: int
    bare_shell: bool = False
    """All there is of it is a shell: no client runs there."""
    stopped: bool = False
    """Its client is stopped by a signal (SIGSTOP, Ctrl-Z) or by a debugger: the first process, or what that wraps."""


class WorkTreeChanged(Struct, frozen=True):
    """Files of a work tree are others than when they were last looked at."""

    stamp: Stamp
    root: str
    """The work tree's folder: the project's, or an agent's own."""
    changes: tuple[FileChange, ...]
    beside: int = 0
    """So many more changed in the same moment: other events of the very same stamp tell of them."""


class ActionFinished(Struct, frozen=True):
    """An effect ran to its end."""

    stamp: Stamp
    action_id: int
    """The action's row in the ledger."""
    action: Action
    outcome: Outcome


class SourceTroubled(Struct, frozen=True):
    """A source works in a lesser way or not at all; ``message`` empty means it is well again."""

    stamp: Stamp
    source: str
    message: str
    hint: str


Event = (
    Ticked
    | HandoffChanged
    | HandoffLost
    | BeatsSeen
    | UsageSeen
    | StatusSeen
    | PanesSeen
    | PaneDied
    | GrowthSeen
    | PromptSeen
    | OutputSeen
    | ScreenSeen
    | ProcessesSeen
    | WorkTreeChanged
    | ActionFinished
    | SourceTroubled
)
