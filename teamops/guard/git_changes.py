"""What git's commands change in the work tree, by their pathspecs."""

from __future__ import annotations

from collections.abc import Sequence

from teamops.guard.act import DELETE, REPLACES, WRITE, Act
from teamops.guard.changing import ALL, BESIDE, MORE, Changed, any_of, changes_of, into_folder, on_all, patched
from teamops.guard.grammars import GRAMMARS
from teamops.guard.options import sorted_words
from teamops.guard.words import Word

_BRANCHES = ("b", "B", "orphan")


def git_changes(verb: str, words: list[Word], folder: str, inputs: Sequence[str]) -> Changed | None:
    """Return what ``git verb`` changes; ``None`` = it is none that changes files by their names.

    ``folder``: where git is told to stand; empty = where the shell stands.
    """
    if verb == "stash":
        return ([], MORE) if not words or words[0].text in {"push", "pop", "apply", "save", "-u", "-k"} else None
    grammar = GRAMMARS.get(f"git {verb}")
    if grammar is None:
        return None
    given = sorted_words(words, grammar)
    if given is None:
        acts = any_of(words, deletes=verb in {"rm", "mv", "clean"})
        return within(acts, folder), MORE
    files = given.operands
    if given.has("pathspec-from-file"):
        return [], MORE
    if verb == "mv":
        moved = changes_of("mv", list(files))
        return None if moved is None else (within(moved[0], folder), moved[1])
    if verb == "apply":
        if given.has("check", "stat", "numstat", "summary", "cached") and not given.has("apply"):
            return [], BESIDE
        below = "/".join(word.text for word in given.values("directory"))
        acts = patched(inputs, below) + [act for word in given.values("directory") for act in into_folder(word)]
        return within(acts, folder), MORE if files or not inputs else BESIDE
    if verb == "restore" and given.has("S", "staged") and not given.has("W", "worktree"):
        return None
    if verb == "checkout":
        return None if given.has(*_BRANCHES) else (within(_checked_out(words, files), folder), BESIDE)
    acts = _named(WRITE if verb == "restore" else DELETE, files)
    state = MORE if verb == "clean" else on_all(WRITE, files)[1]
    return within(acts, folder), BESIDE if state == ALL and any(act.only for act in acts) else state


def _checked_out(words: list[Word], files: list[Word]) -> list[Act]:
    """Return what ``git checkout`` changes: what stands behind ``--``, or whatever is a path and no branch."""
    mark = next((at for at, word in enumerate(words) if word.text == "--"), -1)
    acts = _named(WRITE, words[mark + 1 :] if mark >= 0 else files)
    for act in acts if mark < 0 else ():
        act.maybe = True
    return acts


def within(acts: list[Act], folder: str) -> list[Act]:
    """Return the changes as they are where the program stands in another folder."""
    for act in acts if folder else ():
        act.path = _joined(folder, act.path)
        if act.source is not None:
            act.source = _joined(folder, act.source)
    return acts


def _joined(folder: str, path: str) -> str:
    return path if path.startswith(("/", "~")) else f"{folder}/{path}"


def _named(how: str, words: list[Word]) -> list[Act]:
    """Return the changes of what pathspecs name, with and without what is magic in them; a star takes slashes, too."""
    acts = []
    for word in words:
        if word.unknown:
            continue
        text = word.text
        if text[:2] == ":(":
            text = text.partition(")")[2] or "."
        elif text[:1] == ":":
            text = text.lstrip(":/!^") or "."
        start, pattern = text, ""
        if any(letter in text for letter in "*?["):
            parts = text.split("/")
            first = next(at for at, part in enumerate(parts) if any(letter in part for letter in "*?["))
            start, pattern = "/".join(parts[:first]) or ("/" if text[:1] == "/" else "."), "/".join(parts[first:])
        act = Act(how, start, text=None, mode=REPLACES)
        act.deep = True
        if pattern:
            act.only = ((f"spec:{pattern}",),)
        acts.append(act)
    return acts
