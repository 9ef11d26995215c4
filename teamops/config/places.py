"""Where each key and value of a TOML document stands.

``tomllib`` tells no places. This scanner runs only when there is a problem to place, and only over text that
``tomllib`` has read without error, so it recognises structure and judges nothing.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str, ...]
"""Keys from the document's root; elements of arrays by their number as text."""

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:\\.|[^"\\])*"')
_LITERAL = re.compile(r"'[^']*'")
_LONG_BASIC = re.compile(r'"""(?:\\.|[^\\])*?"""(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?!')", re.DOTALL)
_STRINGS = (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL)
_PLAIN = re.compile(r"[^,\]}#\r\n]*")


class Places:
    """Line and column of every key and value in ``text``, a valid TOML document."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.keys: dict[Path, int] = {}
        """Offset of the key that first names the path."""
        self.values: dict[Path, int] = {}
        """Offset of the value, for what is written as ``key = value`` or stands in an array."""
        self._counts: dict[Path, int] = {}
        self._document()

    def key(self, path: Path) -> tuple[int, int]:
        """Return line and column (1-based) of the key at ``path``, or of its nearest ancestor with a place."""
        while path and path not in self.keys:
            path = path[:-1]
        return self.point(self.keys.get(path, 0))

    def value(self, path: Path) -> tuple[int, int]:
        """Return line and column of the value at ``path``; where a table header made it, those of its key."""
        offset = self.values.get(path)
        return self.key(path) if offset is None else self.point(offset)

    def point(self, offset: int) -> tuple[int, int]:
        """Return line and column of a character offset."""
        start = self._text.rfind("\n", 0, offset) + 1
        return self._text.count("\n", 0, offset) + 1, offset - start + 1

    def _document(self) -> None:
        table: Path = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        path = self._key(())
        self._skip(_SPACE)
        self._at += 2 if many else 1
        if many:
            count = self._counts.get(path, 0)
            self._counts[path] = count + 1
            path = (*path, str(count))
        return path

    def _key(self, prefix: Path) -> Path:
        """Read a dotted key and note the place of each of its parts."""
        path = prefix
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._text[start] in "\"'":
                raw = self._skip(_BASIC if self._text[start] == '"' else _LITERAL)
                name = str(tomllib.loads(f"key = {raw}")["key"])
            else:
                name = self._skip(_BARE)
            path = (*path, name)
            self.keys.setdefault(path, start)
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return path
            path = self._inside(path)
            self._at += 1

    def _inside(self, path: Path) -> Path:
        """Return ``path``, in its newest element where an array of tables has that name."""
        count = self._counts.get(path, 0)
        return (*path, str(count - 1)) if count else path

    def _pair(self, prefix: Path) -> None:
        path = self._key(prefix)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        self.values.setdefault(path, self._at)
        opening = self._text[self._at]
        if opening in "\"'":
            for pattern in _STRINGS:
                if pattern.match(self._text, self._at):
                    self._skip(pattern)
                    return
        elif opening == "[":
            self._at += 1
            self._elements(path)
        elif opening == "{":
            self._at += 1
            self._members(path)
        else:
            self._skip(_PLAIN)

    def _elements(self, path: Path) -> None:
        count = 0
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "]":
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._value((*path, str(count)))
            count += 1

    def _members(self, path: Path) -> None:
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "}":
                self._at += 1
                return
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._pair(path)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise AssertionError(f"not TOML at offset {self._at}: the scanner is asked only about valid documents")
        self._at = found.end()
        return found.group()
