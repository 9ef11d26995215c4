"""Changes as agents make them, seen by a look, judged, undone and put back: by the byte, with real files."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.effects import patches
from teamops.effects.policies import write_policies
from teamops.effects.quarantine import quarantine
from teamops.guard.judge import Light
from teamops.model.actions import By, Quarantine
from teamops.model.boundary import ChangeKind, FileKind, ViolationState, undo_rank
from teamops.model.clock import Stamp
from teamops.model.errors import TeamopsError
from teamops.model.events import WorkTreeChanged
from teamops.model.role import REVIEWER
from teamops.sources.tree_state import TreeState
from teamops.supervisor.change_judge import MAX_LISTED, Draft, Judged, Past, Policies, Scene, Suspect, judge_changes

GONE, CAME, OTHER = ChangeKind.DELETED, ChangeKind.CREATED, ChangeKind.CHANGED
Things = dict[str, tuple[int, bytes]]


class Yard:
    """A work tree, what is known of it, and a role that may change nothing of it."""

    def __init__(self, folder: Path, *, git: bool) -> None:
        self.root, self.state = folder / "p", folder / "state"
        (self.root / "src" / "deep").mkdir(parents=True)
        (self.root / "teamops.toml").write_text("[roles.REVIEWER]\n")
        (self.root / ".gitignore").write_text("*.log\nprofiles/\n")
        self.write("src/a.py", b"one\n")
        self.write("src/deep/b.py", b"two\n")
        self.git = git
        self.past: dict[str, tuple[Past, ...]] = {}

    def write(self, name: str, raw: bytes, mode: int = 0o644) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        path.chmod(mode)
        return path

    def begin(self) -> None:
        if self.git:
            for words in (["init", "-q"], ["add", "-A"]):
                subprocess.run(["git", *words], cwd=self.root, check=True)
        write_policies(load(self.root), self.state)
        self.tree = TreeState(self.root, self.state / "before", (self.root / "current.md",))
        self.tree.begin()

    def things(self) -> Things:
        """Return every file and link with its rights and bytes; of folders none."""
        found: Things = {}
        for folder, folders, files in os.walk(self.root):
            if ".git" in folders:
                folders.remove(".git")
            for name in (*files, *(one for one in folders if Path(folder, one).is_symlink())):
                path = Path(folder, name)
                told = path.lstat()
                if stat.S_ISLNK(told.st_mode):
                    found[str(path.relative_to(self.root))] = (0, os.fsencode(path.readlink()))
                elif stat.S_ISREG(told.st_mode) and told.st_size < 1 << 27:
                    found[str(path.relative_to(self.root))] = (stat.S_IMODE(told.st_mode), path.read_bytes())
        return found

    def judge(self) -> Judged:
        """Look at all, and judge what is found."""
        wall = time.time()
        changes = self.tree.look_all({}, wall).changes
        suspect = Suspect(role=REVIEWER, cwd=str(self.root), pid=0, light=Light(held=True), lit=True, busy=True)
        scene = Scene(
            project=str(self.root),
            folder=self.state,
            spool=self.root / ".teamops" / "spool",
            suspects=(suspect,),
            past=self.past,
            restoring=frozenset(),
        )
        told = WorkTreeChanged(Stamp(1.0, wall), str(self.root), changes)
        return judge_changes(scene, told, lambda _, state: self.tree.bytes_of(state), Policies())

    def settle(self, draft: Draft, *, back: bool = False) -> None:
        action = Quarantine(
            violation=1, patch=draft.patch, path=draft.violation.path, role=REVIEWER, by=By.PERSON, back=back
        )
        assert quarantine(self.state, action).ok

    def settle_all(self, drafts: list[Draft], *, back: bool = False) -> None:
        """Settle what was found in one moment, as a supervisor and the command do."""
        for draft in sorted(drafts, key=lambda one: undo_rank(one.violation), reverse=back):
            self.settle(draft, back=back)
        state = ViolationState.RESTORED if back else ViolationState.QUARANTINED
        for draft in drafts:
            self.past[draft.violation.path] = (Past(replace(draft.violation, id=1, state=state), draft.patch),)


@pytest.fixture(params=[True, False], ids=["git", "no git"])
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Yard:
    return Yard(tmp_path, git=request.param)


def replace_by_folder(yard: Yard) -> None:
    (yard.root / "src/a.py").unlink()
    yard.write("src/a.py/deep/x", b"inside\n")


def folder_by_link(yard: Yard) -> None:
    other = yard.root.parent / "other"
    shutil.copytree(yard.root / "src", other)
    (other / "a.py").write_bytes(b"evil\n")
    shutil.rmtree(yard.root / "src")
    (yard.root / "src").symlink_to(other)


def loop_of_links(yard: Yard) -> None:
    (yard.root / "l1").symlink_to("l2")
    (yard.root / "l2").symlink_to("l1")
    (yard.root / "src/a.py").unlink()
    (yard.root / "src/a.py").symlink_to("a.py")


def link_to_file(yard: Yard) -> None:
    (yard.root / "l").unlink()
    yard.write("l", b"a file")


def link_elsewhere(yard: Yard) -> None:
    (yard.root / "l").unlink()
    (yard.root / "l").symlink_to("/etc/hosts")


def read_only(yard: Yard) -> None:
    (yard.root / "t").unlink()
    yard.write("t", b"2", 0o400)


def strange_names(yard: Yard) -> None:
    for name in (b"a\nb", b"\xff\xfe.py", "é\u202e.py".encode(), b"-rf", b"two  words", b"+++ x\n@@ -1 +1 @@"):
        Path(os.fsdecode(os.fsencode(yard.root) + b"/src/" + name)).write_bytes(b"\0" + name)


CASES: list[tuple[str, Callable[[Yard], object], Callable[[Yard], object], dict[str, ChangeKind]]] = [
    ("a file becomes a folder", lambda _: None, replace_by_folder, {"src/a.py": GONE, "src/a.py/deep/x": CAME}),
    ("a folder becomes a link", lambda _: None, folder_by_link,
     {"src": CAME, "src/a.py": GONE, "src/deep/b.py": GONE}),
    ("links in a loop", lambda _: None, loop_of_links, {"l1": CAME, "l2": CAME, "src/a.py": OTHER}),
    ("a link becomes a file", lambda y: (y.root / "l").symlink_to("src/a.py"),
     link_to_file, {"l": OTHER}),
    ("a link leads elsewhere", lambda y: (y.root / "l").symlink_to("src/a.py"),
     link_elsewhere, {"l": OTHER}),
    ("a folder goes", lambda _: None, lambda y: shutil.rmtree(y.root / "src"),
     {"src/a.py": GONE, "src/deep/b.py": GONE}),
    ("a folder is renamed", lambda _: None, lambda y: (y.root / "src").rename(y.root / "lib"),
     {"src/a.py": GONE, "src/deep/b.py": GONE, "lib/a.py": CAME, "lib/deep/b.py": CAME}),
    ("another case", lambda _: None, lambda y: (y.root / "src/a.py").rename(y.root / "src/A.py"),
     {"src/a.py": GONE, "src/A.py": CAME}),
    ("made executable", lambda _: None, lambda y: (y.root / "src/a.py").chmod(0o755), {"src/a.py": OTHER}),
    ("made empty", lambda _: None, lambda y: y.write("src/a.py", b""), {"src/a.py": OTHER}),
    ("no longer empty", lambda y: y.write("e", b""), lambda y: y.write("e", b"x"), {"e": OTHER}),
    ("an empty one comes", lambda _: None, lambda y: y.write("e", b"", 0o600), {"e": CAME}),
    ("binary", lambda y: y.write("b", bytes(range(256)) * 50), lambda y: y.write("b", bytes(range(255, -1, -1)) * 50),
     {"b": OTHER}),
    ("lines end otherwise", lambda y: y.write("t", b"1\r\n2\r\n"), lambda y: y.write("t", b"1\n2\n"), {"t": OTHER}),
    ("no newline at the end", lambda y: y.write("t", b"1\n2"), lambda y: y.write("t", b"1\n2\n"), {"t": OTHER}),
    ("no text", lambda y: y.write("t", b"\xff\xfe1\n"), lambda y: y.write("t", b"\xff\xfe2\n"), {"t": OTHER}),
    ("read-only", lambda y: y.write("t", b"1", 0o444), read_only,
     {"t": OTHER}),
    ("ignored and denied", lambda y: y.write(".claude/settings.local.json.log", b"1"),
     lambda y: (y.write("x.log", b"1"), y.write("profiles/x.log", b"2")), {"profiles/x.log": CAME}),
]  # fmt: skip


@pytest.mark.parametrize(("prepare", "change", "kinds"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_there_and_back(
    yard: Yard, prepare: Callable[[Yard], object], change: Callable[[Yard], object], kinds: dict[str, ChangeKind]
) -> None:
    prepare(yard)
    yard.begin()
    before = yard.things()
    change(yard)
    after = yard.things()
    judged = yard.judge()
    assert {draft.violation.path: draft.violation.change for draft in judged.drafts} == kinds
    assert all(draft.violation.roles == (REVIEWER,) and draft.violation.evidence for draft in judged.drafts)
    ignored = {path: thing for path, thing in after.items() if path == "x.log"}
    yard.settle_all(judged.drafts)
    assert yard.things() == before | ignored
    assert yard.judge().drafts == []  # what teamops undoes is no news
    yard.settle_all(judged.drafts, back=True)
    assert yard.things() == after
    assert yard.judge().drafts == []


def test_names_that_mean_something_elsewhere(yard: Yard) -> None:
    yard.begin()
    before = yard.things()
    strange_names(yard)
    after = yard.things()
    judged = yard.judge()
    assert len(judged.drafts) == 6
    assert not judged.trouble
    assert not any("\n" in draft.violation.path for draft in judged.drafts)
    for draft in judged.drafts:
        head = (yard.state / patches.FOLDER / draft.patch).read_bytes().decode("utf-8").splitlines()
        assert head[0].startswith("--- src/")
        assert head[1].startswith("+++ src/")
        assert head[2].startswith("binary: 0 bytes before")
        yard.settle(draft)
    assert yard.things() == before
    for draft in judged.drafts:
        yard.settle(draft, back=True)
    assert yard.things() == after


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_what_is_no_file_in_place_of_one_is_named_and_stays(
    yard: Yard, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.begin()
    path = yard.root / "src/a.py"
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(path.parent)  # a socket's path is short
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("a.py")
    else:
        yard.write("src/a.py/empty/ignored.log", b"somebody's")
    (draft,) = yard.judge().drafts
    assert (draft.violation.path, draft.violation.change) == ("src/a.py", GONE)
    with pytest.raises(TeamopsError, match="no file stands there now"):
        yard.settle(draft)
    assert path.exists()
    if kind != "folder":
        path.unlink()
    else:
        (path / "empty/ignored.log").unlink()  # empty ones are nobody's work
    yard.settle(draft)
    assert path.read_bytes() == b"one\n"


def test_a_file_that_is_too_great_is_told_and_left(yard: Yard) -> None:
    big = yard.root / "big"
    with big.open("wb") as file:
        file.truncate(200 << 20)
    yard.begin()
    assert yard.judge().drafts == []
    with big.open("r+b") as file:
        file.write(b"x")
    begun = time.process_time()
    (draft,) = yard.judge().drafts
    assert time.process_time() - begun < 2.0
    assert (draft.violation.path, draft.violation.added) == ("big", None)
    with pytest.raises(TeamopsError, match=r"could not be kept|is not known"):
        yard.settle(draft)
    assert big.stat().st_size == 200 << 20
    assert yard.judge().drafts == []


def test_a_folder_of_a_thousand_files_that_is_renamed_is_counted(yard: Yard) -> None:
    for number in range(1000):
        yard.write(f"many/{number}.py", b"%d\n" % number)
    yard.begin()
    (yard.root / "many").rename(yard.root / "more")
    judged = yard.judge()
    assert (len(judged.drafts), judged.unlisted) == (MAX_LISTED, 2000 - MAX_LISTED)
    draft = judged.drafts[0]
    yard.settle(draft)
    yard.settle(draft, back=True)
    assert not any((yard.root / "many").iterdir())


def test_twice_within_a_moment_and_once_more_before_it_is_undone(yard: Yard) -> None:
    yard.begin()
    yard.write("src/a.py", b"two\n")
    yard.write("src/a.py", b"TWO\n")
    (draft,) = yard.judge().drafts
    assert patches.bytes_of(yard.state, draft.patch, patches.AFTER) == b"TWO\n"
    yard.write("src/a.py", b"three\n")
    with pytest.raises(TeamopsError, match="changed again since"):
        yard.settle(draft)
    assert (yard.root / "src/a.py").read_bytes() == b"three\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told_and_left(yard: Yard) -> None:
    yard.begin()
    yard.write("src/a.py", b"evil\n", 0o000)
    (draft,) = yard.judge().drafts
    with pytest.raises(TeamopsError, match="could not be kept"):
        yard.settle(draft)


def test_other_repositories_below_are_their_own(tmp_path: Path) -> None:
    yard = Yard(tmp_path, git=True)
    inner = tmp_path / "inner"
    subprocess.run(["git", "init", "-q", str(inner)], check=True)
    (inner / "x").write_text("1")
    for words in (["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t.example", "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=inner, check=True)
    subprocess.run(["git", "init", "-q", str(yard.root)], check=True)
    add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "sub"]
    subprocess.run(["git", *add], cwd=yard.root, check=True)
    yard.begin()
    subprocess.run(["git", "init", "-q", str(yard.root / "nested")], check=True)
    (yard.root / "sub" / "x").write_text("2")
    (yard.root / "nested" / "y").write_text("2")
    yard.write(".gitmodules", b"[submodule]\n")
    assert [draft.violation.path for draft in yard.judge().drafts] == [".gitmodules"]


def test_a_device_is_no_work(yard: Yard) -> None:
    yard.begin()
    try:
        os.mknod(yard.root / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        os.mkfifo(yard.root / "null")
    assert yard.judge().drafts == []
    assert FileKind.OTHER not in {known.state.kind for known in yard.tree._known.values()}
