"""Our totals are those of ccusage 20, the reference, on the same logs. Skipped where the program is not at hand."""

from __future__ import annotations

import json
import os
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


@pytest.mark.parametrize("name", CLIENTS)
def test_tokens_and_dollars_are_those_of_ccusage(name: str, tmp_path: Path) -> None:
    home = home_of(CLIENTS[name], tmp_path)
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
