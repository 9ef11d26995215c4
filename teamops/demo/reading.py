"""How a simulated agent follows the handoff file."""

from __future__ import annotations

from pathlib import Path

from teamops import handoff
from teamops.demo.script import Entry, Thread, threads


class Follower:
    """Reads the handoff file again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self.tasks: tuple[Thread, ...] = ()

    def look(self) -> bool:
        """Read the file if it has changed; return whether it had. A missing file leaves the last reading in force."""
        try:
            facts = self._path.stat()
            seen = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
            if seen == self._seen:
                return False
            text = self._path.read_bytes()
        except OSError:
            return False
        self._seen = seen
        self.tasks = threads(entries(text))
        return True


def entries(text: bytes) -> list[Entry]:
    """Return the file's complete blocks as the script needs them."""
    return [
        Entry(
            role=block.role,
            task=block.task,
            turn=block.turn,
            tier=block.tier,
            verdict=block.verdict or "",
            points=tuple((point.number, point.text) for point in block.challenges.points) if block.challenges else (),
            answers=tuple(point.number for point in block.responses),
        )
        for block in handoff.parse(text).blocks
        if block.complete
    ]
