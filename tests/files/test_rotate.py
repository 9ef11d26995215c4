"""Rotating a real file: killed at every step, disturbed by writers without the lock, on a full disk."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from teamops.handoff import locking, parse, rotating
from teamops.handoff.appending import append
from teamops.handoff.rotating import Rotated, rotate
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block

NOW = datetime.fromisoformat("2026-07-01T12:00")
DEADLINE_S = 300


def block(text: str, task: str, at: str = "2026-03-28 14:30") -> str:
    return f"### [CODER] {at}\n\n**Status**: done\n**Turn**: NONE\n**Tier**: 2\n**Task**: {task}\n\n#### X\n{text}\n\n"


PREAMBLE = "# Team\n\nOur file.\n\n"
A1, A2 = block("a one", "a"), block("a two", "a", "2026-04-02 09:00")
B1, B2 = block("b one", "b"), block("b two", "b")
C1 = block("c", "c")
WHOLE = PREAMBLE + A1 + B1 + A2 + C1 + B2


def closed(*tasks: str) -> Callable[[tuple[Block, ...]], list[int]]:
    return lambda blocks: [one.index for one in blocks if one.task in tasks]


class Told:
    """The ledger: what it was told, and what happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.meanwhile = meanwhile

    def __call__(self, digests: tuple[str, ...]) -> None:
        self.calls.append(digests)
        self.meanwhile()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "team" / "current.md"
    path.parent.mkdir()
    path.write_text(WHOLE)
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "team" / "archive"


def digests(*files: Path) -> Counter[str]:
    return Counter(one.digest for file in files if file.exists() for one in parse(file.read_bytes()).blocks)


def all_of(path: Path, archive: Path) -> Counter[str]:
    return digests(path, *archive.glob("*.md"))


def names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def test_closed_tasks_go_to_their_months(path: Path, archive: Path) -> None:
    told = Told()
    done = rotate(path, archive, closed("a", "c"), told, NOW)
    assert path.read_text() == PREAMBLE + B1 + B2
    assert (archive / "current-2026-03.md").read_text() == A1 + C1
    assert (archive / "current-2026-04.md").read_text() == A2
    assert [one.task for one in done.moved] == ["a", "a", "c"]
    assert done == Rotated(done.moved, (archive / "current-2026-03.md", archive / "current-2026-04.md"))
    assert told.calls == [tuple(one.digest for one in done.moved)]
    assert names(archive) == {"current-2026-03.md", "current-2026-04.md"}
    assert names(path.parent) == {"current.md", ".current.md.lock", "archive"}


def test_a_second_rotation_adds_to_the_archive(path: Path, archive: Path) -> None:
    rotate(path, archive, closed("a"), Told(), NOW)
    rotate(path, archive, closed("b", "c"), Told(), NOW)
    assert path.read_text() == PREAMBLE
    assert (archive / "current-2026-03.md").read_text() == A1 + B1 + C1 + B2
    append(path, block("new", "d"))
    assert [one.task for one in parse(path.read_bytes()).blocks] == ["d"]


def test_nothing_to_move_changes_nothing(path: Path, archive: Path) -> None:
    before = path.stat()
    told = Told()
    assert rotate(path, archive, closed("x"), told, NOW) == Rotated()
    assert rotate(path, archive, lambda _: [0], told, NOW) == Rotated(kept=("a",))
    assert path.stat().st_ino == before.st_ino
    assert (told.calls, archive.exists()) == ([], False)


def test_mode_and_owner_stay(path: Path, archive: Path) -> None:
    path.chmod(0o660)
    if os.geteuid() == 0:
        os.chown(path, 12, 34)
    before = path.stat()
    rotate(path, archive, closed("a"), Told(), NOW)
    (archive / "current-2026-03.md").chmod(0o604)
    rotate(path, archive, closed("c"), Told(), NOW)
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    modes = [stat.S_IMODE((archive / f"current-2026-0{month}.md").stat().st_mode) for month in (3, 4)]
    assert modes == [0o604, 0o660]


