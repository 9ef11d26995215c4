"""The believable team's handoff file: some days of blocks, and their texts."""

from __future__ import annotations

from datetime import datetime, timedelta

from teamops.model.handoff import Block, Section
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
            )
        )
        texts[len(blocks) - 1] = body
        offset, line = end, line + rows

    pair = ((DIRECTOR, CODER), (CODER, DIRECTOR), (DIRECTOR, REVIEWER), (REVIEWER, CODER))
    for number in range(36):
        role, turn = pair[number % 4]
        did = f"Step {number + 1} of the settings page."
        text = f"### [{role}] {{at}}\n\n**Status**: done\n**Turn**: {turn}\n\n#### What I Did\n{did}\n"
        add(role, "settings-page", turn, 3, 2900 - 70 * number, "done", text)
    for role, task, status, turn, tier, minutes, text in _TEXTS:
        add(role, task, turn, tier, minutes, status, text)
    return tuple(blocks), texts
