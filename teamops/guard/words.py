"""What a shell's line consists of as it is read: words, and commands."""

from __future__ import annotations

NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
NAMED = NAME | frozenset("0123456789")
SHELLS = frozenset({"bash", "sh", "zsh", "dash"})
"""Programs that run a line which they are given."""


class NotUnderstood(Exception):  # noqa: N818 - it is an answer, no error
    """What the line runs can't be said, and why."""


class Word:
    """One word."""

    __slots__ = ("adds", "braces", "glob", "quoted", "text", "unknown")

    def __init__(self) -> None:
        self.text = ""
        """What it is; of what is not known nothing stands here."""
        self.unknown = False
        """A variable or another command's output is in it: it may be any text, and many words."""
        self.glob = False
        """It may stand for names of files."""
        self.quoted = False
        self.braces = False
        """A brace stands in it, not in quotes."""
        self.adds = False
        """As a file that is written to: what stands there stays."""


class Command:
    """One program with its words."""

    __slots__ = ("assigned", "depth", "grouped", "inputs", "murky", "negated", "sign", "words", "writes")

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.assigned: list[tuple[str, Word]] = []
        """What is set for this command alone."""
        self.writes: list[Word] = []
        """Files that its output goes to."""
        self.inputs: list[str] = []
        """Here-documents and here-strings."""
        self.murky = False
        """Of what it is given to read not all stands in the line."""
        self.sign = ""
        """What stands between it and the command before: one of ; & && | || |& or the end of a line."""
        self.negated = False
        """Where it fails, that counts as success."""
        self.depth = 0
        """In how many brackets it stands."""
        self.grouped = False
        """One of them makes a shell of its own, whose place in the line is not known here."""


def is_still(line: str) -> bool:
    """Return whether a line of a here-document without quotes runs nothing: only names of variables stand in it."""
    at = line.find("$")
    while at >= 0:
        name = line[at + 1 : at + 2]
        if name == "{":
            end = line.find("}", at)
            inner = line[at + 2 : end] if end > 0 else ""
            if not inner or inner[0] not in NAME or not all(letter in NAMED for letter in inner):
                return False
        elif name and (name in "([+^~='\"" or (name in NAME and _counts(line, at + 1))):
            return False
        at = line.find("$", at + 1)
    return "`" not in line and "\\" not in line


def _counts(line: str, at: int) -> bool:
    """Return whether a bracket follows the variable's name: what stands in it is counted out."""
    while at < len(line) and line[at] in NAMED:
        at += 1
    return line[at : at + 1] == "["
