"""The gate: who is held, and that a gate that can't be seen is shut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from teamops.guard import holds


def test_a_hold_is_a_file_of_the_person_s_own(tmp_path: Path) -> None:
    folder = str(tmp_path / "state")
    path = holds.path_of(folder, "CODER")
    holds.hold(folder, "CODER", "held:  $5 of\n$5", 1775.25)
    assert holds.reason(path) == "held: $5 of $5"
    assert holds.since(path) == 1775.25
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state" / "holds").stat().st_mode & 0o777 == 0o700
    assert [made.name for made in (tmp_path / "state" / "holds").iterdir()] == ["CODER"]
    holds.hold(folder, "CODER", "another", 1776.0)
    assert holds.reason(path) == "another"
    assert holds.let_go(folder, "CODER")
    assert (holds.reason(path), holds.since(path)) == ("", None)
    assert not holds.let_go(folder, "CODER")


@pytest.mark.parametrize("kind", ["empty", "bytes", "folder", "link", "pipe"])
def test_whatever_stands_there_holds(tmp_path: Path, kind: str) -> None:
    holds.prepare(str(tmp_path))
    path = Path(holds.path_of(str(tmp_path), "CODER"))
    if kind == "empty":
        path.touch()
    elif kind == "bytes":
        path.write_bytes(b"\xff\x00\n")
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        os.mkfifo(path)
    assert holds.reason(str(path))
    assert holds.since(str(path)) is None


@pytest.mark.parametrize("path", ["{0}/gone/holds/CODER", "{0}/\0/CODER", "{0}/file/CODER"])
def test_a_gate_that_can_t_be_seen_is_shut(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    assert holds.reason(path.format(tmp_path)).startswith("held: ")


def test_a_hold_that_can_t_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "holds").touch()
    with pytest.raises(OSError, match="exists"):
        holds.hold(str(tmp_path), "CODER", "why", 1.0)
