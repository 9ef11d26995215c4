"""What ``find`` does with what it finds."""

from __future__ import annotations

from collections.abc import Callable

from teamops.guard.act import DELETE, REPLACES, WRITE, Act
from teamops.guard.changing import ALL, MORE, Changed, act_on
from teamops.guard.words import Word

_NAMES = frozenset({"-name", "-iname", "-path", "-wholename", "-ipath", "-iwholename"})
_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_WRITES = frozenset({"-fprint", "-fprint0", "-fprintf", "-fls"})
_OR = frozenset({"-o", "-or", ","})
Inner = Callable[[list[Word]], "Changed | None"]
"""What a program changes that is run; ``None`` = it only reads."""


def found(words: list[Word], inner: Inner) -> Changed | None:
    """Return what ``find`` with these words changes; ``None`` = it only reads."""
    at = next((at for at, word in enumerate(words) if word.text not in {"-H", "-L", "-P"}), len(words))
    end = next((to for to in range(at, len(words)) if _begins_expression(words[to])), len(words))
    looking = _Find(words[at:end] or [_here()], inner)
    at = end
    while at < len(words):
        if words[at].unknown:
            return looking.acts, MORE
        at = looking.take(words, at)
    return (looking.acts, looking.state or ALL) if looking.changes or looking.state else None


class _Find:
    """An expression of find as it is read."""

    def __init__(self, starts: list[Word], inner: Inner) -> None:
        self.starts = starts
        self.inner = inner
        self.acts: list[Act] = []
        self.changes = False
        self.state = MORE if any(word.unknown for word in starts) else ""
        self.only: list[tuple[str, ...]] = []
        """What is asked of a name so far."""

    def take(self, words: list[Word], at: int) -> int:
        """Take what stands at ``at``; return where the next one stands."""
        text, at = words[at].text, at + 1
        if text in _OR:
            self.only = []
        elif text in {"!", "-not"}:
            return _behind(words, at)
        elif text == "(":
            group, at = _group(words, at)
            self.only += [group] if group else []
        elif text in _NAMES:
            if at < len(words) and not words[at].unknown:
                self.only.append((f"{text[1:]}:{words[at].text}",))
            return at + 1
        elif text == "-delete":
            self.changes = True
            self.acts += [_on(DELETE, start, self.only, REPLACES) for start in self.starts]
        elif text in _WRITES:
            self.changes = True
            self.acts += [act_on(WRITE, word) for word in words[at : at + 1]]
            return at + 1
        elif text in _RUNS:
            end = next((to for to in range(at, len(words)) if words[to].text in {";", "+"}), len(words))
            self.run(words[at:end])
            return end + 1
        return at

    def run(self, words: list[Word]) -> None:
        """Take a program that is run for what is found."""
        told = self.inner(words)
        if told is None:
            return
        acts, state = told
        self.changes = True
        self.acts += [one for act in acts for one in _each(act, self.starts, self.only)]
        if any("{}" in act.path and act.path != "{}" for act in acts):
            state = MORE
        if state != ALL and self.state != MORE:
            self.state = state


def _begins_expression(word: Word) -> bool:
    return word.text[:1] in {"-", "(", "!", ")"} and bool(word.text)


def _here() -> Word:
    made = Word()
    made.text = "."
    return made


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
