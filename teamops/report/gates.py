"""The gates of a task as teamops ran them: for programs (``teamops.gates/1``), for people, and for the next block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from teamops.model.handoff import GATES
from teamops.model.protocol import GateRun
from teamops.model.text import clean_line
from teamops.report.table import NOTHING, WIDTH, table
from teamops.report.times import iso, span

SCHEMA = "teamops.gates/1"
COMPLETE = GATES[-1]
_HASH = 10
"""So many characters of a hash are shown."""
_OWN = "teamops: "
"""How lines of a tail begin that the program didn't write."""
_OUT_OF_PLACE = str.maketrans({"(": "[", ")": "]", ";": ",", "`": "'"})
"""What would end the evidence in a Gates field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatesView:
    """What is known of a task's gates now."""

    task: str | None
    commit: str
    """HEAD now; empty without git, or before the first commit."""
    tree: str
    """Hash of the work tree now; empty where git can't say it."""
    trouble: str = ""
    """Why git can't say it."""
    configured: tuple[str, ...]
    """The gates that teamops can run."""
    runs: tuple[GateRun, ...]
    """The last run of each gate."""

    def run(self, gate: str) -> GateRun | None:
        """Return the last run of ``gate``, or ``None``."""
        return next((run for run in self.runs if run.gate == gate), None)

    def fits(self, run: GateRun) -> bool | None:
        """Return whether the result is one of the work tree as it is now; ``None`` where nobody can know."""
        if not self.tree:
            return None
        return run.tree == self.tree


def gates_json(view: GatesView) -> dict[str, Any]:
    """Return the shape of ``teamops.gates/1``: absent values are null, times ISO, seconds to the millisecond."""
    return {
        "schema": SCHEMA,
        "task": view.task,
        "commit": view.commit or None,
        "tree": view.tree or None,
        "trouble": view.trouble or None,
        "gates": [_gate(view, gate) for gate in GATES],
        "claim": claim(view),
    }


def _gate(view: GatesView, gate: str) -> dict[str, Any]:
    run = view.run(gate)
    return {
        "gate": gate,
        "configured": gate in view.configured,
        "result": None if run is None else "pass" if run.ok else "fail",
        "fits": None if run is None else view.fits(run),
        "command": None if run is None else run.command,
        "exit_status": None if run is None else run.exit_status,
        "started": None if run is None else iso(run.started_wall),
        "seconds": None if run is None else round(run.seconds, 3),
        "commit": (run.commit or None) if run else None,
        "tree": (run.tree or None) if run else None,
        "tail": None if run is None else run.tail,
    }


def gates_text(view: GatesView, width: int = WIDTH, *, tails: bool = True) -> str:
    """Return a table of the gates, the last words of those that failed, and the line for the next block."""
    where = f"work tree {view.tree[:_HASH]}" if view.tree else view.trouble or "no git repository"
    if view.commit:
        where += f", commit {view.commit[:_HASH]}"
    rows = []
    for gate in GATES:
        run = view.run(gate)
        if run is None:
            rows.append((gate, _not_run(view, gate), NOTHING, NOTHING))
        else:
            when = (iso(run.started_wall) or NOTHING)[:16].replace("T", " ")
            rows.append((gate, result(view, run), when, length(run.seconds)))
    parts = [
        f"{view.task or 'the task without a name'}: {where}",
        table(("GATE", "RESULT", "AT", "TOOK"), rows, width),
    ]
    if tails:
        parts += [tail_text(run) for run in view.runs if not run.ok]
    return "\n\n".join([*parts, claim(view)])


def tail_text(run: GateRun) -> str:
    """Return the last words of a gate, indented under its name."""
    lines = run.tail.splitlines() or ["it said nothing"]
    return "\n".join([f"{run.gate}:", *(f"    {line}" for line in lines)])


def result(view: GatesView, run: GateRun) -> str:
    """Return how a run ended, and whether that still says something."""
    word = "passed" if run.ok else "failed"
    if view.fits(run) is not False:
        return word
    return f"{word}, but the {'files changed while it ran' if not run.tree else 'work tree has changed since'}"


def claim(view: GatesView) -> str:
    """Return the Gates field for a block: only what was run on the work tree as it is now says pass."""
    return "**Gates**: " + "; ".join(f"{gate}={_claimed(view, gate)}" for gate in GATES)


def _claimed(view: GatesView, gate: str) -> str:
    run = view.run(gate)
    if run is None:
        return f"unknown ({_not_run(view, gate)})"
    if view.fits(run) is False:
        return f"unknown ({result(view, run)}, run it again)".translate({ord(";"): ","})
    evidence = f"{run.command}: {_last(run)}" + (f", tree {run.tree[:_HASH]}" if run.tree else "")
    return f"{'pass' if run.ok else 'fail'} ({clean_line(evidence.translate(_OUT_OF_PLACE), 240)})"


def length(seconds: float) -> str:
    """Return how long a gate took: ``0.4 s``, ``12 s``, ``3 min``."""
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


def _not_run(view: GatesView, gate: str) -> str:
    if gate in view.configured:
        return "not run by teamops"
    return "not in teamops.toml: prove it yourself"


def _last(run: GateRun) -> str:
    """Return the line that says most: the program's last one, else ours."""
    lines: Sequence[str] = [line.strip() for line in run.tail.splitlines() if line.strip()]
    own = [line for line in lines if not line.startswith(_OWN)]
    if not lines:
        return "exit status 0" if run.ok else "failed without a word"
    if not run.ok and run.gate == COMPLETE:
        return clean_line(own[0] if own else lines[0].removeprefix(_OWN), 120)
    if not run.ok:
        return clean_line(
            ", ".join([*own[-1:], *(line.removeprefix(_OWN) for line in lines if line not in own)][:2]), 120
        )
    return clean_line(own[-1] if own else "exit status 0", 120)
