"""Prompts that a client took: the very text that was typed for it, found in the client's own log."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from teamops.config.settings import Settings
from teamops.model.events import PromptSeen
from teamops.model.role import Role
from teamops.sources.clock import Clock
from teamops.sources.port import Emit
from teamops.usage.prompts import READERS

EXPECTED_S = 120.0
"""So long a prompt is looked for."""
EARLY_S = 1.0
"""A client's time is cut to milliseconds, and the same text may have been typed before: older lines are not it."""


class _Expected(Struct, frozen=True):
    text: str
    packed: str
    until: float
    wall: float


class Prompts:
    """Emits ``PromptSeen``, once for each text that was expected. All methods belong to the loop."""

    name = "prompts"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._readers = {role.role: READERS[role.client] for role in settings.roles if role.client in READERS}
        self._clock = clock
        self._emit: Emit | None = None
        self._expected: dict[Role, list[_Expected]] = {}

    async def start(self, emit: Emit) -> None:
        """Begin."""
        self._emit = emit

    async def stop(self) -> None:
        """End."""
        self._expected.clear()
        self._emit = None

    def expect(self, role: Role, text: str) -> None:
        """Look out for a text that is about to be typed for an agent; in vain where its log can't be read."""
        packed = _packed(text)
        if role in self._readers and packed:
            stamp = self._clock.stamp()
            fresh = _Expected(text, packed, stamp.now + EXPECTED_S, stamp.wall)
            self._expected[role] = [old for old in self._waited_for(role) if old.packed != packed] + [fresh]

    def waits(self, role: Role) -> bool:
        """Return whether some text is looked for; cheap where none is."""
        return bool(self._expected.get(role)) and bool(self._waited_for(role))

    def lines(self, role: Role, lines: Iterable[bytes]) -> None:
        """Take complete lines of the client's log, old or new."""
        if self._emit is None or not self.waits(role):
            return
        read = self._readers[role]
        for line in lines:
            prompt = read(line)
            if prompt is None:
                continue
            packed = _packed(prompt.text)
            for one in self._expected[role]:
                if one.packed == packed and (prompt.wall is None or prompt.wall >= one.wall - EARLY_S):
                    self._expected[role].remove(one)
                    self._emit(PromptSeen(self._clock.stamp(), role, one.text, prompt.evidence))
                    break

    def _waited_for(self, role: Role) -> list[_Expected]:
        now = self._clock.stamp().now
        kept = self._expected[role] = [one for one in self._expected.get(role, ()) if one.until > now]
        return kept


def _packed(text: str) -> str:
    return " ".join(text.split())
