"""Which names below a large folder a rule could speak of: to judge all of tens of thousands would take too long.

A glob that speaks of a path below a folder, and not of the folder itself, needs a part of its own in one of the names
below. So each name is asked for that alone, and what has such a part is judged like any other.
"""

# ruff: noqa: PTH118 - importing pathlib costs more than all of this
from __future__ import annotations

import os
from time import monotonic

from teamops.guard.globs import Row, folds
from teamops.guard.places import MAX_BELOW
from teamops.guard.policy import Policy

MAX_SIFTED = 200_000
"""So many names below a folder are gone through."""
_SPECIAL = frozenset("*?[]\\")


class Sieve:
    """What names are asked for."""

    __slots__ = ("_exact", "_loose", "_rooted", "_starts")

    def __init__(self) -> None:
        self._exact: set[str] = set()
        self._loose: list[tuple[str, str, tuple[str, ...]]] = []
        """Beginning, end, and what has to be between."""
        self._rooted: list[str] = []
        """Paths in the project of which rules speak."""
        self._starts: list[str] = []

    def asks(self, name: str) -> bool:
        """Return whether a rule could speak of a path because ``name`` is one of its parts."""
        if name.isascii() and ":" not in name and "~" not in name and name[-1:] not in {".", " "}:
            return self._one(name.lower())
        return any(self._one(spelling) for spelling in folds(name))

    def _one(self, name: str) -> bool:
        return name in self._exact or any(_fits(pattern, name) for pattern in self._loose)

    def take(self, glob: str, above: set[str]) -> bool:
        """Take what a glob needs below folders with these parts; return whether it needs anything."""
        folded = folds(glob.strip("/"))[0]
        parts = [part for part in folded.split("/") if part not in {"", "**"}]
        plain = next((part for part in parts if part not in above and not _SPECIAL & set(part)), "")
        if plain:
            self._exact.add(plain)
            return True
        patterns = [pattern for part in parts if _SPECIAL & set(part) and any(pattern := _pattern(part))]
        own = next((pattern for pattern in patterns if not any(_fits(pattern, one) for one in above)), None)
        if own is not None:
            self._loose.append(own)
        return own is not None

    def know(self, starts: list[str], texts: list[str]) -> None:
        """Take where the folder is in the project, and which paths there rules speak of."""
        self._starts, self._rooted = starts, texts

    def below(self, folder: str, until: float) -> tuple[list[str] | None, bool]:
        """Return the names below ``folder`` that rules could speak of, and whether all of it was seen.

        ``until``: by the monotonic clock. ``None``: of more of them than can be judged.
        """
        found: list[str] = []
        waiting, count, whole = [("", False)], 0, True
        while waiting:
            at, told = waiting.pop()
            if count > MAX_SIFTED or monotonic() > until:
                whole = False
                break
            try:
                with os.scandir(os.path.join(folder, at)) as entries:
                    for entry in entries:
                        count += 1
                        asked = told or self.asks(entry.name)
                        is_folder = entry.is_dir(follow_symlinks=False)
                        if asked or is_folder:
                            name = f"{at}/{entry.name}" if at else entry.name
                            if asked:
                                found.append(name)
                            if is_folder:
                                waiting.append((name, asked))
            except OSError:
                whole = False
            if len(found) > MAX_BELOW:
                return None, False
        return (found if whole else list(dict.fromkeys((*found, *self._standing(folder))))), whole

    def _standing(self, folder: str) -> list[str]:
        """Return which paths that rules name in full stand below the folder."""
        rests = [
            text[len(start) :].lstrip("/")
            for text in self._rooted
            for start in self._starts
            if start == "." or text.startswith(f"{start}/")
        ]
        return [rest for rest in rests if os.path.lexists(os.path.join(folder, rest))]


def sieve_for(policy: Policy, inside: list[str]) -> Sieve | None:
    """Return what to ask below folders of these names in the project; ``None`` = any name could matter.

    What may be written there is told by the folders themselves, unless a rule takes some of it back.
    """
    tiers = list(policy["tiers"].values())
    allowed = [row for lists in (policy, *tiers) for name in ("allow", "fix") for row in lists.get(name, ())]
    if not all(include for _, _, include, _ in allowed):
        return None
    starts = {spelling for name in inside for spelling in folds(name)}
    above = {part for start in starts for part in start.split("/")}
    made = Sieve()
    rooted = [policy["handoff"]] if policy["handoff"] else []
    globs = list(rooted)
    rows: list[Row] = [*policy["protected"], *policy["deny"], *(row for lists in tiers for row in lists["deny"])]
    for form, text, include, glob in rows:
        plain = folds(text)[0]
        if form in {"below", "at"} and not any(start == "." or plain.startswith(f"{start}/") for start in starts):
            continue  # it speaks of another place
        if form in {"below", "at"}:
            rooted.append(text.strip("/"))
        if include:
            globs.append(glob)
    if not all(made.take(glob, above) for glob in globs):
        return None
    made.know(inside, rooted)
    return made


def _pattern(part: str) -> tuple[str, str, tuple[str, ...]]:
    """Return how a name begins and ends that fits a part of a glob, and what is between; all empty = anyhow."""
    classes = "[" in part or "\\" in part
    pieces = "".join("*" if letter in _SPECIAL else letter for letter in part).split("*")
    return pieces[0], "" if classes else pieces[-1], () if classes else tuple(filter(None, pieces[1:-1]))


def _fits(pattern: tuple[str, str, tuple[str, ...]], name: str) -> bool:
    start, end, between = pattern
    return name.startswith(start) and name.endswith(end) and all(piece in name for piece in between)
