"""Ends for want of memory: told from other KILLs by the kernel's count, in made trees and in a real cgroup."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from teamops.sources.oom import OomKills, counter_of, was_oom
from tests.cgroup import HUNGRY, memory_cgroup

PID = 40
V2 = "30 29 0:26 / {mount} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
V1 = "31 29 0:27 {root} {mount} rw shared:9 - cgroup cgroup rw,memory"
CPU = "33 29 0:28 / {mount} rw shared:9 - cgroup cgroup rw,cpu"


@dataclass
class Tree:
    """A ``/proc`` and cgroups, made of plain files."""

    folder: Path

    @property
    def proc(self) -> Path:
        return self.folder / "proc"

    def live(self, cgroup: str, *mounts: str, pid: int = PID) -> None:
        self.write(self.proc / str(pid) / "cgroup", cgroup)
        self.write(self.proc / "self" / "mountinfo", "29 1 8:1 / / rw - ext4 /dev/sda rw\n" + "\n".join(mounts))

    @staticmethod
    def write(path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_version_2_counts_in_the_group_itself(tree: Tree) -> None:
    group = tree.folder / "cg" / "user" / "tmux.scope"
    local = tree.write(group / "memory.events.local", "low 0\noom 2\noom_kill 2\n")
    tree.write(group / "memory.events", "oom_kill 9\n")
    tree.live("0::/user/tmux.scope\n", V2.format(mount=tree.folder / "cg"))
    assert counter_of(PID, tree.proc) == local
    local.unlink()  # kernels before 5.2
    assert counter_of(PID, tree.proc) == group / "memory.events"


def test_version_1_counts_where_the_memory_controller_is(tree: Tree) -> None:
    group = tree.folder / "mem" / "a"
    control = tree.write(group / "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
    mounts = (CPU.format(mount=tree.folder / "cpu"), V1.format(root="/", mount=tree.folder / "mem"))
    tree.live("5:cpu,cpuacct:/b\n4:memory:/a\n0::/\n", *mounts)
    assert counter_of(PID, tree.proc) == control


def test_in_a_container_the_mount_itself_may_be_the_group(tree: Tree) -> None:
    control = tree.write(tree.folder / "mem" / "memory.oom_control", "oom_kill 0\n")
    tree.live("4:memory:/docker/abc\n", V1.format(root="/docker/abc", mount=tree.folder / "mem"))
    assert counter_of(PID, tree.proc) == control
    tree.live("4:memory:/elsewhere/abc\n", V1.format(root="/", mount=tree.folder / "mem"))
    assert counter_of(PID, tree.proc) == control


def test_else_the_whole_machine_counts(tree: Tree) -> None:
    tree.live("0::/gone\n", V2.format(mount=tree.folder / "cg"), "a line of another kind")
    assert counter_of(PID, tree.proc) is None
    everywhere = tree.write(tree.proc / "vmstat", "nr_free_pages 5\noom_kill 7\n")
    assert counter_of(PID, tree.proc) == everywhere
    everywhere.write_text("oom_kill many\n")
    assert counter_of(PID, tree.proc) is None
    assert counter_of(99, tree.proc) is None


@dataclass
class Watched:
    kills: OomKills
    file: Path
    now: float = 100.0

    def count(self, number: int) -> None:
        self.file.write_text(f"oom_kill {number}\n")


@pytest.fixture
def watched(tree: Tree) -> Watched:
    file = tree.write(tree.folder / "cg" / "memory.events", "oom_kill 5\n")
    for pid in (PID, PID + 1):
        tree.live("0::/\n", V2.format(mount=tree.folder / "cg"), pid=pid)
    made = Watched(OomKills(lambda: made.now, tree.proc), file)
    for pid in (PID, PID + 1):
        made.kills.follow(pid)
    return made


def test_a_count_that_rose_at_the_end_tells_of_it(watched: Watched) -> None:
    watched.count(6)
    watched.kills.look()  # counted when the KILL was sent, a moment before the process is gone
    watched.now += 0.5
    assert watched.kills.end(PID) is True


def test_a_count_that_stands_tells_of_somebody_else(watched: Watched) -> None:
    assert watched.kills.end(PID) is False


def test_what_rose_long_before_has_ended_another(watched: Watched) -> None:
    watched.count(6)
    assert watched.kills.end(PID) is True
    for _ in range(5):
        watched.now += 2.0
        watched.kills.look()
    assert watched.kills.end(PID + 1) is False


def test_where_nobody_counts_nothing_is_known(watched: Watched) -> None:
    watched.file.unlink()
    watched.kills.look()
    assert watched.kills.end(PID) is None
    watched.kills.follow(PID)
    assert watched.kills.end(PID) is None
    assert watched.kills.end(99) is None


ENDS = [
    pytest.param(None, 9, True, True, id="KILL, risen"),
    pytest.param(None, 9, False, False, id="KILL, not risen"),
    pytest.param(None, 9, None, None, id="KILL, unknown"),
    pytest.param(137, None, True, True, id="a wrapper's word"),
    pytest.param(None, 15, True, False, id="TERM"),
    pytest.param(0, None, True, False, id="in order"),
    pytest.param(None, None, True, None, id="cause unknown"),
]


@pytest.mark.parametrize(("status", "number", "risen", "expected"), ENDS)
def test_only_a_kill_can_be_the_kernels(
    status: int | None, number: int | None, risen: bool | None, expected: bool | None
) -> None:
    assert was_oom(status, number, risen=risen) is expected


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Path]:
    with memory_cgroup(tmp_path.name) as folder:
        yield folder


@pytest.mark.parametrize("hungry", [True, False], ids=["out of memory", "killed by somebody"])
def test_a_real_end_for_want_of_memory_is_told_from_another_kill(group: Path, hungry: bool) -> None:
    kills = OomKills(lambda: 0.0)
    with subprocess.Popen([sys.executable, "-S", "-c", HUNGRY], stdin=subprocess.PIPE) as process:
        (group / "cgroup.procs").write_text(str(process.pid))
        counter = counter_of(process.pid)
        assert counter is not None
        assert counter.parent == group
        kills.follow(process.pid)
        if hungry:
            assert process.stdin
            process.stdin.write(b"x")
            process.stdin.flush()
        else:
            process.kill()
        process.wait(30)
    assert process.returncode == -9
    assert was_oom(None, 9, risen=kills.end(process.pid)) is hungry
