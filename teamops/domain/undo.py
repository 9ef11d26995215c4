"""Rewrites that are undone: the text that was handed on stands again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from teamops.model.protocol import KnownBlock, Tamper


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


def handed_on_again(known: Iterable[KnownBlock], tampers: Iterable[Tamper], now: Sequence[str]) -> int:
    """Return how many of the first blocks are exactly what was handed on, as if nobody had changed it; 0: they aren't.

    ``known`` should stand in the file, ``now`` does (digests). What a person accepted counts as handed on. The ids tell
    the order: blocks were recorded as they came. Where one that was put in is accepted, nobody knows its place.
    """
    ids: dict[str, list[int]] = {}
    """By digest, of what stands, or would without the open changes."""
    for block in known:
        ids.setdefault(block.digest, []).append(block.id)
    came: list[str] = []
    origins: dict[str, list[int]] = {}
    """By digest, the places of what a person accepted as a rewrite."""
    placeless: set[str] = set()
    for tamper in tampers:
        was = tamper.before
        if not tamper.accepted:
            if was is not None:
                ids.setdefault(was.digest, []).append(was.id)
            came.append(tamper.after)
        elif was is None:
            placeless.add(tamper.after)
        elif tamper.after:
            earlier = origins.get(was.digest)
            origins.setdefault(tamper.after, []).append(earlier.pop() if earlier else was.id)
    places: list[tuple[int, str]] = []
    for found in ids.values():
        found.sort()
    for digest in came:
        if ids.get(digest):
            ids[digest].pop()  # the newest: that is the one which the change made
    for digest, found in ids.items():
        accepted = origins.get(digest, [])[: len(found)]
        places += [(place, digest) for place in found[: len(found) - len(accepted)] + accepted]
    handed = [digest for _, digest in sorted(places)]
    return 0 if placeless.intersection(handed) or handed != list(now[: len(handed)]) else len(handed)
