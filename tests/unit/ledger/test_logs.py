"""Whose logs told usage, and what rewritten ones told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from teamops.ledger.logs import ToldLog
from teamops.ledger.store import Ledger, open_ledger
from teamops.model.role import CODER, REVIEWER
from teamops.model.tail import KnownLog, Position
from teamops.model.usage import Tokens, Usage

LINES = ToldLog("codex", 60.0, rewritten=False)
DATABASE = ToldLog("opencode", 90.0, rewritten=True)
USAGE = Usage(
    wall=60.0,
    model="m",
    tokens=Tokens(1, 2, 3, 4, 5),
    client="opencode",
    session="s",
    speed="fast",
    service_tier="t",
    cost_usd=Decimal("0.1"),
    key="k",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "ledger.sqlite3")
    yield opened
    opened.close()


def test_a_log_is_its_last_teller_s(ledger: Ledger) -> None:
    ledger.add_usage(CODER, [(USAGE, None)], Position("/a", 1, 1, 10), log=LINES)
    ledger.add_usage(REVIEWER, [(USAGE, None)], Position("/a", 1, 1, 20), log=replace(LINES, wall=70.0))
    ledger.add_usage(CODER, [(USAGE, None)], Position("/b#s", 1, 1, 1), log=DATABASE)
    ledger.add_usage(CODER, [], Position("/c", 1, 1, 1), log=LINES)  # has told nothing yet
    assert ledger.logs.known() == {
        "/a": KnownLog(REVIEWER, "codex", 70.0),
        "/b#s": KnownLog(CODER, "opencode", 90.0),
    }


def test_what_rewritten_logs_told_comes_back_as_it_was(ledger: Ledger) -> None:
    unpriced = replace(USAGE, key="l", cost_usd=None, tokens=Tokens(-1, 0))
    nameless = replace(USAGE, key="")
    rows: list[tuple[Usage, Decimal | None]] = [(usage, None) for usage in (USAGE, unpriced, nameless)]
    ledger.add_usage(CODER, rows, Position("/b", 1, 1, 1), log=DATABASE)
    ledger.add_usage(CODER, rows, Position("/b", 1, 1, 1), log=DATABASE)  # a replay
    ledger.add_usage(CODER, rows, Position("/a", 1, 1, 1), log=LINES)
    assert ledger.logs.counted() == {"opencode": [USAGE, unpriced]}
