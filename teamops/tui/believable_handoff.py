"""The believable team's handoff file: some days of blocks, and their texts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from teamops.model.handoff import Block, Challenges, Gate, GateResult, Point, Section
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, REVIEWER, Role

NOON = datetime(2026, 3, 28, 14, 47, 12)  # noqa: DTZ001 - local by intent: the picture shows the same times everywhere

_TEXTS = (
    (
        DIRECTOR,
        "webhook-retries",
        "design",
        DEVELOPER,
        2,
        75,
        """### [DIRECTOR] {at}

**Status**: done
**Turn**: DEVELOPER
**Tier**: 2
**Task**: webhook-retries

#### What I Did
Designed the retries of failed webhooks. Three parts:

1. A queue in SQLite, one row per delivery (`deliveries`).
2. Back-off with jitter: 1 s, 4 s, 16 s … at most 6 tries.
3. A dead-letter list that a person can replay.

#### For Developer
Implement it in `src/webhooks/`. The receiver may answer **after** our time-out,
so a delivery has an id of its own and must be idempotent.

```python
### [DEVELOPER] this heading is code, not a block
RETRY_AFTER = (1, 4, 16, 64, 256, 1024)
```

- Keep `send()` free of clocks: take `now` as an argument.
- A test per row of the table in `docs/webhooks.md`.
""",
    ),
    (
        DEVELOPER,
        "webhook-retries",
        "done",
        DIRECTOR,
        2,
        44,
        """### [DEVELOPER] {at}

**Status**: done
**Turn**: DIRECTOR
**Gates**: runs=pass (pytest -q: 212 passed); correct=pass (table of 14 cases); complete=pass (docs, tests)

#### What I Did
The queue, the back-off and the dead-letter list stand. Replay is a command.
""",
    ),
    (
        DIRECTOR,
        "webhook-retries",
        "back",
        DEVELOPER,
        2,
        6,
        """### [DIRECTOR] {at}

**Status**: changes requested
**Turn**: DEVELOPER
**Verdict**: changes-requested

#### What I Found
All gates hold. One thing is missing: two workers can take the *same* row.

- `claim()` reads and writes in two statements: make it one `UPDATE … RETURNING`.
- Show it with a test that starts **two** workers.

```sql
UPDATE deliveries SET worker = ?1, claimed_at = ?2
 WHERE id = (SELECT id FROM deliveries WHERE worker IS NULL ORDER BY due LIMIT 1)
RETURNING id;
```

#### For Developer
Only `src/webhooks/queue.py` and its test. Then back to me for the last look.
""",
    ),
)


_STEPS = {
    33: """
#### What I Did
The page saves by itself now; the button is gone.
""",
    34: """
#### Responses
1. Two tabs: the later one wins, and says so.
2. Without a network the page keeps what was typed.
""",
    35: """
#### Challenges
1. A slow network: what does the person see for the first two seconds?
2. Undo takes back the last field. Who finds that out, and where?
""",
}
"""What the last blocks about the settings page say besides their step."""


def believable_blocks() -> tuple[tuple[Block, ...], dict[int, str]]:
    """Return some days of blocks, and their texts by index."""
    blocks: list[Block] = []
    texts: dict[int, str] = {}
    offset, line = 0, 1

    def add(role: Role, task: str, turn: Role, tier: int, minutes: float, status: str, text: str) -> None:
        nonlocal offset, line
        at = (NOON - timedelta(minutes=minutes)).replace(second=0)
        body = text.replace("{at}", f"{at:%Y-%m-%d %H:%M}")
        end, rows = offset + len(body.encode()), body.count("\n") + 1
        points = _points(body, "Challenges", line)
        verdict = re.search(r"\*\*Verdict\*\*: (.*)", body)
        blocks.append(
            Block(
                index=len(blocks),
                role=role,
                at=at,
                line=line,
                end_line=line + rows - 1,
                start=offset,
                end=end,
                task=task,
                status=status,
                turn=turn,
                tier=tier,
                digest=f"{len(blocks):08x}",
                sections=(Section("What I Did", line + 5),),
                verdict=verdict[1] if verdict else None,
                challenges=Challenges(points, line=points[0].line - 1) if points else None,
                responses=_points(body, "Responses", line),
                checks=tuple(
                    Gate(name, GateResult(result), evidence, line + 4)
                    for name, result, evidence in re.findall(r"(\w+)=(pass|fail) \(([^)]*)\)", body)
                ),
            )
        )
        texts[len(blocks) - 1] = body
        offset, line = end, line + rows

    pair = ((DIRECTOR, CODER), (CODER, DIRECTOR), (DIRECTOR, REVIEWER), (REVIEWER, CODER))
    for number in range(36):
        role, turn = pair[number % 4]
        did = f"Step {number + 1} of the settings page."
        verdict = "**Verdict**: changes-requested\n" if role == REVIEWER else ""
        text = f"### [{role}] {{at}}\n\n**Status**: done\n**Turn**: {turn}\n{verdict}\n#### What I Did\n{did}\n"
        text += _STEPS.get(number, "")
        add(role, "settings-page", turn, 3, 2900 - 70 * number, "done", text)
    for role, task, status, turn, tier, minutes, text in _TEXTS:
        add(role, task, turn, tier, minutes, status, text)
    return tuple(blocks), texts


def _points(body: str, section: str, line: int) -> tuple[Point, ...]:
    """Return the numbered points of a section, each with its line in the file."""
    under = ""
    points = []
    for row, text in enumerate(body.splitlines()):
        if text.startswith("#### "):
            under = text[5:]
        elif under == section and (found := re.fullmatch(r"(\d+)\. (.*)", text)):
            points.append(Point(int(found[1]), found[2], line + row))
    return tuple(points)
