"""How many acts came upon a file, by what inotify tells of real ones."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from teamops.sources.acts import MAX_NAMES, Acts
from teamops.sources.inotify import CLOSE_WRITE, CREATE, DELETE, MODIFY, MOVED_TO, Inotify


def write(path: Path) -> None:
    path.write_bytes(b"new\n")


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"1\n")
        file.flush()
        file.write(b"2\n")


def replace(path: Path) -> None:
    path.with_name("x.tmp").write_bytes(b"new\n")
    path.with_name("x.tmp").replace(path)


def save_like_vim(path: Path) -> None:
    path.rename(path.with_name("a~"))
    path.write_bytes(b"new\n")
    path.with_name("a~").unlink()


def delete(path: Path) -> None:
    path.unlink()


def sed(path: Path) -> None:
    subprocess.run(["sed", "-i", "s/o/x/", str(path)], check=True)


def touch(path: Path) -> None:
    os.utime(path)


def leave_open(path: Path) -> None:
    os.write(os.open(path, os.O_WRONLY | os.O_APPEND), b"more\n")


def both(*acts: Callable[[Path], None]) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        for act in acts:
            act(path)

    return do


@pytest.mark.parametrize(
    ("act", "single"),
    [
        (write, True),
        (append, True),
        (replace, True),
        (save_like_vim, True),
        (delete, True),
        (sed, True),
        (leave_open, True),
        (touch, False),
        (both(append, append), False),
        (both(write, replace), False),
        (both(append, delete), False),
        (both(save_like_vim, append), False),
        (both(touch, append), True),
        (both(replace, replace), False),
    ],
    ids=[
        "write",
        "append",
        "replace",
        "vim",
        "delete",
        "sed",
        "open",
        "none",
        "a a",
        "w r",
        "a d",
        "v a",
        "t a",
        "r r",
    ],
)
async def test_acts(tmp_path: Path, act: Callable[[Path], None], single: bool) -> None:
    (tmp_path / "a").write_bytes(b"one\n")
    acts = Acts()
    inotify = Inotify(lambda _, name, mask: acts.see(name, mask))
    assert inotify.open() == ""
    try:
        assert inotify.add(str(tmp_path)) == ""
        await asyncio.to_thread(act, tmp_path / "a")
        inotify.read()
        assert ("a" in acts) is (act is not touch)
        assert acts.take().single("a", moved=False) is single
        assert "a" not in acts
    finally:
        inotify.close()


def test_what_was_not_told_is_not_known() -> None:
    acts = Acts()
    assert not acts.take().single("a", moved=False)
    assert acts.take().single("d/a", moved=True)  # with its folder, as one
    acts.see("a", MODIFY)
    acts.lose()
    acts.see("a", MODIFY)
    lost = acts.take()
    assert not lost.single("a", moved=True)
    acts.go_on(lost, ["a"])
    assert not acts.take().single("a", moved=True)
    for number in range(MAX_NAMES + 1):
        acts.see(str(number), CREATE)
    assert not acts.take().single("0", moved=False)


def test_what_is_to_be_looked_at_once_more_is_counted_on() -> None:
    acts = Acts()
    acts.see("a", DELETE)
    acts.go_on(acts.take(), ["a", "d/new"])
    acts.see("d/new", MODIFY)  # written to after it came with its folder
    counted = acts.take()
    assert counted.single("a", moved=False)
    assert not counted.single("d/new", moved=True)
    acts.see("a", MOVED_TO)
    first = acts.take()
    acts.see("a", MODIFY)  # while it was looked at
    acts.go_on(first, ["a"])
    assert not acts.take().single("a", moved=False)


def test_an_act_that_goes_on_over_a_look_is_one() -> None:
    acts = Acts()
    acts.see("a", CREATE)
    first = acts.take()
    assert first.single("a", moved=False)
    acts.see("a", MODIFY)
    acts.see("a", CLOSE_WRITE)  # while it was looked at
    acts.go_on(first, ["a"])
    assert acts.take().single("a", moved=False)
    acts.see("b", MODIFY)
    acts.take()
    acts.see("b", CLOSE_WRITE)  # told already
    assert "b" not in acts
    acts.see("b", MODIFY)
    acts.see("b", CLOSE_WRITE)
    assert acts.take().single("b", moved=False)
