"""``teamops demo --headless`` from its start to its end, by the clock or by a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DEADLINE_S = 60.0
pytestmark = [pytest.mark.tmux, pytest.mark.slow]

# Python leaves SIGINT ignored where whoever started the tests ignores it; a person's shell does not.
RUN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from teamops.cli.main import main
main(["demo", "--headless", "--pace", "50", *sys.argv[1:]])
"""


@contextmanager
def start(short_dir: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the demo; one that does not end by itself is killed, and its test fails."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(short_dir)},
    ) as demo:
        end = threading.Timer(DEADLINE_S, demo.kill)
        end.start()
        try:
            yield demo
        finally:
            end.cancel()
            demo.kill()


def left(short_dir: Path) -> list[str]:
    return [path.name for path in short_dir.glob("teamops-demo-*/team-*")]


def test_it_ends_by_the_clock_and_prints_the_status(short_dir: Path) -> None:
    before = sorted(Path.home().rglob("*"))
    with start(short_dir, "--seconds", "8", "--json") as demo:
        out, err = demo.communicate(timeout=60)
    assert demo.returncode == 0, err
    status = json.loads(out)
    assert status["schema"] == "teamops.status/1"
    assert status["project"] == "demo"
    assert len(status["agents"]) == 6
    assert all(agent["pid"] for agent in status["agents"])
    assert sum(float(agent["cost_today_usd"]) for agent in status["agents"]) > 0
    assert {light["stale_after_s"] for light in status["light"]} <= {780.0}, "the pace changes no threshold"
    assert "has the light of" in err
    assert (status["findings"], status["problems"]) == ([], 0), "nor is the sample's week taken for forged"
    assert "poke: typed and submitted" in err, "who gets the light is told"
    assert left(short_dir) == []
    assert sorted(Path.home().rglob("*")) == before, "the person's home is not touched"


ENDS = [
    pytest.param(signal.SIGTERM, 143, id="terminated"),
    pytest.param(signal.SIGHUP, 129, id="hung up"),
    pytest.param(signal.SIGINT, 0, id="ctrl-c"),
]


@pytest.mark.parametrize(("number", "code"), ENDS)
def test_a_signal_ends_it_and_all_that_it_started(short_dir: Path, number: signal.Signals, code: int) -> None:
    with start(short_dir) as demo:
        assert demo.stderr is not None
        while "has the light of" not in demo.stderr.readline():
            assert demo.poll() is None
        assert len(left(short_dir)) == 1
        demo.send_signal(number)
        out, err = demo.communicate(timeout=30)
    assert demo.returncode == code, err
    assert ("demo" in out) is (number == signal.SIGINT), "who presses ctrl-c wants to see where it stood"
    assert left(short_dir) == []
