from __future__ import annotations

import re
from pathlib import Path

from teamops.domain.findings import CODES

DOCS = Path(__file__).parents[3] / "docs" / "alerts.md"


def test_the_table_lists_every_code_with_its_meaning() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert rows == dict(CODES)
