"""Which glob speaks of a path: the rows that `domain/globs.py` makes of globs, matched without any library."""

from __future__ import annotations

Row = tuple[str, str, bool, str]
"""Form (all, suffix, below, at, regex), its text, whether it includes or takes back, the glob as written."""

_COMPILED: dict[tuple[str, bool], object] = {}


def match(rows: list[Row], path: str, *, fold: bool = False) -> str:
    """Return the glob that includes ``path``, relative to the project; empty = none does.

    As pathspec reads them: the last one that speaks of the path itself decides, before those that speak of a folder
    above it. ``fold``: letters' case means nothing in regular expressions, either.
    """
    found, rank = "", 0
    for form, text, include, glob in rows:
        said = _rank(form, text, path, fold)
        if said and said >= rank:
            found, rank = (glob if include else ""), said
    return found


def _rank(form: str, text: str, path: str, fold: bool) -> int:  # noqa: FBT001 - asked once, just above
    """Return 2 where the row speaks of the path itself, 1 of a folder above it, 0 of neither."""
    if form == "all":
        return 2 if path else 0
    if form == "suffix":
        if path.endswith(text):
            return 2
        return 1 if f"{text}/" in path else 0
    if form == "below":
        return 1 if path.startswith(text) else 0
    if form == "at":
        return 2 if path == text else (1 if path.startswith(f"{text}/") else 0)
    key = (text, fold)
    if key not in _COMPILED:
        import re

        _COMPILED[key] = re.compile(text, re.IGNORECASE if fold else 0)
    found = _COMPILED[key].search(path)  # type: ignore[attr-defined]  # re is imported where it is needed alone
    if found is None:
        return 0
    return 1 if found.groupdict().get("ps_d") else 2


def folds(path: str) -> tuple[str, ...]:
    """Return what a file system may take ``path`` for: whatever the case, the composition, and trailing dots.

    Without what HFS+ leaves out, without the streams of NTFS. The first one is the path itself, folded.
    """
    if path.isascii():
        plain = path.lower()
    else:
        import unicodedata

        shown = "".join(letter for letter in path if unicodedata.category(letter) != "Cf")
        plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", shown).casefold())
        composed = unicodedata.normalize("NFC", path.casefold())
        return tuple(dict.fromkeys((composed, plain, _trimmed(composed), _trimmed(plain))))
    return tuple(dict.fromkeys((plain, _trimmed(plain))))


def _trimmed(path: str) -> str:
    parts = []
    for part in path.split("/"):
        bare = part.partition(":")[0].rstrip(". ")
        if bare[:4] == "git~" and bare[4:].isdigit():
            bare = ".git"  # its short name
        parts.append(bare or part)
    return "/".join(parts)
