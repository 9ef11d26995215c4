"""A terminal that is gone while the screen draws on it: whoever draws never waits for it."""

from __future__ import annotations

import os
import pty
import threading
from collections.abc import Iterator
from typing import TextIO, cast

import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from teamops.tui.terminal import TerminalDriver, Unfailing
from tests.tui.conftest import MakeApp


@pytest.fixture
def gone() -> Iterator[TextIO]:
    """Return the stream of a terminal whose other end was closed."""
    master, slave = pty.openpty()
    stream = open(slave, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a descriptor, closed below
    os.close(master)
    yield stream
    os.close(slave)
    with pytest.raises(OSError, match="Bad file descriptor"):
        stream.close()  # what it kept has nowhere to go


def test_more_is_drawn_than_the_queue_holds(gone: TextIO) -> None:
    writer = WriterThread(cast("TextIO", Unfailing(gone)))
    writer.start()

    def draw() -> None:
        for _ in range(3 * MAX_QUEUED_WRITES):
            writer.write("a frame")
        writer.stop()

    drawing = threading.Thread(target=draw, daemon=True)
    drawing.start()
    drawing.join(20)
    assert not drawing.is_alive(), "it waits for a terminal that is gone"


def test_what_can_be_written_is() -> None:
    master, slave = pty.openpty()
    with open(slave, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
        out = Unfailing(stream)
        assert out.write("a frame") == len("a frame")
        out.flush()
        assert os.read(master, 100) == b"a frame"
        assert out.fileno() == slave
    os.close(master)


def test_the_screen_is_drawn_by_it(make_app: MakeApp) -> None:
    assert make_app().get_driver_class() is TerminalDriver
