"""The work trees that are watched, where what happens in them is to be judged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.config.settings import AuditMode, Settings
from teamops.sources.clock import Clock
from teamops.sources.work_tree import WorkTree

AFTER_S = 1.0
"""The first frame comes first."""

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


def watched_trees(core: Core, settings: Settings, folder: Path, clock: Clock) -> WorkTree | None:
    """Return who watches the project's work tree and the agents' own; ``None`` where nobody is to.

    ``folder``: the project's in the person's state directory.
    """
    core.auditing.folder = folder
    ruled = any(role.profile is not None for role in settings.roles)
    if not core.book.supervisor.acting or settings.watch_only or settings.guard.audit is AuditMode.OFF or not ruled:
        return None
    roots = [settings.root.resolve()]
    for role in settings.roles:
        cwd = role.cwd.resolve()
        if cwd.is_dir() and not any(_covers(root, cwd) for root in roots):
            roots.append(cwd)
    found = WorkTree(roots, settings.handoff, folder, clock, after_s=AFTER_S)
    found.room = core.auditing.has_room
    core.auditing.follow(found.bytes_of, found.is_ready)
    return found


def _covers(root: Path, cwd: Path) -> bool:
    """Return whether who watches ``root`` sees what happens in ``cwd``: it leaves other repositories below out."""
    if not cwd.is_relative_to(root):
        return False
    between = (folder for folder in (cwd, *cwd.parents) if folder != root and folder.is_relative_to(root))
    return not any(os.path.lexists(folder / ".git") for folder in between)