def test_links_stay_links(tmp_path: Path, path: Path, archive: Path) -> None:
    link = tmp_path / "team.md"
    link.symlink_to(path)
    archive.mkdir()
    real = tmp_path / "march"
    real.write_text(B1)
    (archive / "team-2026-03.md").symlink_to(real)
    done = rotate(link, archive, closed("a"), Told(), NOW)
    assert done.archives == (archive / "team-2026-03.md", archive / "team-2026-04.md")
    assert (link.is_symlink(), (archive / "team-2026-03.md").is_symlink()) == (True, True)
    assert (path.read_text(), real.read_text()) == (PREAMBLE + B1 + C1 + B2, B1 + A1)


def test_a_hard_link_is_refused(path: Path, archive: Path) -> None:
    os.link(path, path.with_name("other.md"))
    with pytest.raises(TeamopsError, match="second name"):
        rotate(path, archive, closed("a"), Told(), NOW)
    assert path.read_text() == WHOLE


def test_a_missing_file_is_an_error(path: Path, archive: Path) -> None:
    path.unlink()
    with pytest.raises(FileNotFoundError):
        rotate(path, archive, closed("a"), Told(), NOW)


def test_where_the_ledger_refuses_the_file_stays(path: Path, archive: Path) -> None:
    def refuse(_: tuple[str, ...]) -> None:
        raise TeamopsError("no ledger")

    before = path.stat().st_ino
    with pytest.raises(TeamopsError, match="no ledger"):
        rotate(path, archive, closed("a"), refuse, NOW)
    assert (path.read_text(), path.stat().st_ino) == (WHOLE, before)
    assert names(path.parent) == {"current.md", ".current.md.lock", "archive"}
    # What is in the archive already is not put there again.
    rotate(path, archive, closed("a"), Told(), NOW)
    assert all_of(path, archive) == Counter(one.digest for one in parse(WHOLE.encode()).blocks)


def test_an_append_waits_for_the_rotation(path: Path, archive: Path) -> None:
    late = block("late", "a")
    began = threading.Event()

    def append_late() -> None:
        began.set()
        append(path, late)

    writer = threading.Thread(target=append_late)

    def meanwhile() -> None:
        writer.start()
        assert began.wait(DEADLINE_S)

    rotate(path, archive, closed("a"), Told(meanwhile), NOW)
    writer.join(DEADLINE_S)
    assert path.read_text() == PREAMBLE + B1 + C1 + B2 + late.rstrip() + "\n"


def add(path: Path, text: str) -> None:
    """Write as ``cat >>`` does, without the lock."""
    subprocess.run(["sh", "-c", 'cat >> "$1"', "sh", str(path)], input=text, text=True, check=True, timeout=DEADLINE_S)


def test_what_comes_without_the_lock_before_the_file_is_replaced_goes_along(path: Path, archive: Path) -> None:
    late = block("late", "d")
    done = rotate(path, archive, closed("a", "c"), Told(lambda: add(path, late)), NOW)
    assert path.read_text() == PREAMBLE + B1 + B2 + late
    assert done.salvaged == len(late)


