"""The screen of a simulated agent: output above, and below it a prompt that takes lines."""

from __future__ import annotations

import codecs
import os
import termios
import tty
from types import TracebackType
from typing import Self

from teamops.model.text import clean_line

RESET, BOLD, DIM, RED, GREEN, BLUE, CYAN = (f"\x1b[{code}m" for code in ("0", "1", "2", "31", "32", "34", "36"))
PROMPT = "\u276f"
"""The mark that clients of this kind show."""
_ERASE = "\r\x1b[2K"
_CLEAR, _WORD_GONE = "\x15", "\x17"
_BACKSPACES = "\x08\x7f"
LONGEST_LINE = 4000
"""Characters of one typed line that are kept; a client's paste buffer is no place for a file."""


class Console:
    """A line editor as small as it can be: what is typed stays below what is printed."""

    def __init__(self, input_fd: int = 0, output_fd: int = 1) -> None:
        self._in = input_fd
        self._out = output_fd
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._draft = ""
        self._before: list[int | list[bytes | int]] | None = None
        self.closed = False
        """The terminal is gone, or its input has ended."""

    def __enter__(self) -> Self:
        if os.isatty(self._in):
            self._before = termios.tcgetattr(self._in)
            tty.setcbreak(self._in, termios.TCSADRAIN)  # what was typed while we started is kept
        self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None and not self.closed:
            try:
                termios.tcsetattr(self._in, termios.TCSADRAIN, self._before)
            except termios.error:
                return  # the pane went away under us: there is nothing left to restore

    def say(self, *lines: str) -> None:
        """Print ``lines`` above the prompt. Text from outside has to be cleaned before."""
        self._write(_ERASE + "".join(line + RESET + "\r\n" for line in lines) + self._prompt())

    def title(self, text: str) -> None:
        """Name the pane."""
        self._write(f"\x1b]2;{text}\x07")

    def read(self) -> list[str]:
        """Take what has been typed; return the submitted lines, cleaned."""
        try:
            typed = os.read(self._in, 65536)
        except OSError:
            typed = b""
        if not typed:
            self.closed = True
            return []
        lines = []
        for key in self._decoder.decode(typed):
            if key in "\r\n":
                lines.append(clean_line(self._draft, LONGEST_LINE))
                self._draft = ""
            elif key == _CLEAR:
                self._draft = ""
            elif key == _WORD_GONE:
                self._draft = "".join(self._draft.rstrip().rpartition(" ")[:2])
            elif key in _BACKSPACES:
                self._draft = self._draft[:-1]
            elif len(self._draft) < LONGEST_LINE:
                self._draft += key
        self._draw()
        return [line for line in lines if line]

    def _draw(self) -> None:
        self._write(_ERASE + self._prompt())

    def _prompt(self) -> str:
        try:
            columns = os.get_terminal_size(self._out).columns or 80  # a terminal may not know its size
        except OSError:
            columns = 80
        return f"{BOLD}{PROMPT}{RESET} {clean_line(self._draft, LONGEST_LINE)[-max(columns - 3, 1) :]}"

    def _write(self, text: str) -> None:
        left = text.encode()
        try:
            while left:
                left = left[os.write(self._out, left) :]
        except OSError:
            self.closed = True
