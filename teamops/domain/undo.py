"""Rewrites that are undone: the text that was handed on stands again."""

from __future__ import annotations

from collections.abc import Iterable

from teamops.model.protocol import Tamper


class Undo:
    """Rewrites that nobody accepted, by what would undo them."""

    def __init__(self, tampers: Iterable[Tamper]) -> None:
        self._rewritten: dict[str, list[tuple[int, str]]] = {}
        """By what stands there now: the rewrites, oldest first, each with the digest that stood there before."""
        self._inserted: dict[str, list[int]] = {}
        self._vanished: dict[str, list[int]] = {}
        for tamper in tampers:
            if tamper.accepted:
                continue
            if tamper.after and tamper.before is not None:
                self._rewritten.setdefault(tamper.after, []).append((tamper.id, tamper.before.digest))
            elif tamper.after:
                self._inserted.setdefault(tamper.after, []).append(tamper.id)
            elif tamper.before is not None:
                self._vanished.setdefault(tamper.before.digest, []).append(tamper.id)

    def waits_for(self, digest: str) -> bool:
        """Return whether a block with that digest is missed."""
        return bool(self._vanished.get(digest))

    def rewritten(self, was: str, now: str) -> list[int]:
        """Return the rewrites, newest first, that are undone when a block goes from digest ``was`` to ``now``."""
        undone: list[int] = []
        steps: dict[str, int] = {}
        while was != now:
            waiting, taken = self._rewritten.get(was, []), steps.get(was, 0)
            if taken == len(waiting):
                return []
            steps[was] = taken + 1
            number, was = waiting[-1 - taken]
            undone.append(number)
        for digest, taken in steps.items():
            del self._rewritten[digest][-taken:]
        return undone

    def was_put_in(self, digest: str) -> bool:
        """Return whether a block with that digest was put in where none belongs."""
        return bool(self._inserted.get(digest))

    def taken_out(self, digest: str) -> list[int]:
        """Return the insertion that is undone when a block with that digest goes."""
        waiting = self._inserted.get(digest)
        return [waiting.pop()] if waiting else []

    def put_back(self, digest: str) -> list[int]:
        """Return the loss that is undone when a block with that digest comes."""
        waiting = self._vanished.get(digest)
        return [waiting.pop()] if waiting else []
