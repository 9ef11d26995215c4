"""Changes undone and put back on a real file system: nothing is lost, no link followed, whatever comes in between."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from teamops.effects import patches
from teamops.effects import quarantine as effect
from teamops.effects.patches import AFTER, BEFORE, Patch
from teamops.effects.quarantine import quarantine, stands
from teamops.model.actions import By, Quarantine
from teamops.model.boundary import ChangeKind, FileKind, FileState
from teamops.model.errors import TeamopsError
from teamops.sources.kept_bytes import read_state


class Yard:
    """A work tree, and the folder in which changes are kept."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state = folder / "p", folder / "state"
        (self.root / "src").mkdir(parents=True)
        self.file = self.root / "src" / "a.py"

    def read(self, path: str) -> tuple[FileState, bytes]:
        state, raw = read_state(str(self.root / path))
        return state, raw if raw is not None else b""

    def change(self, path: str, before: Callable[[], object], change: Callable[[], object]) -> str:
        """Make a change, and keep it."""
        before()
        old, old_raw = self.read(path)
        change()
        new, new_raw = self.read(path)
        kind = (
            ChangeKind.CREATED
            if old.kind is FileKind.NOTHING
            else ChangeKind.DELETED
            if new.kind is FileKind.NOTHING
            else ChangeKind.CHANGED
        )
        patch = Patch(root=str(self.root), path=path, before=old, after=new)
        return patches.write(self.state, patch, old_raw, new_raw, kind).name

    def changed(self, before: bytes = b"before\n", after: bytes = b"after\n", mode: int = 0o644) -> str:
        def write() -> None:
            self.file.write_bytes(before)
            self.file.chmod(mode)

        return self.change("src/a.py", write, lambda: self.file.write_bytes(after))

    def act(self, name: str, *, back: bool = False, force: bool = False) -> str:
        action = Quarantine(violation=1, patch=name, path="src/a.py", by=By.PERSON, back=back, force=force)
        return quarantine(self.state, action).message

    def kept(self) -> set[str]:
        return {path.name for path in (self.state / "patches").iterdir()}

    def left(self) -> list[str]:
        """Return what stands in the tree that nobody put there."""
        return [path.name for path in (self.root / "src").iterdir() if path.name.startswith(".")]


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


@pytest.mark.parametrize("raw", [b"", b"text\n", b"no newline", b"\0\xff\xfe binary \n\r\n", os.urandom(70_000)])
@pytest.mark.parametrize("mode", [0o644, 0o755, 0o600])
def test_there_and_back_by_the_byte(yard: Yard, raw: bytes, mode: int) -> None:
    name = yard.changed(raw, raw + b"more", mode)
    assert "as it was before" in yard.act(name)
    assert (yard.file.read_bytes(), stat.S_IMODE(yard.file.stat().st_mode)) == (raw, mode)
    assert "is back" in yard.act(name, back=True)
    assert (yard.file.read_bytes(), stat.S_IMODE(yard.file.stat().st_mode)) == (raw + b"more", mode)
    assert yard.left() == []


def test_a_file_that_came_goes_and_comes_again(yard: Yard) -> None:
    name = yard.change("src/a.py", lambda: None, lambda: yard.file.write_bytes(b"new"))
    yard.act(name)
    assert not yard.file.exists()
    yard.act(name, back=True)
    assert yard.file.read_bytes() == b"new"
    assert yard.left() == []


def test_a_file_that_went_comes_with_its_folders(yard: Yard) -> None:
    deep = yard.root / "x" / "y" / "z.txt"

    def make() -> None:
        deep.parent.mkdir(parents=True)
        deep.write_bytes(b"deep")
        deep.chmod(0o640)

    def away() -> None:
        deep.unlink()
        deep.parent.rmdir()
        deep.parent.parent.rmdir()

    name = yard.change("x/y/z.txt", make, away)
    yard.act(name)
    assert (deep.read_bytes(), stat.S_IMODE(deep.stat().st_mode)) == (b"deep", 0o640)
    yard.act(name, back=True)
    assert not deep.exists()


