"""Whether a block may be written: read as the file's last one, by the grammar and the rules of the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from teamops.domain.limits import Limits
from teamops.domain.protocol import Protocol
from teamops.handoff import Document, parse
from teamops.handoff.headings import nearest
from teamops.handoff.write import append_text
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block, Problem, Severity, Task
from teamops.model.protocol import GateRun, ProtocolFinding
from teamops.model.role import HUMAN, NONE, Role
from teamops.model.text import clean_line
from teamops.report.append import Judgement

_GRAVE = (Severity.ERROR, Severity.CRITICAL)
_SWALLOWING = frozenset({"unfinished-block", "unclosed-fence", "unclosed-comment", "nul-bytes"})
_GRAVE_HERE = _SWALLOWING | {"unknown-role"}
"""Said with less weight of a block that a person may still be writing, or that stands already."""
ABSENT_TURN, ABSENT_ROLE = "absent-turn", "absent-role"
_FINER = {ABSENT_TURN: "unknown-turn", ABSENT_ROLE: "unknown-role"}
"""The same said of a name that no team has: it is a typing error."""
_OF_THE_RECORD = frozenset(
    {"forged-sign-off", "appended-by-force", "block-rewritten", "block-vanished", "block-inserted"}
)


@dataclass(frozen=True, slots=True)
class Team:
    """The roles that a configuration names: nobody else takes a light, whatever the protocol knows."""

    source: str
    """The configuration's name."""
    roles: tuple[Role, ...]
    """In its order."""

    def mean(self, one: Problem | ProtocolFinding, block: Block) -> Problem | ProtocolFinding:
        """Return ``one``; an unknown Turn with this team's roles in its hint, not with all that the protocol knows."""
        general = one.hint.startswith(("did you mean", "roles: "))
        if isinstance(one, Problem) and one.code == "unknown-turn" and general and block.turn is not None:
            return replace(one, hint=nearest(block.turn, (*self.roles, HUMAN)))
        return one

    def lacks(self, block: Block) -> list[ProtocolFinding]:
        """Return what is to be said of the roles that ``block`` names and the team does not have."""
        here = {*self.roles, HUMAN, NONE}
        named = f"{self.source} names {', '.join(self.roles) or 'no role'}"
        found = []
        if block.turn is not None and block.turn not in here and block.turn != block.role:
            hint = f"{named}; HUMAN stands in for a role that is missing"
            found.append(_lack(block, ABSENT_TURN, Severity.ERROR, block.turn, "who gets the light", hint))
        if block.role not in here:
            hint = f"{named}; nobody wakes or watches another"
            found.append(_lack(block, ABSENT_ROLE, Severity.WARNING, block.role, "who writes", hint))
        return found


def _lack(block: Block, code: str, severity: Severity, role: Role, who: str, hint: str) -> ProtocolFinding:
    return ProtocolFinding(
        code=code,
        severity=severity,
        line=block.line,
        message=f"the team has no {clean_line(role, 40)} ({who})",
        hint=hint,
        task=block.task,
        index=block.index,
        digest=block.digest,
        role=block.role,
    )


class Checker:
    """Reads the file once, and again only what came since: under the lock there is little left to do."""

    def __init__(self, roles: Sequence[Role], limits: Limits, team: Team | None = None) -> None:
        self._team = team
        self._roles = tuple(roles)
        self._document = Document(roles)
        self._protocol = Protocol(limits)
        self._data = b""
        self._tasks: tuple[Task, ...] = ()
        """Those of ``_data``."""

    def claims(self, text: str) -> bool:
        """Return whether the block ``text`` claims a gate, in its field or in a section."""
        return any(block.checks for block in parse(text.encode("utf-8", "replace"), self._roles).blocks)

    def read(self, data: bytes) -> tuple[Task, ...]:
        """Read the file as it is now; return its tasks."""
        grown = len(data) > len(self._data) > 0 and data.startswith(self._data)
        if not grown or not self._document.append(len(data), lambda start, end: data[start:end]):
            self._document.load(len(data), lambda start, end: data[start:end])
        self._data = data
        self._tasks = self._protocol.after(self._document.handoff.blocks).tasks
        return self._tasks

    def judge(self, data: bytes, text: str, runs: Sequence[GateRun] = ()) -> Judgement:
        """Return what is to be said of the block ``text`` if it came after ``data``.

        ``runs``: the gates that teamops ran, where that is known. Raises ``TeamopsError`` where ``text`` would be no
        block.
        """
        if data != self._data:
            self.read(data)
        before, tasks = len(self._document.handoff.blocks), self._tasks
        after = data + append_text(data[-4:], text)
        if not self._document.append(len(after), lambda start, end: after[start:end]):
            self._document.load(len(after), lambda start, end: after[start:end])
        self._data = after
        handoff = self._document.handoff
        if len(handoff.blocks) != before + 1 or handoff.blocks[-1].start < len(data):
            raise _swallowed(handoff.problems)
        block = handoff.blocks[-1]
        reading = self._protocol.after(handoff.blocks)
        self._tasks = reading.tasks
        key = (block.task or "").lower()
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
        if self._team is not None:
            said = [self._team.mean(one, block) for one in said]
            known = {one.code for one in said}
            said += [one for one in self._team.lacks(block) if not known & {one.code, _FINER[one.code]}]
        refused = [one for one in said if one.severity in _GRAVE or one.code in _GRAVE_HERE]
        warned = [one for one in said if one not in refused and one.severity is Severity.WARNING]
        return Judgement(
            block=block,
            blocks=handoff.blocks,
            task=next(task for task in reading.tasks if (task.task or "").lower() == key),
            held=tuple(task.task for task in tasks if task.open and task.turn == block.role),
            opened=any(task.open for task in tasks if (task.task or "").lower() == key),
            refused=tuple(refused),
            warned=tuple(warned),
        )


def _swallowed(problems: Sequence[Problem]) -> TeamopsError:
    """Return why a block would not be seen as one."""
    cause = next((one for one in reversed(problems) if one.code in _SWALLOWING), None)
    if cause is None:
        return TeamopsError("this would not be read as a block of its own", "begin it with ### [ROLE] YYYY-MM-DD HH:MM")
    return TeamopsError(
        f"the block would not be seen, nothing was written: line {cause.line}: {clean_line(cause.message, 200)}",
        f"{clean_line(cause.hint, 200)}; until then nobody's block is read",
    )
