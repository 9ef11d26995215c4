"""Appending blocks from many writers."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from teamops.handoff import parse
from teamops.handoff.appending import append
from teamops.handoff.locking import locked, take_away
from teamops.handoff.write import append_text, render_block
from teamops.model.role import CODER, HUMAN

AT = datetime.fromisoformat("2026-03-28T14:30")


def block(status: str) -> str:
    return render_block(CODER, AT, status, HUMAN, 2, sections=[("What I Did", f"{status}\n" * 50)])


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (b"", b"x\n"),
        (b"text", b"\n\nx\n"),
        (b"text\n", b"\nx\n"),
        (b"text\n\n", b"x\n"),
        (b"\n\n\n", b"x\n"),
        (b"text\r\n", b"\nx\n"),
        (b"text\r", b"\nx\n"),
    ],
)
def test_a_block_comes_after_a_blank_line(tail: bytes, expected: bytes) -> None:
    assert append_text(tail, "x\n\n") == expected


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "current.md"
    wanted = [f"writer {writer} number {number}" for writer in range(4) for number in range(10)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda status: append(path, block(status)), wanted))
    read = parse(path.read_bytes())
    assert sorted(one.status or "" for one in read.blocks) == sorted(wanted)
    assert {problem.code for problem in read.problems} == set()
    assert {one.name for one in tmp_path.iterdir()} == {"current.md", ".current.md.lock"}


def test_a_file_replaced_meanwhile_gets_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "current.md"
    path.write_text("# Old\n")
    fsync = os.fsync
    replaced = iter([True, False, False])

    def replace_first(file: int) -> None:
        fsync(file)
        if next(replaced):
            path.unlink()

    monkeypatch.setattr(os, "fsync", replace_first)
    append(path, block("done"))
    assert path.read_text() == block("done")


@pytest.mark.parametrize("grown", [False, True], ids=["alone", "another wrote meanwhile"])
def test_a_block_half_written_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, grown: bool) -> None:
    path = tmp_path / "current.md"
    path.write_text("# Team\n")
    write = os.write

    def write_half(file: int, data: bytes) -> int:
        written = write(file, data[:10])
        if grown:
            write(file, b"other")
        return written

    monkeypatch.setattr(os, "write", write_half)
    with pytest.raises(OSError, match="only 10 of"):
        append(path, block("done"))
    assert path.read_text() == ("# Team\n" + "\n" + block("done")[:9] + "other" if grown else "# Team\n")


def test_a_file_that_cannot_be_written_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        append(tmp_path / "missing" / "current.md", block("done"))


def test_a_link_is_followed_to_one_lock(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "current.md"
    link.symlink_to("real/team.md")
    append(link, block("done"))
    assert sorted(one.name for one in (tmp_path / "real").iterdir()) == [".team.md.lock", "team.md"]
    assert link.is_symlink()


def test_a_title_of_hashes_is_still_a_title() -> None:
    text = render_block(CODER, AT, "ok", HUMAN, 2, sections=[("###", ""), ("C# #", "x"), ("C#", "y")])
    assert [section.title for section in parse(text.encode()).blocks[0].sections] == ["…", "C#", "C#"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_who_waited_for_a_lock_that_was_taken_away_holds_the_one_that_stands_there(tmp_path: Path) -> None:
    path, name = tmp_path / "current.md", tmp_path / ".current.md.lock"
    waits, goes_on = threading.Event(), threading.Event()

    def wait() -> bool:
        waits.set()
        with locked(path):
            goes_on.wait(20)
            return name.exists() and not take_away(name)  # it is held, and by this one

    with ThreadPoolExecutor(1) as pool:
        with locked(path):
            held = os.open(name, os.O_RDWR)
            told = pool.submit(wait)
            assert waits.wait(20)
            _until_somebody_waits(held)
            assert not take_away(name)
            name.unlink()
        os.close(held)
        goes_on.set()
        assert told.result(20)
    assert take_away(name)
    assert not name.exists()
    with pytest.raises(FileNotFoundError):
        take_away(name)


def _until_somebody_waits(held: int) -> None:
    """Wait until somebody blocks on the lock's file, as the kernel lists it."""
    inode = f":{os.fstat(held).st_ino} "
    end = time.monotonic() + 20
    while not any("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines()):
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_wait_for_a_lock_that_is_interrupted_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = len(list(Path("/proc/self/fd").iterdir()))
    with monkeypatch.context() as patch:
        patch.setattr("fcntl.flock", interrupted)
        with pytest.raises(KeyboardInterrupt), locked(tmp_path / "current.md"):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
