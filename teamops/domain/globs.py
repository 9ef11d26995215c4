"""gitignore globs, made ready for a place that has no library: rows of plain values that `guard/globs.py` matches.

The globs are read by pathspec, and what it says is what holds; the plain forms are its regular expressions in a shape
that needs no regular expression. A property holds both to each other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

Row = tuple[str, str, bool, str]
"""Form (all, suffix, below, at, regex), its text, whether it includes or takes back, the glob as written."""

_PLAIN = re.compile(r"[\w.\- ~@+=,/]*\w")
_LEFT_OUT = re.compile(r"\[\^[^\]]+\]")
_SUFFIX = re.compile(r"\*(\.[\w.\-]*\w)")


def rows(globs: Sequence[str]) -> tuple[Row, ...]:
    """Return what ``globs`` match, in their order. Raises ``ValueError`` for one that git would not take."""
    made = []
    for glob in globs:
        try:
            source, include = GitIgnoreSpecPattern.pattern_to_regex(glob)
        except ValueError as error:
            raise ValueError(f'"{glob}" is no glob') from error
        if isinstance(source, str) and include is not None:
            made.append((*_form(glob, source), include, glob))
    return tuple(made)


def folded(given: Sequence[Row]) -> tuple[Row, ...]:
    """Return the same rows for paths that were folded by `guard.globs.folds`: whatever the case, composed letters."""
    return tuple(
        # What a class leaves out, it leaves out in one case alone: any letter may be the other one.
        (form, _LEFT_OUT.sub("[^/]", composed) if form == "regex" else composed.casefold(), include, glob)
        for form, text, include, glob in given
        for composed in (unicodedata.normalize("NFC", text),)
    )


def _form(glob: str, source: str) -> tuple[str, str]:
    if source == ".":
        return "all", ""
    if found := _SUFFIX.fullmatch(glob):
        return "suffix", found[1]
    if glob.startswith("/") and _PLAIN.fullmatch(inner := glob.strip("/")) and "//" not in glob:
        return ("below", inner + "/") if glob.endswith("/") else ("at", inner)
    return "regex", source
