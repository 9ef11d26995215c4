"""The same folders counted by ccusage 20 itself: by day and by session the totals are the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.claude_tree import grow

VERSION = "20.0.24"
OWN = Path(__file__).parents[2] / "build" / "ccusage" / "node_modules" / ".bin"
"""Where ``.ci/run`` installs it."""
CENT_OF_CENT = Decimal("1e-6")
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York")


@pytest.fixture(scope="module")
def ccusage() -> list[str]:
    """Return how ccusage is called."""
    found = shutil.which("ccusage", path=os.pathsep.join([str(OWN), os.environ.get("PATH", "")]))
    if found is None:
        pytest.skip(f"ccusage 20 is not installed (npm install --prefix build/ccusage ccusage@{VERSION})")
    return [found]


def told(words: list[str], homes: list[Path]) -> dict[str, Any]:
    env = {**os.environ, "CLAUDE_CONFIG_DIR": ",".join(map(str, homes))}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def usage(by: str, zone: str, homes: list[Path]) -> dict[str, Decimal]:
    words = [sys.executable, "-m", "teamops", "usage", "--json", "--by", by, "--tz", zone]
    sums: dict[str, Decimal] = {}
    for row in told(words, homes)["rows"]:
        assert row["client"] == "claude"
        assert row["cost_usd"] is not None, row
        sums[row[by]] = sums.get(row[by], Decimal(0)) + Decimal(row["cost_usd"])
    return sums


def by_ccusage(ccusage: list[str], by: str, zone: str, homes: list[Path]) -> dict[str, Decimal]:
    command, rows, name = {"day": ("daily", "daily", "date"), "session": ("session", "sessions", "sessionId")}[by]
    sums: dict[str, Decimal] = {}
    for row in told([*ccusage, "claude", command, "--json", "--offline", "-z", zone], homes)[rows]:
        sums[row[name]] = sums.get(row[name], Decimal(0)) + Decimal(str(row["totalCost"]))
    return sums


def differences(
    ours: dict[str, Decimal], theirs: dict[str, Decimal], models: int
) -> dict[str, tuple[Decimal, Decimal]]:
    zero = Decimal(0)
    pairs = {name: (ours.get(name, zero), theirs.get(name, zero)) for name in ours.keys() | theirs.keys()}
    # Each row of ours is rounded once, to a millionth; a day has a row for each model.
    return {name: pair for name, pair in pairs.items() if abs(pair[0] - pair[1]) > CENT_OF_CENT * models}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_totals_are_those_of_ccusage(ccusage: list[str], tmp_path: Path, seed: int) -> None:
    homes = [tmp_path / "b", tmp_path / "a"]
    zone = ZONES[seed % len(ZONES)]
    for part in range(2):  # read at once, and what was added after that
        grow(homes, 100 * seed + part, 6)
        for by in ("day", "session"):
            theirs = by_ccusage(ccusage, by, zone, homes)
            assert theirs
            assert differences(usage(by, zone, homes), theirs, 5) == {}, (by, zone, part)
