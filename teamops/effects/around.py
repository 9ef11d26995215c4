"""Whose boundary this process is inside, by what the kernel itself holds: no variable and no option says otherwise.

In the mounts of its boundary an agent has its own spool, and no other's. Where Landlock stands alone there are none:
then the one spool of the project in which something can be made tells it. What can't be known counts as none.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from teamops.config.settings import Settings
from teamops.model.errors import UsageError
from teamops.model.role import Role, role_of
from teamops.model.text import clean_line

PROC = Path("/proc/self")
_SPOOL = "/.teamops/spool/"
_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}
_MAKES_NAMELESS = getattr(os, "O_TMPFILE", 0)
_NO_SUCH_WAY = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})
"""What a file system says that makes no files without a name."""


def roles_around(settings: Settings, proc: Path = PROC) -> frozenset[Role]:
    """Return whose boundaries, in this project, are around this process; one at most, as a rule. Raises nothing."""
    root, handoff = os.path.realpath(settings.root), os.path.realpath(settings.handoff)
    points = set(_mount_points(proc))
    at = {handoff, str(Path(handoff).parent)}
    found = set()
    for point in points:
        project, mark, name = point.rpartition(_SPOOL)
        # By another project's settings the same file may be meant: it is told by where the boundary lets it be written.
        if mark and "/" not in name and (project == root or not at.isdisjoint(points)):
            found.add(role_of(name))
    return frozenset(found) or frozenset(_by_spool(root, handoff, proc))


def own_role(role: Role | None, around: frozenset[Role]) -> Role | None:
    """Return whose block it is to be: ``role``, or that of the boundary where nothing else says it.

    Raises ``UsageError`` inside another's boundary. ``around``: of ``roles_around``.
    """
    if not around:
        return role
    if role is None and len(around) == 1:
        return next(iter(around))
    if around != {role}:
        inside = " and ".join(f"{clean_line(one, 40)}'s" for one in sorted(around))
        whose = f"would be {clean_line(role, 40)}'s" if role is not None else "may be either's"
        raise UsageError(
            f"this is inside {inside} boundary, and the block {whose}",
            "write your own block; Turn hands over the light",
        )
    return role


def _mount_points(proc: Path) -> Iterator[str]:
    try:
        rows = (proc / "mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    for row in rows:
        point = (row.split(" ") + [""] * 5)[4]
        for escape, letter in _ESCAPES.items():
            point = point.replace(escape, letter)
        yield point


def _by_spool(root: str, handoff: str, proc: Path) -> Iterator[Role]:
    """Yield the role whose spool alone can be written, where something holds this process at all."""
    if not _may_be_held(proc):
        return
    projects = [root, *(str(above) for above in Path(handoff).parents if str(above) != root)]
    for project in projects:
        spools = Path(f"{project}{_SPOOL}")
        if not spools.is_dir() or _can_make(spools.parent):
            continue
        mine = []
        with suppress(OSError):
            mine = [spool.name for spool in spools.iterdir() if not spool.is_symlink() and _can_make(spool)]
        if len(mine) == 1:
            yield role_of(mine[0])


def _may_be_held(proc: Path) -> bool:
    """Return whether the process has given up to gain rights, as each in a boundary has. True where nobody tells."""
    try:
        return "NoNewPrivs:\t0" not in (proc / "status").read_text("utf-8", "replace")
    except OSError:
        return True


def _can_make(folder: Path) -> bool:
    """Return whether a file can be made in ``folder``; none stays."""
    if _MAKES_NAMELESS:
        try:
            os.close(os.open(folder, _MAKES_NAMELESS | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except OSError as error:
            if error.errno not in _NO_SUCH_WAY:
                return False
        else:
            return True
    path = folder / f".{uuid.uuid4().hex}.try"
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except OSError:
        return False
    with suppress(OSError):
        path.unlink()
    return True
