"""The globs of a profile's write rules, as far as a kernel can follow them, and who writes code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pathspec import GitIgnoreSpec

_WILD = "*?[\\"
_TOKEN = re.compile(r"\*+|\?|\[[^]]+\]|\\.", re.DOTALL)
_CODE = (".py", ".js", ".ts", ".go", ".rs", ".c", ".cpp", ".java", ".rb", ".php", ".cs", ".swift", ".kt")
COMMIT = "git commit -m x"


@dataclass(frozen=True, slots=True)
class Spot:
    """The part of a glob that is a plain path."""

    path: str
    """Relative to the project, without a slash at either end; empty = the whole of it."""
    exact: bool
    """The glob means just this, and all that is in it."""
    folder: bool
    """It can only be a folder."""


def spot_of(glob: str) -> Spot:
    """Return the nearest path that holds all a glob means, as .gitignore reads globs."""
    if glob.startswith("!"):
        return Spot("", exact=False, folder=True)
    parts = [part for part in glob.split("/") if part]
    anchored = glob.startswith("/") or "/" in glob.rstrip("/")
    folders_only = glob.endswith("/")
    if parts in ([], ["*"], ["**"]):
        return Spot("", exact=not (parts and folders_only), folder=True)
    if not anchored:
        return Spot("", exact=False, folder=True)
    plain: list[str] = []
    for part in parts:
        if any(sign in part for sign in _WILD):
            break
        plain.append(part)
    rest = parts[len(plain) :]
    return Spot(
        "/".join(plain),
        exact=not rest or (rest == ["**"] and not folders_only),
        folder=bool(rest) or folders_only,
    )


def example_of(glob: str, stem: str) -> str:
    """Return a path that a glob means, with ``stem`` for what it leaves open; empty = none could be made up."""
    parts = [part for part in glob.split("/") if part]
    if glob.startswith("!") or not parts:
        return ""
    made = [_TOKEN.sub(lambda found: _instead(found[0], stem), part) for part in parts if part != "**"]
    if glob.endswith("/") or parts[-1] == "**" or "." not in made[-1]:  # a folder, or what may be one
        made.append(f"{stem}.txt")
    path = "/".join(made)
    return path if GitIgnoreSpec.from_lines([glob]).match_file(path) else ""


def _instead(sign: str, stem: str) -> str:
    if sign.startswith("*"):
        return stem
    if sign.startswith("["):
        return "x" if sign[1] in "!^" else sign[1]
    return "x" if sign == "?" else sign[1]


def writes_code(
    allow: Sequence[str], deny: Sequence[str], commands_allow: Sequence[str], commands_deny: Sequence[str]
) -> bool:
    """Return whether a role writes code: it may write some source file, and may run git commit.

    A folder of texts (reviews/) may hold any name: so one who may not commit writes no code.
    """
    may_commit = (not commands_allow or _any(commands_allow)) and not _any(commands_deny)
    if not may_commit:
        return False
    rules = [*(allow or ["*"]), *(f"!{glob}" for glob in deny)]
    spec = GitIgnoreSpec.from_lines(rules)
    folders = {spot_of(glob).path for glob in allow} | {""}
    return any(spec.match_file(f"{folder}/x{suffix}".lstrip("/")) for folder in folders for suffix in _CODE)


def _any(globs: Sequence[str]) -> bool:
    return any(fnmatchcase(COMMIT, glob) for glob in globs)
