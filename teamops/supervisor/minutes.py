"""The minutes of an agent's strips."""

from __future__ import annotations

from dataclasses import dataclass

MINUTES = 60
"""Length of the strips on the screen."""


@dataclass(slots=True)
class MinuteSum:
    """One minute of a strip."""

    beats: int = 0
    tokens: int = 0
    cost: float = 0.0


Strips = tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...]]
"""Beats, tokens and dollars of each minute."""
