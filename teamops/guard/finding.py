"""What ``find`` does with what it finds."""

from __future__ import annotations

from collections.abc import Callable

from teamops.guard.act import DELETE, REPLACES, WRITE, Act
from teamops.guard.changing import ALL, MORE, Changed, act_on
from teamops.guard.shell import Word

_NAMES = frozenset({"-name", "-iname", "-path", "-wholename", "-ipath", "-iwholename"})
_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_WRITES = frozenset({"-fprint", "-fprint0", "-fprintf", "-fls"})
_OR = frozenset({"-o", "-or", ","})
Inner = Callable[[list[Word]], "Changed | None"]
"""What a program changes that is run; ``None`` = it only reads."""


def found(words: list[Word], inner: Inner) -> Changed | None:
    """Return what ``find`` with these words changes; ``None`` = it only reads."""
    starts, at = [], 0
    while at < len(words) and words[at].text in {"-H", "-L", "-P"}:
        at += 1
    while at < len(words) and words[at].text[:1] not in {"-", "(", "!", ")"} and (words[at].text or words[at].quoted):
        starts.append(words[at])
        at += 1
    if not starts:
        here = Word()
        here.text = "."
        starts.append(here)
    acts: list[Act] = []
    state = "" if all(not word.unknown for word in starts) else MORE
    changes = False
    only: list[tuple[str, ...]] = []
    while at < len(words):
        text, loose = words[at].text, words[at].unknown
        at += 1
        if loose:
            return acts, MORE
        if text in _OR:
            only = []
        elif text in {"!", "-not"}:
            at = _behind(words, at)
        elif text == "(":
            group, at = _group(words, at)
            only += [group] if group else []
        elif text in _NAMES:
            if at < len(words) and not words[at].unknown:
                only.append((f"{text[1:]}:{words[at].text}",))
            at += 1
        elif text == "-delete":
            changes = True
            acts += [_on(DELETE, start, only, REPLACES) for start in starts]
        elif text in _WRITES:
            changes = True
            acts += [act_on(WRITE, word) for word in words[at : at + 1]]
            at += 1
        elif text in _RUNS:
            end = next((to for to in range(at, len(words)) if words[to].text in {";", "+"}), len(words))
            told = inner(words[at:end])
            at = end + 1
            if told is not None:
                changes = True
                acts += [one for act in told[0] for one in _each(act, starts, only)]
                state = told[1] if told[1] != ALL and state != MORE else state
                state = MORE if any("{}" in act.path and act.path != "{}" for act in told[0]) else state
    return (acts, state or ALL) if changes or state else None


def _each(act: Act, starts: list[Word], only: list[tuple[str, ...]]) -> list[Act]:
    """Return the change for what is found; of a change of something else, that one."""
    if act.path == "{}":
        return [_on(act.how, start, only, act.mode) for start in starts if not start.unknown]
    if "{}" in act.path or act.path.rstrip("/") == ".":
        return []
    if act.source is not None and "{}" in act.source:
        act.source = None
    return [act]


def _on(how: str, start: Word, only: list[tuple[str, ...]], mode: str) -> Act:
    act = act_on(how, start, mode=mode, deep=True)
    act.only = tuple(only)
    act.path = act.path or "."
    return act


def _behind(words: list[Word], at: int) -> int:
    """Return where what ``!`` takes back ends: it leaves less to be changed, and is not counted."""
    if at >= len(words):
        return at
    if words[at].text == "(":
        return _group(words, at + 1)[1]
    return at + (2 if words[at].text in _NAMES else 1)


def _group(words: list[Word], at: int) -> tuple[tuple[str, ...], int]:
    """Return the patterns of which what is in brackets asks for one, and where it ends; empty = it asks for more."""
    patterns: list[str] = []
    plain = True
    while at < len(words) and words[at].text != ")":
        text = words[at].text
        if text in _NAMES and at + 1 < len(words):
            patterns.append(f"{text[1:]}:{words[at + 1].text}")
            plain = plain and not words[at + 1].unknown
            at += 1
        elif text in _RUNS or text == "-delete" or text in _WRITES:
            return (), at  # what it does is read where the brackets are left out
        else:
            plain = plain and text in _OR
        at += 1
    return (tuple(patterns) if plain else ()), at + 1