def test_rights_alone(yard: Yard) -> None:
    name = yard.change("src/a.py", lambda: yard.file.write_bytes(b"x"), lambda: yard.file.chmod(0o777))
    yard.act(name)
    assert stat.S_IMODE(yard.file.stat().st_mode) != 0o777
    assert b"rights" in (yard.state / "patches" / name).read_bytes()


def test_a_link_in_place_of_a_file_and_a_file_in_place_of_a_link(yard: Yard) -> None:
    def to_link() -> None:
        yard.file.unlink()
        yard.file.symlink_to("/etc/hostname")

    name = yard.change("src/a.py", lambda: yard.file.write_bytes(b"x"), to_link)
    before = Path("/etc/hostname").read_bytes()
    yard.act(name)
    assert not yard.file.is_symlink()
    assert yard.file.read_bytes() == b"x"
    yard.act(name, back=True)
    assert yard.file.readlink() == Path("/etc/hostname")
    assert Path("/etc/hostname").read_bytes() == before


@pytest.mark.parametrize(
    ("after", "now"),
    [
        *((b"after\n", now) for now in ("other", "gone", "link", "folder")),
        *((None, now) for now in ("other", "link", "folder")),
    ],
)
def test_what_was_changed_again_since_is_left_alone(yard: Yard, after: bytes | None, now: str) -> None:
    if after is None:
        name = yard.change("src/a.py", lambda: yard.file.write_bytes(b"before\n"), yard.file.unlink)
    else:
        name = yard.changed(after=after)
    yard.file.unlink(missing_ok=True)
    outside = yard.root.parent / "outside"
    outside.write_bytes(b"after\n")
    if now == "other":
        yard.file.write_bytes(b"newer\n")
    elif now == "link":
        yard.file.symlink_to(outside)
    elif now == "folder":
        yard.file.mkdir()
        (yard.file / "somebody's").write_bytes(b"x")
    said = "no file stands there now" if (after, now) == (None, "folder") else "changed again since"
    with pytest.raises(TeamopsError, match=said):
        yard.act(name)
    assert now != "folder" or (yard.file / "somebody's").read_bytes() == b"x"
    assert outside.read_bytes() == b"after\n"
    assert not (now == "other" and yard.file.read_bytes() != b"newer\n")
    assert os.path.lexists(yard.file) is (now != "gone")
    assert yard.left() == []


@contextmanager
def just_before(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]) -> Iterator[None]:
    """Let something happen at the last moment, once."""
    real = getattr(effect, name)
    done: list[bool] = []

    def first(*words: object) -> object:
        if not done:
            done.append(True)
            act()
        return real(*words)

    with monkeypatch.context() as patched:
        patched.setattr(effect, name, first)
        yield
    assert done


