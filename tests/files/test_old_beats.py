"""Old beats that were read go; what was not read, is young, or is no beat of ours stays."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from teamops.model.tail import Position
from teamops.sources.old_beats import Cleared, clear
from teamops.sources.tail import Tail

OLD, EDGE, YOUNG = 1.0e9, 1.5e9, 1.7e9


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / ".teamops" / "spool"
    (folder / "CODER").mkdir(parents=True)
    return folder


def beats(path: Path, *moments: float, pad: int = 0) -> Path:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"t": t, "message": "x" * pad}) + "\n" for t in moments)
    os.utime(path, (moments[-1], moments[-1]))
    return path


def read(*paths: Path) -> dict[str, Position]:
    """Return the positions after all was read."""
    found = {}
    for path in paths:
        tail = Tail(path, None)
        while tail.read().more:
            pass
        found[str(path)] = tail.position
    return found


def test_a_file_that_was_read_and_is_old_goes(spool: Path) -> None:
    old, young, unread, grown = (
        beats(spool / "CODER" / f"{name}.jsonl", moment)
        for name, moment in (("a", OLD), ("b", YOUNG), ("c", OLD), ("d", OLD))
    )
    positions = read(old, young, grown)
    beats(grown, OLD)
    assert clear(spool, positions, EDGE).files == 1
    assert sorted(path.name for path in (spool / "CODER").iterdir()) == [young.name, unread.name, grown.name]
    assert clear(spool, positions, EDGE) == Cleared(0, 0)


def test_the_old_beginning_of_a_file_that_is_still_written_to_is_given_back(spool: Path) -> None:
    path = spool / "CODER" / "hooks.jsonl"
    beats(path, *[OLD] * 6000, pad=1000)
    beats(path, *[YOUNG] * 3000, pad=1000)
    positions = read(path)
    before = path.stat()
    freed = clear(spool, positions, EDGE).bytes
    after = path.stat()
    assert 5_000_000 < freed < 6_300_000
    assert after.st_size == before.st_size
    assert after.st_blocks * 512 <= before.st_blocks * 512 - freed
    lines = path.read_bytes().split(b"\n")
    assert sum(b'"t": 1700000000.0' in line for line in lines) == 3000
    tail = Tail(path, positions[str(path)])
    beats(path, YOUNG)
    assert len(tail.read().lines) == 1
    assert clear(spool, positions, EDGE).bytes == 0


def test_what_was_read_last_stays_for_the_next_life(spool: Path) -> None:
    path = beats(spool / "CODER" / "hooks.jsonl", *[OLD] * 6000, YOUNG, pad=1000)
    clear(spool, read(path), EDGE)
    assert path.read_bytes()[-1_000_000:].count(b"\n") > 900


@pytest.mark.parametrize("where", ["file", "folder", "spool", "hard"])
def test_no_link_leads_to_what_is_not_ours(tmp_path: Path, spool: Path, where: str) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    precious = beats(mine / "a.jsonl", *[OLD] * 6000, pad=1000)
    if where == "file":
        path = spool / "CODER" / "a.jsonl"
        path.symlink_to(precious)
    elif where == "hard":
        path = spool / "CODER" / "a.jsonl"
        path.hardlink_to(precious)
    elif where == "folder":
        (spool / "CODER").rmdir()
        (spool / "CODER").symlink_to(mine)
        path = spool / "CODER" / "a.jsonl"
    else:
        (spool / "CODER").rmdir()
        spool.rmdir()
        (mine / "CODER").mkdir()
        precious = precious.rename(mine / "CODER" / "a.jsonl")
        spool.symlink_to(mine)
        path = spool / "CODER" / "a.jsonl"
    status = precious.stat()
    positions = {str(path): Position(str(path), status.st_dev, status.st_ino, status.st_size)}
    blocks = status.st_blocks
    assert clear(spool, positions, EDGE) == Cleared(0, 0)
    assert precious.stat().st_blocks == blocks


def test_another_file_of_that_name_and_strange_things_are_left(spool: Path) -> None:
    path = beats(spool / "CODER" / "a.jsonl", OLD)
    positions = read(path)
    path.unlink()
    keep = beats(spool / "CODER" / "keep", OLD)
    other = beats(spool / "CODER" / "a.jsonl", OLD, OLD)
    os.mkfifo(spool / "CODER" / "pipe.jsonl")
    positions[str(spool / "CODER" / "pipe.jsonl")] = positions[str(path)]
    if other.stat().st_ino == positions[str(path)].inode:  # this file system gives numbers anew
        assert other.stat().st_size != positions[str(path)].offset
    assert clear(spool, positions, EDGE).files == 0
    assert other.exists()
    assert keep.exists()
    assert clear(spool.parent / "nosuch", positions, EDGE) == Cleared(0, 0)
