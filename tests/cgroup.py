"""A real memory cgroup with a small limit, where the machine allows one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

LIMIT = 40_000_000
HUNGRY = "import sys; sys.stdin.read(1); x = [bytearray(b'x' * 1_000_000) for _ in range(400)]"
"""A program that takes more than that when it is told to."""
_PARENTS = ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"), (Path("/sys/fs/cgroup"), "memory.max"))


@contextmanager
def memory_cgroup(name: str) -> Iterator[Path]:
    """Give the folder of a cgroup that ends with the test; skip the test where none can be made."""
    made: Path | None = None
    for parent, limit in _PARENTS:
        folder = parent / f"teamops-test-{name[:40]}"
        with suppress(OSError):
            folder.mkdir()
            if (folder / limit).exists():
                (folder / limit).write_text(str(LIMIT))
                with suppress(OSError):
                    (folder / "memory.swap.max").write_text("0")
                made = folder
                break
            folder.rmdir()
    if made is None:
        pytest.skip("no memory cgroup can be made here (that needs root and a writable /sys/fs/cgroup)")
    try:
        yield made
    finally:
        made.rmdir()


def is_in_cgroup(group: Path, pid: int) -> bool:
    """Return whether ``pid`` is in the cgroup; put it there where who manages this machine has taken it out."""
    if str(pid) in (group / "cgroup.procs").read_text().split():
        return True
    (group / "cgroup.procs").write_text(str(pid))
    return False
