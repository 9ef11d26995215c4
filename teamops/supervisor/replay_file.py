"""The handoff file of a recorded day, as it stood between one change and the next."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from teamops.config.settings import Settings
from teamops.domain import timeline
from teamops.domain.proof import Proof, Prover
from teamops.domain.protocol import Protocol
from teamops.handoff import ROLES, Document
from teamops.ledger.recorded import StoredBlock, Trail
from teamops.model.handoff import Handoff, Task
from teamops.model.protocol import Approval, ProtocolFinding, StageTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The file from one change on to the next, with what the rules and the ledger said of it."""

    since_wall: float
    handoff: Handoff
    tasks: tuple[Task, ...]
    findings: tuple[ProtocolFinding, ...]
    proof: Proof
    approvals: tuple[Approval, ...]

    def task(self, name: str | None) -> Task | None:
        """Return the task of that name, whatever its case."""
        key = (name or "").lower()
        return next((task for task in self.tasks if (task.task or "").lower() == key), None)


class RecordedFile:
    """All versions of a day. Its blocks are numbered as they stand in it: what stood between them is not on record."""

    def __init__(self, trail: Trail, settings: Settings, since_wall: float) -> None:
        self._blocks = tuple(block for block in trail.blocks if block.text)
        self._texts = {block.digest: block.text for block in self._blocks}
        self.walls = {block.digest: block.wall for block in self._blocks if block.wall is not None}
        """When each block was first seen, by digest."""
        self.known = trail.digests
        """Digests of all blocks on record."""
        self._came = sorted(block.came for block in trail.blocks)
        self._versions = list(self._read(trail, settings, (since_wall, *trail.edges)))
        self._begins = [version.since_wall for version in self._versions]

    def at(self, wall: float) -> Version:
        """Return the file as it stood at ``wall``."""
        return self._versions[max(0, bisect_right(self._begins, wall) - 1)]

    def came_between(self, since: float, until: float) -> bool:
        """Return whether a block came after ``since``, and by ``until``."""
        return bisect_right(self._came, since) < bisect_right(self._came, until)

    def text(self, digest: str) -> str | None:
        """Return a block's text; ``None`` where it is not on record."""
        return self._texts.get(digest)

    def stages(self, version: Version, task: Task, wall: float) -> tuple[StageTime, ...]:
        """Return what a task had spent in each stage until ``wall``."""
        blocks = version.handoff.blocks
        return timeline.stage_times(task, blocks, timeline.walls(blocks, self.walls), wall)

    def _read(self, trail: Trail, settings: Settings, edges: Sequence[float]) -> Iterator[Version]:
        document = Document({*ROLES, *(role.role for role in settings.roles)})
        protocol = Protocol(settings.limits)
        standing: list[StoredBlock] = []
        data = b""
        for edge in edges:
            now = [block for block in self._blocks if block.came <= edge < block.gone]
            if now[: len(standing)] == standing:
                data += b"".join(_bytes(block) for block in now[len(standing) :])
            else:
                data = b"".join(_bytes(block) for block in now)
            if now != standing or not standing:
                document.update(len(data), lambda start, end, data=data: data[start:end])  # type: ignore[misc]
            standing = now
            reading = protocol.after(document.handoff.blocks)
            approvals = tuple(trail.approvals.at(edge))
            proof = Proof(
                approved=frozenset(approval.digest for approval in approvals),
                tampers=tuple(sorted(trail.tampers.at(edge), key=lambda tamper: tamper.id)),
                runs=tuple(trail.gates.at(edge)),
                forced=dict(trail.forced.at(edge)),
            )
            proven = Prover(proof).after(document.handoff.blocks, reading)
            yield Version(
                since_wall=edge,
                handoff=document.handoff,
                tasks=proven.tasks,
                findings=proven.findings,
                proof=proof,
                approvals=approvals,
            )


def _bytes(block: StoredBlock) -> bytes:
    return block.text.encode() + b"\n\n"
