"""How long the rules of the protocol take: over a long file at start, and for one more block."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from benchmarks.figures import Figure, middle, spread
from teamops.domain.limits import Limits
from teamops.domain.protocol import Protocol
from teamops.handoff import parse
from teamops.handoff.write import render_block
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE, REVIEWER, Role

BLOCKS = 10_000
RUNS = 5
MORE = 200
BEGUN = datetime(2026, 3, 2, 9, 0)  # noqa: DTZ001 - headings are naive local times
GATES = "runs=pass (pytest -q: 212 passed); correct=pass (looked); complete=pass (docs, tests)"

Line = tuple[Role, Role, str, dict[str, str], tuple[tuple[str, str], ...]]
_ASKS = (("Challenges", "1. What if it is empty?\n2. What if it comes twice?"),)
_NONE = (("Challenges", "None: tried it empty, twice and at once."),)
_SAYS = (("Responses", "1. Refused, with a test.\n2. The second one does nothing."),)


def rules() -> Iterable[Figure]:
    """The rules over 10,000 blocks, legal ones and ones of which every second breaks a rule; and for one block more."""
    for name, lines in (("by the rules", _legal()), ("half of them against the rules", _broken())):
        blocks = parse("\n".join(_written(lines, BLOCKS + MORE)).encode()).blocks
        wholes: list[float] = []
        singles: list[float] = []
        found, protocol = 0, Protocol(Limits())
        for _ in range(RUNS):
            protocol = Protocol(Limits())
            begun = time.perf_counter()
            found = len(protocol.after(blocks[:BLOCKS]).findings)
            wholes.append(time.perf_counter() - begun)
        for count in range(BLOCKS + 1, BLOCKS + 1 + MORE):
            shown = blocks[:count]
            begun = time.perf_counter()
            protocol.after(shown)
            singles.append(time.perf_counter() - begun)
        yield Figure(
            what=f"rules over {BLOCKS:,} blocks, {name}", measured=middle(wholes), promise=1.0, unit="s",
            note=f"{spread(wholes, 's')}; {found:,} findings",
        )  # fmt: skip
        yield Figure(
            what="… and over one block more", measured=max(singles), promise=0.005, unit="s",
            note=f"the slowest of {MORE}; median {middle(singles) * 1000:.2f} ms",
        )  # fmt: skip


def _legal() -> list[Line]:
    return [
        (DIRECTOR, REVIEWER, "in progress", {}, ()),
        (REVIEWER, DIRECTOR, "reviewed", {"Verdict": "changes-requested"}, _ASKS),
        (DIRECTOR, REVIEWER, "in progress", {}, _SAYS),
        (REVIEWER, CODER, "reviewed", {"Verdict": "approved"}, _NONE),
        (CODER, CODER, "in progress", {}, ()),
        (CODER, REVIEWER, "done", {"Gates": GATES}, ()),
        (REVIEWER, DIRECTOR, "reviewed", {"Verdict": "approved"}, _NONE),
        (DIRECTOR, HUMAN, "done", {"Gates": GATES}, ()),
        (HUMAN, DIRECTOR, "sent back", {}, ()),
        (DIRECTOR, HUMAN, "done", {"Gates": GATES}, ()),
        (HUMAN, NONE, "signed off", {}, ()),
    ]


def _broken() -> list[Line]:
    return [
        (DIRECTOR, CODER, "in progress", {}, ()),
        (REVIEWER, HUMAN, "reviewed", {"Verdict": "approved"}, ()),
        (CODER, DIRECTOR, "done", {"Gates": "runs=pass"}, ()),
        (DIRECTOR, REVIEWER, "in progress", {}, ()),
        (REVIEWER, DIRECTOR, "reviewed", {"Verdict": "changes-requested"}, _ASKS),
        (DIRECTOR, NONE, "done", {}, ()),
    ]


def _written(lines: list[Line], count: int) -> Iterator[str]:
    for number in range(count):
        turn, place = divmod(number, len(lines))
        role, to, status, more, sections = lines[place]
        yield render_block(
            role,
            BEGUN + timedelta(minutes=number),
            status,
            to,
            3,
            task=f"task-{turn}",
            gates=more.get("Gates"),
            verdict=more.get("Verdict"),
            sections=(("What I Did", "Went on with it."), *sections),
        )
