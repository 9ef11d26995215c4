"""The protocol in values: what breaks it, what proves the work, who signed it."""

from __future__ import annotations

from msgspec import Struct

from teamops.model.handoff import Severity, Stage, Task
from teamops.model.role import Role
from teamops.model.spend import BlockSpend, TaskSpend


class ProtocolFinding(Struct, frozen=True, kw_only=True):
    """A block that breaks a rule of the protocol. Never stops the reading; says how to mend it."""

    code: str
    """Kebab-case and stable, listed in docs/protocol.md."""
    severity: Severity
    line: int
    """1-based line in the file: the block's heading, or the point in it."""
    message: str
    """What is wrong."""
    hint: str
    """How to mend it."""
    task: str | None
    index: int
    """Index of the block; -1 where it is no more in the file."""
    digest: str
    """Of the block: with ``code`` and ``line`` the finding's identity."""
    role: Role | None = None
    """Who wrote it."""
    tamper: int | None = None
    """The ledger's row of a rewrite: a difference can be shown."""


class GateRun(Struct, frozen=True, kw_only=True):
    """One run of a gate by teamops itself, kept in the ledger."""

    task: str | None
    gate: str
    """runs, correct or complete."""
    command: str
    """What was run, or the rule that was applied, for a person."""
    ok: bool
    exit_status: int | None
    """``None``: no program was run, or it was ended."""
    started_wall: float
    seconds: float
    commit: str
    """HEAD then; empty without git."""
    tree: str
    """Hash of the work tree then, without the handoff file; empty without git."""
    tail: str
    """The last lines of its output, cleaned."""


class Approval(Struct, frozen=True, kw_only=True):
    """A sign-off, or another block of the person, as the ledger has it: written before the block itself."""

    task: str | None
    approver: str
    """The person's login name."""
    wall: float
    verdict: str
    """signed off, sent back, block (anything else the person wrote), recorded (a block that stood already)."""
    note: str
    digest: str
    """Digest of the HUMAN block in the file."""
    chain: str
    """Digest of all that was signed: the task's blocks before it."""


class KnownBlock(Struct, frozen=True, kw_only=True):
    """A block as the ledger knows it: the audit trail."""

    id: int
    digest: str
    role: Role
    task: str | None
    heading: str
    """Its first line, cleaned."""
    wall: float
    """When teamops saw it first, Unix seconds."""
    adopted: bool
    """It stood in the file when teamops saw the file for the first time."""


class Tamper(Struct, frozen=True, kw_only=True):
    """A block that was changed after it was handed on."""

    id: int
    wall: float
    """When teamops noticed."""
    kind: str
    """rewritten, vanished, inserted."""
    before: KnownBlock | None
    """``None`` for an inserted one."""
    after: str
    """Digest of what stands there now; empty for a vanished one."""
    accepted: str = ""
    """Who accepted it; empty = nobody."""


class StageTime(Struct, frozen=True):
    """What a task has spent in one stage."""

    stage: Stage
    seconds: float
    visits: int
    """How often it came there: above 1 the work was sent back."""
    current: bool


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One block in the story of its task."""

    index: int
    line: int
    role: Role
    turn: Role | None
    stage: Stage
    """Where the task stood when the block was written: what its author was doing."""
    wall: float
    """When teamops saw it, else its heading's time; 0 = neither is known."""
    seconds: float | None
    """So long its author had held the light; ``None`` where that is not known."""
    status: str
    verdict: str
    digest: str
    findings: tuple[str, ...] = ()
    """Codes."""
    used: BlockSpend | None = None
    """What was used under the light that this block ended, since the block before it; ``None``: no agent held it, or it
    is not known."""


class DiffFile(Struct, frozen=True, kw_only=True):
    """One changed file."""

    path: str
    added: int
    removed: int


class DiffStat(Struct, frozen=True, kw_only=True):
    """What changed in the work tree since a task began, its commits and what is not committed."""

    base: str
    """The commit it is compared with."""
    files: tuple[DiffFile, ...]
    commits: int


class TaskReport(Struct, frozen=True, kw_only=True):
    """All that a person needs to judge a task: its whole chain."""

    task: Task
    chain: str
    """Digest of its blocks: a sign-off is bound to it."""
    stages: tuple[StageTime, ...]
    entries: tuple[TimelineEntry, ...]
    findings: tuple[ProtocolFinding, ...]
    runs: tuple[GateRun, ...]
    """The last run of each gate."""
    tree: str
    """Hash of the work tree now; a run of another one is out of date. Empty without git."""
    approvals: tuple[Approval, ...]
    diff: DiffStat | None
    diff_trouble: str
    """Why there is no difference to show; empty = there is."""
    refusal: str
    """Why it can't be signed off now; empty = it can."""
    spend: TaskSpend | None = None
    """What it cost so far; ``None``: not known."""
