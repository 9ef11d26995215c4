"""Our totals are those of ccusage 20, the reference, on the same logs. Skipped where the program is not at hand."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from teamops.usage.clients import CLIENTS
from tests.usage_logs import Sum, home_of, read_home, sums

OWN = Path(__file__).parents[2] / "build" / "ccusage" / "node_modules" / ".bin"
"""Where ``.ci/run`` installs it."""


@cache
def program() -> str | None:
    found = shutil.which("ccusage", path=os.pathsep.join([str(OWN), os.environ.get("PATH", "")]))
    if found is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60, check=False)
    return found if said.stdout.split(".")[0].endswith(" 20") else None


def their_days(client: str, home: Path) -> dict[str, dict[str, Any]]:
    ccusage = program()
    if ccusage is None:
        pytest.skip("ccusage 20 is not installed (npm install --prefix build/ccusage ccusage@20.0.24)")
    out = subprocess.run(
        [ccusage, client, "daily", "--json", "--offline", "--timezone", "UTC"],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
        check=True,
    ).stdout
    return {str(day["date"]): day for day in json.loads(out)["daily"]}


def assert_same(name: str, home: Path) -> None:
    theirs = their_days(name, home)
    days: dict[str, Sum] = defaultdict(Sum)
    for (day, _, _), each in sums(read_home(CLIENTS[name], home)[0]).items():
        days[day].tokens += each.tokens
        days[day].cost += each.cost
    assert days.keys() == theirs.keys()
    for day, ours in days.items():
        their = theirs[day]
        assert ours.tokens.input == their["inputTokens"]
        assert ours.tokens.cache_write == their["cacheCreationTokens"]
        assert ours.tokens.cache_read == their["cacheReadTokens"]
        assert ours.tokens.total == their["totalTokens"]  # their output leaves out what some clients reasoned
        assert float(ours.cost) == pytest.approx(their.get("totalCost", their.get("costUSD")), abs=1e-6)


@pytest.mark.parametrize("name", CLIENTS)
def test_tokens_and_dollars_are_those_of_ccusage(name: str, tmp_path: Path) -> None:
    assert_same(name, home_of(CLIENTS[name], tmp_path))


def test_copies_of_all_kinds_count_as_in_ccusage(tmp_path: Path) -> None:
    """Ids that come again under other requests, sessions, days, in side chains, or without a request."""
    dice = random.Random(20)  # noqa: S311 - the same logs at every run
    for group in range(150):
        folder = tmp_path / ".claude" / "projects" / f"p{group}"
        for session in range(dice.randrange(1, 4)):
            for side in (False, True)[: dice.randrange(1, 3)]:
                own = f"{group}-{session}"
                path = folder / (f"{own}/subagents/agent-1.jsonl" if side else f"{own}.jsonl")
                path.parent.mkdir(parents=True, exist_ok=True)
                lines = [response(dice, group, own, side=side) for _ in range(dice.randrange(1, 7))]
                path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    assert_same("claude", tmp_path)


def response(dice: random.Random, group: int, session: str, *, side: bool) -> dict[str, Any]:
    short, hour = dice.choice((0, 100, 200)), dice.choice((0, 300))
    usage: dict[str, Any] = {
        "input_tokens": dice.choice((1, 5, 9)),
        "output_tokens": dice.choice((1, 50, 70)),
        "cache_read_input_tokens": dice.choice((0, 1000)),
        "cache_creation_input_tokens": short,
    }
    if dice.random() < 0.7:
        usage["cache_creation_input_tokens"] = short + hour
        usage["cache_creation"] = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": hour}
    request = dice.choice(("r1", "r2", ""))
    return {
        "type": "assistant",
        "timestamp": f"2026-11-2{dice.randrange(2)}T09:00:0{dice.randrange(3)}.000Z",
        "sessionId": session,
        "isSidechain": side or dice.random() < 0.2,
        "message": {"id": f"{group}-{dice.randrange(4)}", "model": "claude-sonnet-4-5", "usage": usage},
        **({"requestId": request} if request else {}),
    }