@pytest.mark.parametrize("step", ["pathlib.Path.replace", "teamops.handoff.rotating.sync_folder"])
def test_what_is_written_to_the_old_file_after_that_goes_along(
    path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    late = block("late", "d")
    old = path.stat().st_ino
    # The shell's own way of ">>": the file is opened now, and written to when it is the old one.
    writer = subprocess.Popen(["sh", "-c", 'cat >> "$1"', "sh", str(path)], stdin=subprocess.PIPE)
    while not any(os.path.realpath(link) == str(path) for link in Path(f"/proc/{writer.pid}/fd").iterdir()):
        assert writer.poll() is None
    before: Callable[..., object] = Path.replace if step.endswith("replace") else locking.sync_folder

    def then_write(*args: Path) -> object:
        result = before(*args)
        if path.stat().st_ino != old and writer.poll() is None:
            writer.communicate(late.encode(), DEADLINE_S)
        return result

    monkeypatch.setattr(step, then_write)
    done = rotate(path, archive, closed("a", "c"), Told(), NOW)
    assert writer.returncode == 0
    assert path.read_text() == PREAMBLE + B1 + B2 + late
    assert done.salvaged == len(late)


def test_what_comes_meanwhile_is_in_the_new_file_at_each_step(
    path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = block("early", "d"), block("late", "e")
    replace, sync = Path.replace, locking.sync_folder
    seen: list[str] = []
    with path.open("a") as old:

        def replace_and_write(new: Path, target: Path) -> Path:
            if target == path:
                seen.append(new.read_text())
            done = replace(new, target)
            if target == path:
                old.write(late)
                old.flush()
            return done

        def look_and_sync(folder: Path) -> None:
            if seen:
                seen.append(path.read_text())
            sync(folder)

        monkeypatch.setattr(Path, "replace", replace_and_write)
        monkeypatch.setattr(rotating, "sync_folder", look_and_sync)
        rotate(path, archive, closed("a", "c"), Told(lambda: add(path, early)), NOW)
    rest = PREAMBLE + B1 + B2
    assert seen == [rest + early, rest + early + late]


def disturb(path: Path, change: Callable[[str], str], *, replaced: bool) -> None:
    """Save a changed text as an editor does: in place, or by a new file."""
    text = change(path.read_text())
    if replaced:
        other = path.with_name("other")
        other.write_text(text)
        other.replace(path)
    else:
        path.write_text(text)


@pytest.mark.parametrize("replaced", [False, True], ids=["in place", "replaced"])
@pytest.mark.parametrize("when", ["told", "archived"])
def test_an_edit_meanwhile_is_kept(
    path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, when: str, *, replaced: bool
) -> None:
    edits = iter([lambda text: text.replace("b one", "B ONE!")])

    def edit() -> None:
        for change in edits:
            disturb(path, change, replaced=replaced)

    told = Told(edit if when == "told" else lambda: None)
    sync = locking.sync_folder

    def sync_and_edit(folder: Path) -> None:
        sync(folder)
        edit()

    if when == "archived":
        monkeypatch.setattr(rotating, "sync_folder", sync_and_edit)
    rotate(path, archive, closed("a"), told, NOW)
    assert path.read_text() == PREAMBLE + B1.replace("b one", "B ONE!") + C1 + B2
    assert (archive / "current-2026-03.md").read_text() == A1
    assert len(told.calls) == (2 if when == "told" else 1)


def test_words_for_the_last_block_that_moves_are_waited_for(
    path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = iter(["More of the last block.\n"])
    sync = locking.sync_folder

    def sync_and_write(folder: Path) -> None:
        sync(folder)
        for late in words:
            add(path, late)

    monkeypatch.setattr(rotating, "sync_folder", sync_and_write)
    done = rotate(path, archive, closed("b"), Told(), NOW)
    assert path.read_text() == PREAMBLE + A1 + A2 + C1
    assert [one.digest for one in done.moved][1] == parse((B2 + "More of the last block.\n").encode()).blocks[0].digest
    assert (archive / "current-2026-03.md").read_text().endswith(B2 + "More of the last block.\n")


def longer(text: str) -> str:
    return text.replace("b one", "b one!")


def test_a_file_that_changes_all_the_time_is_left_alone(path: Path, archive: Path) -> None:
    with pytest.raises(TeamopsError, match="again and again"):
        rotate(path, archive, closed("a"), Told(lambda: disturb(path, longer, replaced=False)), NOW)
    assert path.read_text() == longer(longer(longer(longer(longer(WHOLE)))))
    assert names(path.parent) == {"current.md", ".current.md.lock", "archive"}


PROGRAM = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from teamops.handoff.rotating import rotate
folder, steps = Path(sys.argv[1]), 0

def step():
    global steps
    steps -= 1
    if steps < 0:
        os.kill(os.getpid(), signal.SIGKILL)

def before_and_after(name):
    own = getattr(os, name)
    def run(*args, **kwargs):
        step()
        result = own(*args, **kwargs)
        step()
        return result
    setattr(os, name, run)

def rotate_and_be_killed(path):
    write = os.write
    def write_half(file, data):
        step()
        return write(file, data[: max(1, len(data) // 2)])
    os.write = write_half
    for name in ("fsync", "replace", "rename", "unlink", "mkdir", "fchmod", "open"):
        before_and_after(name)

    def tell(digests):
        step()
        with (path.parent / "told").open("a") as file:
            file.write("".join(f"{digest}\\n" for digest in digests))
        step()

    wanted = lambda blocks: [one.index for one in blocks if one.task in ("a", "c")]
    rotate(path, path.parent / "archive", wanted, tell, datetime(2026, 7, 1, 12))

text, status = sys.stdin.buffer.read(), 9
while status == signal.SIGKILL:
    path = folder / str(steps) / "current.md"
    path.parent.mkdir()
    path.write_bytes(text)
    if (child := os.fork()) == 0:
        rotate_and_be_killed(path)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    steps += 1
sys.exit(status)
"""


def test_killed_at_any_step_it_loses_nothing_and_the_next_one_doubles_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    subprocess.run(command, input=WHOLE.encode(), check=True, timeout=DEADLINE_S)
    wanted = Counter(one.digest for one in parse(WHOLE.encode()).blocks)
    gone = {one.digest for one in parse((A1 + A2 + C1).encode()).blocks}
    folders = [folder for folder in tmp_path.iterdir() if folder.is_dir()]
    assert len(folders) > 40
    replaced = 0
    for folder in folders:
        path, archive, told = folder / "current.md", folder / "archive", folder / "told"
        heard = set(told.read_text().split()) if told.exists() else set()

        # Nothing is lost, and what the file does not hold any more was told.
        assert set(all_of(path, archive)) == set(wanted)
        assert path.read_text() in (WHOLE, PREAMBLE + B1 + B2)
        assert gone - set(digests(path)) <= heard
        replaced += path.read_text() != WHOLE

        again = Told()
        rotate(path, archive, closed("a", "c"), again, NOW)
        assert path.read_text() == PREAMBLE + B1 + B2
        assert all_of(path, archive) == wanted
        assert (archive / "current-2026-03.md").read_text() == A1 + C1
        assert heard.union(*again.calls) == gone
        assert names(folder) - {"told"} == {"current.md", ".current.md.lock", "archive"}
        assert names(archive) == {"current-2026-03.md", "current-2026-04.md"}
    assert replaced > 1


FULL = """
import resource, sys
from datetime import datetime
from pathlib import Path
from teamops.handoff.rotating import rotate
size = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    wanted = lambda blocks: [one.index for one in blocks if one.task == "b"]
    rotate(Path(sys.argv[1]), Path(sys.argv[2]), wanted, lambda _: None, datetime(2026, 7, 1, 12))
except OSError:
    sys.exit(3)
"""


@pytest.mark.parametrize("room", [0, 100, len(PREAMBLE + A1 + A2 + C1) - 1, len(PREAMBLE + A1 + A2 + C1)])
def test_a_full_disk_changes_nothing(path: Path, archive: Path, room: int) -> None:
    path.write_text(PREAMBLE + A1 + B1 + A2 + C1 + B2 + block("x" * 1000, "b"))
    before = path.read_bytes()
    command = [sys.executable, "-c", FULL, str(path), str(archive), str(room)]
    assert subprocess.run(command, check=False, timeout=DEADLINE_S).returncode == 3
    assert path.read_bytes() == before
    assert names(path.parent) - {"archive"} == {"current.md", ".current.md.lock"}
    assert not archive.exists() or names(archive) == set()
    rotate(path, archive, closed("b"), Told(), NOW)
    assert path.read_text() == PREAMBLE + A1 + A2 + C1


def test_a_write_that_fails_leaves_no_file_behind(path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_file: int, _data: bytes) -> int:
        raise OSError("no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fail)
        with pytest.raises(OSError, match="no space"):
            rotate(path, archive, closed("a"), Told(), NOW)
    assert path.read_text() == WHOLE
    assert names(path.parent) == {"current.md", ".current.md.lock"}


def test_ten_thousand_blocks_are_moved_in_seconds(path: Path, archive: Path) -> None:
    path.write_text("".join(block(f"words {number}\n" * 20, f"t{number // 10}") for number in range(10_000)))
    wanted = digests(path)
    began = time.perf_counter()
    done = rotate(path, archive, lambda blocks: range(len(blocks) - 5), Told(), NOW)
    assert time.perf_counter() - began < 60
    assert (len(done.moved), done.kept) == (9_990, ("t999",))
    assert all_of(path, archive) == wanted
