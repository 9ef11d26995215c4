"""Long texts for agents: a file of their own, and nothing that a link leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from teamops.effects import poke_file as room
from teamops.effects.poke_file import is_long, keep_text
from teamops.model.errors import TeamopsError
from teamops.model.role import CODER, REVIEWER
from teamops.tmux.deliver import one_line

WALL = 1_775_000_000.0


def pokes(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".teamops" / "pokes").glob("*.md"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("go on", False), ("go on\n", False), ("a\nb", True), ("a\r\nb", True), ("x" * 699, False), ("x" * 700, True)],
)
def test_what_is_too_long_to_type(text: str, wanted: bool) -> None:
    assert is_long(text) is wanted


def test_the_text_is_kept_for_its_owner_alone_out_of_gits_sight(tmp_path: Path) -> None:
    line = keep_text(tmp_path, tmp_path, CODER, "one\r\ntwo\x1b[31m\n", WALL)
    (name,) = pokes(tmp_path)
    assert f"read .teamops/pokes/{name} to its end" in line
    assert one_line("claude", line) == line
    path = tmp_path / ".teamops" / "pokes" / name
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".teamops" / ".gitignore").read_text() == "*\n"
    assert (tmp_path / ".teamops" / "pokes" / ".gitignore").read_text() == "*\n"


def test_an_agent_elsewhere_is_told_the_whole_path(tmp_path: Path) -> None:
    line = keep_text(tmp_path, tmp_path / "sub", CODER, "one\ntwo", WALL)
    assert f"read {tmp_path}/.teamops/pokes/{pokes(tmp_path)[0]} to" in line


def test_texts_of_one_second_do_not_meet(tmp_path: Path) -> None:
    for text in "ab":
        keep_text(tmp_path, tmp_path, CODER, text, WALL)
    assert [(tmp_path / ".teamops" / "pokes" / name).read_text() for name in pokes(tmp_path)] == ["a\n", "b\n"]


def test_a_file_that_stands_there_is_never_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_TRIES", 1)
    keep_text(tmp_path, tmp_path, CODER, "mine", WALL)
    with pytest.raises(TeamopsError, match="texts for CODER within a second"):
        keep_text(tmp_path, tmp_path, CODER, "other", WALL)


def test_the_last_twenty_of_each_role_stay_and_nothing_else_goes(tmp_path: Path) -> None:
    keep_text(tmp_path, tmp_path, REVIEWER, "other", WALL)
    notes = tmp_path / ".teamops" / "pokes" / "CODER-notes.md"
    notes.write_text("mine")
    for second in range(25):
        keep_text(tmp_path, tmp_path, CODER, f"text {second}", WALL + second)
    kept = [name for name in pokes(tmp_path) if name.startswith("CODER-2")]
    assert len(kept) == 20
    texts = [(tmp_path / ".teamops" / "pokes" / name).read_text() for name in kept]
    assert texts == [f"text {second}\n" for second in range(5, 25)]
    assert notes.exists()
    assert len([name for name in pokes(tmp_path) if name.startswith("REVIEWER")]) == 1


@pytest.mark.parametrize("link", [".teamops", ".teamops/pokes"])
def test_a_link_in_the_way_is_not_followed(tmp_path: Path, link: str) -> None:
    root, away = tmp_path / "p", tmp_path / "away"
    (root / link).parent.mkdir(parents=True)
    away.mkdir()
    (root / link).symlink_to(away)
    with pytest.raises(TeamopsError, match="can't keep the text"):
        keep_text(root, root, CODER, "one\ntwo", WALL)
    assert list(away.iterdir()) == []


def test_a_link_with_the_files_name_is_not_followed(tmp_path: Path) -> None:
    keep_text(tmp_path, tmp_path, CODER, "x", WALL)
    (name,) = pokes(tmp_path)
    path = tmp_path / ".teamops" / "pokes" / name
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.unlink()
    path.symlink_to(victim)
    keep_text(tmp_path, tmp_path, CODER, "y", WALL)
    assert victim.read_text() == "precious"


def test_too_much_is_refused_and_descriptors_are_closed(tmp_path: Path) -> None:
    with pytest.raises(TeamopsError, match="too many for a poke"):
        keep_text(tmp_path, tmp_path, CODER, "x" * 1_000_000, WALL)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        keep_text(tmp_path, tmp_path, CODER, "x", WALL)
    (tmp_path / "q").write_text("")
    with pytest.raises(TeamopsError):
        keep_text(tmp_path / "q", tmp_path, CODER, "x", WALL)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
