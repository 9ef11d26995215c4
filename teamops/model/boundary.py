"""What is known of the roles' boundaries: what was refused, what got past, and how each agent is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from teamops.model.role import Role


class Verdict(StrEnum):
    """What a hook decided of a tool call."""

    ALLOW = "allow"
    WARN = "warn"
    """Let through; the agent and its person are told."""
    DENY = "deny"


class Decision(Struct, frozen=True, kw_only=True):
    """What an agent's own hook decided of one tool call, as it says in the agent's spool."""

    role: Role
    wall: float
    """Unix seconds, by the hook."""
    verdict: Verdict
    rule: str
    """``write.deny "*.py"``; the rule, with the glob or pattern that matched."""
    about: str
    """The path in the project, the command, or the tool."""
    why: str
    """The words that the agent was told."""
    id: int = 0
    """Its row in the ledger; 0 = not stored yet."""
    times: int = 1
    """So often the same was decided within ten minutes, the last time at ``wall``."""


class ChangeKind(StrEnum):
    """What became of a file."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"


class FileKind(StrEnum):
    """What stands at a path."""

    NOTHING = "nothing"
    FILE = "file"
    LINK = "link"
    OTHER = "other"
    """A folder, a pipe, a device: nothing that teamops puts back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """What stood at a path at one moment."""

    kind: FileKind = FileKind.NOTHING
    mode: int = 0
    """Its rights, as in ``chmod``."""
    size: int = 0
    """Bytes; of a link those of the path in it."""
    digest: str = ""
    """SHA-256 of its bytes, hexadecimal; empty = not known."""
    kept: str = ""
    """Where its bytes are: a path of teamops' own, or "git:" and the blob; empty = nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file that is another than before."""

    path: str
    """Relative to the work tree."""
    change: ChangeKind
    before: FileState | None
    """``None``: not known."""
    after: FileState
    since: float
    """When it was changed, Unix seconds, by its file system and as no user can set it; of a deleted one when that was
    seen."""
    writers: tuple[Role, ...] = ()
    """Agents that had it open to write, or a program of theirs."""
    single: bool = True
    """One act made this of what stood before. False: several did between two looks, or nobody knows how many."""
    counts: bool = True
    """False: git ignores it. It is looked at because no agent may change it."""


class ViolationState(StrEnum):
    """The life of a violation."""

    OPEN = "open"
    """The change stands; nobody has dealt with it."""
    QUARANTINED = "quarantined"
    """The file is as it was before; the change is kept as a patch."""
    RESTORED = "restored"
    """It was quarantined, and a person has put the change back."""
    ACCEPTED = "accepted"
    """A person lets it stand."""
    GONE = "gone"
    """The file is as it was again, by whoever."""


SETTLED_FROM: Mapping[ViolationState, frozenset[ViolationState]] = MappingProxyType(
    {
        ViolationState.ACCEPTED: frozenset({ViolationState.OPEN}),
        ViolationState.QUARANTINED: frozenset({ViolationState.OPEN, ViolationState.ACCEPTED, ViolationState.RESTORED}),
        ViolationState.RESTORED: frozenset({ViolationState.QUARANTINED, ViolationState.GONE}),
    }
)
"""To which state a person brings a violation, and from which ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A change in the work tree that none of those who could have made it may make."""

    id: int
    """Its row in the ledger, by which a person names it."""
    wall: float
    """When teamops saw it, Unix seconds."""
    path: str
    """In the project, or absolute in an agent's own work tree."""
    change: ChangeKind
    roles: tuple[Role, ...]
    """Who could have made it, the likeliest first."""
    rule: str
    """The rule of the likeliest one's policy that it breaks."""
    why: str
    """In words: "REVIEWER may not change it"."""
    evidence: tuple[str, ...] = ()
    """What speaks for it, best first: "REVIEWER's client has the file open", "REVIEWER holds the light"."""
    added: int | None = None
    """Lines; ``None`` = not known (binary, or too large)."""
    removed: int | None = None
    state: ViolationState = ViolationState.OPEN
    note: str = ""
    """How its state came to be: "quarantined; REVIEWER was told", "could not be quarantined: …"."""
    changed_wall: float | None = None
    """When its state last changed; ``None`` = never."""
    direct: bool = False
    """Something shows that it was they. False: it may have been another, or the person; nobody is to be told else."""
    sure: bool = False
    """Whose it is, is sure enough to undo it by rule, and what stood just before it is known."""

    @property
    def whose(self) -> str:
        """Return who made it, for a person, no surer than the evidence is: "REVIEWER", "maybe REVIEWER or CODER"."""
        who = " or ".join(self.roles)
        return who if self.direct else f"maybe {who}" if who else "nobody known"

    @property
    def it_was(self) -> str:
        """Return the same as a sentence: "it was REVIEWER", "maybe it was REVIEWER or CODER"."""
        who = " or ".join(self.roles)
        if not who:
            return "nobody knows who it was"
        return f"it was {who}" if self.direct else f"maybe it was {who}"


class OwnWrite(Struct, frozen=True):
    """A file that teamops itself wrote for the person, as it was stored just before."""

    path: str
    """Absolute, with its folder's links followed."""
    digest: str
    """SHA-256 of what it was to hold."""
    made_of: str
    """The same of what stood there and stays in it; empty: all of it is teamops'."""
    wall: float
    """Unix seconds."""


def undo_rank(violation: Violation) -> tuple[bool, int]:
    """Return by what violations are sorted to be undone, and backwards to be put back.

    What came makes room first: it may be a link in a folder's place, or in a folder in a file's place.
    """
    return violation.change is not ChangeKind.CREATED, -violation.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What holds a process to its boundary, as far as its start says."""

    kernel: str = ""
    """"bwrap + Landlock", "Landlock alone", and which settings at home it can't hold; empty = nothing."""
    unheld: str = ""
    """Why nothing: "sandbox.mode is off"."""
    hooked: bool = False
    """Its client was given hooks that ask before each tool call."""


NOT_HELD = Held()


class BoundaryView(Struct, frozen=True, kw_only=True):
    """An agent's boundary, for a person."""

    allow: tuple[str, ...] = ()
    """Globs that it may write, as its profile says."""
    deny: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    """The finer rules in words: "no new files", "grows a file by 20 lines at most"."""
    unruled: bool = False
    """Its role has no profile: nothing is held back."""
    kernel: str = ""
    """How the kernel holds the running agent: "bwrap + Landlock", "Landlock alone"; empty = not at all."""
    hook: bool = False
    """Its client's hook has judged a call in this life of the agent, or is known to be asked."""
    unenforced: str = ""
    """Why neither kernel nor hook holds it, in words; empty = at least one does."""
    waived: bool = False
    """The person has turned the kernel's part off, so nobody is called for that."""
    blocked: int = 0
    """Calls that were refused today, in the budgets' timezone."""
    last_blocked: Decision | None = None
    held_known: bool = True
    """False: of a recorded moment, of which nobody wrote down what held the agent."""

    @property
    def words(self) -> str:
        """Return the boundary in one line: "may write: docs/**, *.md; never: **/*.py"."""
        if self.unruled:
            return "may write: anything (its role has no profile)"
        said = f"may write: {', '.join(self.allow) or 'nothing'}"
        if self.deny:
            said += f"; never: {', '.join(self.deny)}"
        return "; ".join((said, *self.limits))