@pytest.mark.parametrize("exchange", [True, False])
def test_what_comes_at_the_last_moment_is_not_lost(yard: Yard, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    name = yard.changed()
    if not exchange:
        monkeypatch.setattr(effect, "_renameat2", lambda: None)

    def newer() -> None:
        new = yard.root / "src" / "new"
        new.write_bytes(b"the newest\n")
        new.rename(yard.file)

    with just_before(monkeypatch, "_exchange", newer), pytest.raises(TeamopsError, match="changed again"):
        yard.act(name)
    assert yard.file.read_bytes() == b"the newest\n"
    assert yard.left() == []


def test_a_file_system_without_an_exchange_is_served_too(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effect, "_renameat2", lambda: None)
    name = yard.changed()
    yard.act(name)
    assert yard.file.read_bytes() == b"before\n"
    assert yard.left() == []


def test_a_newer_file_in_place_of_one_that_is_taken_away_stays(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    name = yard.change("src/a.py", lambda: None, lambda: yard.file.write_bytes(b"new"))
    with (
        just_before(monkeypatch, "_take_away", lambda: yard.file.write_bytes(b"newer")),
        pytest.raises(TeamopsError, match="changed again"),
    ):
        yard.act(name)
    assert yard.file.read_bytes() == b"newer"
    assert yard.left() == []


def test_a_folder_in_place_of_one_that_is_taken_away_stays(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    name = yard.change("src/a.py", lambda: None, lambda: yard.file.write_bytes(b"new"))

    def folder() -> None:
        yard.file.unlink()
        yard.file.mkdir()
        (yard.file / "work").write_bytes(b"somebody's")

    with just_before(monkeypatch, "_take_away", folder), pytest.raises(TeamopsError, match="changed again"):
        yard.act(name)
    assert (yard.file / "work").read_bytes() == b"somebody's"
    assert yard.left() == []


def test_what_comes_while_a_newer_one_is_given_back_stays_too(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    name = yard.changed()
    real, count = effect._rename, 0

    def rename(parent: int, old: str, new: str, how: int) -> bool:
        nonlocal count
        if how == effect._EXCHANGE:
            count += 1
            other = yard.root / "src" / "new"
            other.write_bytes(b"newer %d" % count)
            other.rename(yard.file)
        return real(parent, old, new, how)

    monkeypatch.setattr(effect, "_rename", rename)
    with pytest.raises(TeamopsError, match="changed again"):
        yard.act(name)
    assert yard.file.read_bytes() == b"newer 1"
    assert (yard.root / "src" / "a.py.teamops-kept").read_bytes() == b"newer 2"


@pytest.mark.parametrize("exchange", [True, False])
def test_what_is_kept_beside_its_file_is_never_written_over(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(effect, "_renameat2", lambda: None)
    for number in range(3):
        (yard.root / "src" / f"aside{number}").write_bytes(b"%d" % number)
    yard.file.write_bytes(b"newest")
    at = os.open(yard.root / "src", os.O_RDONLY)
    for number in range(3):
        effect._put_back(at, f"aside{number}", "a.py")
    os.close(at)
    there = {path.read_bytes() for path in (yard.root / "src").iterdir()}
    assert there == {b"newest", b"0", b"1", b"2"}
    assert yard.file.read_bytes() == b"newest"


def test_what_comes_where_a_deleted_file_is_put_stays(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    name = yard.change("src/a.py", lambda: yard.file.write_bytes(b"old"), yard.file.unlink)
    with (
        just_before(monkeypatch, "_make", lambda: yard.file.write_bytes(b"somebody's")),
        pytest.raises(TeamopsError, match="changed again"),
    ):
        yard.act(name)
    assert yard.file.read_bytes() == b"somebody's"
    assert yard.left() == []


def test_a_folder_above_that_became_a_link_leads_nowhere(yard: Yard, tmp_path: Path) -> None:
    name = yard.changed()
    elsewhere = tmp_path / "elsewhere"
    (yard.root / "src").rename(elsewhere)
    (yard.root / "src").symlink_to(elsewhere)
    with pytest.raises(TeamopsError, match="stays as it is"):
        yard.act(name)
    assert (elsewhere / "a.py").read_bytes() == b"after\n"


def test_a_restore_over_a_changed_file_wants_force_and_keeps_both(yard: Yard) -> None:
    name = yard.changed()
    yard.act(name)
    yard.file.write_bytes(b"newer work\n")
    with pytest.raises(TeamopsError, match="changed again since") as refused:
        yard.act(name, back=True)
    assert "--force" in refused.value.hint
    assert yard.file.read_bytes() == b"newer work\n"
    before = yard.kept()
    said = yard.act(name, back=True, force=True)
    assert yard.file.read_bytes() == b"after\n"
    (kept,) = {one for one in yard.kept() - before if one.endswith(".diff")}
    assert kept in said
    assert patches.bytes_of(yard.state, kept, AFTER) == b"newer work\n"


def test_force_puts_back_where_nothing_stands(yard: Yard) -> None:
    name = yard.changed()
    yard.act(name)
    yard.file.unlink()
    yard.act(name, back=True, force=True)
    assert yard.file.read_bytes() == b"after\n"


def test_what_is_not_known_is_not_made_up(yard: Yard) -> None:
    yard.file.write_bytes(b"after\n")
    state, raw = yard.read("src/a.py")
    patch = Patch(root=str(yard.root), path="src/a.py", before=FileState(kind=FileKind.FILE), after=state)
    name = patches.write(yard.state, patch, None, raw, ChangeKind.CHANGED).name
    with pytest.raises(TeamopsError, match="what it held before it is not known"):
        yard.act(name)
    assert yard.file.read_bytes() == b"after\n"
    big = Patch(root=str(yard.root), path="src/a.py", before=state, after=FileState(kind=FileKind.FILE, size=1 << 40))
    name = patches.write(yard.state, big, raw, None, ChangeKind.CHANGED).name
    with pytest.raises(TeamopsError, match="could not be kept"):
        yard.act(name)
    assert b"after is not known" in (yard.state / "patches" / name).read_bytes()


@pytest.mark.parametrize("name", ["", "../../x.diff", "0123456789abcdef.diff"])
def test_a_patch_that_is_none(yard: Yard, name: str) -> None:
    with pytest.raises(TeamopsError):
        yard.act(name)


def test_damaged_patches_do_nothing(yard: Yard) -> None:
    name = yard.changed()
    stem = yard.state / "patches" / name.removesuffix(".diff")
    stem.with_suffix(BEFORE).write_bytes(b"forged")
    with pytest.raises(TeamopsError, match="is not what was kept"):
        yard.act(name)
    stem.with_suffix(BEFORE).unlink()
    with pytest.raises(TeamopsError, match="can't be read"):
        yard.act(name)
    for text in ("{", "[]", '{"v": 99}', '{"v": 1, "root": "/", "path": "x", "before": {"kind": "?"}}'):
        stem.with_suffix(".json").write_text(text)
        with pytest.raises(TeamopsError, match="can't be read"):
            yard.act(name)
    assert yard.file.read_bytes() == b"after\n"


def test_a_path_that_leads_out_is_refused(yard: Yard) -> None:
    patch = Patch(root=str(yard.root), path="src/../../x", before=FileState(), after=FileState())
    name = patches.write(yard.state, patch, b"", b"", ChangeKind.CHANGED).name
    with pytest.raises(TeamopsError, match="leads out"):
        yard.act(name)


def test_what_is_kept_has_an_end_and_nothing_is_taken_away(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    first = yard.changed(b"x" * 1000, b"y" * 1000)
    monkeypatch.setattr(patches, "MAX_ALL", 5000)
    before = yard.kept()
    with pytest.raises(TeamopsError, match="those that are kept come to ") as said:
        yard.changed(b"x" * 1000, b"z" * 1000)
    assert said.value.hint == f"take away from {yard.state / 'patches'} what you no longer need"
    assert yard.kept() == before
    for path in (yard.state / "patches").iterdir():
        path.unlink()
    second = yard.changed(b"x" * 1000, b"z" * 1000)
    assert second != first
    assert patches.bytes_of(yard.state, second, AFTER) == b"z" * 1000


def test_what_was_taken_aside_is_never_lost(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody saves anew between the look and the exchange, and takes that away again before it is exchanged back."""
    name = yard.changed(before=b"before\n")
    real, exchanges = effect._rename, []

    def rename(parent: int, old: str, new: str, how: int) -> bool:
        if how == effect._EXCHANGE:
            exchanges.append(new)
            if len(exchanges) == 1:
                yard.file.write_bytes(b"newest\n")
            else:
                yard.file.unlink()
        return real(parent, old, new, how)

    monkeypatch.setattr(effect, "_rename", rename)
    with pytest.raises(TeamopsError, match="changed again"):
        yard.act(name)
    assert len(exchanges) == 2
    assert yard.file.read_bytes() == b"newest\n"


def test_what_can_t_be_read_after_the_exchange_is_not_taken_away(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    name = yard.changed(before=b"before\n")
    real, looks = effect._state_of, []

    def state_of(parent: int, path: str, most: int = 64 << 20) -> tuple[FileState, bytes]:
        looks.append(path)
        if path.startswith(".teamops-"):
            raise PermissionError(13, "Permission denied")
        return real(parent, path, most)

    monkeypatch.setattr(effect, "_state_of", state_of)
    with pytest.raises(TeamopsError, match="changed again"):
        yard.act(name)
    names = [path for path in yard.file.parent.iterdir() if path.is_file()]
    assert b"after\n" in [path.read_bytes() for path in names]


def test_a_full_disk_while_it_is_kept_or_undone(yard: Yard) -> None:
    name = yard.changed(before=b"x" * 5000)
    before = yard.kept()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(TeamopsError, match="File too large"):
            yard.act(name)
        patch = patches.read(yard.state, name)
        with pytest.raises(TeamopsError, match="can't be kept"):
            patches.write(yard.state, patch, b"y" * 5000, b"", ChangeKind.CHANGED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert yard.file.read_bytes() == b"after\n"
    assert yard.left() == []
    assert yard.kept() == before
    yard.act(name)
    assert yard.file.read_bytes() == b"x" * 5000


KILLED = """
import os, signal, sys
from pathlib import Path
from teamops.effects import patches, quarantine as effect
from teamops.model.actions import By, Quarantine
state, name, step = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if step == "made":
    effect._exchange = kill
elif step == "exchanged":
    real = effect._rename
    effect._rename = lambda *words: (real(*words), kill())
elif step == "synced":
    os.fsync = kill
effect.quarantine(state, Quarantine(violation=1, patch=name, path="src/a.py", by=By.PERSON))
"""


@pytest.mark.parametrize("step", ["made", "exchanged", "synced"])
def test_killed_at_any_step_the_file_is_whole_and_the_change_is_kept(yard: Yard, step: str) -> None:
    name = yard.changed()
    done = subprocess.run([sys.executable, "-c", KILLED, str(yard.state), name, step], check=False)
    assert done.returncode == -signal.SIGKILL
    assert yard.file.read_bytes() in {b"before\n", b"after\n"}
    assert patches.bytes_of(yard.state, name, BEFORE) == b"before\n"
    assert patches.bytes_of(yard.state, name, AFTER) == b"after\n"
    if yard.file.read_bytes() == b"after\n":
        yard.act(name)
        assert yard.file.read_bytes() == b"before\n"
    yard.act(name, back=True)
    assert yard.file.read_bytes() == b"after\n"
    assert yard.left() == []


@pytest.mark.parametrize(
    ("before", "after", "added", "removed", "words"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\nd\n", 2, 1, ["-b", "+B", "+d"]),
        (b"", b"a\n", 1, 0, ["+a"]),
        (b"a\n", b"", 0, 1, ["-a"]),
        (b"same\n", b"same\n", 0, 0, []),
        (b"\0\1", b"a\n", None, None, ["binary: 2 bytes before, 2 after"]),
        (b"x\n" * 4000, b"y\n" * 3500, 3500, 4000, ["-x", "+y"]),
        (b"k\n" + b"x\n" * 3 + b"z\n" * 9000, b"k\n" + b"z\n" * 9000, 0, 3, ["-x"]),
    ],
)  # fmt: skip
def test_the_difference_for_people(
    yard: Yard, before: bytes, after: bytes, added: int | None, removed: int | None, words: list[str]
) -> None:
    state = FileState(kind=FileKind.FILE)
    patch = Patch(root=str(yard.root), path="src/a.py", before=state, after=state)
    written = patches.write(yard.state, patch, before, after, ChangeKind.CHANGED)
    assert (written.added, written.removed) == (added, removed)
    lines = (yard.state / "patches" / written.name).read_text().splitlines()
    assert lines[0] == "--- src/a.py (before)"
    assert all(word in lines for word in words)


def test_kept_changes_are_their_owner_s_alone(yard: Yard) -> None:
    yard.changed()
    assert stat.S_IMODE((yard.state / "patches").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (yard.state / "patches").iterdir()} == {0o600}


def test_what_stands_there(yard: Yard) -> None:
    assert stands(str(yard.root), "nowhere/x").kind is FileKind.NOTHING
    assert stands(str(yard.root), "src/a.py").kind is FileKind.NOTHING
    yard.file.write_bytes(b"x")
    assert stands(str(yard.root), "src/a.py").digest == patches.digest(b"x")
    assert stands(str(yard.root), "src/a.py", most=0).digest == ""
    os.mkfifo(yard.root / "pipe")
    assert stands(str(yard.root), "pipe").kind is FileKind.OTHER
    assert stands(str(yard.root), "src").kind is FileKind.OTHER
