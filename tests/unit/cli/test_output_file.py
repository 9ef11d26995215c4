"""Where a command writes what it tells."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from teamops.cli.output_file import writing
from teamops.model.errors import TeamopsError, UsageError


@pytest.mark.parametrize("output", [None, Path("-")])
def test_the_standard_output(output: Path | None) -> None:
    with writing(output) as stream:
        assert stream is sys.stdout


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for output in (pipe, link, tmp_path, Path(os.devnull)):
        with pytest.raises(UsageError, match="is no file"), writing(output):
            pytest.fail("nothing is written")
    assert pipe.is_fifo()
    assert sorted(tmp_path.iterdir()) == [link, pipe]


def test_a_link_stays_one(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("before")
    link.symlink_to(file)
    with writing(link) as stream:
        stream.write("after")
    assert link.is_symlink()
    assert file.read_text() == "after"


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o640)])
def test_who_may_read_it(tmp_path: Path, private: bool, mode: int) -> None:
    before = os.umask(0o027)
    try:
        with writing(tmp_path / "out", private=private) as stream:
            stream.write("x")
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_it_is_whole_or_as_it_was(tmp_path: Path, error: BaseException) -> None:
    out = tmp_path / "out"
    out.write_text("before")

    def write() -> None:
        with writing(out) as stream:
            stream.write("half")
            raise error

    with pytest.raises((TeamopsError, KeyboardInterrupt)):
        write()
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]
