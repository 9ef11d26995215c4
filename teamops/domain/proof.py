"""What only the ledger knows of the blocks: who signed them, what was run, what was changed after it was handed on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from teamops.domain.breach import CODES, breach, named
from teamops.domain.protocol import Reading
from teamops.model.handoff import Block, Gate, GateResult, Standing, Task
from teamops.model.protocol import GateRun, ProtocolFinding, Tamper
from teamops.model.role import HUMAN, IMPLEMENTERS, NONE
from teamops.model.text import clean_line

FORGED = "forged-sign-off"
_SIGNED = (Standing.OPEN, Standing.DONE)
_NOBODY: Mapping[str, str] = MappingProxyType({})
_CHANGED = {
    "rewritten": ("block-rewritten", "was rewritten after it was handed on"),
    "vanished": ("block-vanished", "was handed on and is no more in the file"),
    "inserted": ("block-inserted", "appeared between blocks that were handed on"),
}
_MEND = {
    "block-rewritten": "look at the difference; put the old text back and append what is new, or a person accepts it",
    "block-vanished": "put it back where it stood, or a person accepts that it is gone",
    "block-inserted": "take it out and append it at the end, or a person accepts it",
}


class Proof(Struct, frozen=True, kw_only=True):
    """What the ledger tells."""

    approved: frozenset[str] = frozenset()
    """Digests of the HUMAN blocks that a person wrote through teamops, or recorded."""
    tampers: tuple[Tamper, ...] = ()
    """Oldest first; accepted ones too."""
    runs: tuple[GateRun, ...] = ()
    """The last run of each gate of each task."""
    forced: Mapping[str, str] = field(default_factory=lambda: _NOBODY)
    """Digests of the blocks that were appended against the rules, with what the rules had said."""


def proven(blocks: Sequence[Block], reading: Reading, proof: Proof) -> Reading:
    """Return ``reading`` with what the ledger's ``proof`` finds in ``blocks``, and with the standings that it doubts.

    ``reading``: what the protocol's rules say of the same blocks.
    """
    return Prover(proof).after(blocks, reading)


class Prover:
    """The ledger's word on a file that grows: what was found of a block is not looked for again."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self._found: list[ProtocolFinding] = []
        """Of the blocks taken for good."""
        self._signed: set[str] = set()
        """Digests of the HUMAN blocks among these: a record is for one block."""
        self._count = 0
        """So many: all but the last, which may still be written."""
        self._newest: Block | None = None
        """The last of them. The same object again means the same blocks before it."""
        self._doubted: dict[str, tuple[Task, Task]] = {}
        """Tasks by name, as the blocks tell them and with what is doubted: most are the same the next time."""

    def after(self, blocks: Sequence[Block], reading: Reading) -> Reading:
        """Return what ``proven`` would."""
        if not (0 < self._count < len(blocks)) or blocks[self._count - 1] is not self._newest:
            self._found, self._signed, self._count = [], set(), 0
        for block in blocks[self._count : -1]:
            self._found += self._of_block(block)
            if block.role == HUMAN:
                self._signed.add(block.digest)
        self._count = max(0, len(blocks) - 1)
        self._newest = blocks[self._count - 1] if self._count else None
        own = [*self._found, *(one for block in blocks[-1:] for one in self._of_block(block))]
        denied = _contradicted(blocks, reading.tasks, self.proof.runs)
        found = [*own, *denied, *_tampered(blocks, reading.tasks, self.proof.tampers)]
        if not found:
            return reading
        closed = {_key(one.task): one.index for one in own if one.code == FORGED and blocks[one.index].turn == NONE}
        return Reading(
            self._judged(reading.tasks, closed, {_key(one.task) for one in denied}),
            tuple(sorted((*reading.findings, *found), key=lambda one: _place(one, blocks))),
        )

    def _judged(self, tasks: Sequence[Task], closed: Mapping[str, int], denied: set[str]) -> tuple[Task, ...]:
        """Return the tasks; one that a gate's run contradicts, or that a forged sign-off closed, is "done?".

        ``closed``: by task, the last forged block that closes it; ``denied``: tasks with a contradicted gate.
        """
        judged = []
        for task in tasks:
            key = _key(task.task)
            forged = not task.open and closed.get(key, -1) >= task.since_index
            if (forged or key in denied) and task.standing in (_SIGNED if forged else (Standing.DONE,)):
                known = self._doubted.get(key)
                if known is None or known[0] is not task:
                    known = self._doubted[key] = (task, replace(task, standing=Standing.DOUBTED))
                judged.append(known[1])
            else:
                judged.append(task)
        return tuple(judged)

    def _of_block(self, block: Block) -> Iterator[ProtocolFinding]:
        if block.role == HUMAN and block.complete:
            if block.digest not in self.proof.approved:
                yield breach(
                    FORGED,
                    block,
                    f"a HUMAN block{named(block.task)} that no person is known to have written: nobody signed it",
                    "was it you? record it with: teamops approve --recorded; if not, nothing that it says holds",
                )
            elif block.digest in self._signed:
                yield breach(
                    FORGED,
                    block,
                    f"a copy of an earlier HUMAN block{named(block.task)}: the person signed once, not twice",
                    "take it out; if it was you, write it anew with teamops",
                )
        if block.digest in self.proof.forced:
            why = clean_line(self.proof.forced[block.digest], 300)
            yield breach(
                "appended-by-force",
                block,
                f"[{block.role}] appended this against the rules: {why}",
                "mend what the rules said, or go on knowing it",
            )


