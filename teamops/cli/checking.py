"""Whether a block may be written: read as the file's last one, by the grammar and the rules of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from teamops.domain.limits import Limits
from teamops.domain.protocol import Protocol
from teamops.handoff import Document
from teamops.handoff.write import append_text
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block, Problem, Severity, Task
from teamops.model.protocol import GateRun, ProtocolFinding
from teamops.model.role import Role
from teamops.model.text import clean_line

_GRAVE = (Severity.ERROR, Severity.CRITICAL)
_GRAVE_HERE = frozenset({"unfinished-block", "unclosed-fence", "unclosed-comment", "nul-bytes"})
"""Said with less weight of a block that a person may still be writing."""
_OF_THE_RECORD = frozenset(
    {"forged-sign-off", "appended-by-force", "block-rewritten", "block-vanished", "block-inserted"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is to be said of a block that would be the file's last."""

    block: Block
    blocks: tuple[Block, ...]
    """All blocks of the file, this one last."""
    task: Task
    """The block's task after it."""
    refused: tuple[Problem | ProtocolFinding, ...]
    """Why it must not be written; empty = it may."""
    warned: tuple[Problem | ProtocolFinding, ...]


class Checker:
    """Reads the file once, and again only what came since: under the lock there is little left to do."""

    def __init__(self, roles: Sequence[Role], limits: Limits) -> None:
        self._document = Document(roles)
        self._protocol = Protocol(limits)
        self._data = b""

    def read(self, data: bytes) -> tuple[Task, ...]:
        """Read the file as it is now; return its tasks."""
        grown = len(data) > len(self._data) > 0 and data.startswith(self._data)
        if not grown or not self._document.append(len(data), lambda start, end: data[start:end]):
            self._document.load(len(data), lambda start, end: data[start:end])
        self._data = data
        return self._protocol.after(self._document.handoff.blocks).tasks

    def judge(self, data: bytes, text: str, runs: Sequence[GateRun] = ()) -> Judgement:
        """Return what is to be said of the block ``text`` if it came after ``data``.

        ``runs``: the gates that teamops ran, where that is known. Raises ``TeamopsError`` where ``text`` would be no
        block.
        """
        if data != self._data:
            self.read(data)
        before = len(self._document.handoff.blocks)
        after = data + append_text(data[-4:], text)
        if not self._document.append(len(after), lambda start, end: after[start:end]):
            self._document.load(len(after), lambda start, end: after[start:end])
        self._data = after
        handoff = self._document.handoff
        if len(handoff.blocks) != before + 1 or handoff.blocks[-1].start < len(data):
            raise _swallowed(handoff.problems)
        block = handoff.blocks[-1]
        reading = self._protocol.after(handoff.blocks)
        task = next(task for task in reading.tasks if (task.task or "").lower() == (block.task or "").lower())
        findings = reading.findings
        if runs:
            from teamops.domain.proof import Proof, proven

            proof = Proof(approved=frozenset(), tampers=(), runs=tuple(runs), forced={})
            findings = proven(handoff.blocks, reading, proof).findings
        own = [one for one in findings if one.index == block.index and one.code not in _OF_THE_RECORD]
        said: list[Problem | ProtocolFinding] = [
            *(problem for problem in handoff.problems if problem.line >= block.line),
            *own,
        ]
        refused = [one for one in said if one.severity in _GRAVE or one.code in _GRAVE_HERE]
        warned = [one for one in said if one not in refused and one.severity is Severity.WARNING]
        return Judgement(block=block, blocks=handoff.blocks, task=task, refused=tuple(refused), warned=tuple(warned))


def _swallowed(problems: Sequence[Problem]) -> TeamopsError:
    """Return why a block would not be seen as one."""
    cause = next((one for one in reversed(problems) if one.code in _GRAVE_HERE), None)
    if cause is None:
        return TeamopsError("this would not be read as a block of its own", "begin it with ### [ROLE] YYYY-MM-DD HH:MM")
    return TeamopsError(
        f"the block would not be seen, nothing was written: line {cause.line}: {clean_line(cause.message, 200)}",
        f"{clean_line(cause.hint, 200)}; until then nobody's block is read",
    )
