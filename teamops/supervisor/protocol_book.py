"""What is known of the protocol: the blocks as its rules read them, and what the ledger proves of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from teamops.domain import timeline
from teamops.domain.limits import Limits
from teamops.domain.proof import Proof, Prover
from teamops.domain.protocol import Protocol, Reading
from teamops.domain.protocol_alerts import NEWS_S, Live, live_findings
from teamops.model.handoff import Block, Task
from teamops.model.protocol import Approval, ProtocolFinding, StageTime


@dataclass(slots=True)
class ProtocolBook:
    """The protocol's pages of the book. Nothing is judged anew while neither the blocks nor the ledger have changed."""

    limits: Limits
    walls: dict[str, float] = field(default_factory=dict)
    """When each block was first seen, Unix seconds, by digest. Those that stood already when teamops first saw the file
    are not in it."""
    proof: Proof | None = None
    """What the ledger told last; ``None``: it was never read."""
    approvals: tuple[Approval, ...] = ()
    unjudged: str = ""
    """Why sign-offs and rewrites can't be judged now; empty = they can."""
    tasks: tuple[Task, ...] = ()
    """With what their "done" is worth."""
    findings: tuple[ProtocolFinding, ...] = ()
    """Broken rules, in the order of the file."""
    live: Live = field(default_factory=Live)
    """The findings that may matter now."""
    blocks: tuple[Block, ...] = ()
    born: bool = False
    """There was no handoff file when this life began: whatever comes into it is news."""
    dated: int = 0
    """Grows whenever it becomes known anew when blocks were first seen."""
    _protocol: Protocol | None = None
    _prover: Prover | None = None
    _read: Reading | None = None
    """Of the blocks alone."""
    _news: int = 0
    """Index of the first block that is news."""
    _wall: float = 0.0
    """Unix seconds as of the last look for news."""
    _by_name: dict[str, Task] = field(default_factory=dict)
    _stages: dict[str, tuple[Task, float, tuple[StageTime, ...]]] = field(default_factory=dict)
    """By task, lower case: the task and the moment of which its stages' times are, and these."""

    def task(self, name: str | None) -> Task | None:
        """Return the task of that name, whatever its case."""
        return self._by_name.get((name or "").lower())

    def read(self, blocks: tuple[Block, ...], wall: float, *, appended: bool, history: bool = False) -> None:
        """Take the file's blocks as they are at ``wall``, those that are new as first seen then.

        ``appended``: all but the last one are as before. ``history``: nobody knows when they came.
        """
        if not history:
            before = len(self.blocks) - 1 if appended else 0
            known = {block.digest for block in self.blocks[max(0, before) :]}
            for block in blocks[max(0, before) :]:
                if block.digest not in known:
                    self.walls.setdefault(block.digest, wall)
        if self._protocol is None:
            self._protocol = Protocol(self.limits)
        self._read = self._protocol.after(blocks)
        if not appended:
            self._news = 0
        self._news = min(self._news, max(0, len(self.blocks) - 1))  # the last block may have been another one
        self._wall = wall
        self.blocks = blocks
        self._judge()

    def date(self, digest: str, wall: float | None) -> None:
        """Say when a block was handed on; ``None``: before teamops saw the file."""
        self.dated += 1
        self.walls.pop(digest, None)
        if wall is not None:
            self.walls[digest] = wall

    def prove(self, proof: Proof, approvals: tuple[Approval, ...]) -> None:
        """Take what the ledger tells now."""
        self.proof, self.approvals, self._prover = proof, approvals, Prover(proof)
        self._judge()

    def _judge(self) -> None:
        if self._read is None:
            return
        reading = self._read if self._prover is None else self._prover.after(self.blocks, self._read)
        before, self.tasks, self.findings = self.tasks, reading.tasks, reading.findings
        self._name(before)
        self.see_news(self._wall)

    def _name(self, before: tuple[Task, ...]) -> None:
        """Find tasks by their names. Of those ``before``, most are as they were, and a file may have thousands."""
        pairs = zip(before, self.tasks, strict=False)
        news = [(old, new) for old, new in pairs if old is not new]
        if len(before) > len(self.tasks) or any(old.task != new.task for old, new in news):
            self._by_name, before, news = {}, (), []
        for task in (*(new for _, new in news), *self.tasks[len(before) :]):
            self._by_name[(task.task or "").lower()] = task

    def look_anew(self, wall: float) -> None:
        """Take that it became known when blocks were first seen."""
        self._news = 0
        self.dated += 1
        self._stages.clear()
        self.see_news(wall)

    def see_news(self, wall: float) -> None:
        """Look anew for what may matter at ``wall``: blocks older than a day, or older than teamops, are history."""
        self._wall = wall
        blocks, walls = self.blocks, self.walls
        while self._news < len(blocks) and walls.get(blocks[self._news].digest, 0.0) <= wall - NEWS_S:
            self._news += 1
        self.live = live_findings(self.findings, self._by_name, self._news)

    def stages(self, name: str | None, wall: float) -> tuple[StageTime, ...]:
        """Return what a task has spent in each stage until ``wall``.

        The times are counted once for each change of the task; from then on only its present stage grows.
        """
        task = self.task(name)
        if task is None:
            return ()
        key = (name or "").lower()
        known = self._stages.get(key)
        if known is None or known[0] is not task:
            known = self._stages[key] = (task, wall, self.count_stages(task, wall))
        _, counted, stages = known
        return tuple(
            replace(stage, seconds=stage.seconds + max(0.0, wall - counted)) if stage.current else stage
            for stage in stages
        )

    def count_stages(self, task: Task, wall: float) -> tuple[StageTime, ...]:
        """Count what a task has spent in each stage until ``wall``."""
        return timeline.stage_times(task, self.blocks, timeline.walls(self.blocks, self.walls), wall)
