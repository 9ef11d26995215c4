"""Lines go out by a thread of their own: nobody who says one waits for whoever reads it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from teamops.cli import lines
from teamops.cli.lines import Lines


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """What is read, and what is written."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue  # closed by the test


def read_all(file: int) -> list[str]:
    with os.fdopen(os.dup(file)) as stream:
        return stream.read().splitlines()


def test_all_is_written_in_its_order(pipe: tuple[int, int]) -> None:
    with os.fdopen(os.dup(pipe[1]), "w", encoding="latin-1", errors="strict") as stream:
        out = Lines(stream)
        for number in range(500):
            out.say(f"{number} é")
        out.say("→")  # not in that encoding
        out.close(10.0)
        out.say("after the end")
    os.close(pipe[1])
    with os.fdopen(os.dup(pipe[0]), encoding="latin-1") as read:
        assert read.read().splitlines() == [*(f"{number} é" for number in range(500)), "?"]


@pytest.mark.parametrize("blocking", [True, False])
def test_who_says_something_does_not_wait_for_one_that_takes_nothing(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, *, blocking: bool
) -> None:
    monkeypatch.setattr(lines, "MOST", 10)
    os.set_blocking(pipe[1], blocking)
    with os.fdopen(os.dup(pipe[1]), "w") as stream:
        out = Lines(stream)
        began = time.monotonic()
        for _ in range(5000):
            out.say("x" * 1000)
        assert time.monotonic() - began < 5.0
        got: list[str] = []
        reader = threading.Thread(target=lambda: got.extend(read_all(pipe[0])))
        reader.start()
        end = time.monotonic() + 20.0
        while out.waits:
            assert time.monotonic() < end
            time.sleep(0.01)
        out.say("again")
        out.close(10.0)
    os.close(pipe[1])
    reader.join(20.0)
    said = [line.split() for line in got if line.startswith("…")]  # two of them, where the thread had its turn late
    assert said
    assert all(line[2:] == ["lines", "were", "left", "out:", "nobody", "took", "them"] for line in said)
    assert sum(int(line[1]) for line in said) == 5000 - got.count("x" * 1000)
    assert len(got) == got.count("x" * 1000) + len(said) + 1
    assert got[-1] == "again"


def test_the_end_does_not_wait_for_ever(pipe: tuple[int, int]) -> None:
    with os.fdopen(os.dup(pipe[1]), "w") as stream:
        out = Lines(stream)
        for _ in range(500):
            out.say("x" * 1000)
        began = time.monotonic()
        out.close(0.1)
        assert time.monotonic() - began < 2.0
    os.close(pipe[1])
    read_all(pipe[0])


def test_that_nobody_reads_any_more_is_told_once(pipe: tuple[int, int]) -> None:
    told: list[BrokenPipeError] = []
    gone = threading.Event()

    def on_gone(error: BrokenPipeError) -> None:
        told.append(error)
        gone.set()

    os.close(pipe[0])
    with os.fdopen(os.dup(pipe[1]), "w") as stream:
        out = Lines(stream, on_gone)
        for _ in range(3):
            out.say("x")
        assert gone.wait(10.0)
        out.say("x")
        out.close(1.0)
    assert len(told) == 1


def test_a_full_disk_loses_a_line_and_no_more() -> None:
    with open("/dev/full", "w") as stream:  # noqa: PTH123 - the device
        out = Lines(stream)
        out.say("x")
        out.say("y")
        out.close(10.0)
        assert not out.waits


def test_without_a_stream_nothing_is_written() -> None:
    out = Lines(None)
    out.say("x")
    out.close(1.0)
