"""What of one of git's own folders is held, so that it leads nobody's next git command."""

from __future__ import annotations

from dataclasses import dataclass, field

from teamops.domain.git_places import CONFIG, HELD, HOOKS, NEUTRAL, WORKTREE_CONFIG
from teamops.domain.on_disk import Kind, Look

REPOSITORY = "a repository that it makes in a folder of its own has its own hooks and settings"
UNFINISHED = "a rebase or cherry-pick that it leaves unfinished can run commands when somebody continues it"


@dataclass(slots=True)
class GitHold:
    """What is held of a folder. All paths are absolute."""

    held: list[str] = field(default_factory=list)
    make: list[str] = field(default_factory=list)
    """Folders that are made, so that they can be held."""
    make_files: list[tuple[str, str]] = field(default_factory=list)
    """Files, with their text."""
    holes: list[str] = field(default_factory=list)


def git_hold(folder: str, look: Look, *, module: bool) -> GitHold:
    """Return what is held of ``folder``; what is missing is made. ``module``: it is a submodule's."""
    found = GitHold()
    whole = look(f"{folder}/{CONFIG}") is not Kind.NOTHING  # a linked work tree's has none of its own
    if module:
        found.holes.append(f"{folder}/{CONFIG} can be changed: git writes it itself at git submodule update")
    for name in HELD:
        if module and name == CONFIG:
            continue
        path = f"{folder}/{name}"
        kind = look(path)
        if kind is Kind.LINK:
            found.holes.append(f"{path} is a link: it can be put elsewhere")
        elif kind is not Kind.NOTHING:
            found.held.append(path)
        elif name == HOOKS and whole:
            found.make.append(path)
            found.held.append(path)
        elif name == WORKTREE_CONFIG or (name in NEUTRAL and whole):
            found.make_files.append((path, NEUTRAL[name]))
            found.held.append(path)
    return found
