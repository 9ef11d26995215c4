"""What a simulated agent does on its turn: tool calls with believable output. Pure but for the given random source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random

from teamops.demo.script import Draft
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, OPTIMIZER, PARTNER, REVIEWER, Role

_TOOLS: dict[Role, tuple[str, ...]] = {
    DIRECTOR: ("Read", "Grep", "Read", "Read"),
    DEVELOPER: ("Read", "Grep", "Update", "Bash", "Update", "Bash"),
    CODER: ("Read", "Update", "Update", "Bash"),
    REVIEWER: ("Read", "Bash", "Grep", "Read", "Bash"),
    OPTIMIZER: ("Grep", "Read", "Update", "Bash"),
    PARTNER: ("Search", "Fetch", "Search", "Write"),
}
_THOUGHTS: dict[Role, tuple[str, ...]] = {
    DIRECTOR: ("I read the last block before I decide.", "What is the smallest step that can be proven?"),
    DEVELOPER: ("The failing test first.", "This belongs beside its only caller.", "Green. Now the odd inputs."),
    CODER: ("The plan names the file; I keep to it.", "One change, one test."),
    REVIEWER: ("What if this comes twice?", "I try the claim instead of believing it.", "Which path has no test?"),
    OPTIMIZER: ("Nobody calls this any more.", "Two copies of one thing: one goes."),
    PARTNER: ("What do others report after a year with it?", "The figures first, opinions later."),
}
_CODE = (
    ("timeout = 600", "timeout = endpoint.read_timeout"),
    ("for item in rows:", "for item in islice(rows, limit):"),
    ("except Exception:", "except DeliveryError as error:"),
    ("return None", "return Attempt(state=State.FAILED, reason=reason)"),
    ("delay = step", "delay = random.uniform(0, step)"),
    ("if a == b:", "if hmac.compare_digest(a, b):"),
)


@dataclass(frozen=True, slots=True)
class Act:
    """One tool call."""

    thought: str
    """Said before it; may be empty."""
    tool: str
    target: str
    result: tuple[str, ...]
    """Lines of its output; those that begin with "- " and "+ " are a diff."""


def acts_of(draft: Draft, rng: Random) -> tuple[Act, ...]:
    """Return what ``draft.role`` does before it writes ``draft``."""
    tools = _TOOLS.get(draft.role, _TOOLS[CODER])
    thoughts = _THOUGHTS.get(draft.role, _THOUGHTS[CODER])
    if draft.opens:
        return (Act("What comes next?", "Read", "current.md", (f"Read {rng.randint(180, 900)} lines",)),)
    first = Act(thoughts[0], "Read", "current.md", (f"Read {rng.randint(180, 900)} lines",))
    files = cycle(draft.files or ("src/app.py",))
    # Each thought once, each file in its turn: nobody reads one file three times over.
    later = [*thoughts[1:], *[""] * len(tools)]
    rest = [
        Act(later[number // 2] if number % 2 else "", tool, *_used(tool, next(files), draft, rng))
        for number, tool in enumerate(tools[: rng.randint(3, len(tools))])
    ]
    return (first, *rest)


def _used(tool: str, file: str, draft: Draft, rng: Random) -> tuple[str, tuple[str, ...]]:
    """Return what the tool is aimed at, and what it prints."""
    line = rng.randint(12, 240)
    if tool == "Grep":
        return f'"{rng.choice(("timeout", "retry", "secret", "endpoint"))}" in src/', (f"{rng.randint(2, 31)} matches",)
    if tool == "Update":
        removed, added = rng.choice(_CODE)
        gone = draft.role == OPTIMIZER
        head = f"{rng.randint(4, 60)} lines removed" if gone else "1 line changed"
        diff = (f"- {line:>4}  {removed}",) if gone else (f"- {line:>4}  {removed}", f"+ {line:>4}  {added}")
        return file, (head, *diff)
    if tool == "Bash":
        return _command(draft, file, rng)
    if tool == "Search":
        return f'"{(draft.task or "task").replace("-", " ")}"', (f"{rng.randint(5, 20)} results",)
    if tool == "Fetch":
        return "a page from the results", (f"{rng.randint(8, 90)} kB",)
    if tool == "Write":
        return file, (f"Wrote {rng.randint(40, 120)} lines",)
    return file, (f"Read {rng.randint(40, 420)} lines",)


def _command(draft: Draft, file: str, rng: Random) -> tuple[str, tuple[str, ...]]:
    if draft.role == REVIEWER:
        return f"git diff --stat {file}", (f"1 file changed, {rng.randint(8, 90)} insertions(+)",)
    tests: Sequence[str] = [name for name in draft.files if name.startswith("tests/")] or ["tests"]
    return f"pytest -q {tests[0]}", (f"{rng.randint(18, 96)} passed in {rng.uniform(0.6, 6):.2f}s",)
