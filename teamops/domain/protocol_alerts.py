"""Which broken rules of the protocol a person has to know of now, and in what words. Codes: ``alert_rules``.

A finding stays in the list as long as its block stands; an alert is for what can still be acted on: what the present
light rests on, or how a task was closed, while it is news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from teamops.domain.light import Light
from teamops.model.alert import Finding
from teamops.model.handoff import Severity, Stage, Task
from teamops.model.protocol import ProtocolFinding, Tamper
from teamops.model.role import HUMAN

NEWS_S = 86_400.0
"""A broken rule is an alert for so long after its block was first seen."""
FORGED = "forged-sign-off"
TOLD = frozenset(
    {"two-lights", "design-review-skipped", "code-review-skipped", "sign-off-skipped", "gate-contradicted"}
)
"""The rules that must not break while nobody looks: the person is told away from the screen."""
_KINDS = {"rewritten": "was rewritten", "vanished": "is gone from the file", "inserted": "was put in between"}


class Live(Struct, frozen=True):
    """The findings that may be worth an alert; which of them are, only the time decides."""

    broken: tuple[ProtocolFinding, ...] = ()
    """In the order of the file, one for each rule that a block breaks."""
    forged: tuple[ProtocolFinding, ...] = ()


def live_findings(findings: Sequence[ProtocolFinding], by_name: Mapping[str, Task], first: int = 0) -> Live:
    """Return the errors of blocks on which a present light rests, or that closed a task; and every forged sign-off.

    ``findings``: in the order of the file; ``by_name``: all tasks by their names in lower case; ``first``: index of the
    first block that is news, errors before it are history.
    """
    broken: dict[tuple[str, str], ProtocolFinding] = {}
    for finding in reversed(findings):
        if 0 <= finding.index < first:
            break
        if finding.severity is not Severity.ERROR or finding.tamper is not None or finding.index < 0:
            continue
        task = by_name.get((finding.task or "").lower())
        if task is not None and finding.index >= (task.since_index if task.open else task.blocks[-1]):
            broken[finding.code, finding.digest] = finding
    forged = tuple(finding for finding in findings if finding.severity is Severity.CRITICAL and finding.code == FORGED)
    return Live(tuple(reversed(broken.values())), forged)


def broken_findings(live: Live, walls: Mapping[str, float], wall: float) -> list[Finding]:
    """Return what is to be said about broken rules at ``wall``; ``walls`` says when each block was first seen."""
    found = [
        Finding(
            code="protocol-broken",
            subject=f"{finding.code} {finding.task or ''}#{finding.digest}",
            message=f"line {finding.line}: {finding.message}",
            do=finding.hint or "look at it in the list of findings",
            agent=None if finding.role == HUMAN else finding.role,
            notify=finding.code in TOLD,
        )
        for finding in live.broken
        # A block without a first sight stood already when teamops came: history.
        if walls.get(finding.digest, 0.0) > wall - NEWS_S
    ]
    if live.forged:
        last = live.forged[-1]
        more = f" (and {len(live.forged) - 1} more)" if len(live.forged) > 1 else ""
        found.append(
            Finding(
                code=FORGED,
                # By the newest: one more forged block is news, though the alert of the others was seen already.
                subject=f"{last.task or ''}#{last.digest}",
                message=f"line {last.line}: {last.message}{more}",
                do=last.hint or "was it you? record it with: teamops approve --recorded",
                notify=last.digest in walls,
            )
        )
    return found


def tamper_findings(tampers: Iterable[Tamper]) -> list[Finding]:
    """Return what is to be said about blocks that were changed after they were handed on: one word for each edit."""
    edits: dict[float, list[Tamper]] = {}
    for tamper in tampers:
        if not tamper.accepted:
            edits.setdefault(tamper.wall, []).append(tamper)
    found = []
    for wall, edit in edits.items():
        first = edit[0]
        block = first.before
        what = f'the block "{block.heading}"' if block is not None else "a block"
        kinds = {tamper.kind for tamper in edit}
        words = _KINDS.get(first.kind, "was changed")
        words += "" if first.kind == "inserted" else " after it was handed on"
        if len(edit) > 1:
            what_more = ("block" if len(kinds) == 1 else "change") + ("" if len(edit) == 2 else "s")
            words += f" (and {len(edit) - 1} more {what_more} of the same edit)"
        found.append(
            Finding(
                code="handoff-rewritten",
                subject=f"edit {wall:.3f}",
                message=f"{what} {words}",
                do="look at the difference: put the old text back, or accept it",
                agent=None if block is None or block.role == HUMAN else block.role,
            )
        )
    return found


def human_findings(lights: Iterable[Light]) -> list[Finding]:
    """Return a finding for each light that the person holds."""
    found = []
    for light in lights:
        if light.role != HUMAN:
            continue
        task = f" of {light.task}" if light.task else ""
        signing = light.stage is Stage.SIGN_OFF
        what = f"waits for your sign-off{task}" if signing else f"gives you the light{task}"
        look = f"read the block at line {light.line}"
        found.append(
            Finding(
                code="human-turn",
                subject=f"{light.task or ''}#{light.digest}",
                message=f"the team {what}",
                do=f"{look}, then sign it off or send it back (A)" if signing else f"{look} and answer with your own",
            )
        )
    return found


def unannounced_findings(missed: Iterable[tuple[Light, str]]) -> list[Finding]:
    """Return a finding for each light whose holder was not told of it, and why."""
    return [
        Finding(
            code="handoff-unannounced",
            subject=f"{light.task or ''}#{light.digest}",
            message=f"{light.role} was not told that it holds the light{f' of {light.task}' if light.task else ''}:"
            f" {why}",
            do=f"poke {light.role} (p), or look at its pane (a)",
            agent=light.role,
        )
        for light, why in missed
    ]
