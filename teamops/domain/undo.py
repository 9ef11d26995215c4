"""Rewrites that are undone: the text that was handed on stands again."""

from __future__ import annotations

from collections.abc import Iterable

from teamops.model.protocol import Tamper


class Undo:
    """Rewrites that nobody accepted, by what would undo them."""

    def __init__(self, tampers: Iterable[Tamper]) -> None:
        self._after: dict[str, list[Tamper]] = {}
        """Rewritten and inserted ones, by what stands there now."""
        self._vanished: dict[str, list[Tamper]] = {}
        for tamper in tampers:
            if tamper.accepted:
                continue
            if tamper.after:
                self._after.setdefault(tamper.after, []).append(tamper)
            elif tamper.before is not None:
                self._vanished.setdefault(tamper.before.digest, []).append(tamper)

    def waits_for(self, digest: str) -> bool:
        """Return whether a block with that digest is missed."""
        return bool(self._vanished.get(digest))

    def rewritten(self, was: str, now: str) -> list[int]:
        """Return the rewrites, newest first, that are undone when a block goes from digest ``was`` to ``now``."""
        undone: list[int] = []
        while was != now:
            step = next(
                (one for one in reversed(self._after.get(was, ())) if one.before and one.id not in undone), None
            )
            if step is None or step.before is None:
                return []
            undone.append(step.id)
            was = step.before.digest
        for waiting in self._after.values():
            waiting[:] = [one for one in waiting if one.id not in undone]
        return undone

    def was_put_in(self, digest: str) -> bool:
        """Return whether a block with that digest was put in where none belongs."""
        return any(one.before is None for one in self._after.get(digest, ()))

    def taken_out(self, digest: str) -> list[int]:
        """Return the insertion that is undone when a block with that digest goes."""
        found = next((one for one in self._after.get(digest, ()) if one.before is None), None)
        if found is None:
            return []
        self._after[digest].remove(found)
        return [found.id]

    def put_back(self, digest: str) -> list[int]:
        """Return the loss that is undone when a block with that digest comes."""
        waiting = self._vanished.get(digest)
        return [waiting.pop().id] if waiting else []
