"""In which folders a shell may stand as its line goes on: a ``cd`` may fail, and what follows may run all the same."""

from __future__ import annotations

from teamops.guard.words import Command

MAX_FOLDERS = 16


class Going:
    """Where the shell may stand as its line goes on."""

    __slots__ = ("_anywhere", "_here", "_moved")

    def __init__(self, folder: str) -> None:
        self._here: tuple[str, ...] = (folder,)
        """Where it stands while all that the chain of ``&&`` has run has worked."""
        self._anywhere: tuple[str, ...] = self._here
        """The same where any of it may have failed."""
        self._moved = False
        """The command before went into another folder."""

    def before(self, command: Command) -> tuple[str, ...]:
        """Return the folders in which ``command`` may run."""
        if command.grouped:
            self._here = self._anywhere
        if command.depth:
            return self._anywhere
        piped = command.sign in {"|", "|&"}
        if (piped and self._moved) or not (piped or command.sign == "&&"):
            self._here = self._anywhere
        self._moved = False
        return self._here

    def to(self, command: Command, folder: str) -> bool:
        """Take it that ``command`` goes to ``folder``, or fails; return whether it can be followed."""
        gone = _gone(self._here, folder)
        every = tuple(dict.fromkeys((*self._anywhere, *_gone(self._anywhere, folder))))
        self._anywhere = every[: MAX_FOLDERS + 1]
        sure = not command.depth and not command.negated and command.sign not in {"||", "|", "|&"}
        self._here = gone if sure else self._anywhere
        self._moved = True
        return len(self._anywhere) <= MAX_FOLDERS


def _gone(folders: tuple[str, ...], to: str) -> tuple[str, ...]:
    return tuple(to if to.startswith(("/", "~")) else f"{folder}/{to}" for folder in folders)
