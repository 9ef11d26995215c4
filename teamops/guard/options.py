"""Options and operands of programs, as GNU and BSD tools read them: in any order, shortened, put together."""

from __future__ import annotations

from teamops.guard.words import Word

Grammar = tuple[str, str, str]
"""Letters without a value; letters with one, a blank, letters whose value is put right behind or left out; long ones,
``=`` behind those with a value, ``?`` behind those that may have one."""


class Given:
    """A program's words, sorted."""

    __slots__ = ("operands", "options")

    def __init__(self) -> None:
        self.operands: list[Word] = []
        self.options: dict[str, list[Word]] = {}
        """By letter or long name: its values; an empty word where it has none."""

    def has(self, *names: str) -> bool:
        """Return whether one of the options stands there."""
        return any(name in self.options for name in names)

    def values(self, *names: str) -> list[Word]:
        """Return the values of the options."""
        return [value for name in names for value in self.options.get(name, ()) if value.text or value.unknown]


def sorted_words(words: list[Word], grammar: Grammar) -> Given | None:
    """Return options and operands; ``None`` = one is not known, or a variable may be any number of words."""
    flags, valued, longs = grammar
    valued, _, optional = valued.partition(" ")
    known = {name.rstrip("=?"): name[-1] if name[-1] in "=?" else "" for name in longs.split()}
    given = Given()
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        text = word.text
        if word.unknown and (not word.quoted or text[:1] == "-"):
            return None
        if text == "--":
            given.operands += reversed(waiting)
            return None if any(word.unknown and not word.quoted for word in waiting) else given
        if text[:1] != "-" or text == "-":
            given.operands.append(word)
        elif text[:2] == "--":
            head, sign, value = text[2:].partition("=")
            name = _in_full(head, known)
            if name is None or (sign and not known[name]):
                return None
            if known[name] == "=" and not sign:
                if not waiting:
                    return None
                given.options.setdefault(name, []).append(waiting.pop())
            else:
                given.options.setdefault(name, []).append(part_of(word, value))
        elif not _letters(word, flags, valued, optional, waiting, given):
            return None
    return given


def part_of(word: Word, text: str) -> Word:
    """Return the word that ``text``, a part of ``word``, would be."""
    made = Word()
    made.text, made.glob, made.unknown, made.quoted = text, word.glob, word.unknown, word.quoted
    return made


def words_within(words: list[Word]) -> list[Word]:
    """Return all that may be an operand where the options are not known: each word, and what hangs on an option."""
    found = []
    for word in words:
        text = word.text
        if text[:2] == "--":
            parts = [text.partition("=")[2]]
        elif text[:1] == "-":
            parts = [text[2:], text[3:]]
        else:
            parts = [text]
        found += [part_of(word, part) for part in parts if part and not word.unknown]
    return found


def _in_full(head: str, known: dict[str, str]) -> str | None:
    if head in known:
        return head
    fits = [name for name in known if name.startswith(head)]
    return fits[0] if len(fits) == 1 and head else None


def _letters(word: Word, flags: str, valued: str, optional: str, waiting: list[Word], given: Given) -> bool:
    """Take short options that are put together; return whether all are known."""
    text = word.text
    for at in range(1, len(text)):
        letter, rest = text[at], text[at + 1 :]
        values = given.options.setdefault(letter, [])
        if letter in flags:
            values.append(Word())
        elif letter in optional:
            values.append(part_of(word, rest))
            return True
        elif letter in valued:
            if not rest and not waiting:
                return False
            values.append(part_of(word, rest) if rest else waiting.pop())
            return True
        else:
            return False
    return True
