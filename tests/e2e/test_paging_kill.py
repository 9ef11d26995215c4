"""kill -9 in the midst of paging: no page is lost, and none is told twice but the one that was just being delivered."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

COUNT = 18
EACH = 3
"""So many deliveries of its own each life has before it is killed."""
ROOT = Path(__file__).parents[2]


def lines(folder: Path) -> list[str]:
    heard = folder / "heard"
    return heard.read_text(encoding="utf-8").splitlines() if heard.exists() else []


@pytest.mark.slow
def test_each_page_is_delivered_though_every_life_is_killed(tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    words = [sys.executable, "-m", "tests.e2e.paging_life", str(tmp_path), str(COUNT)]
    kills, deadline = 0, time.monotonic() + 120
    while True:
        before = len(lines(tmp_path))
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as life:
            while life.poll() is None and len(lines(tmp_path)) < before + EACH:
                assert time.monotonic() < deadline, lines(tmp_path)
                time.sleep(0.002)  # a poll
            if life.poll() is not None:
                break
            life.kill()
            kills += 1
    assert life.returncode == 0
    assert kills >= 4
    told = Counter(lines(tmp_path))
    assert {line.split()[1].split("#")[0] for line in told} == {f"t{number}" for number in range(COUNT)}
    repeated = {line: times for line, times in told.items() if times > 1}
    assert sum(times - 1 for times in repeated.values()) <= kills, "one at most for each kill"
    subjects = Counter(line.split()[1] for line in told)
    assert set(subjects.values()) == {1}, "an alert is told by one page, however often that is delivered"
    assert len(list((tmp_path / "shown").iterdir())) == COUNT, "a channel that knows ids shows each once"
