"""docs/handoff.md tells the truth."""

from __future__ import annotations

import re
from pathlib import Path

from teamops.handoff import parse
from teamops.handoff.problems import CODES

DOCS = Path(__file__).parents[3] / "docs" / "handoff.md"


def test_the_table_of_codes_is_the_registry() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \| (.+) \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    assert rows == [(code, str(severity), meaning) for code, (severity, meaning) in CODES.items()]


def test_the_example_is_a_block_without_problems() -> None:
    example = DOCS.read_text("utf-8").split("```markdown\n")[1].split("```")[0]
    read = parse(example.encode())
    assert [(block.role, block.turn, block.task) for block in read.blocks] == [("DIRECTOR", "DEVELOPER", "Webhooks")]
    assert read.problems == ()
