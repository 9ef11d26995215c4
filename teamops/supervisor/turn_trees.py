"""The work tree as it was when each role got the light, kept beside the ledger for as long as the turn goes on.

Each turn has a folder of git's objects of its own, that goes with it. All of this blocks: call it in a thread.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from teamops.git.repository import Repository
from teamops.model.errors import TeamopsError
from teamops.model.role import Role

TREES = "trees"
"""The folder beside the ledger."""
TURNS = "turns.json"
MAX_TREES = 1 << 30
"""Bytes; what all turns that go on keep at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A role's turn: what the tree was like when it began."""

    role: Role
    root: str
    wall: float
    tree: str = ""
    """Git's; empty = not known."""
    place: str = ""
    """The folder among ``TREES`` in which the tree is kept; empty = nowhere."""
    tiers: tuple[int, ...] = ()
    named: tuple[str, ...] = ()
    """Files that others' blocks of the task name."""
    others: frozenset[Role] = frozenset()
    """Who else held a light in the same tree meanwhile."""


def take(root: Path, handoff: Path, folder: Path) -> tuple[str, str]:
    """Keep the tree as it is now; return its name and its place, both empty where it is no repository.

    Raises ``TeamopsError`` where git or the disk refuses, or it is too great.
    """
    repository = Repository.find(root)
    if repository is None:
        return "", ""
    place = uuid.uuid4().hex[:16]
    trees = folder / TREES / place
    try:
        trees.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise TeamopsError(f"{trees} can't be made: {error.strerror or error}", "mend the folder's rights") from error
    try:
        tree = repository.work_tree((handoff,), trees, contents=True)
        size = sum(path.lstat().st_size for path in trees.parent.rglob("*"))
    except OSError as error:
        drop(folder, place)
        raise TeamopsError(f"{trees} can't be read: {error.strerror or error}", "mend the folder's rights") from error
    except TeamopsError:
        drop(folder, place)
        raise
    if size > MAX_TREES:
        drop(folder, place)
        raise TeamopsError(
            f"files that git does not hold come to more than {MAX_TREES >> 20} MB",
            "name in .gitignore, or commit, what is large: until the next light limits of a turn aren't asked of git",
        )
    return tree, place


def drop(folder: Path, place: str) -> None:
    """Take away what was kept of a turn that is over."""
    if place:
        shutil.rmtree(folder / TREES / place, ignore_errors=True)


def read(folder: Path) -> dict[str, Turn]:
    """Return the turns that an earlier life knew, and take away what belongs to none of them."""
    trees = folder / TREES
    try:
        told = json.loads((trees / TURNS).read_bytes())
        turns = {str(key): _turn(row) for key, row in told.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        turns = {}
    _keep_only(trees, {TURNS, *(turn.place for turn in turns.values())})
    return {key: turn for key, turn in turns.items() if turn.place and (trees / turn.place).is_dir()}


def _keep_only(trees: Path, names: Iterable[str]) -> None:
    with suppress(OSError):
        for path in trees.iterdir():
            if path.name not in names:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def _turn(row: Mapping[str, object]) -> Turn:
    named, tiers, others, place = row["named"], row["tiers"], row["others"], str(row["place"])
    if not (isinstance(named, list) and isinstance(tiers, list) and isinstance(others, list)):
        raise TypeError("no turn")
    if not place.isalnum():
        raise ValueError("no place")
    return Turn(
        role=Role(str(row["role"])),
        root=str(row["root"]),
        wall=float(str(row["wall"])),
        tree=str(row["tree"]),
        place=place,
        tiers=tuple(map(int, tiers)),
        named=tuple(map(str, named)),
        others=frozenset(Role(str(one)) for one in others),
    )


def write(folder: Path, turns: Mapping[str, Turn]) -> None:
    """Keep which turns go on for the next life; without it that begins with the tree as it finds it."""
    rows = {
        key: {
            "role": turn.role, "root": turn.root, "wall": turn.wall, "tree": turn.tree, "place": turn.place,
            "tiers": list(turn.tiers), "named": list(turn.named), "others": sorted(turn.others),
        }
        for key, turn in turns.items() if turn.tree
    }  # fmt: skip
    path = folder / TREES / TURNS
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = path.with_suffix(".new")
        new.touch(0o600)
        new.write_text(json.dumps(rows), encoding="utf-8")
        new.replace(path)
