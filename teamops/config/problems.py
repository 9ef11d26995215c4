"""What is wrong in a configuration, with its place."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from teamops.model.errors import UsageError
from teamops.model.handoff import Severity
from teamops.model.text import clean_line


class ConfigProblem(Struct, frozen=True, kw_only=True):
    """One thing in teamops.toml or a profile that can't be used, or (as a warning) is unlikely to be meant."""

    path: Path
    """The file."""
    shown: str
    """The file as a person would name it from the project's folder."""
    line: int
    """1-based."""
    column: int
    """1-based, in characters."""
    message: str
    severity: Severity = Severity.ERROR
    """ERROR refuses the configuration; WARNING is only said."""

    def __str__(self) -> str:
        return f"{self.shown}:{self.line}:{self.column} {self.message}"


class ConfigError(UsageError):
    """The configuration is refused; ``problems`` holds every reason at once, in the order of the files."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        shown = [str(problem) for problem in problems]
        text = shown[0] if len(shown) == 1 else f"{len(shown)} problems in the configuration:\n  " + "\n  ".join(shown)
        super().__init__(text, "docs/configuration.md lists every key; teamops config check proves the file")
        self.problems = problems


class NotText(Exception):  # noqa: N818 - names what the bytes are not
    """Bytes are not UTF-8 from ``line``, ``column`` (1-based, in characters) on."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(line, column)
        self.line = line
        self.column = column


def text_of(raw: bytes) -> str:
    """Return a person's file as text with plain newlines, whatever editor saved it. Raises ``NotText``."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        return raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode()
        raise NotText(good.count("\n") + 1, len(good) - good.rfind("\n")) from error


def shown_path(path: Path, root: Path) -> str:
    """Return ``path`` relative to ``root`` where it lies below it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def nearest(word: str, words: list[str]) -> str | None:
    """Return the one of ``words`` that ``word`` most likely means, or ``None``."""
    from difflib import get_close_matches

    folded = {known.casefold(): known for known in words}
    found = get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def dotted(path: tuple[str, ...]) -> str:
    """Return where a key is, as a person writes it: ``roles.CODER.command``."""
    return clean_line(".".join(path), 120)