def _contradicted(blocks: Sequence[Block], tasks: Sequence[Task], runs: Iterable[GateRun]) -> list[ProtocolFinding]:
    last = {(_key(run.task), run.gate): run for run in runs}
    failed = [(key, run) for (key, _), run in last.items() if not run.ok]
    if not failed:
        return []
    by_name = {_key(task.task): task for task in tasks}
    found = []
    for key, run in failed:
        claim = _claim(by_name[key], blocks, run.gate) if key in by_name else None
        if claim is not None:
            block, gate = claim
            how = "failed" if run.exit_status is None else f"ended with exit status {run.exit_status}"
            found.append(
                breach(
                    "gate-contradicted",
                    block,
                    f"[{block.role}] claims that {gate.name} passes, but its last run here {how}:"
                    f" {clean_line(run.command, 80)}",
                    "mend the work and run the gate again (teamops gate run), or append a block that claims it as fail",
                    gate.line or None,
                )
            )
    return found


def _claim(task: Task, blocks: Sequence[Block], name: str) -> tuple[Block, Gate] | None:
    """Return the newest claim that a gate passes; ``None`` where it is withdrawn, or the work goes on since."""
    for index in reversed(task.blocks):
        block = blocks[index]
        gate = next((one for one in block.checks if one.name == name), None) if block.complete else None
        if gate is not None:
            return (block, gate) if gate.result is GateResult.PASS else None
        if block.complete and block.turn in IMPLEMENTERS and block.role not in IMPLEMENTERS:
            return None
    return None


def _tampered(blocks: Sequence[Block], tasks: Sequence[Task], tampers: Sequence[Tamper]) -> list[ProtocolFinding]:
    open_ = [tamper for tamper in tampers if not tamper.accepted]
    if not open_:
        return []
    places = {block.digest: index for index, block in enumerate(blocks)}
    further: dict[str, list[Tamper]] = {}
    for tamper in tampers:
        if tamper.before is not None:
            further.setdefault(tamper.before.digest, []).append(tamper)
    newest = {_key(task.task): blocks[task.blocks[-1]] for task in tasks}
    found = []
    for tamper in open_:
        digest = _now(tamper, further)
        block, before = (blocks[places[digest]] if digest in places else None), tamper.before
        told = block or before
        task, role = (told.task, told.role) if told else (None, None)
        code, what = _CHANGED[tamper.kind]
        if before is not None:
            name = f'the block "{clean_line(before.heading, 80)}"'
        else:
            name = f"a block by {role}{named(task)}" if role else "a block"
        near = block or newest.get(_key(task))
        found.append(
            ProtocolFinding(
                code=code,
                severity=CODES[code][0],
                line=near.line if near else 1,
                message=f"{name} {what}",
                hint=_MEND[code],
                task=task,
                index=block.index if block else -1,
                digest=block.digest if block else before.digest if before else tamper.after,
                role=role,
                tamper=tamper.id,
            )
        )
    return found


def _now(tamper: Tamper, further: Mapping[str, Sequence[Tamper]]) -> str:
    """Return the digest of what stands in the changed block's place now, after all later changes of it."""
    digest, number = tamper.after, tamper.id
    while True:
        step = next((one for one in further.get(digest, ()) if one.id > number), None)
        if step is None:
            return digest
        digest, number = step.after, step.id


def _place(finding: ProtocolFinding, blocks: Sequence[Block]) -> int:
    """Return the index of the block at which a finding stands in the file's order."""
    if finding.index >= 0:
        return finding.index
    return bisect_right(blocks, finding.line, key=lambda block: block.line) - 1


def _key(task: str | None) -> str:
    return (task or "").lower()
